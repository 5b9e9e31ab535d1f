"""The beginning of an answer's text, held back until it is certain to be one."""

from __future__ import annotations

import re

# What models write when their server's tool-call parser misses their calls (NIM, 2026-04).
_LEAKS = (
    "<tool_call>",
    "<|tool_call",
    "<\uff5cDSML\uff5c",
    "<\uff5ctool\u2581call",
    "<function=",
    "[TOOL_CALLS]",
)
# What may follow a guard model's one word: marks, and the categories of Llama Guard.
_CATEGORIES = re.compile(r"""[\s.!*"'`]*(?:s\d{1,2}[\s,]*)*""")
_BEGUN = re.compile(_CATEGORIES.pattern + r"s?")


def ends_in_leak(text: str) -> bool:
    """Whether a whole answer ends in a call that came as text: on a line of its own, to the end."""
    if not text.rstrip().endswith(("}", ">", "]")):
        return False
    return any(line.lstrip().startswith(_LEAKS) for line in text.splitlines())


class Opening:
    """Holds text back as long as it is only spaces, or may be something else than an answer.

    That is a tool call leaking as text, or the one word of a guard model. None of them may be shown
    before another provider is asked. Not thread safe.
    """

    __slots__ = ("_expects_calls", "_held", "_verdicts", "has_judged", "has_leaked", "has_spoken")

    def __init__(self, *, expects_calls: bool, verdicts: tuple[str, ...] = ()) -> None:
        """`expects_calls`: whether tools were offered; only then a call can leak.

        `verdicts`: words that are no answer if they are all of it, in lower case.
        """
        self._expects_calls = expects_calls
        self._verdicts = verdicts
        self._held: str = ""
        self.has_spoken = False
        self.has_leaked = False
        self.has_judged = False

    @property
    def is_blank(self) -> bool:
        """Whether spaces are all that was said."""
        return bool(self._held) and not self._held.strip()

    def feed(self, said: str) -> str:
        """The text that may be shown now."""
        if self.has_spoken:
            return said
        said = self._held + said
        self._held = ""
        if self._is_open(said.lstrip()):
            self._held = said
            return ""
        self.has_spoken = True
        return said

    def end(self, *, has_calls: bool = False) -> str:
        """What was held but is text after all, now that nothing more comes."""
        said = self._held.strip()
        if self.has_leaked or not said:
            return ""
        self.has_judged = not has_calls and self._is_verdict(said, _CATEGORIES)
        if self.has_judged:
            return ""
        self.has_spoken = True
        return self._held

    def _is_open(self, head: str) -> bool:
        if head and self._expects_calls:
            self.has_leaked = head.startswith(_LEAKS)
            if self.has_leaked or any(leak.startswith(head) for leak in _LEAKS):
                return True
        return not head or (bool(self._verdicts) and self._is_verdict(head, _BEGUN, so_far=True))

    def _is_verdict(self, said: str, rest: re.Pattern[str], *, so_far: bool = False) -> bool:
        said = said.lower().lstrip("*\"'`")
        return any(
            (said.startswith(word) and rest.fullmatch(said, len(word)) is not None)
            or (so_far and word.startswith(said))
            for word in self._verdicts
        )
