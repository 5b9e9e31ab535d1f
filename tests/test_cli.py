"""The command `freellm` against the lab: what it prints, where, and with which status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from freelm_integrations import cli
from freelm_integrations.lab import Lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    with Lab(words="plain") as played, played.environ():
        monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path))
        monkeypatch.setenv("FREELM_STATE", "memory")
        yield played


@pytest.fixture
def no_keys(lab, monkeypatch, tmp_path):
    for name in lab.env():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("freelm_integrations.embedded.is_available", lambda: False)


def test_chat_prints_the_answer_and_nothing_else(lab, capsys):
    assert cli.main(["chat", "What is the sea?"]) == 0

    said = capsys.readouterr()
    assert "sea" in said.out
    assert said.err == ""


def test_chat_as_json_tells_who_answered_after_what(lab, capsys):
    lab["groq"].fail("overloaded", times=None)

    assert cli.main(["chat", "Hello", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["text"]
    assert answer["provider"]
    assert answer["attempts"][-1]["provider"] == answer["provider"]


def test_a_stream_prints_the_same_text(lab, capsys):
    cli.main(["chat", "Hello"])
    whole = capsys.readouterr().out

    assert cli.main(["chat", "Hello", "--stream"]) == 0
    assert capsys.readouterr().out == whole


def test_a_stream_as_json_is_a_line_a_piece_and_one_for_the_whole(lab, capsys):
    assert cli.main(["chat", "Hello", "--stream", "--json"]) == 0

    *pieces, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "".join(piece["text"] for piece in pieces) == last["done"]["text"]
    assert last["done"]["provider"]


def test_a_prompt_may_come_from_standard_input(lab, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin.read", lambda: "What is the sea?", raising=False)

    assert cli.main(["chat", "-"]) == 0
    assert "sea" in capsys.readouterr().out


def test_an_unknown_model_is_one_paragraph_on_standard_error(lab, capsys):
    assert cli.main(["chat", "Hello", "--model", "no-such-model"]) == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("freellm: ")
    assert "no-such-model" in said.err
    assert "Traceback" not in said.err


def test_when_nobody_answers_the_status_says_so_and_no_key_is_shown(lab, capsys):
    for provider in lab:
        provider.fail("unauthorized", times=None)

    assert cli.main(["chat", "Hello"]) == 1
    said = capsys.readouterr()
    assert "no route answered" in said.err
    assert not any(key in said.out + said.err for provider in lab for key in provider.keys)


@pytest.mark.parametrize("command", ["models", "health", "capacity"])
def test_the_tables_name_their_providers(lab, capsys, command):
    assert cli.main([command]) == 0
    assert "openrouter" in capsys.readouterr().out

    assert cli.main([command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert "openrouter" in {row["provider"] for row in rows}


def test_the_doctor_finds_every_key_well(lab, capsys):
    assert cli.main(["doctor"]) == 0

    report = capsys.readouterr().out
    assert report.count("ok   ") == len(lab)
    assert "FAILS" not in report


def test_the_doctor_tells_what_is_wrong_and_how_to_mend_it(lab, capsys):
    lab["groq"].fail("unauthorized", times=None)

    assert cli.main(["doctor", "--json"]) == 1
    findings = {row["provider"]: row for row in json.loads(capsys.readouterr().out)}
    groq = findings.pop("groq")
    assert groq["works"] is False
    assert "key refused (401)" in groq["what"]
    assert "GROQ_API_KEY" in groq["mend"]
    working = {name for name, row in findings.items() if row["works"]}
    assert working == {"openrouter", "google", "nim", "cerebras", "mistral"}
    assert not any(row["works"] is False for row in findings.values())


def test_the_doctor_asks_each_key_by_itself(tmp_path, monkeypatch, capsys):
    with Lab(providers=["groq"], words="plain", keys_each=2) as played, played.environ():
        monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path))
        played["groq"].fail("unauthorized", key=1, times=None)

        assert cli.main(["doctor", "--json"]) == 1

    rows = [row for row in json.loads(capsys.readouterr().out) if row["works"] is not None]
    assert [row["works"] for row in rows] == [True, False]


def test_without_a_key_everything_tells_where_to_get_one(no_keys, capsys):
    for command in (["chat", "Hello"], ["models"], ["doctor"]):
        assert cli.main(command) == 1
        said = capsys.readouterr()
        assert "GROQ_API_KEY" in said.out + said.err


def test_models_that_the_settings_rule_out_are_no_missing_key(lab, capsys, monkeypatch):
    for name in lab.env():
        monkeypatch.delenv(name)
    monkeypatch.setenv("MISTRAL_API_KEY", "made_up_for_tests")
    monkeypatch.setenv("FREELM_MISTRAL_MODELS", "small")
    monkeypatch.setenv("FREELM_ALLOW_TRAINING", "0")

    assert cli.main(["models"]) == 1
    said = capsys.readouterr()
    assert "FREELM_ALLOW_TRAINING" in said.err
    assert "no key" not in said.err


def test_a_bug_is_a_sentence_not_a_traceback(lab, capsys, monkeypatch):
    def broken(_options):
        raise RuntimeError("gsk_secret")

    monkeypatch.setattr(cli, "_chat", broken)
    assert cli.main(["chat", "Hello"]) == 1
    said = capsys.readouterr()
    assert "a bug of ours: RuntimeError" in said.err
    assert "gsk_secret" not in said.err


def test_an_interrupt_is_quiet(lab, capsys, monkeypatch):
    def interrupted(_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_chat", interrupted)
    assert cli.main(["chat", "Hello"]) == 130
    assert capsys.readouterr().err == ""


def test_a_wrong_command_line_has_status_two(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["dance"])

    assert ended.value.code == 2


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "freelm_integrations", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)

    assert ended.stdout.strip()


def test_the_module_of_the_command_imports_no_framework():
    code = (
        "import sys, freelm_integrations.cli;"
        "print({'langchain_core', 'llama_index', 'xllamacpp'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "set()"
