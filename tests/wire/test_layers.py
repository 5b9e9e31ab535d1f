"""The wire layer knows bytes and nothing else: what it may import is listed here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import freelm_integrations.wire

FILES = sorted(Path(freelm_integrations.wire.__path__[0]).glob("*.py"))
OURS = ("freelm_integrations.wire", "freelm_integrations.chat", "freelm_integrations.errors")
STANDARD = {
    *("__future__", "collections", "dataclasses", "datetime", "email", "functools", "hashlib"),
    *("json", "re", "types", "typing", "zoneinfo", "base64", "binascii", "math", "struct"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_file_reaches_beyond_its_layer(path: Path):
    """No I/O, no clock, no dice, nothing of the layers above."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")

    assert [
        name for name in names if not name.startswith(OURS) and name.split(".")[0] not in STANDARD
    ] == []
