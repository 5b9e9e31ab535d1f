"""A refusal becomes a fault.

Its kind and scope come from the rulebook, its wait from the hints, its words are made fit to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.hints import retry_after
from freelm_integrations.wire.refusals.limits import allows_nothing, limits_in
from freelm_integrations.wire.refusals.overflow import overflow_in
from freelm_integrations.wire.refusals.redaction import LONGEST, shown
from freelm_integrations.wire.refusals.rulebook import OWN_CAPS, RULES, Rule
from freelm_integrations.wire.requests.parameters import can_be_dropped, named_parameter

if TYPE_CHECKING:
    from freelm_integrations.wire.faults import FaultKind, Scope
    from freelm_integrations.wire.openai import ChatCompletions
    from freelm_integrations.wire.refusals.complaints import Complaint
    from freelm_integrations.wire.refusals.hints import Reading

# Other faults do not pass with time, whatever wait is named beside them.
_PASSING: frozenset[FaultKind] = frozenset(
    {"throttled", "overloaded", "server_error", "timeout", "unpaid", "blocked", "forbidden"}
)
# What speaks of limits.
_COUNTED: frozenset[FaultKind] = frozenset({"throttled", "too_large"})
_FALLBACK = Rule("server_error")
# Of a host behind a router: its quota, its key and its money are not ours, and there are others.
_THEIRS: frozenset[FaultKind] = frozenset(
    {"throttled", "unpaid", "unauthorized", "forbidden", "not_on_plan"}
)
_WIDE: frozenset[Scope | None] = frozenset({"key", "account", "provider"})
_NO_ALLOWANCE = Rule("not_on_plan", "route")
_TOO_MANY = 429


def classify(said: Complaint, rules: ChatCompletions, *, utc: float | None) -> Fault:
    """What a refusal means; `utc` (epoch seconds) is None where no calendar can be consulted."""
    found = _found(said, rules)
    # A named parameter explains better than the status does what is wrong with a request.
    if found.kind == "malformed" and (parameter := named_parameter(said)) is not None:
        return _refused_parameter(parameter, said, found)
    if found.kind == "throttled":
        found = _with_defaults(found, rules)
    wait: float | None = None
    if found.kind in _PASSING:
        wait = retry_after(said.headers, said.data, said.naming, utc=utc, day_zone=rules.day_zone)
        wait = found.retry_after if wait is None else wait
    return Fault(
        kind=found.kind,
        scope=found.scope,
        retry_after=wait,
        status=said.status,
        message=_message(said, found),
        limits=_limits(said, wait, utc) if found.kind in _COUNTED else (),
        request_id=said.request_id,
        overflow=overflow_in(said.data, said.text) if found.kind == "too_long" else None,
    )


def _with_defaults(found: Rule, rules: ChatCompletions) -> Rule:
    """What a quota applies to, and for how long it is used up, where the refusal does not say."""
    scope = rules.quota_scope if found.scope is None else found.scope
    wait = rules.quota_wait if found.retry_after is None else found.retry_after
    return found._replace(scope=scope, retry_after=wait)


def _limits(said: Complaint, wait: float | None, utc: float | None) -> tuple[Reading, ...]:
    """The limits it names; how soon to come back is when there is room again."""
    return tuple(
        limit if limit.remaining is None else limit._replace(resets_after=wait)
        for limit in limits_in(said.data, said.text, utc=utc)
    )


def _message(said: Complaint, found: Rule) -> str:
    if not found.note:
        return shown(said.message)
    note = f" ({found.note})"
    return shown(said.message, longest=LONGEST - len(note)) + note


def _found(said: Complaint, rules: ChatCompletions) -> Rule:
    if _allows_nothing(said):
        return _NO_ALLOWANCE
    found = next((rule for rule in (*rules.fault_rules, *RULES) if rule.fits(said)), _FALLBACK)
    return _of_a_host(found) if said.is_relayed and found not in OWN_CAPS else found


def _of_a_host(found: Rule) -> Rule:
    """What it means of who was asked: what one host says reaches no further than its model."""
    if found.kind in _THEIRS:
        return found._replace(kind="overloaded", scope="model", retry_after=None, note="")
    return found._replace(scope="model") if found.scope in _WIDE else found


def _refused_parameter(parameter: str, said: Complaint, found: Rule) -> Fault:
    """What the refusal of one parameter means: it is left out, if the request survives that."""
    if can_be_dropped(parameter):
        kind: FaultKind = "bad_parameter"
    else:
        kind = "malformed" if parameter.startswith("messages") else "unsupported"
    return Fault(
        kind=kind,
        scope=found.scope if kind == "malformed" else "route",
        status=said.status,
        message=shown(said.message),
        parameter=parameter if kind == "bad_parameter" else None,
        request_id=said.request_id,
    )


def _allows_nothing(said: Complaint) -> bool:
    """Whether a 429 states a limit of zero (Mistral's free keys, 2026-09): waiting never helps."""
    if said.status != _TOO_MANY:
        return False
    zeros = (value.strip() == "0" for name, value in said.headers.items() if _is_limit(name))
    return any(zeros) or allows_nothing(said.data)


def _is_limit(name: str) -> bool:
    name = name.replace("rate-limit", "ratelimit")
    return "ratelimit" in name and "-limit" in name
