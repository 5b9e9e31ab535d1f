"""Groq, as seen up to November 2026: Go durations in headers, the axis of a limit only in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from freelm_integrations.lab.catalog import LabModel, chat, decoy
from freelm_integrations.lab.dialects.asked import (
    Asked,
    Called,
    Finished,
    Said,
    Spent,
    Thought,
    Told,
    room_asked,
)
from freelm_integrations.lab.dialects.dialect import (
    Dialect,
    Facts,
    Refusal,
    Refused,
    format_of,
    refuse_fields,
)
from freelm_integrations.lab.dialects.replies import Whole
from freelm_integrations.lab.limits import DAY, MINUTE, LabLimit, Meter, Tripped
from freelm_integrations.lab.loose import Json, fields, items

_INVALID = "invalid_request_error"
_LIMIT_TEXT = (
    "Rate limit reached for model `{model}` in organization `{org}` service tier `on_demand` on {axis}: "
    "Limit {limit}, Used {used}, Requested {requested}. Please try again in {wait_go}. "
    "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
)
_COMPOUND = (
    LabLimit(30, "requests"),
    LabLimit(250, "requests", DAY),
    LabLimit(70_000, "tokens"),
)
_UNKNOWN = frozenset(
    ["reasoning", "store", "metadata", "logit_bias", "logprobs", "top_logprobs", "top_k", "min_p", "random_seed", "safe_prompt", "extra_body", "plugins", "provider", "transforms", "guided_json", "chat_template_kwargs", "prompt_mode"]
)
_ASSISTANT = frozenset({"role", "content", "tool_calls", "name", "reasoning"})


def go_duration(seconds: float) -> str:
    """A length of time as Go prints it: `825ms`, `7.66s`, `2m59.56s`, `1h2m3s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    minutes, rest = divmod(round(seconds, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    end = f"{rest:.2f}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + end


def _check_fields(asked: Asked) -> Refused | None:
    if asked.body.get("n", 1) not in (1, None):
        return Refused("malformed", {"detail": "'n' : number must be at most 1"})
    return refuse_fields(asked, _UNKNOWN)


def _check_history(asked: Asked) -> Refused | None:
    for place, message in enumerate(asked.messages):
        if message.get("role") != "assistant":
            continue
        foreign = next((name for name in message if name not in _ASSISTANT), None)
        if foreign is not None:
            return Refused("foreign_field", {"name": foreign, "place": place})
    return None


def _check_features(asked: Asked) -> Refused | None:
    wants_tools = bool(asked.body.get("tools"))
    if wants_tools and not asked.model.has("tools"):
        return Refused("no_tools")
    if wants_tools and format_of(asked) in ("json_object", "json_schema"):
        return Refused("json_with_tools")
    if asked.body.get("reasoning_effort") == "none" and "gpt-oss" in asked.model.id:
        return Refused(
            "malformed", {"detail": "'reasoning_effort' : value must be one of [low medium high]"}
        )
    return None


def _check_strict_schema(asked: Asked) -> Refused | None:
    wanted = fields(fields(asked.body.get("response_format")).get("json_schema"))
    if format_of(asked) != "json_schema":
        return None
    if not asked.model.has("schema"):
        return Refused(
            "malformed", {"detail": "This model does not support response format `json_schema`"}
        )
    loose = wanted.get("strict") is True and _is_loose(fields(wanted.get("schema")))
    return Refused("loose_schema") if loose else None


def _is_loose(schema: Json) -> bool:
    properties = fields(schema.get("properties"))
    if properties and schema.get("additionalProperties") is not False:
        return True
    if set(properties) - set(items(schema.get("required"))):
        return True
    inner = [*properties.values(), schema.get("items"), *fields(schema.get("$defs")).values()]
    return any(_is_loose(fields(part)) for part in inner)


class Groq(Dialect):
    """The dialect of api.groq.com."""

    name = "groq"
    prefix = "/openai/v1"
    key_prefix = "gsk_"
    key_length = 56
    checks = (_check_fields, _check_history, _check_features, _check_strict_schema)
    limits = (
        LabLimit(30, "requests"),
        LabLimit(1_000, "requests", DAY),
        LabLimit(8_000, "tokens"),
        LabLimit(200_000, "tokens", DAY),
    )
    models = (
        chat("openai/gpt-oss-120b", "tools reasoning schema", output=65_536),
        chat("openai/gpt-oss-20b", "tools reasoning schema", output=65_536),
        chat("qwen/qwen3.8-27b", "tools vision reasoning schema", context=131_042),
        chat("qwen/qwen3.6-27b", "tools vision reasoning"),
        chat("groq/compound-mini", output=8_192, limits=_COMPOUND),
        chat("openai/gpt-oss-safeguard-20b", "reasoning", output=65_536),
        decoy("whisper-large-v3-turbo", context=448, output=448),
        decoy("canopylabs/orpheus-v1-english", context=4_000),
        decoy("meta-llama/llama-prompt-guard-2-22m", context=512, output=512),
        chat("llama-3.3-70b-versatile", standing="gone"),
        chat("llama-3.1-8b-instant", standing="gone"),
    )
    refusals: Mapping[str, Refusal] = {
        "no_key": Refusal(401, "Invalid API Key", _INVALID, "invalid_api_key"),
        "unauthorized": Refusal(401, "Invalid API Key", _INVALID, "invalid_api_key"),
        "payment_required": Refusal(
            402, "Your organization has an unpaid balance.", _INVALID, "billing"
        ),
        "forbidden_model": Refusal(
            403,
            "The model `{model}` is blocked at the organization level. Please have the org admin enable this "
            "model in the org settings at https://console.groq.com/settings/limits",
            "permissions_error",
            "model_permission_blocked_org",
        ),
        "model_gone": Refusal(
            404,
            "The model `{model}` does not exist or you do not have access to it.",
            _INVALID,
            "model_not_found",
        ),
        "no_path": Refusal(404, "Unknown request URL: {method} {path}.", _INVALID, "unknown_url"),
        "malformed": Refusal(400, "{detail}", _INVALID),
        "unsupported": Refusal(400, "property '{name}' is unsupported", _INVALID),
        "foreign_field": Refusal(
            400,
            "'messages.{place}' : for 'role:assistant' the following must be satisfied[('messages.{place}' : "
            "property '{name}' is unsupported)]",
            _INVALID,
        ),
        "no_tools": Refusal(400, "tools are not supported with model `{model}`", _INVALID),
        "json_with_tools": Refusal(
            400, "json mode cannot be combined with tool/function calling", _INVALID
        ),
        "loose_schema": Refusal(
            400,
            "invalid JSON schema for response_format: every object needs `additionalProperties:false` and all "
            "of its properties in `required`",
            _INVALID,
            param="response_format",
        ),
        "tool_use_failed": Refusal(
            400,
            "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
            _INVALID,
            "tool_use_failed",
        ),
        "context_overflow": Refusal(
            400,
            "Please reduce the length of the messages or completion.",
            _INVALID,
            "context_length_exceeded",
            "messages",
        ),
        "too_large": Refusal(
            413,
            "Request too large for model `{model}` in organization `{org}` service tier `on_demand` on {axis}: "
            "Limit {limit}, Requested {requested}, please reduce your message size and try again.",
            "tokens",
            "rate_limit_exceeded",
        ),
        "rate_limited": Refusal(429, _LIMIT_TEXT, "requests", "rate_limit_exceeded"),
        "daily_quota": Refusal(429, _LIMIT_TEXT, "requests", "rate_limit_exceeded"),
        "shared_capacity": Refusal(
            498, "Flex tier capacity exceeded.", "flex", "capacity_exceeded"
        ),
        "moderated": Refusal(
            400, "The request was refused by our usage policy.", _INVALID, "content_policy"
        ),
        "server_error": Refusal(500, "Internal Server Error", "internal_server_error"),
        "overloaded": Refusal(
            503, "Service Unavailable", "internal_server_error", "service_unavailable"
        ),
    }

    def tripped(self, trip: Tripped, now: float) -> Refused:
        """Also a limit of nothing is told as an ordinary 429."""
        refused = super().tripped(trip, now)
        return Refused("rate_limited", refused.facts) if refused.kind == "no_allowance" else refused

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """Name the axis of the limit, and the wait as Go prints it."""
        daily = kind == "daily_quota"
        unit, per = facts.get("unit", "requests"), facts.get("per", DAY if daily else MINUTE)
        wait = facts.get("wait", 5183.0 if daily else 7.66)
        letter, word = ("D", "day") if per >= DAY else ("M", "minute")
        axis = f"{unit} per {word} ({'T' if unit == 'tokens' or kind == 'too_large' else 'R'}P{letter})"
        if kind == "too_large":
            axis = axis.replace("requests", "tokens")
        more = {"axis": axis, "wait": wait, "wait_go": go_duration(min(wait, 1e6))}
        return super().refuse(kind, {**more, **facts})

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """Name the kind of the limit, and give back what a model generated in vain."""
        error: Json = {"message": message, "type": row.type}
        if row.status == 429:
            error["type"] = facts["unit"]
        more = {"code": row.code, "param": row.param}
        error.update({name: part for name, part in more.items() if part is not None})
        if row.code == "tool_use_failed":
            error["failed_generation"] = facts["generated"]
        return self.encode({"error": error})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Retry-After comes with 429 only."""
        return (
            {"retry-after": str(max(1, round(min(facts["wait"], 1e6))))}
            if row.status == 429
            else {}
        )

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
                headers[f"x-ratelimit-remaining-{unit}"] = str(max(0, int(meter.room(now))))
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
            trailer = {"choices": [], "usage": usage, "x_groq": {"id": _groq_id(asked)}}
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
