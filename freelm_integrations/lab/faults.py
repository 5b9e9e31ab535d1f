"""Scripted faults: what is to go wrong, with which requests, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, get_args

from freelm_integrations.nearest import unknown

RefusalKind = Literal[
    "rate_limited",  # the provider's own 429, with its hints
    "daily_quota",  # the 429 of a day's allowance spent
    "shared_capacity",  # the 429 that is nobody's quota: the model is crowded
    "overloaded",  # 503
    "server_error",  # 500
    "bad_gateway_html",  # 502 with a proxy's page for a body
    "unauthorized",  # the key is refused
    "payment_required",  # 402
    "forbidden_model",  # this key may not use this model
    "model_gone",  # the model was retired
    "malformed",  # 400: the request itself is at fault
    "context_overflow",  # the prompt is longer than the model's context
    "too_large",  # 413, or what stands for it
    "moderated",  # refused for what it says
]
BodyKind = Literal[
    "empty_body",  # 200 and nothing
    "html_200",  # 200 with a page
    "error_in_200",  # 200 with the provider's error for a body
    "whitespace",  # 200 and nothing but padding
    "no_choices",  # 200 with an empty list of choices
    "empty_answer",  # a well-formed answer that says nothing
    "tool_failed",  # a tool call that does not parse, or the provider's refusal of one
    "thinking_only",  # all of the answer's room spent on reasoning
]
WireKind = Literal[
    "refuse",  # the connection is reset as soon as it is made
    "hang",  # the request is read, never answered
    "hang_after_headers",  # a 200 whose body never begins
    "reset_before_headers",  # the connection is reset in place of an answer
]
CutKind = Literal[
    "reset",  # the connection is reset in mid-answer, once what was said has reached the client
    "cut",  # the answer ends early, the HTTP message itself is complete
    "truncated",  # the connection is closed in mid-message
    "stall",  # silence in mid-answer
    "stop_and_go",  # silence in mid-answer for a while, then the rest of it
    "error_event",  # the provider's own error in mid-stream
    "garbage",  # bytes that are no answer
    "keepalives",  # comments (or padding) for ever
    "trickle",  # the rest comes one byte a second
]
FaultKind = Literal[RefusalKind, BodyKind, WireKind, CutKind]

REFUSALS: frozenset[str] = frozenset(get_args(RefusalKind))
BODIES: frozenset[str] = frozenset(get_args(BodyKind))
WIRES: frozenset[str] = frozenset(get_args(WireKind))
CUTS: frozenset[str] = frozenset(get_args(CutKind))
KINDS = REFUSALS | BODIES | WIRES | CUTS


@dataclass(frozen=True)
class LabFault:
    """One scripted fault.

    Args:
        kind: What goes wrong.
        times: How many requests it strikes; None for all until `LabProvider.heal`.
        after: For faults in mid-answer: pieces of text or tool calls sent before it; None for none.
        key: Index of the only key it strikes, or that key; None for any.
        model: The only model it strikes; None for any.
        path: `chat`, `embeddings`, `models` or `key`; None for any.
        retry_after: Seconds the provider asks to wait; None for its usual figure.
        at: For faults in mid-stream: characters of text sent before it, in place of `after`.
        pause: For `stop_and_go`: seconds of silence.
    """

    kind: FaultKind
    times: int | None = 1
    after: int | None = None
    key: int | str | None = None
    model: str | None = None
    path: str | None = "chat"
    retry_after: float | None = None
    at: int | None = None
    pause: float = 1.0

    def strikes(self, path: str | None, key: int | None, model: str | None) -> bool:
        """Whether a request to this path with this key and model is meant."""
        wanted = ((self.path, path), (self.key, key), (self.model, model))
        return all(want is None or want == got for want, got in wanted)


class FaultQueue:
    """The faults still to come, first scripted first struck. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[LabFault, int | None]] = []

    def add(self, fault: LabFault) -> None:
        """Script one more."""
        if fault.kind not in KINDS:
            raise ValueError(unknown("fault", fault.kind, sorted(KINDS)))
        if fault.kind in CUTS | {
            "empty_answer",
            "thinking_only",
            "tool_failed",
        } and fault.path not in (
            "chat",
            None,
        ):
            raise ValueError(
                f"{fault.kind} spoils a chat's answer: it cannot strike {fault.path!r}"
            )
        if fault.times is not None and fault.times < 1:
            raise ValueError(
                f"a fault strikes once at least, not {fault.times} times: None is for ever"
            )
        with self._lock:
            self._waiting.append((fault, fault.times))

    def clear(self) -> None:
        """Forget all that are still to come."""
        with self._lock:
            self._waiting.clear()

    def peek(self, path: str | None, key: int | None, model: str | None) -> LabFault | None:
        """The fault that strikes this request, not yet counted."""
        with self._lock:
            faults = (fault for fault, _ in self._waiting)
            return next((fault for fault in faults if fault.strikes(path, key, model)), None)

    def refuses(self) -> LabFault | None:
        """The fault that resets the very next connection, if that is what comes first."""
        with self._lock:
            first = self._waiting[0][0] if self._waiting else None
        return first if first is not None and first.kind == "refuse" else None

    def spend(self, fault: LabFault) -> None:
        """Count that a fault has struck."""
        with self._lock:
            for place, (waiting, left) in enumerate(self._waiting):
                if waiting is fault:
                    self._count(place, fault, left)
                    return

    def _count(self, place: int, fault: LabFault, left: int | None) -> None:
        if left is None:
            return
        if left <= 1:
            del self._waiting[place]
        else:
            self._waiting[place] = (fault, left - 1)
