"""OpenRouter, as seen up to November 2026: one allowance over all free models, keep-alive comments, padded bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timezone
from typing import Any

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.dialects.asked import Asked, Finished, Spent, Thought, Told
from freelm_integrations.lab.dialects.dialect import Dialect, Facts, Refusal, Refused, format_of
from freelm_integrations.lab.limits import DAY, MINUTE, LabLimit, next_midnight
from freelm_integrations.lab.loose import Json, compact, fields

_FREE = {"prompt": "0", "completion": "0"}
_PAID = {"prompt": "0.0000002", "completion": "0.0000006"}
_RATE = "rate_limit_exceeded"


def _check_features(asked: Asked) -> Refused | None:
    if asked.body.get("tools") and not asked.model.has("tools"):
        return Refused("no_endpoint", {"detail": "No endpoints found that support tool use."})
    strict = fields(asked.body.get("provider")).get("require_parameters") is True
    if strict and format_of(asked) == "json_schema" and not asked.model.has("schema"):
        return Refused(
            "no_endpoint",
            {"detail": "No endpoints found that can handle the requested parameters."},
        )
    both = {
        asked.body.get("reasoning_effort"),
        fields(asked.body.get("reasoning")).get("effort"),
    } - {None}
    return (
        Refused("malformed", {"detail": "reasoning.effort and reasoning_effort differ"})
        if len(both) > 1
        else None
    )


def _check_images(asked: Asked) -> Refused | None:
    parts = str([message.get("content") for message in asked.messages])
    if "image_url" in parts and not asked.model.has("vision"):
        return Refused("no_endpoint", {"detail": "No endpoints found that support image input"})
    return None


class OpenRouter(Dialect):
    """The dialect of openrouter.ai."""

    name = "openrouter"
    prefix = "/api/v1"
    key_prefix = "sk-or-v1-"
    key_length = 73
    id_prefix = "gen-"
    open_paths = frozenset({"models"})
    checks = (_check_features, _check_images)
    limits = (
        LabLimit(20, "requests", scope="account"),
        LabLimit(50, "requests", DAY, scope="account", refill="utc_day"),
    )
    models = (
        chat("nvidia/nemotron-3-super-120b-a12b:free", "tools reasoning schema", context=262_144),
        chat("nvidia/nemotron-3.5-lightning:free", "tools reasoning schema", context=1_048_576),
        chat("google/gemma-4-31b-it:free", "tools vision reasoning schema", context=262_144),
        chat("google/gemma-4-26b-a4b-it:free", "tools vision reasoning schema", context=262_144),
        chat("cohere/north-mini-code:free", "tools", context=256_000),
        chat("poolside/laguna-s-2.1:free", "tools", context=262_144),
        chat("liquid/lfm-2.5-2.6b:free", context=65_536),
        chat("openrouter/free", "tools vision schema", context=200_000),
        chat("openai/gpt-oss-120b", "tools reasoning schema", standing="priced"),
        chat(
            "anthropic/claude-sonnet-4.6",
            "tools vision reasoning schema",
            standing="priced",
            context=1_000_000,
        ),
        embedder("nvidia/llama-nemotron-embed-vl-1b-v2:free", 2_048, limits=()),
        decoy("meta-llama/llama-guard-4-12b-content-safety:free"),
        chat("openai/gpt-oss-20b:free", "tools", standing="gone"),
    )
    refusals: Mapping[str, Refusal] = {
        "no_key": Refusal(401, "No auth credentials found"),
        "unauthorized": Refusal(401, "User not found."),
        "payment_required": Refusal(
            402,
            "This request requires more credits, or fewer max_tokens. You requested up to 16384 tokens, but can "
            "only afford 0. To increase, visit https://openrouter.ai/settings/credits and add more credits",
        ),
        "forbidden_model": Refusal(
            404,
            "No endpoints found matching your data policy (Free model training). Configure: "
            "https://openrouter.ai/settings/privacy",
            code="privacy_restricted",
        ),
        "model_gone": Refusal(
            404,
            "The free variant of {model} has ended.",
            code="free_variant_ended",
        ),
        "unknown_model": Refusal(400, "{model} is not a valid model ID", code="model_not_found"),
        "wrong_endpoint": Refusal(400, "{model} is not a chat model", code="wrong_endpoint"),
        "no_endpoint": Refusal(404, "{detail}", code="constraint_filtered"),
        "no_path": Refusal(404, "Not Found"),
        "malformed": Refusal(400, "{detail}", "invalid_request"),
        "context_overflow": Refusal(
            400,
            "This endpoint's maximum context length is {context} tokens. However, you requested about {size} "
            "tokens ({size} of text input). Please reduce the length of either one, or use the context-compression "
            "plugin to compress your prompt automatically.",
            "context_length_exceeded",
        ),
        "too_large": Refusal(413, "Request entity too large", "payload_too_large"),
        "rate_limited": Refusal(
            429,
            "Rate limit exceeded: free-models-per-min. ",
            _RATE,
            "openrouter_free_tier_per_minute",
        ),
        "daily_quota": Refusal(
            429,
            "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
            _RATE,
            "openrouter_free_tier_daily",
        ),
        "shared_capacity": Refusal(
            429, "Provider returned error", _RATE, "upstream_provider_shared_pool"
        ),
        "moderated": Refusal(
            403, "{model} requires moderation on the lab. Your input was flagged", "moderation"
        ),
        "server_error": Refusal(500, "Internal Server Error", "server"),
        "overloaded": Refusal(
            503, "No capacity is left at the providers of {model}", code="temporarily_unavailable"
        ),
    }

    def paths(self) -> Mapping[tuple[str, str], str]:
        """Also the state of a key."""
        return {**super().paths(), ("GET", f"{self.prefix}/key"): "key"}

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """The envelope with a number for a code, and metadata that differs by kind."""
        error: Json = {"message": message, "code": row.status}
        metadata = self._metadata(row, facts)
        if metadata:
            error["metadata"] = metadata
        if isinstance(row.code, str) and row.status != 429:
            error["availability"] = _availability(row, facts)
        return compact({"error": error, "user_id": "user_lab"})

    def _metadata(self, row: Refusal, facts: Facts) -> Json:
        if row.code == "upstream_provider_shared_pool":
            return _upstream(row, facts)
        if row.status == 429:
            own = {"provider_name": None, "limit_source": row.code, "error_type": row.type}
            return {"headers": self._limit_headers(row, facts), **own}
        if row.type == "moderation":
            flagged = {"reasons": ["violence"], "flagged_input": "...", "provider_name": "Lab"}
            return {**flagged, "model_slug": facts["model"]}
        return {"error_type": row.type} if row.type else {}

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Only its own 429 has them, and only the upstream's has Retry-After."""
        if row.code == "upstream_provider_shared_pool":
            return {"retry-after": str(_wait(facts))}
        return self._limit_headers(row, facts) if row.status == 429 else {}

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
        return {"cf-ray": "lab"}

    def model_row(self, model: LabModel) -> Json:
        """With prices in strings, and what each model takes."""
        ways = ["text", "image"] if model.has("vision") else ["text"]
        row: Json = {
            "id": model.id,
            "canonical_slug": model.id.removesuffix(":free"),
            "name": model.id,
            "created": 1_788_220_800,
            "description": "A model of the lab.",
            "context_length": model.context,
            "architecture": {
                "modality": f"{'+'.join(ways)}->text",
                "input_modalities": ways,
                "output_modalities": ["text"],
                "tokenizer": "Other",
                "instruct_type": None,
            },
            "pricing": dict(_PAID if model.standing == "priced" else _FREE),
            "top_provider": {
                "context_length": model.context,
                "max_completion_tokens": model.output,
                "is_moderated": False,
            },
            "per_request_limits": None,
            "supported_parameters": _parameters(model),
            "default_parameters": {},
            "expiration_date": None,
        }
        if model.has("reasoning"):
            row["reasoning"] = {
                "mandatory": False,
                "default_enabled": True,
                "supported_efforts": ["high", "low"],
            }
        return row

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
            "is_free_tier": True,
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
        return f"gen-{asked.created}-{asked.ids.alnum(20)}"

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


