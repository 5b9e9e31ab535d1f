"""Whether each key works: one tiny request a key, all at once, and how to mend the others.

First the model lists are asked for, side by side, then every key; all is over within `WITHIN`, and
whoever has not answered by then is told as silent. A key works if an answer began. One whose models
are crowded, or whose allowance is spent, does not work now, and is told to be in order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from freelm_integrations.chat import fault_words
from freelm_integrations.client import FreeLLM
from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.command.mending import key_wanted, mending
from freelm_integrations.command.parallel import all_by
from freelm_integrations.errors import FreeLLMError
from freelm_integrations.providers.choice import CLASSES
from freelm_integrations.providers.keys import NO_KEY
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freelm_integrations.chat import AttemptRecord, Json
    from freelm_integrations.clock import Clock
    from freelm_integrations.providers.keys import Key
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ProviderSpec

__all__ = ["WITHIN", "Finding", "examine"]

WITHIN = 7.5
"""Seconds all of it takes at most: with what Python takes to start, ten."""
LISTS_WITHIN = 2.0
"""Seconds the model lists have; those that come later are told as well, while keys are asked."""
ANSWER_WITHIN = 5.0
"""Seconds the models of a key have, together, for the first word of an answer."""

_QUESTION = "Say ok."
_ROOM = 64  # tokens: some models think a little before they say it
_ATTEMPTS = 6  # a key is not ill because some of its models are crowded or gone
_OF_THE_KEY = frozenset({"unauthorized", "unpaid", "forbidden", "blocked"})
_RULED_OUT = "the settings rule all its models out (FREELM_ALLOW_TRAINING, FREELM_{name}_MODELS)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one key, or of a provider without any.

    `works` is None where nobody was asked: there is no key, or the settings rule its models out.
    `ms` is the time to the first word, or to the fault. `left` is what the provider itself tells
    of the key's allowance, a window as in `FreeLLM.health`, None where it does not. `models` is the
    provider's row of `FreeLLM.model_lists`, None without a key.
    """

    provider: str
    key: str
    works: bool | None
    what: str
    mend: str = ""
    model: str = ""
    ms: float | None = None
    left: Mapping[str, Any] | None = None
    models: Mapping[str, Any] | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe dict."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Patient:
    """A key by itself, so that no other can answer in its place."""

    provider: Provider
    key: Key
    models: tuple[ModelSpec, ...] = ()
    list: Json | None = None

    def found(self, *, works: bool | None, what: str, **facts: Any) -> Finding:
        mark = "" if self.key is NO_KEY else self.key.fingerprint
        name = self.provider.name
        return Finding(provider=name, key=mark, works=works, what=what, models=self.list, **facts)

    def mend(self, kind: str) -> str:
        return mending(self.provider, self.key, kind)


def examine(clock: Clock = SYSTEM_CLOCK) -> list[Finding]:
    """Ask every key of the environment; the providers without one come after them.

    Raises:
        ConfigError: The environment makes no sense.
    """
    ends_at = clock.now() + WITHIN
    providers = Settings.from_options().providers
    if not providers:
        return _without_key(set())
    with FreeLLM(providers=providers, share=False, state="memory") as client:
        patients = _patients(client, providers, clock, until=ends_at - ANSWER_WITHIN)
        answers = all_by(ends_at, _ask, patients, clock)
        findings = [
            _silent(patient) if answer is None else answer
            for patient, answer in zip(patients, answers, strict=True)
        ]
        findings = _with_what_was_told(client, findings)
    _readmit(providers, findings)
    return [*findings, *_without_key({provider.name for provider in providers})]


