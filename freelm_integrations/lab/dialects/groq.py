# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""Groq: Go durations in headers, the axis of a limit in the text only. As of November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import (
    Asked,
    Called,
    Finished,
    Said,
    Spent,
    Thought,
    Told,
    room_asked,
)
from freelm_integrations.lab.checks.groq import CHECKS
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.limits import DAY, MINUTE, Meter, Tripped
from freelm_integrations.lab.refusals import Facts, Refusal, Refused, seconds_told
from freelm_integrations.lab.terms.groq import LIMITS, MODELS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.loose import Json
    from freelm_integrations.lab.replies import Whole


def go_duration(seconds: float) -> str:
    """A length of time as Go prints it: `825ms`, `7.66s`, `2m59.56s`, `1h2m3s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    minutes, rest = divmod(round(seconds, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    end = f"{rest:.2f}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + end


class Groq(Dialect):
    """The dialect of api.groq.com."""

    name = "groq"
    models = MODELS
    limits = LIMITS
    refusals = REFUSALS
    checks = CHECKS
    prefix = "/openai/v1"
    key_prefix = "gsk_"
    key_length = 56

    def tripped(self, trip: Tripped, now: float) -> Refused:
        """Also a limit of nothing is told as an ordinary 429."""
        refused = super().tripped(trip, now)
        return Refused("rate_limited", refused.facts) if refused.kind == "no_allowance" else refused

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """Name the axis of the limit, and the wait as Go prints it."""
        daily = kind == "daily_quota"
        if kind == "too_large":
            facts = {"unit": "tokens", "limit": 8_000, "requested": 12_000, **facts}
        unit = str(facts.get("unit", "requests"))
        per = facts.get("per", DAY if daily else MINUTE)
        wait = facts.get("wait", 5183.0 if daily else 7.66)
        letter, word = ("D", "day") if per >= DAY else ("M", "minute")
        axis = f"{unit} per {word} ({unit[0].upper()}P{letter})"
        more = {"axis": axis, "wait": wait, "wait_go": go_duration(min(wait, 1e6)), "unit": unit}
        return super().refuse(kind, {**more, **facts})

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """Name the kind of the limit, and give back what a model generated in vain."""
        error: Json = {"message": message, "type": row.type}
        if row.throttles:
            error["type"] = facts["unit"]
        more = {"code": row.code, "param": row.param}
        error.update({name: part for name, part in more.items() if part is not None})
        if row.code == "tool_use_failed":
            error["failed_generation"] = facts["generated"]
        return self.encode({"error": error})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Retry-After comes with 429 only, in whole seconds unless a test asks for others."""
        if not row.throttles:
            return {}
        told = facts.get("retry_after")
        wait = max(1, round(min(facts["wait"], 1e6))) if told is None else told
        return {"retry-after": seconds_told(wait)}

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """What every answer carries."""
        return {"x-request-id": f"req_{facts.get('id', 'lab')}", "x-groq-region": "lab"}

    def held(self, asked: Asked) -> int:
        """The prompt and all of the room asked for."""
        return asked.prompt_tokens + (room_asked(asked.body) or 0)

    def rate_headers(self, meters: Sequence[Meter], now: float) -> Mapping[str, str]:
        """Requests of the day and tokens of the minute, in headers that do not say so."""
        headers: dict[str, str] = {}
        for meter in meters:
            unit, per = meter.limit.unit, meter.limit.per
            if (unit, per) in (("requests", DAY), ("tokens", MINUTE)):
                headers[f"x-ratelimit-limit-{unit}"] = str(int(meter.limit.amount))
                headers[f"x-ratelimit-remaining-{unit}"] = str(meter.whole_room(now))
                headers[f"x-ratelimit-reset-{unit}"] = go_duration(meter.full_in(now))
        return headers

    def model_row(self, model: LabModel) -> Json:
        """The old fields for all, the new ones for chat models."""
        row: Json = {
            "id": model.id,
            "object": "model",
            "created": 1_754_407_957,
            "owned_by": "OpenAI" if model.id.startswith("openai/") else "Groq",
            "active": True,
            "context_window": model.context,
            "public_apps": None,
            "max_completion_tokens": model.output,
        }
        return {**row, **_new_fields(model)} if model.has("chat") else row

    def shows_reasoning(self, asked: Asked) -> bool:
        """Unless the request hides it."""
        hidden = (
            asked.body.get("include_reasoning") is False
            or asked.body.get("reasoning_format") == "hidden"
        )
        return (
            super().shows_reasoning(asked)
            and not hidden
            and asked.body.get("reasoning_effort") != "none"
        )

    def call_id(self, asked: Asked, call: Called) -> str:
        """Calls of gpt-oss look like `fc_<uuid>`."""
        return (
            f"fc_{asked.ids.uuid(call.place)}"
            if "gpt-oss" in asked.model.id
            else f"call_{asked.ids.alnum(24, call.place)}"
        )

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """With the times the request took."""
        times = {
            "queue_time": 0.01,
            "prompt_time": 0.002,
            "completion_time": 0.05,
            "total_time": 0.052,
        }
        return {**times, **super().usage(asked, spent)}

    def message(self, asked: Asked, told: Told) -> Json:
        """A message of tool calls has no content at all."""
        message = super().message(asked, told)
        if message["content"] is None:
            message["content"] = ""
        if told.calls:
            del message["content"]
        return message

    def whole(self, asked: Asked, told: Told) -> Json:
        """With Groq's own extras."""
        extras = {
            "usage_breakdown": None,
            "system_fingerprint": f"fp_{asked.ids.hex(10, 'print')}",
            "x_groq": {"id": _groq_id(asked), "seed": 7},
            "service_tier": "on_demand",
        }
        return {**super().whole(asked, told), **extras}

    def begin(self, asked: Asked) -> Iterator[bytes]:
        """The role, with Groq's own id."""
        x_groq = {"id": _groq_id(asked), "seed": 7}
        yield self.chunk(asked, {"role": "assistant", "content": ""}, x_groq=x_groq)

    def said(self, asked: Asked, piece: Said) -> Iterator[bytes]:
        """Text, with the logprobs nobody asked for."""
        choice = {
            "index": 0,
            "delta": {"content": piece.text},
            "logprobs": None,
            "finish_reason": None,
        }
        yield self.event({**self.envelope(asked), "choices": [choice]})

    def thought(self, asked: Asked, piece: Thought) -> Iterator[bytes]:
        """Reasoning, on the channel gpt-oss names."""
        channel = {"channel": "analysis"} if "gpt-oss" in asked.model.id else {}
        yield self.chunk(asked, {"reasoning": piece.text, **channel})

    def end(self, asked: Asked, done: Finished) -> Iterator[bytes]:
        """Usage on the finish chunk, twice, or in a chunk of its own where it was asked for."""
        usage = self.usage(asked, done.spent)
        if asked.wants_usage:
            yield self.chunk(asked, {}, done.reason, x_groq={"id": _groq_id(asked)})
            trailer: Json = {"choices": [], "usage": usage, "x_groq": {"id": _groq_id(asked)}}
            yield self.event({**self.envelope(asked), **trailer})
        else:
            yield self.chunk(
                asked, {}, done.reason, usage=usage, x_groq={"id": _groq_id(asked), "usage": usage}
            )
        yield self.done()

    def error_event(self, asked: Asked) -> bytes:
        """A named event whose data also says the status."""
        error = {"message": "Service Unavailable", "type": "internal_server_error"}
        return b"event: error\ndata: " + self.encode({"error": error, "status_code": 503}) + b"\n\n"


def _groq_id(asked: Asked) -> str:
    return f"req_{asked.ids.alnum(26, 'groq')}"


def _new_fields(model: LabModel) -> Json:
    features = [name for name in ("tools", "reasoning") if model.has(name)] + ["json_mode"]
    prices = {"prompt": "0.00000007", "completion": "0.0000003", "input_cache_read": "0.00000003"}
    return {
        "context_length": model.context,
        "max_output_length": model.output,
        "input_modalities": ["text", "image"] if model.has("vision") else ["text"],
        "output_modalities": ["text"],
        "supported_features": features,
        "pricing": prices,
    }
