"""Model lists being asked for: what is sent, and what is made of what comes back. Pure.

A list is asked for with a provider's first key; where that key is turned away, with the next ones.
What cannot be used is no error: the reason is kept, in words, for whoever looks at the lists.
Beside the lists, providers that tell what is left of a key's quota are asked for that; nobody waits
for it, and nothing is said where it does not come. Local servers are asked for what they have
loaded (`beside`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freelm_integrations.chat import fault_words
from freelm_integrations.discovery.beside import Beside
from freelm_integrations.engine.steps import (
    Attempt,
    Broken,
    Cancel,
    Chunk,
    End,
    Launch,
    Opened,
    Refused,
    Whole,
)
from freelm_integrations.providers.address import join
from freelm_integrations.wire.catalogs import parse_models
from freelm_integrations.wire.requests.allowance import parse_allowance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freelm_integrations.discovery.beside import Question
    from freelm_integrations.engine.steps import Heard, Last
    from freelm_integrations.providers.keys import Key
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ModelSpec
    from freelm_integrations.wire.refusals.hints import Reading

PATIENCE = 3.0
"""Seconds a call waits for all the lists together, once."""
LATE = 15.0
"""Seconds more in which an answer is taken that nobody waits for (NIM's list may take 10)."""
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
    spare: tuple[Key, ...] = ()
    quota_of: Key | None = None
    """Whose quota it is about, if it is no list."""
    question: Question | None = None
    """What else it is about."""
    body: bytearray = field(default_factory=bytearray)

    @property
    def is_list(self) -> bool:
        """Whether it is the list itself."""
        return self.quota_of is None and self.question is None


@dataclass(slots=True)
class News:
    """What came whole and made sense (`fresh`), and why the rest did not (`troubles`).

    `quotas` is what was told of keys.
    """

    fresh: dict[Provider, tuple[ModelSpec, ...]] = field(
        default_factory=dict["Provider", "tuple[ModelSpec, ...]"]
    )
    troubles: dict[Provider, str] = field(default_factory=dict["Provider", str])
    quotas: list[tuple[Provider, Key, tuple[Reading, ...]]] = field(
        default_factory=list["tuple[Provider, Key, tuple[Reading, ...]]"]
    )

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.fresh or self.troubles or self.quotas)


