"""How a call ends when nobody answered: which error fits, and what it says of every provider."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from freelm_integrations.chat import fault_words
from freelm_integrations.errors import (
    ContextOverflow,
    FreeLLMError,
    NoRouteAnswered,
    RequestRejected,
)
from freelm_integrations.pool.verdicts import VERDICTS

if TYPE_CHECKING:
    from freelm_integrations.chat import AttemptRecord
    from freelm_integrations.pool.view import RouteView
    from freelm_integrations.wire.faults import FaultKind

TOO_LONG = frozenset({"too_long", "too_large"})
TOO_SHORT = "too short for about"
"""What is said of models that are left out for the prompt's length."""
GONE = frozenset({"model_gone", "not_on_plan", "forbidden"})
"""What a key has no model for says nothing about the prompt."""
LOCKED = frozenset({"unauthorized", "retired", "unpaid", "blocked"})
"""Neither does what a person must mend; until then a shorter prompt is served by others."""
AT_ONCE = 0.5
"""Seconds that are not worth telling: they would be shown as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a flight knows when it gives up; `ready_after` is seconds, None for never."""

    records: tuple[AttemptRecord, ...]
    left_out: tuple[tuple[str, str, str], ...]
    views: tuple[RouteView, ...]
    ready_after: float | None
    is_out_of_time: bool
    is_out_of_attempts: bool
    timeout: float


def error_for(summary: Summary, *, utc: float) -> FreeLLMError:
    """The exception that fits: the request's fault, the prompt's length, or nobody free."""
    kinds = {record.kind for record in summary.records}
    lines = "".join(f"\n  {line}" for line in describe(summary))
    if _is_too_long_for_all(summary, kinds):
        return ContextOverflow(
            "the prompt is too long for every candidate:" + lines, attempts=summary.records
        )
    if kinds and all(_blames_request(kind) for kind in kinds):
        return rejected(summary.records)
    ready_at = None if summary.ready_after is None else utc + summary.ready_after
    return NoRouteAnswered(
        _headline(summary) + lines,
        attempts=summary.records,
        next_ready_at=ready_at,
        resting=(view.resting for view in summary.views if view.resting is not None),
        is_out_of_time=summary.is_out_of_time,
    )


def _is_too_long_for_all(summary: Summary, kinds: set[str | None]) -> bool:
    """Whether nobody has room; one that only rests might, and one that is gone is no candidate."""
    if summary.is_out_of_time:
        return False
    if _some_for_length(summary) and kinds <= TOO_LONG | GONE | LOCKED:
        return not _some_may_come(summary, besides=GONE | LOCKED, untried=not kinds)
    if not kinds & TOO_LONG or not kinds <= TOO_LONG | GONE:
        return False
    return not _some_may_come(summary, besides=GONE)


def _some_may_come(summary: Summary, *, besides: frozenset[str], untried: bool = False) -> bool:
    """Whether somebody who was not asked is only resting; `untried`: or was not even that."""
    tried = {(record.provider, record.model) for record in summary.records}
    return any(
        (untried if view.resting is None else view.resting not in besides)
        and view.ready_at < math.inf
        and (view.route.provider.name, view.route.model.id) not in tried
        for view in summary.views
    )


def rejected(records: tuple[AttemptRecord, ...]) -> RequestRejected:
    """The request is the caller's to mend: say what the providers said of it."""
    blamed = [record for record in records if _blames_request(record.kind)]
    said = "".join(
        f"\n  {record.provider} ({record.model}): {record.status} {record.message}"
        for record in blamed
    )
    return RequestRejected("the request itself was rejected:" + said, attempts=records)


def _blames_request(kind: str | None) -> bool:
    verdict = VERDICTS.get(cast("FaultKind", kind))  # there is none for who was merely outpaced
    return verdict is not None and verdict.blames_request


def _some_for_length(summary: Summary) -> bool:
    """Whether somebody was left out only for the prompt's length: a shorter one would be served.

    Others may be left out for whatever else, as those that cost money: that is told as well.
    """
    return any(TOO_SHORT in why for _, _, why in summary.left_out)


def _headline(summary: Summary) -> str:
    if not (summary.records or summary.views or summary.left_out):
        return "no route is known: no provider gave its list of models"
    return f"{_what_ended(summary)}{_comeback(summary.ready_after)}:"


def _what_ended(summary: Summary) -> str:
    count = len(summary.records)
    tries = "1 attempt" if count == 1 else f"{count} attempts"
    if summary.is_out_of_time:
        return f"no route answered within {summary.timeout:g} s ({tries})"
    if summary.is_out_of_attempts:
        return f"no route answered ({tries}, the most one call may make)"
    if not (count or summary.views) and summary.ready_after is None:
        return "nobody can serve this request"
    return f"no route answered ({tries})" if count else "no route is free to answer"


def _comeback(ready_after: float | None) -> str:
    if ready_after is None:
        return ""
    if ready_after < AT_ONCE:
        return "; some could be tried again now"
    return f"; the first is expected back in {math.ceil(ready_after)} s"


def describe(summary: Summary) -> list[str]:
    """A line for every provider.

    What was tried, what rests and until when, what was left out and why.
    """
    lines: dict[str, list[str]] = {}
    for record in summary.records:
        words = fault_words(record.kind or "", record.status)
        said = f": {record.message}" if record.message else ""
        lines.setdefault(record.provider, []).append(f"{record.model} {words}{said}")
    tried = {(record.provider, record.model, record.key) for record in summary.records}
    for (provider, why), count in _resting(summary, tried).items():
        lines.setdefault(provider, []).append(f"{count} resting ({why})")
    for (provider, why), count in Counter((who, why) for who, _, why in summary.left_out).items():
        lines.setdefault(provider, []).append(f"{count} left out ({why})")
    return [f"{provider}: {'; '.join(parts)}" for provider, parts in lines.items()]


def _resting(summary: Summary, tried: set[tuple[str, str, str]]) -> Counter[tuple[str, str]]:
    """How many routes of each provider were not asked because they rest, by reason."""
    return Counter(
        (view.route.provider.name, fault_words(view.resting))
        for view in summary.views
        if view.resting is not None
        and (view.route.provider.name, view.route.model.id, view.route.key.fingerprint) not in tried
    )
