"""What only its maker understands, gathered to be sent back as it came.

These are thought signatures (Google), reasoning details (OpenRouter) and thinking that stands among
the parts of the content (Mistral).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.shapes import is_mapping, mapping, sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.chat import Json
    from freelm_integrations.wire.openai import ChatCompletions

_GROWING = ("text", "summary", "data")
_THINKING_FIELDS = ("type", "thinking", "closed", "signature")  # the schema is closed


class Extras:
    """The extras of one answer, under their maker's name. Not thread safe."""

    __slots__ = ("_fields", "_keeps_thinking", "_key", "_model", "_nested", "_thinking", "_wanted")

    def __init__(self, rules: ChatCompletions, model: str) -> None:
        """Gather what the rules name, for answers of that model."""
        self._key = rules.extra_key
        self._wanted = rules.extra_fields
        self._keeps_thinking = rules.thinking_parts
        self._model = model
        self._fields: Json = {}
        self._nested: Json = {}
        self._thinking: list[Json] = []

    def take(self, delta: Json) -> bool:
        """Keep what this delta has; True if its content is flagged as thinking (Google)."""
        for name in self._wanted:
            if name in delta:
                self._fields[name] = _grown(self._fields.get(name), delta[name])
        if self._keeps_thinking:
            _think_on(self._thinking, sequence(delta.get("content")))
        extra = delta.get("extra_content")
        if not extra:
            return False
        is_flagged = False
        for maker, said in mapping(extra).items():
            kept = {key: value for key, value in mapping(said).items() if key != "thought"}
            is_flagged = is_flagged or mapping(said).get("thought") is True
            if kept:
                self._nested[maker] = {**mapping(self._nested.get(maker)), **kept}
        return is_flagged

    def told(self) -> Json | None:
        """All that was kept, as `extra_content` takes it; None for nothing."""
        kept = dict(self._nested)
        if self._thinking:  # what is told has been thought to its end
            self._fields["thinking"] = [{**part, "closed": True} for part in self._thinking]
        if self._fields and self._key:
            kept[self._key] = {**self._fields, "model": self._model}
        return kept or None


def _think_on(thinking: list[Json], parts: Sequence[Any]) -> None:
    """Add the parts of thinking; one goes on with the last unless that is closed."""
    for part in parts:
        if is_mapping(part) and part.get("thinking"):
            _think(thinking, part)


def _think(thinking: list[Json], part: Json) -> None:
    said = part["thinking"]
    pieces = [{"type": "text", "text": said}] if isinstance(said, str) else list(sequence(said))
    kept: Json = {name: part[name] for name in _THINKING_FIELDS if name in part}
    if not thinking or thinking[-1].get("closed") is True:
        thinking.append({"type": "thinking", **kept, "thinking": pieces})
        return
    before = thinking[-1]["thinking"]
    if before and pieces and _is_text(before[-1]) and _is_text(pieces[0]):
        before, pieces = before[:-1], [_joined(before[-1], pieces[0]), *pieces[1:]]
    thinking[-1] = {**thinking[-1], **kept, "thinking": [*before, *pieces]}


def _is_text(piece: object) -> bool:
    return is_mapping(piece) and piece.get("type") == "text" and isinstance(piece.get("text"), str)


def _grown(before: Any, now: Any) -> Any:
    """The list with the new items; one that goes on with the last (same index, type) joins it."""
    items: list[Any] = list(sequence(before))
    for item in sequence(now):
        last, piece = mapping(items[-1] if items else None), mapping(item)
        if last and piece and _goes_on(last, piece):
            items[-1] = _joined(last, piece)
        else:
            items.append(item)
    return items if isinstance(now, list) else now


def _goes_on(last: Json, piece: Json) -> bool:
    return (
        last.get("type") == piece.get("type")
        and last.get("index") is not None
        and last.get("index") == piece.get("index")
    )


def _joined(last: Json, piece: Json) -> Json:
    joined = {**last, **{key: value for key, value in piece.items() if value is not None}}
    for key in _GROWING:
        if isinstance(last.get(key), str) and isinstance(piece.get(key), str):
            joined[key] = last[key] + piece[key]
    return joined
