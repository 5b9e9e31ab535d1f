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
    "response": "several servers may speak: the first chunk's `freelm` tells which",
    "timeout": "of a client it is set with with_options(timeout=...)",
    "max_retries": "other providers are tried, by max_attempts",
    "api_key": "keys are kept secret; a provider may have several",
    "base_url": "there are several providers; repr(client) lists them",
}


_AZURE = "Azure's endpoints are OpenAI-shaped: OpenAI(base_url=..., api_key=...)"
MODULE_ADVICE = {
    **dict.fromkeys(("AzureOpenAI", "AsyncAzureOpenAI"), _AZURE),
    **dict.fromkeys(("NOT_GIVEN", "NotGiven", "Omit", "omit"), "leave the argument out, or None"),
    **dict.fromkeys(
        ("DefaultHttpxClient", "DefaultAsyncHttpxClient", "DefaultAioHttpClient"),
        "pass httpx.Client(...) as http_client",
    ),
    "chat": "make a client: OpenAI()",
    "api_key": "keys are of a client, or come from the environment",
    "types": "the objects are in freelm_integrations.openai.objects",
}
"""Names of that SDK's module, and what to do in their place."""


class Absent:
    """Says of a missing attribute why it is, where users of that SDK would look for it."""

    if not TYPE_CHECKING:  # checkers would take any name for one that is there

        def __getattr__(self, name: str) -> object:
            """Raise AttributeError, as for any name that is not there."""
            advice = ADVICE.get(name, "see freelm_integrations.openai for what is")
            raise AttributeError(f"{type(self).__name__} has no {name!r} here: {advice}")
