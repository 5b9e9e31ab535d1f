"""The order of messages that one provider, or the chat template of one model, takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.requests.content import joined
from freelm_integrations.wire.shapes import is_named_in, is_sequence, sequence

if TYPE_CHECKING:
    from freelm_integrations.chat import Json
    from freelm_integrations.wire.openai import ChatCompletions

_ANSWERS = frozenset({"assistant", "tool"})
_GO_ON = "Go on."
_BEGINNING = "(The beginning of this conversation is left out.)"


class Order:
    """Messages being placed one behind the other. Not thread safe.

    What is placed becomes part of the body: it must be nobody else's object.
    """

    __slots__ = ("_alternates", "_awaits_user", "_placed", "_rules")

    def __init__(self, rules: ChatCompletions, model: str) -> None:
        """Start an order as these rules have it for that model."""
        self._rules = rules
        self._alternates = is_named_in(rules.alternating, model)
        self._awaits_user = is_named_in(rules.ends_with_user, model)
        self._placed: list[Json] = []

    def place(self, wire: Json) -> None:
        """Append the message, mended where it may not stand."""
        rules, placed = self._rules, self._placed
        before: str | None = placed[-1]["role"] if placed else None
        if wire["role"] == "system" and self._is_out_of_place(before):
            if rules.system_place == "gathered":
                self._gather(wire)
                return
            wire["role"] = "user"
        if before == "tool" and wire["role"] == "user" and rules.bridge is not None:
            placed.append({"role": "assistant", "content": rules.bridge})
        if before == wire["role"] and self._alternates and _may_run_on(placed[-1]):
            _run_on(placed[-1], wire)
        else:
            placed.append(wire)

    def finished(self) -> list[Json]:
        """All messages, now that the last one is placed."""
        rules, placed = self._rules, self._placed
        if rules.starts_with_user:
            self._start_with_user()
        self._mend_the_end()
        if rules.prefix_flag and placed and _may_be_prefix(placed[-1]):
            placed[-1][rules.prefix_flag] = True
            if rules.thinking_parts and is_sequence(placed[-1]["content"]):
                placed[-1]["content"] = joined(placed[-1]["content"])  # goes on from text alone
        return placed

    def _gather(self, wire: Json) -> None:
        roles = [message["role"] for message in self._placed]
        self._placed.insert(next(n for n, role in enumerate(roles) if role != "system"), wire)

    def _start_with_user(self) -> None:
        first = next((n for n, one in enumerate(self._placed) if one["role"] != "system"), None)
        if first is None:
            for last in self._placed[-1:]:
                last["role"] = "user"
        elif self._placed[first]["role"] == "assistant":
            self._placed.insert(first, {"role": "user", "content": _BEGINNING})

    def _mend_the_end(self) -> None:
        if not self._placed:
            return
        last = self._placed[-1]
        if last["role"] == "system" and self._rules.system_place == "not_after_answer":
            last["role"] = "user"
        elif last["role"] == "assistant" and self._awaits_user:
            self._placed.append({"role": "user", "content": _GO_ON})

    def _is_out_of_place(self, before: str | None) -> bool:
        place = self._rules.system_place
        if place == "anywhere" or before is None:
            return False
        return before in _ANSWERS if place == "not_after_answer" else before != "system"


def _may_run_on(wire: Json) -> bool:
    return wire["role"] != "tool" and "tool_calls" not in wire


def _run_on(before: Json, wire: Json) -> None:
    """Let two messages of one role be one."""
    content = _together(before.get("content"), wire.get("content"))
    before.update(wire)
    before["content"] = content


def _together(first: Any, second: Any) -> Any:
    if not first or not second:
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(sequence(content))


def _may_be_prefix(wire: Json) -> bool:
    return wire["role"] == "assistant" and bool(wire.get("content")) and "tool_calls" not in wire
