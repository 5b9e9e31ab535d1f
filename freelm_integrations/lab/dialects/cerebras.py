# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""Cerebras: flat errors, six families of rate headers, tokens held in advance. November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, Called, Finished, Spent, Told, room_asked
from freelm_integrations.lab.checks.cerebras import CHECKS
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.limits import DAY, HOUR, MINUTE, Meter, Tripped
from freelm_integrations.lab.loose import Json, compact
from freelm_integrations.lab.refusals import Facts, Refusal, Refused, seconds_told
from freelm_integrations.lab.terms.cerebras import LIMITS, MODELS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.replies import Whole

_HELD_AT_MOST = 16_384  # tokens of an answer counted on admission; the same when none are named


_WINDOWS = {MINUTE: "minute", HOUR: "hour", DAY: "day"}


class Cerebras(Dialect):
    """The dialect of api.cerebras.ai."""

    name = "cerebras"
    models = MODELS
    limits = LIMITS
    refusals = REFUSALS
    checks = CHECKS
    prefix = "/v1"
    key_prefix = "csk-"
    key_length = 52
    open_paths = frozenset({"catalog"})

    def paths(self) -> Mapping[tuple[str, str], str]:
        """Chat and two lists; no embeddings."""
        chat_path = ("POST", f"{self.prefix}/chat/completions")
        return {
            chat_path: "chat",
            ("GET", "/v1/models"): "models",
            ("GET", "/public/v1/models"): "catalog",
        }

    def tripped(self, trip: Tripped, now: float) -> Refused:
        """A reservation that can never fit is told as the quota of tokens it overruns."""
        refused = super().tripped(trip, now)
        return Refused(
            "rate_limited" if refused.kind in ("too_large", "no_allowance") else refused.kind,
            refused.facts,
        )

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """Flat: no `error` around it."""
        return self.encode(
            {"message": message, "type": row.type, "param": row.param or "", "code": row.code or ""}
        )

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """Say which window is used up."""
        per = facts.get("per", DAY if kind == "daily_quota" else MINUTE)
        unit = str(facts.get("unit", "requests"))
        kind = "rate_limited" if kind == "daily_quota" else kind
        if kind == "rate_limited" and unit == "tokens":
            kind = "tokens_limited"
        return super().refuse(
            kind, {**facts, "window": _WINDOWS.get(per, "minute"), "Unit": unit.capitalize()}
        )

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """What every answer carries."""
        return {"inference-id": str(facts.get("id", "lab"))}

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Retry-After where a wait was asked for: the provider sends it now and then only."""
        asked_for = row.throttles and facts.get("retry_after") is not None
        return {"retry-after": seconds_told(facts["retry_after"])} if asked_for else {}

    def held(self, asked: Asked) -> int:
        """The prompt, and the answer's room up to a ceiling."""
        room = room_asked(asked.body)
        return asked.prompt_tokens + min(_HELD_AT_MOST, _HELD_AT_MOST if room is None else room)

    def rate_headers(self, meters: Sequence[Meter], now: float) -> Mapping[str, str]:
        """Two units by three windows, resets in seconds with many decimals."""
        headers: dict[str, str] = {}
        for meter in meters:
            window = f"{meter.limit.unit}-{_WINDOWS.get(meter.limit.per, 'minute')}"
            headers[f"x-ratelimit-limit-{window}"] = str(int(meter.limit.amount))
            headers[f"x-ratelimit-remaining-{window}"] = str(meter.whole_room(now))
            headers[f"x-ratelimit-reset-{window}"] = f"{meter.full_in(now):.14f}"
        return headers

    def model_row(self, model: LabModel) -> Json:
        """Four fields."""
        return {"id": model.id, "object": "model", "created": 0, "owned_by": "Cerebras"}

    def catalog(self) -> bytes:
        """The rich list that needs no key."""
        return compact({"object": "list", "data": [_catalog_row(model) for model in self.listed()]})

    def call_id(self, asked: Asked, call: Called) -> str:
        """Nine hexadecimal digits."""
        return asked.ids.hex(9, call.place)

    def envelope(self, asked: Asked) -> Json:
        """With a fingerprint."""
        return {**super().envelope(asked), "system_fingerprint": f"fp_{asked.ids.hex(20, 'print')}"}

    def message(self, asked: Asked, told: Told) -> Json:
        """Null fields are left out."""
        message = super().message(asked, told)
        return {name: part for name, part in message.items() if part is not None}

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """With details that may stay 0."""
        details = {"prompt_tokens_details": {"cached_tokens": 0}}
        return {**super().usage(asked, spent), **details}

    def whole(self, asked: Asked, told: Told) -> Json:
        """With the times it took."""
        return {**super().whole(asked, told), "time_info": _times(asked)}

    def chunk(self, asked: Asked, delta: Json, finish: str | None = None, **more: object) -> bytes:
        """Null fields are left out."""
        choice: Json = {"delta": delta, "index": 0, **({"finish_reason": finish} if finish else {})}
        return self.event({**self.envelope(asked), "choices": [choice], **more})

    def begin(self, asked: Asked) -> Iterator[bytes]:
        """The role alone."""
        yield self.chunk(asked, {"role": "assistant"})

    def end(self, asked: Asked, done: Finished) -> Iterator[bytes]:
        """Finish, usage and times together, asked for or not."""
        yield self.chunk(
            asked, {}, done.reason, usage=self.usage(asked, done.spent), time_info=_times(asked)
        )
        yield self.done()

    def error_event(self, asked: Asked) -> bytes:
        """An error object with the status beside it."""
        error = {
            "message": "Encountered a server error, please try again.",
            "type": "server_error",
            "param": "",
            "code": "",
            "id": asked.ids.hex(8, "error"),
        }
        return self.event({"error": error, "status_code": 500})


def _times(asked: Asked) -> Json:
    times = {
        "queue_time": 0.0001,
        "prompt_time": 0.001,
        "completion_time": 0.02,
        "total_time": 0.0221,
    }
    return {**times, "created": asked.now}


def _catalog_row(model: LabModel) -> Json:
    can = {
        name: model.has("tools")
        for name in ("function_calling", "tools", "tool_choice", "parallel_tool_calls")
    }
    json_too = dict.fromkeys(
        ("streaming", "structured_outputs", "json_mode", "response_format"), True
    )
    senses = {"vision": model.has("vision"), "reasoning": model.has("reasoning")}
    ceilings = {"max_context_length": model.context, "max_completion_tokens": model.output}
    return {
        "id": model.id,
        "name": model.id.upper(),
        "pricing": {"prompt": "0.00000035", "completion": "0.00000075"},
        "capabilities": {**json_too, **can, **senses},
        "limits": {**ceilings, "requests_per_minute": 1000, "tokens_per_minute": 1_000_000},
        "deprecated": False,
        "preview": False,
    }
