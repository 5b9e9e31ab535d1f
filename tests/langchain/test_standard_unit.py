"""LangChain's published unit suite, with no socket to be had at all."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_tests.unit_tests import ChatModelUnitTests

from freelm_integrations.langchain import ChatFreeLLM


@pytest.mark.disable_socket
class TestChatFreeLLM(ChatModelUnitTests):
    """Every test of the suite, none overridden."""

    @property
    def chat_model_class(self) -> type[ChatFreeLLM]:
        return ChatFreeLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "chat:fast"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"FREELM_MODEL": "chat:large", "FREELM_API_KEY": "test"}, {}, {"model": "chat:large"}
