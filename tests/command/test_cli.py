"""The command `freellm` against the lab: what it prints, where, and with which status."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from freelm_integrations import StreamInterrupted
from freelm_integrations.chat import Delta
from freelm_integrations.command import cli, console
from freelm_integrations.lab import Lab
from tests.reliability.leaks import until


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


@pytest.fixture
def on_terminal(monkeypatch):
    """Standard output as a person sees it, so many columns wide."""

    def show(width: int) -> None:
        monkeypatch.setattr(console, "width", lambda: width)

    return show


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", ["doctor", "models", "health", "capacity"])
def test_what_a_person_sees_fits_the_terminal(lab, capsys, on_terminal, command, width):
    """With things to be told."""
    lab["groq"].fail("unauthorized", times=None)
    lab["google"].fail("html_200", path="models", times=None)
    on_terminal(width)
    cli.main([command])
    lines = capsys.readouterr().out.splitlines()

    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


def test_in_a_pipe_a_row_is_a_line_for_grep(lab, capsys):
    """No colour, no border, nothing folded."""
    assert cli.main(["models"]) == 0
    text = capsys.readouterr().out
    rows = [line for line in text.splitlines() if "json_schema" in line]

    assert text.isascii()
    assert "\x1b" not in text
    assert all(line.split()[0] in {provider.name for provider in lab} for line in rows)
    assert all("  live" in line for line in rows)


def test_tables_need_no_extra(lab, capsys, monkeypatch):
    """The plain install has the whole command but the demo."""
    monkeypatch.setitem(sys.modules, "rich", None)

    assert [cli.main([command]) for command in ("models", "health", "capacity")] == [0, 0, 0]


def test_the_doctor_says_how_lists_stand_and_drift(lab, capsys):
    """Below the keys."""
    lab["google"].fail("html_200", path="models", times=None)
    assert cli.main(["doctor"]) == 0
    _, lists = capsys.readouterr().out.split("model lists")

    assert "the live list could not be had: a web page came instead" in lists
    assert "models, live" in lists
    assert "gone since this release: " in lists


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


def test_no_key_at_all_is_told_once_with_every_variable_and_link(no_keys, capsys):
    """The doctor's list of findings is for programs."""
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert all(word in said.err for word in ("GROQ_API_KEY", "https://aistudio.google.com"))

    assert cli.main(["doctor", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {row["works"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        (["--provider", "groq"], lambda row: row["provider"] == "groq"),
        (
            ["--provider", "GROQ", "--provider", "nim"],
            lambda row: row["provider"] in {"groq", "nim"},
        ),
        (
            ["--tag", "Vision", "--tag", "tools"],
            lambda row: {"vision", "tools"} <= set(row["tags"]),
        ),
        (["--family", "GPT-OSS-120b"], lambda row: row["family"] == "gpt-oss-120b"),
        (["--paid"], lambda row: row["free"] is False),
        (["--refresh"], lambda row: row["source"] == "live" and row["age"] < 60),
    ],
)
def test_models_are_chosen_by_what_is_asked_for(lab, capsys, words, holds):
    """All that fit, and no others."""
    assert cli.main(["models", "--all", "--json"]) == 0
    everything = json.loads(capsys.readouterr().out)
    assert cli.main(["models", "--json", *words]) == 0
    chosen = json.loads(capsys.readouterr().out)

    assert chosen
    assert all(holds(row) for row in chosen)
    allowed = [row for row in everything if row["free"] or "--paid" in words]
    if "--refresh" not in words:
        assert {row["id"] for row in chosen} == {row["id"] for row in allowed if holds(row)}


def test_refresh_asks_anew_and_without_it_the_cache_serves(lab, capsys):
    """How old a list is shows."""
    cli.main(["models"])
    cli.main(["models"])
    assert "cache, 0 s old" in capsys.readouterr().out
    asked = len(lab["groq"].requests)
    cli.main(["models", "--refresh"])

    assert asked == 1
    assert len(lab["groq"].requests) == 2


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["docter"], 2, "did you mean 'doctor'?"),
        (["models", "--jsno"], 2, "did you mean '--json'?"),
        (["models", "--js"], 2, "did you mean '--json'?"),
        (["models", "--provider", "grok"], 2, "did you mean 'groq'?"),
        (["models", "--tag", "vison"], 1, "did you mean 'vision'?"),
        (["models", "--family", "gpt-oss-12b"], 1, "did you mean 'gpt-oss-120b'?"),
        (["models", "--provider", "huggingface"], 1, "set FREELM_HUGGINGFACE_KEYS"),
        (["models", "--provider", "local"], 1, "FREELM_LOCAL=1"),
        (["chat", "hello", "world"], 2, "quotes"),
        (["chat", ""], 1, "no question"),
        (["chat", "  "], 1, "no question"),
        (["chat", "hello", "--model", "lama"], 1, "did you mean"),
        ([], 2, "command"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(lab, capsys, words, status, said):
    """In a line or two on standard error, with nothing on standard output."""
    try:
        ended = cli.main(words)
    except SystemExit as error:
        ended = error.code
    shown = capsys.readouterr()

    assert ended == status
    assert said in shown.err
    assert shown.err.startswith("freellm")
    assert shown.out == ""
    assert len(shown.err.splitlines()) <= 2


def test_a_stream_that_breaks_off_ends_its_line_before_saying_so(lab, capsys, monkeypatch):
    """What had come is there, and the status is 1."""

    def broken(*_: object, **__: object) -> object:
        @contextlib.contextmanager
        def deltas():
            yield iter(pieces())

        def pieces():
            yield Delta(text="Half an ans")
            raise StreamInterrupted("the connection broke", partial="Half an ans")

        return deltas()

    monkeypatch.setattr("freelm_integrations.client.FreeLLM.stream_deltas", broken)
    assert cli.main(["chat", "Hello", "--stream"]) == 1
    said = capsys.readouterr()
    assert said.out == "Half an ans\n"
    assert said.err == "freellm: the connection broke\n"


def started(*words: str, **options: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "freelm_integrations", *words]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are something else there")
@pytest.mark.parametrize("words", [["chat", "Hello"], ["chat", "Hello", "--stream"]])
def test_ctrl_c_ends_it_with_its_own_status_and_no_traceback(lab, words):
    """While a provider is silent."""
    for provider in lab:
        provider.fail("hang", times=None)
    process = started(*words, stdout=subprocess.PIPE)
    assert until(lambda: any(provider.chats for provider in lab) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert (out, err) == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_an_answer_that_cannot_be_written_is_no_success(lab):
    """And no bug of ours."""
    with Path("/dev/full").open("w") as full:
        process = started("models", stdout=full)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert err.startswith("freellm: reading or writing failed: ")


def test_a_reader_that_has_seen_enough_is_no_error_to_speak_of(lab):
    """`| head -1` and the like."""
    process = started("models", "--all", "--json", stdout=subprocess.PIPE)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert process.wait(30) == 1
    assert err == ""


def test_a_question_comes_from_a_pipe_whatever_bytes_it_holds(lab):
    """With - or without."""
    for words in (["chat"], ["chat", "-"]):
        process = started(*words, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        process.stdin.buffer.write(b"the sea \xff\xfe")
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")
        assert "sea" in out


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
        "import sys, freelm_integrations.command.cli;"
        "print({'langchain_core', 'llama_index', 'xllamacpp'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "set()"
