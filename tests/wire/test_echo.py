"""What a server repeats of the request decides nothing, with or without quotation marks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import EmbeddingRequest, Request
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.wire.refusals.echo import LEAST, without_echo

PROMPT = (
    "My boss says: your API key is invalid, the model does not exist, insufficient credits remain "
    "and the prompt is too long for the maximum context length. What shall I answer?"
)


def asking(*texts):
    return Request(messages=tuple({"role": "user", "content": text} for text in texts))


def verdict(message, *, status=400, prompt=PROMPT, provider="groq"):
    body = json.dumps({"error": {"message": message}}).encode()
    fault = PROVIDERS[provider].dialect.fault(status, {}, body, utc=0.0, request=asking(prompt))
    return fault.kind


@pytest.mark.parametrize("provider", ["groq", "google", "mistral", "openrouter", "nim", "cerebras"])
@pytest.mark.parametrize(
    "message",
    [
        f"cannot parse this message: {PROMPT}",
        f"cannot parse this message: {PROMPT[:120]}",  # cut
        f"cannot parse {PROMPT[20:150].upper()} as a message, {PROMPT} it was",  # and twice
        f"messages.0 failed: input was {PROMPT} (1 error)",
    ],
)
def test_a_prompt_that_is_repeated_without_marks_is_no_verdict(message, provider):
    """A 400 about the request stays one about the request."""
    assert verdict(message, provider=provider) == "malformed"


def test_a_servers_own_words_beside_the_prompt_still_count():
    """Only what was sent is taken out."""
    assert verdict(f"{PROMPT} -- this exceeds the maximum context length") == "too_long"
    assert verdict("your api key is invalid", status=401) == "unauthorized"


def test_words_that_say_nothing_else_are_left():
    """Somebody asks what an error means, and gets that very error."""
    said = "this model's maximum context length is 8192 tokens"

    assert verdict(said, prompt=f"what does {said} mean?") == "too_long"


def test_parts_calls_and_texts_to_embed_are_the_requests_own_as_well():
    """Wherever text stands in a request."""
    echo = "api key is invalid " * 3
    requests = [
        Request(messages=({"role": "user", "content": [{"type": "text", "text": echo}]},)),
        Request(messages=({"role": "user", "content": [echo]},)),
        Request(
            messages=(
                {
                    "role": "assistant",
                    "tool_calls": [{"function": {"name": "f", "arguments": echo}}],
                },
            )
        ),
        EmbeddingRequest(texts=(echo,)),
    ]

    for request in requests:
        assert without_echo(f"bad input: {echo}", request).strip() == "bad input:"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=200))
def test_nothing_but_the_request_is_ever_taken_out(before, after, prompt):
    """What is left stands in the words; a long prompt does not stand in it any more."""
    before, after, prompt = before.lower(), after.lower(), prompt.lower()
    words = before + prompt + after
    rest = without_echo(words, asking(prompt))

    assert len(rest) <= len(words)
    assert set(rest) <= {*words, " "}
    if len(prompt) >= LEAST and any(map(str.isalnum, rest)) and rest != words:
        assert prompt not in rest
    if prompt == "":
        assert rest == words


def test_a_stream_that_repeats_the_prompt_is_judged_by_its_own_words():
    """An error inside a 200, too."""
    request = Request(messages=({"role": "user", "content": PROMPT},), streaming=True)
    decoder = PROVIDERS["groq"].dialect.decoder(request, "owl")
    said = {"error": {"message": f"cannot go on with {PROMPT}", "status_code": 500}}
    fault = decoder.feed(f"data: {json.dumps(said)}\n\n".encode())

    assert getattr(fault, "kind", None) == "server_error"
