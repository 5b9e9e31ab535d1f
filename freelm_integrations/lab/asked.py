"""A request as a dialect sees it, and the pieces its answer is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from freelm_integrations.lab.loose import Json, fields, items, words_of

if TYPE_CHECKING:
    from freelm_integrations.lab.catalog import LabModel

Finish = Literal["stop", "length", "tool_calls"]

_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True)
class Ids:
    """Made-up ids, the same in every run: a function of a seed."""

    seed: str

    def hex(self, length: int, of: object = "") -> str:
        """So many hexadecimal digits."""
        return hashlib.sha256(f"{self.seed}:{of}".encode()).hexdigest()[:length]

    def alnum(self, length: int, of: object = "") -> str:
        """So many letters and digits."""
        digest = hashlib.sha256(f"{self.seed}:{of}".encode()).digest()
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest)[:length]

    def uuid(self, of: object = "") -> str:
        """Hexadecimal digits grouped as in a UUID."""
        digits = self.hex(32, of)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(frozen=True)
class Asked:
    """A chat request that may be answered."""

    model: LabModel
    body: Json
    ids: Ids
    now: float  # epoch seconds
    prompt_tokens: int

    @property
    def created(self) -> int:
        """The epoch second to stamp on the answer."""
        return int(self.now)

    @property
    def messages(self) -> list[Json]:
        """The messages, each a JSON object."""
        return [fields(message) for message in items(self.body.get("messages"))]

    @property
    def stream(self) -> bool:
        """Whether a stream is asked for."""
        return self.body.get("stream") is True

    @property
    def wants_usage(self) -> bool:
        """Whether usage was asked for in a stream."""
        return fields(self.body.get("stream_options")).get("include_usage") is True


@dataclass(frozen=True)
class Thought:
    """A piece of reasoning."""

    text: str


@dataclass(frozen=True)
class Said:
    """A piece of the answer's text."""

    text: str
    first: bool = False


@dataclass(frozen=True)
class Called:
    """A whole tool call; `arguments` is JSON."""

    place: int  # 0 for the first of the answer
    name: str
    arguments: str


@dataclass(frozen=True)
class Spent:
    """What an answer cost."""

    prompt: int
    completion: int  # reasoning included
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.prompt + self.completion


@dataclass(frozen=True)
class Finished:
    """The end of an answer."""

    reason: Finish
    spent: Spent
    calls: tuple[Called, ...] = ()  # those already told piece by piece


Piece = Thought | Said | Called | Finished


@dataclass
class Told:
    """A whole answer, as its pieces add up."""

    text: str = ""
    reasoning: str = ""
    calls: list[Called] = field(default_factory=list[Called])
    reason: Finish = "stop"
    spent: Spent = field(default_factory=lambda: Spent(0, 0))

    def add(self, piece: Piece) -> None:
        """Take in one more piece."""
        if isinstance(piece, Finished):
            self.reason, self.spent = piece.reason, piece.spent
            return
        self.spent = Spent(self.spent.prompt, self.spent.completion + 1)  # until the finish tells
        if isinstance(piece, Said):
            self.text += piece.text
        elif isinstance(piece, Thought):
            self.reasoning += piece.text
        else:
            self.calls.append(piece)


def prompt_size(body: Json) -> int:
    """About how many tokens the messages and tools of a request come to."""
    messages = [fields(message) for message in items(body.get("messages"))]
    letters = sum(len(words_of(message.get("content"))) for message in messages)
    tools = len(str(body["tools"])) if body.get("tools") else 0
    return 3 + 4 * len(messages) + (letters + tools) // 4 + 250 * count_images(messages)


def count_images(messages: list[Json]) -> int:
    """How many image parts the messages hold."""
    parts = (part for message in messages for part in items(message.get("content")))
    return sum(fields(part).get("type") == "image_url" for part in parts)


def room_asked(body: Json) -> int | None:
    """How many tokens the answer may have, or None where the request does not say."""
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(body.get(name), int):
            return int(body[name])
    return None


def calls_of(message: Json) -> list[Json]:
    """The tool calls of a message in the history."""
    return [fields(call) for call in items(message.get("tool_calls"))]


def format_of(asked: Asked) -> str:
    """The type of response format a request asks for: `text` where it says nothing."""
    return str(fields(asked.body.get("response_format")).get("type", "text"))
