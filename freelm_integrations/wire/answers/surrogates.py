"""Characters beyond the first 65,536 that a server has cut in half.

Python's servers write such a character as two JSON escapes, and one that streams by UTF-16 units
sends them in two deltas. Halves that belong together are joined; one that stays alone could not be
written anywhere by the caller, so that it becomes U+FFFD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freelm_integrations.wire.shapes import integer, is_mapping, is_sequence, mapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from freelm_integrations.chat import Json

    Path: TypeAlias = "tuple[str | int, ...]"

_ALONE = "\ufffd"
_SPOKEN = frozenset({"delta", "message"})  # what is told in pieces stands inside these
_ECHOED = "reasoning_details"  # the same once more


def may_be_cut(data: str) -> bool:
    r"""Whether JSON text may hold halves: no other way to write one than `\ud...` is left."""
    return "\\ud" in data or "\\uD" in data


def whole(text: str) -> str:
    """The text with its halves joined, and U+FFFD for those that are alone."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def all_whole(value: object) -> Any:
    """The same JSON with every text in it whole."""
    return _walked(value, (), lambda text, _: whole(text))


class Halves:
    """First halves at the ends of what a stream has said, until the second ones come.

    One is kept for every place that text comes from: content, reasoning, each call's arguments. Not
    thread safe.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        """Start with nothing held."""
        self._held: dict[Path, str] = {}

    def __bool__(self) -> bool:
        """Whether anything is held."""
        return bool(self._held)

    def joined(self, chunk: object) -> Any:
        """The same chunk with every text in it whole; a first half at its end waits here."""
        return _walked(chunk, (), self._join)

    def rest(self) -> list[Json]:
        """What nothing has followed, as chunks that say U+FFFD in its place."""
        held, self._held = self._held, {}
        return [mapping(_nested(path)) for path in held if _ECHOED not in path]

    def _join(self, text: str, path: Path) -> str:
        text = self._held.pop(path, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff" and not _SPOKEN.isdisjoint(path):
            self._held[path] = text[-1]
            text = text[:-1]
        return whole(text)


def _walked(value: object, path: Path, mend: Callable[[str, Path], str]) -> Any:
    if isinstance(value, str):
        return mend(value, path)
    if is_mapping(value):
        return {whole(key): _walked(item, (*path, key), mend) for key, item in value.items()}
    if is_sequence(value):
        return [_walked(item, (*path, _place(item, n)), mend) for n, item in enumerate(value)]
    return value


def _place(item: object, position: int) -> int:
    """Which of a list's things this is: by its own index, as one chunk holds only some of them."""
    index = integer(mapping(item).get("index"))
    return position if index is None else index


def _nested(path: Path) -> Any:
    said: Any = _ALONE
    for key in reversed(path):
        if isinstance(key, int):
            said = [{**said, "index": key} if is_mapping(said) else said]
        else:
            said = {key: said}
    return said
