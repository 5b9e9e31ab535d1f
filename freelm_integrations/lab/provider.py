"""One played provider as a test holds it: address, keys, requests seen, faults to come."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from freelm_integrations.lab.faults import FaultKind, FaultQueue, LabFault
from freelm_integrations.lab.limits import MINUTE, LabLimit, Meter, MeterBook, Unit
from freelm_integrations.lab.mind.continuing import WAYS
from freelm_integrations.nearest import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freelm_integrations.lab.dialects.dialect import Dialect
    from freelm_integrations.lab.mind.continuing import Continuing
    from freelm_integrations.lab.record import LabRequest

_REMEMBERED = 20_000  # requests; older ones are forgotten


class LabProvider:
    """One of the six providers, played on a loopback port. Every method is safe from any thread.

    Attributes:
        name: The provider's name: `groq`, `google` and so on.
        base_url: What a client takes for the provider's own address, path prefix included.
        keys: Made-up keys it accepts.
        models: Ids of the chat models it serves to these keys.
        embedding_models: Ids of its embedding models.
        latency: Seconds before every answer begins; may be changed at any time.
        pause: Seconds between the pieces of a stream; may be changed at any time.
        continues: What its models do when told in words to go on with an answer; may be changed at
            any time, and takes effect where the words are not a real model's.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        keys: int,
        shared_account: bool,
        is_limited: bool,
        latency: float,
        pause: float,
        clock: Callable[[], float],
    ) -> None:
        """Made by `Lab`."""
        self.dialect = dialect
        self.name = dialect.name
        self.keys = tuple(dialect.make_key(place) for place in range(keys))
        self.models = tuple(
            model.id for model in dialect.models if model.has("chat") and model.standing == "live"
        )
        self.embedding_models = tuple(model.id for model in dialect.models if model.has("embed"))
        self.latency = latency
        self.pause = pause
        self.base_url = ""
        self.faults = FaultQueue()
        self._continues: Continuing = "exact"
        self.now = clock
        self._places: Mapping[str, int] = {key: place for place, key in enumerate(self.keys)}
        self._shared_account = shared_account
        self._is_limited = self._keeps_published = is_limited
        self._book = MeterBook(dialect.limits if is_limited else ())
        self._seen: deque[LabRequest] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Name, address and counts: never a key."""
        counts = f"keys={len(self.keys)}, requests={len(self._seen)}"
        return f"LabProvider({self.name!r}, {self.base_url!r}, {counts})"

    # -- what it was asked ----------------------------------------------------------------------

    @property
    def requests(self) -> list[LabRequest]:
        """The requests seen so far, oldest first, on every path."""
        with self._lock:
            return list(self._seen)

    @property
    def chats(self) -> list[LabRequest]:
        """Those of `requests` that asked for a chat completion."""
        return [request for request in self.requests if request.path == "chat"]

    def forget(self) -> None:
        """Empty `requests`."""
        with self._lock:
            self._seen.clear()

    # -- how it goes on -------------------------------------------------------------------------

    @property
    def continues(self) -> Continuing:
        """What its models do when told in words to go on with an answer that was begun."""
        return self._continues

    @continues.setter
    def continues(self, way: Continuing) -> None:
        if way not in WAYS:
            raise ValueError(unknown("way to continue", way, sorted(WAYS)))
        self._continues = way

    # -- what is to go wrong --------------------------------------------------------------------

    def fail(
        self,
        kind: FaultKind,
        *,
        times: int | None = 1,
        after: int | None = None,
        key: int | str | None = None,
        model: str | None = None,
        path: str | None = "chat",
        retry_after: float | None = None,
        at: int | None = None,
        pause: float = 1.0,
    ) -> LabFault:
        """Script a fault; several strike one after another. See `LabFault` for the arguments.

        Returns:
            The fault as it was scripted.

        Raises:
            ValueError: There is no such kind, or it is to strike less than once.
        """
        place = self._places.get(key, -1) if isinstance(key, str) else key
        fault = LabFault(kind, times, after, place, model, path, retry_after, at, pause)
        self.faults.add(fault)
        return fault

    def heal(self) -> None:
        """Forget every fault still scripted."""
        self.faults.clear()

    def limit(
        self, unit: Unit, amount: float, *, per: float = MINUTE, model: str | None = None
    ) -> None:
        """Set a limit of so many `requests` or `tokens` per so many seconds, for all models or one.

        It takes the place of the provider's own limit of that unit and length, if it has one, and
        starts full; in a lab without limits it is the only one. An amount of 0 makes the provider
        say that the model is not on the free plan.
        """
        with self._lock:
            self._is_limited = True
            self._book.override(LabLimit(amount, unit, per, model=model))

    # -- for the desk ---------------------------------------------------------------------------

    def note(self, request: LabRequest) -> None:
        """Remember a request."""
        with self._lock:
            self._seen.append(request)

    def strike(self, fault: LabFault, request: LabRequest) -> None:
        """Count that a fault has struck a request."""
        self.faults.spend(fault)
        request.fault = fault.kind

    def place_of(self, key: str | None) -> int | None:
        """The index of a key, or None if it is not one of this provider's."""
        return None if key is None else self._places.get(key)

    def meters(
        self, key: int | None, model: str, own: tuple[LabLimit, ...] | None
    ) -> tuple[Meter, ...]:
        """The meters a request with this key to this model must pass."""
        with self._lock:
            if not self._is_limited or key is None:
                return ()
            account = 0 if self._shared_account else key
            published = own if self._keeps_published else None
            return self._book.meters(account, model, published, self.now())
