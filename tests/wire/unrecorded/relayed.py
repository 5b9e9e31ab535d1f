"""What a router passes on is its host's, in every shape; what it says itself is about our key."""

from __future__ import annotations

import json
from typing import Any

from tests.wire.unrecorded import Case

_RETURNED = "Provider returned error"
_HOSTS_OWN = {
    401: {"message": "Incorrect API key provided", "code": "invalid_api_key"},
    402: {"message": "Insufficient balance, please recharge", "type": "insufficient_balance"},
    403: {"message": "This account has been suspended"},
    429: {"message": "You exceeded your current quota", "code": "insufficient_quota"},
}


def _told(status: int, metadata: Any, message: str = _RETURNED) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "metadata": metadata}}


def _of_a_host() -> list[Case]:
    cases: list[Case] = []
    for status, said in _HOSTS_OWN.items():
        bodies = (
            _told(status, {"raw": json.dumps({"error": said}), "provider_name": "Acme"}),
            _told(status, {"provider_name": "Acme", "raw": {"error": said}}),
            _told(status, {"raw": json.dumps([{"error": said}])}),
            _told(status, {"provider_name": "Acme", "raw": said["message"], "is_byok": True}),
            _told(status, {"provider_name": "Acme"}, said["message"]),
            _told(status, {"provider_name": "Acme", "raw": None}, said["message"]),
            {"user_id": "u", **_told(status, {"raw": json.dumps(said), "error_type": "server"})},
        )
        cases += [
            Case(status, body, "overloaded", "model", provider=name)
            for body in bodies
            for name in ("openrouter", "kilo", "other")
        ]
    return cases


_OWN: dict[str, Any] = {"provider_name": None, "raw": None}
CASES = [
    *_of_a_host(),
    Case(401, _told(401, _OWN, "User not found."), "unauthorized", "key"),
    Case(402, _told(402, _OWN, "Insufficient credits"), "unpaid", "key"),
    Case(402, _told(402, {}, "Insufficient credits"), "unpaid", "key"),
    Case(403, _told(403, {"provider_name": "", "raw": ""}, "Forbidden"), "forbidden"),
    Case(
        429, _told(429, _OWN, "Rate limit exceeded: free-models-per-min. "), "throttled", "account"
    ),
    # Its own caps, whoever is named beside them.
    Case(
        429,
        _told(429, {"provider_name": "Acme"}, "Rate limit exceeded: free-models-per-day"),
        "throttled",
        "account",
        43200.0,
    ),
    Case(
        403,
        _told(403, {"provider_name": "Acme", "flagged_input": "x", "reasons": ["y"]}, "Flagged"),
        "moderated",
        "call",
    ),
    Case(
        400,
        _told(400, {"provider_name": "Acme", "raw": "User location is not supported"}),
        "blocked",
        "model",
    ),
    Case(
        404,
        _told(404, {"provider_name": "Acme", "raw": "The model `owl` does not exist"}),
        "model_gone",
        "model",
    ),
    Case(
        429,
        _told(429, {"provider_name": "Acme", "raw": "Please try again in 1m30s"}),
        "overloaded",
        "model",
        90.0,
    ),
]
