"""How long a context is, and the prompt, as refusals for length tell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.refusals.overflow import overflow_in

TOLD = [
    (
        (
            "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens"
            " (130000 in the messages, 10000 in the completion)."
        ),
        (131072, 130000),
    ),
    (
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in"
            " 9001 tokens."
        ),
        (8192, 9001),
    ),
    (
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context"
            " length is 8192 tokens and your request has 7000 input tokens (4096 > 8192 - 7000)."
        ),
        (8192, 7000),
    ),
    (
        (
            "This endpoint's maximum context length is 131072 tokens. However, you requested about"
            " 140000 tokens (100000 of text input, 8000 of tool input, 32000 in the output)."
        ),
        (131072, 108000),
    ),
    (
        (
            "You passed 130000 input tokens and requested 8192 output tokens. However, the model's"
            " context length is only 131072 tokens, resulting in a maximum input length of 122880."
        ),
        (131072, 130000),
    ),
    (
        (
            "AiError: This model's maximum context length is 131,072 tokens. However, you requested"
            " 16000 output tokens and your prompt contains at least 115073 input tokens"
        ),
        (131072, 115073),
    ),
    (
        (
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum"
            " context length"
        ),
        (32768, 40000),
    ),
    (
        "The input token count (1200345) exceeds the maximum number of tokens allowed (1048576).",
        (1048576, 1200345),
    ),
    (
        (
            "Please reduce the length of the messages or completion. Current length is 9000 while"
            " limit is 8192"
        ),
        (8192, 9000),
    ),
    (
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        (200000, 190000),
    ),
    ("prompt is too long: 210000 tokens > 200000 maximum", (200000, 210000)),
    (
        "However, the model is loaded with context length of only 4096 tokens, which is not enough",
        (4096, None),
    ),
    (
        (
            "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 500"
            " `max_new_tokens`"
        ),
        (4096, 4000),
    ),
    ("exceeded this model context window limit (8192).", (8192, None)),
    ("input length exceeds the context length", (None, None)),
    ("max_tokens must be at most 8192", (None, None)),
    ("Tokens per minute limit exceeded: 6000", (None, None)),
    ("context length 4", (None, None)),
]


@pytest.mark.parametrize(("said", "told"), TOLD)
def test_numbers_are_read_from_words(said, told):
    """The context, and the prompt without the answer that was asked for."""
    assert overflow_in(None, said.lower())[:2] == told


def test_fields_say_it_best():
    """llama.cpp's."""
    error = {"code": 400, "message": "too long", "n_prompt_tokens": 5000, "n_ctx": 4096}

    assert overflow_in({"error": error}, "context length is 8192")[:2] == (4096, 5000)


@given(st.text(alphabet="context length is 0123456789,()>+`") | st.text())
def test_anything_is_read(prose):
    """Without an exception."""
    window, *_ = overflow_in({"n_ctx": prose}, prose.lower())

    assert window is None or window >= 128
