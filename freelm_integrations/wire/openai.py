"""The chat-completions dialect that all our providers speak, each with an accent of its own.

`ChatCompletions` declares the accent as data; what is done with it stands in `requests`, `answers`
and `refusals`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from freelm_integrations.chat import EmbeddingRequest
from freelm_integrations.wire.answers.decode import BodyDecoder, StreamDecoder
from freelm_integrations.wire.answers.fences import wants_json
from freelm_integrations.wire.embeddings import (
    PLAIN,
    EmbeddingRules,
    VectorDecoder,
    embedding_body,
)
from freelm_integrations.wire.refusals.classify import classify
from freelm_integrations.wire.refusals.complaints import complaint
from freelm_integrations.wire.refusals.hints import readings
from freelm_integrations.wire.requests.encode import body_of
from freelm_integrations.wire.requests.ladder import CalledAnswer
from freelm_integrations.wire.requests.room import default_output
from freelm_integrations.wire.requests.schemas import ANY_SCHEMA, SchemaRules
from freelm_integrations.wire.shapes import first_match

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import FinishReason, Json, Request
    from freelm_integrations.wire.dialect import Continues, Decoder
    from freelm_integrations.wire.faults import Fault, Scope
    from freelm_integrations.wire.refusals.hints import Reading
    from freelm_integrations.wire.refusals.rulebook import Rule

EVERY_ROLE = frozenset({"system", "user", "assistant", "tool"})
MESSAGE_FIELDS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletions:
    """How one provider speaks chat completions; with no argument, plainly.

    Immutable and safe from any thread. A field keyed by model has parts of model ids as keys; the
    first that fits counts, and "" fits all. Names of parameters are OpenAI's own throughout.

    Parameters:
        renames: what OpenAI's parameters are called here (`{"seed": "random_seed"}`).
        allowed: the only ones sent; None for all. `denied`: ones never sent.
        exclusive: which parameter, if sent, rules out which other.
        ranges: the smallest and largest value taken; others are moved to the nearer one.
        defaults: sent where the caller says nothing; `by_model` the same for some models.
        output_default: the output limit sent where the caller gives none, because the provider's
            own is harmful; `thinking_default` the same for models tagged `reasoning`.
        efforts: by model, `reasoning_effort` as it is said here, None for leaving it out.
        less_thinking: by model, what makes it think as little as it can, in the provider's own
            names: objects are merged into the caller's, None takes a name out. Sent after an answer
            of mere thinking, and where little is asked for that `efforts` leave out;
            `more_thinking` where more is.
        greedy_alone: whether `top_p` may not stand beside a temperature of 0.
        quiet_word: by model, the words for the same in the system message.

    Tools and formats:
        forced_choice: the word that forces some tool call.
        named_choice: whether a tool can be forced by name; else it is sent alone, and forced.
        forced_in_words: whether a forced call is asked for in words as well, because servers are
            known that do not heed the choice and do not say so.
        tool_id: the shape of tool ids; `alnum9` hashes others, alike in calls and results.
        strict_tools: whether `strict` goes with a function.
        format_with_tools: whether `response_format` may stand beside tools; else it is left out.
        format_with_images: the same beside images; it is told in words otherwise.
        json_word: whether the prompt must say JSON where JSON is asked for.
        schema: what the schemas of tools and answers may hold.

    Messages:
        message_fields: the fields a message may have.
        named_roles: the roles whose messages may have a `name`.
        developer_role: whether it is known; it becomes `system` otherwise.
        system_place: where system messages may stand: `anywhere`, `not_after_answer` (of an
            assistant or a tool, nor at the end) or `first`, elsewhere they are sent as the user's;
            `gathered`: they all count as the first, and are put there.
        starts_with_user: whether an assistant may not be the first who speaks.
        alternating: parts of the ids of models whose templates take no two messages of one role in
            a row: they are made one.
        ends_with_user: parts of the ids of models that answer a user or a tool alone: an assistant
            who spoke last is told to go on.
        single_calls: parts of the ids of models that take no more than one tool call in a turn.
        empty_content: whether content may be empty; it says so in words otherwise.
        content_beside_calls: what stands for missing content beside tool calls.
        bridge: what the assistant is made to say between a tool's result and the user.
        text_parts: whether text-only content may stay a list of parts.
        image_url: `object` for `{"url": ...}`, `string` for the bare address.
        prefix_flag: the field that makes a trailing assistant message the answer's beginning.
        continuing: by model, how it is known to go on from a trailing assistant message; None for
            not at all.

    Extras, which only their maker understands (signatures, reasoning details):
        extra_key: this provider's name in `extra_content`; only that part is sent back.
        extra_fields: fields kept under that name and sent back flat, to the same model only; empty
            where the provider uses `extra_content` itself.
        thinking_parts: whether thinking stands among the parts of the content; it is kept and put
            back there, for the same model only.
        signature: the stand-in for a missing thought signature, in models of `signed_models`.

    Answers:
        stream_options: whether usage must be asked for in streams.
        sends_done: whether a whole stream has a finish reason or `[DONE]`; if not, any end is one.
        calls_may_end: whether whole tool calls make a stream whole that has neither.
        think_tags: by model, the tag around thinking at the beginning of an answer. Models that are
            named (not by "") may leave out the opening one in answers that are not streamed.
        thinks_aloud: parts of the ids, among those, of models that always think so: in streams too
            what precedes a closing tag alone is thinking, and text is held until that comes.
        finish_words: finish reasons of its own.
        not_answers: by model, in lower case, words that are no answer where they are all of it: a
            guard model's. They are one where the prompt names them all.

    Faults:
        quota_scope: what a quota counts for where the words do not say; `quota_wait` (s) how long
            to leave it alone where nothing tells.
        day_zone: where its quota's day begins, and what its dates mean that name no zone.
        windows: lengths (s) of the windows its bare `x-ratelimit-*-requests` (`-tokens`) mean.
        fault_rules: tried before the general ones.

    Embeddings:
        embeddings: how vectors are asked for; the rest holds for their faults and limits as well.
    """

    renames: Mapping[str, str] = field(default_factory=dict[str, str])
    allowed: frozenset[str] | None = None
    denied: frozenset[str] = frozenset()
    exclusive: Mapping[str, str] = field(default_factory=dict[str, str])
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

    less_thinking: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict[str, "Mapping[str, Any]"]
    )
    more_thinking: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict[str, "Mapping[str, Any]"]
    )
    quiet_word: Mapping[str, str] = field(default_factory=dict[str, str])

    greedy_alone: bool = False

    forced_choice: str = "required"
    named_choice: bool = True
    forced_in_words: bool = False
    tool_id: Literal["any", "alnum9"] = "any"
    strict_tools: bool = True
    format_with_tools: bool = True
    format_with_images: bool = True
    json_word: bool = False
    schema: SchemaRules = ANY_SCHEMA

    message_fields: frozenset[str] = MESSAGE_FIELDS
    named_roles: frozenset[str] = EVERY_ROLE
    developer_role: bool = False
    system_place: Literal["anywhere", "not_after_answer", "first", "gathered"] = "anywhere"
    starts_with_user: bool = False
    alternating: tuple[str, ...] = ()
    ends_with_user: tuple[str, ...] = ()
    single_calls: tuple[str, ...] = ()
    empty_content: bool = True
    content_beside_calls: Literal["null", "empty", "omit"] = "null"
    bridge: str | None = None
    text_parts: bool = False
    image_url: Literal["object", "string"] = "object"
    prefix_flag: str | None = None
    continuing: Mapping[str, Continues | None] = field(
        default_factory=dict[str, "Continues | None"]
    )

    extra_key: str | None = None
    extra_fields: frozenset[str] = frozenset()
    thinking_parts: bool = False
    signature: Json | None = None
    signed_models: tuple[str, ...] = ()

    stream_options: bool = True
    sends_done: bool = True
    calls_may_end: bool = False
    think_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    thinks_aloud: tuple[str, ...] = ()
    finish_words: Mapping[str, FinishReason] = field(default_factory=dict[str, "FinishReason"])
    not_answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])

    quota_scope: Scope | None = None
    quota_wait: float | None = None
    day_zone: Literal["UTC", "America/Los_Angeles", "Asia/Shanghai"] = "UTC"
    windows: Mapping[str, float] = field(default_factory=dict[str, float])
    fault_rules: tuple[Rule, ...] = ()

    embeddings: EmbeddingRules = PLAIN

    @property
    def nests_extras(self) -> bool:
        """Whether what only this provider understands goes back as `extra_content`."""
        return self.extra_key is not None and not (self.extra_fields or self.thinking_parts)

    def encode(
        self,
        request: Request,
        model: str,
        *,
        tags: tuple[str, ...] = (),
        dropped: frozenset[str] = frozenset(),
        output: int | None = None,
        roomier: bool = False,
        room: int | None = None,
    ) -> bytes:
        """The body to send; see `Dialect.encode`.

        Raises:
            TypeError: something in the request has no form in JSON.
            ValueError: so has a number in it (nan or inf).
        """
        if isinstance(request, EmbeddingRequest):
            return embedding_body(request, model, self.embeddings, tags=tags, dropped=dropped)
        return body_of(
            request,
            model,
            rules=self,
            tags=tags,
            dropped=dropped,
            output=output,
            roomier=roomier,
            room=room,
        )

    def default_output(self, tags: tuple[str, ...], output: int | None) -> int | None:
        """The output limit sent where the caller gives none; see `Dialect.default_output`."""
        return default_output(self, tags, output)

    def continues(self, model: str) -> Continues | None:
        """How the model goes on from a trailing assistant message; None where it may not."""
        return first_match(self.continuing, model)

    def decoder(self, request: Request, model: str) -> Decoder:
        """A fresh decoder for the answer to that request."""
        if isinstance(request, EmbeddingRequest):
            return VectorDecoder(self, request)
        kind = StreamDecoder if request.streaming else BodyDecoder
        decoder = kind(self, request, model)
        return CalledAnswer(decoder) if wants_json(request) and not request.tools else decoder

    def fault(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        utc: float,
        request: Request | None = None,
    ) -> Fault:
        """What a refusal means; see `Dialect.fault`."""
        return classify(complaint(status, headers, body, request), self, utc=utc)

    def readings(self, headers: Mapping[str, str], *, utc: float) -> tuple[Reading, ...]:
        """What rate-limit headers tell of the windows, in any answer."""
        return readings(headers, utc=utc, windows=self.windows)
