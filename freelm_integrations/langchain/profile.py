"""What a model can do, as LangChain's middleware asks for it; looked up when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models.model_profile import ModelProfile

from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from freelm_integrations.langchain.clients import Clients

    class Traits(Protocol):
        """What is known of one model."""

        @property
        def context(self) -> int | None:
            """Tokens of its window."""
            ...

        @property
        def output(self) -> int | None:
            """Tokens of its longest answer."""
            ...

        @property
        def tags(self) -> tuple[str, ...]:
            """What it can do."""
            ...


ALWAYS = ModelProfile(text_inputs=True, text_outputs=True)
"""What holds whoever answers."""
TOOLS = ("tool_calling", "tool_choice", "tool_call_streaming")
"""Said of a pool if any of its models calls tools: requests with tools go to those alone."""
ABILITIES: Mapping[str, str] = {
    "image_inputs": "vision",
    "image_url_inputs": "vision",
    "audio_inputs": "audio",
    "pdf_inputs": "files",
    "video_inputs": "video",
    "structured_output": "json_schema",
}
"""Said of a pool if all of its models can do it: who relies on more names a model that can. Agents
that are told of no structured output of its own make a tool of the schema, which every provider
takes beside other tools."""


class LateProfile(dict[str, Any]):
    """A profile most of which is found out when it is first read.

    Making a model must neither read the environment nor cost what that does, and which models there
    are may change until then. Of several models in question any may answer, so the windows are the
    smallest of theirs. What nobody tells of the models is left out. Nothing is sent for it.
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
            models = self._clients.blocking().models_for(self._model)
        except ConfigError:  # the first call says it better
            return
        self.update(found_in(models))


def found_in(models: Sequence[Traits]) -> ModelProfile:
    """What holds for requests that any of these models may answer."""
    found = ModelProfile()
    if windows := [model.context for model in models if model.context is not None]:
        found["max_input_tokens"] = min(windows)
    if lengths := [model.output for model in models if model.output is not None]:
        found["max_output_tokens"] = min(lengths)
    told = {tag for model in models for tag in model.tags}
    flags = dict.fromkeys(TOOLS, "tools" in told or not told)
    flags |= {
        name: all(tag in model.tags for model in models)
        for name, tag in ABILITIES.items()
        if tag in told
    }
    return cast("ModelProfile", {**found, **flags})


def late_profile(clients: Clients, model: str | list[str]) -> ModelProfile:
    """The profile of that model over those clients; nothing is read yet."""
    return cast("ModelProfile", LateProfile(clients, model))
