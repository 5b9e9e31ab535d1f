"""Keys never show: not in a repr, a message, an event, a log line, a traceback, a pickle or a file."""

from __future__ import annotations

import ast
import asyncio
import copy
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

import freelm_integrations
from freelm_integrations import (
    NIM,
    AsyncFreeLLM,
    Cerebras,
    ConfigError,
    FreeLLM,
    FreeLLMError,
    GoogleAIStudio,
    Groq,
    Mistral,
    OpenAICompatible,
    OpenRouter,
)
from freelm_integrations.connections import AsyncConnections
from freelm_integrations.lab import Lab
from freelm_integrations.openai import OpenAI
from freelm_integrations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Of each provider's shape, and put together here: nobody's scanner should take them for real ones.
DIGITS = "0123456789abcdef"
KEYS = {
    "openrouter": "sk-or-v1-" + "feed" + 3 * DIGITS + "01234567beef",
    "google": "AIza" + "SyD3m0-K3yTh4tN3v3rSh0wsAnywh3re_99",
    "nim": "nvapi-" + "D3m0K3yTh4tN3v3rSh0ws-Anywhere_" + DIGITS + "ABCDEF",
    "groq": "gsk_" + "D3m0K3yTh4tN3v3rSh0wsAnywhere" + DIGITS + "ABCDEF",
    "cerebras": "csk-d3m0k3yth4tn3v3rsh0wsanywhere" + DIGITS,
    "mistral": "D3m0K3yTh4tN3v3rSh0wsAnywhere012",
}
ODD = "hunter-two"
CLASSES: dict[str, type] = {
    "openrouter": OpenRouter,
    "google": GoogleAIStudio,
    "nim": NIM,
    "groq": Groq,
    "cerebras": Cerebras,
    "mistral": Mistral,
}


def providers() -> list[Any]:
    """All six, each with its distinctive key and one model."""
    return [kind(KEYS[name], models=["m"]) for name, kind in CLASSES.items()]


def assert_no_key(*shown: str) -> None:
    """Nor the better half of one."""
    for text in shown:
        for key in (*KEYS.values(), ODD):
            for part in (key, key[: len(key) // 2 + 4], key[len(key) // 2 - 4 :]):
                assert part not in text, f"...{text[max(0, text.index(part) - 80) :][:200]}"


# ---------------------------------------------------------------------- what is made of keys


def test_clients_providers_and_settings_show_fingerprints() -> None:
    """In repr, str, format and the dict of their attributes."""
    settings = Settings.from_options(providers=providers())
    clients = [FreeLLM(providers=providers()), AsyncFreeLLM(providers=providers())]
    shim = OpenAI(api_key=KEYS["groq"])

    for one in (settings, *settings.providers, *clients, shim, shim.chat.completions):
        assert_no_key(
            repr(one), str(one), f"{one}", repr(vars(one) if hasattr(one, "__dict__") else "")
        )
    for provider in settings.providers:
        assert provider.keys[0].fingerprint in repr(provider)
        assert_no_key(repr(provider.keys), repr(vars(provider)))


def test_what_a_client_tells_about_itself_is_free_of_keys() -> None:
    """Health, capacity and explanations, as values and as JSON."""
    client = FreeLLM(providers=providers(), share=False)
    told = [client.health(), client.capacity(), client.explain("hello").to_dict()]

    assert_no_key(repr(told), json.dumps(told, default=str), repr(client.models()))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: one])
def test_copies_show_no_more_than_their_originals(copied: Callable[[Any], Any]) -> None:
    """A copy of a provider or of settings works as well as the first."""
    settings = copied(Settings.from_options(providers=providers()))

    assert_no_key(repr(settings))
    assert settings.has_keys


def test_pickles_leave_the_keys_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are unpickled they come from that process's environment."""
    settings = Settings.from_options(providers=providers())
    data = pickle.dumps(settings)
    monkeypatch.setenv("GROQ_API_KEY", "gsk_another")
    restored = {one.name: one for one in pickle.loads(data).providers}

    assert_no_key(data.decode("latin-1"))
    assert restored["groq"].keys[0].secret.get_secret_value() == "gsk_another"
    assert restored["mistral"].keys == ()


