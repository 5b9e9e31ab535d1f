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
RESTORED = """
import sys
import freelm_integrations.llama_index as ours
waiting = len(sys.meta_path)
assert "llama_index.core.llms.loading" not in sys.modules
from llama_index.core.llms.loading import load_llm
from llama_index.core.embeddings.loading import load_embed_model
from llama_index.core.llms.mock import MockLLM
llm = load_llm(ours.FreeLLM(temperature=0.7).to_dict())
assert isinstance(load_llm(MockLLM().to_dict()), MockLLM)
print(type(llm) is ours.FreeLLM, llm.temperature, waiting - len(sys.meta_path))
"""
LATE = """
import llama_index.core.llms.loading as loading
import freelm_integrations.llama_index as ours
print(type(loading.load_llm(ours.FreeLLM().to_dict())) is ours.FreeLLM)
"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (MISSING, 'LlamaIndex is not installed: pip install "freelm-integrations[llama-index]"'),
        (LIGHT, "[]"),
        (ALONE, "[]"),
        (ENGINE, "[]"),
        (RESTORED, "True 0.7 2"),
        (LATE, "True"),
    ],
    ids=[
        "a missing extra is named",
        "the package loads no framework",
        "this loads no other",
        "the engine waits for the first model",
        "what core can restore is told when it is asked for",
        "and at once where it was asked for before",
    ],
)
def test_imports(program: str, told: str) -> None:
    """A missing extra is named, and nobody pays for what he does not use."""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == told
