"""What a request needs, read off it: abilities, and room for its prompt and its answer.

Tokens are estimated: four bytes each, and a fixed number for what is no text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, cast

from freelm_integrations.chat import EmbeddingRequest
from freelm_integrations.routing.recursion import refers_to_itself

if TYPE_CHECKING:
    from freelm_integrations.chat import Json, Message, Request

DOUBT = 1.25
"""By how much an estimate of tokens may be too high."""
IMAGE_TOKENS = 800
"""Tokens an image is taken for, and so is any other part that is no text."""
OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens")
"""The parameters by which callers limit an answer; the first that is given counts."""
BRIEF = 64
"""Tokens of an answer that a model which thinks first has hardly begun with."""

PART_NEEDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("image_url", "image", "input_image"), "vision"),
        **dict.fromkeys(("input_audio", "audio", "audio_url"), "audio"),
        **dict.fromkeys(("file", "input_file", "document", "document_url"), "files"),
        **dict.fromkeys(("video_url", "video", "input_video"), "video"),
    }
)
"""What a model must be able to do to take a content part of a type; other types stand for
themselves."""
# Text in other clothes, and what only its maker takes back: the dialects leave that out.
_NO_NEED = frozenset(
    {
        *("text", "input_text", "output_text", "refusal", "reference"),
        *("thinking", "reasoning", "redacted_thinking"),
        *("tool_use", "tool_call", "tool_result"),
    }
)


class Counts(NamedTuple):
    """How many of what providers take only so many of; the fields are named as `Countable` is."""

    tools: int = 0
    stops: int = 0
    images: int = 0
    links: int = 0
    inline: int = 0
    recursions: int = 0


_NONE = Counts()
_NO_PARTS: frozenset[str] = frozenset()


_LINKS = ("http:", "https:")
_IMAGE = "data:image/"
_KIND = re.compile(r"[a-z0-9.+-]+")
_SAME_KIND = {"jpg": "jpeg", "pjpeg": "jpeg", "x-png": "png", "svg+xml": "svg"}
_REFERENCE = '"$ref"'
_HOLDERS = ("url", "data", "file_data")


class Needs(NamedTuple):
    """What a request asks of a model.

    In tokens: `prompt` as estimated, `output` as asked for, None where the caller leaves it open.
    `parts` are the tags its content parts call for beside `vision` (`audio`, `files`, `video`, or
    a type nobody here knows). `images` are the kinds of those written out (`png`; empty where they
    do not say). `counts` are what there may be too many of.
    """

    prompt: int = 0
    output: int | None = None
    tools: bool = False
    forced_tool: bool = False
    parallel_calls: bool = False
    vision: bool = False
    parts: frozenset[str] = frozenset()
    json_schema: bool = False
    images: frozenset[str] = frozenset()
    counts: Counts = _NONE

    @property
    def is_brief(self) -> bool:
        """Whether the answer is to be so short that there is no room for thinking."""
        return self.output is not None and self.output <= BRIEF

    @property
    def tokens(self) -> int:
        """What to set aside for an attempt: prompt and answer, unless that is left open."""
        return self.prompt + (self.output or 0)

    @property
    def surely(self) -> int:
        """The tokens the prompt has at the very least."""
        return int(self.prompt / DOUBT)

    @property
    def surely_in_all(self) -> int:
        """The tokens of the prompt at the very least, and of the answer that is asked for."""
        return self.surely + (self.output or 0)


def needs_of(request: Request) -> Needs:
    """Read off a request what it needs."""
    if isinstance(request, EmbeddingRequest):
        return Needs(prompt=sum(map(tokens_in, request.texts)), output=0)
    text = 0
    kinds: list[str] = []
    places: list[str] = []
    may_be_parallel = bool(request.tools)
    for message in request.messages:
        content = message.get("content")
        if isinstance(content, str) and "tool_calls" not in message:
            text += _length(content)  # most are only this
        else:
            text += _weigh(message, kinds, places)
            may_be_parallel = True
    form = request.response_format
    recursions = 0
    for schema in (*request.tools, form) if form is not None else request.tools:
        written = json.dumps(schema, default=str)
        text += _length(written)
        if _REFERENCE in written:
            recursions += refers_to_itself(schema)
    return Needs(
        prompt=(text + 3) // 4 + 4 * len(request.messages) + IMAGE_TOKENS * len(kinds),
        output=_output(request.params) if request.params else None,
        tools=bool(request.tools),
        forced_tool=request.tool_choice not in (None, "auto", "none"),
        parallel_calls=may_be_parallel and _is_parallel(request),
        vision="vision" in kinds,
        parts=frozenset(kinds) - {"vision"} if kinds else _NO_PARTS,
        json_schema=form is not None and form.get("type") == "json_schema",
        images=_images(places) if places else _NO_PARTS,
        counts=_counts(request, kinds, places, recursions),
    )


def _images(places: list[str]) -> frozenset[str]:
    """The kinds of the images that are written out, as far as they are told."""
    heads = (place[: len(_IMAGE) + 20].lower() for place in places)
    told = (head.removeprefix(_IMAGE) for head in heads if head.startswith(_IMAGE))
    kinds = (_KIND.match(kind) for kind in told)
    return frozenset(_SAME_KIND.get(kind[0], kind[0]) for kind in kinds if kind)


def _counts(request: Request, kinds: list[str], places: list[str], recursions: int) -> Counts:
    stop = request.params.get("stop")
    stops = len(cast("Sequence[object]", stop)) if isinstance(stop, (list, tuple)) else 0
    if not (request.tools or kinds or stops or recursions):
        return _NONE
    return Counts(
        tools=len(request.tools),
        stops=stops,
        images=kinds.count("vision"),
        links=sum(place.startswith(_LINKS) for place in places),
        inline=sum(len(place) for place in places if not place.startswith(_LINKS)),
        recursions=recursions,
    )


def tokens_in(text: str) -> int:
    """About how many tokens a text has."""
    return (_length(text) + 3) // 4


def _is_parallel(request: Request) -> bool:
    """Whether several calls at once are asked for, or stand in the history."""
    if request.params.get("parallel_tool_calls") is True and request.tools:
        return True
    return any(_count(message.get("tool_calls")) > 1 for message in request.messages)


def _count(value: object) -> int:
    return len(cast("Sequence[object]", value)) if isinstance(value, (list, tuple)) else 0


def _output(params: Mapping[str, object]) -> int | None:
    extra = params.get("extra_body")
    given = (params,) if not isinstance(extra, Mapping) else (cast("Json", extra), params)
    for one in given:
        for name in OUTPUT_LIMITS:
            value = one.get(name)
            if isinstance(value, int) and value > 0:
                return value
    return None


def _weigh(message: Message, kinds: list[str], places: list[str]) -> int:
    """Characters of one message, tool calls included.

    What its other parts need goes to `kinds`, and where they are to `places`.
    """
    content = message.get("content")
    text = 0
    if isinstance(content, str):
        text = _length(content)
    elif isinstance(content, (list, tuple)):
        text = sum(_weigh_part(part, kinds, places) for part in cast("Sequence[object]", content))
    if calls := message.get("tool_calls"):
        text += _length(json.dumps(calls, default=str))
    return text


def _weigh_part(part: object, kinds: list[str], places: list[str]) -> int:
    if isinstance(part, str):
        return _length(part)
    if not isinstance(part, Mapping):
        return 0
    fields = cast("Mapping[str, object]", part)
    kind = fields.get("type")
    if kind is None and "image_url" in fields:
        kind = "image_url"
    if isinstance(kind, str) and kind and kind not in _NO_NEED:
        kinds.append(PART_NEEDS.get(kind, kind))
        places.append(_place(fields, kind))
        return 0
    text = fields.get("text")
    return _length(text) if isinstance(text, str) else 0


def _place(fields: Mapping[str, object], kind: str) -> str:
    """The link to what a part holds, or itself written out; empty where neither is found."""
    held = fields.get(kind, fields.get("image_url"))
    if isinstance(held, Mapping):
        inner = cast("Mapping[str, object]", held)
        held = next((inner[name] for name in _HOLDERS if name in inner), None)
    return held if isinstance(held, str) else ""


def _length(text: str) -> int:
    """Characters as tokens count them: beyond ASCII a character is rarely shared with others."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))
