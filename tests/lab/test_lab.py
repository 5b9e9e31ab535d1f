"""The lab's life: it starts, leads clients to itself, remembers, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import pathlib
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from freelm_integrations.lab import Lab
from tests.lab.asking import NAMES, Asker


def test_the_environment_leads_to_the_lab(lab: Lab):
    """A key and an address for each provider."""
    told = lab.env()

    assert told["GROQ_API_KEY"] == lab["groq"].keys[0]
    assert told["FREELM_GOOGLE_BASE_URL"] == lab["google"].base_url
    assert lab["google"].base_url.endswith("/v1beta/openai")
    assert len(told) == 2 * len(NAMES)


def test_several_keys_stand_in_the_plural_variable():
    """Comma-separated."""
    with Lab(words="plain", keys_each=3, providers=["groq"]) as lab:
        told = lab.env()

    assert told["FREELM_GROQ_KEYS"].split(",") == list(lab["groq"].keys)
    assert "GROQ_API_KEY" not in told
    assert len(lab) == 1


def test_the_users_own_environment_is_hidden_and_put_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    """Keys, settings and the cache folder: nothing of the user's is read or written."""
    monkeypatch.setenv("GOOGLE_API_KEY", "mine")
    monkeypatch.setenv("FREELM_STRATEGY", "latency")
    monkeypatch.setenv("FREELM_CACHE_DIR", "/mine")
    before = dict(os.environ)
    with lab.environ():
        inside = dict(os.environ)
        os.environ["FREELM_MODEL"] = "left by a test"

    assert dict(os.environ) == before
    assert "GOOGLE_API_KEY" not in inside
    assert "FREELM_STRATEGY" not in inside
    assert inside["FREELM_CACHE_DIR"] not in ("", "/mine")
    assert inside["GROQ_API_KEY"] == lab["groq"].keys[0]


def test_the_environment_may_stay_set_until_the_lab_closes(monkeypatch: pytest.MonkeyPatch):
    """For a notebook, whose cells no `with` can span; it starts the lab where nobody did."""
    monkeypatch.setenv("GROQ_API_KEY", "mine")
    before = dict(os.environ)
    lab = Lab(words="plain", providers=["groq"]).enter_environ()
    inside = dict(os.environ)
    folder = pathlib.Path(inside["FREELM_CACHE_DIR"])
    assert inside["GROQ_API_KEY"] == lab["groq"].keys[0]
    assert inside["FREELM_GROQ_BASE_URL"].startswith("http://127.0.0.1:")
    assert folder.is_dir()

    lab.close()

    assert dict(os.environ) == before
    assert not folder.exists()


def test_the_cache_folder_goes_with_the_lab():
    """It is there as long as the lab is."""
    with Lab(words="plain") as lab, lab.environ():
        folder = pathlib.Path(os.environ["FREELM_CACHE_DIR"])
        assert folder.is_dir()

    assert not folder.exists()


def test_what_was_asked_is_remembered(lab: Lab, ask: Asker):
    """Path, key by index, model, body, status and end; a key is never shown."""
    lab["groq"].forget()
    ask.post(lab["groq"], temperature=0.5, stream=True)
    ask.get(lab["groq"], "/models")
    ask.post(lab["groq"], key="unknown")
    chat, models, unknown = lab["groq"].requests

    assert (chat.path, chat.key, chat.status, chat.ended) == ("chat", 0, 200, "complete")
    assert (chat.stream, chat.model) == (True, lab["groq"].models[0])
    assert chat.body["temperature"] == 0.5
    assert (models.method, models.path) == ("GET", "models")
    assert (unknown.key, unknown.status) == (None, 401)
    assert lab["groq"].keys[0] not in repr(lab["groq"].requests) + repr(lab["groq"])
    assert lab["groq"].chats == [chat, unknown]


def test_a_client_that_leaves_is_noticed(lab: Lab, ask: Asker):
    """Even while nothing is being sent."""
    groq = lab["groq"]
    groq.fail("hang_after_headers")  # nothing is written any more: only watching can tell
    with ask.opened(groq):
        hanging = groq.requests[-1]
        assert hanging.ended == "open"
    for _ in range(500):  # the news travels over a socket
        if hanging.ended != "open":
            break
        ask.get(groq, "/models")

    assert hanging.ended == "client_left"


