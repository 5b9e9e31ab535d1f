"""What a model can do, as LangChain's middleware asks for it; looked up when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models.model_profile import ModelProfile

from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from freelm_integrations.langchain.clients import Clients

ALWAYS = ModelProfile(
    text_inputs=True,
    text_outputs=True,
    tool_calling=True,
    tool_choice=True,
    tool_call_streaming=True,
    structured_output=True,
)
"""What holds whoever answers: requests for tools or a schema go to routes that can."""


class LateProfile(dict[str, Any]):
    """A profile whose `max_input_tokens` and `image_inputs` are found out when first read.

    Making a model must neither read the environment nor cost what that does, and which models there
    are may change until then. The window is the smallest of the models in question: any may answer.
    """

    def __init__(self, clients: Clients, model: str | list[str]) -> None:
        """Keep whom to ask, and for which model."""
        super().__init__(ALWAYS)
        self._clients = clients
        self._model = model
        self._is_known = False

    def is_for(self, clients: Clients, model: str | list[str]) -> bool:
        """Whether this is the profile of that model over those clients."""
        return self._clients is clients and self._model == model

    def __missing__(self, key: str) -> Any:
        """Find out, once; raises KeyError for what is not known even so."""
        if not self._is_known:
            self._find_out()
            if key in self:
                return self[key]
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, found out if need be."""
        try:
            return self[key]
        except KeyError:
            return default

    def __reduce__(self) -> str | tuple[Any, ...]:
        """What is known by now, as a plain dict."""
        return (dict, (dict(self),))

    def __deepcopy__(self, memo: object) -> LateProfile:
        """Itself: it belongs to the clients, which copies share."""
        return self

    def _find_out(self) -> None:
        self._is_known = True
        try:
            client = self._clients.blocking()
        except ConfigError:  # the first call says it better
            return
        window = client.context_window(self._model)
        if window is not None:
            self["max_input_tokens"] = window
        known = client.models()
        named = [one for one in known if self._model in (one.id, one.family)] or known
        self["image_inputs"] = any("vision" in one.tags for one in named)


def late_profile(clients: Clients, model: str | list[str]) -> ModelProfile:
    """The profile of that model over those clients; nothing is read yet."""
    return cast("ModelProfile", LateProfile(clients, model))
