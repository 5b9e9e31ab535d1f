"""A server's words are shown short, on one line, and without what is secret in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.refusals.redaction import shown

# Put together here: nobody's scanner should take them for real ones.
SECRETS = [
    "sk-or-v1-" + 4 * "0123456789abcdef",
    "sk-proj-AbCdEf123456",
    "gsk_AbCdEf0123456789AbCdEf",
    "csk-abcdef0123456789",
    "nvapi-AbC_dEf-0123456789",
    "AIza" + "SyA0123456789abcdefghijklmnopqrstuv",
    "AQ.Ab8RN6J_0123456789-abc",
    "hf_AbCdEfGhIjKl",
    "org_01abcdefghijklmnopqrstuvwx",
    "user_2abcDEF345ghi",
    "0a1b2c3d-1111-2222-3333-444455556666",
    "AbCdEf0123456789AbCdEf0123456789",
    "0123456789abcdef0123456789abcdef.AbCdEfGhIjKl",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "frame", ["{}", "key {} is bad", "organization `{}`", '"{}"', "({}).", "a={},"]
)
def test_keys_and_accounts_are_hidden(secret, frame):
    """Wherever they stand in a sentence."""
    said = shown(frame.format(secret))

    assert secret not in said
    assert secret[-10:] not in said
    assert "***" in said


@pytest.mark.parametrize(
    "words",
    [
        "Rate limit reached for model `openai/gpt-oss-120b` on tokens per day (TPD): Limit 200000",
        "models/gemini-9.9-flash is not found for API version v1main",
        "nvidia/nemotron-3.5-lightning-30b-a3b has reached its end of life",
        "Quota exceeded for metric: generate_content_free_tier_requests, limit: 0",
        "property 'reasoning_content' is unsupported, use organization-wide settings",
    ],
)
def test_what_helps_is_shown(words):
    """Models, limits and parameters are no secrets."""
    assert shown(words) == words


@given(st.text(max_size=2000))
def test_whatever_is_said_fits_on_a_line(words):
    """Any text at all."""
    said = shown(words)

    assert len(said) <= 300
    assert len(said.splitlines()) <= 1
