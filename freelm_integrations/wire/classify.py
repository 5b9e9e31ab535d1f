"""A refusal becomes a fault: its kind and scope by the rulebook, its wait by the hints, its words made fit to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.hints import retry_after
from freelm_integrations.wire.parameters import can_be_dropped, named_parameter
from freelm_integrations.wire.redaction import shown
from freelm_integrations.wire.rulebook import RULES, Rule

if TYPE_CHECKING:
    from freelm_integrations.wire.complaints import Complaint
    from freelm_integrations.wire.faults import FaultKind
    from freelm_integrations.wire.openai import ChatCompletions

# Other faults do not pass with time, whatever wait is named beside them.
_PASSING: frozenset[FaultKind] = frozenset(
    {"throttled", "overloaded", "server_error", "timeout", "unpaid", "blocked", "forbidden"}
)
# Kinds that a named parameter explains better than the status does.
_VAGUE: frozenset[FaultKind] = frozenset({"malformed", "unsupported"})
_FALLBACK = Rule("server_error")


def classify(said: Complaint, rules: ChatCompletions, *, utc: float | None) -> Fault:
    """What a refusal means; `utc` (epoch seconds) is None where only lengths of time can be told."""
    if _allows_nothing(said):
        return _fault("not_on_plan", said, Rule("not_on_plan", "route"), rules, utc)
    found = next((r for r in (*rules.fault_rules, *RULES) if r.fits(said)), _FALLBACK)
    if found.kind in _VAGUE and (parameter := named_parameter(said)) is not None:
        return _refused_parameter(parameter, said, found)
    return _fault(found.kind, said, found, rules, utc)


def _fault(
    kind: FaultKind, said: Complaint, found: Rule, rules: ChatCompletions, utc: float | None
) -> Fault:
    scope = found.scope
    wait: float | None = None
    if kind == "throttled" and scope is None:
        scope = rules.quota_scope
    if kind in _PASSING:
        prose = said.text
        wait = retry_after(said.headers, said.data, prose, utc=utc, day_zone=rules.day_zone)
        wait = found.retry_after if wait is None else wait
    return Fault(
        kind=kind, scope=scope, retry_after=wait, status=said.status, message=shown(said.message)
    )


def _refused_parameter(parameter: str, said: Complaint, found: Rule) -> Fault:
    kind: FaultKind = "bad_parameter" if can_be_dropped(parameter) else "unsupported"
    if kind == "unsupported" and found.kind == "malformed" and parameter.startswith("messages"):
        kind = "malformed"
    return Fault(
        kind=kind,
        scope="route" if kind != "malformed" else found.scope,
        status=said.status,
        message=shown(said.message),
        parameter=parameter if kind == "bad_parameter" else None,
    )


def _allows_nothing(said: Complaint) -> bool:
    """Whether a 429 comes with a limit of zero: waiting never helps then (Mistral's free keys since 2026-09)."""
    return said.status == 429 and any(
        value.strip() == "0" for name, value in said.headers.items() if _is_limit(name)
    )


def _is_limit(name: str) -> bool:
    return name.startswith(
        ("x-ratelimit-limit", "x-ratelimitbysize-limit", "ratelimitbysize-limit")
    )
