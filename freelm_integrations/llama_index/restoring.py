"""Joins our classes to those core can restore from dumps, once it comes to that.

`load_llm` and `load_embed_model`, which ingestion and extractors use, look a dump's class up in a
table of their module. Importing that module imports every integration it knows and finds: where
OpenAI's is installed, as it is with the package `llama-index`, this costs as much as half of core.
So a table is added to at the moment somebody else imports it.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from llama_index.core.schema import BaseComponent


def join(home: str, table: str, cls: type[BaseComponent]) -> None:
    """Enter `cls` under its `class_name` in a table of the module `home`, now or when imported."""
    if (module := sys.modules.get(home)) is not None:
        _enter(module, table, cls)
    else:
        sys.meta_path.insert(0, _Usher(home, table, cls))


class _Usher(MetaPathFinder):
    """Waits for one import, finds the module as it would be found without it, and is gone."""

    def __init__(self, home: str, table: str, cls: type[BaseComponent]) -> None:
        self._home = home
        self._table = table
        self._cls = cls

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature is Python's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != self._home:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_enter(module: ModuleType) -> None:
                execute(module)
                _enter(module, self._table, self._cls)

            vars(spec.loader)["exec_module"] = execute_and_enter
        return spec


def _enter(module: ModuleType, table: str, cls: type[BaseComponent]) -> None:
    vars(module)[table][cls.class_name()] = cls
