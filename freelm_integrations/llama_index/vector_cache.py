"""Vectors kept in one of LlamaIndex's stores, by keys that tell one vector space from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLLECTION = "embeddings"
"""Where core keeps them, too: its keys are bare texts and never look like ours."""
_VECTOR = "vector"


class Store(Protocol):
    """What is used of core's `BaseKVStore`."""

    def get(self, key: str, collection: str = ...) -> dict[str, Any] | None:
        """What is kept by that key."""
        ...

    async def aget(self, key: str, collection: str = ...) -> dict[str, Any] | None:
        """As `get`."""
        ...

    def put(self, key: str, val: dict[str, Any], collection: str = ...) -> None:
        """Keep it by that key."""
        ...

    async def aput(self, key: str, val: dict[str, Any], collection: str = ...) -> None:
        """As `put`."""
        ...


class VectorCache:
    """As safe from threads as its store is."""

    def __init__(self, store: Store) -> None:
        """Keep vectors in `store`."""
        self.store = store

    def get(self, keys: Sequence[str]) -> list[list[float]]:
        """The vectors by these keys; an empty one where there is none."""
        return [_vector(self.store.get(key, collection=COLLECTION)) for key in keys]

    async def aget(self, keys: Sequence[str]) -> list[list[float]]:
        """As `get`."""
        return [_vector(await self.store.aget(key, collection=COLLECTION)) for key in keys]

    def put(
        self, keys: Sequence[str], known: list[list[float]], fresh: Sequence[list[float]]
    ) -> None:
        """Keep the fresh vectors, and put them where `known` has empty ones, in their order."""
        for key, vector in _filled(keys, known, fresh):
            self.store.put(key, {_VECTOR: vector}, collection=COLLECTION)

    async def aput(
        self, keys: Sequence[str], known: list[list[float]], fresh: Sequence[list[float]]
    ) -> None:
        """As `put`."""
        for key, vector in _filled(keys, known, fresh):
            await self.store.aput(key, {_VECTOR: vector}, collection=COLLECTION)


def _vector(kept: dict[str, Any] | None) -> list[float]:
    return [] if kept is None else list(kept.get(_VECTOR) or ())


def _filled(
    keys: Sequence[str], known: list[list[float]], fresh: Sequence[list[float]]
) -> Iterator[tuple[str, list[float]]]:
    rest = iter(fresh)
    for place, key in enumerate(keys):
        if not known[place]:
            known[place] = next(rest)
            yield key, known[place]
