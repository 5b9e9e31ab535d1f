"""What refusals say of the server: its capacity, our quota of it, its models; and bare statuses."""

from __future__ import annotations

from freelm_integrations.wire.refusals.rule import NO_STATUS, rule

_BUSY = (429, 500, 502, 503, 529)
_ABOUT_MODELS = (400, 403, 404, 410, 422)
# Within one sentence (the dots of `owl-1.5` end none), and not about something else of the model.
_OF_MODEL = (
    r"\bmodel\b(?:(?!tool|function|image|file|param|field|propert|support|messag)"
    r"(?:[^.;\n]|\.(?=\S))){0,80}?"
)
_ENDED = (
    r"\b(?:decommissioned|deprecated|retired|discontinued|sunset|been removed|shut ?down"
    r"|no longer (?:available|supported|served|offered)|end[- ]of[- ]life)"
)
_UNKNOWN = (
    r"\b(?:unknown|invalid|unsupported|unrecognized|no such|no|(?:could not|couldn't|cannot) find)"
    r" (?:(?:the|any|requested) )?model\b|not a valid model"
    rf"|{_OF_MODEL}(?:\bnot (?:found|exist)|doesn't exist|\bnot (?:available|served|deployed)"
    r"|\bunavailable)|\bmodel(?: \S+)? is (?:not supported|unsupported)"
    r"|\bmodel_(?:not_found|deprecated|decommissioned)|模型.{0,10}不存在"
)
_NO_MORE = (  # without a word of what: it is a model, if it is no part of the request
    r"^(?!.*(?:param|field|feature|function|tool|option|argument|header|endpoint))"
    r".*\bno longer (?:available|supported|served)"
)
_CROWDED = r"overloaded|(?:at|over) capacity|(?:server|service) (?:is )?(?:too )?busy|no healthy"

QUOTA_IN_WORDS = (  # of a refusal in a 200 that tells neither status nor code
    rule(
        "throttled", on=(NO_STATUS,), text=r"rate.?limit|too many requests|quota (?:was )?exceeded"
    ),
)
OWN_CAPS = (  # a router's own, whichever host it names beside them (OpenRouter)
    rule("throttled", "account", words="openrouter_free_tier_per_minute"),
    rule("throttled", "account", words="openrouter_free_tier_daily"),
    rule("throttled", "account", text=r"free-models-per-(?:min|day)"),
)
CAPACITY = (
    *OWN_CAPS,
    # OpenRouter: that is to be followed, not the status (changelog of 2026-08).
    rule("model_gone", "model", on=(503,), words="retryable_false"),
    rule("throttled", "account", on=(429,), words="4006 3036"),  # Cloudflare: the day's neurons
    rule("overloaded", "model", on=(429,), words="3040"),  # Cloudflare
    rule("overloaded", "model", words="upstream_provider_shared_pool capacity_exhausted"),
    rule("overloaded", "model", words="temporarily_unavailable provider_overloaded"),
    rule("overloaded", "model", on=(429,), text=r"provider returned error|upstream"),
    rule("overloaded", "model", on=(400, 403, 404, 410, 429, 503), words="retryable"),
    rule("overloaded", "model", words="queue_exceeded", retry_after=1.0),  # Cerebras
    rule("overloaded", "model", on=(429, 503), words="3505"),  # Mistral
    rule("overloaded", "model", on=(429, 503), text=r"service tier capacity"),
    rule("overloaded", "model", on=(429,), words="1305"),  # Z.ai
    rule("overloaded", "route", on=(503,), text=r"^loading model", retry_after=3.0),  # llama.cpp
    rule("overloaded", "model", text=r"resourceexhausted: worker|model is overloaded"),
    rule("overloaded", "model", on=(429, 503), text=r"high demand|high traffic"),
    rule("overloaded", "model", on=_BUSY, text=_CROWDED),
    rule("overloaded", "model", words="capacity_exceeded overloaded overloaded_error"),
    # An upstream's limit, not ours, behind a proxy's 5xx.
    rule("overloaded", "model", on=range(500, 600), words="429 rate_limit_exceeded"),
    rule(
        "throttled",
        "route",
        on=(429,),
        text=r"concurren|parallel requests|simultaneous|in flight",
        retry_after=3.0,
    ),
    rule("throttled", on=(429,)),
    rule("throttled", words="rate_limit_exceeded resource_exhausted rate_limited rate_limit_error"),
    rule("throttled", words="request_quota_exceeded token_quota_exceeded too_many_requests"),
    rule("throttled", words="quota_exceeded throttling throttling_exception"),
)
MODEL = (
    # Cerebras says this of models that only a paid key may use, too.
    rule("model_gone", "route", on=(404,), words="model_not_found", text=r"not have access"),
    rule("model_gone", "model", words="model_not_found model_decommissioned model_deprecated"),
    rule("model_gone", "model", words="invalid_model free_variant_ended no_endpoints"),
    rule("model_gone", "model", words="model_unavailable_upstream wrong_endpoint"),
    rule("model_gone", "model", on=(400, 404), words="1500 1211"),  # Mistral, Z.ai
    rule("model_gone", "model", on=(404, 410), text=r"end of life|retired|decommissioned"),
    rule("model_gone", "model", on=_ABOUT_MODELS, text=rf"{_OF_MODEL}{_ENDED}"),
    rule("model_gone", "model", on=(400, 404, 422), text=_UNKNOWN),
    rule("model_gone", "model", on=(400, 404), text=_NO_MORE),
    rule("model_gone", "model", on=(410,)),
)
BY_STATUS = (
    rule("forbidden", on=(403,)),
    rule("model_gone", "model", on=(404,)),
    rule("timeout", "route", on=(202, 408, 504, 522, 524)),  # 202: NVIDIA's still works on it
    rule("timeout", "route", words="timeout deadline_exceeded"),
    rule("overloaded", "model", on=(409, 423, 425, 498, 503, 529)),
    rule("blocked", "provider", on=(405, 407, 421, 511)),  # no such door at this address
    rule("server_error", "model", on=(424, 499, *range(500, 600))),
    rule("malformed", "call", on=range(400, 500)),
)
BY_WORD = (  # codes of refusals in a 200, whose status is not told
    rule("forbidden", words="permission_denied permission_error forbidden"),
    rule("model_gone", "model", words="not_found not_found_error"),
    rule("overloaded", "model", words="unavailable service_unavailable"),
    rule("overloaded", "model", on=(NO_STATUS,), text=r"unavailable|try again later"),
    rule("timeout", "route", on=(NO_STATUS,), text=r"timed out|timeout"),
    rule("malformed", "call", words="invalid_request_error invalid_request invalid_argument"),
)
