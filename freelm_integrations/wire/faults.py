"""What went wrong, as a value.

(status, headers, body), an error inside a stream or a transport error -> `Fault`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from freelm_integrations.wire.refusals.hints import Reading
    from freelm_integrations.wire.refusals.overflow import Overflow

Scope = Literal["call", "route", "model", "key", "account", "provider"]
FaultKind = Literal[
    "throttled",  # a quota of ours is used up for now (429)
    "overloaded",  # the provider's capacity is, whatever ours (503, 529, queue full, upstream 429)
    "server_error",  # 500, 502 and the like
    "timeout",  # silent for longer than an attempt may be
    "unreachable",  # no connection could be made
    "broken",  # the connection or its framing broke, before anything was said
    "cut",  # an answer that stops without its proper end
    "empty",  # a 200 that says nothing: no choices, no text
    "only_thinking",  # a 200 that ends before its model has done with thinking
    "cramped",  # it lacked the room that we had left it, less than its provider's default
    "astray",  # asked to carry a cut text on, it began another
    "unauthorized",  # the key is not valid
    "unpaid",  # the key has no credit
    "forbidden",  # the key may not do this, and nothing says more
    "blocked",  # the provider serves nobody from here: region, user agent
    "model_gone",  # the model does not exist (any more)
    "not_on_plan",  # the model exists, but not for this key
    "unsupported",  # this model cannot do what the request needs
    "tool_failed",  # the model wrote a tool call or JSON that does not parse or fit
    "bad_parameter",  # one named parameter is refused: `parameter` holds it
    "too_large",  # the request alone is larger than the model's minute window
    "too_long",  # the prompt is longer than the model's context
    "moderated",  # the request was judged, not the route
    "malformed",  # the request is wrong, says the provider
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A classified failure.

    `scope` is what the server's words apply to (None: the verdict table's default for the kind),
    `retry_after` what it promised in seconds (None: nothing, 0: now), `message` the server's words,
    shortened and without secrets. `parameter` may name several, with commas between them, and names
    a field of messages as `messages.<field>`. `lacked_room` says that the output limit ended an
    answer before it had any content. `limits` are what the words tell of the windows. `request_id`
    is the server's own name for the request, which its support asks for. `overflow` is what a
    refusal for length says of the context and the prompt.
    """

    kind: FaultKind
    scope: Scope | None = None
    retry_after: float | None = None
    status: int | None = None
    message: str = ""
    parameter: str | None = None
    lacked_room: bool = False
    limits: tuple[Reading, ...] = ()
    request_id: str | None = None
    overflow: Overflow | None = None
