"""A lab for the model under test, and handlers of both callback systems taken off again afterwards."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span import SimpleSpan
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from pydantic import Field

from freelm_integrations.lab import Lab
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.llama_index.library import TROUBLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Six providers on loopback that never run out, and an environment that leads there."""
    with Lab(words="plain", limits=False) as lab, lab.environ():
        yield lab


@pytest.fixture
def made() -> Iterator[Callable[..., LlamaIndexFreeLLM]]:
    """Makes models, and has what they leave behind found in the test that left it."""
    models: list[LlamaIndexFreeLLM] = []

    def make(**fields: Any) -> LlamaIndexFreeLLM:
        models.append(LlamaIndexFreeLLM(**fields))
        return models[-1]

    yield make
    for model in models:
        model._clients = None
    gc.collect()


@pytest.fixture(params=TROUBLES, ids=lambda trouble: trouble.__name__)
def llm(
    request: pytest.FixtureRequest, lab: Lab, made: Callable[..., LlamaIndexFreeLLM]
) -> LlamaIndexFreeLLM:
    """A model some of whose providers fail, one way or another."""
    request.param(lab)
    return made()


class Events(BaseEventHandler):
    """Every event, as it came."""

    seen: list[Any] = Field(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        self.seen.append(event)

    def named(self, name: str) -> list[Any]:
        return [event for event in self.seen if event.class_name() == name]


class Spans(BaseSpanHandler[SimpleSpan]):
    """Every span: how it began and how it ended, in order, as (what, id, detail)."""

    log: list[tuple[str, str, Any]] = Field(default_factory=list)
    parents: dict[str, str | None] = Field(default_factory=dict)
    tags: dict[str, Any] = Field(default_factory=dict)

    def new_span(self, id_: str, bound_args: Any, **kwargs: Any) -> SimpleSpan:
        parent = kwargs.get("parent_span_id")
        self.log.append(("enter", id_, None))
        self.parents[id_] = parent
        self.tags[id_] = kwargs.get("tags")
        return SimpleSpan(id_=id_, parent_id=parent)

    def prepare_to_exit_span(self, id_: str, bound_args: Any, **kwargs: Any) -> SimpleSpan:
        self.log.append(("exit", id_, None))
        return self.open_spans[id_]

    def prepare_to_drop_span(self, id_: str, bound_args: Any, **kwargs: Any) -> SimpleSpan:
        self.log.append(("drop", id_, kwargs.get("err")))
        return self.open_spans[id_]

    def ends(self, word: str) -> list[str]:
        """How the spans whose id holds `word` ended."""
        return [what for what, id_, _ in self.log if word in id_ and what != "enter"]


@pytest.fixture
def events() -> Iterator[Events]:
    """A handler of instrumentation events at the root."""
    handler = Events()
    root = get_dispatcher()
    root.add_event_handler(handler)
    yield handler
    root.event_handlers.remove(handler)


@pytest.fixture
def spans() -> Iterator[Spans]:
    """A handler of spans at the root."""
    handler = Spans()
    root = get_dispatcher()
    root.add_span_handler(handler)
    yield handler
    root.span_handlers.remove(handler)
