"""Abilities that a model turned out to lack altogether: calling tools, seeing images.

Lists do not tell everything, and hosts behind one id differ (OpenRouter, 2026-08). Who has refused
a request for what it needed is asked after all others for such requests, and as before for others.
It is kept among the parameters a model refuses, under the names below.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from freelm_integrations.wire.shapes import mapping, sequence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Message, Request
    from freelm_integrations.wire.faults import Fault

TOOLS = "needs.tools"
IMAGES = "needs.images"

_NOTHING: frozenset[str] = frozenset()
_FOUND: Mapping[str, str] = MappingProxyType(
    {TOOLS: "turned out not to call tools", IMAGES: "turned out not to see images"}
)
_NO_TOOLS = re.compile(
    r"support (?:for )?(?:tool (?:use|calls?|calling)|tools\b|function calling)|tool-call-parser"
    r"|\b(?:tools|tool (?:use|calls?|calling)|function calling) (?:is|are) not (?:currently )?"
    r"support"
)
_NO_IMAGES = re.compile(
    r"support (?:for )?(?:images?\b|vision\b)|not a (?:multimodal|vision)"
    r"|\b(?:images?|image inputs?|vision) (?:is|are) not (?:currently )?support"
)


def abilities_needed(request: Request) -> frozenset[str]:
    """What of the two a request needs."""
    if not (request.tools or any(map(_has_parts, request.messages))):
        return _NOTHING
    needed = {TOOLS} if request.tools else set[str]()
    if any(map(_has_image, request.messages)):
        needed.add(IMAGES)
    return frozenset(needed)


def lacked_ability(needed: frozenset[str], fault: Fault) -> str | None:
    """Which of those needed the fault says the model lacks; None for none."""
    if fault.kind != "unsupported":
        return None
    said = fault.message.lower()
    if TOOLS in needed and _NO_TOOLS.search(said):
        return TOOLS
    return IMAGES if IMAGES in needed and _NO_IMAGES.search(said) else None


def found_lacking(needed: frozenset[str], refused: frozenset[str]) -> str | None:
    """What a model with these refusals was found to lack of it (`it ...`); None for nothing."""
    lacks = [words for name, words in _FOUND.items() if name in needed and name in refused]
    return " and ".join(lacks) or None


def _has_parts(message: Message) -> bool:
    return isinstance(message.get("content"), (list, tuple))


def _has_image(message: Message) -> bool:
    parts = sequence(message.get("content"))
    return any(mapping(part).get("type") == "image_url" for part in parts)
