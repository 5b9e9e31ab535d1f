"""Structured answers: objects of the caller's class, by forced tool call, JSON schema or text.

An answer that does not fit the class is asked for again, `TRIES` times in all (or `max_attempts`,
if that is less); the error after the last shows what was said. Streams show what is there so far,
and raise if their end does not fit.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Generic

from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.output_parsers.utils import extract_json_str
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.program.utils import create_flexible_model, get_program_for_llm
from llama_index.core.types import Model, PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, ValidationError

from freelm_integrations.llama_index.tools import object_so_far, selections, tool_request

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

    from llama_index.core.base.llms.types import ChatMessage, ChatResponse
    from llama_index.core.prompts import BasePromptTemplate
    from llama_index.core.types import BasePydanticProgram

    from freelm_integrations.chat import Json
    from freelm_integrations.llama_index.llm import LlamaIndexFreeLLM

dispatcher = get_dispatcher(__name__)

TRIES = 3
OURS = frozenset({PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION})
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
            "messages": messages,
            **_way(output_cls, by_schema=llm.should_use_structured_outputs),
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
        growing = _GrowingObject(self._output_cls)
        with closing(self._llm.stream_chat(**self._request)) as stream:
            for response in stream:
                if (grown := growing.grow(response)) is not None:
                    yield grown
        yield from growing.rest()

    async def astream(self) -> AsyncGenerator[Model | BaseModel, None]:
        """The object as it grows; until it fits the class, one with some of the same fields."""
        growing = _GrowingObject(self._output_cls)
        stream = await self._llm.astream_chat(**self._request)
        async with aclosing(stream):
            async for response in stream:
                if (grown := growing.grow(response)) is not None:
                    yield grown
        for last in growing.rest():
            yield last

    def _read(self, response: ChatResponse, *, is_last: bool) -> Model | None:
        try:
            return _object_in(response, self._output_cls)
        except ValueError:
            if is_last:
                raise
            return None


class _GrowingObject(Generic[Model]):
    """The object of a stream so far."""

    def __init__(self, output_cls: type[Model]) -> None:
        self._output_cls = output_cls
        self._partial_cls = create_flexible_model(output_cls)
        self._fields: Json = {}
        self._latest: BaseModel | None = None
        self._last_response: ChatResponse | None = None

    def grow(self, response: ChatResponse) -> Model | BaseModel | None:
        """The object after one more chunk, None while it stays the same."""
        self._last_response = response
        fields = _fields_so_far(response)
        if not fields or fields == self._fields:
            return None
        self._fields = fields
        try:
            self._latest = self._output_cls.model_validate(fields)
        except ValidationError:
            self._latest = self._partial_cls.model_validate(fields)
        return self._latest

    def rest(self) -> list[Model]:
        """What the end still has to tell; raises ValueError when the whole answer does not fit."""
        if self._last_response is None:
            return []
        whole = _object_in(self._last_response, self._output_cls)
        return [] if whole == self._latest else [whole]


def program(
    llm: LlamaIndexFreeLLM, output_cls: type[Model], prompt: BasePromptTemplate
) -> BasePydanticProgram[Model] | None:
    """Core's program, where plain text or another library is to give the object; else None."""
    mode = llm.pydantic_program_mode
    by_tools = mode is PydanticProgramMode.FUNCTION or llm.metadata.is_function_calling_model
    if mode in OURS and (by_tools or llm.should_use_structured_outputs):
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


def _way(output_cls: type[BaseModel], *, by_schema: bool) -> Json:
    """What makes an answer an object: a response format, or one tool that must be called."""
    if by_schema:
        named = {"name": output_cls.__name__, "schema": output_cls.model_json_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    return tool_request(
        [get_function_tool(output_cls)],
        tool_choice=None,
        tool_required=True,
        allow_parallel_tool_calls=False,
    )


def _object_in(response: ChatResponse, output_cls: type[Model]) -> Model:
    """The object a whole answer spells: in a call, or in text if the tool was not heeded."""
    calls = selections(response, error_on_no_tool_call=False)
    text = response.message.content or ""
    try:
        if calls:
            return output_cls.model_validate(calls[0].tool_kwargs)
        return output_cls.model_validate_json(extract_json_str(text))
    except ValueError as error:
        said = calls[0].tool_kwargs if calls else text
        message = f"the answer is no {output_cls.__name__}: {said!r:.500}\n{error}"
        raise ValueError(message) from error


def _fields_so_far(response: ChatResponse) -> Json:
    calls = any(isinstance(block, ToolCallBlock) for block in response.message.blocks)
    if calls:
        return selections(response, error_on_no_tool_call=False)[0].tool_kwargs
    _, brace, rest = (response.message.content or "").partition("{")
    return object_so_far(brace + rest)
