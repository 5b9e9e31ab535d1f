"""What refusals mean, as an ordered table: the first rule that fits says the kind and the scope.

Sources: the providers' documentation and recorded traffic of 2026; each block names whose words it knows. Words are general
where they can be: most endpoints are one of a few servers behind another name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from freelm_integrations.wire.complaints import Complaint
    from freelm_integrations.wire.faults import FaultKind, Scope


class Rule(NamedTuple):
    """Fits when all it names fits: one of `statuses`, of `words` (codes, types, reasons), of `fields`; `text` found.

    `retry_after` (s) is the wait where the server names none. All words and texts are in lower case.
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


_REFUSED = (400, 403, 404, 409, 412, 413, 422)

RULES: tuple[Rule, ...] = (
    # Not the request's doing, whatever the status says.
    rule("overloaded", "model", text=r"degraded function"),  # NIM, a 400 of a sick server
    rule(
        "blocked", "provider", text=r"error code: 10\d\d"
    ),  # Cloudflare in front of Groq and others
    rule(
        "blocked",
        "provider",
        on=(403, 503),
        words="html",
        text=r"cloudflare|just a moment|attention req",
    ),
    rule("blocked", "provider", on=(403,), words="html"),
    rule(
        "blocked",
        "provider",
        text=r"user location is not supported|not available in your (?:country|region)",
    ),
    rule("blocked", "model", words="region_restricted"),  # OpenRouter: one model, this region
    # The key.
    rule("unauthorized", "key", words="api_key_invalid invalid_api_key wrong_api_key"),
    rule("unauthorized", "key", words="access_token_type_unsupported credentials_missing"),
    rule(
        "unauthorized",
        "key",
        on=(400, 401),
        text=r"api key (?:not valid|expired|not found)|invalid api key",
    ),
    rule("unauthorized", "key", text=r"multiple authentication credentials"),
    rule(
        "unauthorized", "key", text=r"invalid (?:authorization|authentication)|authorization header"
    ),
    rule(
        "unauthorized",
        "key",
        on=(403,),
        text=r"reported as leaked|unregistered callers|denied access",
    ),
    rule("unauthorized", "key", on=(403,), text=r"requests to this api .* are blocked"),
    rule("unauthorized", "key", on=(401,)),
    # Money.
    rule("unpaid", "key", words="1113", on=(400, 402, 429)),  # Z.ai: no balance, as a 429
    rule("unpaid", "key", words="1308", on=(400, 429)),  # Z.ai: allowance used up, never retry
    rule(
        "unpaid", "route", on=(402,), text=r"can only afford|fewer max_tokens"
    ),  # OpenRouter: a smaller one may pass
    rule(
        "unpaid", "account", words="payment_required payment_required_error payment_method_required"
    ),
    rule("unpaid", "key", on=(402,)),
    rule(
        "unpaid",
        "key",
        text=r"insufficient (?:balance|credits?|quota)|exceeded your current quota, please check your plan and billing details\.?$",
    ),
    # Zero allowance is not a busy one.
    rule(
        "not_on_plan", "route", on=(429,), text=r"\blimit: 0\b(?![.\d])|\blimit 0\b(?![.\d])"
    ),  # Google, Groq
    rule("not_on_plan", "route", words="tier_not_allowed 1910"),  # Mistral
    rule(
        "not_on_plan",
        "route",
        words="model_permission_blocked_org model_permission_blocked_project",
    ),
    rule(
        "not_on_plan", "route", words="privacy_restricted"
    ),  # OpenRouter: the account's privacy settings
    rule("not_on_plan", "route", text=r"no longer available to new users"),  # Google
    rule("not_on_plan", "route", on=(404,), text=r"not found for account"),  # NIM
    rule(
        "not_on_plan", "route", on=(403,), text=r"subscription|upgrade (?:your|to)"
    ),  # Ollama's cloud
    rule("not_on_plan", "route", on=(404,), text=r"data policy"),  # OpenRouter, before error types
    # Quotas and capacity.
    rule(
        "throttled", "account", words="openrouter_free_tier_per_minute openrouter_free_tier_daily"
    ),
    rule("throttled", "account", text=r"free-models-per-(?:min|day)"),
    rule(
        "throttled", "account", words="4006 3036", on=(429,), text=r"daily free allocation"
    ),  # Cloudflare
    rule("overloaded", "model", on=(429,), words="3040"),
    rule(
        "overloaded",
        "model",
        words="upstream_provider_shared_pool capacity_exhausted temporarily_unavailable",
    ),
    rule("overloaded", "model", on=(429,), text=r"provider returned error|upstream"),
    rule("overloaded", "model", words="retryable", on=(404, 429, 503)),
    rule("overloaded", "model", words="queue_exceeded", retry_after=1.0),  # Cerebras
    rule("overloaded", "model", on=(429, 503), words="3505"),  # Mistral
    rule("overloaded", "model", on=(429, 503), text=r"service tier capacity"),
    rule("overloaded", "model", on=(429,), words="1305"),  # Z.ai
    rule("overloaded", "route", on=(503,), text=r"loading model", retry_after=3.0),  # llama.cpp
    rule("overloaded", "model", text=r"resourceexhausted: worker|model is overloaded|high demand"),
    rule("overloaded", "model", words="capacity_exceeded", on=(498, 503, 429)),  # Groq's flex tier
    rule("overloaded", "model", words="provider_overloaded overloaded overloaded_error"),
    rule(
        "too_large", "route", on=(413,)
    ),  # Groq: over the minute's tokens in one go; elsewhere over a body limit
    rule("too_large", "route", text=r"make sure your payload is below|request too large"),
    rule("too_large", "route", on=(500,), text=r"too large to process"),  # llama.cpp
    rule("throttled", "account", on=(429,), text=r"trial key|calls? / ?month|per month"),  # Cohere
    rule("throttled", None, on=(429,)),
    rule("throttled", None, words="rate_limit_exceeded resource_exhausted rate_limited"),
    # The model is not there.
    rule(
        "model_gone", "route", words="model_not_found", on=(404,), text=r"do not have access"
    ),  # Cerebras
    rule(
        "model_gone",
        "model",
        words="model_not_found model_decommissioned model_deprecated invalid_model",
    ),
    rule(
        "model_gone",
        "model",
        words="free_variant_ended no_endpoints model_unavailable_upstream wrong_endpoint",
    ),
    rule("model_gone", "model", words="1500 1211", on=(400, 404)),  # Mistral, Z.ai
    rule("model_gone", "model", on=(404, 410), text=r"end of life|retired|decommissioned|brownout"),
    rule("model_gone", "model", on=(410,)),
    # The model cannot do it.
    rule("unsupported", "route", on=_REFUSED, words="constraint_filtered not_supported_error"),
    rule(
        "unsupported", "route", on=_REFUSED, text=r"no endpoints found that (?:support|can handle)"
    ),
    rule(
        "unsupported", "route", on=(404,), text=r"no endpoints .*(?:requested parameters|guardrail)"
    ),
    rule("unsupported", "route", on=_REFUSED, text=r"enable-auto-tool-choice|tool-call-parser"),
    rule("unsupported", "route", on=_REFUSED, text=r"only supports single tool-calls"),
    rule(
        "unsupported",
        "route",
        on=_REFUSED,
        text=r"does not support (?:tools|tool|image|vision|function)",
    ),
    rule("unsupported", "route", on=_REFUSED, text=r"function calling with a response mime type"),
    rule("unsupported", "route", on=_REFUSED, text=r"missing a thought_signature"),
    rule(
        "unsupported",
        "route",
        on=_REFUSED,
        text=r"incompatible with enable_thinking|model turn are not supported",
    ),
    rule("unsupported", "route", on=(501,)),
    # The request is longer than the model reads.
    rule(
        "too_long",
        None,
        words="context_length_exceeded exceed_context_size_error token_limit_exceeded",
    ),
    rule(
        "too_long", None, words="max_tokens_exceeded string_too_long 3051 1261", on=(400, 413, 422)
    ),
    rule(
        "too_long",
        None,
        on=(400, 413, 422, 500),
        text=r"maximum context length|context length is only",
    ),
    rule(
        "too_long",
        None,
        on=(400, 413, 422, 500),
        text=r"input token count .*exceeds|reduce the length",
    ),
    rule(
        "too_long",
        None,
        on=(400, 413, 422, 500),
        text=r"exceeds? the (?:\w+ ){0,3}context|context (?:length|window|size).{0,40}exceed",
    ),
    rule(
        "too_long",
        None,
        on=(400, 422, 500),
        text=r"tokens to keep|prompt is too long|too many tokens",
    ),
    # What the model wrote.
    rule("tool_failed", None, words="tool_use_failed json_validate_failed"),  # Groq
    rule("tool_failed", None, on=(400, 422), fields="failed_generation"),
    # The request was judged.
    rule("moderated", "call", words="content_policy_violation refusal content_filter moderation"),
    rule("moderated", "call", on=(400, 403), fields="flagged_input patterns"),
    rule(
        "moderated",
        "call",
        on=(400, 403),
        text=r"flagged|moderation|content policy|safety (?:filter|system)",
    ),
    # The request is wrong.
    rule(
        "malformed",
        "call",
        words="3230 3240 3280 invalid_request_message_order invalid_function_call",
    ),
    rule(
        "malformed",
        "call",
        words="invalid_image image_too_large image_too_small unsupported_image_format",
    ),
    rule(
        "malformed",
        "call",
        words="image_download_failed image_not_found invalid_prompt precondition_failed",
    ),
    # By status alone.
    rule("forbidden", None, on=(403,)),
    rule("model_gone", "model", on=(404,)),
    rule("timeout", "route", on=(408, 504, 524)),
    rule("timeout", "route", words="timeout deadline_exceeded"),
    rule("overloaded", "model", on=(498, 503, 529)),
    rule("server_error", "model", on=(424, 499, 500, 502, 520, 521, 522, 523, 525, 526, 527, 530)),
    rule("malformed", "call", on=_REFUSED),
    rule("malformed", "call", on=(405, 406, 411, 414, 415, 416, 417, 431, 451)),
)
