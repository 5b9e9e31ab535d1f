"""What that SDK has and this is not: asked for, it says what to do in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

ADVICE = {
    "with_raw_response": (
        "an answer may be put together from several: what a provider said of it is in `freelm`"
    ),
    "with_streaming_response": "call create(..., stream=True), and close the stream to leave it",
    "stream": "call create(..., stream=True)",
    "responses": "the providers have chat.completions in common",
    "completions": "the providers have chat.completions in common",
    "api_key": "keys are kept secret; a provider may have several",
    "base_url": "there are several providers; repr(client) lists them",
}


class Absent:
    """Says of a missing attribute why it is, where users of that SDK would look for it."""

    if not TYPE_CHECKING:  # checkers would take any name for one that is there

        def __getattr__(self, name: str) -> object:
            """Raise AttributeError, as for any name that is not there."""
            advice = ADVICE.get(name, "see freelm_integrations.openai for what is")
            raise AttributeError(f"{type(self).__name__} has no {name!r} here: {advice}")
