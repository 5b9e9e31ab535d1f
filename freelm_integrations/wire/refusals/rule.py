"""One rule of the rulebook: what a refusal must say for the rule to speak of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.wire.refusals.complaints import code_word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freelm_integrations.wire.faults import FaultKind, Scope
    from freelm_integrations.wire.refusals.complaints import Complaint

_WITHIN = r"(?:[^.;\n]|\.(?=\S)){0,60}?"
"""What may stand between two words of one sentence; the dots of `owl-1.5` end none."""
NO_STATUS = 0
"""Stands for the status of a refusal in the body of a 200 that names none."""


class Rule(NamedTuple):
    """Fits a refusal when everything it names fits.

    That is: one of `statuses`, one of `words` (codes, types, reasons), one of `fields`, and `text`
    is found. Where a refusal has no status at all, its words alone decide, unless they say too
    little without one (`is_vague`). `retry_after` (s) is the
    wait where the server names none, `note` what a reader should know beside its words.
    """

    kind: FaultKind
    scope: Scope | None = None
    statuses: frozenset[int] = frozenset()
    words: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    text: re.Pattern[str] | None = None
    retry_after: float | None = None
    note: str = ""
    is_vague: bool = False

    def fits(self, said: Complaint) -> bool:
        """Whether this rule speaks of that refusal."""
        return (
            (not self.statuses or self._fits_status(said.status))
            and (not self.words or not self.words.isdisjoint(said.words))
            and (not self.fields or not self.fields.isdisjoint(said.fields))
            and (self.text is None or self.text.search(said.text) is not None)
        )

    def _fits_status(self, status: int | None) -> bool:
        if status is None:
            tells = bool(self.words or self.fields or self.text) and not self.is_vague
            return NO_STATUS in self.statuses or tells
        return status in self.statuses


def rule(
    kind: FaultKind,
    scope: Scope | None = None,
    *,
    on: Iterable[int] = (),
    words: str = "",
    fields: str = "",
    text: str = "",
    retry_after: float | None = None,
    note: str = "",
    is_vague: bool = False,
) -> Rule:
    """A rule, written shortly.

    Words and fields stand apart by spaces, and words are compared as `code_word` spells them.
    `text` is a regular expression, searched in the server's own sentences in lower case.
    """
    return Rule(
        kind,
        scope,
        frozenset(on),
        frozenset(map(code_word, words.split())),
        frozenset(fields.split()),
        re.compile(text) if text else None,
        retry_after,
        note,
        is_vague,
    )


def near(subject: str, complaint: str, *, within: str = _WITHIN) -> str:
    """A pattern for two things said in one sentence, whichever comes first."""
    return rf"(?:{subject}){within}(?:{complaint})|(?:{complaint}){within}(?:{subject})"
