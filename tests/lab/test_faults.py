"""Scripted faults strike as scripted: in the provider's shape, or down to the byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from freelm_integrations.lab import Lab, LabFault, LabProvider
from freelm_integrations.lab.faults import BODIES, CUTS, KINDS, REFUSALS, WIRES
from tests.lab.asking import NAMES, Asker, text_of
from tests.reliability.leaks import until

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUSES = {
    # kind: (openrouter, google, nim, groq, cerebras, mistral)
    "rate_limited": (429, 429, 429, 429, 429, 429),
    "daily_quota": (429, 429, 429, 429, 429, 429),
    "shared_capacity": (429, 429, 503, 498, 429, 429),
    "overloaded": (503, 503, 503, 503, 503, 503),
    "server_error": (500, 500, 500, 500, 500, 500),
    "bad_gateway_html": (502, 502, 502, 502, 502, 502),
    "unauthorized": (401, 400, 403, 401, 401, 401),
    "payment_required": (402, 403, 402, 402, 402, 402),
    "forbidden_model": (404, 403, 404, 403, 403, 403),
    "model_gone": (404, 404, 410, 404, 404, 400),
    "malformed": (400, 400, 400, 400, 400, 400),
    "context_overflow": (400, 400, 400, 400, 400, 400),
    "too_large": (413, 400, 400, 413, 413, 413),
    "moderated": (403, 400, 400, 400, 400, 403),
}


def test_every_refusal_has_its_row():
    """The table above is complete."""
    assert set(STATUSES) == REFUSALS
    assert REFUSALS | BODIES | WIRES | CUTS == KINDS


@pytest.mark.parametrize("kind", sorted(STATUSES))
@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_has_the_provider_s_status_and_strikes_once(
    lab: Lab, ask: Asker, name: str, kind: str
):
    """Then the provider is well again."""
    lab[name].fail(kind)
    refused, served = ask.post(lab[name]), ask.post(lab[name])

    assert refused.status_code == STATUSES[kind][NAMES.index(name)]
    assert served.status_code == 200
    assert [request.fault for request in lab[name].requests[-2:]] == [kind, None]


@pytest.mark.parametrize(
    ("name", "header", "body"),
    [
        ("groq", ("retry-after", "9"), "try again in 9s"),
        ("google", (None, None), '"retryDelay": "9s"'),
        ("cerebras", ("retry-after", "9"), "request_quota_exceeded"),
        ("mistral", ("retry-after", "9"), "1300"),
        ("nim", ("retry-after", "9"), "Too Many Requests"),
        ("openrouter", ("X-RateLimit-Remaining", "0"), "free-models-per-min"),
    ],
)
def test_the_wait_is_told_in_the_provider_s_own_way(
    lab: Lab, ask: Asker, name: str, header: tuple[str | None, str | None], body: str
):
    """In a header, in the text, or in a field of the body."""
    lab[name].fail("rate_limited", retry_after=9)
    reply = ask.post(lab[name])

    assert body in reply.text
    assert header[0] is None or reply.headers[header[0]] == header[1]


@pytest.mark.parametrize("name", ["groq", "cerebras", "mistral", "nim"])
@pytest.mark.parametrize(("wait", "told"), [(0, "0"), (0.5, "0.5"), (7.0, "7"), (90, "90")])
def test_a_wait_is_told_as_it_was_scripted(lab: Lab, ask: Asker, name: str, wait: float, told: str):
    """Zero is not `unknown`, and half a second is no zero."""
    lab[name].fail("rate_limited", retry_after=wait)

    assert ask.post(lab[name]).headers["retry-after"] == told


@pytest.mark.parametrize("wait", [0, 0.5, 7])
def test_openrouter_tells_the_upstream_s_wait_as_it_was_scripted(lab: Lab, ask: Asker, wait: float):
    """In its header and in its body."""
    lab["openrouter"].fail("shared_capacity", retry_after=wait)
    reply = ask.post(lab["openrouter"])

    assert float(reply.headers["retry-after"]) == wait
    assert reply.json()["error"]["metadata"]["retry_after_seconds"] == wait


@pytest.mark.parametrize("characters", [5, 40])
def test_a_reset_takes_nothing_back(lab: Lab, ask: Asker, characters: int):
    """A client that is slow to read still finds all that was said before it."""
    lab["groq"].fail("reset", at=characters)
    got = bytearray()
    with ask.opened(lab["groq"]) as reply:
        assert until(lambda: lab["groq"].chats[-1].ended == "cut")
        with pytest.raises(httpx.ReadError):
            keep(got, reply)
    events = [json.loads(line[6:]) for line in got.decode().splitlines() if line[:6] == "data: "]

    assert len(text_of(events)) == characters


@pytest.fixture
def hurried() -> Iterator[Asker]:
    """A client that does not wait for what never comes."""
    with httpx.Client(timeout=0.3, trust_env=False) as http:
        yield Asker(http)


CUT_STREAMS = {
    "reset": httpx.ReadError,
    "truncated": httpx.RemoteProtocolError,
    "stall": httpx.ReadTimeout,
    "trickle": httpx.ReadTimeout,
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", sorted(CUT_STREAMS))
def test_an_answer_breaks_off_in_its_middle(lab: Lab, hurried: Asker, kind: str, stream: bool):
    """Some of it has come by then; what follows is what the kind says."""
    lab["groq"].fail(kind, after=2)
    got = bytearray()
    with pytest.raises(CUT_STREAMS[kind]):
        read_into(got, hurried, lab["groq"], stream=stream)

    assert got
    assert b"[DONE]" not in got


def read_into(got: bytearray, ask: Asker, provider: LabProvider, *, stream: bool) -> None:
    """Keep what comes before the end, whatever the end is."""
    with ask.opened(provider, stream=stream) as reply:
        keep(got, reply)


def keep(got: bytearray, reply: httpx.Response) -> None:
    """Every byte that comes, until none does."""
    for chunk in reply.iter_bytes():
        got += chunk


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_cut_comes_after_so_many_pieces(lab: Lab, ask: Asker, name: str, after: int):
    """The stream ends without a finish and without its end mark."""
    whole = text_of(ask.events(lab[name]))
    lab[name].fail("cut", after=after)
    events = ask.events(lab[name])
    heard = text_of(events)
    pieces = [event for event in events if event["choices"][0]["delta"].get("content")]

    assert whole.startswith(heard) or heard == "<thought>"
    assert len(pieces) == after
    assert "[DONE]" not in events
    assert not any(event["choices"][0].get("finish_reason") for event in events)


def test_a_cut_after_more_pieces_than_there_are_still_takes_the_finish_away(lab: Lab, ask: Asker):
    """All of the text, and no end."""
    whole = text_of(ask.events(lab["groq"]))
    lab["groq"].fail("cut", after=10_000)
    events = ask.events(lab["groq"])

    assert text_of(events) == whole
    assert "[DONE]" not in events


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("groq", 'event: error\ndata: {"error":'),
        ("cerebras", '"status_code":500'),
        ("google", '"status":"UNAVAILABLE"'),
        ("openrouter", '"finish_reason":"error"'),
        ("nim", "ResourceExhausted"),
        ("mistral", '"object":"error"'),
    ],
)
def test_an_error_in_mid_stream_has_the_provider_s_shape(
    lab: Lab, ask: Asker, name: str, holds: str
):
    """After the text that came before it, and last."""
    lab[name].fail("error_event", after=1)
    text = ask.post(lab[name], stream=True).text

    assert holds in text.split("\n\n")[-2]
    assert "[DONE]" not in text


def test_keep_alives_never_end(lab: Lab, hurried: Asker):
    """They are comments, or white space where no stream was asked for."""
    for stream, sign in ((True, b": keep-alive"), (False, b" \n")):
        lab["groq"].fail("keepalives")
        groq = lab["groq"]
        with hurried.opened(groq, stream=stream) as reply:
            got = b""
            for chunk in reply.iter_raw():
                got += chunk
                if got.count(sign) > 2:
                    break

        assert got.count(sign) > 2


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse", httpx.TransportError),
        ("reset_before_headers", httpx.ReadError),
        ("hang", httpx.ReadTimeout),
        ("hang_after_headers", httpx.ReadTimeout),
    ],
)
def test_some_faults_never_answer(lab: Lab, hurried: Asker, kind: str, error: type[Exception]):
    """The connection is reset or stays silent."""
    lab["mistral"].fail(kind)
    with pytest.raises(error):
        hurried.post(lab["mistral"])

    assert hurried.post(lab["mistral"]).status_code == 200


def test_a_refused_connection_is_reset_before_anything_is_read(lab: Lab):
    """No request is seen."""
    lab["groq"].forget()
    lab["groq"].fail("refuse")
    with httpx.Client(trust_env=False) as http, pytest.raises(httpx.TransportError):
        Asker(http).post(lab["groq"])

    assert lab["groq"].requests == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("empty_body", b""),
        ("whitespace", b""),
        ("html_200", b"<html>"),
        ("error_in_200", b'{"error":'),
        ("no_choices", b'{"id":"lab","object":"chat.completion","choices":[]}'),
    ],
)
def test_a_200_may_be_no_answer(lab: Lab, ask: Asker, kind: str, body: bytes):
    """Empty, padded, a page, an error, or without choices."""
    lab["groq"].fail(kind)
    reply = ask.post(lab["groq"])

    assert reply.status_code == 200
    assert reply.content.strip().startswith(body)
    assert bool(reply.content.strip()) == bool(body)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "reason"), [("empty_answer", "stop"), ("thinking_only", "length")]
)
def test_an_answer_may_say_nothing(lab: Lab, ask: Asker, name: str, kind: str, reason: str):
    """It is well formed all the same."""
    lab[name].fail(kind)
    choice = json.loads(ask.post(lab[name]).content)["choices"][0]

    assert not choice["message"].get("content") or kind == "thinking_only"
    assert choice["finish_reason"] == reason


def test_faults_strike_in_the_order_they_were_scripted(lab: Lab, ask: Asker):
    """A good answer comes when all are spent."""
    for kind in ("overloaded", "cut", "rate_limited"):
        lab["groq"].fail(kind)
    statuses = [ask.post(lab["groq"], stream=True).status_code for _ in range(4)]

    assert statuses == [503, 200, 429, 200]


def test_a_fault_strikes_so_often_or_until_it_is_healed(lab: Lab, ask: Asker):
    """`times` counts, None is for ever."""
    lab["groq"].fail("overloaded", times=2)
    counted = [ask.post(lab["groq"]).status_code for _ in range(3)]
    lab["groq"].fail("overloaded", times=None)
    for_ever = [ask.post(lab["groq"]).status_code for _ in range(3)]
    lab["groq"].heal()

    assert counted == [503, 503, 200]
    assert for_ever == [503] * 3
    assert ask.post(lab["groq"]).status_code == 200


def test_a_fault_may_be_meant_for_one_model_key_or_path(ask: Asker):
    """All others are served."""
    with Lab(words="plain", limits=False, keys_each=2) as lab:
        groq = lab["groq"]
        groq.fail("overloaded", model=groq.models[1], times=None)
        groq.fail("unauthorized", key=groq.keys[1], times=None)
        groq.fail("server_error", path="models")

        assert ask.post(groq).status_code == 200
        assert ask.post(groq, model=groq.models[1]).status_code == 503
        assert ask.post(groq, key=groq.keys[1]).status_code == 401
        assert [ask.get(groq, "/models").status_code for _ in range(2)] == [500, 200]


def test_a_fault_in_mid_answer_waits_for_a_request_that_gets_one(lab: Lab, ask: Asker):
    """One that is turned down does not use it up."""
    lab["groq"].fail("cut")
    ask.post(lab["groq"], model="no-such")

    assert lab["groq"].requests[-1].fault is None
    assert "[DONE]" not in ask.events(lab["groq"])


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "no_such_kind"},
        {"kind": "overloaded", "times": 0},
        {"kind": "cut", "path": "models"},
    ],
)
def test_a_fault_that_could_never_strike_is_refused(lab: Lab, arguments: dict):
    """At once, where it is written."""
    with pytest.raises(ValueError):
        lab["groq"].fail(**arguments)


def test_a_fault_knows_what_it_is_meant_for():
    """None means any."""
    fault = LabFault("overloaded", key=1, model=None, path=None)

    assert fault.strikes("chat", 1, "any")
    assert not fault.strikes("chat", 0, "any")


@pytest.mark.parametrize(
    ("name", "status", "holds"),
    [("groq", 400, '"failed_generation"'), ("cerebras", 200, '"arguments":"{\\"city"}')],
)
def test_a_tool_call_may_fail(lab: Lab, ask: Asker, name: str, status: int, holds: str):
    """Groq refuses what its model wrote, the others pass it on."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    weather = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    lab[name].fail("tool_failed")
    question = [{"role": "user", "content": "The weather in Ro?"}]
    reply = ask.post(lab[name], messages=question, tools=[weather])

    assert (reply.status_code, holds in reply.text) == (status, True), reply.text


def test_google_models_are_meant_with_or_without_their_prefix(lab: Lab, ask: Asker):
    """A fault for a model strikes both ways of naming it."""
    lab["google"].fail("overloaded", model="gemini-3.5-flash")

    assert ask.post(lab["google"], model="models/gemini-3.5-flash").status_code == 503
