"""Objects of the caller's class, read from answers whole and so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.output_parsers.utils import extract_json_str
from llama_index.core.program.utils import create_flexible_model
from llama_index.core.types import Model
from pydantic import BaseModel, ValidationError

from freelm_integrations.llama_index.tools import object_so_far, selections

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import ChatResponse

    from freelm_integrations.chat import Json


def object_in(response: ChatResponse, output_cls: type[Model]) -> Model:
    """The object a whole answer spells: in a call, or in text if the tool was not heeded.

    Raises:
        ValueError: It spells none; the message shows what was said.
    """
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


class GrowingObject(Generic[Model]):
    """The object of a stream so far; `response` is the last that was read."""

    def __init__(self, output_cls: type[Model]) -> None:
        """Start with nothing read."""
        self.response: ChatResponse | None = None
        self._output_cls = output_cls
        self._partial_cls = create_flexible_model(output_cls)
        self._fields: Json = {}
        self._latest: BaseModel | None = None

    @property
    def is_shown(self) -> bool:
        """Whether anything of it was given out."""
        return self._latest is not None

    def grow(self, response: ChatResponse) -> Model | BaseModel | None:
        """The object after one more chunk, None while it stays the same."""
        self.response = response
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
        if self.response is None:
            return []
        whole = object_in(self.response, self._output_cls)
        return [] if whole == self._latest else [whole]


def _fields_so_far(response: ChatResponse) -> Json:
    calls = any(isinstance(block, ToolCallBlock) for block in response.message.blocks)
    if calls:
        return selections(response, error_on_no_tool_call=False)[0].tool_kwargs
    _, brace, rest = (response.message.content or "").partition("{")
    return object_so_far(brace + rest)
