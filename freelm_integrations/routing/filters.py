"""What a request needs, and which models are known to be unable to serve it.

Rules:
- Left out is only what is known to fail: an unknown context or an untagged list is let through.
- A list is known to tell what its models can do if any of them carries a tag for it.
- Tokens are estimated, so a model is left out for its size only if the prompt is too long even
  where the estimate is `DOUBT` too high.
- Some reasons are soft (`json_schema`, the length of the answer, a minute's tokens): providers may
  bend there, so such models are used after all where nothing else is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freelm_integrations.chat import Message, Request
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import Limit, ModelSpec
    from freelm_integrations.routing.catalog import Catalogs, Choice, Rank

DOUBT = 1.25
"""By how much an estimate of tokens may be too high."""
IMAGE_TOKENS = 800
"""Tokens an image is taken for."""
USUAL_OUTPUT = 1024
"""Tokens set aside for an answer whose length the caller leaves open."""
ABILITIES = frozenset({"tools", "vision", "json_schema"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a request asks of a model.

    In tokens: `prompt` as estimated, `output` as asked for, None where the caller leaves it open.
    """

    prompt: int = 0
    output: int | None = None
    tools: bool = False
    forced_tool: bool = False
    vision: bool = False
    json_schema: bool = False

    @property
    def tokens(self) -> int:
        """What to set aside for an attempt: prompt and answer."""
        return self.prompt + (USUAL_OUTPUT if self.output is None else self.output)

    @property
    def surely(self) -> int:
        """The tokens the prompt has at the very least."""
        return int(self.prompt / DOUBT)


class Guards(Protocol):
    """What the user rules out."""

    @property
    def free_only(self) -> bool:
        """Leave out models known to cost money."""
        ...

    @property
    def allow_training(self) -> bool:
        """Use free tiers that may train on prompts."""
        ...


class LeftOut(NamedTuple):
    """A model that will not be asked, and why. `is_soft`: it is, where nothing else is left."""

    provider: Provider
    model: ModelSpec
    reason: str
    is_soft: bool = False


def needs_of(request: Request) -> Needs:
    """Read off a request what it needs."""
    text, images = 0, 0
    for message in request.messages:
        more, pictures = _size_of(message)
        text, images = text + more, images + pictures
    text += sum(_length(json.dumps(tool, default=str)) for tool in request.tools)
    form = request.response_format
    if form is not None:
        text += _length(json.dumps(form, default=str))
    return Needs(
        prompt=(text + 3) // 4 + 4 * len(request.messages) + IMAGE_TOKENS * images,
        output=_output(request.params),
        tools=bool(request.tools),
        forced_tool=request.tool_choice not in (None, "auto", "none"),
        vision=images > 0,
        json_schema=form is not None and form.get("type") == "json_schema",
    )


def admit(
    ranks: Iterable[Rank], needs: Needs, guards: Guards, catalogs: Catalogs
) -> tuple[tuple[Rank, ...], tuple[LeftOut, ...]]:
    """The ranks without what cannot serve, and what was left out of them with the reason."""
    ranks = tuple(ranks)
    left_out = {
        choice: reason
        for choice in (choice for rank in ranks for choice in rank)
        if (reason := _objection(choice, needs, guards, catalogs[choice[0]])) is not None
    }
    kept = _without(ranks, left_out)
    if not kept:
        left_out = {choice: out for choice, out in left_out.items() if not out.is_soft}
        kept = _without(ranks, left_out)
    return kept, tuple(left_out.values())


def ruled_out(provider: Provider, model: ModelSpec, guards: Guards) -> str | None:
    """Which setting forbids this model, whatever the request; None if none does."""
    if guards.free_only and not model.free:
        return "costs money (free_only)"
    if not guards.allow_training and provider.spec.trains is not False:
        return "its free tier may train on prompts (allow_training=False)"
    return None


