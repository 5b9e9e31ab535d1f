"""Whatever a server says when it refuses, read into one flat record.

It comes in eight shapes of JSON, JSON in JSON, HTML, plain words or not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freelm_integrations.wire.refusals.echo import without_echo
from freelm_integrations.wire.refusals.quotes import ECHOES, apart
from freelm_integrations.wire.shapes import (
    integer,
    is_mapping,
    is_sequence,
    mapping,
    parsed,
    sequence,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.chat import Json, Request

_RELAYED = frozenset({"provider_name", "raw"})
"""Fields of a router that tell whose words these are: null where they are its own (OpenRouter)."""
_SAID_IN = {"excluded_by": "excluded by ", "retryable": "retryable "}
"""Fields whose values mean something there alone: words with their names before them."""
_WORD_KEYS = frozenset(
    {
        *("code", "type", "status", "error_type", "reason", "limit_source", "quotaId", "param"),
        *("error_code", "err_code", "errorCode", "keyword"),
    }
)
_CULPRITS = frozenset({"param", "parameter", "keys", "additionalProperty"})
_MESSAGE_KEYS = ("message", "detail", "title", "msg", "error_description", "description")
_REQUEST_IDS = (
    *("x-request-id", "request-id", "nvcf-reqid", "mistral-correlation-id", "inference-id"),
    *("x-kong-request-id", "x-goog-request-id", "cf-ray"),
)
"""Headers in which servers name a request, their own before those of what stands before them
(docs of Groq, NVIDIA, Mistral, Cerebras; 2026-11)."""
_ID = re.compile(r"[\w.:-]{1,100}")
_MAX_STRINGS = 200
_MAX_DEPTH = 8
_LONGEST = 4000
_TOO_MANY = 429
_FAILURES = range(400, 600)
_UNSPELLED = re.compile(r"[^a-z0-9]+")
_OBJECT = re.compile(r"[\[{]")
_LOOKS = 3
_TELLS = frozenset({"error", "errors", "message", "msg", "detail", "code", "type"})
_HTML = re.compile(r"\s*(?:<!doctype|<html|<head|<body|<\?xml|<h1|<center)", re.IGNORECASE)
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class Complaint:
    """A refusal.

    `message` is its best sentence. `text` are all its sentences in lower case, without what they
    quote: nothing that was sent by the caller decides. `naming` is the same with such quotations as
    may be names of parameters. `words` are its codes, spelled as `code_word` does; `fields` are the
    names of all its fields, and those that are true are among the words. `locations` are the `loc`
    paths of schema violations (FastAPI), `named` what fields name as the culprit (`param`, ...).
    `is_relayed`: whether they are the words of a host behind who was asked (OpenRouter).
    """

    status: int | None
    headers: Mapping[str, str]
    data: object = None
    message: str = ""
    text: str = ""
    naming: str = ""
    words: set[str] = field(default_factory=set[str])
    fields: set[str] = field(default_factory=set[str])
    locations: list[tuple[str, ...]] = field(default_factory=list["tuple[str, ...]"])
    named: list[str] = field(default_factory=list[str])
    is_relayed: bool = False

    @property
    def request_id(self) -> str | None:
        """The server's own name for the request; None where it has none."""
        found = (self.headers.get(name) for name in _REQUEST_IDS)
        return next((one for one in found if one and _ID.fullmatch(one)), None)

    def say(self, words: str, request: Request | None) -> None:
        """Take these as its sentences, without what they repeat of the request."""
        words = words.lower()
        if self.status != _TOO_MANY:  # its words tell the wait, and its status the rest
            words = without_echo(words, request)
        self.text, self.naming = apart(words)


def code_word(code: str) -> str:
    """A code as it is compared: `RateLimitExceeded` and `RATE-LIMIT_EXCEEDED` are one word."""
    return _UNSPELLED.sub("", code.lower())


def complaint(
    status: int, headers: Mapping[str, str], body: bytes, request: Request | None = None
) -> Complaint:
    """The refusal that an HTTP answer to that request is."""
    said = body[:200_000].decode("utf-8-sig", "replace").strip()
    data = parsed(said) if said[:1] in {"{", "[", '"'} else None
    if data is not None:
        return _of(status, headers, data, request)
    is_html = bool(_HTML.match(said))
    plain = " ".join(_TAG.sub(" ", said[:20_000]).split()) if is_html else said
    plain = plain[:_LONGEST]
    made = Complaint(status, headers, None, plain)
    if is_html:
        made.words.add("html")
    made.say(plain, request)
    return made


def complaint_in(data: object, request: Request | None = None) -> Complaint:
    """The refusal that stands in the body of a 200; its status is the one it names, if any."""
    return _of(None, {}, data, request)