def test_closing_ends_what_hangs_and_leaves_no_thread():
    """At once, and twice does no harm."""
    before = threading.active_count()
    lab = Lab(words="plain").start()
    lab["groq"].fail("hang", times=None)
    with ThreadPoolExecutor(2) as pool, httpx.Client(trust_env=False) as http:
        waiting = [pool.submit(Asker(http).post, lab["groq"]) for _ in range(2)]
        while len(lab["groq"].requests) < 2:
            assert not any(one.done() for one in waiting)
        lab.close()
        errors = [one.exception(timeout=5) for one in waiting]
    lab.close()

    assert {request.ended for request in lab["groq"].requests} == {"cut"}
    assert all(isinstance(error, httpx.TransportError) for error in errors)
    assert threading.active_count() == before


def test_closing_frees_the_ports():
    """Nobody listens there any more."""
    with Lab(words="plain", providers=["groq"]) as lab:
        port = int(lab["groq"].base_url.split(":")[2].split("/")[0])

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_nothing_is_left_for_the_collector():
    """No warning of an unclosed socket, transport or loop: warnings are errors here."""
    for _ in range(3):
        with Lab(words="plain") as lab, httpx.Client(trust_env=False) as http:
            Asker(http).post(lab["google"], stream=True)
    gc.collect()


async def test_it_works_inside_a_loop():
    """As an asynchronous context manager, for asynchronous clients."""
    async with Lab(words="plain") as lab, httpx.AsyncClient(trust_env=False) as http:
        groq = lab["groq"]
        replies = await asyncio.gather(
            *(
                http.post(
                    f"{groq.base_url}/chat/completions",
                    headers={"authorization": f"Bearer {groq.keys[0]}"},
                    json={
                        "model": groq.models[0],
                        "messages": [{"role": "user", "content": "hello"}],
                    },
                )
                for _ in range(10)
            )
        )

    assert {reply.status_code for reply in replies} == {200}


def test_many_threads_may_ask_at_once(lab: Lab):
    """Each gets its answer, and all are remembered."""
    lab["groq"].forget()
    with ThreadPoolExecutor(16) as pool, httpx.Client(trust_env=False) as http:
        replies = list(pool.map(lambda _: Asker(http).post(lab["groq"]), range(100)))

    assert {reply.status_code for reply in replies} == {200}
    assert len(lab["groq"].requests) == 100
    assert len({reply.json()["id"] for reply in replies}) == 100


def test_keys_are_obviously_made_up(lab: Lab):
    """They have the provider's shape and say where they come from."""
    starts = {provider.name: provider.keys[0][:12] for provider in lab}

    assert all("lab" in provider.keys[0] for provider in lab)
    assert starts["groq"].startswith("gsk_")
    assert starts["openrouter"].startswith("sk-or-v1-")
    assert starts["nim"].startswith("nvapi-")


@pytest.mark.parametrize(
    ("name", "hint"), [("xyz", "valid: openrouter, google"), ("grok", "did you mean 'groq'?")]
)
def test_an_unknown_provider_is_refused_with_the_nearest(lab: Lab, name: str, hint: str):
    """Or with the names of those there are; as an argument and as a subscript."""
    with pytest.raises(ValueError, match=name) as argument:
        Lab(providers=["groq", name])
    with pytest.raises(KeyError, match=name) as subscript:
        lab[name]

    assert hint in str(argument.value)
    assert hint in str(subscript.value)


def test_an_unknown_fault_is_refused_with_the_nearest(lab: Lab):
    """There are too many to list."""
    with pytest.raises(ValueError, match="did you mean 'rate_limited'") as caught:
        lab["groq"].fail("rate_limit")  # type: ignore[arg-type]

    assert "whitespace" not in str(caught.value)


def test_a_lab_shows_who_is_played_and_whether_it_runs():
    """And no key."""
    lab = Lab(words="plain", providers=["groq", "nim"])
    assert repr(lab) == "<Lab: groq, nim; closed>"

    with lab:
        assert repr(lab) == "<Lab: groq, nim; running>"


