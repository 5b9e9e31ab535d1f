"""Tool calls and their results brought together, one result behind every call.

Histories are cut short by memories, mixed by graphs, and made by other models: a result may be
missing, come too late, twice, or without its call, and ids may repeat. Any of that is refused by
most providers (Mistral 3230, Cerebras, Google; 2026-11), and for good if it stays in the history.
On the wire

1. each result stands directly behind its call, in the order of the calls, with an id of its own;
2. a call without a result has one that says so;
3. a result without a call is told by the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.shapes import is_sequence, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freelm_integrations.chat import Json, Message

NO_RESULT = "(no result)"
_RESULTS = frozenset({"tool", "function"})  # the latter is the former's name of 2023


class _Call:
    """One call of an assistant's turn, and what answered it."""

    __slots__ = ("answer", "id", "name", "written")

    def __init__(self, written: Message) -> None:
        self.written = written
        self.id = text(written.get("id"))
        self.name = text(mapping(written.get("function")).get("name"))
        self.answer: Message | None = None


def paired(messages: Sequence[Message], *, singly: bool = False) -> Sequence[Message]:
    """The messages with every call and result in its place; themselves where there are none.

    `singly`: no more than one call in a turn, for models whose history may not hold more.
    """
    if not any(_is_of_a_tool(message) for message in messages):
        return messages
    turns = [_calls_of(message) for message in messages]
    orphans = _settle(messages, turns)
    taken: set[str] = set()
    placed: list[Message] = []
    for position, message in enumerate(messages):
        if message.get("role") in _RESULTS:
            if position in orphans and (told := _told_by_user(message)) is not None:
                placed.append(told)
        elif calls := turns[position]:
            placed.extend(_together(message, calls, taken, size=1 if singly else len(calls)))
        elif message.get("tool_calls"):  # of nothing
            placed.append({key: message[key] for key in message if key != "tool_calls"})
        else:
            placed.append(message)
    return placed


def _is_of_a_tool(message: Message) -> bool:
    return (
        message.get("role") in _RESULTS
        or bool(message.get("tool_calls"))
        or bool(message.get("function_call"))
    )


def _calls_of(message: Message) -> list[_Call]:
    """The calls of an assistant's turn that name a function; results of others have none."""
    if message.get("role") != "assistant":
        return []
    written = sequence(message.get("tool_calls"))
    legacy = mapping(message.get("function_call"))
    if not written and legacy:
        written = [{"function": legacy}]
    calls = [_Call(mapping(call)) for call in written]
    return [call for call in calls if call.name]


def _settle(messages: Sequence[Message], turns: list[list[_Call]]) -> set[int]:
    """Give every result to its call; tells the places of those that have none."""
    orphans: list[int] = []
    waiting: dict[str, list[_Call]] = {}
    for position, message in enumerate(messages):
        for made in reversed(turns[position]):  # the latest turn's first: ids may be used again
            waiting.setdefault(made.id, []).append(made)
        if message.get("role") not in _RESULTS:
            continue
        wanted = _id_of(message)
        call = _open(waiting, wanted) if wanted else _nameless(message, turns[:position])
        if call is None:
            orphans.append(position)
        else:
            call.answer = message
    return {position for position in orphans if not _came_too_early(messages[position], waiting)}


def _open(waiting: dict[str, list[_Call]], wanted: str) -> _Call | None:
    calls = waiting.get(wanted, [])
    while calls:
        call = calls.pop()
        if call.answer is None:
            return call
    return None


def _nameless(message: Message, turns: list[list[_Call]]) -> _Call | None:
    """What a result without an id answers: the latest turn's first open call, by name if it can."""
    name = text(message.get("name"))
    for calls in reversed(turns):
        for call in calls:
            if call.answer is None and name in {"", call.name}:
                return call
    return None


def _came_too_early(message: Message, waiting: dict[str, list[_Call]]) -> bool:
    """Whether the result stands before its call, and is now given to it."""
    call = _open(waiting, wanted) if (wanted := _id_of(message)) else None
    if call is not None:
        call.answer = message
    return call is not None


def _id_of(message: Message) -> str:
    return text(message.get("tool_call_id"))


def _together(
    message: Message, calls: list[_Call], taken: set[str], *, size: int
) -> Iterator[Message]:
    """The turn with so many calls at a time, their results behind them."""
    rest = {name: message[name] for name in message if name != "function_call"}
    for start in range(0, len(calls), size):
        some = calls[start : start + size]
        ids = [_own_id(call, taken) for call in some]
        written = [_renamed(call.written, own) for call, own in zip(some, ids, strict=True)]
        yield {**rest, "tool_calls": written}
        yield from (_result(call, own) for call, own in zip(some, ids, strict=True))
        rest = {"role": "assistant", "content": None}


def _own_id(call: _Call, taken: set[str]) -> str:
    """The call's id, or a new one like it where it has none or an earlier call has the same."""
    own, number = call.id or "call_0", 0
    while own in taken:
        number += 1
        own = f"{call.id or 'call'}_{number}"
    taken.add(own)
    return own


def _renamed(written: Message, own: str) -> Message:
    return written if written.get("id") == own else {**written, "id": own}


def _result(call: _Call, own: str) -> Message:
    if call.answer is None:
        return {"role": "tool", "tool_call_id": own, "content": NO_RESULT}
    return {**call.answer, "role": "tool", "tool_call_id": own}


def _told_by_user(message: Message) -> Json | None:
    """A result nobody asked for, as the user's words; None where it says nothing."""
    content: Any = message.get("content")
    name = text(message.get("name"))
    said = f"Result of {name}:" if name else "Result of a tool:"
    if is_sequence(content):
        content = [{"type": "text", "text": said}, *content] if content else None
    elif content is not None:
        content = f"{said}\n{content}" if str(content).strip() else None
    return None if content is None else {"role": "user", "content": content}
