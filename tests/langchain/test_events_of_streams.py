"""Cut streams that are carried on, and silent attempts that are outpaced, as handlers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.tracers.context import collect_runs

from freelm_integrations.langchain import ChatFreeLLM, FreeLLMCallbackHandler
from tests.langchain.test_callbacks import AsyncHandler, Handler

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)
PROMPT = "Tell me of the sea."


def model(**more: Any) -> ChatFreeLLM:
    return ChatFreeLLM(strategy="priority", **{"hedge": False, **more})


def streamed(config: Any) -> Any:
    return _sum(model().stream(PROMPT, config))


def invoked(config: Any) -> Any:
    return model(streaming=True).invoke(PROMPT, config)


def v3(config: Any) -> Any:
    return model().stream_events(PROMPT, config, version="v3").output


def _sum(chunks: Any) -> Any:
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


@pytest.fixture
def cut(lab: Lab) -> Lab:
    """The first provider closes in the midst of its next answer; a reset might eat its words."""
    lab["groq"].heal()
    lab["groq"].fail("truncated", at=12)
    return lab


@pytest.mark.parametrize("way", [streamed, invoked, v3])
def test_a_stream_carried_on_is_told_with_its_seam(cut: Lab, way: Any) -> None:
    """Once, under the model's run, at the character where it happened; the answer is whole."""
    handler = Handler()

    message = way({"callbacks": [handler]})

    resumed = [data for data in handler.data if "at_character" in data]
    assert [data["at_character"] for data in resumed] == [12]
    assert resumed[0]["from_provider"] == "groq"
    assert handler.rotation.count("freelm.resumed") == 1
    assert handler.names.count("start") == handler.names.count("end") == 1
    assert "error" not in handler.names
    assert len(handler.runs) == 1
    told = message.response_metadata["freelm"]
    assert told["integrity"] == "stitched"
    assert told["seams"] == [12]


async def test_on_an_event_loop_it_is_told_the_same(cut: Lab) -> None:
    """To sync and async handlers at once."""
    handlers = [Handler(), AsyncHandler()]
    llm = model()

    async for _ in llm.astream(PROMPT, {"callbacks": handlers}):
        pass
    await llm.aclose()

    for handler in handlers:
        assert handler.rotation.count("freelm.resumed") == 1
        assert handler.names[-1] == "end"


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_who_was_outpaced_is_told_and_counted(lab: Lab, way: str) -> None:
    """A hedge that wins drops the silent one; that is no failure of anybody."""
    lab["groq"].heal()
    lab["groq"].fail("hang", times=None)
    handler, counts = Handler(), FreeLLMCallbackHandler()
    llm, config = model(hedge=0.05), {"callbacks": [handler, counts]}

    llm.invoke(PROMPT, config) if way == "invoke" else list(llm.stream(PROMPT, config))

    assert "freelm.attempt_dropped" in handler.rotation
    assert counts.outpaced == {"groq": 1}
    assert not counts.failures
    assert handler.names[0] == "start"
    assert handler.names[-1] == "end"


def test_the_ready_made_handler_counts_resumptions(cut: Lab) -> None:
    """And books the answer to one provider."""
    counts = FreeLLMCallbackHandler()

    streamed({"callbacks": [counts]})

    assert counts.resumed == 1
    assert sum(counts.answers.values()) == 1


@pytest.mark.parametrize(
    "way",
    [
        lambda llm, config: llm.invoke(PROMPT, config),
        lambda llm, config: list(llm.stream(PROMPT, config)),
        lambda llm, config: llm.stream_events(PROMPT, config, version="v3").output,
    ],
    ids=["invoke", "stream", "v3"],
)
def test_runs_and_usage_are_booked_to_who_answered(lab: Lab, way: Any) -> None:
    """Not to the alias that was asked for, nor to the provider that refused."""
    usage = UsageMetadataCallbackHandler()

    with collect_runs() as collected:
        way(model(), {"callbacks": [usage]})

    (run,) = collected.traced_runs
    served = next(iter(usage.usage_metadata))
    assert run.extra["metadata"]["ls_model_name"] == served
    assert run.extra["metadata"]["ls_provider"] == "google"
    assert usage.usage_metadata[served]["total_tokens"] > 0
