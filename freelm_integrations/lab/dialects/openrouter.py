# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""OpenRouter: keep-alive comments, padded bodies, one account's allowance. November 2026."""

from __future__ import annotations

from datetime import timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from freelm_integrations.lab.checks.openrouter import CHECKS
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.dialects.openrouter_rows import model_row
from freelm_integrations.lab.limits import MINUTE, next_midnight
from freelm_integrations.lab.loose import Json, compact, fields
from freelm_integrations.lab.refusals import seconds_told
from freelm_integrations.lab.terms.openrouter import LIMITS, MODELS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.lab.asked import Asked, Finished, Spent, Thought, Told
    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.refusals import Facts, Refusal


_UNBOUGHT = 50
"""Free calls a day of who has never bought credit."""


class OpenRouter(Dialect):
    """The dialect of openrouter.ai."""

    name = "openrouter"
    models = MODELS
    limits = LIMITS
    refusals = REFUSALS
    checks = CHECKS
    prefix = "/api/v1"
    key_prefix = "sk-or-v1-"
    key_length = 73
    id_prefix = "gen-"
    open_paths = frozenset({"models"})

    def paths(self) -> Mapping[tuple[str, str], str]:
        """Also the state of a key."""
        return {**super().paths(), ("GET", f"{self.prefix}/key"): "key"}

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """The envelope with a number for a code, and metadata that differs by kind."""
        error: Json = {"message": message, "code": row.status}
        metadata = self._metadata(row, facts)
        if metadata:
            error["metadata"] = metadata
        if isinstance(row.code, str) and not row.throttles:
            error["availability"] = _availability(row, facts)
        return compact({"error": error, "user_id": "user_lab"})

    def _metadata(self, row: Refusal, facts: Facts) -> Json:
        if row.code == "upstream_provider_shared_pool":
            return _upstream(row, facts)
        if row.throttles:
            own = {"provider_name": None, "limit_source": row.code, "error_type": row.type}
            return {"headers": self._limit_headers(row, facts), **own}
        if row.type == "moderation":
            flagged = {"reasons": ["violence"], "flagged_input": "...", "provider_name": "Lab"}
            return {**flagged, "model_slug": facts["model"]}
        return {"error_type": row.type} if row.type else {}

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Only its own 429 has them, and only the upstream's has Retry-After."""
        if row.code == "upstream_provider_shared_pool":
            return {"retry-after": seconds_told(_wait(facts))}
        return self._limit_headers(row, facts) if row.throttles else {}

    def _limit_headers(self, row: Refusal, facts: Facts) -> dict[str, str]:
        daily = row.code == "openrouter_free_tier_daily"
        default = (
            next_midnight(facts["now"], timezone.utc)
            if daily
            else facts["now"] + facts.get("wait", MINUTE)
        )
        asked_for = facts.get("retry_after")
        resets_at = default if asked_for is None else facts["now"] + asked_for
        limit = facts.get("limit", 0) if facts.get("tripped") else (50 if daily else 20)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(resets_at * 1000)),
        }

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """What every answer carries."""
        generation = {"x-generation-id": self._generation(facts)} if "letters" in facts else {}
        return {"cf-ray": "lab", **generation}

    def model_row(self, model: LabModel) -> Json:
        """With prices in strings, and what each model takes."""
        return model_row(model)

    def listed(self) -> Iterator[LabModel]:
        """Models of text only, unless asked."""
        return (model for model in super().listed() if not model.has("embed"))

    def model_list(self) -> bytes:
        """With a count and a link."""
        rows = [self.model_row(model) for model in self.listed()]
        return compact({"data": rows, "total_count": len(rows), "links": {"next": None}})

    def key_state(self, used: int, limit: int) -> bytes:
        """What `GET /key` tells."""
        data = {
            "label": "sk-or-v1-lab...",
            "limit": None,
            "limit_remaining": None,
            "limit_reset": None,
            "usage": 0,
            "is_free_tier": limit <= _UNBOUGHT,
            "rate_limit": {"requests": -1, "interval": "10s"},
            "free_model_daily_requests": {
                "limit": limit,
                "used": used,
                "remaining": max(0, limit - used),
            },
        }
        return compact({"data": data})

    def shows_reasoning(self, asked: Asked) -> bool:
        """Unless it is excluded or switched off."""
        wanted = fields(asked.body.get("reasoning"))
        off = (
            wanted.get("exclude") is True
            or wanted.get("enabled") is False
            or wanted.get("effort") == "none"
        )
        return (
            super().shows_reasoning(asked)
            and not off
            and asked.body.get("reasoning_effort") != "none"
        )

    def continues(self, asked: Asked) -> bool:
        """Most upstreams do; those of gpt-oss start afresh."""
        return "gpt-oss" not in asked.model.id

    def answer_id(self, asked: Asked) -> str:
        """`gen-`, the time, and letters."""
        return self._generation({"now": asked.now, "letters": asked.ids.alnum(20)})

    def _generation(self, facts: Facts) -> str:
        return f"{self.id_prefix}{int(facts['now'])}-{facts['letters']}"

    def envelope(self, asked: Asked) -> Json:
        """With the provider behind."""
        whole = {**super().envelope(asked), "provider": "Lab", "system_fingerprint": None}
        if asked.model.id == "openrouter/free":
            whole["model"] = "nvidia/nemotron-3.5-lightning:free"
        return whole

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """With costs."""
        costs = {"cost": 0, "is_byok": False, "prompt_tokens_details": {"cached_tokens": 0}}
        return {**super().usage(asked, spent), **costs}

    def message(self, asked: Asked, told: Told) -> Json:
        """Reasoning twice: as text and in details."""
        message = {**super().message(asked, told), "refusal": None}
        if told.reasoning:
            message["reasoning_details"] = [_detail(told.reasoning)]
        return message

    def whole(self, asked: Asked, told: Told) -> Json:
        """With the upstream's own word for the finish."""
        whole = super().whole(asked, told)
        whole["choices"][0].update(native_finish_reason=told.reason, logprobs=None)
        return whole

    def whole_body(self, asked: Asked, told: Told) -> bytes:
        """Padded in front, as kept-alive bodies are."""
        return b"\n         \n         \n" + super().whole_body(asked, told)

    def chunk(self, asked: Asked, delta: Json, finish: str | None = None, **more: Any) -> bytes:
        """The role and content on every delta."""
        choice: Json = {
            "index": 0,
            "delta": {"role": "assistant", "content": "", **delta},
            "finish_reason": finish,
            "native_finish_reason": finish,
            "logprobs": None,
        }
        return self.event({**self.envelope(asked), "choices": [choice], **more})

    def begin(self, asked: Asked) -> Iterator[bytes]:
        """Comments before anything is said."""
        yield self.keep_alive()
        yield self.keep_alive()

    def thought(self, asked: Asked, piece: Thought) -> Iterator[bytes]:
        """Reasoning twice: as text and in details."""
        yield self.chunk(
            asked, {"reasoning": piece.text, "reasoning_details": [_detail(piece.text)]}
        )

    def end(self, asked: Asked, done: Finished) -> Iterator[bytes]:
        """Usage in a chunk of its own, always."""
        yield self.chunk(asked, {}, done.reason)
        usage = self.usage(asked, done.spent)
        yield self.chunk(asked, {}, None, usage=usage)
        yield self.done()

    def error_event(self, asked: Asked) -> bytes:
        """An error beside an empty choice that ended in it."""
        error = {
            "code": 502,
            "message": "Provider disconnected",
            "metadata": {"error_type": "provider_unavailable"},
        }
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": ""},
            "finish_reason": "error",
        }
        return self.event({**self.envelope(asked), "error": error, "choices": [choice]})

    def keep_alive(self) -> bytes:
        """The comment it sends while an upstream is silent."""
        return b": OPENROUTER PROCESSING\n\n"


def _detail(text: str) -> Json:
    return {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}


def _wait(facts: Facts) -> float:
    told: float | None = facts.get("retry_after")
    return max(1, round(float(facts["wait"]))) if told is None else told


def _upstream(row: Refusal, facts: Facts) -> Json:
    return {
        "raw": f"{facts['model']} is temporarily rate-limited upstream. Please retry shortly.",
        "provider_name": "Lab",
        "is_byok": False,
        "limit_source": row.code,
        "retry_after_seconds": _wait(facts),
        "headers": {"Retry-After": seconds_told(_wait(facts))},
    }


def _availability(row: Refusal, facts: Facts) -> Json:
    told: Json = {
        "code": row.code,
        "retryable": row.status == HTTPStatus.SERVICE_UNAVAILABLE,
        "requested_models": [facts["model"]],
        "docs_url": "https://openrouter.ai/docs/errors",
    }
    if row.code == "free_variant_ended":
        told["fallback_models"] = [str(facts["model"]).removesuffix(":free")]
    if row.status == HTTPStatus.SERVICE_UNAVAILABLE:
        told["retry_after"] = _wait(facts)
    return told
