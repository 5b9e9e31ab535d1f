"""The six providers' ways of speaking, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.dialects.cerebras import Cerebras
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.dialects.google import Google
from freelm_integrations.lab.dialects.groq import Groq
from freelm_integrations.lab.dialects.mistral import Mistral
from freelm_integrations.lab.dialects.nim import Nim
from freelm_integrations.lab.dialects.openrouter import OpenRouter

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (OpenRouter(), Google(), Nim(), Groq(), Cerebras(), Mistral())
}

__all__ = ["DIALECTS", "Dialect"]
