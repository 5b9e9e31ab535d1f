"""Google AI Studio's OpenAI-shaped surface, as seen up to November 2026.

Errors come in a list of one; no header tells of a limit; unknown fields are refused by name; the calls of a
Gemini 3 model carry a thought signature that must come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

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
from freelm_integrations.lab.limits import DAY, MINUTE, LabLimit, Tripped
from freelm_integrations.lab.loose import Json, fields, items, words_of

_ARGUMENT, _EXHAUSTED = "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"
_UNKNOWN = frozenset(
    ["store", "seed", "random_seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "prompt_cache_key", "web_search_options", "metadata", "enable_thinking", "reasoning", "include_reasoning", "reasoning_format", "top_k", "min_p", "safe_prompt", "plugins", "provider", "transforms", "chat_template_kwargs", "guided_json", "prompt_mode"]
)
_QUOTA_TEXT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this "
    "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: {metric}, "
    "limit: {limit}, model: {model}\nPlease retry in {wait}s."
)
_ERRORS = "type.googleapis.com/google.rpc"


def _free(minute: int, day: int, tokens: int) -> tuple[LabLimit, ...]:
    return (
        LabLimit(minute, "requests"),
        LabLimit(day, "requests", DAY, refill="pacific_day"),
        LabLimit(tokens, "tokens"),
    )


_FLASH = _free(10, 20, 250_000)
_LITE = _free(15, 500, 250_000)
_GEMMA = _free(30, 1_500, 15_000)
_NONE = _free(0, 0, 0)
_ABLE = "tools vision reasoning schema"
_GEMINI = {"context": 1_048_576, "output": 65_536}
_OPEN = {"context": 262_144, "output": 32_768}


def _check_messages(asked: Asked) -> Refused | None:
    for message in asked.messages:
        if (
            not words_of(message.get("content"))
            and not items(message.get("content"))
            and not calls_of(message)
        ):
            return Refused("empty_content")
    return _check_order(asked)


def _check_order(asked: Asked) -> Refused | None:
    last = asked.messages[-1]
    if last.get("role") == "assistant" and not asked.model.id.startswith(
        ("gemini-3-", "gemini-3.1-")
    ):
        return Refused(
            "malformed", {"detail": "Requests ending with a model turn are not supported."}
        )
    owed, before = 0, "system"
    for message in asked.messages:
        role = str(message.get("role"))
        if owed > 0 and role != "tool":
            return Refused("wrong_results")
        owed = owed - 1 if role == "tool" else len(calls_of(message))
        if owed < 0:
            return Refused("wrong_results")
        if calls_of(message) and before == "assistant":
            return Refused("wrong_turn")
        before = role
    return Refused("wrong_results") if owed else None


def _check_signatures(asked: Asked) -> Refused | None:
    if not asked.model.id.startswith("gemini-3"):
        return None
    for place, message in enumerate(asked.messages):
        for call in calls_of(message)[:1]:
            if not _signature_of(call):
                name = fields(call.get("function")).get("name")
                return Refused("no_signature", {"name": name, "place": place})
    return None


def _signature_of(call: Json) -> str | None:
    google = fields(fields(call.get("extra_content")).get("google"))
    signature = google.get("thought_signature")
    return signature if isinstance(signature, str) and signature else None


def _check_features(asked: Asked) -> Refused | None:
    effort = asked.body.get("reasoning_effort")
    if effort == "none" and not asked.model.id.startswith(("gemini-2.5-flash", "gemma")):
        return Refused("malformed", {"detail": "Thinking can not be disabled for this model."})
    if asked.body.get("tools") and format_of(asked) != "text" and "-2." in asked.model.id:
        detail = "Function calling with a response mime type: 'application/json' is unsupported"
        return Refused("malformed", {"detail": detail})
    return refuse_fields(asked, _UNKNOWN)


class Google(Dialect):
    """The dialect of generativelanguage.googleapis.com/v1beta/openai."""

    name = "google"
    prefix = "/v1beta/openai"
    key_prefix = "AIza"
    key_length = 39
    checks = (_check_features, _check_messages, _check_signatures)
    models = (
        chat("gemini-3.5-flash-lite", _ABLE, limits=_LITE, **_GEMINI),
        chat("gemini-3.1-flash-lite", _ABLE, limits=_LITE, **_GEMINI),
        chat("gemini-3.8-flash", _ABLE, limits=_FLASH, **_GEMINI),
        chat("gemini-3.7-flash", _ABLE, limits=_FLASH, **_GEMINI),
        chat("gemini-3.6-flash", _ABLE, limits=_FLASH, **_GEMINI),
        chat("gemini-3.5-flash", _ABLE, limits=_FLASH, **_GEMINI),
        chat("gemini-3-flash-preview", _ABLE, limits=_FLASH, **_GEMINI),
        chat("gemma-4-31b-it", _ABLE, limits=_GEMMA, **_OPEN),
        chat("gemma-4-26b-a4b-it", _ABLE, limits=_GEMMA, **_OPEN),
        chat("gemini-3.1-pro-preview", _ABLE, limits=_NONE, standing="priced", **_GEMINI),
        chat("gemini-2.5-pro", _ABLE, limits=_NONE, standing="priced", **_GEMINI),
        chat("gemini-2.5-flash-lite", _ABLE, standing="retired", **_GEMINI),
        embedder("gemini-embedding-001", 3_072, limits=_free(100, 1_000, 30_000), context=2_048),
        decoy("gemini-2.5-flash-preview-tts"),
        decoy("gemini-3.1-flash-image"),
        decoy("gemini-live-2.5-flash-preview"),
        decoy("imagen-4.0-generate-001"),
        decoy("veo-3.1-generate-preview"),
        decoy("aqa"),
        chat("gemini-2.0-flash", _ABLE, standing="gone", **_GEMINI),
    )
    refusals: Mapping[str, Refusal] = {
        "no_key": Refusal(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API "
            "Key or other form of API consumer identity to call this API.",
            "PERMISSION_DENIED",
        ),
        "no_bearer": Refusal(400, "Missing or invalid Authorization header.", _ARGUMENT),
        "two_keys": Refusal(
            400, "Multiple authentication credentials received. Please pass only one.", _ARGUMENT
        ),
        "unauthorized": Refusal(
            400, "API key not valid. Please pass a valid API key.", _ARGUMENT, "API_KEY_INVALID"
        ),
        "payment_required": Refusal(
            403, "Your project has been denied access.", "PERMISSION_DENIED"
        ),
        "forbidden_model": Refusal(
            403, "Requests to this API are blocked for {model}.", "PERMISSION_DENIED"
        ),
        "model_gone": Refusal(
            404,
            "models/{model} is not found for API version v1main, or is not supported for generateContent. Call "
            "ListModels to see the list of available models and their supported methods.",
            "NOT_FOUND",
        ),
        "model_retired": Refusal(
            404, "This model models/{model} is no longer available to new users.", "NOT_FOUND"
        ),
        "priced_model": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
        "no_path": Refusal(404, "Requested entity was not found.", "NOT_FOUND"),
        "malformed": Refusal(400, "{detail}", _ARGUMENT),
        "unsupported": Refusal(
            400,
            'Invalid JSON payload received. Unknown name "{name}": Cannot find field.',
            _ARGUMENT,
            "unknown_name",
        ),
        "empty_content": Refusal(
            400, "Unable to submit request because it must have a text parameter.", _ARGUMENT
        ),
        "wrong_results": Refusal(
            400,
            "Please ensure that the number of function response parts is equal to the number of function call "
            "parts of the function call turn.",
            _ARGUMENT,
        ),
        "wrong_turn": Refusal(
            400,
            "Please ensure that function call turn comes immediately after a user turn or after a function "
            "response turn.",
            _ARGUMENT,
        ),
        "no_signature": Refusal(
            400,
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
            "work correctly. Additional data, function call `default_api:{name}`, position {place}.",
            _ARGUMENT,
        ),
        "context_overflow": Refusal(
            400,
            "The input token count ({size}) exceeds the maximum number of tokens allowed ({context}).",
            _ARGUMENT,
        ),
        "too_large": Refusal(
            400, "Request payload size exceeds the limit: 20971520 bytes.", _ARGUMENT
        ),
        "too_many_inputs": Refusal(
            400,
            "BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
            _ARGUMENT,
        ),
        "rate_limited": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
        "daily_quota": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
        "no_allowance": Refusal(429, _QUOTA_TEXT, _EXHAUSTED, "quota"),
        "shared_capacity": Refusal(
            429, "Resource has been exhausted (e.g. check quota).", _EXHAUSTED
        ),
        "moderated": Refusal(400, "The request was blocked by our safety filters.", _ARGUMENT),
        "server_error": Refusal(500, "An internal error has occurred. Please retry.", "INTERNAL"),
        "overloaded": Refusal(
            503,
            "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please "
            "try again later.",
            "UNAVAILABLE",
        ),
    }

    def missing_key(self, headers: Mapping[str, str]) -> Refused | None:
        """A second credential is refused, and so is the native surface's own header."""
        bearer = super().missing_key(headers)
        native = "x-goog-api-key" in headers or "?key=" in headers.get(":path", "")
        if native:
            return Refused("two_keys" if bearer is None else "no_bearer")
        return bearer

    def find_model(self, wanted: str) -> LabModel | None:
        """With or without the prefix the list shows."""
        return super().find_model(wanted.removeprefix("models/"))

    def tripped(self, trip: Tripped, now: float) -> Refused:
        """A prompt beyond the minute's tokens is told as that quota."""
        refused = super().tripped(trip, now)
        return Refused("rate_limited", refused.facts) if refused.kind == "too_large" else refused

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """Name the metric; a day's quota comes with a wait that misleads."""
        per = facts.get("per", DAY if kind == "daily_quota" else MINUTE)
        wait = facts.get("retry_after")
        if wait is None:
            wait = 22.38 if kind == "daily_quota" else min(float(facts.get("wait", 38.2)), 60.0)
        unit = "input_token_count" if facts.get("unit") == "tokens" else "requests"
        metric = f"generativelanguage.googleapis.com/generate_content_free_tier_{unit}"
        more = {"per": per, "wait": f"{wait:.9f}".rstrip("0").rstrip("."), "metric": metric}
        limit = {"limit": 0} if kind == "priced_model" else {}
        limit = {"limit": 20} if kind == "daily_quota" and "limit" not in facts else limit
        return super().refuse(kind, {**facts, **more, **limit})

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """A list of one, indented, with details of several types."""
        error: Json = {"code": row.status, "message": message, "status": row.type}
        details = _details(row, message, facts)
        if details:
            error["details"] = details
        return json.dumps([{"error": error}], indent=2, ensure_ascii=False).encode() + b"\n"

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """Nothing that tells of a limit."""
        return {"server-timing": "gfet4t7; dur=120"}

    def charged(self, spent: Spent) -> int:
        """Only the prompt counts."""
        return spent.prompt

    def encode(self, value: object) -> bytes:
        """Keys in alphabetical order."""
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()

    def model_row(self, model: LabModel) -> Json:
        """Ids carry a prefix; nothing says what a model can do."""
        shown = model.id.replace("-", " ").title()
        return {
            "id": f"models/{model.id}",
            "object": "model",
            "owned_by": "google",
            "display_name": shown,
        }

    def check_embeddings(self, model: LabModel, body: Json) -> Refused | None:
        """At most 100 texts."""
        if len(items(body.get("input"))) > 100:
            return Refused("too_many_inputs")
        return super().check_embeddings(model, body)

    def continues(self, asked: Asked) -> bool:
        """The models that accept such a history carry it on."""
        return True

    def answer_id(self, asked: Asked) -> str:
        """A bare id."""
        return asked.ids.alnum(22)

    def call_id(self, asked: Asked, call: Called) -> str:
        """A number with a prefix."""
        return f"function-call-{int(asked.ids.hex(15, call.place), 16)}"

    def call_object(self, asked: Asked, call: Called) -> Json:
        """The first of parallel calls carries the thought signature."""
        whole = super().call_object(asked, call)
        if call.place == 0 and asked.model.id.startswith("gemini-3"):
            whole["extra_content"] = {
                "google": {"thought_signature": f"{asked.ids.alnum(30, 'sign')}=="}
            }
        return whole

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """Thinking is in the total alone."""
        said = spent.completion - spent.reasoning
        return {
            "completion_tokens": said,
            "prompt_tokens": spent.prompt,
            "total_tokens": spent.total,
        }

    def finish_reason(self, asked: Asked, done: Finished | Told) -> str:
        """In streams a tool call ends with `stop`."""
        return "stop" if asked.stream and done.reason == "tool_calls" else done.reason

    def message(self, asked: Asked, told: Told) -> Json:
        """Gemma's thoughts stand inside the text; those of Gemini are not shown."""
        message = super().message(asked, told)
        message.pop("reasoning", None)
        if told.reasoning and _thinks_aloud(asked):
            message["content"] = f"<thought>{told.reasoning}</thought>{told.text}"
            message["extra_content"] = {"google": {"thought": True}}
        if message["content"] is None:
            del message["content"]
        return message

    def chunk(self, asked: Asked, delta: Json, finish: str | None = None, **more: object) -> bytes:
        """The role on every delta, and no finish reason before the end."""
        choice: Json = {"index": 0, "delta": {"role": "assistant", **delta}}
        if finish is not None:
            choice["finish_reason"] = finish
        return self.event({**self.envelope(asked), "choices": [choice], **more})

    def begin(self, asked: Asked) -> Iterator[bytes]:
        """Nothing before the first content, but Gemma's opening tag."""
        if _thinks_aloud(asked):
            yield self.chunk(
                asked, {"content": "<thought>", "extra_content": {"google": {"thought": True}}}
            )

    def thought(self, asked: Asked, piece: Thought) -> Iterator[bytes]:
        """Shown by Gemma, as text with a flag."""
        if _thinks_aloud(asked):
            yield self.chunk(
                asked, {"content": piece.text, "extra_content": {"google": {"thought": True}}}
            )

    def said(self, asked: Asked, piece: Said) -> Iterator[bytes]:
        """Text; the closing tag is glued to the front of the first piece."""
        closing = "</thought>" if piece.first and _thinks_aloud(asked) else ""
        yield self.chunk(asked, {"content": closing + piece.text})

    def called(self, asked: Asked, call: Called) -> Iterator[bytes]:
        """Whole, and every call has index 0."""
        yield self.chunk(asked, {"tool_calls": [{"index": 0, **self.call_object(asked, call)}]})

    def end(self, asked: Asked, done: Finished) -> Iterator[bytes]:
        """Usage on the finish chunk where it was asked for."""
        usage = {"usage": self.usage(asked, done.spent)} if asked.wants_usage else {}
        yield self.chunk(asked, {}, self.finish_reason(asked, done), **usage)
        yield self.done()

    def error_event(self, asked: Asked) -> bytes:
        """The error object, bare."""
        error = {
            "code": 503,
            "message": "The model is overloaded. Please try again later.",
            "status": "UNAVAILABLE",
        }
        return self.event({"error": error})


