"""The doctor: what is found of every key and every list, and that it never takes long."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import ConfigError
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.command import doctor
from freelm_integrations.command.doctor import WITHIN, Finding, examine
from freelm_integrations.command.mending import mending
from freelm_integrations.lab import Lab
from freelm_integrations.providers.choice import CLASSES
from freelm_integrations.rendering import findings_text
from freelm_integrations.wire.faults import FAULT_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(words="plain", keys_each=2) as played, played.environ():
        yield played


def of(name: str) -> list[Finding]:
    return [finding for finding in examine() if finding.provider == name]


def test_every_key_is_asked_by_itself_and_once(lab: Lab) -> None:
    """The one that works cannot answer for the one that does not."""
    lab["groq"].fail("unauthorized", key=1, times=None)
    findings = [finding for finding in examine() if finding.key]

    assert [finding.works for finding in findings if finding.provider == "groq"] == [True, False]
    assert all(finding.works for finding in findings if finding.provider != "groq")
    assert len(findings) == 12
    assert {len(provider.chats) for provider in lab} == {2}
    assert {request.key for request in lab["groq"].chats} == {0, 1}


def test_the_request_is_tiny(lab: Lab) -> None:
    """A few words, and a few for the answer."""
    examine()

    for provider in lab:
        body = json.dumps(provider.chats[0].body)
        assert len(body) < 400
        assert '": 64' in body


def test_each_list_is_asked_for_once(lab: Lab) -> None:
    """Not once a key."""
    examine()

    for provider in lab:
        assert sum(request.path == "models" for request in provider.requests) == 1


@pytest.mark.parametrize(
    ("fault", "what", "mend"),
    [
        ("unauthorized", "key refused (401)", "https://console.groq.com/keys and set GROQ_API_KEY"),
        ("payment_required", "no credit (402)", "https://console.groq.com/keys"),
        ("rate_limited", "rate limited (429)", "nothing is wrong with the key"),
        ("daily_quota", "rate limited (429)", "nothing is wrong with the key"),
        ("overloaded", "overloaded (503)", "crowded"),
        ("server_error", "server error (500)", "try again later"),
        ("forbidden_model", "(40", "FREELM_GROQ_MODELS"),
        ("model_gone", "model gone (404)", "FREELM_GROQ_MODELS"),
        ("empty_body", "said nothing", "nothing is wrong with the key"),
        ("reset_before_headers", "connection broke", "FREELM_GROQ_BASE_URL"),
        ("html_200", "", ""),
    ],
)
def test_what_is_wrong_is_said_and_how_to_mend_it(
    lab: Lab, fault: Any, what: str, mend: str
) -> None:
    """Not a word of the key."""
    lab["groq"].fail(fault, times=None)
    findings = of("groq")
    said = " ".join(f"{finding} {json.dumps(finding.to_dict())}" for finding in findings)

    assert [finding.works for finding in findings] == [False, False]
    assert all(what in finding.what and mend in finding.mend for finding in findings)
    assert not any(key in said for key in lab["groq"].keys)


def test_a_crowded_model_does_not_make_its_key_ill(lab: Lab) -> None:
    """The next one is asked."""
    (lead, *_) = [finding.model for finding in of("groq")]
    lab["groq"].fail("overloaded", model=lead, times=None)

    assert all(finding.works and finding.model != lead for finding in of("groq"))


def test_every_kind_of_fault_can_be_told(lab: Lab) -> None:
    """For every provider, in a sentence without gaps."""
    for kind in CLASSES.values():
        if kind.spec.needs_key and kind.spec.name != "cloudflare":
            provider = kind("made-up")
            words = [mending(provider, provider.keys[0], fault) for fault in FAULT_KINDS]
            assert all(said and "{" not in said and "made-up" not in said for said in words)


@pytest.mark.parametrize(
    ("variable", "value", "what", "mend"),
    [
        ("GROQ_API_KEY", "sk-or-v1-made-up", "key refused", "looks like a key of openrouter"),
        ("FREELM_GROQ_BASE_URL", "http://127.0.0.1:9/v1", "unreachable", "FREELM_GROQ_BASE_URL"),
        ("FREELM_GROQ_MODELS", "no-such-model", "model gone", "FREELM_GROQ_MODELS"),
    ],
)
def test_settings_hold_as_they_do_for_calls(
    lab: Lab, monkeypatch: Any, variable: str, value: str, what: str, mend: str
) -> None:
    """Address, models and keys are the environment's own."""
    monkeypatch.delenv("FREELM_GROQ_KEYS") if variable == "GROQ_API_KEY" else None
    monkeypatch.setenv(variable, value)
    finding = of("groq")[0]

    assert finding.works is False
    assert what in finding.what
    assert mend in finding.mend
    assert value not in finding.mend or value.startswith("http")


def test_whom_the_settings_rule_out_is_not_asked(lab: Lab, monkeypatch: Any) -> None:
    """Not a word is sent to who may train on it."""
    monkeypatch.setenv("FREELM_ALLOW_TRAINING", "0")
    finding = of("mistral")[0]

    assert (finding.works, finding.what) == (None, "not asked")
    assert "FREELM_ALLOW_TRAINING" in finding.mend
    assert lab["mistral"].chats == []


