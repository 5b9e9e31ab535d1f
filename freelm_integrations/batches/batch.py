"""Calls that belong together and can wait: hundreds of prompts, an index, an evaluation.

Rules:
- A call belongs to the batch of the context it is made in (`contextvars`): tasks and LangChain's
  threads inherit it, threads made by hand do not.
- Such a call waits for the next opening of any window, behind calls that are in no batch. The time
  it waits is not counted against its `timeout`: that is for the answer.
- It gives up where no opening is due within the `patience` of the batch.
"""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from freelm_integrations.errors import ConfigError
from freelm_integrations.events import AttemptStarted, CallCompleted, CallWaiting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from typing import TypeAlias

    from freelm_integrations.chat import Delta
    from freelm_integrations.events import Event

    Forecast: TypeAlias = Callable[[int, int], float | None]
    """Seconds until so many more calls of so many tokens each have set off; None: not today."""

PATIENCE = 600.0
"""Seconds: every minute's window opens within that, an hour's or a day's need not."""
USUAL_TOKENS = 1_000
"""Tokens of a call, while none of the batch has told what it used."""

_CURRENT: ContextVar[Batch | None] = ContextVar("freelm_batch", default=None)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the calls of a batch stand.

    `total` is how many are known of, `answered` and `failed` have ended, `waiting` are for an
    opening. `by_provider` counts the answers, `tokens` is what these used in all.
    """

    total: int
    answered: int
    failed: int
    waiting: int
    in_flight: int
    by_provider: Mapping[str, int]
    tokens: int

    @property
    def ended(self) -> int:
        """Calls that are over."""
        return self.answered + self.failed

    @property
    def tokens_each(self) -> int:
        """What a call uses on average."""
        return self.tokens // self.answered if self.answered else USUAL_TOKENS


class Batch:
    """One batch, as long as its `with` lasts. Safe from any thread."""

    def __init__(self, total: int | None, *, wait: bool, patience: float) -> None:
        self.wait = wait
        self.patience = patience
        self.forecast: Forecast | None = None
        """Set by the first call, where anybody wants to know."""
        self._lock = Lock()
        self._expected = total or 0
        self._begun = self._in_flight = self._waiting = 0
        self._answered = self._failed = self._tokens = 0
        self._by_provider: Counter[str] = Counter()

    def expect(self, calls: int) -> None:
        """So many more are coming."""
        with self._lock:
            self._expected = max(self._expected, self._begun) + calls

    def standing(self) -> Standing:
        """How its calls stand now."""
        with self._lock:
            return Standing(
                total=max(self._expected, self._begun),
                answered=self._answered,
                failed=self._failed,
                waiting=self._waiting,
                in_flight=self._in_flight - self._waiting,
                by_provider=dict(self._by_provider.most_common()),
                tokens=self._tokens,
            )

    def time_left(self) -> float | None:
        """Seconds until the last call can set off, as far as limits are known; None if unknown.

        That is `capacity().plan()` for those that have not: inf where they do not fit into today.
        """
        standing, forecast = self.standing(), self.forecast
        left = standing.total - standing.ended - standing.in_flight
        if forecast is None:
            return None
        return forecast(left, standing.tokens_each) if left > 0 else 0.0

    def begin(self) -> None:
        """One more call begins."""
        with self._lock:
            self._begun += 1
            self._in_flight += 1

    def wait_more(self, change: int) -> None:
        """So many more of its calls wait for an opening; less than 0: so many no longer do."""
        with self._lock:
            self._waiting += change

    def end(self, told: CallCompleted | None) -> None:
        """A call is over, with that answer or with none."""
        with self._lock:
            self._in_flight -= 1
            if told is None:
                self._failed += 1
                return
            self._answered += 1
            self._by_provider[told.provider] += 1
            self._tokens += (told.prompt_tokens or 0) + (told.completion_tokens or 0)


class Member:
    """One call of a batch, and an observer of its events."""

    __slots__ = ("_is_waiting", "_told", "batch")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._is_waiting = False
        self._told: CallCompleted | None = None

    def __call__(self, event: Event) -> None:
        """Note what becomes of it."""
        if isinstance(event, CallWaiting):
            self._wait(is_waiting=True)
        elif isinstance(event, AttemptStarted):
            self._wait(is_waiting=False)
        elif isinstance(event, CallCompleted):
            self._told = event

    def followed(self, deltas: Generator[Delta, None, None]) -> Generator[Delta, None, None]:
        """The same deltas; how the call ends is noted, however that comes."""
        with self._under_way(), closing(deltas):
            yield from deltas

    async def followed_on_loop(
        self, deltas: AsyncGenerator[Delta, None]
    ) -> AsyncGenerator[Delta, None]:
        """As `followed`."""
        with self._under_way():
            async with aclosing(deltas):
                async for delta in deltas:
                    yield delta

    def _wait(self, *, is_waiting: bool) -> None:
        if is_waiting is not self._is_waiting:
            self._is_waiting = is_waiting
            self.batch.wait_more(1 if is_waiting else -1)

    @contextmanager
    def _under_way(self) -> Generator[None]:
        self.batch.begin()
        try:
            yield
        finally:
            self._wait(is_waiting=False)
            self.batch.end(self._told)


def member_here() -> Member | None:
    """The call that begins now as a part of the batch it is made in; None for no batch."""
    batch = _CURRENT.get()
    return None if batch is None else Member(batch)


def current_batch() -> Batch | None:
    """The batch that calls made here belong to."""
    return _CURRENT.get()


@contextmanager
def joined(batch: Batch | None) -> Generator[None]:
    """Make calls inside belong to that batch."""
    token = _CURRENT.set(batch)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def batching(
    total: int | None = None,
    *,
    progress: bool = False,
    wait: bool = True,
    patience: float = PATIENCE,
) -> Generator[Batch]:
    """Make all calls inside belong to one batch: they wait for openings, behind all other calls.

    ```python
    with batching(progress=True):
        answers = await asyncio.gather(*(llm.acomplete(prompt) for prompt in prompts))
    ```

    Of any client and front end, in this context and in the tasks begun in it. LangChain's `batch`
    and `abatch` are batches by themselves, and take part in one that is around them. Works in
    coroutines, too.

    Args:
        total: How many calls are to come, where that is known.
        progress: Show a bar: what is done, what waits, who answers, and how long it will take.
        wait: Whether to wait for openings; without it calls fail where nobody is free.
        patience: Seconds; where the next opening is further away than that, a call gives up.

    Yields:
        The batch, whose `standing()` and `time_left()` tell how it goes.

    Raises:
        ConfigError: An argument is of a wrong type or out of range.
        ImportError: `progress` needs tqdm, which is not there; says how to get it.
    """
    batch = Batch(_checked_total(total), wait=wait, patience=_checked_patience(patience))
    if not progress:
        with joined(batch):
            yield batch
        return
    from freelm_integrations.batches.bar import Bar  # noqa: PLC0415 - brings tqdm

    with Bar(batch), joined(batch):
        yield batch


def _checked_total(total: object) -> int | None:
    if total is None:
        return None
    if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
        return total
    raise ConfigError("total takes the number of calls to come, or None where nobody knows")


def _checked_patience(patience: object) -> float:
    if isinstance(patience, (int, float)) and not isinstance(patience, bool) and patience > 0:
        return float(patience)
    raise ConfigError("patience takes a number of seconds above 0")
