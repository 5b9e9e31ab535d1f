"""How long an answer may be and how much its model may think, told in one provider's words.

An answer that is nothing but thinking had too little room, or thought too much: the same request
can be sent again with twice the room and less thinking.

Some models take no output limit below a least one, or not every word for the effort. What was seen
or declared of that stands among the parameters a model refuses, as `max_tokens.16` and
`reasoning_effort.none`. The limit is then raised to the least one, since nothing smaller is to be
had there; the effort becomes the nearest one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from freelm_integrations.wire.shapes import NOTHING, first_match, integer, is_mapping, mapping

if TYPE_CHECKING:
    from freelm_integrations.chat import Json, Request
    from freelm_integrations.wire.openai import ChatCompletions

Thinking = Literal["less", "more"]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The words callers use for `reasoning_effort`, ascending."""

_NEW_OUTPUT, _OLD_OUTPUT, _EFFORT = "max_completion_tokens", "max_tokens", "reasoning_effort"
_LITTLE = frozenset({"none", "minimal"})
_NOT_THIS = f"{_EFFORT}."
_AT_LEAST = f"{_OLD_OUTPUT}."
_LEAST_ROOM = 1_024  # Google's sheet of 2026-11: thinking alone eats less than that up


def default_output(rules: ChatCompletions, tags: tuple[str, ...], output: int | None) -> int | None:
    """The limit to send where the caller gives none, no longer than the model's longest answer."""
    thinks = "reasoning" in tags and rules.thinking_default is not None
    default = rules.thinking_default if thinks else rules.output_default
    return default if default is None or output is None else min(default, output)


def effort_refused(word: str) -> str:
    """The name under which it is kept that a model does not take this word for the effort."""
    return _NOT_THIS + word


def least_output(tokens: int) -> str:
    """The name under which it is kept that a model takes no output limit below this."""
    return f"{_AT_LEAST}{tokens}"


def settle_output(
    asked: Json,
    default: int | None,
    *,
    output: int | None,
    roomier: bool,
    refused: frozenset[str] = frozenset(),
) -> None:
    """One output limit at most: the newer name wins, and `default` stands in for neither.

    With `roomier` it is twice as large, but never larger than `output`, the model's longest answer.
    It is no smaller than the least that is not among the `refused`.
    """
    if _NEW_OUTPUT in asked:
        asked.pop(_OLD_OUTPUT, None)
    elif _OLD_OUTPUT not in asked and default is not None:
        asked[_OLD_OUTPUT] = default
    if roomier:
        for name in asked.keys() & {_NEW_OUTPUT, _OLD_OUTPUT}:
            asked[name] = _doubled(asked[name], output)
    for known in refused:
        if known.startswith(_AT_LEAST):
            _raise(asked, integer(known.removeprefix(_AT_LEAST)) or 0)


def _raise(asked: Json, least: int) -> None:
    for name in asked.keys() & {_NEW_OUTPUT, _OLD_OUTPUT}:
        tokens = integer(asked[name])
        if tokens is not None and tokens < least:
            asked[name] = least


def _doubled(limit: Any, output: int | None) -> Any:
    tokens = integer(limit)
    if tokens is None:
        return limit
    wanted = max(2 * tokens, _LEAST_ROOM)
    return max(tokens, wanted if output is None else min(wanted, output))


def settle_effort(
    asked: Json,
    model: str,
    rules: ChatCompletions,
    *,
    tags: tuple[str, ...],
    refused: frozenset[str] = frozenset(),
) -> None:
    """The effort in the model's own words; one known not to think would refuse the very field."""
    if effort_refused("none") in refused and _switches_off(mapping(asked.get("reasoning"))):
        del asked["reasoning"]
    effort = asked.pop(_EFFORT, None)
    if effort is None or not _may_think(tags):
        return
    words = first_match(rules.efforts, model)
    said = effort if words is None else words.get(effort, effort)
    if said is not None:
        asked[_EFFORT] = _nearest(said, refused) if refused else said


def _switches_off(reasoning: Json) -> bool:
    """Whether OpenRouter's object asks for no thinking at all."""
    return reasoning.get("enabled") is False or reasoning.get("effort") == "none"


def _nearest(effort: Any, refused: frozenset[str]) -> Any:
    """The effort, or the one next to it that is not refused; of two the smaller."""
    if not isinstance(effort, str) or effort_refused(effort) not in refused:
        return effort
    place = EFFORTS.index(effort) if effort in EFFORTS else 0
    taken = [n for n, word in enumerate(EFFORTS) if effort_refused(word) not in refused]
    return EFFORTS[min(taken, key=lambda n: abs(n - place))] if taken else effort


def wished_thinking(
    request: Request, model: str, rules: ChatCompletions, *, tags: tuple[str, ...]
) -> Thinking | None:
    """What the caller wishes of a model that has no effort to say it by; None for nothing."""
    effort = request.params.get(_EFFORT)
    if effort is None or not _may_think(tags):
        return None
    words = first_match(rules.efforts, model)
    if words is None or words.get(effort, effort) is not None:
        return None
    return "less" if effort in _LITTLE else "more"


def set_thinking(sent: Json, model: str, rules: ChatCompletions, how: Thinking) -> None:
    """Let the model think less or more, in the provider's own names; None takes a name out."""
    switches = rules.less_thinking if how == "less" else rules.more_thinking
    for name, value in (first_match(switches, model) or NOTHING).items():
        if value is None:
            sent.pop(name, None)
        elif is_mapping(value):
            sent[name] = {**mapping(sent.get(name)), **value}
        else:
            sent[name] = value


def _may_think(tags: tuple[str, ...]) -> bool:
    return not tags or "reasoning" in tags
