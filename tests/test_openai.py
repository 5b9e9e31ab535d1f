"""The shim: what that SDK's users write, over the pool."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from freelm_integrations import ConfigError, FreeLLM, Groq, NoRouteAnswered, StreamInterrupted
from freelm_integrations.lab import Lab
from freelm_integrations.openai import (
    AsyncOpenAI,
    ChatCompletion,
    ChatCompletionChunk,
    OpenAI,
)
from freelm_integrations.openai.translate import plain_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freelm_integrations.providers.configured import Provider

USER = {"role": "user", "content": "Say hello."}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    played = ("groq", "mistral")
    with Lab(words="plain", limits=False, providers=played) as lab, lab.environ():
        yield lab


@pytest.fixture
def client(lab: Lab) -> Iterator[OpenAI]:
    with OpenAI(share=False) as client:
        yield client


# ---------------------------------------------------------------------- whole answers


def test_an_answer_is_read_as_in_that_sdk(client: OpenAI) -> None:
    """By attributes, all the way down."""
    answer = client.chat.completions.create(model="auto", messages=[USER])

    assert isinstance(answer, ChatCompletion)
    assert (answer.object, answer.choices[0].index) == ("chat.completion", 0)
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.created > 1_700_000_000
    assert answer.id


def test_an_answer_says_who_gave_it(client: OpenAI, lab: Lab) -> None:
    """Beside that SDK's own fields."""
    lab["groq"].fail("rate_limited", times=None)
    answer = client.chat.completions.create(messages=[USER])

    assert answer.freelm["provider"] == "mistral"
    assert answer.model == answer.freelm["model"]
    assert [one["provider"] for one in answer.freelm["attempts"]] == ["groq", "mistral"]
    assert answer.freelm["integrity"] == "complete"


def test_an_answer_is_plain_data_on_demand(client: OpenAI) -> None:
    """As a dict and as JSON; and it can be read back."""
    answer = client.chat.completions.create(messages=[USER])
    data = answer.model_dump()

    assert data["choices"][0]["message"]["content"] == answer.choices[0].message.content
    assert json.loads(answer.model_dump_json()) == json.loads(json.dumps(data))
    assert ChatCompletion.model_validate(data) == answer
    assert answer.to_dict()["choices"][0]["message"]["role"] == "assistant"
    assert "tool_calls" not in answer.to_dict()["choices"][0]["message"]
    assert json.loads(answer.to_json())["model"] == answer.model


def test_parameters_are_those_of_that_sdk(client: OpenAI, lab: Lab) -> None:
    """None means not given."""
    client.chat.completions.create(
        messages=[USER], temperature=0.1, max_tokens=50, stop=None, tools=None, stream=False
    )
    (request,) = [one for provider in lab for one in provider.chats]

    assert request.body["temperature"] == 0.1
    assert "stop" not in request.body
    assert "tools" not in request.body


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temprature": 1}, "did you mean 'temperature'"),
        ({"model": "no-such-model"}, "no-such-model"),
        ({"messages": []}, "messages is empty"),
        ({"extra_headers": {"api-key": "y"}}, "extra_headers has 'api-key'"),
        ({"extra_query": {"v": "1"}}, "extra_query has 'v'"),
        ({"functions": []}, "functions cannot be passed here: the old form of tools"),
        ({"n": 2}, "n=2 is out of range"),
        ({"response_format": BaseModel}, "that is for chat.completions.parse()"),
        ({"timeout": 0}, "timeout=0 is out of range"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_argument_of_a_call_is_named(
    client: OpenAI, arguments: dict[str, Any], words: str, stream: bool
) -> None:
    """By an error of ours, in both modes."""
    with pytest.raises(ConfigError) as raised:
        for _ in client.chat.completions.create(
            **{"messages": [USER], "stream": stream, **arguments}
        ):
            pass

    assert words in str(raised.value)


# ---------------------------------------------------------------------- streams


def test_a_stream_is_read_as_in_that_sdk(client: OpenAI) -> None:
    """The role comes first, then the text, and the last chunk says why it ended."""
    chunks = list(client.chat.completions.create(messages=[USER], stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]

    assert all(isinstance(chunk, ChatCompletionChunk) for chunk in chunks)
    assert [delta.role for delta in deltas][:2] == ["assistant", None]
    assert "".join(delta.content or "" for delta in deltas)
    assert [
        chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason
    ] == ["stop"]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)
    assert json.loads(chunks[0].model_dump_json())["object"] == "chat.completion.chunk"


def test_the_first_chunk_says_who_speaks(client: OpenAI, lab: Lab) -> None:
    """The others do not repeat it."""
    lab["groq"].fail("overloaded", times=None)
    chunks = list(client.chat.completions.create(messages=[USER], stream=True))

    assert chunks[0].freelm is not None
    assert chunks[0].freelm["provider"] == "mistral"
    assert all(chunk.freelm is None for chunk in chunks[1:])
    assert all(chunk.model == chunks[0].freelm["model"] for chunk in chunks)


def test_usage_comes_in_a_last_chunk_without_choices_if_asked_for(client: OpenAI) -> None:
    """As there."""
    chunks = list(
        client.chat.completions.create(
            messages=[USER], stream=True, stream_options={"include_usage": True}
        )
    )

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens > 0
    assert all(chunk.choices for chunk in chunks[:-1])


def test_a_stream_may_be_left_early(client: OpenAI, lab: Lab) -> None:
    """By `with`, by `close`, or before it was begun; the client goes on."""
    with client.chat.completions.create(messages=[USER], stream=True) as stream:
        next(stream)
    closed = client.chat.completions.create(messages=[USER], stream=True)
    next(iter(closed))
    closed.close()
    client.chat.completions.create(messages=[USER], stream=True).close()

    assert client.chat.completions.create(messages=[USER]).choices[0].message.content
    assert list(closed) == []


def test_a_stream_that_breaks_raises_with_what_was_said(lab: Lab) -> None:
    """When it may not be carried on."""
    lab["mistral"].fail("reset", after=2, times=None)
    with (
        OpenAI(providers="mistral", share=False, on_interrupt="raise") as client,
        pytest.raises(StreamInterrupted) as raised,
    ):
        list(client.chat.completions.create(messages=[USER], stream=True))

    assert raised.value.partial


# ---------------------------------------------------------------------- tools


def converse(client: OpenAI, as_history: Callable[[Any], Any]) -> str:
    """Asks, answers the tool calls as such code does, and asks again."""
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    first = client.chat.completions.create(messages=messages, tools=[TOOL], tool_choice="required")
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    messages.append(as_history(message))
    for call in message.tool_calls:
        assert (call.type, call.function.name) == ("function", "weather")
        assert "city" in json.loads(call.function.arguments)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "Snow."})
    second = client.chat.completions.create(messages=messages, tools=[TOOL], tool_choice="none")
    return second.choices[0].message.content or ""