def test_one_connection_serves_request_after_request(lab: Lab):
    """As real servers do: a raw socket sends three."""
    groq = lab["groq"]
    host, port = groq.base_url.removeprefix("http://").split("/")[0].split(":")
    head = f"GET /openai/v1/models HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {groq.keys[0]}"
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(
            f"{head}\r\n\r\n".encode() * 2 + f"{head}\r\nConnection: close\r\n\r\n".encode()
        )
        got = b""
        while data := raw.recv(65_536):
            got += data

    assert got.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize(
    ("name", "model", "dimensions"),
    [
        ("google", "gemini-embedding-001", 3072),
        ("mistral", "mistral-embed", 1024),
        ("nim", "nvidia/nv-embedqa-e5-v5", 1024),
        ("openrouter", "nvidia/llama-nemotron-embed-vl-1b-v2:free", 2048),
    ],
)
def test_embeddings_have_the_model_s_length_and_tell_texts_apart(
    lab: Lab, ask: Asker, name: str, model: str, dimensions: int
):
    """Texts that share words lie closer; every vector has length one."""
    texts = ["a cat sat on the mat", "the cats sat on a mat", "stock markets fell"]
    reply = ask.post(lab[name], "/embeddings", model=model, input=texts, input_type="passage")
    one, two, other = (row["embedding"] for row in reply.json()["data"])

    assert len(one) == dimensions
    assert sum(part * part for part in one) == pytest.approx(1, abs=1e-3)
    assert dot(one, two) > 0.7
    assert dot(one, other) < 0.3


def dot(one: list[float], two: list[float]) -> float:
    """How much two directions agree."""
    return sum(left * right for left, right in zip(one, two, strict=True))


def test_embedding_quirks(lab: Lab, ask: Asker):
    """NIM wants a type of input, Google a hundred texts at most, Mistral a length by its name."""
    untyped = ask.post(lab["nim"], "/embeddings", model="nvidia/nv-embedqa-e5-v5", input="x")
    many = ask.post(lab["google"], "/embeddings", model="gemini-embedding-001", input=["x"] * 101)
    chat = ask.post(lab["mistral"], "/embeddings", input="x")
    asked = {"model": "codestral-embed", "input": "x"}
    short = ask.post(lab["mistral"], "/embeddings", **asked, output_dimension=256)
    foreign = ask.post(lab["mistral"], "/embeddings", **asked, dimensions=256)

    assert len(short.json()["data"][0]["embedding"]) == 256
    assert (foreign.status_code, "dimensions" in foreign.text) == (422, True)
    assert (untyped.status_code, isinstance(untyped.json()["error"], str)) == (400, True)
    assert "at most 100 requests" in many.json()[0]["error"]["message"]
    assert chat.status_code == 400


def test_the_lab_stands_alone():
    """It needs nothing of the rest but the clock and the nearest word: it is the other side."""
    code = (
        "import sys, types; m = types.ModuleType('freelm_integrations');"
        "m.__path__ = ['freelm_integrations']; sys.modules['freelm_integrations'] = m;"
        "from freelm_integrations.lab import Lab; Lab(words='plain').start().close();"
        "print(sorted({n.split('.')[1] for n in sys.modules if n.startswith('freelm_integrations.')}),"
        "'httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['clock', 'lab', 'nearest'] False"


def test_the_fixture_for_users(freelm_lab: Lab, ask: Asker):
    """A running lab, with the environment set to it."""
    assert os.environ["GROQ_API_KEY"] == freelm_lab["groq"].keys[0]
    assert ask.post(freelm_lab["groq"]).status_code == 200


def test_the_plugin_loads_the_lab_only_when_the_fixture_is_used():
    """It is part of every test run of our users."""
    code = (
        "import sys, freelm_integrations.lab.pytest_plugin;"
        "print([name for name in sys.modules if name.startswith('freelm_integrations.lab.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['freelm_integrations.lab.pytest_plugin']"


def test_only_public_names_are_found():
    """Those that `__all__` lists, and no other."""
    import freelm_integrations.lab as room

    assert all(hasattr(room, name) for name in room.__all__)
    assert not hasattr(room, "Desk")


def test_small_packets_leave_at_once(lab: Lab):
    """asyncio does that for sockets that name their protocol: else every piece waits 40 ms."""
    assert lab._host is not None
    assert {sock.proto for sock in lab._host._sockets.values()} == {socket.IPPROTO_TCP}
