"""Catalogs on disk: one private JSON file (0600) for each endpoint, replaced atomically.

A file apiece, so that processes which fetch different lists at once never write over each other's,
and a damaged one costs one list. A damaged, foreign or enormous file counts as absent and is
replaced by the next list that is fetched.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from freelm_integrations.providers.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

logger = logging.getLogger("freelm_integrations")

VERSION = 2
FOLDER = f"catalogs-{VERSION}"
"""Versions of ours that write otherwise have a folder of their own: neither spoils the other's."""
KEPT_FOR = 7 * 86_400.0
"""Seconds an entry is of use: past its TTL it serves where the live list cannot be had."""
LARGEST = 8_000_000
"""Bytes of a file that are read; the longest list of today comes to a tenth of a megabyte."""

_DAMAGE = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError),
    OverflowError,
)
"""What reading a file that anybody may have written can raise."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Saved(NamedTuple):
    """One endpoint's models and when they were fetched (epoch seconds)."""

    fetched_at: float
    models: tuple[ModelSpec, ...]


class CatalogFiles:
    """The files in a folder of `home`.

    Reading never raises; writing that fails is logged and forgiven.
    """

    def __init__(self, home: Path) -> None:
        """Name the folder; it is made by the first write."""
        self._folder = home / FOLDER

    def read(self, names: Iterable[str], since: float) -> dict[str, Saved]:
        """Name -> models, of these endpoints, for entries fetched after `since` (epoch seconds)."""
        found = {name: entry for name in names if (entry := self._entry(name)) is not None}
        return {name: entry for name, entry in found.items() if entry.fetched_at > since}

    def write(self, fresh: Mapping[str, Saved], now: float) -> None:
        """Put these entries in the place of older ones; what nobody can use any more is removed."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, entry in fresh.items():
                self._replace(self.path(name), json.dumps(_dump(name, entry)).encode())
        except OSError as error:
            logger.warning("the cache of model lists cannot be written: %s", error)
        with contextlib.suppress(OSError):
            self._tidy(now)

    def path(self, name: str) -> Path:
        """Where the list of this endpoint is kept, if it is."""
        readable = _UNSAFE.sub("-", name.partition(" ")[0])[:40]
        return self._folder / f"{readable}-{sha256(name.encode()).hexdigest()[:12]}.json"

    def _entry(self, name: str) -> Saved | None:
        path = self.path(name)
        try:
            return _loaded(name, _whole(path))
        except FileNotFoundError:
            return None
        except _DAMAGE:
            logger.warning("the cached model list %s cannot be read and is ignored", path)
            return None

    def _replace(self, path: Path, content: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # made with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)  # noqa: PTH105 - the name is a str already
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise

    def _tidy(self, now: float) -> None:
        """Remove what is too old to be read: also what a process that died left half written."""
        for path in _files_in(self._folder):
            with contextlib.suppress(OSError):
                if now - path.stat().st_mtime > KEPT_FOR:
                    path.unlink()


def _files_in(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        yield from (Path(entry.path) for entry in entries if ".json" in entry.name)


def _whole(path: Path) -> Any:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("no list of ours is that long")
    return json.loads(content)


def _dump(name: str, entry: Saved) -> dict[str, Any]:
    models = [{name: getattr(model, name) for name in _FIELDS} for model in entry.models]
    return {"version": VERSION, "of": name, "fetched_at": entry.fetched_at, "models": models}


def _loaded(name: str, stored: Any) -> Saved | None:
    """The entry; raises where a field is not what its type says, as later readers trust that."""
    if stored["version"] != VERSION or stored["of"] != name:
        return None
    fetched_at = stored["fetched_at"]
    if type(fetched_at) not in {int, float} or not math.isfinite(fetched_at):
        raise TypeError("fetched_at")
    models = tuple(map(_model, stored["models"]))
    return Saved(float(fetched_at), models) if models else None


def _model(stored: dict[str, Any]) -> ModelSpec:
    if stored.keys() != _FIELDS.keys():
        raise ValueError("other fields")
    for name, types in _FIELDS.items():
        if type(stored[name]) not in types:
            raise TypeError(name)
    if not all(isinstance(word, str) for name in _WORDS for word in stored[name]):
        raise TypeError("tags")
    if not stored["id"] or any(stored[size] is not None and stored[size] < 1 for size in _SIZES):
        raise ValueError("a model without a name or of no size")
    fields: dict[str, Any] = {**stored, **{name: tuple(stored[name]) for name in _WORDS}}
    return ModelSpec(**fields)


_SIZES = ("context", "output")
_WORDS = ("tags", "lacks", "aliases")
_FIELDS: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "tags": (list,),
    "context": (int, type(None)),
    "output": (int, type(None)),
    "family": (str, type(None)),
    "free": (bool,),
    "lacks": (list,),
    "aliases": (list,),
    "retires_on": (str, type(None)),
}
