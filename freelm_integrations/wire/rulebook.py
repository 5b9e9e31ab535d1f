"""What refusals mean, as an ordered table: the first rule that fits says the kind and the scope.

From the providers' documentation and recorded traffic of 2026. Rules name a provider where only it
speaks so; the rest is general, because most endpoints are one of a few servers by another name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from freelm_integrations.wire.complaints import Complaint
    from freelm_integrations.wire.faults import FaultKind, Scope


class Rule(NamedTuple):
    """Fits a refusal when everything it names fits.

    That is: one of `statuses`, one of `words` (codes, types, reasons), one of `fields`, and `text`
    is found; words and text in lower case. `retry_after` (s) is the wait where the server names
    none.
    """

    kind: FaultKind
    scope: Scope | None = None
    statuses: frozenset[int] = frozenset()
    words: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    text: re.Pattern[str] | None = None
    retry_after: float | None = None

    def fits(self, said: Complaint) -> bool:
        """Whether this rule speaks of that refusal."""
        return (
            (not self.statuses or said.status in self.statuses)
            and (not self.words or not self.words.isdisjoint(said.words))
            and (not self.fields or not self.fields.isdisjoint(said.fields))
            and (self.text is None or self.text.search(said.text) is not None)
        )


def rule(
    kind: FaultKind,
    scope: Scope | None = None,
    *,
    on: tuple[int, ...] = (),
    words: str = "",
    fields: str = "",
    text: str = "",
    retry_after: float | None = None,
) -> Rule:
    """A rule, written shortly: words and fields apart by spaces, `text` a regular expression."""
    return Rule(
        kind,
        scope,
        frozenset(on),
        frozenset(words.split()),
        frozenset(fields.split()),
        re.compile(text) if text else None,
        retry_after,
    )


_REQUEST = (400, 403, 404, 409, 412, 413, 422)
_BODY = (400, 413, 422, 500)

_WHOLE_PROVIDER = (
    rule("blocked", "model", words="region_restricted"),  # OpenRouter: one model, not the others
    rule("overloaded", "model", text=r"degraded function"),  # NIM: a sick server's 400
    rule("blocked", "provider", text=r"error code: 10\d\d"),  # Cloudflare, before Groq and others
    rule("blocked", "provider", on=(503,), words="html", text=r"cloudflare|just a moment"),
    rule("blocked", "provider", on=(403, 451), words="html"),
    rule("blocked", "provider", text=r"user location is not supported|not available in your"),
    rule("blocked", "provider", text=r"country, region, or territory not supported"),
    rule("blocked", "provider", words="github_models_retirement_brownout"),
)
_KEY = (
    rule("unauthorized", "key", words="api_key_invalid invalid_api_key wrong_api_key"),
    rule("unauthorized", "key", words="access_token_type_unsupported credentials_missing"),
    rule("unauthorized", "key", on=(400, 401), text=r"api key (?:not valid|expired|not found)"),
    rule("unauthorized", "key", on=(400, 401), text=r"invalid api key|multiple authentication"),
    rule("unauthorized", "key", on=(403,), text=r"reported as leaked|unregistered callers"),
    rule("unauthorized", "key", on=(403,), text=r"denied access|requests to this api .*blocked"),
    rule("unauthorized", "key", on=(403,), text=r"insufficient permissions"),  # Hugging Face
    rule("unauthorized", "key", on=(401,)),
    rule("unauthorized", "key", words="authentication authentication_error unauthenticated"),
)
_MONEY = (
    rule("unpaid", "key", on=(400, 402, 429), words="1113 1308"),  # Z.ai says so with a 429
    rule("unpaid", "route", on=(402,), text=r"can only afford|fewer max_tokens"),  # OpenRouter
    rule("unpaid", "account", words="payment_required_error payment_method_required"),
    rule("unpaid", "key", words="payment_required insufficient_quota insufficient_balance"),
    rule("unpaid", "key", on=(402,)),
)
_ALLOWANCE = (  # of zero: not busy, but never to be had
    rule("not_on_plan", "route", on=(429,), text=r"\blimit:? 0\b(?![.\d])"),  # Google, Groq
    rule("not_on_plan", "route", words="tier_not_allowed 1910"),  # Mistral
    rule("not_on_plan", "route", words="model_permission_blocked_org"),  # Groq
    rule("not_on_plan", "route", words="model_permission_blocked_project"),
    rule("not_on_plan", "route", words="privacy_restricted"),  # OpenRouter: the account's settings
    rule("not_on_plan", "route", on=(404,), text=r"data policy"),  # the same, before 2026-08
    rule("not_on_plan", "route", text=r"no longer available to new users"),  # Google
    rule("not_on_plan", "route", on=(404,), text=r"not found for account"),  # NIM
    rule("not_on_plan", "route", on=(403,), text=r"subscription|upgrade (?:your|to)"),  # Ollama
)
_TOO_MUCH = (
    rule("too_large", "route", on=(413,)),  # Groq: more than a minute's tokens; others: the body
    rule("too_large", "route", text=r"make sure your payload is below|request too large"),
    rule("too_large", "route", on=(500,), text=r"too large to process"),  # llama.cpp
)
_CAPACITY = (
    rule("throttled", "account", words="openrouter_free_tier_per_minute"),
    rule("throttled", "account", words="openrouter_free_tier_daily"),
    rule("throttled", "account", text=r"free-models-per-(?:min|day)"),
    rule("throttled", "account", on=(429,), words="4006 3036"),  # Cloudflare: the day's neurons
    rule("overloaded", "model", on=(429,), words="3040"),  # Cloudflare
    rule("overloaded", "model", words="upstream_provider_shared_pool capacity_exhausted"),
    rule("overloaded", "model", words="temporarily_unavailable provider_overloaded"),
    rule("overloaded", "model", on=(429,), text=r"provider returned error|upstream"),
    rule("overloaded", "model", on=(404, 429, 503), words="retryable"),  # OpenRouter
    rule("overloaded", "model", words="queue_exceeded", retry_after=1.0),  # Cerebras
    rule("overloaded", "model", on=(429, 503), words="3505"),  # Mistral
    rule("overloaded", "model", on=(429, 503), text=r"service tier capacity"),
    rule("overloaded", "model", on=(429,), words="1305"),  # Z.ai
    rule("overloaded", "route", on=(503,), text=r"loading model", retry_after=3.0),  # llama.cpp
    rule("overloaded", "model", text=r"resourceexhausted: worker|model is overloaded"),
    rule("overloaded", "model", on=(429, 503), text=r"high demand|high traffic"),
    rule("overloaded", "model", words="capacity_exceeded overloaded overloaded_error"),
    rule("throttled", "account", on=(429,), text=r"trial key|calls? ?/ ?month|per month"),  # Cohere
    rule("throttled", on=(429,)),
    rule("throttled", words="rate_limit_exceeded resource_exhausted rate_limited"),
    rule("throttled", words="request_quota_exceeded token_quota_exceeded"),
)
_ABILITY = (  # the model, or the upstream behind it, cannot do what this request needs
    rule("unsupported", "route", on=_REQUEST, words="constraint_filtered not_supported_error"),
    rule("unsupported", "route", on=(404,), text=r"no endpoints found that"),
    rule("unsupported", "route", on=(404,), text=r"requested parameters|guardrail restrictions"),
    rule("unsupported", "route", on=_REQUEST, text=r"enable-auto-tool-choice|tool-call-parser"),
    rule("unsupported", "route", on=_REQUEST, text=r"only supports single tool-calls"),
    rule("unsupported", "route", on=_REQUEST, text=r"does not support (?:tool|image|vision|func)"),
    rule("unsupported", "route", on=_REQUEST, text=r"calling with a response mime type"),
    rule("unsupported", "route", on=_REQUEST, text=r"missing a thought_signature"),
    rule("unsupported", "route", on=_REQUEST, text=r"incompatible with enable_thinking"),
    rule("unsupported", "route", on=_REQUEST, text=r"model turn are not supported"),
    rule("unsupported", "route", on=(501,)),
)
_MODEL = (
    # Cerebras says this of models that only a paid key may use, too.
    rule("model_gone", "route", on=(404,), words="model_not_found", text=r"not have access"),
    rule("model_gone", "model", words="model_not_found model_decommissioned model_deprecated"),
    rule("model_gone", "model", words="invalid_model free_variant_ended no_endpoints"),
    rule("model_gone", "model", words="model_unavailable_upstream wrong_endpoint"),
    rule("model_gone", "model", on=(400, 404), words="1500 1211"),  # Mistral, Z.ai
    rule("model_gone", "model", on=(404, 410), text=r"end of life|retired|decommissioned"),
    rule("model_gone", "model", on=(410,)),
)
_LENGTH = (
    rule("too_long", words="context_length_exceeded exceed_context_size_error"),
    rule("too_long", words="token_limit_exceeded max_tokens_exceeded string_too_long"),
    rule("too_long", on=_BODY, words="3051 1261"),  # Mistral, Z.ai
    rule("too_long", on=_BODY, text=r"maximum context length|context length is only"),
    rule("too_long", on=_BODY, text=r"input token count .*exceeds|reduce the length"),
    rule("too_long", on=_BODY, text=r"exceeds? the (?:\w+ ){0,3}context"),
    rule("too_long", on=_BODY, text=r"context (?:length|window|size).{0,40}exceed"),
    rule("too_long", on=_BODY, text=r"tokens to keep|prompt is too long|too many tokens"),
)
_WRITING = (  # what the model wrote was of no use
    rule("tool_failed", words="tool_use_failed json_validate_failed"),  # Groq
    rule("tool_failed", on=(400, 422), fields="failed_generation"),
    rule("tool_failed", on=(422,), text=r"model (?:generated|wrote)|hallucinat"),
)
_REQUEST_ITSELF = (
    rule("moderated", "call", words="content_policy_violation refusal content_filter moderation"),
    rule("moderated", "call", on=(400, 403), fields="flagged_input patterns"),  # OpenRouter
    rule("moderated", "call", on=(400, 403), text=r"flagged|moderation|content policy"),
    rule("malformed", "call", words="invalid_request_message_order invalid_function_call"),
    rule("malformed", "call", words="invalid_request_assistant_message 3230 3240 3280"),  # Mistral
    rule("malformed", "call", words="invalid_image image_too_large image_too_small"),
    rule("malformed", "call", words="unsupported_image_format image_download_failed"),
    rule("malformed", "call", words="image_not_found invalid_prompt precondition_failed"),
)
_BY_STATUS = (
    rule("forbidden", on=(403,)),
    rule("model_gone", "model", on=(404,)),
    rule("timeout", "route", on=(408, 504, 524)),
    rule("timeout", "route", words="timeout deadline_exceeded"),
    rule("overloaded", "model", on=(498, 503, 529)),
    rule("server_error", "model", on=(424, 499, *range(500, 600))),
    rule("malformed", "call", on=tuple(range(400, 500))),
    rule("malformed", "call", words="invalid_request_error invalid_request invalid_argument"),
)

RULES: tuple[Rule, ...] = (
    *_WHOLE_PROVIDER,
    *_KEY,
    *_MONEY,
    *_ALLOWANCE,
    *_LENGTH,
    *_TOO_MUCH,
    *_CAPACITY,
    *_ABILITY,
    *_MODEL,
    *_WRITING,
    *_REQUEST_ITSELF,
    *_BY_STATUS,
)
