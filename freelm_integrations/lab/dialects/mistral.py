"""Mistral, as seen up to November 2026: a closed schema, strict orders of roles, thinking inside content lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.dialects.asked import (
    Asked,
    Called,
    Finished,
    Said,
    Spent,
    Thought,
    Told,
)
from freelm_integrations.lab.dialects.dialect import Dialect, Facts, Refusal, Refused, calls_of
from freelm_integrations.lab.limits import MINUTE, MONTH, LabLimit, Meter
from freelm_integrations.lab.loose import Json, compact, fields, items, words_of

_ORDER = "invalid_request_message_order"
_KNOWN = frozenset(
    ["model", "messages", "temperature", "top_p", "max_tokens", "stop", "random_seed", "n", "presence_penalty", "frequency_penalty", "parallel_tool_calls", "prediction", "metadata", "safe_prompt", "prompt_cache_key", "service_tier", "guardrails", "stream", "stream_options", "tools", "tool_choice", "response_format", "reasoning_effort", "prompt_mode"]
)
_KNOWN_IN_MESSAGE: Mapping[str, frozenset[str]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}
_MAY_FOLLOW: Mapping[str, frozenset[str]] = {
    "system": frozenset({"user", "assistant", "system"}),
    "user": frozenset({"assistant", "user", "system"}),
    "assistant": frozenset({"user", "tool", "assistant"}),
    "tool": frozenset({"tool", "assistant"}),
}


def _check_fields(asked: Asked) -> Refused | None:
    name = next((name for name in asked.body if name not in _KNOWN), None)
    return None if name is None else _extra_field(["body", name], asked.body[name])


def _extra_field(where: list[str | int], value: object) -> Refused:
    return Refused("unsupported", {"name": str(where[-1]), "loc": where, "input": value})


def _check_message_fields(asked: Asked) -> Refused | None:
    for place, message in enumerate(asked.messages):
        role = str(message.get("role"))
        if role not in _KNOWN_IN_MESSAGE:
            return _extra_field(["body", "messages", place, "role"], role)
        for name in message:
            if name not in _KNOWN_IN_MESSAGE[role]:
                return _extra_field(["body", "messages", place, role, name], message[name])
    return None


def _check_order(asked: Asked) -> Refused | None:
    roles = [str(message.get("role")) for message in asked.messages]
    for before, after in pairwise(roles):
        if after not in _MAY_FOLLOW[before]:
            return _wrong_order(f"Unexpected role '{after}' after role '{before}'")
    if roles[0] not in ("system", "user"):
        return _wrong_order(f"Expected first role to be system or user but got {roles[0]}")
    last = asked.messages[-1]
    if roles[-1] in ("assistant", "system") and last.get("prefix") is not True:
        return _wrong_order(
            f"Expected last role User or Tool (or Assistant with prefix True) but got {roles[-1]}"
        )
    return None


def _wrong_order(detail: str) -> Refused:
    return Refused("wrong_order", {"detail": detail})


def _check_calls(asked: Asked) -> Refused | None:
    owed: list[str] = []
    for message in asked.messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in owed:
                return _wrong_order("Unexpected tool call id in tool results")
            owed.remove(str(message.get("tool_call_id")))
        elif owed:
            return _wrong_order("Not the same number of function calls and responses")
        fault = _fault_of_turn(message)
        if fault is not None:
            return fault
        owed += [str(call.get("id")) for call in calls_of(message)]
    return _wrong_order("Not the same number of function calls and responses") if owed else None


def _fault_of_turn(message: Json) -> Refused | None:
    calls = calls_of(message)
    if message.get("role") == "assistant" and not calls and not message.get("content"):
        return Refused("empty_turn")
    for call in calls:
        name = str(fields(call.get("function")).get("name"))
        if not re.fullmatch(r"[A-Za-z0-9]{9}", str(call.get("id"))):
            detail = (
                f"Tool call id was {call.get('id')} but must be a-z, A-Z, 0-9, with a length of 9."
            )
            return Refused("wrong_call", {"detail": detail})
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            return Refused(
                "wrong_call",
                {"detail": f"Function name was {name} but must be a-z, A-Z, 0-9, _ or -."},
            )
    return None


def _check_features(asked: Asked) -> Refused | None:
    effort = asked.body.get("reasoning_effort")
    if effort not in (None, "none") and not asked.model.has("reasoning"):
        return Refused("malformed", {"detail": "reasoning_effort is not supported for this model"})
    tools = [fields(fields(tool).get("function")) for tool in items(asked.body.get("tools"))]
    if any("parameters" not in tool for tool in tools):
        where: list[str | int] = ["body", "tools", 0, "function", "parameters"]
        return Refused(
            "unsupported", {"name": "parameters", "loc": where, "input": None, "missing": True}
        )
    return None


class Mistral(Dialect):
    """The dialect of api.mistral.ai."""

    name = "mistral"
    prefix = "/v1"
    key_length = 32
    id_prefix = ""
    checks = (_check_fields, _check_message_fields, _check_order, _check_calls, _check_features)
    limits = (
        LabLimit(60, "requests"),
        LabLimit(50_000, "tokens"),
        LabLimit(4_000_000, "tokens", MONTH),
    )
    models = (
        chat("ministral-14b-latest", "tools vision", context=262_144),
        chat("ministral-8b-latest", "tools vision", context=262_144),
        chat("ministral-3b-latest", "tools vision", context=262_144),
        chat("mistral-small-latest", "tools vision reasoning", context=262_144),
        chat("mistral-medium-latest", "tools vision reasoning", context=262_144),
        chat("codestral-latest", "tools", context=131_072),
        chat("mistral-large-latest", "tools vision", context=262_144, standing="forbidden"),
        embedder("mistral-embed", 1_024, context=8_192),
        decoy("voxtral-mini-transcribe-2507", context=16_384),
        decoy("mistral-moderation-latest", context=8_192),
        decoy("mistral-ocr-latest", context=16_384),
        chat("open-mistral-nemo", "tools", standing="gone"),
    )
    refusals: Mapping[str, Refusal] = {
        "no_key": Refusal(401, "Unauthorized", "detail"),
        "unauthorized": Refusal(401, "Unauthorized", "detail"),
        "payment_required": Refusal(402, "Payment required.", "payment_required"),
        "forbidden_model": Refusal(
            403, "The model {model} is not available on your plan.", "tier_not_allowed", "1910"
        ),
        "model_gone": Refusal(400, "Invalid model: {model}", "invalid_model", "1500"),
        "no_path": Refusal(404, "no Route matched with those values", "message"),
        "malformed": Refusal(400, "{detail}", "invalid_request_error", "1000"),
        "unsupported": Refusal(422, "{name}", "schema"),
        "wrong_order": Refusal(400, "{detail}", _ORDER, "3230"),
        "empty_turn": Refusal(
            400,
            "Assistant message must have either content or tool_calls, but not none.",
            "invalid_request_assistant_message",
            "3240",
        ),
        "wrong_call": Refusal(400, "{detail}", "invalid_function_call", "3280"),
        "context_overflow": Refusal(
            400,
            "Prompt contains {size} tokens and 0 draft tokens, too large for model with {context} maximum context length",
            "invalid_request_prompt",
            "3051",
        ),
        "too_large": Refusal(413, "Request size limit exceeded", "message"),
        "rate_limited": Refusal(429, "Rate limit exceeded", "rate_limited", "1300"),
        "daily_quota": Refusal(429, "Rate limit exceeded", "rate_limited", "1300"),
        "no_allowance": Refusal(429, "Rate limit exceeded", "rate_limited", "1300"),
        "shared_capacity": Refusal(
            429,
            "Service tier capacity exceeded for this model.",
            "service_tier_capacity_exceeded",
            "3505",
        ),
        "moderated": Refusal(
            403, "The request was blocked by guardrails.", "guardrail_violation", "1920"
        ),
        "server_error": Refusal(500, "Internal server error", "internal_server_error", "1000"),
        "overloaded": Refusal(503, "Service unavailable.", "service_unavailable", "3505"),
    }

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """Flat with digits for a code, or the shorter shapes of the gateway and of the schema's guard."""
        if row.type in ("detail", "message"):
            return compact({row.type: message})
        if row.type == "schema":
            return compact({"detail": [_schema_detail(facts)]})
        body = {
            "object": "error",
            "message": message,
            "type": row.type,
            "param": None,
            "code": row.code,
        }
        return compact({**body, "raw_status_code": row.status})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """The windows that are empty; Retry-After hardly ever."""
        told = facts.get("retry_after")
        headers = (
            {"retry-after": str(round(told))} if told is not None and row.status == 429 else {}
        )
        if kind == "no_allowance":
            zero = {"x-ratelimit-limit-req-minute": "0", "x-ratelimit-remaining-req-minute": "0"}
            return {**headers, **zero}
        if kind == "daily_quota":
            return {
                **headers,
                "x-ratelimit-limit-tokens-month": "4000000",
                "x-ratelimit-remaining-tokens-month": "0",
            }
        return headers

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """What every answer carries."""
        return {
            "mistral-correlation-id": str(facts.get("id", "lab")),
            "x-envoy-upstream-service-time": "42",
        }

    def rate_headers(self, meters: Sequence[Meter], now: float) -> Mapping[str, str]:
        """The newer names; no reset."""
        names = {
            ("requests", MINUTE): "req-minute",
            ("tokens", MINUTE): "tokens-minute",
            ("tokens", MONTH): "tokens-month",
        }
        headers: dict[str, str] = {}
        for meter in meters:
            name = names.get((meter.limit.unit, meter.limit.per))
            if name is not None:
                headers[f"x-ratelimit-limit-{name}"] = str(int(meter.limit.amount))
                headers[f"x-ratelimit-remaining-{name}"] = str(max(0, int(meter.room(now))))
        return headers

    def model_row(self, model: LabModel) -> Json:
        """With abilities, aliases and the date of its end."""
        can = {
            "completion_chat": model.has("chat"),
            "function_calling": model.has("tools"),
            "reasoning": model.has("reasoning"),
            "vision": model.has("vision"),
            "completion_fim": model.id.startswith("codestral"),
            "fine_tuning": False,
            "ocr": "ocr" in model.id,
            "classification": False,
            "moderation": "moderation" in model.id,
            "audio": "voxtral" in model.id,
        }
        return {
            "id": model.id,
            "object": "model",
            "created": 1_764_600_000,
            "owned_by": "mistralai",
            "name": model.id.replace("latest", "2512"),
            "description": "A model of the lab",
            "max_context_length": model.context,
            "aliases": [model.id.replace("latest", "2512")],
            "deprecation": None,
            "deprecation_replacement_model": None,
            "default_model_temperature": 0.3,
            "type": "base",
            "capabilities": can,
        }

    def shows_reasoning(self, asked: Asked) -> bool:
        """Only when asked to think hard."""
        return asked.model.has("reasoning") and asked.body.get("reasoning_effort") == "high"

    def continues(self, asked: Asked) -> bool:
        """With `prefix`, which is checked before."""
        return True

    def opening(self, asked: Asked) -> str:
        """The reply begins with the prefix again."""
        last = asked.messages[-1]
        return words_of(last.get("content")) if last.get("prefix") is True else ""

    def answer_id(self, asked: Asked) -> str:
        """Thirty-two hexadecimal digits."""
        return asked.ids.hex(32)

    def call_id(self, asked: Asked, call: Called) -> str:
        """Nine letters and digits."""
        return asked.ids.alnum(9, call.place)

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """No count of reasoning."""
        counts = {
            "prompt_tokens": spent.prompt,
            "total_tokens": spent.total,
            "completion_tokens": spent.completion,
        }
        return {**counts, "prompt_tokens_details": {"cached_tokens": 0}}

    def message(self, asked: Asked, told: Told) -> Json:
        """Thinking makes the content a list; calls come with an empty content."""
        text = {"type": "text", "text": told.text}
        content = [_thinking(told.reasoning, closed=True), text] if told.reasoning else told.text
        calls = [self.call_object(asked, call) for call in told.calls] or None
        return {"role": "assistant", "tool_calls": calls, "content": content}

    def call_object(self, asked: Asked, call: Called) -> Json:
        """Without a type, with an index."""
        function = {"name": call.name, "arguments": call.arguments}
        return {"id": self.call_id(asked, call), "function": function, "index": call.place}

    def chunk(self, asked: Asked, delta: Json, finish: str | None = None, **more: object) -> bytes:
        """With padding that means nothing."""
        choice: Json = {"index": 0, "delta": delta, "finish_reason": finish}
        padding = "abcdefghijklmnopqrstuvwxyz0123456789"[: 4 + len(str(delta)) % 30]
        return self.event({**self.envelope(asked), "choices": [choice], **more, "p": padding})

    def thought(self, asked: Asked, piece: Thought) -> Iterator[bytes]:
        """A list with an unclosed thought."""
        yield self.chunk(asked, {"content": [_thinking(piece.text, closed=False)]})

    def said(self, asked: Asked, piece: Said) -> Iterator[bytes]:
        """Plain text, but at the switch from thinking: one list with both kinds."""
        if piece.first and self.shows_reasoning(asked):
            both = [_thinking("", closed=True), {"type": "text", "text": piece.text}]
            yield self.chunk(asked, {"content": both})
        else:
            yield self.chunk(asked, {"content": piece.text})

    def called(self, asked: Asked, call: Called) -> Iterator[bytes]:
        """Nothing yet: calls come with the end."""
        return iter(())

    def end(self, asked: Asked, done: Finished) -> Iterator[bytes]:
        """Calls, finish and usage in one chunk."""
        calls = [self.call_object(asked, call) for call in done.calls]
        delta: Json = {"content": "", **({"tool_calls": calls} if calls else {})}
        yield self.chunk(asked, delta, done.reason, usage=self.usage(asked, done.spent))
        yield self.done()


def _thinking(text: str, *, closed: bool) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}], "closed": closed}


def _schema_detail(facts: Facts) -> Json:
    if facts.get("missing"):
        return {
            "type": "missing",
            "loc": facts.get("loc", []),
            "msg": "Field required",
            "input": {},
        }
    where = facts.get("loc", ["body", facts["name"]])
    return {
        "type": "extra_forbidden",
        "loc": where,
        "msg": "Extra inputs are not permitted",
        "input": facts.get("input"),
    }
