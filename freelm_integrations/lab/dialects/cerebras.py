"""Cerebras, as seen up to November 2026: flat errors, six families of rate headers, tokens held in advance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from freelm_integrations.lab.catalog import LabModel, chat
from freelm_integrations.lab.dialects.asked import Asked, Called, Finished, Spent, Told, room_asked
from freelm_integrations.lab.dialects.dialect import (
    Dialect,
    Facts,
    Refusal,
    Refused,
    calls_of,
    format_of,
    refuse_fields,
)
from freelm_integrations.lab.dialects.replies import Whole
from freelm_integrations.lab.limits import DAY, HOUR, MINUTE, LabLimit, Meter, Tripped
from freelm_integrations.lab.loose import Json, compact, fields, items

_INVALID = "invalid_request_error"
_FORMAT = "wrong_api_format"
_HELD_AT_MOST = 16_384  # tokens of an answer counted on admission; the same when none are named
_WINDOWS = {MINUTE: "minute", HOUR: "hour", DAY: "day"}
_UNKNOWN = frozenset(
    ["reasoning", "store", "metadata", "random_seed", "safe_prompt", "extra_body", "plugins", "provider", "transforms", "top_k", "min_p", "include_reasoning", "disable_reasoning", "guided_json", "chat_template_kwargs", "prompt_mode", "n_predict"]
)
_BANNED_IN_STRICT = frozenset({"minItems", "maxItems", "pattern", "format"})


def _wrong(detail: str) -> Refused:
    return Refused("malformed", {"detail": detail})


def _check_fields(asked: Asked) -> Refused | None:
    if "max_tokens" in asked.body and "max_completion_tokens" in asked.body:
        return _wrong("max_tokens and max_completion_tokens cannot both be set")
    if asked.body.get("tools") and format_of(asked) != "text":
        return _wrong('"tools" is incompatible with "response_format"')
    if "reasoning_effort" in asked.body and not asked.model.has("reasoning"):
        return _wrong("body.reasoning_effort: this model does not support reasoning_effort")
    return refuse_fields(asked, _UNKNOWN)


def _check_history(asked: Asked) -> Refused | None:
    owed: list[object] = []
    for place, message in enumerate(asked.messages):
        if "reasoning_content" in message:
            return _wrong(
                f"body.messages.{place}.assistant.reasoning_content: property is unsupported"
            )
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in owed:
                return _wrong(f"body.messages.{place}: tool message without a matching tool call")
            owed.remove(message.get("tool_call_id"))
        elif owed:
            return _wrong("an assistant message with tool_calls must be followed by tool messages")
        owed += [call.get("id") for call in calls_of(message)]
    return (
        _wrong("an assistant message with tool_calls must be followed by tool messages")
        if owed
        else None
    )


def _check_parts(asked: Asked) -> Refused | None:
    parts = [fields(part) for message in asked.messages for part in items(message.get("content"))]
    images = [part for part in parts if part.get("type") == "image_url"]
    if images and not asked.model.has("vision"):
        return _wrong("body.messages: content of type image_url is not supported by this model")
    return None


def _check_strict_schema(asked: Asked) -> Refused | None:
    wanted = fields(fields(asked.body.get("response_format")).get("json_schema"))
    fault = _schema_fault(fields(wanted.get("schema"))) if wanted.get("strict") is True else None
    return None if fault is None else _wrong(f"body.response_format.json_schema: {fault}")


def _schema_fault(schema: Json) -> str | None:
    banned = _BANNED_IN_STRICT & set(schema)
    if banned:
        return f"unsupported keyword {sorted(banned)[0]!r}"
    properties = fields(schema.get("properties"))
    if properties and schema.get("additionalProperties") is not False:
        return "additionalProperties must be false at every level"
    if set(properties) - set(items(schema.get("required"))):
        return "every property must be in required"
    inner = [*properties.values(), schema.get("items"), *fields(schema.get("$defs")).values()]
    return next((fault for part in inner if (fault := _schema_fault(fields(part)))), None)


class Cerebras(Dialect):
    """The dialect of api.cerebras.ai."""

    name = "cerebras"
    prefix = "/v1"
    key_prefix = "csk-"
    key_length = 52
    checks = (_check_fields, _check_history, _check_parts, _check_strict_schema)
    open_paths = frozenset({"catalog"})
    limits = (
        LabLimit(5, "requests"),
        LabLimit(150, "requests", HOUR),
        LabLimit(2_400, "requests", DAY),
        LabLimit(30_000, "tokens"),
        LabLimit(1_000_000, "tokens", HOUR),
        LabLimit(1_000_000, "tokens", DAY),
    )
    models = (
        chat("gpt-oss-120b", "tools reasoning", context=65_536, output=40_960),
        chat("qwen-3.8-27b", "tools reasoning", context=65_536, output=32_768),
        chat("gemma-4-31b", "tools vision", standing="gone"),
        chat("llama3.1-8b", standing="gone"),
    )
    refusals: Mapping[str, Refusal] = {
        "no_key": Refusal(401, "Wrong API Key", _INVALID, "wrong_api_key", "api_key"),
        "unauthorized": Refusal(401, "Wrong API Key", _INVALID, "wrong_api_key", "api_key"),
        "payment_required": Refusal(
            402,
            "Payment required to access this resource. Please visit your billing tab.",
            "payment_required_error",
            "payment_required",
            "quota",
        ),
        "forbidden_model": Refusal(
            403, "You do not have permission to use {model}.", "forbidden_error", "forbidden"
        ),
        "model_gone": Refusal(
            404,
            "Model {model} does not exist or you do not have access to it.",
            "not_found_error",
            "model_not_found",
            "model",
        ),
        "no_path": Refusal(
            404, "Unknown request URL: {method} {path}.", "not_found_error", "unknown_url"
        ),
        "malformed": Refusal(400, "{detail}", _INVALID, _FORMAT, "validation_error"),
        "unsupported": Refusal(
            400,
            "body.{name}: property '{name}' is unsupported",
            _INVALID,
            _FORMAT,
            "validation_error",
        ),
        "context_overflow": Refusal(
            400,
            "Please reduce the length of the messages or completion. Current length is {size} while limit is {context}",
            _INVALID,
            "context_length_exceeded",
            "messages",
        ),
        "too_large": Refusal(413, "Request body too large.", _INVALID, "request_too_large"),
        "rate_limited": Refusal(
            429,
            "{Unit} per {window} limit exceeded - too many {unit} processed.",
            "too_many_requests_error",
            "request_quota_exceeded",
            "quota",
        ),
        "tokens_limited": Refusal(
            429,
            "{Unit} per {window} limit exceeded - too many {unit} processed.",
            "too_many_tokens_error",
            "token_quota_exceeded",
            "quota",
        ),
        "shared_capacity": Refusal(
            429,
            "We're experiencing high traffic right now! Please try again soon.",
            "too_many_requests_error",
            "queue_exceeded",
            "queue",
        ),
        "moderated": Refusal(
            400, "The request was refused by our usage policy.", _INVALID, "content_policy"
        ),
        "server_error": Refusal(
            500, "Encountered a server error, please try again.", "server_error"
        ),
        "overloaded": Refusal(
            503, "Service unavailable, please try again.", "server_error", "unavailable"
        ),
    }

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
        asked_for = row.status == 429 and facts.get("retry_after") is not None
        return {"retry-after": str(round(facts["retry_after"]))} if asked_for else {}

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
            headers[f"x-ratelimit-remaining-{window}"] = str(max(0, int(meter.room(now))))
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
