"""What is wrong with the server or its models: retired, crowded, broken, odd of status or shape."""

from __future__ import annotations

import json

from tests.wire.unrecorded import Case, error, told

_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>cloudflare</center></body></html>"

RETIRED = [
    Case(410, "", "model_gone", "model"),
    Case(410, error("Gone"), "model_gone", "model"),
    Case(404, "", "model_gone", "model"),
    Case(404, error("Not Found"), "model_gone", "model"),
    *told(404, "model_gone", "model", "The model `owl-1` does not exist", "Unknown model: owl-1"),
    *told(
        400,
        "model_gone",
        "model",
        "The model `owl-1.5` has been decommissioned and is no longer supported.",
        "Model owl-1.5 is deprecated, use owl-2 instead",
        "The model owl-1 is no longer available.",
        "This model was retired on 2026-10-01",
        "Model owl-1 has reached end-of-life",
        "owl-1 is not a valid model ID",
        "Model Not Exist",
        "model 'owl-1' not found",
        "Unknown model: owl-1",
        "Invalid model name passed in model=owl-1",
        "The model owl-1 has been sunset",
        "No such model: owl-1",
        "模型不存在",
    ),
    Case(400, error("no", code="model_not_found"), "model_gone", "model"),
    Case(400, error("no", code="ModelNotFound"), "model_gone", "model"),
    Case(422, error("model_deprecated: owl-1 is deprecated"), "model_gone", "model"),
]
CROWDED = [
    *told(
        503,
        "overloaded",
        "model",
        "The engine is currently overloaded, please try again later",
        "Service temporarily unavailable",
        "That model is currently at capacity",
        "no healthy upstream",
        "Model is loading",
    ),
    *told(
        500,
        "overloaded",
        "model",
        "The server is currently overloaded",
        "That model is currently overloaded with other requests",
        "The model is at capacity",
    ),
    *told(
        429,
        "overloaded",
        "model",
        "The engine is currently overloaded, please try again later",
        "The model is overloaded with requests",
        "The service is at capacity right now",
        "Server busy, please try again later",
    ),
    Case(529, error("Overloaded", type="overloaded_error"), "overloaded", "model"),
    Case(503, "", "overloaded", "model"),
    Case(503, "", "overloaded", "model", 20.0, headers={"retry-after": "20"}),
    Case(503, _PAGE.format("503 Service Temporarily Unavailable"), "overloaded", "model"),
    Case(503, error("Please try again in 40 seconds"), "overloaded", "model", 40.0),
]
STATUSES = [
    Case(498, "", "overloaded", "model"),
    Case(529, "", "overloaded", "model"),
    *(Case(status, "", "timeout", "route") for status in (408, 504, 522, 524)),
    *(
        Case(status, "", "server_error", "model")
        for status in (424, 499, 500, 502, 505, 507, 520, 521, 523, 525, 526, 527, 530, 599)
    ),
    *(Case(status, "", "overloaded", "model") for status in (409, 423, 425)),
    *(Case(status, "", "blocked", "provider") for status in (405, 407, 421, 511)),
    Case(500, _PAGE.format("500 Internal Server Error"), "server_error", "model"),
    Case(502, _PAGE.format("502 Bad Gateway"), "server_error", "model"),
    Case(504, _PAGE.format("504 Gateway Time-out"), "timeout", "route"),
    Case(520, _PAGE.format("520"), "server_error", "model"),
    Case(429, _PAGE.format("429 Too Many Requests"), "throttled"),
    Case(404, _PAGE.format("404 Not Found"), "model_gone", "model"),
    Case(502, "upstream connect error or disconnect/reset before headers", "server_error", "model"),
    Case(302, "", "server_error", None),
]
_LIMITED = json.dumps(error("Rate limit reached", code=429))
SHAPES = [
    Case(429, "", "throttled"),
    Case(429, "Too Many Requests", "throttled"),
    Case(429, "[]", "throttled"),
    Case(429, '"Too many requests"', "throttled"),
    Case(429, "null", "throttled"),
    Case(429, "{not json", "throttled"),
    Case(429, [error("Please retry in 9s")], "throttled", None, 9.0),
    Case(429, ["Please retry in 9s"], "throttled", None, 9.0),
    Case(429, {"error": "Please retry in 9s"}, "throttled", None, 9.0),
    Case(429, {"errors": [{"message": "Please retry in 9s"}]}, "throttled", None, 9.0),
    Case(429, {"msg": "请求过于频繁"}, "throttled"),
    Case(429, error("Límite de solicitudes alcanzado"), "throttled"),
    Case(400, error(json.dumps(error("no", code="model_not_found"))), "model_gone", "model"),
    Case(400, {"detail": json.dumps({"message": "no", "code": "context_length_exceeded"})}, "too_long"),
    Case(400, error("Provider said: " + json.dumps(error("no", code="model_not_found"))),
         "model_gone", "model"),
    Case(500, error("Error code: 429 - " + _LIMITED), "overloaded", "model"),
    Case(502, error("upstream said", metadata={"raw": _LIMITED}), "overloaded", "model"),
]  # fmt: skip
CASES = [*RETIRED, *CROWDED, *STATUSES, *SHAPES]
