"""Catalogs on disk: one private JSON file (0600), replaced atomically.

A damaged one counts as absent.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from freelm_integrations.providers.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger("freelm_integrations")

VERSION = 1
NAME = "catalogs.json"
KEPT_FOR = 7 * 86_400.0
"""Seconds an entry stays in the file: past its TTL it serves where the live list cannot be had."""


class Saved(NamedTuple):
    """One provider's models and when they were fetched (epoch seconds)."""

    fetched_at: float
    models: tuple[ModelSpec, ...]


class CatalogFile:
    """The file in `folder`. Reading never raises; writing that fails is logged and forgiven."""

    def __init__(self, folder: Path) -> None:
        """Name the file; it is made by the first write."""
        self._path = folder / NAME

    def read(self, since: float) -> dict[str, Saved]:
        """Name -> models, for entries fetched after `since` (epoch seconds)."""
        try:
            saved = _loaded(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            logger.warning("the model cache %s cannot be read and is ignored", self._path)
            return {}
        return {
            name: entry
            for name, entry in saved.items()
            if entry.fetched_at > since and entry.models
        }

    def write(self, fresh: Mapping[str, Saved], now: float) -> None:
        """Put these entries in, keeping the others that are not too old."""
        kept = {**self.read(now - KEPT_FOR), **fresh}
        content = {"version": VERSION, "catalogs": {name: _dump(one) for name, one in kept.items()}}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(json.dumps(content).encode())
        except OSError as error:
            logger.warning("the model cache cannot be written: %s", error)

    def _replace(self, content: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=NAME)  # made with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, self._path)  # noqa: PTH105 - the name is a str already
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise


def _dump(entry: Saved) -> dict[str, Any]:
    models = [{name: getattr(model, name) for name in _FIELDS} for model in entry.models]
    return {"fetched_at": entry.fetched_at, "models": models}


def _loaded(stored: Any) -> dict[str, Saved]:
    """Every entry; raises where a field is not what its type says, as later readers trust that."""
    if stored["version"] != VERSION:
        return {}
    return {
        name: Saved(float(entry["fetched_at"]), tuple(map(_model, entry["models"])))
        for name, entry in stored["catalogs"].items()
    }


def _model(stored: dict[str, Any]) -> ModelSpec:
    if stored.keys() != _FIELDS.keys():
        raise ValueError("other fields")
    for name, types in _FIELDS.items():
        if type(stored[name]) not in types:
            raise TypeError(name)
    if not all(isinstance(tag, str) for tag in stored["tags"]):
        raise TypeError("tags")
    fields: dict[str, Any] = {**stored, "tags": tuple(stored["tags"])}
    return ModelSpec(**fields)


_FIELDS: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "tags": (list,),
    "context": (int, type(None)),
    "output": (int, type(None)),
    "family": (str, type(None)),
    "free": (bool,),
}