@pytest.mark.parametrize("dump", [pickle.dumps, copy.deepcopy])
def test_a_client_that_cannot_be_dumped_says_so_without_its_keys(
    dump: Callable[[Any], Any],
) -> None:
    """It holds locks and connections; front ends know how to travel."""
    client = FreeLLM(providers=providers())
    try:
        shown = [repr(dump(client))]
    except TypeError as error:
        shown = list(messages_of(error))

    assert_no_key(*shown)


def test_a_bare_key_cannot_be_pickled() -> None:
    """Whatever would take it out of the process is stopped."""
    key = Groq(KEYS["groq"]).keys[0]

    with pytest.raises(TypeError, match=key.fingerprint) as raised:
        pickle.dumps(key)
    assert_no_key(str(raised.value))


# ---------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Groq(KEYS["groq"] + "\n" + KEYS["mistral"]),
        lambda: Groq([KEYS["groq"], 5]),  # type: ignore[list-item]
        lambda: Groq(KEYS["groq"], tier="none"),
        lambda: Groq(KEYS["groq"], base_url=f"https://user:{ODD}@example.org/v1"),
        lambda: Groq(KEYS["groq"], base_url=f"https://example.org/v1?key={KEYS['google']}"),
        lambda: FreeLLM(providers=[KEYS["groq"]]),
        lambda: FreeLLM(providers=KEYS["mistral"]),
        lambda: FreeLLM(providers=[{"groq": KEYS["groq"]}]),  # type: ignore[list-item]
        lambda: FreeLLM(strategy=KEYS["groq"]),  # type: ignore[arg-type]
        lambda: FreeLLM(state=f"redis://:{ODD}@example.org:port/0"),
        lambda: FreeLLM(api_key=KEYS["groq"]),  # type: ignore[call-arg]
        lambda: OpenAI(api_key=ODD),
        lambda: OpenAI(api_key=KEYS["groq"], providers=[Mistral(KEYS["mistral"])]),
        lambda: FreeLLM(providers=providers()).chat("hello", api_key=KEYS["groq"]),
        lambda: FreeLLM(providers=providers()).chat("hello", model=[KEYS["groq"], 5]),  # type: ignore[list-item]
    ],
)
def test_a_wrong_argument_is_named_without_the_key_in_or_beside_it(
    wrong: Callable[[], object],
) -> None:
    """In its message and in those of what led to it."""
    with pytest.raises(ConfigError) as raised:
        wrong()

    assert_no_key(repr(raised.value), *messages_of(raised.value))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda key: Groq(SecretStr(key), tier="none"),
        lambda key: FreeLLM(providers=[Groq(SecretStr(key))], strategy="none"),  # type: ignore[arg-type]
    ],
)
def test_a_failed_constructor_can_be_reported_with_every_variable(
    wrong: Callable[[str], object],
) -> None:
    """`self` is one of them, as far as it got."""
    with pytest.raises(ConfigError) as raised:
        wrong("gsk_x")

    assert "SecretStr" in in_full(raised.value)


def messages_of(error: BaseException | None) -> Iterator[str]:
    """Of the whole chain."""
    while error is not None:
        yield f"{error!r} {error}"
        error = error.__cause__ or error.__context__


# ---------------------------------------------------------------------- calls that fail


def in_full(error: BaseException) -> str:
    """The traceback as error reporters take it: chained, and with every frame's variables."""
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without the test's own, which has the keys
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def chat(client: FreeLLM) -> None:
    client.chat("hello")


def stream(client: FreeLLM) -> None:
    for _ in client.stream("hello"):
        pass


def chat_async(client: FreeLLM) -> None:
    asyncio.run(client.to_async().text("hello"))


def stream_async(client: FreeLLM) -> None:
    async def read() -> None:
        async for _ in client.to_async().stream("hello"):
            pass

    asyncio.run(read())


