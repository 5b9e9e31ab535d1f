"""Who is out there: every provider's declaration, in the order they are used by default.

Cerebras comes last of the six, and is asked after all others but `local` (`ProviderSpec.priority`):
its keys spend a credit since 2026-08. Further ones follow, last of them the two that need no key:
these are never used unless asked for. Nor is `local`, unless nothing else is configured.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from freelm_integrations.providers.cerebras import CEREBRAS
from freelm_integrations.providers.cloudflare import CLOUDFLARE
from freelm_integrations.providers.cohere import COHERE
from freelm_integrations.providers.google import GOOGLE
from freelm_integrations.providers.groq import GROQ
from freelm_integrations.providers.huggingface import HUGGINGFACE
from freelm_integrations.providers.kilo import KILO
from freelm_integrations.providers.local import LOCAL
from freelm_integrations.providers.mistral import MISTRAL
from freelm_integrations.providers.nim import NIM
from freelm_integrations.providers.openrouter import OPENROUTER
from freelm_integrations.providers.ovhcloud import OVHCLOUD
from freelm_integrations.providers.zai import ZAI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.providers.spec import ProviderSpec

__all__ = ["PROVIDERS"]

_IN_ORDER = (
    *(GROQ, GOOGLE, MISTRAL, OPENROUTER, NIM, CEREBRAS),
    *(CLOUDFLARE, ZAI, COHERE, HUGGINGFACE),
    *(OVHCLOUD, KILO),
    LOCAL,
)
PROVIDERS: Mapping[str, ProviderSpec] = MappingProxyType({spec.name: spec for spec in _IN_ORDER})
