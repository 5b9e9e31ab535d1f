"""Names of tools: as the caller has them, and as every provider takes them.

Names are of 1 to 64 letters, digits, `_` and `-` (Mistral's validator of 2026-07, OpenRouter's docs
of 2026-08, and what OpenAI began with), a letter or `_` first (Google, 2026-09); others are a 400
nearly everywhere. They are spelled
otherwise on the wire, each always the same way and no two alike, and restored in the answer.
"""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from freelm_integrations.wire.shapes import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Request

_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_READABLE = 50
_NOTHING: Mapping[str, str] = MappingProxyType({})


def wire_name(name: str) -> str:
    """The name as it is sent: itself where it may be, else a readable one that is its alone."""
    if not name or _SAFE.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = _UNSAFE.sub("_", name)[:_READABLE].strip("_-")
    if not readable[:1].isalpha():
        readable = f"tool_{readable}".rstrip("_")
    return f"{readable}_{mark}"


def own_names(request: Request) -> Mapping[str, str]:
    """The caller's names by what was sent in their place; empty where nothing was."""
    own: dict[str, str] = {}
    for tool in request.tools:
        name: object = mapping(tool.get("function")).get("name")
        if isinstance(name, str) and (sent := wire_name(name)) != name:
            own[sent] = name
    return own or _NOTHING
