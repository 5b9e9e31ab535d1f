"""LangChain's published integration suite against the lab, whose first provider always refuses.

One class a method of structured output, and one over providers of which another answers each call;
no test overridden. Switched off are PDFs alone: no free model of the providers played reads them. The
one test that measures is played from a recording of the lab (`cassettes/stream.yaml`).
"""

from __future__ import annotations

import base64
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast
from unittest.mock import patch

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from freelm_integrations import OpenAICompatible
from freelm_integrations.events import CallCommitted
from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages import AIMessage

    from freelm_integrations.events import Event
    from freelm_integrations.lab import Lab

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

RECORDED = OpenAICompatible("recorded", "https://recorded.test/v1", "k", models=["gpt-oss-120b"])

pytestmark = pytest.mark.filterwarnings(
    "ignore::langchain_core._api.beta_decorator.LangChainBetaWarning"
)


class LabSuite(ChatModelIntegrationTests):
    """The suite with all switched on that a request is routed to someone for."""

    recorded: ClassVar[dict[str, Any]] = {}
    """What else the model is made with where the answer comes from a recording."""

    @pytest.fixture(autouse=True)
    def _played(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The lab runs, and what the suite would fetch from the network is at hand."""
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "nobody is asked")
        answer = httpx.Response(200, content=PIXEL, request=httpx.Request("GET", "https://lab"))
        with patch.object(httpx, "get", return_value=answer):
            yield

    @pytest.fixture(autouse=True)
    def _recorded(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """A recording is played to who asks by httpx, and from one address."""
        if request.node.get_closest_marker("vcr") is None:
            yield
            return
        with httpx.Client() as client:
            vars(self)["recorded"] = {"providers": [RECORDED], "http_client": client}
            yield

    @pytest.fixture
    def default_cassette_name(self) -> str:
        return "stream"

    @pytest.fixture
    def vcr_cassette_dir(self) -> str:
        return str(Path(__file__).parent / "cassettes")

    @property
    def chat_model_class(self) -> type[ChatFreeLLM]:
        return ChatFreeLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "auto", "strategy": "priority", **self.recorded}

    @property
    def enable_vcr_tests(self) -> bool:
        return True

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
    """Asks somebody else than answered the last call, as long as there is somebody else."""

    def _request(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super()._request(*args, **kwargs), "avoid": SERVED[-1:]}


SERVED: list[str] = []
"""The providers that answered the calls of a test, in order."""


def noted(event: Event) -> None:
    if isinstance(event, CallCommitted):
        SERVED.append(event.provider)


ALONE = {
    "override": "the one model that is named, at the one provider that has it",
    "details": "the one model that thinks in the open, at the one provider left",
    "audio": "Google alone hears",
    "image_inputs": "Mistral alone takes an image by its address",
    "stream_time": "a recording has one provider",
    "batch": "its calls are made at once, and none is in a row with another",
}
"""Tests, by a word of their names, whose calls only one provider can answer; the first is out."""


class TestChangingProviders(LabSuite):
    """Whoever answers, the next call goes to somebody else: histories are of mixed makers."""

    @property
    def chat_model_class(self) -> type[ChatFreeLLM]:
        return Rotating

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "auto", "strategy": "round_robin", "on_event": noted, **self.recorded}

    @pytest.fixture(autouse=True)
    def _changes(self, _played: None, request: pytest.FixtureRequest) -> Iterator[None]:
        """No two calls in a row were served by the same provider."""
        SERVED.clear()
        yield
        same = [one for one, other in pairwise(SERVED) if one == other]
        assert not same or any(word in request.node.name for word in ALONE)


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
