"""What the clients of one configuration share to embed: its vector spaces, and who serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.embedding.job import Job
from freelm_integrations.embedding.spaces import AUTO, Spaces
from freelm_integrations.errors import MissingKey
from freelm_integrations.routing.candidates import Router
from freelm_integrations.settings import no_key_message

if TYPE_CHECKING:
    from freelm_integrations.chat import EmbeddingRequest, InputType
    from freelm_integrations.embedding.spaces import VectorSpace
    from freelm_integrations.routing.candidates import Candidates, Routes
    from freelm_integrations.settings import Settings


class Embedding:
    """Embedding models by vector space; they are never candidates of a chat.

    Safe from any thread.
    """

    def __init__(self, pool: Routes, settings: Settings) -> None:
        """Look at nothing before the first call."""
        self._pool = pool
        self._settings = settings
        self._spaces = Spaces(settings.providers, settings)
        self._routers: dict[VectorSpace, Router] = {}

    def space(self, model: str | None, dimensions: int | None) -> VectorSpace:
        """The vector space of that name, None for `auto`; nothing is sent.

        Raises:
            ConfigError: No key is configured, or there is no such space.
        """
        if not self._settings.has_keys:
            raise MissingKey(no_key_message())
        return self._spaces.find(AUTO if model is None else model, dimensions)

    def job(
        self,
        texts: tuple[str, ...],
        space: VectorSpace,
        *,
        input_type: InputType,
        timeout: float | None,
    ) -> Job:
        """Texts about to be embedded; raises ContextOverflow for one that is too long."""
        return Job(texts, space, self._spaces, input_type=input_type, timeout=timeout)

    def candidates(self, request: EmbeddingRequest, space: VectorSpace) -> Candidates:
        """The routes that may serve a request without leaving the space."""
        router = self._routers.get(space)
        if router is None:
            router = self._routers.setdefault(space, Router(self._pool, self._settings))
        return router.candidates(request, space.members)
