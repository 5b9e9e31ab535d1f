"""LangChain's published integration suite against the lab, whose first provider always refuses.

One class a method of structured output, no test overridden. Switched off are PDF and audio (routing
knows no models for them yet) and the recorded stream (a recording is bound to one address).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Literal, cast
from unittest.mock import patch

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages import AIMessage

    from freelm_integrations.lab import Lab

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)


class LabSuite(ChatModelIntegrationTests):
    """The suite with all switched on that a request is routed to someone for."""

    @pytest.fixture(autouse=True)
    def _played(self, lab: Lab) -> Iterator[None]:
        """The lab runs, and the pictures the suite would fetch from the network are at hand."""
        answer = httpx.Response(200, content=PIXEL, request=httpx.Request("GET", "https://lab"))
        with patch.object(httpx, "get", return_value=answer):
            yield

    @property
    def chat_model_class(self) -> type[ChatFreeLLM]:
        return ChatFreeLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "auto", "strategy": "priority"}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "mistral-small-latest"

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Any]]:
        details = ["reasoning_output", "cache_read_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return _asked(self.chat_model_class(model="gpt-oss-120b"), stream=stream)

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        return _asked(self.chat_model_class(model="gpt-oss-120b"), stream=stream)


def _asked(model: ChatFreeLLM, *, stream: bool) -> AIMessage:
    if not stream:
        return model.invoke("hello")
    whole = None
    for chunk in model.stream("hello"):
        whole = chunk if whole is None else whole + chunk
    return cast("AIMessage", whole)


class TestFunctionCalling(LabSuite):
    """The default method."""


class TestJsonSchema(LabSuite):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


class TestJsonMode(LabSuite):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_mode"}
