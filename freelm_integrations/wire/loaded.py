"""What local servers tell of their models beside the list: how large a context is really there.

llama.cpp's `GET /props` (server README and a running one, 2026-11), Ollama's `GET /api/ps` and
`POST /api/show` (docs and source of 2026-08), LM Studio's `GET /api/v0/models` (docs of 2026-04).
Known by field, like the lists; nothing is relied on.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from freelm_integrations.wire.catalogs import ListedModel
from freelm_integrations.wire.shapes import integer, mapping, parsed, sequence, text, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freelm_integrations.chat import Json

_SAME_SKILL = {"tool_use": "tools", "thinking": "reasoning"}
_SIZES = ("loaded_context_length", "context_length", "max_context_length")
"""The size a model is loaded with, and else the most it could be."""
_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d+)\s*$", re.MULTILINE)


def parse_details(body: bytes, model: str = "") -> tuple[ListedModel, ...]:
    """What is told of models; of `model` where no name is told, of any where that is empty too.

    Nothing where the body is something else; never raises.
    """
    told = mapping(parsed(body.decode("utf-8-sig", "replace")))
    if "default_generation_settings" in told:
        return (_of_props(told, model),)
    if "model_info" in told or "capabilities" in told:
        return (_of_show(told, model),)
    rows = next((told[name] for name in ("data", "models") if name in told), None)
    return tuple(_rows(map(mapping, sequence(rows))))


def detailed(
    listed: Iterable[ListedModel], details: Iterable[ListedModel]
) -> tuple[ListedModel, ...]:
    """The rows of a list with what is told of them beside; of sizes the least is true."""
    told: dict[str, list[ListedModel]] = {}
    for detail in details:
        told.setdefault(detail.id, []).append(detail)
    return tuple(_with(row, [*told.get(row.id, ()), *told.get("", ())]) for row in listed)


def _with(row: ListedModel, details: list[ListedModel]) -> ListedModel:
    for detail in details:
        sizes = [one.context for one in (row, detail) if one.context is not None]
        row = replace(
            row,
            context=min(sizes, default=None),
            input_modalities=detail.input_modalities or row.input_modalities,
            features=tuple(dict.fromkeys((*row.features, *detail.features))),
            chat=row.chat if detail.chat is None else detail.chat,
        )
    return row


def _of_props(told: Json, model: str) -> ListedModel:
    """Of llama.cpp: `n_ctx` is what each of its slots has; a router, with no model yet, says 0."""
    caps, senses = mapping(told.get("chat_template_caps")), mapping(told.get("modalities"))
    kinds = {"vision": "image", "audio": "audio", "video": "video"}
    inputs = tuple(kind for name, kind in kinds.items() if senses.get(name) is True)
    skills = ("completion", *(("tools",) if caps.get("supports_tools") is True else ()))
    return ListedModel(
        id=model,
        context=_size(mapping(told.get("default_generation_settings")).get("n_ctx")),
        input_modalities=("text", *inputs) if senses else (),
        features=skills if "supports_tools" in caps else (),
    )


def _of_show(told: Json, model: str) -> ListedModel:
    """Of Ollama: `num_ctx` is what a model is loaded with where its maker says so."""
    info = mapping(told.get("model_info"))
    ends = [_size(size) for name, size in info.items() if name.endswith(".context_length")]
    set_to = _NUM_CTX.search(text(told.get("parameters")))
    sizes = [*ends, None if set_to is None else _size(int(set_to[1]))]
    skills = _skills(told)
    return ListedModel(
        id=model,
        context=min((size for size in sizes if size is not None), default=None),
        input_modalities=("text", "image") if "vision" in skills else (),
        features=skills,
        chat="completion" in skills if skills else None,
    )


def _rows(rows: Iterable[Json]) -> Iterator[ListedModel]:
    """Of Ollama what is loaded, of LM Studio what could be."""
    for row in rows:
        name = text(row.get("id")) or text(row.get("name")) or text(row.get("model"))
        if not name:
            continue
        kind, skills = text(row.get("type")), _skills(row)
        yield ListedModel(
            id=name,
            context=next((size for key in _SIZES if (size := _size(row.get(key)))), None),
            input_modalities=("text", "image") if kind == "vlm" else (),
            features=skills,
            chat=kind in {"llm", "vlm"} if kind else None,
        )


def _skills(told: Json) -> tuple[str, ...]:
    return tuple(_SAME_SKILL.get(word, word) for word in words(told.get("capabilities")))


def _size(told: object) -> int | None:
    size = integer(told)
    return size if size is not None and size > 0 else None
