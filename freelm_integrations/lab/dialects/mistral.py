# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""Mistral: flat errors with digits for codes, thinking inside content lists. November 2026."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.checks.mistral import CHECKS, extra_field
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.limits import MINUTE, MONTH, Meter
from freelm_integrations.lab.loose import Json, compact, words_of
from freelm_integrations.lab.refusals import seconds_told
from freelm_integrations.lab.terms.mistral import LIMITS, MODELS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freelm_integrations.lab.asked import Asked, Called, Finished, Said, Spent, Thought, Told
    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.refusals import Facts, Refusal, Refused


class Mistral(Dialect):
    """The dialect of api.mistral.ai."""

    name = "mistral"
    models = MODELS
    limits = LIMITS
    refusals = REFUSALS
    checks = CHECKS
    prefix = "/v1"
    key_length = 32
    id_prefix = ""
    size_name = "output_dimension"

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """Flat with digits for a code, or the shorter shapes of gateway and schema guard."""
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
        headers = {"retry-after": seconds_told(told)} if told is not None and row.throttles else {}
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
                headers[f"x-ratelimit-remaining-{name}"] = str(meter.whole_room(now))
        return headers

    def check_embeddings(self, model: LabModel, body: Json) -> Refused | None:
        """The length of vectors goes by another name here."""
        foreign = extra_field("dimensions", body) if "dimensions" in body else None
        return foreign or super().check_embeddings(model, body)

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
