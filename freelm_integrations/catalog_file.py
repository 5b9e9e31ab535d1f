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
"""Seconds an entry stays in the file; after its TTL it only serves as a memory of who exists."""


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
        """Provider id -> models, for entries fetched after `since` (epoch seconds)."""
        try:
            stored = json.loads(self._path.read_bytes())
            entries = stored["catalogs"] if stored["version"] == VERSION else {}
            saved = {name: _load(entry) for name, entry in entries.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
            logger.warning("the model cache cannot be read and is ignored: %s", error)
            return {}
        return {name: entry for name, entry in saved.items() if entry.fetched_at > since}

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
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise


def _dump(entry: Saved) -> dict[str, Any]:
    models = [
        {
            "id": model.id,
            "tags": model.tags,
            "context": model.context,
            "output": model.output,
            "family": model.family,
            "free": model.free,
        }
        for model in entry.models
    ]
    return {"fetched_at": entry.fetched_at, "models": models}


def _load(entry: dict[str, Any]) -> Saved:
    models = (ModelSpec(**{**model, "tags": tuple(model["tags"])}) for model in entry["models"])
    return Saved(float(entry["fetched_at"]), tuple(models))
