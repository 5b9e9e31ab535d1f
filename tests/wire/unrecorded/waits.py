"""When to come back, in every spelling: headers, fields, prose, days and months."""

from __future__ import annotations

from tests.wire.unrecorded import Case, error, told

_BUSY = error("slow down")
_NOON_PLUS = 1_795_348_800


def _headers(wait: float | None, **headers: str) -> Case:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Case(429, _BUSY, "throttled", None, wait, headers=named)


def _spent(wait: float | None, **headers: str) -> Case:
    return _headers(wait, x_ratelimit_remaining="0", **headers)


RETRY_AFTER = [
    _headers(7.0, retry_after="7"),
    _headers(7.5, retry_after="7.5"),
    _headers(0.0, retry_after="0"),
    _headers(7.0, retry_after=" 7 "),
    _headers(7.0, retry_after="7s"),
    _headers(7.0, retry_after="7 seconds"),
    _headers(90.0, retry_after="1m30s"),
    _headers(0.5, retry_after="500ms"),
    _headers(30.0, retry_after="Sun, 22 Nov 2026 12:00:30 GMT"),
    _headers(30.0, retry_after="Sunday, 22-Nov-26 12:00:30 GMT"),
    _headers(0.0, retry_after="Sun, 22 Nov 2026 11:59:00 GMT"),
    _headers(60.0, retry_after="2026-11-22T12:01:00Z"),
    _headers(60.0, retry_after="2026-11-22T13:01:00+01:00"),
    _headers(60.5, retry_after="2026-11-22T12:01:00.500Z"),
    _headers(30.0, retry_after=str(_NOON_PLUS + 30)),
    _headers(30.0, retry_after=str((_NOON_PLUS + 30) * 1000)),
    _headers(1.5, retry_after_ms="1500"),
    _headers(1.5, retry_after_ms="1500", retry_after="2"),
    _headers(None, retry_after=""),
    _headers(None, retry_after="soon"),
    _headers(None, retry_after="nan"),
    _headers(None, retry_after="-5"),
    _headers(None, retry_after="inf"),
]
RESETS = [
    _spent(12.0, x_ratelimit_reset="12"),
    _spent(12.5, x_ratelimit_reset="12.5"),
    _spent(45.0, x_ratelimit_reset=str(_NOON_PLUS + 45)),
    _spent(45.0, x_ratelimit_reset=str((_NOON_PLUS + 45) * 1000)),
    _spent(45.0, x_ratelimit_reset="2026-11-22T12:00:45Z"),
    _spent(86.4, x_ratelimit_reset="1m26.4s"),
    _spent(0.825, x_ratelimit_reset="825ms"),
    _headers(12.0, ratelimit_remaining="0", ratelimit_reset="12"),
    _headers(179.56, x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="2m59.56s"),
    _headers(
        20.0,
        x_ratelimit_remaining_requests="3",
        x_ratelimit_reset_requests="9h",
        x_ratelimit_remaining_tokens="0",
        x_ratelimit_reset_tokens="20s",
    ),
    _headers(45.0, x_rate_limit_remaining="0", x_rate_limit_reset=str(_NOON_PLUS + 45)),
]
FIELDS = [
    Case(429, {**_BUSY, "retry_after": 5}, "throttled", None, 5.0),
    Case(429, error("slow down", retry_after=5.5), "throttled", None, 5.5),
    Case(429, error("slow down", retry_after="5s"), "throttled", None, 5.0),
    Case(429, {"message": "slow down", "retryAfter": 5}, "throttled", None, 5.0),
    Case(429, {"message": "slow down", "retry_after_ms": 2500}, "throttled", None, 2.5),
    Case(429, error("slow down", retryAfterMs=2500), "throttled", None, 2.5),
    Case(429, error("slow down", retry_after_seconds=9), "throttled", None, 9.0),
    Case(429, {"detail": {"error": "slow down", "retry_after": 4}}, "throttled", None, 4.0),
    Case(
        429,
        {"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo",
                                "retryDelay": {"seconds": 8}}]}},
        "throttled",
        None,
        8.0,
    ),
]  # fmt: skip
_PROSE = {
    "Rate limit reached. Please try again in 1h2m3.5s.": 3723.5,
    "Please retry in 27.9s.": 27.9,
    "Too many requests, wait 2 minutes.": 120.0,
    "Please wait 2 minutes before trying again": 120.0,
    "Please wait for 90 seconds and try again.": 90.0,
    "Rate limited. Retry after 30 seconds": 30.0,
    "Please retry after 86400 seconds.": 86400.0,
    "Try again in about 5 minutes.": 300.0,
    "Try again in 1 hour and 30 minutes": 5400.0,
    "try again in 1 minute, 5 seconds": 65.0,
    "Please retry your request in 20 seconds.": 20.0,
    "The limit resets in 2 hours.": 7200.0,
    "Your quota will reset in 3 hours": 10800.0,
    "Retry after: 20s": 20.0,
    "Please try again in 250 ms": 0.25,
    "try again in 20s. Limit 8000 tokens per 60 seconds": 20.0,
    "Please try again in 1 minute": 60.0,
    "Next request allowed in 15s": 15.0,
    "You may send 5 requests per 10 seconds": None,
    "Slow down, the limit is 30 requests per minute": None,
}
PROSE = [Case(429, error(said), "throttled", None, wait) for said, wait in _PROSE.items()]
DAILY = told(
    429,
    "throttled",
    None,
    "You have used up your requests per day.",
    "Rate limit exceeded: RPD",
    "daily limit reached",
    "Daily request limit exceeded for this model",
    "Limit reached on tokens per day (TPD): Limit 200000, Used 199999",
    "You have reached your daily quota",
    "50 requests/day exceeded",
    "Quota exceeded: 1000 requests per 24 hours",
    "quota 'GenerateRequestsPerDayPerProject' exceeded",
    "Too many requests today. Come back tomorrow.",
    "requests_per_day limit hit",
    "per-day token allowance is used up",
    "24-hour limit exceeded",
    retry_after=43200.0,
)
MONTHLY = told(
    429,
    "throttled",
    None,
    "Monthly quota exceeded",
    "You have hit the monthly limit of your workspace",
    "limit of 1000000 tokens per calendar month reached",
    "You have used all requests of this month",
    "1000 calls / month exceeded",
    retry_after=734400.0,
)
DAILY_CODES = [
    Case(429, error("Too many", code="daily_limit_exceeded"), "throttled", None, 43200.0),
    Case(429, error("Too many", type="tokens_per_day"), "throttled", None, 43200.0),
    Case(429, error("Too many", code="MONTHLY_QUOTA_EXCEEDED"), "throttled", None, 734400.0),
]
NOT_DAILY = told(
    429,
    "throttled",
    None,
    "Requests per minute exceeded. Upgrade your plan today.",
    "Too many requests per minute. Pro users get a higher limit, see our holiday offer.",
)
CONCURRENT = told(
    429,
    "throttled",
    "route",
    "Too many concurrent requests",
    "Concurrency limit reached for this model",
    "You may only have 1 request in flight at a time",
    "Max parallel requests exceeded",
    "Too many simultaneous requests for your account",
    retry_after=3.0,
)
ALLOWS_NOTHING = told(
    429,
    "not_on_plan",
    "route",
    "Quota exceeded for metric requests, limit: 0, model: owl",
    "Rate limit reached on requests per day (RPD): Limit 0, Used 0, Requested 1",
    "You exceeded a limit of 0 requests per minute",
    "limit=0 for this model on your tier",
    "limit: 0. Please retry in 20s",
)
ALLOWS_SOMETHING = told(
    429,
    "throttled",
    None,
    "Limit: 0.5 requests per second",
    "limit: 05 per minute",
    "requests limit: 100, remaining: 0",
    "limit 0,5 per second",
)
ALLOWS_NOTHING_IN_HEADERS = [
    Case(429, _BUSY, "not_on_plan", "route", headers={"x-ratelimit-limit-requests": "0"}),
    Case(429, _BUSY, "not_on_plan", "route", headers={"x-ratelimit-limit": "0"}),
    Case(429, _BUSY, "not_on_plan", "route", headers={"ratelimit-limit": "0"}),
    Case(429, _BUSY, "throttled", None, headers={"x-ratelimit-limit-requests": "10"}),
]
CASES = [
    *RETRY_AFTER,
    *RESETS,
    *FIELDS,
    *PROSE,
    *DAILY,
    *MONTHLY,
    *DAILY_CODES,
    *NOT_DAILY,
    *CONCURRENT,
    *ALLOWS_NOTHING,
    *ALLOWS_SOMETHING,
    *ALLOWS_NOTHING_IN_HEADERS,
]