WAYS = [chat, stream, chat_async, stream_async]


def client_of(
    answer: Callable[[httpx.Request], httpx.Response], some: list[Any], **options: Any
) -> FreeLLM:
    """A client whose every request is answered by a function."""
    transport = httpx.MockTransport(answer)
    return FreeLLM(
        providers=some,
        share=False,
        http_client=httpx.Client(transport=transport),
        http_async_client=httpx.AsyncClient(transport=transport),
        **options,
    )


def error_of(way: Callable[[FreeLLM], None], client: FreeLLM) -> FreeLLMError:
    try:
        way(client)
    except FreeLLMError as error:
        return error
    pytest.fail("it answered")


def bearer(request: httpx.Request) -> str:
    return request.headers["authorization"].removeprefix("Bearer ")


def echo_json(status: int) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        words = f"Incorrect API key provided: {bearer(request)}. You can find your key there."
        return httpx.Response(status, json={"error": {"message": words, "code": bearer(request)}})

    return answer


def echo_page(request: httpx.Request) -> httpx.Response:
    return httpx.Response(502, html=f"<html><body>{dict(request.headers)}</body></html>")


def echo_late(request: httpx.Request) -> httpx.Response:
    begun = {"choices": [{"index": 0, "delta": {"content": "Well, "}}]}
    broken = {"error": {"message": f"key {bearer(request)} ran out", "code": 500}}
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in (begun, broken))
    return httpx.Response(200, text=body, headers={"content-type": "text/event-stream"})