def _wait(facts: Facts) -> int:
    told = facts.get("retry_after")
    return max(1, round(facts["wait"] if told is None else told))


def _upstream(row: Refusal, facts: Facts) -> Json:
    return {
        "raw": f"{facts['model']} is temporarily rate-limited upstream. Please retry shortly.",
        "provider_name": "Lab",
        "is_byok": False,
        "limit_source": row.code,
        "retry_after_seconds": _wait(facts),
        "headers": {"Retry-After": str(_wait(facts))},
    }


def _availability(row: Refusal, facts: Facts) -> Json:
    told: Json = {
        "code": row.code,
        "retryable": row.status == 503,
        "requested_models": [facts["model"]],
        "docs_url": "https://openrouter.ai/docs/errors",
    }
    if row.code == "free_variant_ended":
        told["fallback_models"] = [str(facts["model"]).removesuffix(":free")]
    if row.status == 503:
        told["retry_after"] = _wait(facts)
    return told


def _parameters(model: LabModel) -> list[str]:
    names = ["max_tokens", "temperature", "top_p", "stop", "seed"]
    if model.has("tools"):
        names += ["tools", "tool_choice"]
    if model.has("schema"):
        names += ["response_format", "structured_outputs"]
    if model.has("reasoning"):
        names += ["reasoning", "include_reasoning"]
    return names
