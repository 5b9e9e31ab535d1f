# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""Google AI Studio's OpenAI-shaped surface. As of November 2026.

Errors come in a list of one; no header tells of a limit; unknown fields are refused by name; the
calls of a Gemini 3 model carry a thought signature that must come back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freelm_integrations.lab.checks.google import CHECKS
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.limits import DAY, MINUTE, Tripped
from freelm_integrations.lab.loose import Json, items
from freelm_integrations.lab.refusals import Facts, Refusal, Refused
from freelm_integrations.lab.terms.google import MODELS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.lab.asked import Asked, Called, Finished, Said, Spent, Thought, Told
    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.replies import Whole

_MOST_INPUTS = 100
_ERRORS = "type.googleapis.com/google.rpc"


class Google(Dialect):
    """The dialect of generativelanguage.googleapis.com/v1beta/openai."""

    name = "google"
    models = MODELS
    refusals = REFUSALS
    checks = CHECKS
    prefix = "/v1beta/openai"
    key_prefix = "AIza"
    key_length = 39

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
        if len(items(body.get("input"))) > _MOST_INPUTS:
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