def echo_broken(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError(f"illegal header line: {bearer(request)!r}", request=request)


ECHOES = {
    **{f"{status}": echo_json(status) for status in (200, 400, 401, 402, 403, 404, 413, 429, 500)},
    "page": echo_page,
    "late": echo_late,
}


def shown_by(error: FreeLLMError, events: list[Any], client: FreeLLM) -> list[str]:
    """Every place where a server's words come out."""
    return [
        *messages_of(error),
        repr(error.attempts),
        repr([record.to_dict() for record in error.attempts]),
        repr(getattr(error, "partial", "")),
        pickle.dumps(error).decode("latin-1"),
        repr(copy.deepcopy(error).__dict__),
        repr(events),
        repr([event.to_dict() for event in events]),
        repr(client.health()),
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("echo", ECHOES)
def test_a_server_that_repeats_the_key_is_not_repeated(
    echo: str, way: Callable[[FreeLLM], None], caplog: pytest.LogCaptureFixture
) -> None:
    """All six refuse, quoting the key they were sent."""
    caplog.set_level(0)
    events: list[Any] = []
    client = client_of(ECHOES[echo], providers(), on_event=events.append)
    error = error_of(way, client)

    assert error.attempts
    assert any(event.name == "freelm.attempt_failed" for event in events)
    assert_no_key(*shown_by(error, events, client), caplog.text)


@pytest.mark.parametrize("way", [chat, chat_async])
@pytest.mark.parametrize("echo", ["401", "late", "broken"])
def test_a_key_of_no_known_shape_is_not_repeated_either(
    echo: str, way: Callable[[FreeLLM], None]
) -> None:
    """The attempt knows which key it sent, whatever that looks like."""
    events: list[Any] = []
    endpoint = OpenAICompatible("acme", "https://acme.example/v1", ODD, models=["m"])
    answer = {**ECHOES, "broken": echo_broken}[echo]
    client = client_of(answer, [endpoint], on_event=events.append)
    error = error_of(way, client)

    assert error.attempts
    assert_no_key(*shown_by(error, events, client))


def refuse(_: httpx.Request) -> httpx.Response:
    return httpx.Response(500, json={"error": {"message": "no"}})


def hang_up(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("connection lost", request=request)


def crash(_: httpx.Request) -> httpx.Response:
    raise ZeroDivisionError


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", [refuse, hang_up, crash])
def test_a_traceback_with_every_variable_shows_no_key(
    answer: Callable[[httpx.Request], httpx.Response], way: Callable[[FreeLLM], None]
) -> None:
    """Error reporters send the variables of all frames home, of our bugs as well as of failures."""
    client = client_of(answer, providers())
    with pytest.raises((FreeLLMError, ZeroDivisionError)) as raised:
        way(client)

    assert_no_key(in_full(raised.value))


@pytest.mark.parametrize("way", [chat, chat_async])
def test_a_traceback_does_not_show_what_a_server_said(way: Callable[[FreeLLM], None]) -> None:
    """Before it was made fit to be shown, it is bytes in some frame's variable."""
    client = client_of(echo_json(401), [Groq(KEYS["groq"], models=["m"])])

    assert_no_key(in_full(error_of(way, client)))


# ---------------------------------------------------------------------- on the wire


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(words="plain", limits=False, providers=("groq", "mistral")) as lab, lab.environ():
        yield lab


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("has_aiohttp", [True, False])
def test_no_logger_writes_a_key_at_its_loudest(
    lab: Lab,
    way: Callable[[FreeLLM], None],
    has_aiohttp: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ours, httpx's, httpcore's and asyncio's, over real connections, with a failover on the way."""
    monkeypatch.setattr("freelm_integrations.engine.transport._has_aiohttp", lambda: has_aiohttp)
    caplog.set_level(logging.NOTSET)
    for name in ("freelm_integrations", "httpx", "httpcore", "asyncio", "aiohttp"):
        caplog.set_level(logging.DEBUG, logger=name)
    lab["groq"].fail("unauthorized")
    with FreeLLM(share=False) as client:
        way(client)

    keys = [key for provider in lab for key in provider.keys]
    assert sum(len(provider.chats) for provider in lab) == 2
    assert any(record.name == "freelm_integrations" for record in caplog.records)
    assert not [key for key in keys if key in caplog.text]
    assert "bearer" not in caplog.text.lower()


def test_the_file_of_catalogs_holds_no_key(lab: Lab, tmp_path: Path, monkeypatch: Any) -> None:
    """It says where the lists are from, and no more."""
    monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path))
    with FreeLLM(share=False) as client:
        client.refresh_models()
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())

    assert written
    assert not [key for provider in lab for key in provider.keys if key in written]


def test_a_request_bears_its_own_key_and_nobody_elses() -> None:
    """What the whole secrecy is for."""
    seen: dict[str, str] = {}

    def note(request: httpx.Request) -> httpx.Response:
        seen[str(request.url)] = request.headers.get("authorization", "none")
        return httpx.Response(503)

    endpoint = OpenAICompatible("acme", "https://acme.example/v1", SecretStr(ODD), models=["m"])
    keyless = OpenAICompatible("bare", "https://bare.example/v1", models=["m"])
    error_of(chat, client_of(note, [*providers(), endpoint, keyless], max_attempts=8))

    assert {one for url, one in seen.items() if "acme" in url} == {f"Bearer {ODD}"}
    assert {one for url, one in seen.items() if "bare" in url} == {"none"}
    assert {one for url, one in seen.items() if "groq" in url} == {f"Bearer {KEYS['groq']}"}
    assert len(seen) == 8


# ---------------------------------------------------------------------- in the source

OPENED_BY = {
    "engine/transport.py",  # it joins the headers
    "engine/leg.py",  # a fault's words are searched for it
    "pool/ledger/address.py",  # an address may hold a password
    "pool/ledger/redis.py",
    "command/mending.py",  # whose shape is it?
    "providers/keys.py",  # several in one string
    # Whose shape is it? And it goes on as a SecretStr or a provider.
    "openai/options.py",
    "langchain/arguments.py",
    "langchain/clients.py",
}


def test_a_secret_is_opened_in_few_places() -> None:
    """Each of them is in this list for a reason."""
    root = Path(freelm_integrations.__file__).parent
    opened = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "get_secret_value"
    }

    assert opened == OPENED_BY


def test_connections_do_not_show_what_they_sent() -> None:
    """They are variables of frames, too."""
    assert_no_key(repr(vars(AsyncConnections())))
