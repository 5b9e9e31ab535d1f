"""The other side of a simulation: providers that count by themselves, refuse, and are out at times."""

from __future__ import annotations

import json
import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freelm_integrations.engine.steps import Broken, Chunk, End, Opened, Refused
from freelm_integrations.pool.resets import next_reset
from freelm_integrations.providers.spec import DAY, Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.engine.steps import Attempt, Reply
    from freelm_integrations.providers.provider import Provider

MIDDAY = 1_795_348_800.0
PROMPT, ANSWER = 5, 195
"""Tokens that a request really uses."""
USED = PROMPT + ANSWER
BODY = json.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": PROMPT,
            "completion_tokens": ANSWER,
            "total_tokens": USED,
        },
    }
).encode()
REFUSAL = json.dumps({"error": {"message": "Rate limit reached", "code": 429}}).encode()
BUSY = json.dumps({"error": {"message": "The upstream is overloaded", "code": 503}}).encode()
ANSWERED = {"content-type": "application/json"}


@dataclass
class Book:
    """One limit as the provider itself counts it: so many in any stretch, or since midnight."""

    limit: Limit
    taken: deque[float] = field(default_factory=deque)
    used: float = 0.0
    resets_at: float = -math.inf

    @property
    def cost(self) -> float:
        unit = self.limit.unit
        if unit == "requests":
            return 1.0
        return {"tokens": USED, "input_tokens": PROMPT, "output_tokens": ANSWER}[unit]

    def fits(self, now: float) -> bool:
        if self.limit.resets == "rolling":
            while self.taken and self.taken[0] <= now - self.limit.per:
                self.taken.popleft()
                self.used -= self.cost
        elif now >= self.resets_at:
            self.used = 0.0
            self.resets_at = next_reset(self.limit.resets, MIDDAY + now) - MIDDAY
        return self.used + self.cost <= self.limit.amount + 1e-6

    def take(self, now: float) -> None:
        self.used += self.cost
        if self.limit.resets == "rolling":
            self.taken.append(now)

    def back_after(self, now: float) -> float:
        if self.limit.resets != "rolling":
            return max(0.0, self.resets_at - now)
        return max(0.0, self.taken[0] + self.limit.per - now) if self.taken else self.limit.per


def possible_of(limit: Limit, seconds: float, out: float) -> float:
    """What an all-knowing scheduler has of one limit in so long, `out` of which nobody answers."""
    book = Book(limit)
    if limit.resets == "rolling":
        up = seconds - out if limit.per < 3_600 else seconds
        windows = math.ceil(up / limit.per)
    else:
        windows, at = 1, MIDDAY
        while (at := next_reset(limit.resets, at)) < MIDDAY + seconds:
            windows += 1
    return windows * math.floor(limit.amount / book.cost + 1e-9)


@dataclass(frozen=True)
class Terms:
    """What a provider really grants, whatever the engine is told.

    `says`: its refusals name the seconds to wait. `turned_away` is the share of requests refused
    for what others do there, `out` when nobody answers at all (from, to: seconds).
    """

    shared: tuple[Limit, ...] = ()
    each: dict[str, tuple[Limit, ...]] = field(default_factory=dict)
    says: bool = False
    turned_away: float = 0.0
    out: tuple[float, float] | None = None

    def possible(self, model: str, seconds: float) -> float:
        out = 0.0 if self.out is None else max(0.0, min(self.out[1], seconds) - self.out[0])
        limits = self.each.get(model, ())
        return min((possible_of(limit, seconds, out) for limit in limits), default=math.inf)


def truly(provider: Provider, **more) -> Terms:
    """The terms that are declared of a provider."""
    each = {
        model.id: tuple(one for one in provider.limits_of(model) if one.amount < math.inf)
        for model in provider.models or provider.spec.models
        if model.free
    }
    return Terms(tuple(provider.shared_limits), each, **more)


@dataclass
class Harvest:
    """What became of the requests: answered, refused for their number, turned away otherwise."""

    answered: int = 0
    refused: int = 0
    sent: int = 0
    possible: float = 0.0

    @property
    def share(self) -> float:
        return self.answered / self.possible

    @property
    def wasted(self) -> float:
        return self.refused / max(1, self.sent)


class Upstream:
    """Several providers, by the address they are asked at."""

    def __init__(self, houses: Sequence[tuple[Provider, Terms]]) -> None:
        self.houses = houses
        self.harvest = Harvest()
        self.books: dict[tuple[str, str, str], list[Book]] = {}
        self._terms = {_host(provider.base_url): terms for provider, terms in houses}
        self._accounts = {
            key.secret.get_secret_value(): key.account
            for provider, _ in houses
            for key in provider.keys
        }
        self._dice = random.Random(7)

    def possible(self, seconds: float) -> float:
        """What an all-knowing scheduler would have had in so long."""
        total = 0.0
        for provider, terms in self.houses:
            accounts = len({key.account for key in provider.keys})
            models = [model for model in provider.models or provider.spec.models if model.free]
            each = sum(terms.possible(model.id, seconds) for model in models)
            out = 0.0 if terms.out is None else max(0.0, min(terms.out[1], seconds) - terms.out[0])
            shared = (possible_of(limit, seconds, out) for limit in terms.shared)
            total += accounts * min((each, *shared))
        return total

    def replies(self, attempt: Attempt, now: float) -> list[Reply]:
        """What a provider says, as a request arrives there."""
        host = _host(attempt.url)
        terms, harvest = self._terms[host], self.harvest
        model = json.loads(attempt.body or b"{}")["model"]
        account = self._accounts[attempt.secret.get_secret_value()] if attempt.secret else ""
        harvest.sent += 1
        if terms.out is not None and terms.out[0] <= now < terms.out[1]:
            return [Broken(attempt, ConnectionError("connection refused"))]
        books = self._books(host, account, model, terms)
        full = [book for book in books if not book.fits(now)]
        if full:
            harvest.refused += 1
            wait = max(book.back_after(now) for book in full)
            headers = {"retry-after": str(math.ceil(wait))} if terms.says else {}
            return [Refused(attempt, 429, headers, REFUSAL)]
        if terms.turned_away and self._dice.random() < terms.turned_away:
            return [Refused(attempt, 503, {"retry-after": "2"}, BUSY)]
        for book in books:
            book.take(now)
        harvest.answered += 1
        return [Opened(attempt, ANSWERED), Chunk(attempt, BODY), End(attempt)]

    def _books(self, host: str, account: str, model: str, terms: Terms) -> list[Book]:
        known = self.books.get((host, account, model))
        if known is None:
            shared = self.books.get((host, account, "*"))
            if shared is None:
                shared = [Book(limit) for limit in terms.shared]
                self.books[host, account, "*"] = shared
            own = [Book(limit) for limit in terms.each.get(model, ())]
            known = self.books[host, account, model] = [*shared, *own]
        return known


def _host(url: str) -> str:
    return url.split("/", 3)[2]


__all__ = ["DAY", "MIDDAY", "Book", "Harvest", "Terms", "Upstream", "truly"]
