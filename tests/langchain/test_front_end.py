"""What the front end may import, and what it costs to."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from subprocess import run

import pytest

import freelm_integrations.langchain as front_end

FOLDER = Path(front_end.__file__).parent
NEVER = ("wire", "pool", "routing", "engine", "providers", "llama_index", "openai", "dispatcher")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_a_front_end_knows_the_client_and_its_framework_only(path: Path) -> None:
    """Neither the rooms below the client, nor the other front ends, nor LangChain beyond its core."""
    tree = ast.parse(path.read_text("utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]

    ours = {name.split(".")[1] for name in names if name.startswith("freelm_integrations.")}
    theirs = {name.split(".")[0] for name in names}

    assert ours.isdisjoint(NEVER)
    assert theirs.isdisjoint({"langchain", "langgraph", "openai"})


def test_importing_it_changes_and_loads_nothing_else() -> None:
    """`langchain` itself stays out, and with it whatever it brings."""
    look = (
        "import sys, freelm_integrations.langchain;"
        "print([name for name in ('langchain', 'langgraph', 'openai') if name in sys.modules])"
    )

    said = run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"
