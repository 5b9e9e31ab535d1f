"""What Groq, Cerebras, Mistral and NIM might say, field by field and word by word otherwise."""

from __future__ import annotations

from typing import Any

from tests.wire.unrecorded import Case, error


def flat(message: str, kind: str, *, param: str = "", code: str = "") -> dict[str, str]:
    """Cerebras' shape: nothing around it."""
    return {"message": message, "type": kind, "param": param, "code": code}


def coded(message: Any, kind: str | None, code: Any) -> dict[str, Any]:
    """Mistral's: digits for a code."""
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


GROQ = [
    Case(
        429,
        error(
            "Rate limit reached for model `openai/gpt-oss-20b` in organization `org_01abcdefgh` service tier `on_demand` on tokens per minute (TPM): Limit 8000, Used 7500, Requested 900. Please try again in 2.999999999s.",
            type="tokens",
            code="rate_limit_exceeded",
        ),
        "throttled",
        None,
        retry_after=2.999999999,
        provider="groq",
    ),
    Case(
        429,
        {
            "error": {
                "code": "rate_limit_exceeded",
                "type": "requests",
                "message": "Rate limit reached for model `openai/gpt-oss-20b` in organization `org_01abcdefgh` service tier `on_demand` on requests per minute (RPM): Limit 30, Used 30, Requested 1. Please try again in 1m12.345678s.",
            }
        },
        "throttled",
        None,
        retry_after=72.34567799999999,
        provider="groq",
    ),
    Case(
        429,
        error(
            "Rate limit reached for model `openai/gpt-oss-20b` in organization `org_01abcdefgh` service tier `on_demand` on tokens per day (TPD): Limit 200000, Used 199999, Requested 4000. Please try again in 1h2m3.5s. Need more tokens?"
        ),
        "throttled",
        None,
        retry_after=3723.5,
        provider="groq",
    ),
    Case(
        429,
        error(
            "Rate limit reached for model `openai/gpt-oss-20b` in organization `org_01abcdefgh` service tier `on_demand` on output tokens per minute (OTPM): Limit 7000, Used 7000, Requested 4000. Please try again in 900µs."
        ),
        "throttled",
        None,
        retry_after=0.0009,
        provider="groq",
    ),
    Case(
        429,
        {"message": "Rate limit reached. Please try again in 3 seconds"},
        "throttled",
        None,
        retry_after=3.0,
        provider="groq",
    ),
    Case(429, "", "throttled", None, provider="groq"),
    Case(
        429,
        error("x"),
        "throttled",
        None,
        retry_after=120.0,
        headers={"retry-after": "2m"},
        provider="groq",
    ),
    Case(
        429,
        error("x"),
        "throttled",
        None,
        retry_after=2.0,
        headers={"retry-after": "2.0"},
        provider="groq",
    ),
    Case(
        413,
        error(
            "Request too large for model `openai/gpt-oss-120b` in organization `org_01` service tier `on_demand` on input tokens per minute (ITPM): Limit 7000, Requested 9000, please reduce your message size and try again.",
            type="input_tokens",
            code="rate_limit_exceeded",
        ),
        "too_large",
        "route",
        provider="groq",
    ),
    Case(
        429,
        error(
            "Request too large for model `x` on tokens per minute (TPM): Limit 8000, Requested 9000, please reduce your message size and try again.",
            type="tokens",
            code="rate_limit_exceeded",
        ),
        "too_large",
        "route",
        provider="groq",
    ),
    Case(
        400,
        error(
            "property 'store' is unsupported, did you mean 'stop'?", type="invalid_request_error"
        ),
        "bad_parameter",
        "route",
        parameter="store",
        provider="groq",
    ),
    Case(
        400,
        error("property 'messages.1.reasoning_content' is unsupported"),
        "bad_parameter",
        "route",
        parameter="messages.reasoning_content",
        provider="groq",
    ),
    Case(
        400,
        error(
            "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'annotations' is unsupported)]"
        ),
        "bad_parameter",
        "route",
        parameter="messages.annotations",
        provider="groq",
    ),
    Case(
        400,
        error(
            "'reasoning_effort' : value must be one of [`low`, `medium`, `high`]",
            type="invalid_request_error",
            param="reasoning_effort",
        ),
        "malformed",
        "call",
        provider="groq",
    ),
    Case(
        400,
        error("`reasoning_effort` is not supported with this model", type="invalid_request_error"),
        "bad_parameter",
        "route",
        parameter="reasoning_effort",
        provider="groq",
    ),
    Case(
        400,
        error(
            "reasoning_format `raw` cannot be used with JSON mode or tools",
            type="invalid_request_error",
            param="reasoning_format",
        ),
        "unsupported",
        "route",
        provider="groq",
    ),
    Case(
        400,
        error(
            "Failed to validate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
            code="json_validate_failed",
            failed_generation="",
        ),
        "tool_failed",
        None,
        provider="groq",
    ),
    Case(
        400,
        error(
            "Tool choice is required, but model did not call a tool",
            code="tool_use_failed",
            failed_generation="Hello, invalid api key",
        ),
        "tool_failed",
        None,
        provider="groq",
    ),
    Case(
        400,
        {
            "error": {
                "failed_generation": "<function=add>{}",
                "message": "Failed to call a function.",
            }
        },
        "tool_failed",
        None,
        provider="groq",
    ),
    Case(
        400,
        error(
            "tool call validation failed: attempted to call tool 'sub' which was not in request.tools",
            type="invalid_request_error",
            code="tool_use_failed",
        ),
        "tool_failed",
        None,
        provider="groq",
    ),
    Case(
        400,
        error(
            "tool call validation failed: parameters for tool add did not match schema: errors: [`/a`: expected integer, but got string]",
            type="invalid_request_error",
        ),
        "tool_failed",
        None,
        provider="groq",
    ),
    Case(
        400,
        error(
            "The model `llama3-8b-8192` has been decommissioned and is no longer supported. Please refer to https://console.groq.com/docs/deprecations",
            code="model_decommissioned",
        ),
        "model_gone",
        "model",
        provider="groq",
    ),
    Case(
        404,
        error(
            "The model `x` does not exist or you do not have access to it.", code="model_not_found"
        ),
        "model_gone",
        "route",
        provider="groq",
    ),
    Case(
        403,
        error(
            "The model `x` is blocked at the project level.",
            type="permissions_error",
            code="model_permission_blocked_project",
        ),
        "not_on_plan",
        "route",
        provider="groq",
    ),
    Case(403, "error code: 1010", "blocked", "provider", provider="groq"),
    Case(403, "error code: 1020\n", "blocked", "provider", provider="groq"),
    Case(401, error("Invalid API Key"), "unauthorized", "key", provider="groq"),
    Case(401, "", "unauthorized", "key", provider="groq"),
    Case(
        400,
        error(
            "Organization has been restricted. Please reach out to support if you believe this was in error.",
            code="organization_restricted",
        ),
        "unauthorized",
        "key",
        provider="groq",
    ),
    Case(
        403,
        error("Access denied. Please check your network settings."),
        "forbidden",
        None,
        provider="groq",
    ),
    Case(
        400,
        error(
            "Please reduce the length of the messages or completion.",
            code="context_length_exceeded",
            param="messages",
        ),
        "too_long",
        None,
        provider="groq",
    ),
    Case(
        400,
        error(
            "`max_completion_tokens` must be less than or equal to `65536`, the maximum value for `max_completion_tokens` is less than the `context_window` for this model"
        ),
        "malformed",
        "call",
        provider="groq",
    ),
    Case(
        400,
        error("json mode cannot be combined with tool/function calling"),
        "unsupported",
        "route",
        provider="groq",
    ),
    Case(
        400,
        error("This model does not support response format `json_schema`. See supported models"),
        "unsupported",
        "route",
        provider="groq",
    ),
    Case(
        400,
        error("`tool calling` is not supported with this model"),
        "unsupported",
        "route",
        provider="groq",
    ),
    Case(
        400,
        error("invalid image data: failed to decode base64"),
        "malformed",
        "call",
        provider="groq",
    ),
    Case(
        498,
        error("capacity exceeded", code="capacity_exceeded"),
        "overloaded",
        "model",
        provider="groq",
    ),
    Case(
        503,
        error("Service Unavailable: over capacity, back off", type="internal_server_error"),
        "overloaded",
        "model",
        provider="groq",
    ),
    Case(
        500,
        "<html><head><title>500</title></head><body>oops rate limit</body></html>",
        "server_error",
        "model",
        provider="groq",
    ),
    Case(502, "", "server_error", "model", provider="groq"),
    Case(
        520,
        "<!DOCTYPE html><html>web server returned unknown error",
        "server_error",
        "model",
        provider="groq",
    ),
    Case(524, "error code: 524", "timeout", "route", provider="groq"),
    Case(422, error("Unprocessable"), "tool_failed", None, provider="groq"),
    Case(424, error("remote MCP failed"), "server_error", "model", provider="groq"),
    Case(
        400,
        error("The request was moderated: flagged as unsafe"),
        "moderated",
        "call",
        provider="groq",
    ),
    Case(
        400,
        error("model `groq/compound` does not support tool calling", type="invalid_request_error"),
        "unsupported",
        "route",
        provider="groq",
    ),
    Case(
        400,
        error(
            "service_tier `flex` is not available for your organization. Upgrade",
            code="service_tier_unavailable",
        ),
        "bad_parameter",
        "route",
        parameter="service_tier",
        provider="groq",
    ),
    Case(
        400,
        error(
            "Invalid value for 'service_tier': flex is not available on this plan",
            param="service_tier",
        ),
        "not_on_plan",
        "route",
        provider="groq",
    ),
]
CEREBRAS = [
    Case(
        429,
        flat(
            "Requests per minute limit exceeded - too many requests sent.",
            "too_many_requests_error",
            param="quota",
            code="request_quota_exceeded",
        ),
        "throttled",
        None,
        provider="cerebras",
    ),
    Case(
        429,
        flat(
            "Tokens per day limit exceeded - too many tokens processed.",
            "too_many_tokens_error",
            param="quota",
            code="token_quota_exceeded",
        ),
        "throttled",
        None,
        retry_after=33011.382867,
        headers={
            "x-ratelimit-remaining-tokens-day": "0",
            "x-ratelimit-reset-tokens-day": "33011.382867",
        },
        provider="cerebras",
    ),
    Case(
        429,
        flat(
            "Tokens per day limit exceeded.",
            "too_many_tokens_error",
            param="quota",
            code="token_quota_exceeded",
        ),
        "throttled",
        None,
        retry_after=33011.382867,
        headers={
            "x-ratelimit-remaining-tokens-day": "0",
            "x-ratelimit-reset-tokens-day": "33011.382867",
        },
        provider="cerebras",
    ),
    Case(
        429,
        flat(
            "We're experiencing high traffic right now! Please try again soon.",
            "too_many_requests_error",
            param="queue",
            code="queue_exceeded",
        ),
        "overloaded",
        "model",
        retry_after=1.0,
        provider="cerebras",
    ),
    Case(
        429,
        error("high traffic", type="too_many_requests_error", code="queue_exceeded"),
        "overloaded",
        "model",
        retry_after=1.0,
        provider="cerebras",
    ),
    Case(
        429,
        flat("x", "too_many_requests_error", param="quota", code="request_quota_exceeded"),
        "throttled",
        None,
        retry_after=0.8,
        headers={"retry-after-ms": "800"},
        provider="cerebras",
    ),
    Case(
        402,
        flat("Payment required", "payment_required_error", param="quota", code="payment_required"),
        "unpaid",
        "account",
        provider="cerebras",
    ),
    Case(402, "", "unpaid", "key", provider="cerebras"),
    Case(
        401,
        flat("Wrong API Key", "invalid_request_error", param="api_key", code="wrong_api_key"),
        "unauthorized",
        "key",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            "body.messages.1.assistant.reasoning_content: property 'body.messages.1.assistant.reasoning_content' is unsupported",
            "invalid_request_error",
            param="validation_error",
            code="wrong_api_format",
        ),
        "bad_parameter",
        "route",
        parameter="messages.reasoning_content",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            "property 'body.frequency_penalty' is unsupported",
            "invalid_request_error",
            param="validation_error",
            code="wrong_api_format",
        ),
        "bad_parameter",
        "route",
        parameter="frequency_penalty",
        provider="cerebras",
    ),
    Case(
        422,
        flat(
            "body.presence_penalty: Extra inputs are not permitted",
            "invalid_request_error",
            code="wrong_api_format",
        ),
        "bad_parameter",
        "route",
        parameter="presence_penalty",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            '"tools" is incompatible with "response_format"',
            "invalid_request_error",
            code="wrong_api_format",
        ),
        "unsupported",
        "route",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            "Please reduce the length of the messages or completion. Current length is 70000 while limit is 65536",
            "invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        ),
        "too_long",
        None,
        provider="cerebras",
    ),
    Case(
        404,
        flat(
            "Model x does not exist or you do not have access to it.",
            "not_found_error",
            param="model",
            code="model_not_found",
        ),
        "model_gone",
        "route",
        provider="cerebras",
    ),
    Case(
        404,
        flat(
            "Model zai-glm-4.7 has been retired.",
            "not_found_error",
            param="model",
            code="model_not_found",
        ),
        "model_gone",
        "model",
        provider="cerebras",
    ),
    Case(
        403,
        flat("Access from your country is not permitted", "forbidden_error"),
        "blocked",
        "provider",
        provider="cerebras",
    ),
    Case(403, "<html>Forbidden</html>", "blocked", "provider", provider="cerebras"),
    Case(
        408,
        flat("Request timed out", "invalid_request_error"),
        "timeout",
        "route",
        provider="cerebras",
    ),
    Case(413, "", "too_large", "route", provider="cerebras"),
    Case(
        400,
        flat(
            "body.reasoning_effort: this model does not support reasoning_effort",
            "invalid_request_error",
            code="wrong_api_format",
        ),
        "bad_parameter",
        "route",
        parameter="reasoning_effort",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            "Parallel tool calls are not supported",
            "invalid_request_error",
            code="wrong_api_format",
        ),
        "unsupported",
        "route",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            "Field 'parallel_tool_calls' is not supported",
            "invalid_request_error",
            code="wrong_api_format",
        ),
        "bad_parameter",
        "route",
        parameter="parallel_tool_calls",
        provider="cerebras",
    ),
    Case(
        400,
        flat(
            "Unsupported schema keyword: minItems in response_format.json_schema",
            "invalid_request_error",
            code="wrong_api_format",
        ),
        "malformed",
        "call",
        provider="cerebras",
    ),
    Case(
        400,
        flat("image_url must be a base64 data URI", "invalid_request_error"),
        "malformed",
        "call",
        provider="cerebras",
    ),
    Case(
        503,
        flat("no healthy upstream", "invalid_request_error"),
        "overloaded",
        "model",
        provider="cerebras",
    ),
    Case(
        500,
        flat("Encountered a server error, please try again.", "server_error"),
        "server_error",
        "model",
        provider="cerebras",
    ),
]
MISTRAL = [
    Case(
        429,
        coded("Rate limit exceeded", "rate_limited", "1300"),
        "throttled",
        None,
        provider="mistral",
    ),
    Case(
        429,
        coded("Rate limit exceeded", "rate_limited", 1300),
        "throttled",
        None,
        provider="mistral",
    ),
    Case(429, {"message": "Requests rate limit exceeded"}, "throttled", None, provider="mistral"),
    Case(
        429,
        coded("Rate limit exceeded", "rate_limited", "1300"),
        "not_on_plan",
        "route",
        headers={"x-ratelimit-limit-req-minute": "0", "x-ratelimit-remaining-req-minute": "0"},
        provider="mistral",
    ),
    Case(
        429,
        coded("Rate limit exceeded", "rate_limited", "1300"),
        "throttled",
        None,
        headers={"x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "0"},
        provider="mistral",
    ),
    Case(
        429,
        coded(
            "Service tier capacity exceeded for this model.",
            "service_tier_capacity_exceeded",
            "3505",
        ),
        "overloaded",
        "model",
        provider="mistral",
    ),
    Case(
        503,
        coded("Service tier capacity exceeded for this model.", "invalid_request_error", None),
        "overloaded",
        "model",
        provider="mistral",
    ),
    Case(
        429,
        {"detail": "Service tier capacity exceeded for this model."},
        "overloaded",
        "model",
        provider="mistral",
    ),
    Case(401, {"detail": "Unauthorized"}, "unauthorized", "key", provider="mistral"),
    Case(
        401,
        {"message": "Unauthorized", "request_id": "abc"},
        "unauthorized",
        "key",
        provider="mistral",
    ),
    Case(
        403,
        coded("You are not allowed to use this model on your tier", "tier_not_allowed", "1910"),
        "not_on_plan",
        "route",
        provider="mistral",
    ),
    Case(403, coded("x", "tier_not_allowed", 1910), "not_on_plan", "route", provider="mistral"),
    Case(
        400,
        coded("Invalid model: mistral-x", "invalid_model", "1500"),
        "model_gone",
        "model",
        provider="mistral",
    ),
    Case(
        400,
        coded("Invalid model", "invalid_model", 1500),
        "model_gone",
        "model",
        provider="mistral",
    ),
    Case(
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "seed"],
                    "msg": "Extra inputs are not permitted",
                    "input": 1,
                }
            ]
        },
        "bad_parameter",
        "route",
        parameter="seed",
        provider="mistral",
    ),
    Case(
        422,
        {
            "object": "error",
            "message": {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "messages", 0, "user", "name"],
                        "msg": "Extra inputs are not permitted",
                        "input": "x",
                    }
                ]
            },
            "type": "invalid_request_error",
            "code": None,
        },
        "bad_parameter",
        "route",
        parameter="messages.name",
        provider="mistral",
    ),
    Case(
        422,
        {
            "object": "error",
            "message": '{"detail": [{"type": "extra_forbidden", "loc": ["body", "logit_bias"], "msg": "Extra"}]}',
            "type": "x",
        },
        "bad_parameter",
        "route",
        parameter="logit_bias",
        provider="mistral",
    ),
    Case(
        422,
        {
            "detail": [
                {
                    "type": "greater_than_equal",
                    "loc": ["body", "temperature"],
                    "msg": "Input should be less than or equal to 1.5",
                    "input": 1.9,
                }
            ]
        },
        "bad_parameter",
        "route",
        parameter="temperature",
        provider="mistral",
    ),
    Case(
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "messages", 2, "assistant", "tool_calls", 0, "index"],
                    "msg": "Extra",
                }
            ]
        },
        "bad_parameter",
        "route",
        parameter="messages.index",
        provider="mistral",
    ),
    Case(
        400,
        coded(
            "Prompt contains 300000 tokens and 0 draft tokens, too large for model with 262144 maximum context length",
            "invalid_request_prompt",
            "3051",
        ),
        "too_long",
        None,
        provider="mistral",
    ),
    Case(
        400,
        coded("too large for model with 262144 maximum context length", None, None),
        "too_long",
        None,
        provider="mistral",
    ),
    Case(
        400,
        coded("reasoning_effort is not supported for this model", "invalid_request_error", "1000"),
        "bad_parameter",
        "route",
        parameter="reasoning_effort",
        provider="mistral",
    ),
    Case(
        400,
        coded(
            "reasoning_effort='medium' is not supported for this model",
            "invalid_request_error",
            "1000",
        ),
        "bad_parameter",
        "route",
        parameter="reasoning_effort",
        provider="mistral",
    ),
    Case(402, {"detail": "Payment Required"}, "unpaid", "key", provider="mistral"),
    Case(
        404,
        {"message": "no Route matched with those values"},
        "model_gone",
        "model",
        provider="mistral",
    ),
    Case(
        500,
        coded("Internal server error", "internal_server_error", "1000"),
        "server_error",
        "model",
        provider="mistral",
    ),
    Case(
        503,
        "upstream connect error or disconnect/reset before headers. reset reason: overflow",
        "overloaded",
        "model",
        provider="mistral",
    ),
    Case(
        429,
        coded("Monthly token quota exceeded", "rate_limited", "1300"),
        "throttled",
        None,
        retry_after=734400.0,
        headers={
            "x-ratelimit-remaining-tokens-month": "0",
            "x-ratelimit-limit-tokens-month": "4000000",
        },
        provider="mistral",
    ),
]
NIM = [
    Case(429, {"status": 429, "title": "Too Many Requests"}, "throttled", None, provider="nim"),
    Case(429, {"title": "Too Many Requests", "status": "429"}, "throttled", None, provider="nim"),
    Case(
        400,
        {"detail": "Function id 'aaaa-bb': DEGRADED function cannot be invoked"},
        "overloaded",
        "model",
        provider="nim",
    ),
    Case(
        400,
        {
            "status": 400,
            "title": "Bad Request",
            "detail": "Function id '1': DEGRADED function cannot be invoked",
        },
        "overloaded",
        "model",
        provider="nim",
    ),
    Case(
        404,
        {
            "status": 404,
            "title": "Not Found",
            "detail": "Function 'f0a1': Not found for account 'xyz'",
        },
        "not_on_plan",
        "route",
        provider="nim",
    ),
    Case(404, "404 page not found", "model_gone", "model", provider="nim"),
    Case(
        410,
        {
            "status": 410,
            "title": "Gone",
            "detail": "The model 'a/b' has reached its end of life on 2026-07-27T00:00:00Z and is no longer available.",
        },
        "model_gone",
        "model",
        provider="nim",
    ),
    Case(
        403,
        {"status": 403, "title": "Forbidden", "detail": "Authorization failed"},
        "forbidden",
        None,
        provider="nim",
    ),
    Case(
        401,
        {"status": 401, "title": "Unauthorized", "detail": "invalid"},
        "unauthorized",
        "key",
        provider="nim",
    ),
    Case(
        402,
        {
            "status": 402,
            "title": "Payment Required",
            "detail": "Account 'x': Cloud credits expired - Please contact NVIDIA representatives",
        },
        "unpaid",
        "key",
        provider="nim",
    ),
    Case(
        400,
        error("Unsupported parameter(s): `reasoning`, `store`", type="Bad Request", code=400),
        "bad_parameter",
        "route",
        parameter="reasoning,store",
        provider="nim",
    ),
    Case(
        400,
        error(
            "[{'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg': 'Extra inputs are not permitted', 'input': True}, {'type': 'extra_forbidden', 'loc': ('body', 'metadata'), 'msg': 'Extra inputs are not permitted', 'input': {}}]",
            type="BadRequestError",
            code=400,
        ),
        "bad_parameter",
        "route",
        parameter="store,metadata",
        provider="nim",
    ),
    Case(
        422,
        {
            "detail": [
                {
                    "loc": ["body", "messages", 1, "content"],
                    "msg": "none is not an allowed value",
                    "type": "type_error.none.not_allowed",
                }
            ]
        },
        "malformed",
        "call",
        provider="nim",
    ),
    Case(
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens (130000 in the messages, 10000 in the completion).",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        "too_long",
        None,
        provider="nim",
    ),
    Case(
        400,
        error(
            "You passed 120000 input tokens and requested 16384 output tokens. However, the model's context length is only 131072 tokens, resulting in a maximum input length",
            type="BadRequestError",
            code=400,
        ),
        "too_long",
        None,
        provider="nim",
    ),
    Case(
        503,
        error(
            "ResourceExhausted: Worker local total request limit reached (96/96)",
            type="Service Unavailable",
            code=503,
        ),
        "overloaded",
        "model",
        provider="nim",
    ),
    Case(
        500,
        error("ResourceExhausted: Worker local total request limit reached (1/1)"),
        "overloaded",
        "model",
        provider="nim",
    ),
    Case(504, "<html>504 Gateway Time-out</html>", "timeout", "route", provider="nim"),
    Case(529, error("overloaded"), "overloaded", "model", provider="nim"),
    Case(
        400,
        error(
            "Conversation roles must alternate user/assistant/user/assistant/...",
            type="BadRequestError",
            code=400,
        ),
        "malformed",
        "call",
        provider="nim",
    ),
    Case(
        500,
        {"status": 500, "title": "Internal Server Error", "detail": "Inference connection error"},
        "server_error",
        "model",
        provider="nim",
    ),
    Case(
        400,
        error(
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
            type="BadRequestError",
            code=400,
        ),
        "unsupported",
        "route",
        provider="nim",
    ),
    Case(
        400,
        error(
            "This model only supports single tool-calls at once!", type="BadRequestError", code=400
        ),
        "unsupported",
        "route",
        provider="nim",
    ),
    Case(
        413,
        {"status": 413, "title": "Request Entity Too Large"},
        "too_large",
        "route",
        provider="nim",
    ),
    Case(
        400,
        {"error": "'input_type' parameter is required for asymmetric models"},
        "malformed",
        "call",
        provider="nim",
    ),
    Case(202, "", "timeout", "route", provider="nim"),
    Case(
        429,
        {"detail": "rate limit for your plan exceeded, try again in 5 hours"},
        "throttled",
        None,
        retry_after=18000.0,
        provider="nim",
    ),
]
CASES = [*GROQ, *CEREBRAS, *MISTRAL, *NIM]
