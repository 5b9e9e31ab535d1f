"""Answers that do not fit a schema go back once, with what is wrong; forms step down by refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import invalid_tool_call, tool_call
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import PydanticToolsParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from freelm_integrations.langchain import ChatFreeLLM
from freelm_integrations.langchain.validated import Validated

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


class City(BaseModel):
    """A city."""

    name: str


TEXT = PydanticOutputParser(pydantic_object=City)
CALLS = PydanticToolsParser(tools=[City], first_tool_only=True)
GOOD = AIMessage('{"name": "Oslo"}')
BAD = AIMessage("Oslo, I think")
CALL = AIMessage("", tool_calls=[tool_call(name="City", args={"name": "Oslo"}, id="c1")])
MISFIT = AIMessage("", tool_calls=[tool_call(name="City", args={"nom": "Oslo"}, id="c1")])
BROKEN = AIMessage(
    "", invalid_tool_calls=[invalid_tool_call(name="City", args='{"na', id="c2", error="cut")]
)


class Answers:
    """A model that says what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: AIMessage) -> None:
        self.asked: list[Any] = []
        self._answers = iter(answers)

    def __call__(self, asked: Any) -> AIMessage:
        self.asked.append(asked)
        return next(self._answers)


def validated(answers: Answers, parser: Any, **more: Any) -> Validated:
    return Validated(RunnableLambda(answers), parser, **more)


ROWS = [
    pytest.param(TEXT, None, [GOOD], GOOD, id="text that fits"),
    pytest.param(TEXT, None, [BAD, GOOD], GOOD, id="text that does not, then does"),
    pytest.param(TEXT, None, [BAD, BAD], BAD, id="text that never does"),
    pytest.param(CALLS, "City", [CALL], CALL, id="a call"),
    pytest.param(CALLS, "City", [MISFIT, CALL], CALL, id="a call that does not fit, then does"),
    pytest.param(CALLS, "City", [BROKEN, CALL], CALL, id="a call that does not parse"),
    pytest.param(CALLS, "City", [BAD, CALL], CALL, id="words in place of a call"),
]


@pytest.mark.parametrize(("parser", "tool", "answers", "given"), ROWS)
async def test_a_misfit_is_asked_for_again_once(
    parser: Any, tool: Any, answers: Any, given: Any
) -> None:
    """In both worlds; the second answer is handed on whatever it is."""
    blocking, on_loop = Answers(*answers), Answers(*answers)

    assert validated(blocking, parser, tool=tool).invoke("a city") == given
    assert await validated(on_loop, parser, tool=tool).ainvoke("a city") == given
    assert len(blocking.asked) == len(on_loop.asked) == len(answers)


@pytest.mark.parametrize(
    "asked",
    ["a city", [("human", "a city")], ChatPromptTemplate.from_messages(["a city"]).invoke({})],
    ids=["text", "messages", "prompt"],
)
def test_the_second_request_holds_the_first_the_answer_and_what_is_wrong(asked: Any) -> None:
    """As a conversation, with the caller's own words at its beginning."""
    answers = Answers(BAD, GOOD)

    validated(answers, TEXT).invoke(asked)

    first, answer, told = answers.asked[1]
    assert first == HumanMessage("a city")
    assert answer == BAD
    assert "Oslo, I think" in told.content


@pytest.mark.parametrize("misfit", [MISFIT, BROKEN], ids=["args", "json"])
def test_every_call_of_a_misfit_has_its_result(misfit: AIMessage) -> None:
    """An endpoint refuses a call without one."""
    answers = Answers(misfit, CALL)

    validated(answers, CALLS, tool="City").invoke("a city")

    result = answers.asked[1][-1]
    assert isinstance(result, ToolMessage)
    assert result.tool_call_id in {"c1", "c2"}
    assert result.status == "error"


def test_a_call_that_came_as_text_is_a_call() -> None:
    """In a fence or not; nothing is asked again for it."""
    answers = Answers(AIMessage('```json\n{"name": "Oslo"}\n```'))

    message = validated(answers, CALLS, tool="City").invoke("a city")

    assert message.tool_calls[0]["args"] == {"name": "Oslo"}
    assert len(answers.asked) == 1


def test_a_dict_lacks_none_of_the_fields_its_schema_requires() -> None:
    """No class validates it, so the fields are counted here."""
    answers = Answers(AIMessage('{"nom": "Oslo"}'), GOOD)

    assert validated(answers, JsonOutputParser(), required=["name"]).invoke("a city") == GOOD
    assert "name" in answers.asked[1][-1].content


async def test_streams_go_through_as_they_come() -> None:
    """What was shown cannot be taken back."""
    said = GenericFakeChatModel(messages=iter([AIMessage("not a city"), AIMessage("no city")]))
    stream = Validated(said, TEXT)

    assert "".join(chunk.text for chunk in stream.stream("a city")) == "not a city"
    assert "".join([chunk.text async for chunk in stream.astream("a city")]) == "no city"


class Seen(BaseCallbackHandler):
    def __init__(self) -> None:
        self.starts = 0
        self.ends = 0

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.starts += 1

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.ends += 1


def test_a_value_nobody_can_give_is_an_error_after_two_calls(lab: Lab) -> None:
    """Each of them a run of its own for handlers."""

    class Never(BaseModel):
        name: int

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            raise ValueError("never")

    seen = Seen()
    chain = ChatFreeLLM().with_structured_output(Never, method="json_schema")

    with pytest.raises((OutputParserException, ValueError)):
        chain.invoke("a number", {"callbacks": [seen]})

    assert (seen.starts, seen.ends) == (2, 2)


def test_a_model_that_takes_no_schema_is_asked_for_json_ever_after(lab: Lab) -> None:
    """Its refusal is spent once; the next call begins on the rung that worked."""
    lab["groq"].heal()
    llm = ChatFreeLLM(model="qwen/qwen3.6-27b", providers="groq")
    chain = llm.with_structured_output(City, method="json_schema")

    values = [chain.invoke("Tell me of the city of Oslo.") for _ in range(2)]

    assert all(isinstance(value, City) for value in values)
    forms = [chat.body["response_format"]["type"] for chat in lab["groq"].chats]
    assert forms == ["json_schema", "json_object", "json_object"]
