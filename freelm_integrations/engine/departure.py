"""An attempt made ready: a request in the words of the route it goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.engine.steps import Attempt
from freelm_integrations.wire.requests.ladder import FORCED, JSON, SCHEMA
from freelm_integrations.wire.requests.room import effort_refused

if TYPE_CHECKING:
    from freelm_integrations.chat import Request
    from freelm_integrations.pool.view import Route

_SAID_OTHERWISE = {"forced_tool": FORCED, "json_mode": JSON, "json_schema": SCHEMA}
_EFFORT = "effort_"
_PLAIN = {"content-type": "application/json", "accept": "application/json"}
_STREAM = {"content-type": "application/json", "accept": "text/event-stream"}


def known_refusals(lacks: tuple[str, ...]) -> frozenset[str]:
    """What a model that lacks these would refuse or ignore, as refusals of it are kept."""
    return frozenset(map(_refusal, lacks)) - {""}


def _refusal(lack: str) -> str:
    if lack.startswith(_EFFORT):
        return effort_refused(lack.removeprefix(_EFFORT))
    return _SAID_OTHERWISE.get(lack, "")


def attempt_on(
    route: Route,
    request: Request,
    *,
    dropped: frozenset[str],
    is_roomier: bool,
    room: int | None,
    timeout: float,
) -> Attempt:
    """The exchange to make.

    Args:
        route: Where.
        request: What is asked there.
        dropped: Parameters left out.
        is_roomier: Whether it asks for more room and less thinking than the caller did.
        room: Tokens of the answer, in place of its provider's default limit.
        timeout: Seconds of silence after which the driver may give it up by itself.

    Raises:
        TypeError: Something in the request has no form in JSON.
    """
    provider, model = route.provider, route.model
    return Attempt(
        "POST",
        provider.base_url + request.endpoint,
        {**(_STREAM if request.streaming else _PLAIN), **provider.headers, **request.headers},
        provider.dialect.encode(
            request,
            model.id,
            tags=model.tags,
            dropped=dropped,
            output=model.output,
            roomier=is_roomier,
            room=room,
        ),
        route.key.secret,
        timeout=timeout,
        is_streamed=request.streaming,
    )
