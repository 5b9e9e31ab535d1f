"""Where a played provider answers: who asks, for what, whether it may be, and what is said."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, Ids, Piece, Spent, Told, prompt_size
from freelm_integrations.lab.faults import CUTS, LabFault
from freelm_integrations.lab.limits import DAY, Meter, Tripped, Usage, admit
from freelm_integrations.lab.loose import Json, fields, items, parse, whole_number, words_of
from freelm_integrations.lab.mind.answer import Manner, answer
from freelm_integrations.lab.mind.vectors import in_base64, vector
from freelm_integrations.lab.record import LabRequest
from freelm_integrations.lab.refusals import Refused
from freelm_integrations.lab.replies import Flow, Reply, Whole
from freelm_integrations.lab.scripted import scripted_reply
from freelm_integrations.lab.server.spoil import Frames, spoiled_stream, spoiled_whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Mapping

    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.mind.words import WordSource
    from freelm_integrations.lab.provider import LabProvider
    from freelm_integrations.lab.server.connection import Incoming

# What a model's standing means to a request for it: the first of these the dialect has a line for.
_STANDINGS: Mapping[str, tuple[str, ...]] = {
    "retired": ("model_retired", "model_gone"),
    "gone": ("model_gone",),
    "forbidden": ("forbidden_model",),
    "priced": ("priced_model", "payment_required"),
    "decoy": ("wrong_endpoint", "malformed"),
    "unknown": ("unknown_model", "model_gone"),
}


class Desk:
    """Answers the requests of one played provider. Runs in the lab's loop only."""

    def __init__(self, provider: LabProvider, source: WordSource, *, seed: int) -> None:
        self._provider = provider
        self._dialect = provider.dialect
        self._source = source
        self._seed = seed
        self._count = 0

    def answer(self, incoming: Incoming) -> tuple[LabRequest, Coroutine[None, None, Reply]]:
        """Note the request at once; its reply comes when awaited."""
        request = self._note(incoming)
        self._count += 1
        ids = Ids(f"{self._seed}:{self._dialect.name}:{self._count}")
        return request, self._reply(incoming, request, ids)

    # -- who asks for what ----------------------------------------------------------------------

    def _note(self, incoming: Incoming) -> LabRequest:
        path = incoming.target.partition("?")[0].replace("//", "/").rstrip("/")
        body = fields(parse(incoming.body))
        model = body.get("model")
        request = LabRequest(
            method=incoming.method,
            path=self._dialect.paths().get((incoming.method, path), path),
            key=self._provider.place_of(_bearer(incoming.headers)),
            model=model if isinstance(model, str) else None,
            body=body,
            stream=body.get("stream") is True,
            at=self._provider.now(),
        )
        self._provider.note(request)
        return request

    def _facts(self, request: LabRequest, ids: Ids) -> Json:
        model = self._dialect.find_model(request.model or "")
        facts = {
            "model": (request.model or "none").removeprefix("models/"),
            "now": self._provider.now(),
            "path": request.path,
            "method": request.method,
            "id": ids.uuid("request"),
        }
        return (
            facts
            if model is None
            else {**facts, "context": model.context, "size": 2 * model.context}
        )

    def _refuse(
        self, refused: Refused, request: LabRequest, ids: Ids, meters: tuple[Meter, ...] = ()
    ) -> Whole:
        whole = self._dialect.refuse(refused.kind, {**self._facts(request, ids), **refused.facts})
        headers = {**self._dialect.rate_headers(meters, self._provider.now()), **whole.headers}
        return Whole(whole.status, whole.body, headers, whole.content_type)

    # -- what goes wrong by script --------------------------------------------------------------

    async def _reply(self, incoming: Incoming, request: LabRequest, ids: Ids) -> Reply:
        fault = self._provider.faults.peek(request.path, request.key, request.model)
        reply = None if fault is None else self._struck(fault, request, ids)
        if reply is None:
            reply = await self._serve(incoming, request, ids, fault)
        if self._provider.latency:
            await asyncio.sleep(self._provider.latency)
        return reply

    def _struck(self, fault: LabFault, request: LabRequest, ids: Ids) -> Reply | None:
        meters = self._meters(request)
        reply = scripted_reply(
            fault,
            lambda refused: self._refuse(refused, request, ids, meters),
            stream=request.stream,
        )
        if reply is not None:
            self._strike(fault, request)
        return reply

    def _strike(self, fault: LabFault, request: LabRequest) -> None:
        self._provider.faults.spend(fault)
        request.fault = fault.kind

    # -- who may be served ----------------------------------------------------------------------

    async def _serve(
        self, incoming: Incoming, request: LabRequest, ids: Ids, fault: LabFault | None
    ) -> Reply:
        refused = self._turned_away(incoming, request)
        if refused is not None:
            return self._refuse(refused, request, ids)
        if request.path == "models":
            return Whole(
                200,
                self._dialect.model_list(),
                self._dialect.common_headers(self._facts(request, ids)),
            )
        if request.path == "catalog":
            return Whole(200, self._dialect.catalog())
        if request.path == "key":
            return self._key_state(request)
        return await self._serve_model(request, ids, fault)

    def _turned_away(self, incoming: Incoming, request: LabRequest) -> Refused | None:
        if request.path not in self._dialect.paths().values():
            return Refused("no_path")
        if request.path not in self._dialect.open_paths:
            missing = self._dialect.missing_key({**incoming.headers, ":path": incoming.target})
            if missing is not None or request.key is None:
                return missing or Refused("unauthorized")
        if request.method == "POST" and not request.body:
            return Refused("malformed", {"detail": "the body is not a JSON object"})
        return None

    def _key_state(self, request: LabRequest) -> Whole:
        daily = [meter for meter in self._meters(request) if meter.limit.per >= DAY]
        limit = int(daily[0].limit.amount) if daily else 50
        used = limit - int(daily[0].room(self._provider.now())) if daily else 0
        return Whole(200, self._dialect.key_state(used, limit))

    async def _serve_model(self, request: LabRequest, ids: Ids, fault: LabFault | None) -> Reply:
        model = None if request.model is None else self._dialect.find_model(request.model)
        if model is None or model.standing != "live":
            return self._refuse(
                self._standing("unknown" if model is None else model.standing), request, ids
            )
        if request.path == "embeddings":
            return self._embed(request, model, ids)
        asked = Asked(model, request.body, ids, self._provider.now(), prompt_size(request.body))
        refused = self._objection(asked)
        if refused is not None:
            return self._refuse(refused, request, ids)
        usage = self._admit(request, model, self._dialect.held(asked))
        if isinstance(usage, Tripped):
            return self._refuse(
                self._dialect.tripped(usage, asked.now), request, ids, self._meters(request)
            )
        return await self._answer(asked, request, usage, fault)

    def _standing(self, standing: str) -> Refused:
        kinds = [kind for kind in _STANDINGS[standing] if kind in self._dialect.refusals]
        return Refused(kinds[0], {"detail": "this model does not support chat completions"})

    def _objection(self, asked: Asked) -> Refused | None:
        if not asked.model.has("chat"):
            return self._standing("decoy")
        if not asked.messages or any(not message.get("role") for message in asked.messages):
            return Refused(
                "malformed", {"detail": "messages: a list of messages with a role each is needed"}
            )
        if asked.prompt_tokens > asked.model.context:
            return Refused(
                "context_overflow", {"size": asked.prompt_tokens, "context": asked.model.context}
            )
        return next((refused for check in self._dialect.checks if (refused := check(asked))), None)

    # -- what it counts -------------------------------------------------------------------------

    def _meters(self, request: LabRequest) -> tuple[Meter, ...]:
        model = self._dialect.find_model(request.model or "")
        own = None if model is None else model.limits
        name = request.model if model is None else model.id
        return self._provider.meters(request.key, name or "", own)

    def _admit(self, request: LabRequest, model: LabModel, tokens: int) -> Usage | Tripped:
        meters = self._provider.meters(request.key, model.id, model.limits)
        return admit(meters, tokens, self._provider.now())

    # -- what is said ---------------------------------------------------------------------------

    async def _answer(
        self, asked: Asked, request: LabRequest, usage: Usage, fault: LabFault | None
    ) -> Reply:
        if fault is not None:
            self._strike(fault, request)
        pieces = self._told(asked, usage, fault)
        headers = {
            **self._dialect.common_headers(self._facts(request, asked.ids)),
            **self._dialect.rate_headers(usage.meters, self._provider.now()),
        }
        if asked.stream:
            spoils = fault is not None and fault.kind in CUTS
            frames = (
                spoiled_stream(pieces, self._dialect, asked, fault)
                if spoils and fault
                else self._frames(pieces, asked)
            )
            return Flow(frames, headers)
        told = Told()
        async for piece in pieces:
            told.add(piece)
        whole = Whole(200, self._dialect.whole_body(asked, told), headers)
        return (
            spoiled_whole(whole, self._dialect, asked, fault)
            if fault and fault.kind in CUTS
            else whole
        )

    async def _told(
        self, asked: Asked, usage: Usage, fault: LabFault | None
    ) -> AsyncGenerator[Piece, None]:
        kind = None if fault is None else fault.kind
        manner = Manner(
            thinks=self._dialect.shows_reasoning(asked),
            pause=self._provider.pause if asked.stream else 0.0,
            thinks_only=kind == "thinking_only",
            says_nothing=kind == "empty_answer",
            continues=self._dialect.continues(asked),
            opening=self._dialect.opening(asked),
        )
        told = Told(spent=Spent(asked.prompt_tokens, 0))
        try:
            async with aclosing(answer(asked, self._source, manner)) as pieces:
                async for piece in pieces:
                    told.add(piece)
                    yield piece
        finally:  # also when the client leaves or a fault ends the answer
            usage.settle(self._dialect.charged(told.spent), self._provider.now())

    async def _frames(self, pieces: AsyncGenerator[Piece, None], asked: Asked) -> Frames:
        async with aclosing(pieces):
            for frame in self._dialect.begin(asked):
                yield frame
            async for piece in pieces:
                for frame in self._dialect.frames(asked, piece):
                    yield frame

    def _embed(self, request: LabRequest, model: LabModel, ids: Ids) -> Whole:
        if not model.has("embed"):
            return self._refuse(self._standing("decoy"), request, ids)
        refused = self._dialect.check_embeddings(model, request.body)
        if refused is not None:
            return self._refuse(refused, request, ids)
        given = request.body["input"]
        texts = [given] if isinstance(given, str) else [words_of(text) for text in items(given)]
        tokens = sum(1 + len(text) // 4 for text in texts)
        usage = self._admit(request, model, tokens)
        if isinstance(usage, Tripped):
            return self._refuse(self._dialect.tripped(usage, self._provider.now()), request, ids)
        wanted = whole_number(request.body.get("dimensions")) or model.dimensions
        vectors: list[list[float] | str] = [
            vector(text, min(wanted, model.dimensions)) for text in texts
        ]
        if request.body.get("encoding_format") == "base64":
            vectors = [in_base64(made) for made in vectors if isinstance(made, list)]
        return Whole(200, self._dialect.embeddings(model, vectors, tokens))


def _bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None
