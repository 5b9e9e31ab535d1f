"""Announced ends of models: who is past its day, and who is near it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from freelm_integrations.providers.spec import ModelSpec

NEAR = 14
"""Days before its announced end from which a model comes after all others."""
A_DAY = 86_400.0
_EPOCH = date(1970, 1, 1)


class Calendar(NamedTuple):
    """Today and the day up to which an end is near, as ISO days: these compare as texts do."""

    today: str
    soon: str


def calendar_at(utc: float) -> Calendar:
    """The calendar at a moment in epoch seconds, in UTC: providers name no other zone."""
    today = _EPOCH + timedelta(days=utc // A_DAY)
    return Calendar(today.isoformat(), (today + timedelta(days=NEAR)).isoformat())


LONG_AGO = calendar_at(0.0)
"""Before any announcement: for who has no clock."""


def retired(model: ModelSpec, calendar: Calendar) -> str | None:
    """That the model's day is over, in words; None if not. On the day itself it may still serve."""
    day = model.retires_on
    return f"was to be retired on {day}" if day is not None and day < calendar.today else None


def retiring(model: ModelSpec, calendar: Calendar) -> str | None:
    """That the model's end is near, in words; None if not."""
    day = model.retires_on
    return f"is to be retired on {day}" if day is not None and day <= calendar.soon else None
