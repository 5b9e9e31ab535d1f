# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""How an answer is framed, whole or streamed: what the six have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from freelm_integrations.lab.asked import (
    Asked,
    Called,
    Finished,
    Piece,
    Said,
    Spent,
    Thought,
    Told,
)
from freelm_integrations.lab.loose import Json, compact

if TYPE_CHECKING:
    from collections.abc import Iterator


class Framing:
    """The OpenAI shape of answers and streams; each method is a hook for a dialect."""

    ends_with_done: ClassVar[bool] = True
    id_prefix: ClassVar[str] = "chatcmpl-"

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

    # -- streams --------------------------------------------------------------------------------

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

    def keep_alive(self) -> bytes:
        """A comment that says no more than that the provider is still there."""
        return b": keep-alive\n\n"
