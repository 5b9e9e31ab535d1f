"""What clients know, as rows of text for a person: models, health, capacity, model lists."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import fault_words
from freelm_integrations.table import columns, folded, one_line
from freelm_integrations.timeline import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = Mapping[str, Any]

NUMBERS = frozenset(
    {"#", "ms", "attempts", "answers", "median ms", "context", "left", "of", "limit"}
)
"""The headings of columns whose cells stand at the right."""
SPARE = ("family", "list")
"""The headings of columns that a narrow terminal can do without, the first to go first."""
NAMED_AT_MOST = 3
"""How many ids a line names before it counts the others."""

_SOURCES = {"builtin": "built in", "given": "as set"}
_LENGTHS = {60.0: "a minute", 3600.0: "an hour", 86_400.0: "a day", 2_592_000.0: "a month"}


def list_words(row: Row) -> str:
    """Where a list is from: `live`, `cache, 3 h old`, `built in`."""
    source = str(_SOURCES.get(row["source"], row["source"]))
    age: float | None = row.get("age")
    return source if age is None or source == "live" else f"{source}, {span(round(age))} old"


def model_rows(
    models: Iterable[Row], lists: Mapping[str, Row] | None = None
) -> list[dict[str, str]]:
    """A row a model; `lists`, where given, are the rows of `model_lists` by provider."""
    models = list(models)
    is_mixed = not all(model["free"] for model in models)
    return [
        {
            "provider": model["provider"],
            "id": model["id"],
            "family": model["family"] or "",
            "tags": ", ".join(model["tags"]),
            "context": _number(model["context"]),
            "free": ("yes" if model["free"] else "no") if is_mixed else "",
            "until": model["retires_on"] or "",
            "list": list_words(model if lists is None else lists[model["provider"]]),
        }
        for model in models
    ]


def health_rows(rows: Iterable[Row]) -> list[dict[str, str]]:
    """A row a key, without its windows."""
    return [
        {
            "provider": row["provider"],
            "key": row["fingerprint"],
            "state": row["state"],
            "back in": _span(row["ready_after"]),
            "models": _models(row.get("list")),
            "resting": ", ".join(
                f"{rest['model'] or rest['scope']}: {fault_words(rest['kind'])}"
                for rest in row["cooldowns"]
            ),
            "last fault": _last_fault(row["last_fault"]),
        }
        for row in rows
    ]


def capacity_rows(rows: Iterable[Row]) -> list[dict[str, str]]:
    """A row a window; models of a provider that stand alike share one."""
    return [
        {
            "provider": alike[0]["provider"],
            "model": _who(alike),
            "left": _number(alike[0]["remaining"]),
            "of": _number(alike[0]["limit"]),
            "unit": f"{str(alike[0]['unit']).replace('_', ' ')} {_length(alike[0]['per'])}",
            "whole again in": _span(alike[0]["resets_after"]),
        }
        for alike in _alike(rows)
    ]


def findings_text(findings: Sequence[Row], width: int | None) -> str:
    """The doctor's findings, and below them what there is to say about the model lists."""
    beside = max(columns(row["provider"]) for row in findings)
    lines = [line for row in findings for line in _finding_lines(row, beside, width)]
    lists = {row["provider"]: row["models"] for row in findings if row["models"] is not None}
    lines += ["", "model lists"]
    for provider, row in lists.items():
        count = f"{row['models']} model{'' if row['models'] == 1 else 's'}, {list_words(row)}"
        lines += _beside(f"  {provider:<{beside}}", [count, *drift_lines(row)], width)
    return "".join(f"{line}\n" for line in lines)


def _finding_lines(row: Row, beside: int, width: int | None) -> list[str]:
    mark = {True: "ok", False: "FAILS", None: "-"}[row["works"]]
    said = [row["what"], row["mend"]] if row["works"] is False else []
    if not said:
        said = [f"{row['what']}: {row['mend']}" if row["mend"] else row["what"]]
    said += _allowance_lines(row["left"])
    key = row["key"] or ("keyless" if row["models"] is not None else "")
    return _beside(f"{mark:<5}  {row['provider']:<{beside}}  {key:<8}", said, width)


def _allowance_lines(left: Row | None) -> Iterator[str]:
    """What is left of the key's allowance, where the provider tells."""
    if left is not None:
        per = _LENGTHS.get(left["per"], f"each {left['per']:g} s")
        what = str(left["unit"]).replace("_", " ")
        yield f"{left['remaining']:g} of {left['limit']:g} {what} {per} left"


def _beside(head: str, texts: Iterable[str], width: int | None) -> list[str]:
    """The texts, each folded, in a column of their own at the right of the head."""
    room = None if width is None else max(20, width - len(head) - 2)
    lines = [line for text in texts if text for line in folded(one_line(text), room)]
    return [
        f"{head if number == 0 else ' ' * len(head)}  {line}" for number, line in enumerate(lines)
    ]


def drift_lines(row: Row) -> Iterator[str]:
    """What a person should know of one provider's list: none where there is nothing to say."""
    if row["trouble"] is not None:
        serves = {"builtin": "the built-in one serves", "cache": "the cached one serves"}
        yield f"the live list could not be had: {row['trouble']}; {serves.get(row['source'], '')}"
    yield from _drift(row["since_built_in"], "since this release", row["lead"])
    yield from _drift(row["since_fetched"], "since the list before", row["lead"])
    if ending := row["ending"]:
        days = [f"{name} ({day})" for name, day in ending.items()]
        yield f"announced to end: {_names(days)}"


def _drift(found: Row | None, since: str, lead: str | None) -> Iterator[str]:
    if found is None:
        return
    if found["lost_lead"] is not None:
        yield f"auto begins with {lead or 'nothing'} now: {found['lost_lead']} is gone {since}"
    if found["gone"]:
        yield f"gone {since}: {_names(found['gone'])}"
    if found["new"]:
        yield f"new {since}: {_names(found['new'])}"
    if found["resized"]:
        sizes = [
            f"{name} {_number(old)} -> {_number(new)} tokens"
            for name, (old, new) in found["resized"].items()
        ]
        yield f"another context {since}: {_names(sizes)}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    named = ", ".join(names[:NAMED_AT_MOST])
    return named if more <= 0 else f"{named} and {more} more"


def _alike(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in groups that differ by their model only; each provider's stay together."""
    for _, mine in groupby(rows, key=lambda row: row["provider"]):
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in mine:
            facts = ("limit", "remaining", "unit", "per", "resets_after", "accounts")
            shared = row["model"] is None
            groups.setdefault((shared, *(row[fact] for fact in facts)), []).append(row)
        yield from groups.values()


def _who(alike: Sequence[Row]) -> str:
    if alike[0]["model"] is None:
        return "all together"
    return alike[0]["model"] if len(alike) == 1 else f"{len(alike)} models, each"


def _models(row: Row | None) -> str:
    if row is None:
        return ""
    trouble = "" if row["trouble"] is None else f": {row['trouble']}"
    return f"{row['models']} ({list_words(row)}{trouble})"


def _last_fault(fault: Row | None) -> str:
    if fault is None:
        return ""
    return f"{fault_words(fault['kind'], fault['status'])}, {span(round(fault['ago']))} ago"


def _length(per: float) -> str:
    return _LENGTHS.get(per, f"in {span(per)}")


def _span(seconds: float | None) -> str:
    return "" if seconds is None else span(seconds)


def _number(value: float | None) -> str:
    """A count for people: `131,072`; what is less than whole is left off, so 0.9 calls are none."""
    return "" if value is None else f"{int(value):,}"
