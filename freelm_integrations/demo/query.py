"""The LlamaIndex half of the demonstration: a query engine over four short documents."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from llama_index.core import Document, PromptTemplate, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import TokenTextSplitter

from freelm_integrations.llama_index import LlamaIndexFreeLLM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.response.schema import StreamingResponse

_CHUNK = 110  # tokens: what the smallest model can keep in mind
_PROMPT = PromptTemplate("Text: {context_str}\n\nAnswer from the text in one sentence: {query_str}")


class WordEmbedding(BaseEmbedding):
    """Which words a text has, hashed into a small vector: finds what shares words, for free."""

    size: int = 512

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.size
        for word in set(re.findall(r"[a-z]{4,}", text.lower())):
            vector[crc32(word[:6].encode()) % self.size] = 1.0  # six letters: a crude word stem
        length = math.sqrt(sum(vector)) or 1.0
        return [value / length for value in vector]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._vector(text)


def read_documents() -> list[Document]:
    """The texts that come with the demonstration."""
    folder = files("freelm_integrations.demo") / "documents"
    paths = sorted(folder.iterdir(), key=lambda path: path.name)
    return [Document(text=path.read_text(encoding="utf-8")) for path in paths]


def make_query_engine(**options: Any) -> BaseQueryEngine:
    """Make a streaming engine over the documents; the options are those of every client."""
    index = VectorStoreIndex.from_documents(
        read_documents(),
        embed_model=WordEmbedding(),
        transformations=[TokenTextSplitter(chunk_size=_CHUNK, chunk_overlap=16)],
    )
    return index.as_query_engine(  # pyright: ignore[reportUnknownMemberType]
        llm=LlamaIndexFreeLLM(temperature=0, **options),
        similarity_top_k=1,
        text_qa_template=_PROMPT,
        streaming=True,
    )


def stream_answer(engine: BaseQueryEngine, question: str) -> Iterator[str]:
    """Give the engine's answer piece by piece."""
    response = cast("StreamingResponse", engine.query(question))
    return cast("Iterator[str]", response.response_gen)
