"""The LangChain half of the demonstration: a chain that streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.runnables import Runnable

_PROMPT = ChatPromptTemplate.from_messages(
    [("system", "You answer in one or two short sentences."), ("human", "{question}")]
)


def make_chain(**options: Any) -> Runnable[dict[str, str], str]:
    """Make prompt | ChatFreeLLM | parser; the options are those of every client."""
    return _PROMPT | ChatFreeLLM(temperature=0, **options) | StrOutputParser()


def stream_answer(chain: Runnable[dict[str, str], str], question: str) -> Iterator[str]:
    """Give the chain's answer piece by piece."""
    return chain.stream({"question": question})
