"""The chat-completions dialect that all our providers speak, each with an accent of its own.

`ChatCompletions` declares the accent as data; what is done with it stands in `encode`, `messages`, `decode`, `classify` and
`hints`. Nothing of a request but its wire form is ever changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from freelm_integrations.wire.classify import classify
from freelm_integrations.wire.complaints import complaint
from freelm_integrations.wire.decode import BodyDecoder, StreamDecoder
from freelm_integrations.wire.encode import body_of
from freelm_integrations.wire.hints import readings
from freelm_integrations.wire.schemas import ANY_SCHEMA, SchemaRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import FinishReason, Json, Request
    from freelm_integrations.wire.faults import Fault, Scope
    from freelm_integrations.wire.hints import Reading
    from freelm_integrations.wire.rulebook import Rule

EVERY_ROLE = frozenset({"system", "user", "assistant", "tool"})
MESSAGE_FIELDS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletions:
    """How one provider speaks chat completions; with no argument, plainly. Immutable, safe from any thread.

    Where a field is keyed by model, the key is a part of the model's id and the first match counts; "" matches all.

    Parameters
        renames: what OpenAI's parameters are called here (`{"seed": "random_seed"}`).
        allowed: the only parameters sent, by OpenAI's names; None for all.
        denied: parameters never sent, by OpenAI's names (`stream_options` is one of them).
        ranges: smallest and largest value taken; others are moved to the nearest.
        defaults: parameters sent where the caller says nothing.
        by_model: the same for some models.
        output_default: output tokens asked for where the caller says nothing, because the provider's own default is
            harmful; `thinking_default` the same for models tagged `reasoning`.
        efforts: `reasoning_effort` as each model takes it, None for leaving it out (`{"gpt-oss": {"none": "low"}}`).

    Tools and formats
        forced_choice: the word that forces some tool call.
        named_choice: whether one tool can be forced by name; otherwise it is sent alone, and forced.
        tool_id: the shape tool ids must have; `alnum9` hashes others, alike in calls and results, on the wire only.
        strict_tools: whether `strict` goes with a function.
        format_with_tools: whether `response_format` may stand beside tools; if not, it is left out.
        json_word: whether the prompt must say JSON where JSON is asked for.
        schema: what tool and answer schemas may hold.

    Messages
        message_fields: the fields a message may have.
        named_roles: the roles whose messages may have a `name`.
        developer_role: whether it is known; it becomes `system` otherwise.
        system_place: where system messages may stand: `anywhere`, `not_after_answer` (not after an assistant or a tool)
            or `first`; elsewhere they are sent as the user's.
        content_beside_calls: an assistant's missing content beside tool calls: `null`, `empty` or `omit`.
        bridge: what the assistant is made to say between a tool's result and a user message; None for nothing.
        text_parts: whether text-only content may stay a list of parts.
        image_url: `object` for `{"url": ...}`, `string` for the bare address.
        prefix_flag: the field that marks a trailing assistant message as the beginning of the answer.

    Extras (what only their maker understands: signatures, reasoning details)
        extra_key: this provider's name in `extra_content`; only that part is ever sent back.
        extra_fields: reply and message fields kept under that name and sent back flat, to the same model only; empty
            where the provider uses `extra_content` itself.
        signature: stand-in for a missing thought signature, for models in `signed_models`.

    Answers
        stream_options: whether usage must be asked for in streams.
        sends_done: whether a whole stream ends in a finish reason or `[DONE]`; False takes any end for a whole answer.
        calls_may_end: whether a stream that ends without either counts as whole after tool calls that are whole.
        think_tags: the tag that wraps thinking at the beginning of an answer, by model (`{"minimax": "think"}`).
        finish_words: finish reasons of its own.

    Faults
        quota_scope: what a quota counts for where the words do not say; `day_zone` is where its day begins.
        windows: the lengths (s) of the windows its bare `x-ratelimit-*-requests` and `-tokens` headers are about.
        fault_rules: tried before the general ones.
    """

    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    allowed: frozenset[str] | None = None
    denied: frozenset[str] = frozenset()
    ranges: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, "tuple[float, float]"]
    )
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by_model: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict[str, "Mapping[str, Any]"]
    )
    output_default: int | None = None
    thinking_default: int | None = None
    efforts: Mapping[str, Mapping[str, str | None]] = field(
        default_factory=dict[str, "Mapping[str, str | None]"]
    )

    forced_choice: str = "required"
    named_choice: bool = True
    tool_id: Literal["any", "alnum9"] = "any"
    strict_tools: bool = True
    format_with_tools: bool = True
    json_word: bool = False
    schema: SchemaRules = ANY_SCHEMA

    message_fields: frozenset[str] = MESSAGE_FIELDS
    named_roles: frozenset[str] = EVERY_ROLE
    developer_role: bool = False
    system_place: Literal["anywhere", "not_after_answer", "first"] = "anywhere"
    content_beside_calls: Literal["null", "empty", "omit"] = "null"
    bridge: str | None = None
    text_parts: bool = False
    image_url: Literal["object", "string"] = "object"
    prefix_flag: str | None = None

    extra_key: str | None = None
    extra_fields: frozenset[str] = frozenset()
    signature: Json | None = None
    signed_models: tuple[str, ...] = ()

    stream_options: bool = True
    sends_done: bool = True
    calls_may_end: bool = False
    think_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    finish_words: Mapping[str, FinishReason] = field(default_factory=dict[str, "FinishReason"])

    quota_scope: Scope | None = None
    day_zone: Literal["UTC", "America/Los_Angeles"] = "UTC"
    windows: Mapping[str, float] = field(default_factory=dict[str, float])
    fault_rules: tuple[Rule, ...] = ()

    def encode(
        self,
        request: Request,
        model: str,
        *,
        tags: tuple[str, ...] = (),
        dropped: frozenset[str] = frozenset(),
    ) -> bytes:
        """The body to send; `dropped` are parameters this model was seen to refuse (`Fault.parameter`)."""
        return body_of(request, model, rules=self, tags=tags, dropped=dropped)

    def decoder(self, request: Request, model: str) -> StreamDecoder | BodyDecoder:
        """A fresh decoder for the answer to that request."""
        kind = StreamDecoder if request.streaming else BodyDecoder
        return kind(self, request, model)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes, *, utc: float) -> Fault:
        """What a refusal means; `utc` is now in epoch seconds, for limits that end at a calendar moment."""
        return classify(complaint(status, headers, body), self, utc=utc)

    def readings(self, headers: Mapping[str, str], *, utc: float) -> tuple[Reading, ...]:
        """What rate-limit headers tell of the windows, in any answer."""
        return readings(headers, utc=utc, windows=self.windows)
