"""The caller's own words in a server's, taken out: a prompt is no verdict.

Servers repeat what they were sent, and not always in quotation marks. Long runs of characters that
stand in the request as well are not theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.chat import EmbeddingRequest
from freelm_integrations.wire.shapes import mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freelm_integrations.chat import Request

LEAST = 31
"""Characters that must be the same to count as repeated; of fewer, both may have thought."""
_GRAM = 16
"""Every run of `2 * _GRAM - 1` holds a whole one of the pieces that a text is cut into."""
_READ = 100_000
"""Characters of one text that are looked for: its beginning, which is what servers show."""
_HEARD = 20_000
_REPEATS = 4
"""How many different pieces of one text are taken out."""


def without_echo(words: str, request: Request | None) -> str:
    """The words without what they repeat of the request; in lower case, as they must be given.

    Words that say nothing else are left as they are: then both happen to say the same.
    """
    if request is None or len(words) < LEAST:
        return words
    rest = words
    for _ in range(_REPEATS):
        runs = _runs(rest[:_HEARD], _texts(request))
        if not runs:
            break
        for run in sorted(runs, key=len, reverse=True):
            rest = rest.replace(run, " ")
    return rest if any(map(str.isalnum, rest)) else words


def _texts(request: Request) -> Iterator[str]:
    """What the caller and the models wrote, piece by piece."""
    if isinstance(request, EmbeddingRequest):
        yield from request.texts
    for message in request.messages:
        content: object = message.get("content")
        if isinstance(content, str):
            yield content
        for part in sequence(content):
            yield part if isinstance(part, str) else text(mapping(part).get("text"))
        for call in sequence(message.get("tool_calls")):
            yield text(mapping(mapping(call).get("function")).get("arguments"))


def _runs(words: str, texts: Iterable[str]) -> set[str]:
    """The longest runs of the words that stand in one of the texts."""
    places: dict[str, int] = {}
    for place in range(len(words) - _GRAM + 1):
        places.setdefault(words[place : place + _GRAM], place)
    found: set[str] = set()
    for whole in texts:
        said, at = whole[:_READ].lower(), 0
        while at <= len(said) - _GRAM:
            met = places.get(said[at : at + _GRAM])
            if met is None:
                at += _GRAM
                continue
            run, end = _grown(words, met, said, at)
            at = max(end, at + _GRAM)
            if len(run) >= LEAST:
                found.add(run)
    return found


def _grown(words: str, place: int, said: str, at: int) -> tuple[str, int]:
    """The run around a piece that is the same in both, and where it ends in what was said."""
    start, back = place, at
    while start and back and words[start - 1] == said[back - 1]:
        start, back = start - 1, back - 1
    end, on = place + _GRAM, at + _GRAM
    while end < len(words) and on < len(said) and words[end] == said[on]:
        end, on = end + 1, on + 1
    return words[start:end], on
