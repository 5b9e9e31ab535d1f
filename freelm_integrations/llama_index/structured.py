"""Structured answers: objects of the caller's class, by forced tool call, JSON schema or text.

An answer that does not fit the class is asked for again, of another provider if there is one,
`TRIES` times in all (or `max_attempts`, if that is less); the error after the last shows what was
said. Streams show what is there so far; once they have shown something they are not begun again,
and raise if their end does not fit.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Generic, cast

from llama_index.core.base.llms.types import MessageRole, TextBlock
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.program.utils import get_program_for_llm
from llama_index.core.types import Model, PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel

from freelm_integrations.llama_index.objects import GrowingObject, object_in
from freelm_integrations.llama_index.tools import tool_request, with_fields

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

    from llama_index.core.base.llms.types import ChatMessage, ChatResponse
    from llama_index.core.prompts import BasePromptTemplate
    from llama_index.core.types import BasePydanticProgram

    from freelm_integrations.chat import Json
    from freelm_integrations.llama_index.llm import LlamaIndexFreeLLM

dispatcher = get_dispatcher(__name__)

TRIES = 3
OURS = frozenset(
    {PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION, PydanticProgramMode.LLM}
)
# Ours to decide; what a caller passes under these names would be passed twice.
_DECIDED = frozenset({"tool_required", "tool_choice", "allow_parallel_tool_calls"})


class StructuredCall(Generic[Model]):
    """One structured call: how answers are asked for, and read as objects of a class."""

    def __init__(
        self,
        llm: LlamaIndexFreeLLM,
        output_cls: type[Model],
        messages: list[ChatMessage],
        params: Mapping[str, Any] | None,
    ) -> None:
        """Ask `llm` for an `output_cls`; `params` go with each try, and are not changed."""
        self._llm = llm
        self._output_cls = output_cls
        self._tries = min(TRIES, llm.max_attempts or TRIES)
        given = params or {}
        self._request: Json = {
            **_way(llm, output_cls, messages),
            **{name: given[name] for name in given if name not in _DECIDED},
        }

    def ask(self) -> Model:
        """The object; raises ValueError when no answer fits."""
        for left in reversed(range(self._tries)):
            response = self._llm.chat(**self._request)
            if (found := self._read(response, is_last=not left)) is not None:
                return found
        raise AssertionError  # pragma: no cover - the last try returns or raises

    async def aask(self) -> Model:
        """The object; raises ValueError when no answer fits."""
        for left in reversed(range(self._tries)):
            response = await self._llm.achat(**self._request)
            if (found := self._read(response, is_last=not left)) is not None:
                return found
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def stream(self) -> Generator[Model | BaseModel, None, None]:
        """The object as it grows; until it fits the class, one with some of the same fields."""
        for left in reversed(range(self._tries)):
            growing = GrowingObject(self._output_cls)
            with closing(self._llm.stream_chat(**self._request)) as stream:
                for response in stream:
                    if (grown := growing.grow(response)) is not None:
                        yield grown
            if (rest := self._end(growing, is_last=not left)) is not None:
                yield from rest
                return

    async def astream(self) -> AsyncGenerator[Model | BaseModel, None]:
        """The object as it grows; until it fits the class, one with some of the same fields."""
        for left in reversed(range(self._tries)):
            growing = GrowingObject(self._output_cls)
            stream = await self._llm.astream_chat(**self._request)
            async with aclosing(stream):
                async for response in stream:
                    if (grown := growing.grow(response)) is not None:
                        yield grown
            if (rest := self._end(growing, is_last=not left)) is not None:
                for last in rest:
                    yield last
                return

    def _read(self, response: ChatResponse, *, is_last: bool) -> Model | None:
        try:
            return object_in(response, self._output_cls)
        except ValueError:
            if is_last:
                raise
            self._avoid(response)
            return None

    def _end(self, growing: GrowingObject[Model], *, is_last: bool) -> list[Model] | None:
        """What is left to show; None where it is to be tried again."""
        try:
            return growing.rest()
        except ValueError:
            if is_last or growing.is_shown or growing.response is None:
                raise
            self._avoid(growing.response)
            return None

    def _avoid(self, response: ChatResponse) -> None:
        """Ask others first from now on: who gave this answer gave no object."""
        attempts: list[Json] = cast("Json", response.raw)["freelm"]["attempts"]
        # By the name the model was asked by, which an answer need not repeat.
        spoke = [f"{one['provider']}/{one['model']}" for one in attempts if one.get("kind") is None]
        self._request["avoid"] = [*(self._request.get("avoid") or ()), *spoke]


def program(
    llm: LlamaIndexFreeLLM, output_cls: type[Model], prompt: BasePromptTemplate
) -> BasePydanticProgram[Model] | None:
    """Core's program where another library is to give the object, else None."""
    mode = llm.pydantic_program_mode
    if mode in OURS:
        return None
    return get_program_for_llm(output_cls, prompt, llm, pydantic_program_mode=mode)


def started(
    output_cls: type[Model], prompt: BasePromptTemplate, prompt_args: Mapping[str, Any]
) -> None:
    """Tell core's handlers that a structured call starts."""
    dispatcher.event(
        LLMStructuredPredictStartEvent(
            output_cls=output_cls, template=prompt, template_args=dict(prompt_args)
        )
    )


def ended(found: Model | list[Model]) -> Model:
    """The object, once core's handlers were told that the call has ended with it."""
    if not isinstance(found, BaseModel):
        message = f"expected one object, got a {type(found).__name__}: {found!r:.500}"
        raise TypeError(message)
    dispatcher.event(LLMStructuredPredictEndEvent(output=found))
    return found


def _way(llm: LlamaIndexFreeLLM, output_cls: type[BaseModel], messages: list[ChatMessage]) -> Json:
    """What makes an answer an object: text, a response format, or one tool that must be called."""
    mode = llm.pydantic_program_mode
    by_tool = mode is PydanticProgramMode.FUNCTION or llm.metadata.is_function_calling_model
    if mode is PydanticProgramMode.LLM or not (by_tool or llm.should_use_structured_outputs):
        return {"messages": _told(messages, output_cls)}
    if llm.should_use_structured_outputs:
        schema = with_fields(output_cls.model_json_schema())
        # As strictly as whoever answers can: the core lets go of it where it is not taken.
        named = {"name": output_cls.__name__, "schema": schema, "strict": True}
        return {
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": named},
        }
    request = tool_request(
        [get_function_tool(output_cls)],
        tool_choice=None,
        tool_required=True,
        allow_parallel_tool_calls=False,
    )
    return {"messages": messages, **request}


def _told(messages: list[ChatMessage], output_cls: type[BaseModel]) -> list[ChatMessage]:
    """The messages with the schema in words, where core has it: the system's, else the last."""
    if not messages:
        return messages
    # Its braces as they are: core doubles them, for a template that is filled in already by then.
    words = PydanticOutputParser(output_cls).get_format_string(escape_json=False)
    place = 0 if messages[0].role is MessageRole.SYSTEM else len(messages) - 1
    told = messages[place].model_copy(
        update={"blocks": [*messages[place].blocks, TextBlock(text=words)]}
    )
    return [*messages[:place], told, *messages[place + 1 :]]
