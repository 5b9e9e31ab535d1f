"""Tool-call pieces told apart and numbered by us: providers' own indexes and ids cannot be trusted.

What is seen on the wire (2026-11): the index missing, null, or 0 for every parallel call; the id
missing, empty, in the first piece only or in each; a call whole in one piece or in many; the name
repeated; `{}` sent ahead of the real arguments; spaces after complete arguments; a signature in a
piece of its own. The rules:

1. A new id starts a call, unless the call it continues has not had one of its own yet or is not
   complete. So does a known id at another index, or with a name and further arguments when its own
   are complete; a piece sent twice counts once.
2. Without an id, a name after complete arguments, or another name, starts a call.
3. Anything else belongs to the call with that index, or to the last one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from freelm_integrations.chat import ToolCallPart
from freelm_integrations.wire.shapes import integer, mapping, parsed, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from freelm_integrations.chat import Json

_NO_IDS = frozenset({"", "null", "None"})


class _Piece:
    """One wire fragment, read."""

    __slots__ = ("arguments", "extra", "id", "index", "name")

    def __init__(self, fragment: Json) -> None:
        function = mapping(fragment.get("function")) or fragment
        said = function.get("arguments", function.get("parameters"))
        self.arguments = said if isinstance(said, str) else json.dumps(said) if said else ""
        self.name = text(function.get("name")).strip()
        tool_id = fragment.get("id")
        self.id = str(tool_id) if isinstance(tool_id, (str, int)) else ""
        if self.id in _NO_IDS:
            self.id = ""
        self.index = integer(fragment.get("index"))
        self.extra: Mapping[str, Any] | None = mapping(fragment.get("extra_content")) or None


class _Call:
    """One call being gathered.

    `held` are arguments not told yet: before the name, or a `{}` that may be a placeholder.
    """

    __slots__ = ("arguments", "held", "id", "index", "name", "opened", "wire_index")

    def __init__(self, index: int, piece: _Piece) -> None:
        self.index = index
        self.wire_index = piece.index
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.held = ""
        self.opened = False

    def said(self) -> str:
        return "".join(self.arguments) + self.held

    def is_complete(self) -> bool:
        said = self.said()
        return bool(said) and isinstance(parsed(said), dict)


class ToolCalls:
    """The tool calls of one answer, while their pieces come in. Not thread safe."""

    def __init__(self, seed: str, own_names: Mapping[str, str] | None = None) -> None:
        """`seed` makes invented ids differ between the answers of one conversation.

        `own_names` are the caller's names of tools that were sent under others.
        """
        self._seed = seed
        self._own_names = own_names or {}
        self._calls: list[_Call] = []
        self._early: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        """Whether any call has been seen."""
        return bool(self._calls)

    def add(self, fragment: Json) -> ToolCallPart | None:
        """The part a wire fragment amounts to, or None where it says nothing (yet)."""
        piece = _Piece(fragment)
        call = self._continued(piece)
        if call is None:
            if not (piece.name or piece.id or piece.arguments.strip()):
                self._early = piece.extra or self._early
                return None
            call = _Call(len(self._calls), piece)
            self._calls.append(call)
        elif piece.name and piece.arguments == call.said() and call.is_complete():
            piece.arguments = ""  # the same piece once more
        return self._grow(call, piece)

    def end(self) -> list[ToolCallPart]:
        """What was held back, now that nothing more comes."""
        parts: list[ToolCallPart] = []
        for call in self._calls:
            if not call.opened:
                parts.append(self._open(call))
            elif call.held:
                parts.append(ToolCallPart(call.index, arguments=call.held))
                call.arguments.append(call.held)
                call.held = ""
        return parts

    def are_whole(self) -> bool:
        """Whether there are calls, each with a name and a JSON object (or nothing) to it."""
        return bool(self._calls) and all(
            call.name and (call.is_complete() or not call.said().strip()) for call in self._calls
        )

    def _continued(self, piece: _Piece) -> _Call | None:
        """The call this piece goes on with, or None where it starts one."""
        if not self._calls:
            return None
        if piece.id:
            return self._continued_by_id(piece)
        call = self._at(piece.index)
        if not piece.name:
            return call or self._calls[-1]
        if call is None:
            return None
        return None if call.name and _starts_anew(call, piece) else call

    def _continued_by_id(self, piece: _Piece) -> _Call | None:
        known = [call for call in self._calls if call.id == piece.id]
        if known:
            same = known[-1]
            if piece.index is not None:
                same = next((call for call in known if call.wire_index == piece.index), same)
                if same.wire_index not in {None, piece.index}:
                    return None
            return None if piece.name and _starts_anew(same, piece) else same
        call = self._at(piece.index)
        if call is None or (piece.name and call.name):
            return None
        return call if not call.id or not call.is_complete() else None

    def _at(self, index: int | None) -> _Call | None:
        """The latest call with that wire index; without one, the last call."""
        if index is None:
            return self._calls[-1]
        return next((call for call in reversed(self._calls) if call.wire_index == index), None)

    def _grow(self, call: _Call, piece: _Piece) -> ToolCallPart | None:
        if piece.id and not call.id:
            call.id = piece.id
        if not call.opened:
            call.name = call.name or piece.name
            call.held += piece.arguments
            self._early = piece.extra or self._early
            return self._open(call) if call.name else None
        told = _told(call, piece.arguments)
        if not told and piece.extra is None:
            return None
        call.arguments.append(told)
        return ToolCallPart(call.index, arguments=told, extra=piece.extra)

    def _open(self, call: _Call) -> ToolCallPart:
        call.opened = True
        extra, self._early = self._early, None
        said, call.held = call.held, ""
        told = _told(call, said)
        call.arguments.append(told)
        taken = any(other.id == call.id for other in self._calls[: call.index])
        shown = self._invented(call) if not call.id or taken else call.id
        name = self._own_names.get(call.name, call.name)
        return ToolCallPart(call.index, shown, name, told, extra)

    def _invented(self, call: _Call) -> str:
        source = f"{self._seed}|{call.index}|{call.name}"
        return "call_" + hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:16]


def _starts_anew(call: _Call, piece: _Piece) -> bool:
    """Whether a named piece is another call, the one it could continue having a name already."""
    said, more = call.said().strip(), piece.arguments.strip()
    if piece.id:
        return more not in {"", said} and said != "{}" and call.is_complete()
    return call.name != piece.name or (bool(more) and call.is_complete())


def _told(call: _Call, arguments: str) -> str:
    """What of these arguments may be told now; the rest is held in the call."""
    if call.held:  # a "{}" that was either the whole of it or a placeholder
        rest = arguments.lstrip()
        if not rest:
            return ""
        said, call.held = call.held, ""
        return arguments if rest.startswith("{") else said + arguments
    if arguments.strip() == "{}" and not call.arguments:
        call.held = arguments
        return ""
    if arguments and not arguments.strip() and call.is_complete():
        return ""
    return arguments
