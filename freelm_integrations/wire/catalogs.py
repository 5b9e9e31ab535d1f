"""Model lists, in every shape our providers and local servers have, read into one record a model.

Known by field, not by provider: OpenRouter (OpenAPI of 2026-08), Groq (live, 2026-10), Mistral
(OpenAPI of 2026-08), Google's two lists, NIM, Cerebras' two, Cloudflare, Hugging Face, and the
local Ollama, llama.cpp and LM Studio. Nothing but an id is relied on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freelm_integrations.wire.shapes import (
    integer,
    is_mapping,
    is_sequence,
    mapping,
    parsed,
    sequence,
    text,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from freelm_integrations.chat import Json

_LISTS = ("data", "models", "result")
_CONTEXT = (
    "context_length",
    "context_window",
    "max_context_length",
    "inputTokenLimit",
    "max_model_len",
    "n_ctx",
    "prompt_tokens",
)
_OUTPUT = (
    *("max_completion_tokens", "max_output_length", "max_output_tokens", "outputTokenLimit"),
    "completion_tokens",
)
_PLACES = ("top_provider", "limits", "meta", "properties", "per_request_limits")
_SKILLS = ("supported_parameters", "supported_features", "capabilities", "properties")
_SAME_SKILL = {
    "function_calling": "tools",
    "tool_use": "tools",
    "tool_calling": "tools",
    "trained_for_tool_use": "tools",
    "thinking": "reasoning",
    "json_schema": "structured_outputs",
}
_PLAIN_ROW = frozenset({"id", "object", "created", "owned_by"})
_CHATS = frozenset({"completion_chat", "completion", "generateContent", "chat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """One row of a model list; None and empty mean that the list does not say.

    `context` and `output` are tokens. `features` are what it can do, in OpenRouter's words
    (`tools`, `reasoning`, `structured_outputs`, `tool_choice`, ...). `free` is whether its list
    price is zero, `chat` whether it answers chats, `retires_on` the announced day of its end (ISO),
    `deprecated` that it is no longer served or should not be used. `efforts` are the only words of
    `reasoning_effort` it takes, `must_think` that it takes none for not thinking at all,
    `ignores_choice` that its server does not heed a choice of tools (Ollama).
    """

    id: str
    context: int | None = None
    output: int | None = None
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    free: bool | None = None
    chat: bool | None = None
    deprecated: bool | None = None
    aliases: tuple[str, ...] = ()
    retires_on: str | None = None
    efforts: tuple[str, ...] = ()
    must_think: bool = False
    ignores_choice: bool = False


def parse_models(body: bytes) -> tuple[ListedModel, ...]:
    """The models a list names, each once, in its order.

    Raises:
        ValueError: the body is no model list at all; rows without an id are merely left out.
    """
    found: dict[str, ListedModel] = {}
    for row in _rows(parsed(body.decode("utf-8-sig", "replace"))):
        model = _model(row)
        if model is not None:
            found.setdefault(model.id, model)
    return tuple(found.values())


def _rows(data: object) -> Iterator[Json]:
    rows: object = data
    if is_mapping(data):
        name = next((name for name in _LISTS if isinstance(data.get(name), list)), None)
        # Ollama says null where no model is installed.
        has_none = any(name in data and data[name] is None for name in _LISTS)
        rows = data[name] if name is not None else [] if has_none and "error" not in data else None
    if not is_sequence(rows):
        raise ValueError("the body is no model list")
    return (mapping(row) for row in rows)


def _model(row: Json) -> ListedModel | None:
    row = {**row, "properties": _by_name(row.get("properties"))}
    # Cloudflare's `id` is its own affair there, its `name` is what is called.
    order = ("name",) if "task" in row else ("id", "key", "name")
    model_id = next((name for key in order if (name := text(row.get(key)))), "")
    model_id = model_id.removeprefix("models/")
    if not model_id:
        return None
    inputs, outputs, features = (
        _modalities(row, "input"),
        _modalities(row, "output"),
        _features(row),
    )
    if not inputs and "vision" in features:
        inputs = ("text", "image")
    return ListedModel(
        id=model_id,
        context=_smallest(row, _CONTEXT),
        output=_smallest(row, _OUTPUT),
        input_modalities=inputs,
        output_modalities=outputs,
        features=features,
        free=_is_free(model_id, row),
        chat=_chats(row, features, inputs, outputs),
        deprecated=_is_deprecated(row),
        aliases=words(row.get("aliases")) or _target(row),
        retires_on=text(row.get("expiration_date")) or text(row.get("deprecation")) or None,
        efforts=words(mapping(row.get("reasoning")).get("supported_efforts")),
        must_think=mapping(row.get("reasoning")).get("mandatory") is True,
        ignores_choice=_is_of_ollama(row),
    )


def _is_of_ollama(row: Json) -> bool:
    """Its rows say as little as OpenAI's; its ids have a tag behind a colon (source of 2026-08)."""
    told = {name for name, value in row.items() if value is not None}
    return told <= _PLAIN_ROW and "owned_by" in told and ":" in text(row.get("id"))


