"""A provider as a user configured it: its declaration, keys and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import Never, Self

from freelm_integrations.providers.address import join, place_of
from freelm_integrations.providers.allowance import allowance_of, limits_on
from freelm_integrations.providers.keys import NO_KEY, keys_in_environment, read_keys
from freelm_integrations.providers.options import (
    base_url_of,
    limits_of,
    models_of,
    prefer_of,
    priority_of,
    refuse_unexpected,
    tier_name_of,
)
from freelm_integrations.providers.spec import (
    EmbedderSpec,
    Limit,
    ModelSpec,
    ProviderSpec,
    Tier,
)
from freelm_integrations.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freelm_integrations.providers.keys import Key, KeysArgument
    from freelm_integrations.providers.options import ModelsArgument
    from freelm_integrations.wire.dialect import Dialect

USER_AGENT = f"freelm-integrations/{VERSION}"
"""Groq's and NIM's gates refuse the stock agents of HTTP libraries (sheets of 2026-11)."""
_UNLIMITED = Tier()
_STAYS = frozenset({"keys", "dialect"})
"""What is not pickled: the secrets, and what the spec brings."""


class Provider:
    """One provider as it is to be used. Does not change once made; safe to share between threads.

    Copies are the same object. Pickled, it leaves its keys behind: where it is unpickled they are
    read from the environment again.
    """

    spec: ProviderSpec
    name: str
    id: str
    """The name, and where it is if not at the usual place: the pool keeps its state by this."""
    base_url: str
    """Without a trailing slash. Empty for an embedded model that was not started yet."""
    keys: tuple[Key, ...]
    """Empty if it needs one and none was found; a keyless provider has one of an empty secret."""
    tier: Tier
    tier_name: str
    models: tuple[ModelSpec, ...] | None
    """The static list, or None: discovered, or built in."""
    embedders: tuple[EmbedderSpec, ...]
    """The embedding models of the static list if it has any, else the declared ones."""
    prefer: tuple[str, ...]
    priority: int
    limits: tuple[Limit, ...] | None
    """The user's own; None: the tier's hold."""
    allowance: Tier
    """The limits that hold: the tier's, and what `limits` puts in their place."""
    discover: bool
    dialect: Dialect
    headers: Mapping[str, str]
    """What every request carries beside its key; names in lower case."""

    def __init__(
        self,
        keys: KeysArgument = None,
        *,
        tier: str | None = None,
        base_url: str | None = None,
        models: ModelsArgument | None = None,
        prefer: str | Iterable[str] = (),
        priority: int | None = None,
        limits: Iterable[Limit] | None = None,
        account: str | None = None,
        discover: bool = True,
        **unexpected: Never,
    ) -> None:
        """Check it all, and read what is not given from the environment.

        Args:
            keys: See `KeysArgument`. None: the first of the provider's variables that holds any.
            tier: Which of the provider's published sets of limits holds. None:
                `FREELM_<NAME>_TIER`, else the first of them (`free`, but `credit` at Cerebras).
            base_url: Another address of the same API, over https, or over http on loopback and
                private addresses. None: `FREELM_<NAME>_BASE_URL`, else the usual one.
            models: The only models to use, best first; nothing is discovered then. A string may
                hold several with commas between. None: `FREELM_<NAME>_MODELS`, else all.
                Embedding models among them (`EmbedderSpec`, or ids that are known as such) are the
                only ones to embed with.
            prefer: Ids, families or tags of the models to take before the provider's others.
            priority: Providers of a lower one are asked before it, whatever the strategy. None:
                0, but 50 at Cerebras, whose credit is kept for when nobody else answers.
            limits: What holds, whatever the tier says. A limit counts all models of an account
                together, and then nothing that is declared holds beside it; `Limit(...,
                model="*")` counts every model apart and `Limit(..., model="gpt-oss-120b")` one, in
                place of what is declared of them. An empty list: no limit is known.
            account: Names the account all the keys belong to, so that they share its limits.
                None: each key is an account of its own.
            discover: Whether to ask the provider for its model list.
            **unexpected: Nothing: there to be refused with the nearest valid name.

        Raises:
            ConfigError: Something of this makes no sense. No message shows a key.
        """
        spec = self.spec
        refuse_unexpected(type(self), unexpected)
        place = base_url_of(spec, base_url)
        fixed, embedders = models_of(spec, models)
        tier_name = tier_name_of(spec, tier)
        known = spec.tiers.get(tier_name, _UNLIMITED)
        own = None if limits is None else limits_of(spec, limits)
        vars(self).update(  # past `__setattr__`, which refuses
            name=spec.name,
            id=spec.name if place == spec.base_url else f"{spec.name}@{place_of(place)}",
            base_url=place,
            keys=_keys_of(spec, keys, account),
            tier=known,
            tier_name=tier_name,
            models=fixed,
            embedders=embedders,
            prefer=prefer_of(spec, prefer),
            priority=priority_of(spec, priority),
            limits=own,
            allowance=allowance_of(known, own),
            discover=discover and fixed is None and spec.list_path is not None,
            dialect=spec.dialect,
            headers={"user-agent": USER_AGENT, **spec.headers},
            _account=account,
        )

    @property
    def shared_limits(self) -> tuple[Limit, ...]:
        """What counts all models of one account together."""
        return self.allowance.shared

    def limits_of(self, model: ModelSpec) -> tuple[Limit, ...]:
        """What counts one model of one account."""
        return limits_on(model, self.allowance)

    @property
    def list_url(self) -> str:
        """Where its models are listed; it is asked for only if `discover` says so."""
        return join(self.base_url, self.spec.list_path or "/models")

    def start(self) -> None:
        """Make it ready to be asked. Does nothing, but for an embedded model, which is loaded."""

    def with_key(self, key: Key, models: Iterable[ModelSpec]) -> Self:
        """The same provider with this one key, and with these models, best first, for its list."""
        one = object.__new__(type(self))
        vars(one).update(vars(self), keys=(key,), models=tuple(models), discover=False)
        return one

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: state is kept per provider, so a changed one would be another."""
        raise AttributeError(f"{type(self).__name__} does not change once made: make another")

    def __delattr__(self, name: str) -> None:
        """Refuse, like `__setattr__`."""
        self.__setattr__(name, None)

    def __copy__(self) -> Self:
        """Itself."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Itself."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Everything but the keys."""
        return (_restored, (type(self), self._portable()))

    def _portable(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _STAYS}

    def __repr__(self) -> str:
        """Name, number of keys and their fingerprints; nothing that could be secret."""
        if "keys" not in vars(self):
            return f"<{type(self).__name__}, half made>"
        keys = [key.fingerprint for key in self.keys if key is not NO_KEY]
        count = f"{len(keys)} key" + ("" if len(keys) == 1 else "s")
        marks = f": {', '.join(keys)}" if keys else ""
        return f"<{type(self).__name__} {self.id!r}, {count}{marks}>"


def _keys_of(spec: ProviderSpec, given: KeysArgument, account: str | None) -> tuple[Key, ...]:
    if given is None:
        variables = (*spec.key_variables, *spec.usual_variables)
        found = keys_in_environment(variables, owner=spec.name, account=account)
    else:
        found = read_keys(given, owner=spec.name, account=account)
    return found if found or spec.needs_key else (NO_KEY,)


def _restored(cls: type[Provider], state: dict[str, Any]) -> Provider:
    """What was pickled, with the keys of this process's environment."""
    provider = cls.__new__(cls)
    spec: ProviderSpec = state.get("spec") or cls.spec
    vars(provider).update(state, keys=_keys_of(spec, None, state["_account"]), dialect=spec.dialect)
    return provider
