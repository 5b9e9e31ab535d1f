"""The second distribution: the same class where LlamaIndex users look for integrations."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

import pytest
from llama_index.core import Settings

import freelm_integrations.llama_index
from freelm_integrations.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.lab import Lab

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "packages" / "llama-index-llms-freelm"
DECLARED = (FOLDER / "pyproject.toml").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if it were installed; core's default model as before."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(Settings, "_llm", None)
    yield
    for name in ("llama_index.llms.freelm", "llama_index.llms"):
        sys.modules.pop(name, None)


def test_its_module_has_the_same_classes() -> None:
    """Beside core, and under the names of ours."""
    from llama_index.llms import freelm  # type: ignore[import-not-found,unused-ignore]

    for name in freelm.__all__:
        assert getattr(freelm, name) is getattr(freelm_integrations.llama_index, name)


def test_the_folders_it_shares_with_others_are_nobodys() -> None:
    """A file of that name would hide every other integration."""
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("__init__.py")}

    assert files == {"llama_index/llms/freelm/__init__.py"}


def test_what_it_declares_is_true() -> None:
    """For LlamaHub, and for installers: it takes this version of ours and the same core."""
    [core] = re.findall(r'"llama-index-core(.*?)"', (ROOT / "pyproject.toml").read_text())
    named = DECLARED.partition("[tool.llamahub.class_authors]")[2]

    assert 'import_path = "llama_index.llms.freelm"' in DECLARED
    assert re.findall(r"^(\w+) = ", named, re.MULTILINE) == ["LlamaIndexFreeLLM"]
    assert f'"llama-index-core{core}"' in DECLARED
    assert f'version = "{VERSION}"' in DECLARED
    assert f"freelm-integrations[llama-index]>={VERSION}" in DECLARED


async def test_its_examples_work_in_their_order(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a reader would run them in a notebook, one provider down."""
    lab["groq"].fail("rate_limited", times=None)
    names: dict[str, object] = {}
    for example in EXAMPLES:
        code = compile(example, "README", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert isinstance(code, CodeType)
        running = eval(code, names)
        if inspect.isawaitable(running):
            await running

    assert len(EXAMPLES) == 5
    assert "42" in capsys.readouterr().out
