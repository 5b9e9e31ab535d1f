"""The demonstration as a test sees it: every fault met, every question answered."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from freelm_integrations.demo.run import run_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("rich")
pytest.importorskip("langchain_core")
pytest.importorskip("llama_index.core")

from llama_index.core import QueryBundle

from freelm_integrations.demo import query

pytestmark = pytest.mark.filterwarnings("default")  # the frameworks have warnings of their own


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What the demonstration says of itself; run once for all who read it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with redirect_stdout(io.StringIO()) as out:
        status = run_demo(json=True)
    loop.close()
    asyncio.set_event_loop(None)
    assert status == 0
    return json.loads(out.getvalue(), parse_constant=pytest.fail)


def test_the_demo_meets_every_fault_and_answers_every_question(report):
    """Every way to fail that it promises is seen."""
    assert [call["title"] for call in report["calls"]] == ["LangChain", "LlamaIndex", "LlamaIndex"]
    assert all(call["answer"].strip() for call in report["calls"])
    failed = {kind for row in report["summary"] for kind in row["failed"]}
    assert failed >= {"throttled", "broken", "unauthorized", "overloaded", "server_error"}


def test_it_sums_up_failovers_hedges_seams_and_tokens(report):
    """Who skips to the end sees what happened on the way."""
    totals = report["totals"]

    assert totals["calls"] == totals["answers"] == 3
    assert totals["failovers"] >= 4
    assert totals["hedges"] >= 1
    assert totals["seams"] >= 1
    assert totals["completion_tokens"] > 20


def test_an_answer_cut_in_mid_sentence_goes_on_where_it_broke_off(report):
    """The seam is the same place for who broke off and for who carried on."""
    first, *_ = report["calls"]

    cuts = [row["broke_off_at"] for row in first["attempts"] if "broke_off_at" in row]
    seams = [row["carries_on_at"] for row in first["attempts"] if "carries_on_at" in row]
    assert cuts == seams
    assert not first["answer"][: cuts[0]].rstrip().endswith(".")
    assert len(first["answer"]) > cuts[0]


def test_a_hang_is_outpaced_rather_than_waited_out(report):
    """Its attempt ends as soon as another speaks."""
    attempts = report["calls"][1]["attempts"]

    silent = next(row for row in attempts if row["provider"] == "mistral")
    assert silent["outcome"] == "dropped"
    assert any(row.get("is_hedge") for row in attempts)


def test_in_a_pipe_it_prints_plain_lines(capsys):
    assert run_demo() == 0

    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "rate limited (429)" in text
    assert "mistral ministral-8b-latest: carries on after" in text
    assert "every question has its answer" in text


def test_who_interrupts_it_gets_everything_back_as_it_was(monkeypatch, capsys):
    """The environment is restored and nothing listens any more."""
    ports = []

    def interrupted(*_: Any) -> Iterator[str]:
        ports.extend(value for name, value in os.environ.items() if name.endswith("_BASE_URL"))
        yield "Light"
        raise KeyboardInterrupt

    before = dict(os.environ)
    monkeypatch.setattr("freelm_integrations.demo.chain.stream_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_demo()

    assert dict(os.environ) == before
    assert len(ports) >= 6
    for url in ports:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    assert capsys.readouterr().out.endswith("Light")


def test_a_missing_extra_is_named(capsys, monkeypatch):
    monkeypatch.delattr("freelm_integrations.demo.query")
    monkeypatch.setitem(sys.modules, "freelm_integrations.demo.query", None)

    assert run_demo(json=True) == 1
    assert "freelm-integrations[all]" in capsys.readouterr().err


def test_the_documents_are_short_prose():
    documents = query.read_documents()

    assert len(documents) == 4
    assert all(150 <= len(document.text.split()) <= 250 for document in documents)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What did Augustin Fresnel's lens do?", "Fresnel"),
        ("In which format is a local model stored?", "GGUF"),
        ("When is the call committed to one route?", "committed"),
    ],
)
def test_the_engine_finds_the_piece_that_answers(question, found):
    engine = query.make_query_engine()

    (piece,) = engine.retrieve(QueryBundle(question))
    assert found in piece.text