@pytest.mark.parametrize(
    "as_history",
    [
        lambda message: message,
        lambda message: message.model_dump(),
        lambda message: message.to_dict(),
        lambda message: {"role": "assistant", "content": None, "tool_calls": message.tool_calls},
    ],
    ids=["object", "dump", "dict", "objects in a dict"],
)
def test_tool_calls_go_back_with_the_history_in_any_form(
    client: OpenAI, lab: Lab, as_history: Callable[[Any], Any]
) -> None:
    """Such code appends the message object itself as often as a dict."""
    said = converse(client, as_history)
    last = [one for provider in lab for one in provider.chats][-1]
    calls = last.body["messages"][1]["tool_calls"]

    assert said
    assert calls[0]["function"]["name"] == "weather"
    assert isinstance(calls[0]["function"]["arguments"], str)
    assert last.body["messages"][2]["tool_call_id"] == calls[0]["id"]


def test_tool_calls_of_a_stream_arrive_in_pieces(client: OpenAI) -> None:
    """Gathered by index, as that SDK's users do it."""
    calls: dict[int, dict[str, str]] = {}
    finish = None
    for chunk in client.chat.completions.create(
        messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
        tools=[TOOL],
        tool_choice="required",
        stream=True,
    ):
        finish = chunk.choices[0].finish_reason or finish
        for part in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
            assert part.function is not None
            call["id"] += part.id or ""
            call["name"] += part.function.name or ""
            call["arguments"] += part.function.arguments

    assert finish == "tool_calls"
    assert calls[0]["id"]
    assert calls[0]["name"] == "weather"
    assert "city" in json.loads(calls[0]["arguments"])


class Piece(BaseModel):
    """Stands for an object of any SDK."""

    role: str = "user"
    content: str | None = None
    inner: list[Any] | None = None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("hello", "hello"),
        ([USER], [USER]),
        ((USER,), [USER]),
        ([Piece(content="x")], [{"role": "user", "content": "x"}]),
        ([{"role": "user", "content": [Piece(content="x")]}], None),
        ([Piece(inner=[Piece()])], [{"role": "user", "inner": [{"role": "user"}]}]),
        (None, None),
    ],
)
def test_objects_become_dicts_wherever_they_stand(given: Any, expected: Any) -> None:
    """Fields that are None were never set by anybody."""
    plain = plain_messages(given)

    assert "Piece(" not in repr(plain)
    assert expected is None or plain == expected


def test_the_callers_messages_are_not_changed(client: OpenAI) -> None:
    """They are his history."""
    messages = [{**USER, "content": [{"type": "text", "text": "hello"}]}]
    before = json.dumps(messages)
    client.chat.completions.create(messages=messages)

    assert json.dumps(messages) == before


# ---------------------------------------------------------------------- models


def test_models_are_listed_as_in_that_sdk(client: OpenAI) -> None:
    """Iterated, or read from `data`; with who serves them."""
    page = client.models.list()

    assert page.object == "list"
    assert [model.id for model in page] == [model.id for model in page.data]
    assert {model.owned_by for model in page} == {"groq", "mistral"}
    assert {model.object for model in page} == {"model"}


