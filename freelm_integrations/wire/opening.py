"""The beginning of an answer's text, held back until it is certain to be one."""

from __future__ import annotations

# What models write when their server's tool-call parser misses their calls (NIM, 2026-04).
_LEAKS = (
    "<tool_call>",
    "<|tool_call",
    "<\uff5cDSML\uff5c",
    "<\uff5ctool\u2581call",
    "<function=",
    "[TOOL_CALLS]",
)


class Opening:
    """Holds text back as long as it is only spaces, or may be a tool call leaking as text.

    Spaces alone are no answer, and neither may be shown before another provider is asked. Not
    thread safe.
    """

    __slots__ = ("_expects_calls", "_held", "has_leaked", "has_spoken")

    def __init__(self, *, expects_calls: bool) -> None:
        """`expects_calls`: whether tools were offered; only then a call can leak."""
        self._expects_calls = expects_calls
        self._held: str = ""
        self.has_spoken = False
        self.has_leaked = False

    @property
    def is_blank(self) -> bool:
        """Whether spaces are all that was said."""
        return bool(self._held) and not self._held.strip()

    def feed(self, said: str) -> str:
        """The text that may be shown now."""
        said = self._held + said
        self._held = ""
        if self._is_open(said.lstrip()):
            self._held = said
            return ""
        self.has_spoken = True
        return said

    def end(self) -> str:
        """What was held but is text after all, now that nothing more comes."""
        if self.has_leaked or not self._held.strip():
            return ""
        self.has_spoken = True
        return self._held

    def _is_open(self, head: str) -> bool:
        if head and self._expects_calls:
            self.has_leaked = head.startswith(_LEAKS)
            return self.has_leaked or any(leak.startswith(head) for leak in _LEAKS)
        return not head
