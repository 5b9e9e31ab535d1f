"""False friends: what a prompt, a tool or a link says in an error is not what the server says."""

from __future__ import annotations

from tests.wire.unrecorded import Case, error

SAYINGS = (
    "why do I get rate limit exceeded, try again in 5 minutes",
    "my api key not valid any more, is the key expired?",
    "what does maximum context length is 8192 tokens mean",
    "this was flagged by moderation for our content policy",
    "the service is not available in your country",
    "you have insufficient credits, please top up",
    "the model owl-1 has been decommissioned",
    "the model is overloaded, high demand",
    "does not support tools and images",
    "50 requests per day, limit: 0",
)


def _in_everything(said: str) -> list[Case]:
    """One saying in all the places where servers repeat what they were sent."""
    return [
        Case(422, {"detail": [{"type": "string_type", "loc": ["body", "messages", 0, "content"],
                               "msg": "Input should be a valid string",
                               "input": {"text": said}}]}, "malformed", "call"),
        Case(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"],
                               "msg": "Extra inputs are not permitted", "input": said}]},
             "bad_parameter", "route", None, "top_k"),
        Case(400, error(f"Invalid value for 'messages[0].content': \"{said}\""),
             "malformed", "call"),
        Case(400, error(f"Unknown parameter: 'top_k'. The request was: '{said}'"),
             "bad_parameter", "route", None, "top_k"),
        Case(400, error("1 validation error for Request\nmessages.0.content\n  Input should be a valid "
                        f"string [type=string_type, input_value='{said}', input_type=str]"),
             "malformed", "call"),
        Case(400, error("The tool call was not valid", code="tool_use_failed",
                        failed_generation=f'<function=ask>{{"q": "{said}"}}'), "tool_failed"),
        Case(400, {"error": {"message": "Bad request", "request": {"messages": [
            {"role": "user", "content": said}]}}}, "malformed", "call"),
        Case(500, error(f'Template error while rendering "{said}"'), "server_error", "model"),
        Case(400, error(f"Invalid role in message “{said}”"), "malformed", "call"),
    ]  # fmt: skip


QUOTED = [case for said in SAYINGS for case in _in_everything(said)]
NAMES = [
    Case(400, error("Invalid schema for function 'rate_limit_exceeded': type must be object"),
         "malformed", "call"),
    Case(400, error("tools[0].function.name 'moderation_flagged' is too long"),
         "malformed", "call"),
    Case(404, error("model acme/moderation-flagged-7b not found"), "model_gone", "model"),
    Case(400, error("Bad request. See https://docs.example/errors/model-is-overloaded"),
         "malformed", "call"),
    Case(400, error("Bad request", docs_url="https://docs.example/context-window-exceeded"),
         "malformed", "call"),
    Case(429, error("Too many. See https://docs.example/requests-per-day/monthly"), "throttled"),
    Case(400, error("The `functions` parameter is deprecated in favour of tools"),
         "malformed", "call"),
    Case(400, error("temperature 3 is above the maximum"), "malformed", "call"),
    Case(429, error("Requests per minute exceeded", help="Daily limits are on your account page"),
         "throttled", None),
]  # fmt: skip
CASES = [*QUOTED, *NAMES]