# ---------------------------------------------------------------------- asyncio


async def test_the_asyncio_client_does_the_same(lab: Lab) -> None:
    """Whole, streamed, left early, and the list of models."""
    async with AsyncOpenAI(share=False) as client:
        answer = await client.chat.completions.create(messages=[USER])
        stream = await client.chat.completions.create(messages=[USER], stream=True)
        said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        async with await client.chat.completions.create(messages=[USER], stream=True) as left:
            await anext(left)
        unread = await client.chat.completions.create(messages=[USER], stream=True)
        await unread.close()
        page = await client.models.list()

    assert answer.choices[0].message.content
    assert said
    assert {model.owned_by for model in page} == {"groq", "mistral"}


async def test_asyncio_calls_go_side_by_side(lab: Lab) -> None:
    """On one client."""
    async with AsyncOpenAI(share=False) as client:
        answers = await asyncio.gather(
            *(client.chat.completions.create(messages=[USER]) for _ in range(8))
        )

    assert all(answer.choices[0].message.content for answer in answers)


def test_the_asyncio_client_takes_an_asyncio_http_client() -> None:
    """Under the name that SDK has for it."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(503)

    async def main() -> None:
        given = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        client = AsyncOpenAI(
            api_key="gsk_x", base_url="https://acme.example/v1", http_client=given, share=False
        )
        with pytest.raises(NoRouteAnswered):
            await client.chat.completions.create(messages=[USER])

    asyncio.run(main())

    assert "/v1/models" in seen


# ---------------------------------------------------------------------- constructor


def provider_of(**arguments: Any) -> Provider:
    (provider,) = OpenAI(**arguments)._client._dispatcher.settings.providers
    return provider


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("gsk_abc", "groq"),
        ("sk-or-v1-abc", "openrouter"),
        ("AIzaabc", "google"),
        ("nvapi-abc", "nim"),
        ("csk-abc", "cerebras"),
        ("A1" * 16, "mistral"),
        (SecretStr("gsk_abc"), "groq"),
    ],
)
def test_a_key_belongs_to_the_provider_whose_shape_it_has(key: Any, name: str) -> None:
    """That SDK's users pass a key and nothing else."""
    provider = provider_of(api_key=key)

    assert provider.name == name
    assert len(provider.keys) == 1


@pytest.mark.parametrize("key", ["", "sk-proj-abc", "hunter2", 5, ["gsk_abc"]])
def test_a_key_of_no_known_shape_needs_an_address(key: Any) -> None:
    """It would go to the wrong place."""
    with pytest.raises(ConfigError, match="shape of no provider's key"):
        OpenAI(api_key=key)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.groq.com/openai/v1/", "groq"),
        (httpx.URL("https://api.mistral.ai/v1"), "mistral"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "google"),
        ("https://api.acme.example/v1", "custom-api-acme-example-v1"),
        ("http://localhost:8000/v1", "custom-localhost-8000-v1"),
        ("http://[::1]:8000/v1", "custom-1-8000-v1"),
    ],
)
def test_an_address_is_that_of_a_provider_we_know_or_of_another(url: Any, name: str) -> None:
    """What we know of it is kept; others are told apart by their addresses."""
    provider = provider_of(api_key="any-key", base_url=url)

    assert provider.name == name
    assert provider.base_url == str(url).rstrip("/")
    assert provider.keys[0].secret.get_secret_value() == "any-key"


def test_two_endpoints_with_one_key_are_two_providers() -> None:
    """What the pool knows of the one says nothing of the other."""
    one, other = (
        provider_of(api_key="k", base_url=f"http://localhost:{port}/v1") for port in (8000, 8001)
    )

    assert one.id != other.id


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"api_key": "gsk_x", "providers": [Groq("gsk_y")]}, "pass no api_key"),
        ({"base_url": "http://localhost/v1", "providers": "groq"}, "pass no api_key"),
        ({"base_url": "http://acme.example/v1"}, "plain http"),
        ({"base_url": "https://u:p@acme.example/v1"}, "user or password"),
        ({"base_url": "acme"}, "begin with http"),
        ({"strategi": "latency"}, "did you mean 'strategy'"),
        ({"timeout": "long"}, "timeout"),
    ],
)
@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_a_wrong_argument_of_the_constructor_is_named(
    kind: type, arguments: dict[str, Any], words: str
) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match=words):
        kind(**arguments)


def test_what_means_nothing_here_is_taken_all_the_same() -> None:
    """So that a swapped import runs."""
    client = OpenAI(
        api_key="gsk_x", organization="o", project="p", max_retries=5, timeout=20.0, model="fast"
    )
    settings = client._client._dispatcher.settings

    assert (settings.timeout, settings.wanted) == (20.0, ("fast",))


def test_without_arguments_it_works_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every client of ours."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk_x")

    assert provider_of().name == "groq"
    assert isinstance(OpenAI()._client, FreeLLM)
