"""Tokens that a provider did not count are counted by the user's tokenizer, if there is one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from pydantic import ValidationError

from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.llama_index.scripted import USAGE, ScriptedLLM, called, said, streamed

if TYPE_CHECKING:
    from collections.abc import Callable


class Encoder:
    """As tokenizers of other libraries: to be called for something else."""

    def encode(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]

    def __call__(self, text: str) -> dict[str, Any]:
        return {"input_ids": self.encode(text)}


HISTORY = [ChatMessage(role="system", content="Be brief."), ChatMessage(content="Say a b c.")]
TOKENIZERS: list[Callable[[str], Any] | Encoder] = [str.split, Encoder()]


def uncounted(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "usage": None}


def last(llm: LlamaIndexFreeLLM, streams: bool) -> Any:
    return list(llm.stream_chat(HISTORY))[-1] if streams else llm.chat(HISTORY)


async def alast(llm: LlamaIndexFreeLLM, streams: bool) -> Any:
    if not streams:
        return await llm.achat(HISTORY)
    return [one async for one in await llm.astream_chat(HISTORY)][-1]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("streams", [False, True])
async def test_what_a_provider_did_not_count_is_estimated(tokenizer: Any, streams: bool) -> None:
    """And said to be, where the facts are."""
    reply = streamed("a b", " c", usage=None) if streams else uncounted(said("a b c"))
    llm, _ = ScriptedLLM.that_says(reply, reply, tokenizer=tokenizer)

    for response in (last(llm, streams), await alast(llm, streams)):
        assert response.raw["usage"] == {
            "prompt_tokens": 6,
            "completion_tokens": 3,
            "total_tokens": 9,
        }
        assert response.additional_kwargs["total_tokens"] == 9
        assert response.raw["freelm"]["usage"] == "estimated"


@pytest.mark.parametrize("streams", [False, True])
def test_what_a_provider_counted_stands(streams: bool) -> None:
    """Whatever the tokenizer would say; without one nothing is made up."""
    counted = streamed("a") if streams else said("a")
    silent = streamed("a", usage=None) if streams else uncounted(said("a"))
    llm, _ = ScriptedLLM.that_says(counted, tokenizer=str.split)
    bare, _ = ScriptedLLM.that_says(silent)

    response, unknown = last(llm, streams), last(bare, streams)

    assert response.raw["usage"]["total_tokens"] == USAGE["total_tokens"]
    assert "usage" not in response.raw["freelm"]
    assert unknown.raw["usage"] is None


def test_calls_of_tools_are_counted_too() -> None:
    """By name and arguments."""
    reply = uncounted(called(("add", '{"a": 1}')))
    llm, _ = ScriptedLLM.that_says(reply, tokenizer=str.split)

    assert llm.chat(HISTORY).raw["usage"]["completion_tokens"] == 3


def test_token_counters_see_the_estimate() -> None:
    """In place of what core would count by a tokenizer of another model."""
    counting = TokenCountingHandler(tokenizer=lambda text: [0] * 1000)
    llm, _ = ScriptedLLM.that_says(
        uncounted(said("a b c")), tokenizer=str.split, callback_manager=CallbackManager([counting])
    )
    llm.chat(HISTORY)

    assert counting.total_llm_token_count == 9


@pytest.mark.parametrize("tokenizer", ["meta-llama/Llama-3", 5, object()])
def test_a_tokenizer_is_not_downloaded_by_its_name(tokenizer: Any) -> None:
    """Refused at once."""
    with pytest.raises(ValidationError, match="tokenizer takes a function"):
        LlamaIndexFreeLLM(tokenizer=tokenizer)


def test_a_tokenizer_stays_out_of_dumps_and_is_shared_by_copies() -> None:
    """It is live, and no part of what an ingestion cache knows a model by."""
    llm = LlamaIndexFreeLLM(tokenizer=Encoder())

    assert "tokenizer" not in llm.to_dict()
    assert "tokenizer" not in repr(llm)
    assert copy.deepcopy(llm).tokenizer is llm.tokenizer