def complaint_of(said: str, request: Request | None = None) -> Complaint:
    """The refusal that stands in the body of a 200 as plain words."""
    made = Complaint(None, {}, None, said)
    made.say(said, request)
    return made


def is_complaint(chunk: Json) -> bool:
    """Whether an object without choices tells of a failure, in any of the shapes there are."""
    if chunk.get("error") or chunk.get("errors") or chunk.get("object") == "error":
        return True
    return any(chunk.get(key) for key in ("detail", "title", "status_code")) or isinstance(
        chunk.get("message"), str
    )


def _of(
    status: int | None, headers: Mapping[str, str], data: object, request: Request | None
) -> Complaint:
    made = Complaint(status, headers, data)
    said: list[str] = []
    _walk(data, made, said, 0)
    made.say("\n".join(said), request)
    made.message = _message(data, 0) or (said[0] if said else "")
    if made.status is None:
        made.status = _status(data)
    return made


def _walk(value: object, made: Complaint, said: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH or len(said) > _MAX_STRINGS:
        return
    if isinstance(value, str):
        _walk_text(value, made, said, depth)
    elif is_sequence(value):
        for item in value:
            _walk(item, made, said, depth + 1)
    elif is_mapping(value):
        for key, item in value.items():
            _note(key, item, made)
            if key not in ECHOES:
                _walk(item, made, said, depth + 1)


def _walk_text(value: str, made: Complaint, said: list[str], depth: int) -> None:
    inner = _inner(value)
    if inner is not None:
        _walk(inner, made, said, depth + 1)
        return
    value = value[:_LONGEST]
    before, told = _told_within(value)
    said.append(before)
    if told is not None:
        _walk(told, made, said, depth + 1)


def _told_within(value: str) -> tuple[str, object]:
    """A sentence, and the error object printed behind it, if there is one ("Error: {...}")."""
    for found in list(_OBJECT.finditer(value))[:_LOOKS]:
        told = parsed(value[found.start() : value.rfind("]}"[found[0] == "{"]) + 1])
        first = next(iter(told), None) if is_sequence(told) else told
        if is_mapping(first) and not _TELLS.isdisjoint(first):
            return value[: found.start()], told
    return value, None


def _inner(value: str) -> object:
    """The JSON object or array that a text is, or None."""
    return parsed(value) if value.lstrip()[:1] in {"{", "["} else None


def _note(key: str, item: object, made: Complaint) -> None:
    made.fields.add(key)
    if key in _RELAYED and item:
        made.is_relayed = True
    if key in _SAID_IN:
        values = words(item) if is_sequence(item) else (str(item),)
        made.words.update(code_word(_SAID_IN[key] + value) for value in values)
    if item is True:
        made.words.add(code_word(key))
    elif key in _WORD_KEYS and isinstance(item, (str, int)):
        made.words.add(code_word(str(item)))
    elif key == "loc":
        made.locations.append(tuple(str(part) for part in sequence(item)))
    if key in _CULPRITS:
        made.words.add(code_word(key))
        made.named += [item] if isinstance(item, str) else words(item)


def _message(value: object, depth: int) -> str:
    """The first sentence found where sentences stand: error, message, detail, title."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, str):
        return _message(_inner(value), depth + 1) or value
    if is_sequence(value):
        return next((found for item in value if (found := _message(item, depth + 1))), "")
    if not is_mapping(value):
        return ""
    for key in ("error", "errors", *_MESSAGE_KEYS):
        if key in value and (found := _message(value[key], depth + 1)):
            return _with_raw(found, value, key)
    return ""


def _with_raw(found: str, shaped: Json, key: str) -> str:
    """With what stands behind a sentence that says nothing by itself.

    OpenRouter's "Provider returned error" has the upstream's own words in `metadata.raw`.
    """
    if key != "message" or "metadata" not in shaped:
        return found
    raw = _message(mapping(shaped["metadata"]).get("raw"), _MAX_DEPTH - 5)
    return f"{found}: {raw}" if raw and raw != found else found


def _first(listed: object) -> Json:
    return mapping(next(iter(sequence(listed)), None))


def _status(data: object, depth: int = 0) -> int | None:
    """The HTTP status a body names: beside the error or in it, as a number or in digits."""
    outer = mapping(next(iter(data), None) if is_sequence(data) else data)
    inner = mapping(outer.get("error")) or _first(outer.get("errors"))
    for shaped in (inner, outer):
        for key in ("http_status", "status_code", "status", "code", "raw_status_code"):
            status = integer(shaped.get(key))
            if status in _FAILURES:
                return status
    told = inner.get("message", outer.get("error"))
    if depth > _LOOKS:
        return None
    within = _inner(told) if isinstance(told, str) else inner if "error" in inner else None
    return None if within is None else _status(within, depth + 1)
