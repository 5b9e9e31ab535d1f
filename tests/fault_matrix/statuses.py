"""The matrix: what each status means by itself, in whatever shape, and where somebody differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from freelm_integrations.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable

Verdict = tuple[str, str | None]

EVERYBODY: dict[int, Verdict] = {
    400: ("malformed", "call"),
    401: ("unauthorized", "key"),
    402: ("unpaid", "key"),
    403: ("forbidden", None),
    404: ("model_gone", "model"),
    405: ("blocked", "provider"),
    408: ("timeout", "route"),
    409: ("overloaded", "model"),
    410: ("model_gone", "model"),
    413: ("too_large", "route"),
    415: ("malformed", "call"),
    418: ("malformed", "call"),
    421: ("blocked", "provider"),
    422: ("malformed", "call"),
    424: ("server_error", "model"),
    425: ("overloaded", "model"),
    429: ("throttled", None),
    451: ("blocked", "provider"),
    498: ("overloaded", "model"),
    499: ("server_error", "model"),
    500: ("server_error", "model"),
    501: ("unsupported", "route"),
    502: ("server_error", "model"),
    503: ("overloaded", "model"),
    504: ("timeout", "route"),
    507: ("server_error", "model"),
    511: ("blocked", "provider"),
    520: ("server_error", "model"),
    521: ("server_error", "model"),
    522: ("timeout", "route"),
    523: ("server_error", "model"),
    524: ("timeout", "route"),
    525: ("server_error", "model"),
    527: ("server_error", "model"),
    529: ("overloaded", "model"),
    530: ("server_error", "model"),
    599: ("server_error", "model"),
}
"""Kind and scope; None: what the kind applies to where nobody says."""
OTHERWISE: dict[tuple[str, int], Verdict] = {
    ("groq", 422): ("tool_failed", None),  # what the model wrote
    ("ovhcloud", 429): ("throttled", "route"),  # counted by model, and nothing is promised
    ("kilo", 429): ("throttled", "account"),  # so many an hour from one address
    ("kilo", 402): ("unpaid", "route"),  # that model costs; the free ones do not
}
WAITS = {("ovhcloud", 429): 30.0, ("cohere", 429): 60.0, ("google", 429): 60.0}
"""Seconds to wait where the provider is known to mean so, and says nothing."""
PAGES: dict[int, Verdict] = {403: ("blocked", "provider")}
"""An HTML page is no word of the provider's own."""

SHAPES: dict[str, Callable[[int], Any]] = {
    "nothing": lambda _: "",
    "words": lambda status: f"{status} went wrong",
    "page": lambda status: f"<!doctype html><html><head><title>{status}</title></head></html>",
    "null": lambda _: "null",
    "array": lambda _: [],
    "cut": lambda _: '{"error": {"mess',
    "openai": lambda _: {"error": {"message": "no", "type": None, "param": None, "code": None}},
    "openai, coded": lambda status: {"error": {"message": "no", "code": status}},
    "google": lambda status: [{"error": {"code": status, "message": "no", "details": []}}],
    "openrouter": lambda status: {
        "error": {"code": status, "message": "no", "metadata": {"provider_name": None}},
        "user_id": "user_1",
    },
    "flat": lambda status: {"object": "error", "message": "no", "raw_status_code": status},
    "problem": lambda status: {"status": status, "title": "no", "detail": "no"},
    "detail": lambda _: {"detail": "no"},
    "details": lambda _: {"detail": [{"msg": "no"}]},
    "string": lambda _: {"error": "no"},
    "JSON in it": lambda _: {"error": {"message": json.dumps({"error": {"message": "no"}})}},
    "cloudflare": lambda _: {"success": False, "errors": [{"code": 1, "message": "no"}]},
}
ASKED = [*PROVIDERS, "other"]


def verdict(provider: str, status: int, shape: str) -> Verdict:
    """What that cell of the matrix says."""
    by_page = PAGES.get(status) if shape == "page" else None
    return by_page or OTHERWISE.get((provider, status)) or EVERYBODY[status]


def body(status: int, shape: str) -> bytes:
    """What stands behind that status in that shape."""
    said = SHAPES[shape](status)
    return (said if isinstance(said, str) else json.dumps(said)).encode()
