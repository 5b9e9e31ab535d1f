"""What every dialect offers: the parts the six have in common, to be overridden where one differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from freelm_integrations.lab.catalog import LabModel
from freelm_integrations.lab.dialects.asked import (
    Asked,
    Called,
    Finished,
    Ids,
    Piece,
    Said,
    Spent,
    Thought,
    Told,
)
from freelm_integrations.lab.dialects.replies import Whole
from freelm_integrations.lab.limits import DAY, LabLimit, Meter, Tripped
from freelm_integrations.lab.loose import Json, compact, fields, items

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """One line of a dialect's table of errors; the message may name facts in braces."""

    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    param: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Refused:
    """Why a request is turned down: a line of the table, and the facts its message names."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


Check = Callable[[Asked], Refused | None]

# The facts every message may count on; those of the case at hand go before them.
USUAL_FACTS: Mapping[str, Any] = {
    "model": "this-model",
    "wait": 7.0,
    "limit": 30,
    "used": 30,
    "requested": 1,
    "unit": "requests",
    "per": 60.0,
    "left": 0,
    "name": "field",
    "org": "org_lab00000000000000000000",
    "context": 131_072,
    "size": 140_000,
    "now": 0.0,
    "path": "/",
    "method": "POST",
    "generated": "",
    "detail": "invalid value",
}


class Dialect:
    """How one provider speaks. Holds no state: all of it comes with the request."""

    name: ClassVar[str]
    prefix: ClassVar[str]
    key_prefix: ClassVar[str] = ""
    key_length: ClassVar[int] = 40
    models: ClassVar[Sequence[LabModel]]
    limits: ClassVar[Sequence[LabLimit]] = ()
    refusals: ClassVar[Mapping[str, Refusal]]
    checks: ClassVar[Sequence[Check]] = ()
    ends_with_done: ClassVar[bool] = True
    open_paths: ClassVar[frozenset[str]] = frozenset()  # answered without a key
    id_prefix: ClassVar[str] = "chatcmpl-"

    # -- paths and keys ----------------------------------------------------------------------------------

    def paths(self) -> Mapping[tuple[str, str], str]:
        """(method, path) -> what is served there."""
        return {
            ("POST", f"{self.prefix}/chat/completions"): "chat",
            ("POST", f"{self.prefix}/embeddings"): "embeddings",
            ("GET", f"{self.prefix}/models"): "models",
        }

    def make_key(self, place: int) -> str:
        """A made-up key of the right shape that nobody could take for a real one."""
        ids = Ids(f"lab-key:{self.name}:{place}")
        start = f"{self.key_prefix}lab{place}"
        return start + (ids.alnum(32) + ids.alnum(32, "more"))[: self.key_length - len(start)]

    def missing_key(self, headers: Mapping[str, str]) -> Refused | None:
        """Why the credentials of a request cannot even be looked up, or None if they can."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return None if scheme.lower() == "bearer" and key.strip() else Refused("no_key")

    def find_model(self, wanted: str) -> LabModel | None:
        """The model of this id, listed or not."""
        return next((model for model in self.models if model.id == wanted), None)

    # -- turning down ------------------------------------------------------------------------------------

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """The provider's own answer to a request it will not serve."""
        facts = {**USUAL_FACTS, **facts}
        row = self.refusals.get(kind) or self.refusals["malformed"]
        message = row.message.format_map(facts)
        body = self.error_body(row, message, facts)
        return Whole(
            row.status, body, {**self.common_headers(facts), **self.error_headers(row, kind, facts)}
        )

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """The body of an error: the OpenAI envelope unless a dialect has its own."""
        parts = {
            "message": message,
            "type": row.type,
            "param": row.param,
            "code": row.code,
            **row.extra,
        }
        return compact({"error": {name: part for name, part in parts.items() if part is not None}})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Headers that only errors carry."""
        return {}

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """Headers of every answer."""
        return {}

    def tripped(self, trip: Tripped, now: float) -> Refused:
        """How a limit that is used up is told."""
        meter = trip.meter
        facts = {
            "limit": int(meter.limit.amount),
            "used": int(meter.limit.amount - meter.room(now)),
            "requested": int(trip.requested),
            "wait": trip.wait,
            "unit": meter.limit.unit,
            "per": meter.limit.per,
            "left": max(0, int(meter.room(now))),
            "tripped": True,
        }
        if meter.limit.amount == 0:
            return Refused("no_allowance", facts)
        if trip.wait == float("inf"):
            return Refused("too_large", facts)
        return Refused("daily_quota" if meter.limit.per >= DAY else "rate_limited", facts)

    def held(self, asked: Asked) -> int:
        """Tokens counted against the limits when a request is let in."""
        return asked.prompt_tokens

    def charged(self, spent: Spent) -> int:
        """Tokens counted once the answer is complete."""
        return spent.total

    def rate_headers(self, meters: Sequence[Meter], now: float) -> Mapping[str, str]:
        """What an answer tells of the limits: nothing unless a dialect does."""
        return {}

    # -- lists -------------------------------------------------------------------------------------------

    def listed(self) -> Iterable[LabModel]:
        """The models the list shows, those that answer no more among them."""
        return (model for model in self.models if model.standing != "gone")

    def model_row(self, model: LabModel) -> Json:
        """One row of the list."""
        return {
            "id": model.id,
            "object": "model",
            "created": 1_764_600_000,
            "owned_by": self.name,
            **model.extra,
        }

    def model_list(self) -> bytes:
        """The whole list."""
        return compact(
            {"object": "list", "data": [self.model_row(model) for model in self.listed()]}
        )

    def embeddings(self, model: LabModel, vectors: Sequence[Sequence[float]], tokens: int) -> bytes:
        """The answer to a request for embeddings."""
        rows = [
            {"object": "embedding", "index": place, "embedding": list(vector)}
            for place, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return compact({"object": "list", "data": rows, "model": model.id, "usage": usage})

    def check_embeddings(self, model: LabModel, body: Json) -> Refused | None:
        """Why a request for embeddings is turned down, or None."""
        return None if body.get("input") else Refused("malformed")

    # -- answers -----------------------------------------------------------------------------------------

    def answer_id(self, asked: Asked) -> str:
        """The id of an answer."""
        return f"{self.id_prefix}{asked.ids.uuid()}"

    def call_id(self, asked: Asked, call: Called) -> str:
        """The id of a tool call."""
        return f"call_{asked.ids.alnum(24, call.place)}"

    def shows_reasoning(self, asked: Asked) -> bool:
        """Whether the model's reasoning is part of this answer."""
        return asked.model.has("reasoning")

    def continues(self, asked: Asked) -> bool:
        """Whether a trailing assistant message is carried on; if not, the answer starts afresh."""
        return False

    def opening(self, asked: Asked) -> str:
        """Text the answer repeats before it says anything of its own."""
        return ""

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """The usage object."""
        usage: Json = {
            "prompt_tokens": spent.prompt,
            "completion_tokens": spent.completion,
            "total_tokens": spent.total,
        }
        if spent.reasoning:
            usage["completion_tokens_details"] = {"reasoning_tokens": spent.reasoning}
        return usage

    def finish_reason(self, asked: Asked, done: Finished | Told) -> str:
        """The provider's word for why an answer ended."""
        return done.reason

    def call_object(self, asked: Asked, call: Called) -> Json:
        """A tool call as a whole answer shows it."""
        function = {"name": call.name, "arguments": call.arguments}
        return {"id": self.call_id(asked, call), "type": "function", "function": function}

    def message(self, asked: Asked, told: Told) -> Json:
        """The message of a whole answer."""
        message: Json = {"role": "assistant", "content": told.text or None}
        if told.reasoning:
            message["reasoning"] = told.reasoning
        if told.calls:
            message["tool_calls"] = [self.call_object(asked, call) for call in told.calls]
        return message

    def envelope(self, asked: Asked) -> Json:
        """What whole answers and chunks have in common."""
        return {
            "id": self.answer_id(asked),
            "object": "chat.completion.chunk" if asked.stream else "chat.completion",
            "created": asked.created,
            "model": asked.model.id,
        }

    def whole(self, asked: Asked, told: Told) -> Json:
        """A whole answer."""
        choice = {
            "index": 0,
            "message": self.message(asked, told),
            "finish_reason": self.finish_reason(asked, told),
        }
        return {**self.envelope(asked), "choices": [choice], "usage": self.usage(asked, told.spent)}

    def encode(self, value: object) -> bytes:
        """JSON the way this provider prints it."""
        return compact(value)

    def whole_body(self, asked: Asked, told: Told) -> bytes:
        """The bytes of a whole answer."""
        return self.encode(self.whole(asked, told))

    # -- streams -----------------------------------------------------------------------------------------

    def event(self, value: object) -> bytes:
        """One server-sent event."""
        return b"data: " + self.encode(value) + b"\n\n"

    def chunk(self, asked: Asked, delta: Json, finish: str | None = None, **more: Any) -> bytes:
        """One event with one choice."""
        choice: Json = {"index": 0, "delta": delta, "finish_reason": finish}
        return self.event({**self.envelope(asked), "choices": [choice], **more})

    def begin(self, asked: Asked) -> Iterator[bytes]:
        """What a stream opens with."""
        yield self.chunk(asked, {"role": "assistant", "content": ""})

    def frames(self, asked: Asked, piece: Piece) -> Iterator[bytes]:
        """The events one piece of an answer becomes."""
        if isinstance(piece, Said):
            yield from self.said(asked, piece)
        elif isinstance(piece, Thought):
            yield from self.thought(asked, piece)
        elif isinstance(piece, Called):
            yield from self.called(asked, piece)
        else:
            yield from self.end(asked, piece)

    def said(self, asked: Asked, piece: Said) -> Iterator[bytes]:
        """A piece of text."""
        yield self.chunk(asked, {"content": piece.text})

    def thought(self, asked: Asked, piece: Thought) -> Iterator[bytes]:
        """A piece of reasoning."""
        yield self.chunk(asked, {"reasoning": piece.text})

    def called(self, asked: Asked, call: Called) -> Iterator[bytes]:
        """A tool call: whole in one event unless a dialect cuts it up."""
        yield self.chunk(
            asked, {"tool_calls": [{"index": call.place, **self.call_object(asked, call)}]}
        )

    def end(self, asked: Asked, done: Finished) -> Iterator[bytes]:
        """The finish, the usage and the end mark."""
        yield self.chunk(asked, {}, self.finish_reason(asked, done))
        if asked.wants_usage:
            usage = self.usage(asked, done.spent)
            yield self.event({**self.envelope(asked), "choices": [], "usage": usage})
        yield self.done()

    def done(self) -> bytes:
        """The end mark of a stream."""
        return b"data: [DONE]\n\n" if self.ends_with_done else b""

    def error_event(self, asked: Asked) -> bytes:
        """An error in mid-stream, in this provider's own shape."""
        whole = self.refuse("overloaded", {"model": asked.model.id})
        return b"data: " + whole.body.strip() + b"\n\n"

    def keep_alive(self) -> bytes:
        """A comment that says no more than that the provider is still there."""
        return b": keep-alive\n\n"


def refuse_fields(asked: Asked, banned: Iterable[str], kind: str = "unsupported") -> Refused | None:
    """Turn down the first field of the request that this provider does not know."""
    name = next((name for name in asked.body if name in banned), None)
    return None if name is None else Refused(kind, {"name": name, "value": asked.body[name]})


def tool_names(asked: Asked) -> list[str]:
    """Names of the tools a request offers."""
    tools = (fields(fields(tool).get("function")) for tool in items(asked.body.get("tools")))
    return [str(tool.get("name", "")) for tool in tools]


def calls_of(message: Json) -> list[Json]:
    """The tool calls of a message in the history."""
    return [fields(call) for call in items(message.get("tool_calls"))]


def format_of(asked: Asked) -> str:
    """The type of response format a request asks for: `text` where it says nothing."""
    return str(fields(asked.body.get("response_format")).get("type", "text"))