def _thinks_aloud(asked: Asked) -> bool:
    return asked.model.id.startswith("gemma")


def _details(row: Refusal, message: str, facts: Facts) -> list[Json]:
    if row.code == "quota":
        return _quota_details(facts)
    if row.code == "API_KEY_INVALID":
        where = {"service": "generativelanguage.googleapis.com"}
        info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": where}
        return [{"@type": f"{_ERRORS}.ErrorInfo", **info}]
    if row.code == "unknown_name":
        return [{"@type": f"{_ERRORS}.BadRequest", "fieldViolations": [{"description": message}]}]
    return []


def _quota_details(facts: Facts) -> list[Json]:
    window = "PerDay" if facts["per"] >= DAY else "PerMinute"
    requests = f"GenerateRequests{window}PerProjectPerModel-FreeTier"
    tokens = f"GenerateContentInputTokensPerModel{window}-FreeTier"
    violation: Json = {
        "quotaMetric": facts["metric"],
        "quotaId": tokens if facts.get("unit") == "tokens" else requests,
        "quotaDimensions": {"location": "global", "model": facts["model"]},
    }
    if facts["limit"]:
        violation["quotaValue"] = str(facts["limit"])
    link = {
        "description": "Learn more about Gemini API quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    }
    return [
        {"@type": f"{_ERRORS}.QuotaFailure", "violations": [violation]},
        {"@type": f"{_ERRORS}.Help", "links": [link]},
        {"@type": f"{_ERRORS}.RetryInfo", "retryDelay": f"{facts['wait']}s"},
    ]
