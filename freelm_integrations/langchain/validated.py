"""The lowest rung of structured output: an answer that does not fit is asked for again, once.

What a provider enforces of a schema differs from one to the next, and the weakest of them enforces
nothing. So every answer is read here before it goes on: a call that came as text becomes a call,
and a misfit goes back to the model with what is wrong with it. Streams go through as they come:
what was shown cannot be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableGenerator
from langchain_core.utils.json import parse_json_markdown
from typing_extensions import override

from freelm_integrations.langchain.answers import new_call_id
from freelm_integrations.langchain.content import REFUSAL
from freelm_integrations.langchain.errors import AnswerRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.output_parsers import BaseOutputParser
    from langchain_core.runnables import RunnableConfig

    from freelm_integrations.chat import Json

LONGEST = 600
"""Characters of what is wrong that the model is told."""


class Validated(Runnable["LanguageModelInput", AIMessage]):
    """A model bound to ask for a value, whose answers were read before they are handed on.

    Gives the message, not the value; a second misfit is handed on as it is, for the parser to
    refuse. Safe to share between threads and loops.
    """

    def __init__(
        self,
        bound: Runnable[Any, Any],
        parser: BaseOutputParser[Any],
        *,
        tool: str | None = None,
        required: Iterable[str] = (),
    ) -> None:
        """Ask `bound`, read with `parser`; `tool` is what is to be called, if by a call.

        `required` are the fields of a value that no class validates.
        """
        self.bound = bound
        self.parser = parser
        self.tool = tool
        self.required = tuple(required)

    @override
    def invoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """The message, of the second answer if the first did not fit."""
        message, wrong = self._read(self.bound.invoke(input, config, **kwargs))
        if wrong is None:
            return message
        again = self.bound.invoke(_corrected(input, message, wrong), config, **kwargs)
        return self._read(again)[0]

    @override
    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """The message, of the second answer if the first did not fit."""
        message, wrong = self._read(await self.bound.ainvoke(input, config, **kwargs))
        if wrong is None:
            return message
        again = await self.bound.ainvoke(_corrected(input, message, wrong), config, **kwargs)
        return self._read(again)[0]

    @override
    def stream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[AIMessage]:
        """The chunks of the first answer, unread."""
        yield from self.bound.stream(input, config, **kwargs)

    @override
    async def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessage]:
        """The chunks of the first answer, unread."""
        async for chunk in self.bound.astream(input, config, **kwargs):
            yield chunk

    def _read(self, message: AIMessage) -> tuple[AIMessage, str | None]:
        """The message, a call in its text made one, and what is wrong with it."""
        if REFUSAL in message.additional_kwargs:  # who will not is not asked again
            return message, None
        if self.tool is not None and not message.tool_calls:
            message = _as_call(message, self.tool)
        try:
            value = self.parser.parse_result([ChatGeneration(message=message)])
        except (OutputParserException, ValueError) as error:
            return message, str(error)[:LONGEST]
        if value is None and self.tool is not None:
            return message, f"The tool {self.tool} was not called."
        missing = [name for name in self.required if isinstance(value, dict) and name not in value]
        return message, f"These fields are missing: {', '.join(missing)}." if missing else None


def unless_refused(parser: BaseOutputParser[Any]) -> Runnable[Any, Any]:
    """The parser of answers, which raises AnswerRefused for one that is a refusal."""
    return RunnableGenerator(_willing, _willing_on_loop) | parser


def _willing(messages: Iterator[AIMessage]) -> Iterator[AIMessage]:
    for message in messages:
        yield _checked(message)


async def _willing_on_loop(messages: AsyncIterator[AIMessage]) -> AsyncIterator[AIMessage]:
    async for message in messages:
        yield _checked(message)


def _checked(message: AIMessage) -> AIMessage:
    if REFUSAL in message.additional_kwargs:
        raise AnswerRefused(message.additional_kwargs[REFUSAL])
    return message


def _as_call(message: AIMessage, tool: str) -> AIMessage:
    """The call that a model has written in words; the message itself if there is none."""
    try:
        arguments: object = parse_json_markdown(message.text)
    except ValueError:
        return message
    if not isinstance(arguments, dict) or not arguments:
        return message
    call = tool_call(name=tool, args=cast("Json", arguments), id=new_call_id())
    return message.model_copy(
        update={"content": "", "tool_calls": [call], "invalid_tool_calls": []}
    )


def _corrected(asked: LanguageModelInput, answer: AIMessage, wrong: str) -> list[BaseMessage]:
    """What was asked, what was answered, and what is wrong with that."""
    told = f"That does not fit what was asked for. {wrong}\nAnswer again, and only with what fits."
    ids = [call["id"] or "" for call in (*answer.tool_calls, *answer.invalid_tool_calls)]
    results: Sequence[BaseMessage] = [
        ToolMessage(told, tool_call_id=call_id, status="error") for call_id in ids
    ]
    return [*_messages(asked), answer, *(results or [HumanMessage(told)])]


def _messages(asked: LanguageModelInput) -> list[BaseMessage]:
    if isinstance(asked, PromptValue):
        return asked.to_messages()
    return convert_to_messages([HumanMessage(asked)] if isinstance(asked, str) else asked)
