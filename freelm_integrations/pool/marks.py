"""What is learned of a route's records, as marks that all who share a ledger read, and back.

Rules:
- Moments travel as UTC; `behind` is what to add to them for those of the call's clock.
- A rest is believed of whoever tells of one, and is only made longer. A breaker opens and closes
  with the others'. Latencies are taken over where nothing is known yet.
- A retired key is asked again after `RETIRED_FOR`, by whoever has not seen it refused himself: what
  was mended at the provider's comes back at the cost of one refusal. `Pool.readmit` is quicker.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, cast

from freelm_integrations.pool.ledger.claim import Mark
from freelm_integrations.pool.ledger.windows import window_id
from freelm_integrations.pool.verdicts import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freelm_integrations.pool.breaker import Breaker
    from freelm_integrations.pool.pace import Pacing
    from freelm_integrations.pool.scopes import KeyState, ModelState, Rest, RouteState
    from freelm_integrations.pool.view import Route
    from freelm_integrations.wire.faults import FaultKind

KEY = 2
"""The key's place among a route's subjects and rests: see `RouteState.rests`."""
MODEL = 3
NARROW = (1, KEY, 4)
"""The places of those that not all routes of a model have in common."""
RETIRED_FOR = 86_400.0
"""Seconds for which a refused key is left alone by those who only heard of it."""
REMEMBERED_FOR = 86_400.0
"""Seconds after a rest, or a breaker's backoff, for which it is known that it was not the first."""
REFUSED_FOR = 7 * 86_400.0
"""Seconds after which a parameter that was refused may be tried again."""
PACE_FOR = 7 * 86_400.0
"""Seconds for which a latency tells something."""
PACE_TELLING = 0.25
"""The share by which a latency must have moved to be worth telling."""


class Standing(NamedTuple):
    """What could be told of a route's records, to be compared before and after."""

    rests: tuple[tuple[float, int], ...]
    retired: FaultKind | None
    retry_at: float | None


def subjects_of(route: Route) -> tuple[str, ...]:
    """What its records are called in a ledger, in the order of `RouteState.rests`."""
    account, model = route.key.account, route.model.id
    return (
        "provider",
        window_id("account", account),
        key_subject(route.key.fingerprint),
        *model_subjects(account, model),
    )


def key_subject(fingerprint: str) -> str:
    """What a key is called in a ledger."""
    return window_id("key", fingerprint)


def model_subjects(account: str, model: str) -> tuple[str, str]:
    """What a model is called, whatever the key and for an account."""
    return window_id("model", model), window_id("route", account, model)


def is_sound(state: RouteState) -> bool:
    """Whether nothing is held against it that a success could mend."""
    if not state.key.breaker.is_closed:
        return False
    return not any([rest.strikes for rest in state.rests])  # noqa: C419 - quicker so


def standing(state: RouteState) -> Standing:
    """How its records stand."""
    rests = tuple([(rest.until, rest.strikes) for rest in state.rests])
    return Standing(rests, state.key.retired, state.key.breaker.retry_at)


def changes(state: RouteState, before: Standing, *, utc: float, behind: float) -> Iterator[Mark]:
    """Marks for what has changed since."""
    for subject, rest, (until, strikes) in zip(
        state.subjects, state.rests, before.rests, strict=True
    ):
        if rest.until > until:
            yield rest_mark(subject, rest, behind=behind)
        elif rest.strikes < strikes:
            yield Mark(subject, "rest", None, utc + REMEMBERED_FOR)
    key, subject = state.key, state.subjects[KEY]
    if key.retired is not None and before.retired is None:
        until = utc + RETIRED_FOR
        yield Mark(subject, "retired", key.retired, until, rests_until=until)
    if key.breaker.retry_at != before.retry_at:
        yield breaker_mark(subject, key.breaker, utc=utc, behind=behind)


def rest_mark(subject: str, rest: Rest, *, behind: float) -> Mark:
    """That it rests: why, and for the how manieth time."""
    until = rest.until - behind
    value = json.dumps([rest.kind, rest.strikes])
    return Mark(subject, "rest", value, until + REMEMBERED_FOR, rests_until=until)


def breaker_mark(subject: str, breaker: Breaker, *, utc: float, behind: float) -> Mark:
    """That it is open, or that it closed."""
    if breaker.retry_at is None:
        return Mark(subject, "breaker", None, utc + REMEMBERED_FOR)
    until = breaker.retry_at - behind
    return Mark(
        subject,
        "breaker",
        str(breaker.openings),
        until + REMEMBERED_FOR,
        rests_until=until,
        needs_probe=True,
    )


def readmitted(subject: str, utc: float) -> tuple[Mark, ...]:
    """That nothing is held against a key any more."""
    until = utc + REMEMBERED_FOR
    return (
        Mark(subject, "retired", None, until),
        Mark(subject, "rest", None, until),
        Mark(subject, "breaker", None, until),
    )


def refused_mark(subject: str, refused: frozenset[str], utc: float) -> Mark:
    """Which parameters a model refuses."""
    return Mark(subject, "refused", json.dumps(sorted(refused)), utc + REFUSED_FOR)


def pace_mark(subject: str, pacing: Pacing, utc: float) -> Mark:
    """How quick a route is."""
    paces = json.dumps([pacing.first, pacing.whole, pacing.gap])
    return Mark(subject, "latency", paces, utc + PACE_FOR)


def has_moved(told: float | None, known: float | None) -> bool:
    """Whether a latency is worth telling again."""
    if told is None or known is None:
        return told is not known
    return abs(known - told) > PACE_TELLING * told


# ---------------------------------------------------------------------- back


def heed_rest(rest: Rest, mark: Mark, *, behind: float) -> None:
    """Rest as long as others found it must."""
    if mark.value is None:
        rest.end()
        return
    kind, strikes = cast("tuple[str, int]", json.loads(mark.value))
    rest.strikes = max(rest.strikes, strikes)
    until = mark.rests_until + behind
    if until > rest.until and kind in VERDICTS:
        rest.until, rest.kind = until, cast("FaultKind", kind)


def heed_key(key: KeyState, mark: Mark, *, behind: float) -> None:
    """Leave a key alone that others saw refused, or no more; open and close with their breaker."""
    if mark.fact == "breaker":
        if mark.value is None:
            key.breaker.alive(is_probe=False)
        else:
            key.breaker.told(mark.rests_until + behind, int(mark.value))
    elif mark.value is None:
        key.retired = None
    elif key.retired is None and mark.value in VERDICTS:
        key.retired = cast("FaultKind", mark.value)


def heed_refused(model: ModelState, mark: Mark) -> None:
    """Leave out what others saw refused."""
    if mark.value is not None:
        model.refused |= set(cast("list[str]", json.loads(mark.value)))


def heed_pace(pacing: Pacing, mark: Mark) -> None:
    """Take over what is not known yet."""
    if mark.value is None:
        return
    first, whole, gap = cast("tuple[float | None, ...]", json.loads(mark.value))
    pacing.first = first if pacing.first is None else pacing.first
    pacing.whole = whole if pacing.whole is None else pacing.whole
    pacing.gap = gap if pacing.gap is None else pacing.gap