def test_a_list_of_models_says_how_it_has_drifted(lab: Lab) -> None:
    """And why it could not be had."""
    lab["google"].fail("unauthorized", path="models", times=None)
    lists = {finding.provider: finding.models for finding in examine() if finding.models}

    assert lists["groq"]["source"] == "live"
    assert set(lists["groq"]["since_built_in"]) == {"gone", "new", "resized", "lost_lead"}
    assert lists["google"]["source"] == "builtin"
    assert "key refused" in lists["google"]["trouble"]


def test_what_is_left_of_the_day_is_told(lab: Lab) -> None:
    """By OpenRouter, which tells without counting it; the others tell nothing beforehand."""
    lab["openrouter"].limit("requests", 1000, per=86_400)
    findings = [finding for finding in examine() if finding.key]
    left = {finding.key: finding.left for finding in findings if finding.left is not None}
    text = findings_text([finding.to_dict() for finding in findings], None)

    assert {finding.provider for finding in findings if finding.left} == {"openrouter"}
    assert len(left) == 2
    assert {(row["unit"], row["per"], row["limit"]) for row in left.values() if row} == {
        ("requests", 86_400, 1000)
    }
    assert "1000 of 1000 requests a day left" in text


def test_a_list_that_is_late_is_told_of_all_the_same(lab: Lab, monkeypatch: Any) -> None:
    """It comes while the keys are asked, and no key is taken for none meanwhile."""
    monkeypatch.setattr(doctor, "LISTS_WITHIN", 0.1)
    lab["nim"].latency = 0.5
    lists = {finding.provider: finding.models for finding in examine() if finding.key}

    assert {row["source"] for row in lists.values() if row} == {"live"}


def test_lists_that_take_all_the_time_cost_no_key_its_examination(
    lab: Lab, monkeypatch: Any
) -> None:
    """A busy machine, or a local model being loaded: the built-in models are asked then."""
    monkeypatch.setattr(doctor, "WITHIN", doctor.ANSWER_WITHIN + 0.2)
    for provider in lab:
        provider.fail("hang", path="models", times=None)
    findings = [finding for finding in examine() if finding.key]

    assert len(findings) == 12
    assert all(finding.works for finding in findings)
    assert {finding.models["source"] for finding in findings if finding.models} == {"builtin"}


def test_providers_without_a_key_say_what_to_set(lab: Lab) -> None:
    """They were not asked."""
    finding = of("huggingface")[0]

    assert (finding.works, finding.models) == (None, None)
    assert "FREELM_HUGGINGFACE_KEYS" in finding.mend
    assert "https://huggingface.co" in finding.mend


def test_an_environment_that_makes_no_sense_is_an_error(lab: Lab, monkeypatch: Any) -> None:
    """Like everywhere else."""
    monkeypatch.setenv("FREELM_STRATEGY", "fastest")
    with pytest.raises(ConfigError, match="fastest"):
        examine()


def test_all_is_over_in_ten_seconds_whatever_hangs(monkeypatch: Any) -> None:
    """Lists and keys, each in a way of its own; who is well is not kept waiting for."""
    hangs: dict[str, Any] = {
        "groq": "hang",
        "google": "hang_after_headers",
        "nim": "keepalives",
        "cerebras": "trickle",
    }
    with socket.socket() as deaf, Lab(words="plain") as lab, lab.environ():
        for name, fault in hangs.items():
            lab[name].fail("hang", path="models", times=None)
            lab[name].fail(fault, times=None, after=None if fault.startswith("hang") else 0)
        monkeypatch.setenv("FREELM_OPENROUTER_BASE_URL", f"http://127.0.0.1:{swallowing(deaf)}/v1")
        began_at = SYSTEM_CLOCK.now()
        findings = {finding.provider: finding for finding in examine()}
        took = SYSTEM_CLOCK.now() - began_at

    assert took < 10
    assert took <= WITHIN + 0.4
    assert findings["mistral"].works is True
    for name in ("groq", "google", "nim"):
        assert findings[name].works is False
        assert "no word" in findings[name].what
        assert "no word" in findings[name].models["trouble"]
    assert findings["openrouter"].works is False


def swallowing(deaf: socket.socket) -> int:
    """A port on which connections are never made nor refused: its queue is full."""
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(0)
    address = deaf.getsockname()
    for _ in range(3):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(address)
        FULL.append(one)
    return int(address[1])


FULL: list[socket.socket] = []
"""Kept open until the tests are over."""


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    while FULL:
        FULL.pop().close()


def test_many_keys_take_no_longer_than_one() -> None:
    """They are asked side by side."""
    slow = Lab(words="plain", providers=("groq",), keys_each=40, latency=0.3)
    with slow, slow.environ():
        began_at = SYSTEM_CLOCK.now()
        findings = of("groq")
        took = SYSTEM_CLOCK.now() - began_at

    assert len(findings) == 40
    assert all(finding.works for finding in findings)
    assert took < 6  # one by one they would take twelve
    assert threading.active_count() < 200
