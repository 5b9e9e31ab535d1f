"""What each provider turns down, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.asking import NAMES, Asker

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}


def called(call_id: str, **extra: object) -> dict:
    """An assistant turn that called a tool."""
    function = {"name": "f", "arguments": "{}"}
    call = {"id": call_id, "type": "function", "function": function, **extra}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def result(call_id: str) -> dict:
    """What the tool gave back."""
    return {"role": "tool", "tool_call_id": call_id, "content": "3"}


SIGNED = {"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}}

REFUSED = [
    # provider, body, status, what the answer holds
    ("mistral", {"seed": 1}, 422, '"loc":["body","seed"]'),
    ("mistral", {"max_completion_tokens": 9}, 422, "extra_forbidden"),
    ("mistral", {"user": "me"}, 422, '"loc":["body","user"]'),
    ("mistral", {"messages": [{**USER, "name": "me"}]}, 422, '["body","messages",0,"user","name"]'),
    ("mistral", {"messages": [{"role": "developer", "content": "x"}]}, 422, "developer"),
    ("mistral", {"messages": [USER, called("abc123"), result("abc123")]}, 400, '"code":"3280"'),
    ("mistral", {"messages": [USER, called("abcdefghi")]}, 400, '"code":"3230"'),
    ("mistral", {"messages": [USER, {"role": "assistant", "content": "so"}]}, 400, "3230"),
    ("mistral", {"messages": [USER, called("a" * 9), result("a" * 9), USER]}, 400, "after role"),
    ("mistral", {"messages": [USER, {"role": "assistant", "content": ""}, USER]}, 400, "3240"),
    ("mistral", {"tools": [{"type": "function", "function": {"name": "f"}}]}, 422, "missing"),
    ("mistral", {"reasoning_effort": "high"}, 400, "not supported"),
    ("mistral", {"model": "no-such"}, 400, '"code":"1500"'),
    ("mistral", {"model": "mistral-large-latest"}, 403, '"code":"1910"'),
    ("google", {"seed": 1}, 400, 'Unknown name \\"seed\\": Cannot find field.'),
    ("google", {"frequency_penalty": 0}, 400, "fieldViolations"),
    ("google", {"messages": [{"role": "user", "content": ""}]}, 400, "INVALID_ARGUMENT"),
    ("google", {"messages": [USER, called("1"), result("1")]}, 400, "missing a thought_signature"),
    ("google", {"messages": [USER, called("1", **SIGNED), USER]}, 400, "function response parts"),
    ("google", {"messages": [USER, {"role": "assistant", "content": "so"}]}, 400, "model turn"),
    ("google", {"reasoning_effort": "none"}, 400, "INVALID_ARGUMENT"),
    ("google", {"model": "no-such"}, 404, "is not found for API version v1main"),
    ("google", {"model": "gemini-2.5-flash-lite"}, 404, "no longer available to new users"),
    ("google", {"model": "gemini-2.5-pro"}, 429, "limit: 0"),
    ("cerebras", {"tools": [TOOL], "response_format": SCHEMA}, 400, '"wrong_api_format"'),
    ("cerebras", {"max_tokens": 9, "max_completion_tokens": 9}, 400, "cannot both be set"),
    (
        "cerebras",
        {"messages": [{**USER}, {"role": "assistant", "reasoning_content": "x"}]},
        400,
        "r",
    ),
    ("cerebras", {"messages": [USER, called("1")]}, 400, "followed by tool messages"),
    ("cerebras", {"messages": [IMAGE]}, 400, "image_url"),
    ("cerebras", {"store": False}, 400, "'store' is unsupported"),
    ("cerebras", {"model": "llama3.1-8b"}, 404, '"code":"model_not_found"'),
    ("groq", {"logprobs": True}, 400, "property 'logprobs' is unsupported"),
    ("groq", {"n": 2}, 400, "at most 1"),
    (
        "groq",
        {"messages": [USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}, USER]},
        400,
        "'messages.1' : property 'reasoning_content' is unsupported",
    ),
    (
        "groq",
        {"tools": [TOOL], "response_format": {"type": "json_object"}},
        400,
        "cannot be combined",
    ),
    ("groq", {"model": "groq/compound-mini", "tools": [TOOL]}, 400, "not supported"),
    ("groq", {"model": "llama-3.3-70b-versatile"}, 404, '"code":"model_not_found"'),
    ("groq", {"model": "whisper-large-v3-turbo"}, 400, "chat completions"),
    ("nim", {"store": True, "metadata": {}}, 400, "Unsupported parameter(s): `store`, `metadata`"),
    ("nim", {"store": True, "model": "openai/gpt-oss-20b"}, 400, "Extra inputs are not permitted"),
    ("nim", {"tools": [TOOL], "model": "meta/llama-3.1-8b-instruct"}, 400, "tool-call-parser"),
    ("nim", {"model": "moonshotai/kimi-k2.6"}, 410, "end of life"),
    ("nim", {"model": "moonshotai/kimi-k3"}, 404, "Not found for account"),
    ("nim", {"model": "no/such"}, 404, "404 page not found"),
    ("openrouter", {"model": "no/such"}, 400, "is not a valid model ID"),
    ("openrouter", {"model": "openai/gpt-oss-20b:free"}, 404, '"free_variant_ended"'),
    ("openrouter", {"model": "openai/gpt-oss-120b"}, 402, "more credits"),
    ("openrouter", {"model": "liquid/lfm-2.5-2.6b:free", "tools": [TOOL]}, 404, "tool use"),
    ("openrouter", {"model": "liquid/lfm-2.5-2.6b:free", "messages": [IMAGE]}, 404, "image input"),
]


@pytest.mark.parametrize(("name", "body", "status", "holds"), REFUSED)
def test_a_request_is_turned_down_in_the_provider_s_words(
    lab: Lab, ask: Asker, name: str, body: dict, status: int, holds: str
):
    """The status, and the part of the body that a client has to understand."""
    reply = ask.post(lab[name], **body)

    assert (reply.status_code, holds in reply.text) == (status, True), reply.text


SERVED = [
    ("mistral", {"messages": [USER, called("a" * 9), result("a" * 9)]}),
    ("mistral", {"random_seed": 1, "stream_options": {"include_usage": True}}),
    ("google", {"messages": [USER, called("1", **SIGNED), result("1")]}),
    ("google", {"model": "models/gemini-3.5-flash-lite"}),
    ("google", {"model": "gemma-4-31b-it", "messages": [USER, called("1"), result("1")]}),
    ("cerebras", {"messages": [USER, called("1"), result("1"), USER]}),
    ("groq", {"messages": [USER, {"role": "assistant", "content": "x", "reasoning": "y"}, USER]}),
    ("groq", {"seed": 1, "user": "me", "max_tokens": 50}),
    ("openrouter", {"store": True, "random_seed": 1, "no_such_field": 1}),
    ("nim", {"seed": 1, "stop": ["x"], "frequency_penalty": 0.5}),
]


@pytest.mark.parametrize(("name", "body"), SERVED)
def test_what_the_provider_accepts_is_served(lab: Lab, ask: Asker, name: str, body: dict):
    """The other side of the table: strictness must not be overdone."""
    assert ask.post(lab[name], **body).status_code == 200


WRONG_KEY = {
    "openrouter": (401, '"User not found."'),
    "google": (400, "API_KEY_INVALID"),
    "nim": (403, '"detail":"Authorization failed"'),
    "groq": (401, '"code":"invalid_api_key"'),
    "cerebras": (401, '"code":"wrong_api_key"'),
    "mistral": (401, '{"detail":"Unauthorized"}'),
}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_is_refused(lab: Lab, ask: Asker, name: str):
    """Google answers 400, NIM 403, the others 401."""
    reply = ask.post(lab[name], key="nobody")
    status, holds = WRONG_KEY[name]

    assert (reply.status_code, holds in reply.text) == (status, True), reply.text
    assert lab[name].requests[-1].key is None


@pytest.mark.parametrize(
    ("headers", "status", "holds"),
    [
        ({}, 403, "unregistered callers"),
        ({"x-goog-api-key": "x"}, 400, "Missing or invalid Authorization header"),
        ({"x-goog-api-key": "x", "authorization": "Bearer x"}, 400, "Multiple authentication"),
    ],
)
def test_google_takes_a_bearer_and_nothing_else(
    lab: Lab, ask: Asker, headers: dict[str, str], status: int, holds: str
):
    """A second credential is refused like none at all."""
    reply = ask.post(lab["google"], headers=headers)

    assert (reply.status_code, holds in reply.text) == (status, True)


def test_google_wraps_its_errors_in_a_list(lab: Lab, ask: Asker):
    """A list of one, with a newline after it."""
    reply = ask.post(lab["google"], seed=1)

    assert reply.json()[0]["error"]["code"] == 400
    assert reply.text.endswith("]\n")


def test_cerebras_errors_are_flat(lab: Lab, ask: Asker):
    """No `error` around the message."""
    assert set(ask.post(lab["cerebras"], store=1).json()) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_path_is_a_404(lab: Lab, ask: Asker, name: str):
    """In the provider's own shape."""
    assert ask.post(lab[name], "/chat/completion").status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_no_json_is_refused(lab: Lab, ask: Asker, name: str):
    """And the connection lives on."""
    told = {"authorization": f"Bearer {lab[name].keys[0]}"}
    url = lab[name].base_url + "/chat/completions"

    assert ask.http.post(url, headers=told, content=b"{").status_code in (400, 422)
    assert ask.post(lab[name]).status_code == 200


def test_a_prompt_beyond_the_context_overflows(lab: Lab, ask: Asker):
    """Told with the numbers of the model."""
    long = [{"role": "user", "content": "word " * 60_000}]
    reply = ask.post(lab["cerebras"], messages=long)

    assert (reply.status_code, reply.json()["code"]) == (400, "context_length_exceeded")
    assert "65536" in reply.json()["message"]
