"""What is known of every provider's errors, fact by fact, and the samples that stand for each.

`refusals/` is meant where a name has no suffix, `answers/` where it has one.
"""

from __future__ import annotations

SHEETS: dict[str, dict[str, str]] = {
    "openrouter": {
        "400: a parameter an upstream refuses, in its own words inside": "400-parameter",
        "400: two efforts that differ": "400-both-efforts",
        "400: more than the context, in words or typed": "400-context 400-typed-context",
        "400: Google's refusal of a region, passed on": "400-google-region",
        "401, 402, 403, 429: a host's key, money, account and quota, which are not ours": (
            "401-upstream-key 402-upstream-money 403-upstream-account 429-upstream-quota"
            " 429-upstream-google-zero"
        ),
        "400: the assistant may not have the last word": "400-prefill",
        "400: thinking that cannot be switched off": "400-mandatory-reasoning",
        "400: a limit of the output that is too small": "400-least-output",
        "400: a limit is exceeded, typed": (
            "400-typed-max-tokens-exceeded 400-typed-token-limit-exceeded 400-typed-string-too-long"
        ),
        "400: a request, a prompt, a refusal, typed": (
            "400-typed-invalid-request 400-typed-invalid-prompt 400-typed-refusal"
        ),
        "400: what is wrong with an image, typed": (
            "400-typed-image-too-large 400-typed-image-too-small"
            " 400-typed-unsupported-image-format 400-typed-image-download-failed"
        ),
        "404: a model or an image that is not there, typed": (
            "404-typed-not-found 404-typed-image-not-found"
        ),
        "404: what excluded all hosts": (
            "404-excluded-for-length 404-excluded-for-policy 404-excluded-for-place"
            " 404-excluded-for-parameters"
        ),
        "429: so many free calls, told by the source of the limit": (
            "429-per-minute-limit-source 429-per-day-limit-source"
        ),
        "503: not worth another try": "503-not-retryable",
        "400: an unknown id, an id of another kind": "400-model-not-found 400-wrong-endpoint",
        "400: what the prompt says; what its images are": "400-content-policy 400-invalid-image",
        "401: no bearer, in three wordings": "401-no-cookie 401-no-credentials 401-missing-header",
        "401: a key that was revoked": "401-user-not-found",
        "402: no credits, a key's own limit, a debt": "402-credits 402-key-limit 402-negative-balance",
        "402: credits for a shorter answer": "402-afford",
        "403: moderation, with the input; guardrails": "403-moderation 403-guardrail",
        "403: a region, where one model is not served": "403-region",
        "403: a page of Cloudflare's; a permission": "403-html 403-permission",
        "404: no endpoints, deprecated, upstream gone": "404-no-endpoints 404-deprecated 404-unavailable",
        "404: gone, but said to be worth another try": "404-unavailable-retryable",
        "404: the free variant has ended": "404-free-ended",
        "404: the account's privacy, typed and in words": "404-privacy 404-data-policy",
        "404: what this request needs": "404-constraint 404-tool-use 404-image 404-parameters",
        "404: guardrails alone": "404-guardrail-only",
        "408, 504, 524: too slow": "408-timeout 504-timeout 524-edge",
        "412, 413, 422": "412-precondition 413-payload 422-unprocessable",
        "429: so many free calls a minute": "429-per-minute",
        "429: so many a day, its end only in the body, or nowhere": (
            "429-per-day-body-only 429-per-day-no-hint"
        ),
        "429: so many a day, for those who bought credits": "429-per-day-high-balance",
        "429: upstream, the wait in fields or in headers there": (
            "429-upstream 429-upstream-header-in-body 429-upstream-raw-float"
        ),
        "429: capacity, typed, with a wait": "429-capacity 429-availability",
        "500: masked; 502: a bad upstream answer": "500-masked 502-provider",
        "502: the failures of other upstreams are told beside": "502-previous-errors",
        "503: no capacity, with a wait or without": "503-overloaded 503-retry-after 503-availability",
        "529": "529-overloaded",
        "200: an error and no choices": "error-without-choices.json",
        "200: an error in the choice": "error-in-choice.json",
        "200: an error beside an empty choice": "error-beside-empty-choice.json",
        "200: an empty message": "empty-message.json null-message.json",
        "200: nothing but padding": "only-padding.json",
        "stream: an error as its first event, or in its middle": "error-first.sse error-in-mid-stream.sse",
        "stream: neither an end nor [DONE]; comments alone": "cut.sse comments-only.sse",
    },
    "google": {
        "400: a name it does not know, at the top or in tools": "400-unknown-name 400-unknown-name-in-tools",
        "400: a key that is not valid, or no more": "400-key-not-valid 400-key-expired",
        "400: two credentials at once; none": "400-multiple-credentials 400-missing-authorization",
        "400: more than the context": "400-too-long",
        "400: an invalid argument and nothing more": "400-bare",
        "400: no signature in the history": "400-missing-signature",
        "400: a place it does not serve": "400-location 400-free-tier-country",
        "400: tools beside JSON; the assistant has the last word": "400-json-with-tools 400-model-turn",
        "400: a batch that is too large": "400-batch",
        "400, 413: a body that is too large": "400-body-too-large 413-body",
        "401: a credential of the wrong kind; none": "401-token-type 401-credentials-missing",
        "403: leaked, denied, blocked, unknown callers": (
            "403-leaked 403-denied-access 403-blocked 403-unregistered"
        ),
        "404: no such model; closed to new users": "404-not-found 404-new-users",
        "429: requests or tokens of the minute": "429-per-minute 429-tokens-per-minute",
        "429: the day's, with a misleading wait or the true one": "429-per-day 429-per-day-true-hours",
        "429: minute and day at once": "429-minute-and-day",
        "429: a limit of zero, in words or in a violation": "429-limit-zero 429-quota-of-zero",
        "429: a wait of zero": "429-retry-now",
        "429: no details, in a list or bare": "429-no-details 429-bare-object",
        "499, 500": "499-cancelled 500-internal",
        "503: overloaded, high demand; 504": "503-overloaded 503-high-demand 504-deadline",
        "200: an error in a list": "error-in-list.json",
        "200: a call nobody can read, or nobody asked for": "malformed-call.sse unexpected-call.sse",
        "200: filtered, from the start or midway": "filtered.sse filtered-midway.sse",
        "200: the room spent on thinking": "length-of-nothing.json",
        "stream: an error in a list, or printed prettily": (
            "error-list-in-stream.sse pretty-error-for-a-stream.sse"
        ),
        "stream: neither an end nor [DONE]": "cut.sse",
    },
    "groq": {
        "400: a field it does not know, at the top or in a message": (
            "400-property-unsupported 400-message-property"
        ),
        "400: a tool call that failed, with its code or without": (
            "400-tool-use-failed 400-tool-validation-no-code"
        ),
        "400: a tier for who pays": "400-service-tier",
        "400: JSON that failed, with or without what was written": (
            "400-json-validate-failed 400-json-empty-generation"
        ),
        "400: a retired model": "400-decommissioned",
        "400: a format this model lacks, or not beside tools": "400-response-format 400-format-with-tools",
        "400: more than the context": "400-context",
        "401": "401-invalid-key",
        "403: the console forbids the model": "403-blocked-org 403-blocked-project",
        "403: Cloudflare's plain words": "403-cloudflare",
        "404: unknown or retired": "404-model",
        "413: more than the minute has, of all or of input tokens": "413-tpm 413-itpm",
        "422, 424": "422-semantic 424-dependency",
        "429: requests a minute, its wait in a header": "429-rpm-header",
        "429: requests a day, minutes long": "429-rpd-prose",
        "429: tokens a day, input and output tokens a minute, in prose": (
            "429-tpd-prose 429-itpm-prose 429-otpm-prose"
        ),
        "429: tokens a minute, its wait in milliseconds": "429-milliseconds",
        "429: now; or told by the reset header alone": "429-retry-now 429-reset-header-only",
        "498, 499": "498-capacity 499-cancelled",
        "500, 502, 503: pages and plain words": "500-html 502-html 503-html 503-plain",
        "200: all thinking": "thinking-only.json",
        "stream: an event that is an error": "error-event.sse error-event-in-words.sse",
        "stream: an error in its own corner": "x-groq-error.sse",
    },
    "cerebras": {
        "400: reasoning_content in the history": "400-reasoning-content",
        "400: a field it does not know; an effort it does not": "400-unknown-field 400-effort",
        "400: both output limits": "400-two-output-limits",
        "400: tools beside a format": "400-tools-with-format",
        "400: a tool's result without its call": "400-tool-without-call",
        "400: a keyword of schemas; a part of content": "400-schema-keyword 400-content-parts",
        "400: wrapped after all": "400-wrapped",
        "400: more than the context": "400-context",
        "401": "401-wrong-key",
        "402: no balance, for every model and key": "402-payment",
        "403: a country or a permission": "403-country",
        "404: retired, or only for who pays": "404-model",
        "408, 413": "408-timeout 413-body",
        "422: the older form of a 400": "422-older-form",
        "429: requests a second, a minute, a day": "429-requests-second 429-requests-minute 429-requests-day",
        "429: a day, and no header": "429-day-without-hint",
        "429: tokens a minute, a day": "429-tokens-minute 429-tokens-day",
        "429: waits in milliseconds and as Go prints them": "429-retry-after-ms 429-go-duration",
        "429: the queue, which is nobody's quota": "429-queue",
        "429: wrapped after all": "429-wrapped",
        "500, 503": "500-server 503-unavailable",
        "stream: an error, wrapped or flat": "error-in-stream.sse flat-error-in-stream.sse",
    },
    "mistral": {
        "400: unknown or retired model": "400-invalid-model",
        "400: order of messages; an empty answer; a bad tool id": (
            "400-order 400-assistant 400-function-call"
        ),
        "400: the assistant has the last word": "400-last-role",
        "400: more than the context": "400-too-long",
        "400: an effort this model lacks, or a value of it": "400-effort 400-effort-value",
        "401: two wordings and none": "401-unauthorized 401-invalid-key 401-empty",
        "402": "402-paid",
        "403: not of this plan": "403-tier",
        "404: a wrong path": "404-route",
        "422: extra fields, of the body or a message, one or two": (
            "422-extra 422-extra-in-message 422-two-fields"
        ),
        "422: the same as JSON in text, or as an object": "422-json-text 422-object",
        "422: something missing; tools; a bare code": "422-missing 422-tools 422-code-1000",
        "429: a quota, with its code or from the gateway": "429-rate-limited 429-gateway",
        "429: room in this window, so another one": "429-other-window",
        "429: an allowance of zero": "429-limit-zero",
        "429: the month's tokens": "429-month-spent",
        "429, 503: the tier's capacity": "429-capacity 429-capacity-no-code 503-capacity",
        "500, 502, 503, 504: pages": "500-html 502-html 503-html 504-html",
        "200: a turn that failed": "finish-error.sse",
        "stream: the tier's capacity": "capacity-in-stream.sse",
    },
    "nim": {
        "400: a function that is degraded": "400-degraded",
        "400: parameters, listed or by location": (
            "400-unsupported-parameters 400-extra-inputs 400-extra-inputs-two 400-stream-options"
        ),
        "202: still at work": "202-pending",
        "400: more than the context, two wordings": "400-context-vllm 400-context-new",
        "400: a payload of more than 25 MiB": "400-payload",
        "400: no parser of tools; one call at a time": "400-tool-parser 400-single-tool",
        "400: an error that is a text; one of an old vLLM": "400-embedding-string 400-old-vllm",
        "401, 402": "401-unauthorized 402-credits",
        "403: key, scope or user agent": "403-forbidden",
        "404: not for this account": "404-account",
        "404: no such model, in three shapes": "404-model 404-plain 404-object-error",
        "410: the end of a model's life": "410-end-of-life",
        "422": "422-validation",
        "429: nothing said; hours in prose": "429-bare 429-five-hours",
        "500: shapes this model lacks; a problem": "500-shape 500-problem",
        "502: empty, a page": "502-empty 502-html",
        "503: overloaded; all workers taken": "503-overloaded 503-workers",
        "504, 529": "504-timeout 529-overloaded",
        "stream: an error after its opening": "error-after-opening.sse",
        "stream: no events at all; [DONE] alone": "nothing.sse only-done.sse",
        "stream: no end after text, or after whole calls": "cut-text.sse cut-after-whole-calls.sse",
        "200: a call that leaks as text": "leaked-call.sse",
        "200: the room spent on thinking": "thinking-eats-the-room.sse",
    },
    "local": {
        "Ollama: thinking or tools it lacks": "ollama-400-thinking ollama-400-tools",
        "Ollama: one input too long": "ollama-400-too-long",
        "Ollama: an image's address; no messages": "ollama-400-image-address ollama-400-empty-messages",
        "Ollama's cloud: only for subscribers": "ollama-403-subscription",
        "Ollama: pull it first": "ollama-404-pull",
        "Ollama: cancelled; crashed; too many waiting": "ollama-499-cancelled ollama-500 ollama-503-busy",
        "Ollama: an error lost in the stream": "ollama-lost-error.sse",
        "llama.cpp: a wrong key": "llamacpp-401",
        "llama.cpp: more than the context": "llamacpp-400-context",
        "llama.cpp: a prefill while thinking; two of them": "llamacpp-400-prefill llamacpp-400-two-assistants",
        "llama.cpp: a grammar beside tools": "llamacpp-400-grammar",
        "llama.cpp: an exception of the template": "llamacpp-500-template",
        "llama.cpp: more than a batch; switched off": "llamacpp-500-batch llamacpp-501",
        "llama.cpp: loading": "llamacpp-503-loading",
        "llama.cpp: an error in the stream": "llamacpp-error.sse",
        "LM Studio: an error that is a text": "lmstudio-400-string lmstudio-400-overflow",
        "LM Studio: no such model": "lmstudio-400-model lmstudio-404-model",
        "LM Studio: no plain JSON": "lmstudio-400-json-object",
        "LM Studio: nothing, and no error": "lmstudio-empty.sse",
    },
    "cloudflare": {
        "429: the day's neurons, two codes": "429-neurons 429-daily-allocation",
        "429: capacity; whatever else": "429-capacity 429-other",
        "404: half of the pair": "404-account-id",
    },
    "cohere": {
        "429: the minute's": "429-minute 429-minute-calls 429-minute-tokens",
        "429: the month's; the trial's": "429-month 429-trial",
    },
    "zai": {
        "400: unknown model; too long": "400-model 400-too-long",
        "429: no balance, no more use": "429-balance 429-usage-limit",
        "429: concurrency, overload": "429-concurrency 429-overload",
    },
    "huggingface": {
        "402: the month's credit, the error a text": "402-credits",
        "403: a token without the permission": "403-permission",
        "400: unknown; not at this upstream": "400-model 400-upstream-lacks-it 400-not-enabled",
    },
    "kilo": {
        "400: no formats here": "400-response-format",
        "402: no longer free": "402-no-balance",
        "200: a guard's word in place of an answer": "guard.json guard.sse",
    },
    "ovhcloud": {
        "429: nothing said; a wait": "429-anonymous 429-with-wait",
        "401: an empty bearer": "401-empty-bearer",
    },
    "sambanova": {"402: a card is asked for": "402-payment"},
    "github": {"410: closed for good": "410-retired"},
}
