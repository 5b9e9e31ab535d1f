"""What importing costs and says. In processes of their own: imports happen once."""

from __future__ import annotations

import subprocess
import sys

import pytest

MISSING = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "llama_index":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
import freelm_integrations
try:
    import freelm_integrations.llama_index
except ImportError as error:
    print(error)
"""
LIGHT = """
import sys
import freelm_integrations
print([name for name in sys.modules if name.partition(".")[0] in ("llama_index", "langchain_core")])
"""
ALONE = """
import sys
import freelm_integrations.llama_index
print([name for name in sys.modules if name.partition(".")[0] in ("langchain_core", "openai", "nltk")])
"""
ENGINE = """
import sys
import freelm_integrations.llama_index
rooms = ("client", "engine", "pool", "providers", "routing", "settings", "wire")
print([room for room in rooms if f"freelm_integrations.{room}" in sys.modules])
"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (MISSING, 'LlamaIndex is not installed: pip install "freelm-integrations[llama-index]"'),
        (LIGHT, "[]"),
        (ALONE, "[]"),
        (ENGINE, "[]"),
    ],
    ids=[
        "a missing extra is named",
        "the package loads no framework",
        "this loads no other",
        "the engine waits for the first model",
    ],
)
def test_imports(program: str, told: str) -> None:
    """A missing extra is named, and nobody pays for what he does not use."""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == told