def _target(row: Json) -> tuple[str, ...]:
    """OpenRouter names the one that an alias stands for at present."""
    target = text(row.get("alias_target"))
    return (target,) if target else ()


def _by_name(properties: object) -> object:
    """Properties told as pairs of a name and a value, as Cloudflare does, in one object."""
    pairs = [mapping(item) for item in sequence(properties)]
    if not pairs:
        return properties
    return {text(pair.get("property_id")): _value(pair.get("value")) for pair in pairs}


def _value(told: object) -> object:
    return {"true": True, "false": False}.get(told.lower(), told) if isinstance(told, str) else told


def _smallest(row: Json, names: tuple[str, ...]) -> int | None:
    """The least of what is said in all the places it may stand in: that much is true of each."""
    instances = [
        mapping(mapping(item).get("config")) for item in sequence(row.get("loaded_instances"))
    ]
    places = [row, *(mapping(row.get(place)) for place in _PLACES), *instances]
    said = [size for place in places for name in names if (size := integer(place.get(name)))]
    if not said:  # Hugging Face: a size for every upstream, any of which may be chosen
        upstreams = [mapping(item) for item in sequence(row.get("providers"))]
        said = [size for place in upstreams if (size := integer(place.get("context_length")))]
        said = said if names is _CONTEXT else []
    sizes = [size for size in said if size > 0]
    return min(sizes, default=None)


def _modalities(row: Json, side: str) -> tuple[str, ...]:
    name = f"{side}_modalities"
    return words(row.get(name)) or words(mapping(row.get("architecture")).get(name))


def _features(row: Json) -> tuple[str, ...]:
    said: dict[str, None] = {}
    for place in _SKILLS:
        for name in _named(row.get(place)):
            said.setdefault(_SAME_SKILL.get(name, name))
    if row.get("reasoning") or row.get("thinking") is True:
        said.setdefault("reasoning")
    for upstream in sequence(row.get("providers")):
        for name in _named(mapping(upstream)):
            if name.startswith("supports_"):
                said.setdefault(name.removeprefix("supports_").replace("_output", "_outputs"))
    if row.get("type") == "vlm":
        said.setdefault("vision")
    return tuple(said)


def _named(skills: object) -> Sequence[str]:
    """The names in a list of them, or of what is true in an object."""
    if is_mapping(skills):
        return [name for name, holds in skills.items() if holds is True or is_mapping(holds)]
    return words(skills)


def _is_free(model_id: str, row: Json) -> bool | None:
    if model_id.endswith(":free"):
        return True
    offers = [mapping(item).get("is_free") for item in sequence(row.get("providers"))]
    if any(isinstance(offer, bool) for offer in offers):
        return True in offers
    prices = [_price(price) for price in mapping(row.get("pricing")).values()]
    known = [price for price in prices if price is not None]
    if not known or any(price < 0 for price in known):  # -1: whatever the router picks
        return None
    return not any(known)


def _price(spelled: Any) -> float | None:
    if isinstance(spelled, bool) or not isinstance(spelled, (str, int, float)):
        return None
    try:
        return float(spelled)
    except (ValueError, OverflowError):
        return None


def _chats(
    row: Json, features: tuple[str, ...], inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> bool | None:
    capabilities = mapping(row.get("capabilities"))
    if isinstance(capabilities.get("completion_chat"), bool):
        return bool(capabilities["completion_chat"])
    methods = words(row.get("supportedGenerationMethods"))
    task = text(mapping(row.get("task")).get("name")).lower()
    kind = text(row.get("type")).lower()
    if task or kind.startswith("embed") or kind in {"llm", "vlm"}:
        return task == "text generation" if task else kind in {"llm", "vlm"}
    if methods:
        return not _CHATS.isdisjoint(methods)
    if outputs:  # what turns speech into text is no chat (Groq, 2026-10)
        return "text" in outputs and (not inputs or "text" in inputs)
    return False if features == ("embedding",) else None


def _is_deprecated(row: Json) -> bool | None:
    if row.get("active") is False or mapping(row.get("status")).get("failed") is True:
        return True
    upstreams = [text(mapping(item).get("status")) for item in sequence(row.get("providers"))]
    if upstreams and all(upstreams) and "live" not in upstreams:  # Hugging Face
        return True
    said = row.get("deprecated")
    return said if isinstance(said, bool) else None
