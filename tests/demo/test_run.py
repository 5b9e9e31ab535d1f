"""The demonstration as a test sees it: every fault met, every question answered."""

from __future__ import annotations

import json
import sys

import pytest

from freelm_integrations.demo.run import run_demo

pytest.importorskip("rich")
pytest.importorskip("langchain_core")
pytest.importorskip("llama_index.core")

from llama_index.core import QueryBundle

from freelm_integrations.demo import query

pytestmark = pytest.mark.filterwarnings("default")  # the frameworks have warnings of their own


def test_the_demo_meets_every_fault_and_answers_every_question(capsys):
    assert run_demo(json=True) == 0

    report = json.loads(capsys.readouterr().out)
    assert [call["title"] for call in report["calls"]] == ["LangChain", "LlamaIndex", "LlamaIndex"]
    assert all(call["answer"].strip() for call in report["calls"])
    assert report["failovers"] >= 4
    failed = {kind for row in report["summary"] for kind in row["failed"]}
    assert failed >= {"throttled", "overloaded", "unauthorized", "timeout"}


def test_in_a_pipe_it_prints_plain_lines(capsys):
    assert run_demo() == 0

    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "rate limited (429)" in text
    assert "every question has its answer" in text


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