def _with_what_was_told(client: FreeLLM, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the lists as they are now, and what is left of each key's allowance."""
    lists = {row["provider"]: row for row in client.model_lists()}
    left = {row["fingerprint"]: _told_of(row) for row in client.health()}
    return [
        replace(one, models=lists.get(one.provider), left=left.get(one.key)) for one in findings
    ]


def _told_of(key: Json) -> Json | None:
    """The longest window that was told of, not merely declared; None if there is none."""
    told = [row for row in key["windows"] if row["source"] == "header" and row["limit"] is not None]
    return max(told, key=lambda row: row["per"], default=None)


def _readmit(providers: Sequence[Provider], findings: Sequence[Finding]) -> None:
    """Let keys be used again that answer now, and were refused to whoever shares our state."""
    works = [one.key for one in findings if one.works]
    if works:
        with FreeLLM(providers=providers) as client:
            client.readmit(works)


def _patients(
    client: FreeLLM, providers: Sequence[Provider], clock: Clock, *, until: float
) -> list[_Patient]:
    """Every key, with the models there are for it now."""
    # In a thread: a local model may take its time to be loaded.
    (listed,) = all_by(until, _listed, [client], clock)
    lists = {row["provider"]: row for row in client.model_lists()}
    return [
        _Patient(provider, key, models, lists.get(provider.name))
        for provider in providers
        for models in [(listed or {}).get(provider.name, _declared(provider))]
        for key in provider.keys
    ]


def _declared(provider: Provider) -> tuple[ModelSpec, ...]:
    return provider.spec.models if provider.models is None else provider.models


def _listed(client: FreeLLM) -> dict[str, tuple[ModelSpec, ...]]:
    """Name -> what its list holds that may be used."""
    models = client.refresh_models(timeout=LISTS_WITHIN)
    found: dict[str, tuple[ModelSpec, ...]] = {row["provider"]: () for row in client.model_lists()}
    for one in models:
        spec = ModelSpec(one.id, tags=one.tags, context=one.context, output=one.output)
        found[one.provider] = (*found[one.provider], spec)
    return found


def _ask(patient: _Patient) -> Finding:
    if not patient.models:
        return _without_models(patient)
    client = FreeLLM(
        providers=[patient.provider.with_key(patient.key, patient.models)],
        model="auto",
        timeout=ANSWER_WITHIN,
        attempt_timeout=ANSWER_WITHIN,
        max_attempts=_ATTEMPTS,
        hedge=False,
        wait=False,
        share=False,
        state="memory",
    )
    began_at = SYSTEM_CLOCK.now()
    try:
        with client, client.stream_deltas(_QUESTION, max_tokens=_ROOM) as deltas:
            origin = next(delta.origin for delta in deltas if delta.origin is not None)
    except FreeLLMError as error:
        return _fault(patient, error)
    seconds, model = SYSTEM_CLOCK.now() - began_at, origin.model
    what = f"{model} answered in {seconds:.2f} s"
    return patient.found(works=True, what=what, model=model, ms=seconds * 1000)


def _fault(patient: _Patient, error: FreeLLMError) -> Finding:
    faults = [attempt for attempt in error.attempts if attempt.kind is not None]
    if not faults:
        return patient.found(works=False, what=str(error).strip().partition("\n")[0])
    of_the_key = (attempt for attempt in faults if attempt.kind in _OF_THE_KEY)
    fault = next(of_the_key, faults[-1])
    return patient.found(
        works=False,
        what=_symptom(fault),
        mend=patient.mend(str(fault.kind)),
        model=fault.model,
        ms=fault.ms,
    )


def _symptom(fault: AttemptRecord) -> str:
    if fault.kind == "timeout":
        return f"silent: no word of {fault.model} within {fault.ms / 1000:.1f} s"
    said = f": {fault.message}" if fault.message else ""
    return fault_words(str(fault.kind), fault.status) + said


def _silent(patient: _Patient) -> Finding:
    what = f"silent: no word within {ANSWER_WITHIN:.1f} s"
    return patient.found(works=False, what=what, mend=patient.mend("timeout"))


def _without_models(patient: _Patient) -> Finding:
    """Nothing could be asked: that is the settings' wish, or its list could not be had."""
    trouble = (patient.list or {}).get("trouble")
    if trouble is None:
        name = patient.provider.name.upper().replace("-", "_")
        return patient.found(works=None, what="not asked", mend=_RULED_OUT.format(name=name))
    return patient.found(works=False, what=f"no model is known: {trouble}")


def _without_key(found: set[str]) -> list[Finding]:
    specs = (kind.spec for name, kind in CLASSES.items() if name not in found)
    return [_keyless(spec) for spec in specs if spec.needs_key]


def _keyless(spec: ProviderSpec) -> Finding:
    return Finding(provider=spec.name, key="", works=None, what="no key", mend=key_wanted(spec))