class Enquiry:
    """The lists of some providers, asked for side by side. Not thread safe: one machine's own.

    Whoever waits does so until it `is_over`, and what is still open then may come late.
    """

    def __init__(
        self, providers: Iterable[Provider], utc: float, *, patience: float = PATIENCE
    ) -> None:
        """Know whom to ask; `utc` is now (epoch seconds), `patience` the seconds it is waited."""
        self._providers = tuple(providers)
        self._utc = utc
        self._patience = patience
        self._open: dict[Attempt, _Asked] = {}
        self._beside = {provider: Beside(provider) for provider in self._providers}
        self._news = News()

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come that is waited for."""
        return all(asked.quota_of is not None for asked in self._open.values())

    @property
    def is_open(self) -> bool:
        """Whether anything more can come."""
        return bool(self._open)

    @property
    def awaited(self) -> frozenset[Provider]:
        """Whose lists have not come."""
        return frozenset(one.provider for one in self._open.values() if one.is_list)

    def news(self) -> News:
        """What has come since this was last asked."""
        news, self._news = self._news, News()
        return news

    def begin(self) -> Iterator[Launch]:
        """Ask all of them at once."""
        for provider in self._providers:
            yield self._ask(provider, provider.keys[:KEYS_TRIED])
            yield from self._ask_more(provider, self._beside[provider].first())
            if provider.spec.quota_path is not None:
                yield from self._ask_for_quotas(provider, provider.spec.quota_path)

    def hear(self, reply: Heard) -> Iterator[Launch | Cancel]:
        """Take in one reply, and what to do about it."""
        asked = self._open.get(reply.attempt)
        if asked is None or isinstance(reply, Opened):
            return
        if isinstance(reply, Chunk):
            asked.body += reply.data
            if len(asked.body) > LARGEST:
                yield from self._cut(reply.attempt, asked)
            return
        del self._open[reply.attempt]
        if isinstance(reply, Refused) and reply.status in _TURNED_AWAY and asked.spare:
            yield self._ask(asked.provider, asked.spare)
            return
        self._end(reply, asked)
        if asked.quota_of is None:
            yield from self._go_on(asked.provider)

    def overdue(self) -> None:
        """Take note that nobody waits any longer for what is still on its way."""
        for provider in self.awaited:
            self._news.troubles[provider] = _silence(self._patience)
        for provider, beside in self._beside.items():
            if beside.rows is not None and not beside.is_done:
                self._know(provider, beside)

    def leave(self) -> Iterator[Cancel]:
        """Give up what is still on its way."""
        for provider in self.awaited:
            self._news.troubles[provider] = _silence(self._patience + LATE)
        yield from map(Cancel, self._open)
        self._open = {}

    def _ask(self, provider: Provider, keys: tuple[Key, ...]) -> Launch:
        attempt = self._attempt(provider, keys[0], provider.list_url)
        self._open[attempt] = _Asked(provider, keys[1:])
        return Launch(attempt)

    def _ask_for_quotas(self, provider: Provider, path: str) -> Iterator[Launch]:
        """Ask for one key of each account, of some."""
        accounts = {key.account: key for key in reversed(provider.keys)}
        for key in list(reversed(accounts.values()))[:KEYS_TRIED]:
            attempt = self._attempt(provider, key, join(provider.base_url, path))
            self._open[attempt] = _Asked(provider, quota_of=key)
            yield Launch(attempt)

    def _ask_more(self, provider: Provider, questions: Iterable[Question]) -> Iterator[Launch]:
        for one in questions:
            url = join(provider.base_url, one.path)
            attempt = self._attempt(provider, provider.keys[0], url, body=one.body)
            self._open[attempt] = _Asked(provider, question=one)
            yield Launch(attempt)

    def _go_on(self, provider: Provider) -> Iterator[Launch]:
        """Ask what is to be asked next, or know the models when nothing is."""
        beside = self._beside[provider]
        yield from self._ask_more(provider, beside.next())
        if beside.is_done:
            self._know(provider, beside)

    def _know(self, provider: Provider, beside: Beside) -> None:
        if models := beside.models:
            self._news.fresh[provider] = models
        else:
            self._news.troubles[provider] = "it names no model that chats"

    def _attempt(
        self, provider: Provider, key: Key, url: str, *, body: bytes | None = None
    ) -> Attempt:
        headers = {"accept": "application/json", **provider.headers}
        if body is not None:
            headers["content-type"] = "application/json"
        longest = self._patience + LATE
        return Attempt(
            "GET" if body is None else "POST",
            url,
            headers,
            body,
            key.secret,
            timeout=longest,
            connect_timeout=longest,
        )

    def _cut(self, attempt: Attempt, asked: _Asked) -> Iterator[Cancel | Launch]:
        del self._open[attempt]
        yield Cancel(attempt)
        if asked.is_list:
            self._news.troubles[asked.provider] = "it has no end"
        elif asked.question is not None:
            self._beside[asked.provider].hear(asked.question, None)
            yield from self._go_on(asked.provider)

    def _end(self, reply: Last, asked: _Asked) -> None:
        provider = asked.provider
        body = bytes(asked.body) if isinstance(reply, End) else None
        body = reply.body if isinstance(reply, Whole) else body
        if asked.quota_of is not None:
            told = () if body is None else parse_allowance(body)
            if told:
                self._news.quotas.append((provider, asked.quota_of, told))
        elif asked.question is not None:
            self._beside[provider].hear(asked.question, body)
        elif isinstance(reply, Refused):
            self._news.troubles[provider] = self._refusal(reply, provider)
        elif isinstance(reply, Broken):
            is_silence = isinstance(reply.error, TimeoutError)
            trouble = _silence(self._patience + LATE) if is_silence else _breakage(reply.error)
            self._news.troubles[provider] = trouble
        elif body is not None:
            self._read(body, provider)

    def _read(self, body: bytes, provider: Provider) -> None:
        try:
            self._beside[provider].rows = parse_models(body)
        except ValueError:
            self._news.troubles[provider] = _nonsense(body)

    def _refusal(self, reply: Refused, provider: Provider) -> str:
        if reply.status in _NOT_THERE:
            return f"there is none at {provider.base_url} ({reply.status})"
        fault = provider.dialect.fault(reply.status, reply.headers, reply.body, utc=self._utc)
        return fault_words(fault.kind, reply.status)


def _silence(seconds: float) -> str:
    return f"no word within {seconds:g} s"


def _breakage(error: BaseException) -> str:
    return fault_words("unreachable" if isinstance(error, ConnectionRefusedError) else "broken")


def _nonsense(body: bytes) -> str:
    start = body.lstrip()[:1]
    return {b"": "an empty answer", b"<": "a web page came instead"}.get(
        start, "no model list came"
    )
