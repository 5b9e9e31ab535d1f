"""The lab itself: starts the played providers, tells the environment about them, and stops them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from typing import TYPE_CHECKING, Literal

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.lab.desk import Desk
from freelm_integrations.lab.dialects import DIALECTS
from freelm_integrations.lab.mind.words import WordsChoice, word_source
from freelm_integrations.lab.provider import LabProvider
from freelm_integrations.lab.server.host import Host
from freelm_integrations.nearest import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

# Every variable a key of a provider may stand in, the one to be used first.
KEY_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "openrouter": ("OPENROUTER_API_KEY",),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_AI_STUDIO_KEY"),
    "nim": ("NVIDIA_API_KEY", "NIM_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
}
_SETTINGS = re.compile(r"FREELM_")
# Those of providers that are not played: they would be asked for real.
_FURTHER_NAMES = (
    *("CLOUDFLARE_API_TOKEN", "ZAI_API_KEY", "Z_AI_API_KEY", "CO_API_KEY", "COHERE_API_KEY"),
    *("HF_TOKEN", "KILO_API_KEY", "KILOCODE_API_KEY"),
    *("GITHUB_MODELS_API_KEY", "GITHUB_MODELS_TOKEN"),
)
_KEY_NAMES = frozenset(
    {*_FURTHER_NAMES, *(name for names in KEY_VARIABLES.values() for name in names)}
)


class Lab:
    """The six providers on loopback, each in its own dialect, with its limits and faults on demand.

    ```python
    with Lab() as lab, lab.environ():
        print(ChatFreeLLM().invoke("Hello").content)
        lab["groq"].fail("rate_limited", times=3)
    ```

    Where a `with` does not fit, as from cell to cell of a notebook:

    ```python
    lab = Lab().enter_environ()
    print(ChatFreeLLM().invoke("Hello").content)
    lab.close()
    ```

    Also an asynchronous context manager. Safe from any thread; one daemon thread serves all.

    Args:
        providers: Names of those to play; None for all six.
        keys_each: Keys each provider accepts.
        words: Who writes the answers: `plain` a deterministic maker, `model` the real model of the
            `local` extra, `auto` that model where it is installed, or a callable that is given the
            messages and returns the pieces of a text. Tool calls and JSON always come from the
            deterministic maker.
        limits: Whether the published limits are enforced.
        pace: Pieces (about tokens) a stream gives each second; None for no pauses.
        latency: Seconds before an answer begins.
        accounts: `separate` if every key has limits of its own, `shared` if the keys of a provider
            share them.
        clock: Seconds that limits are counted by, real ones unless a test moves its own.
        seed: Changes the ids that answers carry.
    """

    def __init__(
        self,
        *,
        providers: Iterable[str] | None = None,
        keys_each: int = 1,
        words: WordsChoice = "auto",
        limits: bool = True,
        pace: float | None = None,
        latency: float = 0.0,
        accounts: Literal["separate", "shared"] = "separate",
        clock: Callable[[], float] = SYSTEM_CLOCK.now,
        seed: int = 0,
    ) -> None:
        """Prepare; nothing listens before `start`. Raises ValueError for an unknown provider."""
        names = tuple(DIALECTS) if providers is None else tuple(providers)
        for name in names:
            if name not in DIALECTS:
                raise ValueError(unknown("provider of the lab", name, DIALECTS))
        self._words: WordsChoice = words
        self._seed = seed
        self._host: Host | None = None
        self._folder: str | None = None
        self._closing: contextlib.ExitStack = contextlib.ExitStack()
        started_at, wall = clock(), SYSTEM_CLOCK.utc()
        self._providers = {
            name: LabProvider(
                DIALECTS[name],
                keys=keys_each,
                shared_account=accounts == "shared",
                is_limited=limits,
                latency=latency,
                pause=0.0 if pace is None else 1.0 / pace,
                clock=lambda: wall + clock() - started_at,
            )
            for name in names
        }

    # -- life -----------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen on a port for each provider. Raises RuntimeError if `words` cannot be had."""
        if self._host is not None:
            return self
        source = word_source(self._words)
        desks = {
            name: Desk(provider, source, seed=self._seed)
            for name, provider in self._providers.items()
        }
        refusals = {name: _refuser(provider) for name, provider in self._providers.items()}
        self._host = Host({name: (desk.answer, refusals[name]) for name, desk in desks.items()})
        for name, port in self._host.start().items():
            provider = self._providers[name]
            provider.base_url = f"http://127.0.0.1:{port}{provider.dialect.prefix}"
        self._closing.callback(source.close)
        self._closing.callback(self._host.close)
        return self

    def close(self) -> None:
        """Cut every connection and stop. Twice does no harm."""
        self._closing.close()
        self._host = self._folder = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    async def __aenter__(self) -> Self:
        """Start, without holding up the loop."""
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, without holding up the loop."""
        await asyncio.to_thread(self.close)

    # -- providers ------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> LabProvider:
        """The provider of this name. Raises KeyError, with the nearest, if it is not played."""
        if name not in self._providers:
            raise KeyError(unknown("provider of this lab", name, self._providers))
        return self._providers[name]

    def __iter__(self) -> Iterator[LabProvider]:
        """Every provider played."""
        return iter(self._providers.values())

    def __len__(self) -> int:
        """How many are played."""
        return len(self._providers)

    def __repr__(self) -> str:
        """Who is played, and whether anybody listens."""
        state = "closed" if self._host is None else "running"
        return f"<Lab: {', '.join(self._providers)}; {state}>"

    def heal(self) -> None:
        """Forget every fault still scripted, of all providers."""
        for provider in self:
            provider.heal()

    # -- environment ----------------------------------------------------------------------------

    def env(self) -> dict[str, str]:
        """The variables that lead a client here: keys and an address for each provider."""
        variables: dict[str, str] = {}
        for provider in self:
            plural = f"FREELM_{provider.name.upper()}_KEYS"
            single = KEY_VARIABLES[provider.name][0]
            variables[single if len(provider.keys) == 1 else plural] = ",".join(provider.keys)
            variables[f"FREELM_{provider.name.upper()}_BASE_URL"] = provider.base_url
        return variables

    def _cache_dir(self) -> str:
        if self._folder is None:
            folder = tempfile.TemporaryDirectory(prefix="freelm-lab-", ignore_cleanup_errors=True)
            self._folder = self._closing.enter_context(folder)
        return self._folder

    @contextlib.contextmanager
    def environ(self) -> Generator[None, None, None]:
        """Set `env()` in `os.environ`, hide every other key and setting, and put all back after.

        Meanwhile `FREELM_CACHE_DIR` is a folder of the lab's own, gone when the lab closes: nothing
        of the user's is read or written.
        """
        hidden = {
            name: value
            for name, value in os.environ.items()
            if name in _KEY_NAMES or _SETTINGS.match(name)
        }
        here = {"FREELM_CACHE_DIR": self._cache_dir(), "FREELM_STATE": "memory"}
        ours = {**self.env(), **here}
        try:
            for name in hidden:
                del os.environ[name]
            os.environ.update(ours)
            yield
        finally:
            for name in [
                name for name in os.environ if name in _KEY_NAMES or _SETTINGS.match(name)
            ]:
                del os.environ[name]
            os.environ.update(hidden)

    def enter_environ(self) -> Self:
        """Start, and keep the environment set as `environ` does until `close`."""
        self.start()
        self._closing.enter_context(self.environ())
        return self


def _refuser(provider: LabProvider) -> Callable[[], bool]:
    """What tells whether a new connection is to be reset, and counts it."""

    def refuses() -> bool:
        fault = provider.faults.refuses()
        if fault is not None:
            provider.faults.spend(fault)
        return fault is not None

    return refuses
