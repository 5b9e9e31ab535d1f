"""Texts to embed, and what is said of them, checked before any quota is spent.

Nothing has no direction: a text without a word in it has no vector, and most providers refuse the
whole batch it is in. It is refused here, by its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from freelm_integrations.chat import InputType
from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown
from freelm_integrations.request.values import is_iterable, kind_of

INPUT_TYPES: tuple[InputType, ...] = get_args(InputType)


def checked_texts(texts: object) -> tuple[str, ...]:
    """The texts as a tuple; a string is one text.

    Raises:
        ConfigError: There is something that is no text, or has no word in it; says which.
    """
    if isinstance(texts, str):
        texts = (texts,)
    given: object = texts
    if isinstance(texts, (Mapping, bytes)) or not is_iterable(texts):
        raise ConfigError(f"texts takes a list of strings, not {kind_of(given)}")
    several = tuple(texts)
    for place, text in enumerate(several):
        if not isinstance(text, str):
            raise ConfigError(f"texts[{place}] is {kind_of(text)}, not a string")
        if not text or text.isspace():
            raise ConfigError(f"texts[{place}] is empty: there is nothing to embed")
    return cast("tuple[str, ...]", several)


def checked_input_type(input_type: object) -> InputType:
    """`query` or `passage`; None is a passage. Raises ConfigError for anything else."""
    for known in INPUT_TYPES:
        if input_type == known:
            return known
    if input_type is None:
        return "passage"
    raise ConfigError(unknown("input_type", input_type, INPUT_TYPES))


def checked_dimensions(dimensions: object) -> int | None:
    """A length of vectors, or None for the model's own. Raises ConfigError for anything else."""
    if dimensions is None:
        return None
    if isinstance(dimensions, int) and not isinstance(dimensions, bool) and dimensions > 0:
        return dimensions
    raise ConfigError(f"dimensions takes a whole number, 1 or more, not {kind_of(dimensions)}")


def checked_model(model: object) -> str | None:
    """One name, or None. Raises ConfigError for several: vectors of two models do not compare."""
    if model is None or (isinstance(model, str) and model.strip()):
        return model
    if isinstance(model, str):
        raise ConfigError("model is empty: leave it out for the best there is")
    raise ConfigError(f"to embed, model takes one name, not {kind_of(model)}")


def checked_timeout(timeout: object) -> float | None:
    """Seconds, or None for the client's own. Raises ConfigError for anything else."""
    if timeout is None:
        return None
    if isinstance(timeout, (int, float)) and not isinstance(timeout, bool) and timeout > 0:
        return float(timeout)
    raise ConfigError("timeout takes a number of seconds above 0")
