"""Who is out there: every provider's declaration, in the order they are used by default.

Cerebras comes last of the hosted ones: its keys spend a credit since 2026-08. `local` is never
used unless it is asked for, or nothing else is configured.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from freelm_integrations.providers.cerebras import CEREBRAS
from freelm_integrations.providers.google import GOOGLE
from freelm_integrations.providers.groq import GROQ
from freelm_integrations.providers.local import LOCAL
from freelm_integrations.providers.mistral import MISTRAL
from freelm_integrations.providers.nim import NIM
from freelm_integrations.providers.openrouter import OPENROUTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.providers.spec import ProviderSpec

__all__ = ["PROVIDERS"]

PROVIDERS: Mapping[str, ProviderSpec] = MappingProxyType(
    {spec.name: spec for spec in (GROQ, GOOGLE, MISTRAL, OPENROUTER, NIM, CEREBRAS, LOCAL)}
)
