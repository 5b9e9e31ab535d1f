"""What an answer holds, as standard content blocks: in v0, v1 and v3, whole, in pieces, added up."""

from __future__ import annotations

import json
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from freelm_integrations import OpenAICompatible
from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.content import image_block, refusal_block
from freelm_integrations.langchain.errors import AnswerRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)
URL = "data:image/png;base64,QUJD"


def call(index: int, call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    told = {"index": index, "type": "function", "function": function}
    return told if call_id is None else {**told, "id": call_id}


ANSWERS: dict[str, list[dict[str, Any]]] = {
    "text": [{"content": "Hel"}, {"content": "lo"}],
    "thought": [{"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "Hello"}],
    "call": [
        {"tool_calls": [call(0, "c0", "f", '{"a"')]},
        {"tool_calls": [call(0, None, None, ":1}")]},
    ],
    "text, call": [{"content": "So"}, {"tool_calls": [call(0, "c0", "f", '{"a":1}')]}],
    "all": [
        {"reasoning_content": "hm"},
        {"content": "So"},
        {"tool_calls": [call(0, "c0", "f", '{"a":1}')]},
        {"tool_calls": [call(1, "c1", "g", "{")]},
        {"tool_calls": [call(1, None, None, "}")]},
    ],
    "text and call at once": [{"content": "So", "tool_calls": [call(0, "c0", "f", "{}")]}],
    "refusal": [{"refusal": "I will "}, {"refusal": "not."}],
    "image": [{"content": "Here."}, {"images": [{"image_url": {"url": URL}}]}],
}
"""What a server streams."""
TEXT = {"type": "text", "text": "So"}
F = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "c0"}
G = {"type": "tool_call", "name": "g", "args": {}, "id": "c1"}
BLOCKS: dict[str, list[Any]] = {
    "text": [{"type": "text", "text": "Hello"}],
    "thought": [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "Hello"}],
    "call": [F],
    "text, call": [TEXT, F],
    "all": [{"type": "reasoning", "reasoning": "hm"}, TEXT, F, G],
    "text and call at once": [TEXT, {**F, "args": {}}],
    "refusal": [refusal_block("I will not.")],
    "image": [
        {"type": "text", "text": "Here."},
        {"type": "image", "base64": "QUJD", "mime_type": "image/png"},
    ],
}
"""What users see of it."""


def whole(deltas: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that the deltas spell."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    for delta in deltas:
        for name, value in delta.items():
            if isinstance(value, str):
                message[name] = message.get(name, "") + value
            elif name != "tool_calls":
                message[name] = value
    calls: dict[int, dict[str, Any]] = {}
    for part in (part for delta in deltas for part in delta.get("tool_calls", ())):
        known = calls.setdefault(part["index"], {**part, "function": {**part["function"]}})
        if "id" not in part:
            known["function"]["arguments"] += part["function"]["arguments"]
    return {**message, "tool_calls": list(calls.values())} if calls else message


def server(deltas: list[dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if not json.loads(request.content).get("stream"):
            choice = {"index": 0, "message": whole(deltas), "finish_reason": "stop"}
            return httpx.Response(200, json={"model": "m", "choices": [choice]})
        chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
        chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
        lines = [f"data: {json.dumps({'model': 'm', 'choices': [one]})}\n\n" for one in chunks]
        return httpx.Response(
            200,
            content="".join([*lines, "data: [DONE]\n\n"]).encode(),
            headers={"content-type": "text/event-stream"},
        )

    return answer


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[Callable[..., ChatFreeLLM]]:
    clients: list[httpx.Client] = []

    def made(answer: str, **more: Any) -> ChatFreeLLM:
        clients.append(httpx.Client(transport=httpx.MockTransport(server(ANSWERS[answer]))))
        endpoint = OpenAICompatible("x", "https://x.test/v1", "k", models=["m"])
        return ChatFreeLLM(providers=[endpoint], http_client=clients[-1], share=False, **more)

    yield made
    for client in clients:
        client.close()


def summed(llm: ChatFreeLLM) -> Any:
    return reduce(add, llm.stream("hi"))


def plain(blocks: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "index"} for one in blocks]


WAYS: dict[str, Callable[[ChatFreeLLM], Any]] = {
    "invoke": lambda llm: llm.invoke("hi"),
    "stream": summed,
    "v3": lambda llm: llm.stream_events("hi", version="v3").output,
}


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_blocks_are_the_same_however_they_came(
    model: Any, answer: str, way: str, version: str
) -> None:
    """In any version, by any way: what was said, each in its kind and once."""
    message = WAYS[way](model(answer, output_version=version))

    assert plain(message.content_blocks) == BLOCKS[answer]
    if version == "v1":
        assert plain(message.content) == BLOCKS[answer]
    calls = [one for one in BLOCKS[answer] if one["type"] == "tool_call"]
    assert plain(message.tool_calls) == calls
    assert message.invalid_tool_calls == []


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_blocks_of_each_piece_add_up(model: Any, answer: str) -> None:
    """Who shows a stream as it comes shows the same."""
    said: dict[str, str] = {}
    for chunk in model(answer).stream("hi"):
        for block in chunk.content_blocks:
            kind = block["type"]
            word = str(block.get(kind, block.get("args", "")))
            said[kind] = said.get(kind, "") + word

    wanted = {
        one["type"]: one[one["type"]]
        for one in BLOCKS[answer]
        if one["type"] in ("text", "reasoning")
    }
    assert {kind: said[kind] for kind in wanted} == wanted


def test_a_refusal_stands_where_core_looks_for_it(model: Any) -> None:
    """Nobody takes it for the answer."""
    for message in (model("refusal").invoke("hi"), summed(model("refusal"))):
        assert message.additional_kwargs["refusal"] == "I will not."
        assert message.text == ""


class City(BaseModel):
    """A city."""

    name: str


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_refused_value_is_an_error_of_its_own(model: Any, method: Any, way: str) -> None:
    """Which no retry mends; it is not asked for again."""
    chain = model("refusal").with_structured_output(City, method=method)

    with pytest.raises(AnswerRefused, match=r"I will not\.|I will") as caught:
        chain.invoke("hi") if way == "invoke" else list(chain.stream("hi"))

    assert isinstance(caught.value, ModelError)
    assert not caught.value.is_retryable


def test_a_refused_value_is_told_beside_the_raw_message(model: Any) -> None:
    """`include_raw` raises nothing."""
    told = model("refusal").with_structured_output(City, include_raw=True).invoke("hi")

    assert told["parsed"] is None
    assert isinstance(told["parsing_error"], AnswerRefused)
    assert told["raw"].additional_kwargs["refusal"]


@pytest.mark.parametrize(
    ("url", "block"),
    [
        (URL, {"type": "image", "base64": "QUJD", "mime_type": "image/png"}),
        ("https://x/a.png", {"type": "image", "url": "https://x/a.png"}),
        ("data:image/svg+xml,<svg/>", {"type": "image", "url": "data:image/svg+xml,<svg/>"}),
    ],
)
def test_an_image_is_held_or_referred_to(url: str, block: dict[str, Any]) -> None:
    """As standard blocks have it."""
    assert image_block(url) == block


def test_blocks_of_messages_made_elsewhere_are_read_too() -> None:
    """As from a checkpoint of an earlier version."""
    message = AIMessage(
        ["Here.", {"type": "image_url", "image_url": {"url": URL}}],
        response_metadata={"model_provider": "freelm"},
    )

    assert plain(message.content_blocks) == BLOCKS["image"]
