"""Two keys of Groq, played on loopback: one account is seen to be one, two stay two."""

from __future__ import annotations

import pytest

from freelm_integrations import FreeLLM, Groq
from freelm_integrations.lab import Lab


@pytest.mark.parametrize(("accounts", "whole"), [("shared", 1), ("separate", 2)])
def test_keys_whose_headers_move_together_count_once(accounts, whole):
    """In `capacity()`, and in `health()` with how long that is believed."""
    with Lab(words="plain", keys_each=2, accounts=accounts) as lab:
        env = lab.env()
        groq = Groq(env["FREELM_GROQ_KEYS"], base_url=env["FREELM_GROQ_BASE_URL"])
        with FreeLLM(providers=[groq], share=False, state="memory", hedge=False) as llm:
            for _ in range(16):
                llm.text("hi", max_tokens=20)
            rows = llm.health()
            daily = [
                row for row in llm.capacity() if (row["unit"], row["per"]) == ("requests", 86_400)
            ]

    assert [row["accounts"] for row in daily[:1]] == [whole]
    assert daily[0]["remaining"] == 1_000 * whole - 16
    assert len({row["account"] for row in rows}) == whole
    assert sum(row["joined_for"] is not None for row in rows) == 2 - whole
