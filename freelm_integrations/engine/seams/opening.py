"""How an answer opens that was told in words to go on: what may stand before what is wanted.

Recognised are announcements ("Sure, here is the rest:"), a code fence, a quotation mark or dots put
before the text, and refusals. English, as the models' own manners are, whatever they are asked in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_POLITE = (
    r"(?:sure(?: thing)?|certainly|of course|absolutely|ok(?:ay)?|alright|all right|right"
    r"|understood|got it|no problem|(?:my |i )?apolog\w+(?: for [^.!\n]*)?"
    r"|sorry(?: (?:about|for) [^.!\n]*)?)"
)
_ANNOUNCES = re.compile(
    rf"""[\s*_>(\["'#]*(?:{_POLITE}\b\W*)*(?:
        here(?:['\u2019]s|\ is|\ are) | continu(?:ing|ed|ation)\b
      | continue(?=[:.\u2026)\]]|\ from|\ where) | resum(?:ing|ed)\b
      | (?:picking|pick)\ up | (?:carrying|going)\ on\b | to\ continue | moving\ on\b
      | let\ me\ (?:continue|go\ on|carry\ on|pick|finish|resume|complete)
      | (?:i['\u2019]ll|i\ will|i\ can|allow\ me\ to|i)
        \ (?:continue|go\ on|carry\ on|pick\ up|resume)
      | (?:the|this\ is\ the|my)\ (?:continuation|continued|rest|remainder|remaining)
      | as\ (?:requested|i\ was\ saying) | (?:and\ )?now\ (?:continuing|back\ to)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_OF_GOING_ON = re.compile(
    r"continu|resum|left off|pick(?:ing)? up|carry|going on|go on|rest of|the rest|remain|cut off"
    r"|stopped|interrupted|what follows|follows|complet|as requested|was saying",
    re.IGNORECASE,
)
_OF_A_CUT = re.compile(
    r"(?:continu\w*|resum\w*|left off|pick(?:ing)? up|cut off|stopped|interrupted)\b.*[.!]\Z",
    re.IGNORECASE,
)
_ONLY_POLITE = re.compile(rf"[\s*_]*{_POLITE}[\s*_.,:!]*", re.IGNORECASE)
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,})\s*")
_LINE = re.compile(r"([^\n]*?)[ \t]*(\n+)")
_INLINE = re.compile(r"[^\n:]{3,160}:[ \t]")
_FENCE = re.compile(r"(`{3,}|~{3,})([^\n`]*)\n")
_REFUSES = re.compile(
    r"""\W*(?:
        (?:i['\u2019]?m|i\ am|we\ are)\ (?:very\ |so\ |really\ )?
        (?:sorry|afraid|unable|not\ able|not\ sure)
      | sorry,?\ (?:but|i)\b | unfortunately,?\ i\b
      | i\ (?:can(?:not|['\u2019]?t)|could(?:\ not|n['\u2019]t)|won['\u2019]?t)
        \ (?:see|continue|help|assist|complete|do|find|access|provide|comply)
      | i\ (?:do\ not|don['\u2019]?t|didn['\u2019]?t)
        \ (?:see|have|know\ what|understand|think\ there)
      | (?:it|there)\ (?:seems|looks|appears)\ (?:like|that|as|to\ be)
        \ (?:your|the|no|there|you|my)
      | (?:could|can|would)\ you\ (?:please\ )?
        (?:provide|clarify|share|give|send|tell|repeat|specify)
      | please\ (?:provide|clarify|share|give|send|specify|let\ me\ know)
      | as\ an\ ai\b | what\ would\ you\ like | how\ (?:can|may)\ i\ (?:help|assist)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
CLOSES = {'"': '"', "\u201c": "\u201d", "\u00ab": "\u00bb", "\u300c": "\u300d"}
_MOST_LINES = 3
"""Of announcement; what has more is none."""
_LONGEST_LINE = 200
_ENDS = (":", "...", "\u2026", ")", "]", "*", "-")
"""What an announcement ends with; else it must speak of the cut itself."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What stands before the text: `length` characters in all, `announced` without a wrapping.

    `closing` is what would end the wrapping.
    """

    length: int = 0
    announced: int = 0
    closing: str = ""


def refuses(text: str) -> bool:
    """Whether it begins by saying no, or by asking back."""
    return _REFUSES.match(text) is not None


def opening_of(text: str) -> Opening:
    """What stands before the text that was asked for, as far as it is there by now."""
    start = _end_of_announcement(text)
    inner = start + len(text[start:]) - len(text[start:].lstrip())
    if fence := _FENCE.match(text, inner):
        return Opening(fence.end(), start, fence[1])
    if text[inner : inner + 1] in CLOSES:
        return Opening(inner + 1, start, CLOSES[text[inner]])
    if text.startswith(("...", "\u2026"), inner):
        rest = text[inner:].lstrip(".\u2026")
        return Opening(len(text) - len(rest), start)
    return Opening(start, start)


def _end_of_announcement(text: str) -> int:
    end = 0
    for _ in range(_MOST_LINES):
        found = _LINE.match(text, end)
        if found is None or not _is_announcement(found[1], is_first=end == 0):
            break
        end = found.end()
    if inline := _INLINE.match(text, end):
        head = inline[0]
        if _ANNOUNCES.match(head) and _OF_GOING_ON.search(head):
            return inline.end()
    return end


def _is_announcement(line: str, *, is_first: bool) -> bool:
    if len(line) > _LONGEST_LINE:
        return False
    if _ONLY_POLITE.fullmatch(line) or (not is_first and _RULE.fullmatch(line)):
        return True
    if not _ANNOUNCES.match(line):
        return False
    return bool((_OF_GOING_ON if line.endswith(_ENDS) else _OF_A_CUT).search(line))
