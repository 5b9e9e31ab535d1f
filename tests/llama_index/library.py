"""What the parts of LlamaIndex under test work on: two documents, and ways for providers to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core import Document, MockEmbedding, SummaryIndex, VectorStoreIndex
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import TokenTextSplitter
from llama_index.core.tools import QueryEngineTool

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab
    from freelm_integrations.llama_index import LlamaIndexFreeLLM

DOCUMENTS = [
    Document(text="The Danube rises in the Black Forest and ends in the Black Sea. " * 20),
    Document(text="The Rhine rises in the Alps and ends in the North Sea. " * 20),
]
SPLITTER = TokenTextSplitter(chunk_size=128, chunk_overlap=0)
QUESTION = "Where does the Danube end?"


def refusing(lab: Lab) -> None:
    """Two providers turn every request down."""
    lab["groq"].fail("rate_limited", times=None)
    lab["google"].fail("overloaded", times=None)


def breaking(lab: Lab) -> None:
    """One never answers, one is cut off, one takes no key, one answers with an error."""
    lab["groq"].fail("reset_before_headers", times=None)
    lab["google"].fail("cut", after=0, times=None)
    lab["mistral"].fail("unauthorized", times=None)
    lab["nim"].fail("error_in_200", times=None)


TROUBLES = (refusing, breaking)


def index(kind: Any) -> Any:
    """The documents in an index of that kind, without a download."""
    if kind is SummaryIndex:
        return SummaryIndex.from_documents(DOCUMENTS, transformations=[SPLITTER])
    embedding = MockEmbedding(embed_dim=8)
    return VectorStoreIndex.from_documents(
        DOCUMENTS, embed_model=embedding, transformations=[SPLITTER]
    )


def query_tools(llm: LlamaIndexFreeLLM) -> list[QueryEngineTool]:
    """Two query engines to choose from."""
    return [
        QueryEngineTool.from_defaults(
            index(kind).as_query_engine(llm=llm), name=kind.__name__, description=told
        )
        for kind, told in ((SummaryIndex, "Sums up rivers."), (VectorStoreIndex, "Finds a river."))
    ]


def memory_for(llm: LlamaIndexFreeLLM) -> ChatMemoryBuffer:
    """A memory in plain objects: the default one leaves a database open."""
    return ChatMemoryBuffer.from_defaults(llm=llm)


def answered_by(lab: Lab) -> set[str]:
    """Who was asked for a chat and answered it."""
    return {one.name for one in lab for chat in one.chats if chat.status == 200 and not chat.fault}
