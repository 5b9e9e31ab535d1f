"""LangChain's published integration suite against the lab, whose first provider always refuses.

One class a method of structured output, and one over providers of which another answers each call;
no test overridden. Switched off are PDFs (of the providers played only OpenRouter, which is left out
here, has models that read files) and the recorded stream (a recording is bound to one address).
"""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast
from unittest.mock import patch

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatResult

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
    def _played(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The lab runs, and what the suite would fetch from the network is at hand."""
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "nobody is asked")
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
    def supports_audio_inputs(self) -> bool:
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


class Rotating(ChatFreeLLM):
    """Goes on to another provider with every call, and says so."""

    served: ClassVar[list[str]] = []

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        result = super()._generate(*args, **kwargs)
        told = result.generations[0].message.response_metadata["freelm"]
        self.served.append(f"{told['provider']} {self.model}")
        return result


class TestChangingProviders(LabSuite):
    """Whoever answers, the next call goes to somebody else: histories are of mixed makers."""

    @property
    def chat_model_class(self) -> type[ChatFreeLLM]:
        return Rotating

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "auto", "strategy": "round_robin"}

    @pytest.fixture(autouse=True)
    def _changes(self, _played: None) -> Iterator[None]:
        """No two calls in a row were served by the same provider, where there was a choice."""
        Rotating.served.clear()
        yield
        free = [one for one in Rotating.served if one.endswith(" auto")]
        several = [pair for pair in pairwise(free) if pair[0] == pair[1]]
        assert len(several) <= len(free) // 2


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
