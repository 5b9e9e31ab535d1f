"""Model lists being asked for: what is sent, and what is made of what comes back. Pure.

A list is asked for with a provider's first key; where that key is turned away, with the next ones.
What cannot be used is no error: the reason is kept, in words, for whoever looks at the lists.
Beside the lists, providers that tell what is left of a key's quota are asked for that; nobody waits
for it, and nothing is said where it does not come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freelm_integrations.chat import fault_words
from freelm_integrations.engine.steps import (
    Attempt,
    Broken,
    Cancel,
    Chunk,
    End,
    Launch,
    Opened,
    Refused,
)
from freelm_integrations.providers.address import join
from freelm_integrations.providers.listing import models_from
from freelm_integrations.wire.catalogs import parse_models
from freelm_integrations.wire.requests.allowance import parse_allowance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freelm_integrations.engine.steps import Heard
    from freelm_integrations.providers.keys import Key
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.wire.refusals.hints import Reading

PATIENCE = 3.0
"""Seconds a call waits for all the lists together, once."""
LARGEST = 8_000_000
"""Bytes of a list that are read; the longest real one is under a megabyte."""
KEYS_TRIED = 3
"""With how many keys of a provider a list is asked for, where the first ones are turned away."""

_TURNED_AWAY = frozenset({401, 402, 403, 429})
_NOT_THERE = frozenset({404, 405, 410})


@dataclass(slots=True)
class _Asked:
    """A list on its way."""

    provider: Provider
    spare: tuple[Key, ...]
    quota_of: Key | None = None
    """Whose quota it is about, if it is no list."""
    body: bytearray = field(default_factory=bytearray)


class Enquiry:
    """The lists of some providers, asked for side by side. Not thread safe: one machine's own.

    What came whole and made sense is in `fresh`, why the others did not in `troubles`; in `quotas`
    is what was told of keys.
    """

    def __init__(self, providers: Iterable[Provider], utc: float) -> None:
        """Know whom to ask; `utc` is now (epoch seconds)."""
        self.fresh: dict[Provider, tuple[ModelSpec, ...]] = {}
        self.troubles: dict[Provider, str] = {}
        self.quotas: list[tuple[Provider, Key, tuple[Reading, ...]]] = []
        self._providers = tuple(providers)
        self._utc = utc
        self._open: dict[Attempt, _Asked] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come."""
        return all(asked.quota_of is not None for asked in self._open.values())

    def begin(self) -> Iterator[Launch]:
        """Ask all of them at once."""
        for provider in self._providers:
            yield self._ask(provider, provider.keys[:KEYS_TRIED])
            if provider.spec.quota_path is not None:
                yield from self._ask_for_quotas(provider, provider.spec.quota_path)

    def hear(self, reply: Heard) -> Launch | Cancel | None:
        """Take in one reply, and what to do about it."""
        asked = self._open.get(reply.attempt)
        if asked is None or isinstance(reply, Opened):
            return None
        if isinstance(reply, Chunk):
            asked.body += reply.data
            return self._cut(reply.attempt, asked) if len(asked.body) > LARGEST else None
        del self._open[reply.attempt]
        if isinstance(reply, Refused) and reply.status in _TURNED_AWAY and asked.spare:
            return self._ask(asked.provider, asked.spare)
        self._end(reply, asked)
        return None

    def leave(self) -> Iterator[Cancel]:
        """Wait no longer for what is still on its way."""
        for attempt, asked in self._open.items():
            if asked.quota_of is None:
                self.troubles[asked.provider] = f"no word within {PATIENCE:.0f} s"
            yield Cancel(attempt)
        self._open = {}

    def _ask(self, provider: Provider, keys: tuple[Key, ...]) -> Launch:
        attempt = _attempt(provider, keys[0], provider.list_url)
        self._open[attempt] = _Asked(provider, keys[1:])
        return Launch(attempt)

    def _ask_for_quotas(self, provider: Provider, path: str) -> Iterator[Launch]:
        """Ask for one key of each account, of some."""
        accounts = {key.account: key for key in reversed(provider.keys)}
        for key in list(reversed(accounts.values()))[:KEYS_TRIED]:
            attempt = _attempt(provider, key, join(provider.base_url, path))
            self._open[attempt] = _Asked(provider, (), quota_of=key)
            yield Launch(attempt)

    def _cut(self, attempt: Attempt, asked: _Asked) -> Cancel:
        del self._open[attempt]
        if asked.quota_of is None:
            self.troubles[asked.provider] = "it has no end"
        return Cancel(attempt)

    def _end(self, reply: End | Refused | Broken, asked: _Asked) -> None:
        provider = asked.provider
        if asked.quota_of is not None:
            told = parse_allowance(bytes(asked.body)) if isinstance(reply, End) else ()
            if told:
                self.quotas.append((provider, asked.quota_of, told))
        elif isinstance(reply, Refused):
            self.troubles[provider] = self._refusal(reply, provider)
        elif isinstance(reply, Broken):
            self.troubles[provider] = _breakage(reply.error)
        else:
            self._read(bytes(asked.body), provider)

    def _read(self, body: bytes, provider: Provider) -> None:
        try:
            models = models_from(provider.spec, parse_models(body))
        except ValueError:
            self.troubles[provider] = _nonsense(body)
            return
        if models:
            self.fresh[provider] = models
        else:
            self.troubles[provider] = "it names no model that chats"

    def _refusal(self, reply: Refused, provider: Provider) -> str:
        if reply.status in _NOT_THERE:
            return f"there is none at {provider.base_url} ({reply.status})"
        fault = provider.dialect.fault(reply.status, reply.headers, reply.body, utc=self._utc)
        return fault_words(fault.kind, reply.status)


def _attempt(provider: Provider, key: Key, url: str) -> Attempt:
    headers = {"accept": "application/json", **provider.headers}
    return Attempt(
        "GET", url, headers, None, key.secret, timeout=PATIENCE, connect_timeout=PATIENCE
    )


def _breakage(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no word within {PATIENCE:.0f} s"
    return fault_words("unreachable" if isinstance(error, ConnectionRefusedError) else "broken")


def _nonsense(body: bytes) -> str:
    start = body.lstrip()[:1]
    return {b"": "an empty answer", b"<": "a web page came instead"}.get(
        start, "no model list came"
    )
