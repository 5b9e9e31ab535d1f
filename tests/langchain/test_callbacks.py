"""Failovers as handlers see them, in every way LangChain has of calling a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.runnables import RunnableLambda

from freelm_integrations.langchain import ChatFreeLLM, FreeLLMCallbackHandler

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from freelm_integrations.lab import Lab

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)
ROTATION = ["freelm.attempt_failed", "freelm.provider_switched"]


class Log:
    """What a handler was told: names in order, and under which runs."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.runs: set[UUID] = set()
        self.data: list[dict[str, Any]] = []

    def note(self, name: str, run_id: UUID) -> None:
        self.names.append(name)
        self.runs.add(run_id)

    @property
    def rotation(self) -> list[str]:
        return [name for name in self.names if name.startswith("freelm.")]


class Handler(Log, BaseCallbackHandler):
    def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        self.note("start", run_id)

    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.note(name, run_id)
        self.data.append(data)

    def on_retry(self, retry_state: Any, *, run_id: UUID, **kwargs: Any) -> None:
        assert isinstance(retry_state.outcome.exception(), ModelRateLimitError)
        self.note("retry", run_id)

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.note("end", run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.note("error", run_id)


class AsyncHandler(Log, AsyncCallbackHandler):
    async def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        self.note("start", run_id)

    async def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.note(name, run_id)
        self.data.append(data)

    async def on_retry(self, retry_state: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.note("retry", run_id)

    async def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.note("end", run_id)

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.note("error", run_id)


def model(**more: Any) -> ChatFreeLLM:
    return ChatFreeLLM(strategy="priority", **more)


def in_chain(llm: ChatFreeLLM) -> Any:
    return RunnableLambda(lambda text: text) | llm


CALLS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda config: model().invoke("hi", config),
    "invoke, streaming": lambda config: model(streaming=True).invoke("hi", config),
    "invoke, never streaming": lambda config: list(model(streaming=False).stream("hi", config)),
    "stream": lambda config: list(model().stream("hi", config)),
    "v3": lambda config: model().stream_events("hi", config, version="v3").output,
    "batch": lambda config: model().batch(["hi"], config),
    "in a chain": lambda config: in_chain(model()).invoke("hi", config),
    "streaming chain": lambda config: list(in_chain(model()).stream("hi", config)),
    "bound": lambda config: list(model().bind(temperature=0).stream("hi", config)),
}
NO_RETRY = {"stream", "streaming chain", "bound"}


@pytest.mark.parametrize("way", CALLS)
def test_a_failover_is_told_under_the_models_own_run(lab: Lab, way: str) -> None:
    """One start and one end each, the rotation between them, all under one run id."""
    handler = Handler()

    CALLS[way]({"callbacks": [handler]})

    retry = [] if way in NO_RETRY else ["retry"]
    assert handler.names == ["start", *ROTATION, *retry, "end"]
    assert len(handler.runs) == 1


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_handlers_of_the_model_itself_are_told_too(lab: Lab, way: str) -> None:
    """Callbacks may be given to the constructor."""
    handler = Handler()
    llm = model(callbacks=[handler])

    llm.invoke("hi") if way == "invoke" else list(llm.stream("hi"))

    assert handler.rotation == ROTATION


async def ainvoked(config: Any) -> None:
    await model().ainvoke("hi", config)


async def astreamed(config: Any) -> None:
    [chunk async for chunk in model().astream("hi", config)]


async def ainvoked_streaming(config: Any) -> None:
    await model(streaming=True).ainvoke("hi", config)


async def v3(config: Any) -> None:
    stream = await model().astream_events("hi", config, version="v3")
    await stream.output
    await stream.aclose()  # waits for the end to be told


async def ain_chain(config: Any) -> None:
    await in_chain(model()).ainvoke("hi", config)


@pytest.mark.parametrize("call", [ainvoked, astreamed, ainvoked_streaming, v3, ain_chain])
@pytest.mark.parametrize("kind", [Handler, AsyncHandler])
async def test_on_an_event_loop_it_is_told_the_same(lab: Lab, call: Any, kind: Any) -> None:
    """To handlers of both kinds, each event before the one after it."""
    handler = kind()

    await call({"callbacks": [handler]})

    retry = [] if call is astreamed else ["retry"]
    assert handler.names == ["start", *ROTATION, *retry, "end"]
    assert len(handler.runs) == 1


async def test_the_event_stream_shows_them(lab: Lab) -> None:
    """As custom events between the start of the model and its end."""
    events = [event async for event in model().astream_events("hi", version="v2")]

    names = [event["name"] for event in events if event["event"] == "on_custom_event"]
    assert names == ROTATION


def test_the_data_is_plain_and_names_both_ends(lab: Lab) -> None:
    """Enough to draw a timeline from."""
    handler = Handler()

    model().invoke("hi", {"callbacks": [handler]})

    failed, switched = handler.data
    assert failed["provider"] == switched["from_provider"] == "groq"
    assert failed["kind"] == "throttled"
    assert failed["status"] == 429
    assert switched["to_provider"] != "groq"


def test_when_nobody_answers_that_is_told_before_the_error(lab: Lab) -> None:
    """An exhausted call ends in one error under the same run."""
    for provider in lab:
        provider.fail("rate_limited", times=None)
    handler = Handler()

    with pytest.raises(ModelRateLimitError):
        model().invoke("hi", {"callbacks": [handler]})

    assert handler.rotation[-1] == "freelm.exhausted"
    assert handler.names[-1] == "error"


class Strict(Handler):
    raise_error = True

    def on_custom_event(self, *args: Any, **kwargs: Any) -> None:
        raise LookupError("told")


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_handler_that_must_not_fail_fails_the_call(lab: Lab, way: str) -> None:
    """`raise_error` is core's word for it."""
    with pytest.raises(LookupError, match="told"):
        CALLS[way]({"callbacks": [Strict()]})


class Careless(Handler):
    def on_custom_event(self, *args: Any, **kwargs: Any) -> None:
        raise LookupError("told")


def test_any_other_handler_that_fails_does_not(lab: Lab) -> None:
    """Core logs it, the answer comes."""
    assert model().invoke("hi", {"callbacks": [Careless()]}).content


def test_the_ready_made_handler_counts(lab: Lab) -> None:
    """Answers, failures and switches by provider, over all calls it rides along with."""
    counts = FreeLLMCallbackHandler()
    llm = model(callbacks=[counts])

    llm.invoke("hi")
    list(llm.stream("hi"))

    assert sum(counts.answers.values()) == 2
    assert counts.failures == {("groq", "throttled"): 1}
    assert sum(counts.switches.values()) == 1
    assert counts.failed_ms > 0


def test_the_run_is_in_no_trace_and_no_cache_key(lab: Lab) -> None:
    """The private keyword that carries it to the hooks is ours alone."""
    seen: list[dict[str, Any]] = []

    class Tracer(Handler):
        def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
            seen.append(kwargs["invocation_params"] | kwargs["options"])

    list(model().stream("hi", {"callbacks": [Tracer()]}))
    model().invoke("hi", {"callbacks": [Tracer()]})

    assert not any("freelm_run" in params for params in seen)
    assert "freelm_run" not in model()._get_llm_string(freelm_run=1)
