"""What clients and streams show of themselves where a person looks at them: something, and no key."""

from __future__ import annotations

import pytest

from freelm_integrations import AsyncFreeLLM, FreeLLM, Groq
from freelm_integrations.openai import AsyncOpenAI, OpenAI

KEY = "gsk_made_up_for_tests_only"
ASKED = {"messages": [{"role": "user", "content": "hello"}], "stream": True}


def options():
    return {"providers": [Groq(KEY, models=["small"])], "share": False}


@pytest.mark.parametrize("kind", [FreeLLM, AsyncFreeLLM, OpenAI, AsyncOpenAI])
def test_a_client_shows_its_providers_and_no_key(kind):
    """By the fingerprints of their keys."""
    shown = repr(kind(**options()))

    assert kind.__name__ in shown
    assert "<Groq 'groq', 1 key: " in shown
    assert KEY not in shown
    assert " at 0x" not in shown


def test_a_stream_shows_whether_anything_can_still_come():
    """The shim's names the one below it."""
    deltas = FreeLLM(**options()).stream_deltas("hello")
    chunks = OpenAI(**options()).chat.completions.create(**ASKED)
    assert repr(deltas) == "<DeltaStream: open>"
    assert repr(chunks) == "<Stream of <DeltaStream: open>>"

    deltas.close()
    chunks.close()
    assert repr(deltas) == "<DeltaStream: ended>"
    assert repr(chunks) == "<Stream of <DeltaStream: ended>>"


async def test_an_async_stream_shows_the_same():
    """Though its frames are of another kind."""
    deltas = AsyncFreeLLM(**options()).stream_deltas("hello")
    chunks = await AsyncOpenAI(**options()).chat.completions.create(**ASKED)
    assert repr(deltas) == "<AsyncDeltaStream: open>"
    assert repr(chunks) == "<AsyncStream of <AsyncDeltaStream: open>>"

    await deltas.aclose()
    await chunks.close()
    assert repr(deltas) == "<AsyncDeltaStream: ended>"
    assert repr(chunks) == "<AsyncStream of <AsyncDeltaStream: ended>>"
