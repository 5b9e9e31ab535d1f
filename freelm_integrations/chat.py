"""The frozen values of a conversation: what is asked, what comes back, piece by piece and whole.

Messages are OpenAI-shaped mappings as callers write them (`{"role": "user", "content": "..."}`);
they are read, never changed. Everything a provider answers is turned into the values here before it
leaves `wire/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

Json: TypeAlias = "dict[str, Any]"
Message: TypeAlias = "Mapping[str, Any]"
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Integrity = Literal["complete", "stitched"]
InputType = Literal["query", "passage"]
"""What a text is embedded as: to look for others, or to be found."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a call used. `None` means the provider did not say; zero means zero."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        """The usage of both together (a stitched answer has several parts)."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.total_tokens + other.total_tokens,
            _sum_known(self.reasoning_tokens, other.reasoning_tokens),
            _sum_known(self.cached_tokens, other.cached_tokens),
        )


def _sum_known(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One finished tool call.

    `arguments` is JSON text of an object; `extra` is what only its maker understands.
    """

    id: str
    name: str
    arguments: str
    extra: Mapping[str, Any] | None = None

    def to_wire(self) -> Json:
        """The OpenAI-shaped dict, as it stands in an assistant message."""
        function = {"name": self.name, "arguments": self.arguments}
        call: Json = {"id": self.id, "type": "function", "function": function}
        if self.extra:
            call["extra_content"] = dict(self.extra)
        return call


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A piece of a tool call.

    `index` is ours: dense, from 0; `id` and `name` come with a call's first part only.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: Mapping[str, Any] | None = None


KIND_WORDS: Mapping[str, str] = {
    # Not faults, but reasons for a route to rest.
    "retired": "key refused: needs a new key",
    "window": "allowance used up for now",
    "breaker": "failed again and again",
    "full": "serves no more calls at once",
    "throttled": "rate limited",
    "overloaded": "overloaded",
    "server_error": "server error",
    "timeout": "silent",
    "unreachable": "unreachable",
    "broken": "connection broke",
    "cut": "cut off",
    "empty": "said nothing",
    "only_thinking": "only thought",
    "cramped": "too little room left",
    "astray": "did not carry on",
    "outpaced": "outpaced",
    "unauthorized": "key refused",
    "unpaid": "no credit",
    "forbidden": "forbidden",
    "blocked": "blocked here",
    "model_gone": "model gone",
    "not_on_plan": "not on this plan",
    "unsupported": "cannot do this",
    "tool_failed": "bad tool call",
    "bad_parameter": "bad parameter",
    "too_large": "over the minute's tokens",
    "too_long": "prompt too long",
    "moderated": "moderated",
    "malformed": "called malformed",
}
"""What each kind of fault, and an attempt dropped for a quicker one, is called for a person."""


def fault_words(kind: str, status: int | None = None) -> str:
    """What went wrong, for people: `rate limited (429)`. A kind without words stands for itself."""
    words = KIND_WORDS.get(kind, kind.replace("_", " "))
    return words if status is None else f"{words} ({status})"


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """How one attempt of a call ended; `str()` of it is a line to read.

    `kind` is the fault's kind, `outpaced` for one still silent when another spoke, or None for the
    one that answered. `ms` is how long it took, for that one to its first content; `retry_after`
    the wait the server asked for (s), `request_id` its own name for the request.
    """

    provider: str
    model: str
    key: str
    kind: str | None = None
    status: int | None = None
    message: str = ""
    retry_after: float | None = None
    ms: float = 0.0
    request_id: str | None = None

    def __str__(self) -> str:
        """Who was asked, what came of it, and after how long."""
        what = "answered" if self.kind is None else fault_words(self.kind, self.status)
        return f"{self.provider} {self.model}: {what} after {self.ms:.0f} ms"

    def __repr__(self) -> str:
        """Every field that says something, the time in whole milliseconds."""
        fields = {**self.to_dict(), "ms": round(self.ms)}
        return f"AttemptRecord({', '.join(f'{name}={field!r}' for name, field in fields.items())})"

    def to_dict(self) -> Json:
        """A JSON-safe dict without the empty fields."""
        return {
            name: value
            for name in self.__slots__
            if (value := getattr(self, name)) is not None and value != ""
        }


class Origin(NamedTuple):
    """Who speaks: stands on the first delta of every part of an answer."""

    provider: str
    model: str
    key: str
    attempts: tuple[AttemptRecord, ...] = ()
    response_id: str | None = None


class Delta(NamedTuple):
    """One decoded piece of an answer.

    Any field may be empty; `origin` stands on the first one, `usage` on the last. `vectors` are the
    answer to an `EmbeddingRequest`, all in one. `refused`: the text says that the model will not
    answer, where its provider tells that apart. `images` are addresses, mostly of `data:`.
    `logprobs` are what was told of its tokens, a position each, where they were asked for.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    origin: Origin | None = None
    extra: Mapping[str, Any] | None = None
    raw: Mapping[str, Any] | None = None
    vectors: tuple[list[float], ...] = ()
    refused: bool = False
    images: tuple[str, ...] = ()
    logprobs: tuple[Json, ...] = ()

    @property
    def has_content(self) -> bool:
        """Whether a caller would see something: words, a tool call, an image or a vector."""
        return bool(self.text or self.reasoning or self.tool_calls or self.vectors or self.images)


@dataclass(slots=True, kw_only=True)
class Request:
    """The payload of a call, as the caller put it; nobody changes it.

    `wanted` is the order of model names to try. `timeout` is this call's own deadline in seconds;
    None for the client's. Calls with the same `affinity` are one conversation: they stay with the
    model that served the last of them. `avoid` are providers and `provider/model`s to be asked when
    nobody else is left. `headers` (names in lower case) go to whichever is asked.
    """

    endpoint: ClassVar[str] = "/chat/completions"
    """Where such a request goes, from a provider's base URL on."""

    messages: tuple[Message, ...]
    wanted: tuple[str, ...] = ("auto",)
    tools: tuple[Message, ...] = ()
    tool_choice: str | Message | None = None
    response_format: Message | None = None
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    streaming: bool = False
    timeout: float | None = None
    affinity: str | None = None
    avoid: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(slots=True, kw_only=True)
