"""What a played provider does for those it lets in: chats and embeddings, counted and told."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, Ids, Piece, Spent, Told, prompt_size
from freelm_integrations.lab.faults import CUTS, LabFault
from freelm_integrations.lab.limits import Meter, Tripped, Usage, admit
from freelm_integrations.lab.loose import Json, items, whole_number, words_of
from freelm_integrations.lab.mind.answer import Manner, answer
from freelm_integrations.lab.mind.vectors import in_base64, space_of, vector
from freelm_integrations.lab.refusals import Refused
from freelm_integrations.lab.replies import Flow, Reply, Whole
from freelm_integrations.lab.server.spoil import Frames, spoiled_stream, spoiled_whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.mind.words import WordSource
    from freelm_integrations.lab.provider import LabProvider
    from freelm_integrations.lab.record import LabRequest

# What a model's standing means to a request for it: the first of these the dialect has a line for.
_STANDINGS: Mapping[str, tuple[str, ...]] = {
    "retired": ("model_retired", "model_gone"),
    "gone": ("model_gone",),
    "forbidden": ("forbidden_model",),
    "priced": ("priced_model", "payment_required"),
    "decoy": ("wrong_endpoint", "malformed"),
    "unknown": ("unknown_model", "model_gone"),
}


class Service:
    """Serves the requests that passed the desk. Runs in the lab's loop only."""

    def __init__(self, provider: LabProvider, source: WordSource) -> None:
        self._provider = provider
        self._dialect = provider.dialect
        self._source = source

    async def serve(
        self, request: LabRequest, ids: Ids, facts: Json, fault: LabFault | None
    ) -> Reply | Refused:
        """The reply to a request for a chat or for embeddings, or why there is none."""
        model = None if request.model is None else self._dialect.find_model(request.model)
        if model is None or model.standing != "live":
            return self._standing("unknown" if model is None else model.standing)
        if request.path == "embeddings":
            return self._embed(request, model)
        now = float(facts["now"])
        asked = Asked(model, request.body, ids, now, prompt_size(request.body))
        refused = self._objection(asked)
        if refused is not None:
            return refused
        usage = self._admit(request, self._dialect.held(asked))
        if isinstance(usage, Tripped):
            return self._dialect.tripped(usage, now)
        if fault is not None:
            self._provider.strike(fault, request)
        headers = {
            **self._dialect.common_headers(facts),
            **self._dialect.rate_headers(usage.meters, now),
        }
        return await self._answer(asked, usage, headers, fault)

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

    def meters(self, request: LabRequest) -> tuple[Meter, ...]:
        """The meters a request must pass."""
        model = self._dialect.find_model(request.model or "")
        own = None if model is None else model.limits
        name = request.model if model is None else model.id
        return self._provider.meters(request.key, name or "", own)

    def _admit(self, request: LabRequest, tokens: int) -> Usage | Tripped:
        return admit(self.meters(request), tokens, self._provider.now())

    async def _answer(
        self, asked: Asked, usage: Usage, headers: Mapping[str, str], fault: LabFault | None
    ) -> Reply:
        spoils = fault if fault is not None and fault.kind in CUTS else None
        pieces = self._told(asked, usage, fault)
        if asked.stream and spoils is not None:
            return Flow(spoiled_stream(pieces, self._dialect, asked, spoils), headers)
        if asked.stream:
            return Flow(self._frames(pieces, asked), headers)
        told = Told()
        async for piece in pieces:
            told.add(piece)
        whole = Whole(200, self._dialect.whole_body(asked, told), headers)
        return whole if spoils is None else spoiled_whole(whole, self._dialect, asked, spoils)

    async def _told(
        self, asked: Asked, usage: Usage, fault: LabFault | None
    ) -> AsyncGenerator[Piece, None]:
        kind = None if fault is None else fault.kind
        manner = Manner(
            thinks=self._dialect.shows_reasoning(asked),
            pause=self._provider.pause if asked.stream else 0.0,
            thinks_only=kind == "thinking_only",
            says_nothing=kind == "empty_answer",
            breaks_calls=kind == "tool_failed",
            continues=self._dialect.continues(asked),
            opening=self._dialect.opening(asked),
            goes_on=self._provider.continues,
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

    def _embed(self, request: LabRequest, model: LabModel) -> Whole | Refused:
        if not model.has("embed"):
            return self._standing("decoy")
        refused = self._dialect.check_embeddings(model, request.body)
        if refused is not None:
            return refused
        given = request.body["input"]
        texts = [given] if isinstance(given, str) else [words_of(text) for text in items(given)]
        tokens = sum(1 + len(text) // 4 for text in texts)
        usage = self._admit(request, tokens)
        if isinstance(usage, Tripped):
            return self._dialect.tripped(usage, self._provider.now())
        wanted = whole_number(request.body.get(self._dialect.size_name)) or model.dimensions
        length, space = min(wanted, model.dimensions), space_of(model.id)
        made = [vector(text, length, space) for text in texts]
        is_packed = request.body.get("encoding_format") == "base64"
        shown = [in_base64(one) for one in made] if is_packed else made
        return Whole(200, self._dialect.embeddings(model, shown, tokens))
