"""The objects of an answer, beside those of that SDK as it is installed."""

from __future__ import annotations

import pickle
from typing import Any

import openai as sdk
import pytest
from openai import types as their
from openai.types import chat as their_chat
from openai.types import completion_usage as their_usage
from openai.types.chat import chat_completion as their_completion
from openai.types.chat import chat_completion_chunk as their_chunk
from pydantic import BaseModel, Field

from freelm_integrations import openai as shim
from freelm_integrations.chat import Completion
from freelm_integrations.openai import objects
from freelm_integrations.openai.absent import ADVICE, MODULE_ADVICE
from freelm_integrations.openai.parsing import parsed_completion
from freelm_integrations.openai.translate import completion_object

PAIRS = [
    (their_chat.ChatCompletion, objects.ChatCompletion),
    (their_completion.Choice, objects.Choice),
    (their_completion.ChoiceLogprobs, objects.ChoiceLogprobs),
    (their_chat.ChatCompletionTokenLogprob, objects.ChatCompletionTokenLogprob),
    (their_chat.ChatCompletionMessage, objects.ChatCompletionMessage),
    (their_chat.ChatCompletionChunk, objects.ChatCompletionChunk),
    (their_chunk.Choice, objects.ChunkChoice),
    (their_chunk.ChoiceDelta, objects.ChoiceDelta),
    (their_chunk.ChoiceDeltaToolCall, objects.ChoiceDeltaToolCall),
    (their_usage.CompletionUsage, objects.CompletionUsage),
    (their_usage.PromptTokensDetails, objects.PromptTokensDetails),
    (their_usage.CompletionTokensDetails, objects.CompletionTokensDetails),
    (their.Model, objects.Model),
    (their.CreateEmbeddingResponse, objects.CreateEmbeddingResponse),
    (their.Embedding, objects.Embedding),
]
TOKEN = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}


class Place(BaseModel):
    """A place on a map."""

    name: str = Field(description="What it is called.")
    height: float | None = None


def told(raw: dict[str, Any]) -> objects.ChatCompletion:
    """An answer whose provider sent this body."""
    return completion_object(Completion(text="Hi", model="m", raw=raw), created=1)


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda one: one.__name__)
def test_whatever_is_read_of_theirs_can_be_read_of_ours(
    theirs: type[BaseModel], ours: type[BaseModel]
) -> None:
    """As None where no provider here tells it."""
    for name in theirs.model_fields:
        assert name in ours.model_fields or getattr(ours, name) is None


def test_what_a_provider_told_besides_is_handed_on() -> None:
    """Log probabilities as objects; the rest as the words they are."""
    alternative = {"token": "Ho", "logprob": -2.5, "bytes": None}
    token = {**TOKEN, "top_logprobs": [TOKEN, alternative]}
    raw = {"system_fingerprint": "fp_1", "service_tier": "on_demand"}
    completion = Completion(text="Hi", model="m", raw=raw, logprobs=(token,))
    answer = completion_object(completion, created=1)
    logprobs = answer.choices[0].logprobs

    assert (answer.system_fingerprint, answer.service_tier) == ("fp_1", None)
    assert logprobs is not None
    assert logprobs.content is not None
    assert [one.token for one in logprobs.content[0].top_logprobs] == ["Hi", "Ho"]
    assert their_chat.ChatCompletion.model_validate(answer.model_dump()).choices[0].logprobs
    assert pickle.loads(pickle.dumps(answer)) == answer


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"choices": []},
        {"choices": [{"logprobs": None}]},
        {"choices": [{"logprobs": {"content": None}}], "system_fingerprint": 5},
        {"choices": [{"logprobs": {"content": "?"}}], "system_fingerprint": None},
    ],
)
def test_what_is_not_told_or_no_such_thing_is_none(raw: dict[str, Any]) -> None:
    """An answer is never lost for what stands beside it."""
    answer = told(raw)
    logprobs = answer.choices[0].logprobs

    assert answer.choices[0].message.content == "Hi"
    assert logprobs is None or logprobs.content is None
    assert answer.system_fingerprint is None


@pytest.mark.parametrize("more", [{}, {"name": "look", "description": "Looks it up."}])
def test_a_tool_is_made_of_a_class_as_there(more: dict[str, Any]) -> None:
    """The same dict, and `parse` reads its calls into the class."""
    ours, theirs = (
        made(Place, **more) for made in (shim.pydantic_function_tool, sdk.pydantic_function_tool)
    )
    name = ours["function"]["name"]
    call = objects.ChatCompletionMessageToolCall(
        id="1", function=objects.Function(name=name, arguments='{"name": "Oslo", "height": null}')
    )
    answer = told({})
    answer.choices[0].message.tool_calls = [call]

    calls = parsed_completion(answer, None, [ours]).choices[0].message.tool_calls

    assert calls is not None
    assert calls[0].function.parsed_arguments == Place(name="Oslo")
    assert {"name", "strict"} <= ours["function"].keys()
    assert name == theirs["function"]["name"]
    assert ours["function"].get("description") == theirs["function"].get("description")
    parameters = ours["function"]["parameters"]
    assert parameters["required"] == theirs["function"]["parameters"]["required"]
    assert set(parameters["properties"]) == set(theirs["function"]["parameters"]["properties"])


@pytest.mark.parametrize("name", [*MODULE_ADVICE, "Batch"])
def test_a_name_of_that_module_that_is_missing_says_what_to_do(name: str) -> None:
    """And one nobody knows is just not there."""
    assert not hasattr(shim, name)
    with pytest.raises(AttributeError, match=name) as raised:
        getattr(shim, name)
    assert MODULE_ADVICE.get(name, "") in str(raised.value)


def test_streams_and_namespaces_say_it_too(client: shim.OpenAI) -> None:
    """Wherever users of that SDK reach."""
    with client.chat.completions.create(
        messages=[{"role": "user", "content": "hi"}], stream=True
    ) as stream:
        for place, name in (
            (stream, "response"),
            (client, "timeout"),
            (client.chat, "with_raw_response"),
        ):
            with pytest.raises(AttributeError, match="here: ") as raised:
                getattr(place, name)
            assert ADVICE[name] in str(raised.value)