class EmbeddingRequest(Request):
    """A request for vectors, one for each of `texts`, in place of messages.

    `dimensions` is the length to ask for, None for the model's own; `expects` the length an answer
    must have, None while it is not known.
    """

    endpoint: ClassVar[str] = "/embeddings"

    messages: tuple[Message, ...] = ()
    texts: tuple[str, ...]
    input_type: InputType = "passage"
    dimensions: int | None = None
    expects: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The whole answer of a call; `str()` of it is its text.

    `model` is the id that answered, `key` a fingerprint, `latency_ms` the time from the call to its
    last byte, `seams` where in `text` another route took over (in characters; `integrity` is then
    `stitched`), `raw` the provider's own body (empty for a streamed answer), `extra` what only the
    answering provider understands, `logprobs` what was told of its tokens, a position each, where
    that was asked for.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "stop"
    usage: Usage | None = None
    provider: str = ""
    model: str = ""
    key: str = ""
    attempts: tuple[AttemptRecord, ...] = ()
    integrity: Integrity = "complete"
    seams: tuple[int, ...] = ()
    latency_ms: float = 0.0
    raw: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    extra: Mapping[str, Any] | None = field(default=None, repr=False)
    response_id: str | None = None
    refused: bool = False
    images: tuple[str, ...] = field(default=(), repr=False)
    logprobs: tuple[Json, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """The text alone."""
        return self.text

    def to_message(self) -> Json:
        """The OpenAI-shaped assistant message to append to a history."""
        message: Json = {"role": "assistant", "content": self.text}
        if self.tool_calls:
            message["tool_calls"] = [call.to_wire() for call in self.tool_calls]
        if self.extra:  # goes back to its maker only, which some refuse to go on without
            message["extra_content"] = dict(self.extra)
        return message


def fold(deltas: Iterable[Delta]) -> Completion:
    """The completion that a run of deltas spells.

    `latency_ms` is left to the caller, who has the clock.
    """
    folded = Folding()
    for delta in deltas:
        folded.add(delta)
    return folded.completion()


_NOBODY = Origin("", "", "")


class Folding:
    """Deltas being gathered into a completion; not thread safe, one per call."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, list[ToolCallPart]] = {}
        self._usage: Usage | None = None
        self._finish: FinishReason = "stop"
        self._origin = _NOBODY
        self._seams: tuple[int, ...] = ()
        self._raw: Mapping[str, Any] = {}
        self._extra: Mapping[str, Any] | None = None
        self._refused = False
        self._images: tuple[str, ...] = ()
        self._logprobs: list[Json] | None = None  # as hardly anybody asks for them

    def add(self, delta: Delta) -> None:
        """Take one more delta."""
        if delta.origin is not None:
            self._take_over(delta.origin)
        if delta.text:
            self._text.append(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        for part in delta.tool_calls:
            self._calls.setdefault(part.index, []).append(part)
        self._finish = delta.finish_reason or self._finish
        self._usage = delta.usage or self._usage
        self._raw = delta.raw or self._raw
        self._extra = delta.extra or self._extra
        self._refused = delta.refused or self._refused
        self._images += delta.images
        if delta.logprobs:
            self._logprobs = self._logprobs or []
            self._logprobs += delta.logprobs

    def _take_over(self, origin: Origin) -> None:
        """Somebody speaks: the first, one who carries on the text, or one who begins it anew."""
        self._origin = origin
        if self._text or self._calls:
            self._seams += (sum(map(len, self._text)),)
        else:
            self._reasoning.clear()  # of one who broke off before the answer

    def completion(self, *, latency_ms: float = 0.0) -> Completion:
        """What has been said so far, whole."""
        origin = self._origin
        return Completion(
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            tool_calls=tuple([_join(parts) for _, parts in sorted(self._calls.items())]),
            finish_reason=self._finish,
            usage=self._usage,
            provider=origin.provider,
            model=origin.model,
            key=origin.key,
            attempts=origin.attempts,
            integrity="stitched" if self._seams else "complete",
            seams=self._seams,
            latency_ms=latency_ms,
            raw=self._raw,
            extra=self._extra,
            response_id=origin.response_id,
            refused=self._refused,
            images=self._images,
            logprobs=tuple(self._logprobs or ()),
        )


def _join(parts: list[ToolCallPart]) -> ToolCall:
    extra: Mapping[str, Any] | None = None
    for part in parts:
        extra = part.extra if part.extra is not None else extra
    return ToolCall(
        id=next((part.id for part in parts if part.id), ""),
        name=next((part.name for part in parts if part.name), ""),
        arguments="".join(part.arguments for part in parts) or "{}",
        extra=extra,
    )