def thresholds(catalogs: Catalogs) -> tuple[int, ...]:
    """Every size at which a model starts or stops to be large enough, ascending.

    Two requests that fall between the same two of them, and need the same otherwise, are admitted
    to the same models.
    """
    sizes: set[int] = set()
    for provider, models in catalogs.items():
        for model in models:
            sizes.update(size for size in (model.context, model.output) if size is not None)
            minute = _minute(provider, model)
            if minute is not None:
                sizes.add(int(minute))
    return tuple(sorted(sizes))


def _without(ranks: Sequence[Rank], left_out: Mapping[Choice, LeftOut]) -> tuple[Rank, ...]:
    if not left_out:
        return tuple(ranks)
    kept = (tuple(choice for choice in rank if choice not in left_out) for rank in ranks)
    return tuple(rank for rank in kept if rank)


def _objection(
    choice: Choice, needs: Needs, guards: Guards, catalog: Sequence[ModelSpec]
) -> LeftOut | None:
    provider, model = choice
    if reason := ruled_out(provider, model, guards) or _unable(model, needs, catalog):
        return LeftOut(provider, model, reason)
    if reason := _too_small(provider, model, needs):
        return LeftOut(provider, model, reason, is_soft="context" not in reason)
    if needs.json_schema and _lacks("json_schema", model, catalog):
        return LeftOut(provider, model, "does not take a JSON schema", is_soft=True)
    return None


def _unable(model: ModelSpec, needs: Needs, catalog: Sequence[ModelSpec]) -> str | None:
    if needs.tools and _lacks("tools", model, catalog):
        return "does not call tools"
    if needs.vision and _lacks("vision", model, catalog):
        return "does not see images"
    return None


def _lacks(ability: str, model: ModelSpec, catalog: Sequence[ModelSpec]) -> bool:
    if ability in model.tags:
        return False
    return any(not ABILITIES.isdisjoint(other.tags) for other in catalog)


def _too_small(provider: Provider, model: ModelSpec, needs: Needs) -> str | None:
    if model.context is not None and needs.surely > model.context:
        return f"context of {model.context} tokens is too short for about {needs.prompt}"
    minute = _minute(provider, model)
    if minute is not None and needs.surely > minute:
        return f"{minute:g} tokens a minute are too few for about {needs.prompt}"
    if model.output is not None and needs.output is not None and needs.output > model.output:
        return f"answers have {model.output} tokens at most"
    return None


def _minute(provider: Provider, model: ModelSpec) -> float | None:
    """The most prompt tokens that can ever go at once."""
    limits: tuple[Limit, ...] = (*provider.shared_limits, *provider.limits_of(model))
    amounts = [
        limit.amount
        for limit in limits
        if limit.unit in {"tokens", "input_tokens"} and 0 < limit.amount < float("inf")
    ]
    return min(amounts, default=None)


def _output(params: Mapping[str, object]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = params.get(name)
        if isinstance(value, int) and value > 0:
            return value
    return None


def _size_of(message: Message) -> tuple[int, int]:
    """Characters and images of one message, tool calls included."""
    content = message.get("content")
    text, images = 0, 0
    if isinstance(content, str):
        text = _length(content)
    elif isinstance(content, (list, tuple)):
        for part in cast("Sequence[object]", content):
            more, pictures = _size_of_part(part)
            text, images = text + more, images + pictures
    if calls := message.get("tool_calls"):
        text += _length(json.dumps(calls, default=str))
    return text, images


def _size_of_part(part: object) -> tuple[int, int]:
    if isinstance(part, str):
        return _length(part), 0
    if not isinstance(part, dict):
        return 0, 0
    fields = cast("Mapping[str, object]", part)
    if "image_url" in fields or fields.get("type") in {"image", "image_url", "input_image"}:
        return 0, 1
    text = fields.get("text")
    return (_length(text), 0) if isinstance(text, str) else (0, 0)


def _length(text: str) -> int:
    """Characters as tokens count them: beyond ASCII a character is rarely shared with others."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))
