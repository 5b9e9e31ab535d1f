"""Where a played provider answers: who asks, for what, whether it may be, and what goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Ids
from freelm_integrations.lab.limits import DAY
from freelm_integrations.lab.loose import Json, fields, parse
from freelm_integrations.lab.record import LabRequest
from freelm_integrations.lab.refusals import Refused
from freelm_integrations.lab.replies import Reply, Whole
from freelm_integrations.lab.scripted import scripted_reply
from freelm_integrations.lab.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from freelm_integrations.lab.faults import LabFault
    from freelm_integrations.lab.mind.words import WordSource
    from freelm_integrations.lab.provider import LabProvider
    from freelm_integrations.lab.server.connection import Incoming

_WITH_RATE_HEADERS = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}


class Desk:
    """Answers the requests of one played provider. Runs in the lab's loop only."""

    def __init__(self, provider: LabProvider, source: WordSource, *, seed: int) -> None:
        self._provider = provider
        self._dialect = provider.dialect
        self._service = Service(provider, source)
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
        facts: Json = {
            "model": (request.model or "none").removeprefix("models/"),
            "now": self._provider.now(),
            "path": request.path,
            "method": request.method,
            "id": ids.uuid("request"),
            "letters": ids.alnum(20),
        }
        if model is not None:
            facts.update(context=model.context, size=2 * model.context)
        return facts

    def _refuse(self, refused: Refused, request: LabRequest, ids: Ids) -> Whole:
        whole = self._dialect.refuse(refused.kind, {**self._facts(request, ids), **refused.facts})
        if whole.status not in _WITH_RATE_HEADERS:
            return whole
        meters = self._service.meters(request)
        return replace(
            whole,
            headers={**self._dialect.rate_headers(meters, self._provider.now()), **whole.headers},
        )

    # -- what goes wrong by script --------------------------------------------------------------

    async def _reply(self, incoming: Incoming, request: LabRequest, ids: Ids) -> Reply:
        fault = self._provider.faults.peek(request.path, request.key, _bare(request.model))
        reply = None if fault is None else self._struck(fault, request, ids)
        served = reply or await self._serve(incoming, request, ids, fault)
        if self._provider.latency:
            await asyncio.sleep(self._provider.latency)
        return self._refuse(served, request, ids) if isinstance(served, Refused) else served

    def _struck(self, fault: LabFault, request: LabRequest, ids: Ids) -> Reply | None:
        if fault.kind == "tool_failed" and "tool_use_failed" in self._dialect.refusals:
            reply: Reply | None = self._refuse(Refused("tool_use_failed"), request, ids)
        else:
            reply = scripted_reply(
                fault, lambda refused: self._refuse(refused, request, ids), stream=request.stream
            )
        if reply is not None:
            self._provider.strike(fault, request)
        return reply

    # -- who may be served ----------------------------------------------------------------------

    async def _serve(
        self, incoming: Incoming, request: LabRequest, ids: Ids, fault: LabFault | None
    ) -> Reply | Refused:
        refused = self._turned_away(incoming, request)
        if refused is not None:
            return refused
        pages: Mapping[str, Callable[[], bytes]] = {
            "models": self._dialect.model_list,
            "catalog": self._dialect.catalog,
            "key": lambda: self._key_state(request),
        }
        facts = self._facts(request, ids)
        if request.path in pages:
            return Whole(200, pages[request.path](), self._dialect.common_headers(facts))
        return await self._service.serve(request, ids, facts, fault)

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

    def _key_state(self, request: LabRequest) -> bytes:
        daily = [meter for meter in self._service.meters(request) if meter.limit.per >= DAY]
        limit = int(daily[0].limit.amount) if daily else 50
        used = limit - int(daily[0].room(self._provider.now())) if daily else 0
        return self._dialect.key_state(used, limit)


def _bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _bare(model: str | None) -> str | None:
    """A model's id without the prefix Google's list shows it with."""
    return None if model is None else model.removeprefix("models/")
