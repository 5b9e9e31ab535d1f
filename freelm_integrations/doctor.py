"""Whether each key works: one tiny request a key, all at once, and how to mend the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import fault_words
from freelm_integrations.client import FreeLLM
from freelm_integrations.errors import FreeLLMError
from freelm_integrations.providers.choice import CLASSES
from freelm_integrations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.chat import AttemptRecord
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ProviderSpec

__all__ = ["Finding", "examine"]

_QUESTION = "Say ok."
_WIDEST = 120  # characters of what a provider says
_TIMEOUT = 20.0
_ATTEMPTS = 3  # a key is not ill because one of its models is crowded
_NEW_KEY = "make a new key at {page} and set {variable}"
_MENDING: Mapping[str, str] = {
    "unauthorized": _NEW_KEY,
    "unpaid": "the account has no credit left: see {page}",
    "forbidden": "check what this key may do at {page}, or " + _NEW_KEY,
    "blocked": "the provider serves nobody from here: try another network",
    "throttled": "nothing is wrong: its allowance is used up for now, wait",
    "overloaded": "nothing is wrong with the key: the provider is crowded, try later",
    "server_error": "nothing is wrong with the key: the provider is in trouble, try later",
    "timeout": "no word in time: try later, or look at the network",
    "unreachable": "no connection: look at the network, a proxy, or the base URL",
    "broken": "the connection broke: look at the network or a proxy",
    "not_on_plan": "name a model this key may use with FREELM_{name}_MODELS",
    "model_gone": "name a model that exists with FREELM_{name}_MODELS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one key. `works` is None where there is no key to ask with."""

    provider: str
    key: str
    works: bool | None
    what: str
    mend: str = ""
    model: str = ""
    ms: float | None = None

    def __str__(self) -> str:
        """For people: what was found, and on a line of its own how to mend it."""
        mark = {True: "ok   ", False: "FAILS", None: "-    "}[self.works]
        found = f"{mark}  {self.provider:<10}  {self.key:<8}  {self.what}"
        return f"{found}\n{' ' * 29}{self.mend}" if self.mend else found

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict."""
        return asdict(self)


def examine() -> list[Finding]:
    """Ask every key of the environment, in parallel; the providers without one come after them."""
    providers = Settings.from_options().providers
    patients = [one for provider in providers for one in _by_key(provider)]
    with ThreadPoolExecutor(max(1, len(patients))) as pool:
        asked = list(pool.map(_ask, patients))
    names = {provider.name for provider in providers}
    missing = (kind.spec for name, kind in CLASSES.items() if name not in names)
    return [*asked, *(_keyless(spec) for spec in missing if spec.needs_key)]


def _by_key(provider: Provider) -> Iterator[Provider]:
    """The provider once for each key, so that no other key can answer in its place."""
    if not provider.spec.needs_key:
        yield provider
        return
    for key in provider.keys:
        yield type(provider)(key.secret)


def _ask(provider: Provider) -> Finding:
    mark = provider.keys[0].fingerprint if provider.spec.needs_key else ""
    client = FreeLLM(
        providers=[provider],
        timeout=_TIMEOUT,
        max_attempts=_ATTEMPTS,
        hedge=False,
        share=False,
        state="memory",
    )
    try:
        with client:
            answer = client.chat(_QUESTION, max_tokens=16)
    except FreeLLMError as error:
        return _fault(provider.spec, mark, error)
    return Finding(
        provider=provider.name,
        key=mark,
        works=True,
        what=f"{answer.model} answered in {answer.latency_ms:.0f} ms",
        model=answer.model,
        ms=answer.latency_ms,
    )


def _fault(spec: ProviderSpec, mark: str, error: FreeLLMError) -> Finding:
    last = error.attempts[-1] if error.attempts else None
    if last is None or last.kind is None:
        return Finding(provider=spec.name, key=mark, works=False, what=_first_line(str(error)))
    return Finding(
        provider=spec.name,
        key=mark,
        works=False,
        what=_symptom(last),
        mend=_mending(spec, last.kind),
        model=last.model,
        ms=last.ms,
    )


def _symptom(last: AttemptRecord) -> str:
    said = f": {_first_line(last.message)}" if last.message else ""
    return fault_words(last.kind or "", last.status) + said


def _mending(spec: ProviderSpec, kind: str) -> str:
    words = _MENDING.get(kind, "see what the provider says")
    variable = spec.key_variables[0] if spec.key_variables else ""
    return words.format(page=spec.key_page, variable=variable, name=spec.name.upper())


def _keyless(spec: ProviderSpec) -> Finding:
    mend = f"set {spec.key_variables[0]}; a free key: {spec.key_page}"
    return Finding(provider=spec.name, key="", works=None, what="no key", mend=mend)


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}..."
