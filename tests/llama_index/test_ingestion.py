"""Ingestion: very many calls, a few at a time, under limits that let in few."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.extractors import (
    KeywordExtractor,
    QuestionsAnsweredExtractor,
    SummaryExtractor,
    TitleExtractor,
)
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode

from freelm_integrations import Limit
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.lab import Lab
from freelm_integrations.providers.choice import CLASSES
from tests.llama_index.library import DOCUMENTS, SPLITTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freelm_integrations.llama_index import LlamaIndexFreeLLM

pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")

NODES = 200
EACH = 30
"""Requests a minute that each of the six lets in."""
MINUTE = 1.2
"""Seconds a minute takes here."""
ARRIVAL = 0.9
"""Requests take time to arrive: the lab's minute is this much of ours."""

WORKERS = 8
PUBLISHED = (60, 86_400)
"""Seconds of the windows that the six have limits of their own for; out of the way here."""
PLENTY = 1e9


@pytest.fixture
def tight() -> Iterator[Lab]:
    """Six providers that let in thirty requests a minute each, on a clock fifty times as fast."""
    with Lab(words="plain", limits=False) as lab, lab.environ():
        for played in lab:
            for unit, per in product(("requests", "tokens"), PUBLISHED):
                played.limit(unit, PLENTY, per=per)
            played.limit("requests", EACH, per=ARRIVAL * MINUTE)
        yield lab


def patient(lab: Lab, made: Callable[..., LlamaIndexFreeLLM], **fields: Any) -> LlamaIndexFreeLLM:
    """A model that waits, and is told of those limits."""
    providers = [
        CLASSES[played.name](
            played.keys[0],
            base_url=played.base_url,
            models=[played.models[0]],
            limits=[Limit(EACH, "requests", per=MINUTE)],
        )
        for played in lab
    ]
    return made(providers=providers, share=False, state="memory", wait=True, **fields)


def statuses(lab: Lab) -> list[int]:
    return [chat.status for played in lab for chat in played.chats]


@pytest.mark.parametrize("workers", [4, 32])
def test_two_hundred_nodes_by_two_extractors(
    tight: Lab, made: Callable[..., LlamaIndexFreeLLM], workers: int
) -> None:
    """Four hundred calls, more than twice a minute's worth: none fails, hardly one is refused."""
    llm = patient(tight, made)
    nodes = [TextNode(text=f"River {n} ends in sea {n}.") for n in range(NODES)]
    extractors = [
        KeywordExtractor(llm=llm, keywords=3, num_workers=workers, show_progress=False),
        QuestionsAnsweredExtractor(llm=llm, questions=1, num_workers=workers, show_progress=False),
    ]
    began_at = SYSTEM_CLOCK.now()

    done = IngestionPipeline(transformations=extractors, disable_cache=True).run(nodes=nodes)

    asked = statuses(tight)
    assert len(done) == NODES
    assert all(node.metadata["excerpt_keywords"] for node in done)
    assert all(node.metadata["questions_this_excerpt_can_answer"] for node in done)
    assert asked.count(200) == 2 * NODES
    assert len(asked) - asked.count(200) <= 0.01 * len(asked)
    assert SYSTEM_CLOCK.now() - began_at >= MINUTE  # the limits did hold it up


async def test_ingestion_goes_on_while_a_provider_fails(
    tight: Lab, made: Callable[..., LlamaIndexFreeLLM]
) -> None:
    """On the running loop, with one provider down and one that takes no key."""
    tight["groq"].fail("server_error", times=None)
    tight["mistral"].fail("unauthorized", times=None)
    llm = patient(tight, made)
    nodes = [TextNode(text=f"River {n} ends in sea {n}.") for n in range(NODES // 4)]
    extractor = SummaryExtractor(llm=llm, num_workers=WORKERS, show_progress=False)

    done = await IngestionPipeline(transformations=[extractor], disable_cache=True).arun(
        nodes=nodes
    )

    assert all(node.metadata["section_summary"] for node in done)
    assert 1 <= statuses(tight).count(401) <= WORKERS  # those who had set off before it was known


def test_no_call_is_made_twice(lab: Lab, made: Callable[..., LlamaIndexFreeLLM]) -> None:
    """Sync extractors run loops of their own; nothing is asked again because a connection died."""
    titles = TitleExtractor(llm=made(), nodes=2, show_progress=False)
    pipeline = IngestionPipeline(transformations=[SPLITTER, titles])

    nodes = pipeline.run(documents=DOCUMENTS)

    assert all(node.metadata["document_title"] for node in nodes)
    assert statuses(lab) == [200] * 6  # two nodes and one summary for each document


def test_a_second_run_is_answered_from_the_cache(
    lab: Lab, made: Callable[..., LlamaIndexFreeLLM]
) -> None:
    """It is kept under what the model's dump says, which no call changes."""
    keywords = KeywordExtractor(llm=made(), keywords=2, show_progress=False)
    pipeline = IngestionPipeline(transformations=[SPLITTER, keywords])

    first = pipeline.run(documents=DOCUMENTS)
    before = len(statuses(lab))
    second = pipeline.run(documents=DOCUMENTS)

    assert before > 0
    assert len(statuses(lab)) == before
    assert [node.metadata for node in second] == [node.metadata for node in first]
