"""How a batch goes, as a bar in a terminal or in a notebook. Needs tqdm."""

from __future__ import annotations

import math
import threading
import warnings
from typing import TYPE_CHECKING, Any

from freelm_integrations.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from typing_extensions import Self

    from freelm_integrations.batches.batch import Batch, Standing
    from freelm_integrations.clock import Clock

REDRAWN_AFTER = 0.25
"""Seconds."""
RECKONED_AFTER = 1.0
"""Seconds after which the time it will take is reckoned anew."""
_FORMAT = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
_MINUTE, _HOUR = 60, 3_600


class Bar:
    """Drawn by a thread of its own, while it is open: calls are never held up by it."""

    def __init__(self, batch: Batch, clock: Clock = SYSTEM_CLOCK, **options: Any) -> None:
        """Prepare to show that batch; `options` are tqdm's.

        Raises:
            ImportError: tqdm is missing.
        """
        self._batch = batch
        self._clock = clock
        self._tqdm = _tqdm()
        self._options = {"unit": "call", "bar_format": _FORMAT, "dynamic_ncols": True, **options}
        self._bar: Any = None
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._began_at = self._reckoned_at = -math.inf
        self._left: float | None = None

    def __enter__(self) -> Self:
        """Show it."""
        self._began_at = self._clock.now()
        self._bar = self._tqdm(total=self._batch.standing().total, **self._options)
        self._thread = threading.Thread(target=self._keep_drawing, name="freelm-bar", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Leave it as it stands in the end."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self.draw()
        self._bar.close()

    def draw(self) -> None:
        """Show how the batch stands now."""
        standing, bar = self._batch.standing(), self._bar
        bar.total, bar.n = standing.total, standing.ended
        bar.set_postfix_str(words(standing, self._time_left(standing)), refresh=False)
        bar.refresh()

    def _keep_drawing(self) -> None:
        while not self._closed.wait(REDRAWN_AFTER):
            self.draw()

    def _time_left(self, standing: Standing) -> float | None:
        """Seconds; None while nothing can be said."""
        now = self._clock.now()
        if now - self._reckoned_at >= RECKONED_AFTER or standing.ended >= standing.total:
            self._reckoned_at = now
            self._left = self._batch.time_left()
        if self._left is not None:
            return max(0.0, self._left - (now - self._reckoned_at))
        if not standing.ended:
            return None
        each = (now - self._began_at) / standing.ended
        return each * (standing.total - standing.ended)


def words(standing: Standing, left: float | None) -> str:
    """What stands beside the bar; `left` is seconds, inf where today is not enough."""
    parts: list[str] = []
    if standing.ended < standing.total and left is not None:
        parts.append("more than today's allowance" if left == math.inf else f"{span(left)} to go")
    if standing.waiting:
        parts.append(f"{standing.waiting} waiting")
    if standing.failed:
        parts.append(f"{standing.failed} failed")
    parts += [f"{name} {count}" for name, count in standing.by_provider.items()]
    return ", ".join(parts)


def span(seconds: float) -> str:
    """A length of time as a clock shows it: `0:07`, `3:20`, `1:02:03`."""
    whole = math.ceil(seconds)
    hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
    ending = f"{whole % _MINUTE:02}"
    return f"{hours}:{minutes:02}:{ending}" if hours else f"{minutes}:{ending}"


def _tqdm() -> Any:
    """The bar that fits: a widget in a notebook that has them, else text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a notebook without widgets gets text
            from tqdm.auto import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError(
            'a progress bar needs tqdm: pip install "freelm-integrations[progress]"'
        ) from error
    return tqdm
