"""Codes alone: the words that providers type their errors by, in several spellings and places."""

from __future__ import annotations

import json

from tests.wire.unrecorded import Case

_TYPED = {  # OpenRouter's (OpenAPI of 2026-08)
    400: {
        "context_length_exceeded": ("too_long", None),
        "max_tokens_exceeded": ("too_long", None),
        "token_limit_exceeded": ("too_long", None),
        "string_too_long": ("too_long", None),
        "invalid_request": ("malformed", "call"),
        "invalid_prompt": ("malformed", "call"),
        "content_policy_violation": ("moderated", "call"),
        "refusal": ("moderated", "call"),
        "invalid_image": ("malformed", "call"),
        "image_too_large": ("malformed", "call"),
        "image_too_small": ("malformed", "call"),
        "unsupported_image_format": ("malformed", "call"),
        "image_download_failed": ("malformed", "call"),
    },
    401: {"authentication": ("unauthorized", "key")},
    402: {"payment_required": ("unpaid", "key")},
    403: {"permission_denied": ("forbidden", None)},
    404: {"not_found": ("model_gone", "model"), "image_not_found": ("malformed", "call")},
    412: {"precondition_failed": ("malformed", "call")},
    413: {"payload_too_large": ("too_large", "route")},
    422: {"unprocessable": ("malformed", "call")},
    429: {"rate_limit_exceeded": ("throttled", None)},
    500: {"server": ("server_error", "model"), "unmapped": ("server_error", "model")},
    502: {"provider_unavailable": ("server_error", "model")},
    503: {"provider_overloaded": ("overloaded", "model")},
    504: {"timeout": ("timeout", "route")},
}
_GOOGLE = {
    400: {"INVALID_ARGUMENT": ("malformed", "call"), "FAILED_PRECONDITION": ("malformed", "call")},
    401: {"UNAUTHENTICATED": ("unauthorized", "key")},
    403: {"PERMISSION_DENIED": ("forbidden", None)},
    404: {"NOT_FOUND": ("model_gone", "model")},
    429: {"RESOURCE_EXHAUSTED": ("throttled", None)},
    499: {"CANCELLED": ("server_error", "model")},
    500: {"INTERNAL": ("server_error", "model"), "UNKNOWN": ("server_error", "model")},
    503: {"UNAVAILABLE": ("overloaded", "model")},
    504: {"DEADLINE_EXCEEDED": ("timeout", "route")},
}
_ELSEWHERE = {
    400: {
        "ContextWindowExceededError": ("too_long", None),
        "invalid_api_key": ("unauthorized", "key"),
        "content_filter": ("moderated", "call"),
        "Arrearage": ("unpaid", "key"),
        "model_not_found": ("model_gone", "model"),
        "rate_limit_exceeded": ("throttled", None),
    },
    403: {
        "insufficient_quota": ("unpaid", "key"),
        "rateLimitExceeded": ("throttled", None),
        "unsupported_country_region_territory": ("blocked", "provider"),
        "account_deactivated": ("unauthorized", "key"),
    },
    429: {
        "Throttling.RateQuota": ("throttled", None),
        "insufficient_quota": ("unpaid", "key"),
        "TooManyRequests": ("throttled", None),
        "overloaded_error": ("overloaded", "model"),
    },
    500: {"overloaded_error": ("overloaded", "model"), "api_error": ("server_error", "model")},
    529: {"overloaded_error": ("overloaded", "model")},
}


def _cases() -> list[Case]:
    cases: list[Case] = []
    for table in (_TYPED, _GOOGLE, _ELSEWHERE):
        for status, codes in table.items():
            for code, (kind, scope) in codes.items():
                cases += [
                    Case(status, body, kind, scope)
                    for body in (
                        {"error": {"message": "no", "code": code}},
                        {"error": {"message": "no", "metadata": {"error_type": code}}},
                        {"error": {"message": "no", "error_type": code, "http_status": status}},
                        [{"error": {"code": status, "message": "no", "status": code}}],
                        {"message": "no", "type": code},
                        {"error": {"message": json.dumps({"error": {"type": code}})}},
                        {"error": {"message": "no", "code": code.upper().replace("_", "-")}},
                    )
                ]
    return cases


CASES = _cases()
