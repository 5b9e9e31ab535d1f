"""Embeddings on the wire: texts become the body of a request, an answer becomes vectors.

Rules of reading:
- Vectors come as lists of numbers or as the base64 of 32-bit floats, whatever was asked for.
- They are put in order by `index`. One that leaves it out is the first: zeros are left out where
  JSON is made from protobuf (Google). Where no index says anything, they stand in order.
- Every vector is given length 1. Providers of one model differ in that, and shortened vectors are
  normalised at few of them (Google, 2026-11); the angle between two vectors stays what it was.
- An answer with too few vectors, or of another length than is expected, is a fault and no answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.chat import Delta
from freelm_integrations.wire.answers.surrogates import whole
from freelm_integrations.wire.answers.usage import usage_of
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.classify import classify
from freelm_integrations.wire.refusals.complaints import complaint_in, is_complaint
from freelm_integrations.wire.refusals.redaction import shown
from freelm_integrations.wire.shapes import integer, is_sequence, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.chat import EmbeddingRequest, InputType, Json, Usage
    from freelm_integrations.wire.openai import ChatCompletions

ASYMMETRIC = "asymmetric"
"""The tag of models that must be told a query from a passage."""
_NEEDED = frozenset({"model", "input", "input_type", "dimensions"})
"""Without these the vectors would be others: a route that refuses one cannot serve the request."""
_ROUNDING = 1e-3
"""By how much a length may differ from 1 to be left alone: servers send rounded numbers."""
_FLOAT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRules:
    """How one provider is asked for embeddings; with no argument, as OpenAI is.

    `size_name` is what it calls `dimensions`; `input_types` its words for what a text is embedded
    as, sent to models with the tag `asymmetric` alone; `always` is sent with every request.
    """

    size_name: str = "dimensions"
    input_types: Mapping[InputType, str] = field(
        default_factory=lambda: {"query": "query", "passage": "passage"}
    )
    always: Mapping[str, Any] = field(default_factory=dict[str, Any])


PLAIN = EmbeddingRules()


def embedding_body(
    request: EmbeddingRequest,
    model: str,
    rules: EmbeddingRules,
    *,
    tags: tuple[str, ...] = (),
    dropped: frozenset[str] = frozenset(),
) -> bytes:
    """The body to send, as JSON text in UTF-8; `dropped` are parameters the model has refused."""
    body: Json = {"model": model, "input": [whole(one) for one in request.texts], **rules.always}
    for name in dropped - _NEEDED:
        body.pop(name, None)
    if ASYMMETRIC in tags:
        body["input_type"] = rules.input_types[request.input_type]
    if request.dimensions is not None:
        body[rules.size_name] = request.dimensions
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class VectorDecoder:
    """The answer to an embedding request being read. Silent until its end. Not thread safe."""

    __slots__ = ("_chunks", "_request", "_rules", "model", "usage")

    response_id: str | None = None
    """None: no answer of this kind has one."""

    def __init__(self, rules: ChatCompletions, request: EmbeddingRequest) -> None:
        """Start to read the answer to `request`; `rules` tell what an error in it means."""
        self.model: str | None = None
        self.usage: Usage | None = None
        self._rules = rules
        self._request = request
        self._chunks: list[bytes] = []

    def feed(self, data: bytes) -> list[Delta] | Fault:
        """Nothing yet: the body is read when it is complete."""
        self._chunks.append(data)
        return []

    def end(self) -> list[Delta] | Fault:
        """The vectors in the order of the texts, in one delta, or the fault it is."""
        body = b"".join(self._chunks).strip()
        if not body:
            return Fault(kind="empty", message="the answer has no content at all")
        try:
            data: object = json.loads(body)
        except (ValueError, RecursionError):
            words = body[:400].decode("utf-8", "replace")
            is_begun = body[:1] in b"{["
            return Fault(kind="cut" if is_begun else "broken", message=shown(f"no JSON: {words}"))
        return self._read(mapping(data))

    def _read(self, said: Json) -> list[Delta] | Fault:
        rows = sequence(said.get("data"))
        if not rows:
            if is_complaint(said):
                return classify(complaint_in(said), self._rules, utc=None)
            return Fault(kind="empty", message="the answer has no vectors in it")
        ordered = _in_order([mapping(row) for row in rows])
        if len(rows) != len(self._request.texts) or ordered is None:
            count = f"{len(rows)} vectors for {len(self._request.texts)} texts"
            return Fault(kind="cut", message=count if ordered else "its vectors are in no order")
        vectors: list[list[float]] = []
        for row in ordered:
            vector = _vector(row.get("embedding"))
            if vector is None:
                return Fault(kind="broken", message="a vector in it is none of numbers")
            vectors.append(vector)
        self.model = text(said.get("model")) or None
        self.usage = _usage(mapping(said.get("usage")))
        return self._told(tuple(vectors))

    def _told(self, vectors: tuple[list[float], ...]) -> list[Delta] | Fault:
        lengths = {len(vector) for vector in vectors}
        expected = self._request.expects or len(vectors[0])
        if lengths != {expected}:
            found = " and ".join(map(str, sorted(lengths)))
            return Fault(
                kind="unsupported",
                scope="route",
                message=f"its vectors have {found} dimensions, not {expected}",
            )
        return [Delta(vectors=vectors, finish_reason="stop", usage=self.usage)]


def _in_order(rows: Sequence[Json]) -> Sequence[Json] | None:
    """The rows by their index; None where that tells of no order."""
    places = [integer(row.get("index")) for row in rows]
    if len(set(places)) == 1:
        return rows  # none has one, or all have the same
    by_place = {0 if place is None else place: row for place, row in zip(places, rows, strict=True)}
    if len(by_place) != len(rows) or set(by_place) != set(range(len(rows))):
        return None
    return [by_place[place] for place in range(len(rows))]


def _vector(told: object) -> list[float] | None:
    """The vector with length 1, or None if it is none of finite numbers."""
    try:
        if isinstance(told, str):
            packed = base64.b64decode(told, validate=True)
            made = list(struct.unpack(f"<{len(packed) // _FLOAT}f", packed))
        else:
            made = list(map(float, cast("Sequence[Any]", told if is_sequence(told) else ())))
    except (TypeError, ValueError, OverflowError, binascii.Error, struct.error):
        return None
    length = math.hypot(*made)
    if not made or not math.isfinite(length):
        return None
    if abs(length - 1.0) <= _ROUNDING or length == 0.0:
        return made
    return [part / length for part in made]


def _usage(stated: Json) -> Usage | None:
    """The tokens told; None where that is nothing or zero (Google, 2026-11): an estimate holds."""
    usage = usage_of(stated)
    return usage if usage is not None and usage.total_tokens else None
