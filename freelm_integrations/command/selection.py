"""Which of the listed models a person wants to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Row = Mapping[str, Any]


def select(
    models: Sequence[Row],
    *,
    providers: Collection[str] = (),
    tags: Collection[str] = (),
    family: str | None = None,
    paid: bool = False,
) -> list[Row]:
    """The models of any of these providers, with all of these tags, of this family.

    Upper and lower case are alike.

    Raises:
        ConfigError: No model is left: says which word no model has, with the nearest one.
    """
    chosen = [model for model in models if not providers or model["provider"] in providers]
    if not chosen:
        raise ConfigError(f"no models of {' or '.join(providers)}: is its key set?")
    for tag in tags:
        known = {name for model in chosen for name in model["tags"]}
        chosen = [model for model in chosen if tag.casefold() in model["tags"]]
        _check(chosen, "tag", tag, known)
    if family is not None:
        known = {model["family"] for model in chosen if model["family"]}
        wanted = family.casefold()
        chosen = [model for model in chosen if (model["family"] or "").casefold() == wanted]
        _check(chosen, "family", family, known)
    if paid:
        chosen = [model for model in chosen if not model["free"]]
        if not chosen:
            raise ConfigError("none of these models is known to cost money")
    return chosen


def _check(chosen: Sequence[Row], kind: str, word: str, known: Collection[str]) -> None:
    if not chosen:
        raise ConfigError(f"{unknown(kind, word, sorted(known))} (of the models listed here)")
