"""How to mend a key that does not work: what a person can do about each kind of fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.providers.choice import CLASSES, guess_provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freelm_integrations.providers.keys import Key
    from freelm_integrations.providers.provider import Provider
    from freelm_integrations.providers.spec import ProviderSpec

_NEW_KEY = "make a new key at {page} and set {variable}"
_LOOK = "look at the network or a proxy{setting}: no way to {url}"
_WAIT = "nothing is wrong with the key: "
_OTHER_MODEL = "name another model with FREELM_{name}_MODELS (unset: all it lists)"

_MENDING: Mapping[str, str] = {
    "unauthorized": _NEW_KEY,
    "unpaid": "the account has no credit left: see {page}",
    "forbidden": "check what this key may do at {page}, or " + _NEW_KEY,
    "blocked": "the provider serves nobody from here: try another network",
    "throttled": _WAIT + "its allowance is used up for now, wait",
    "too_large": _WAIT + "its allowance is used up for now, wait",
    "overloaded": _WAIT + "the provider is crowded, try again later",
    "server_error": _WAIT + "the provider is in trouble, try again later",
    "timeout": "try again later, or look at the network{setting}",
    "unreachable": _LOOK,
    "broken": _LOOK,
    "cut": _LOOK,
    "empty": _WAIT + "its models say nothing just now, try again later",
    "cramped": _WAIT + "its minute's tokens were nearly used up",
    "only_thinking": _WAIT + "its models think too long just now, try again later",
    "not_on_plan": _OTHER_MODEL,
    "model_gone": _OTHER_MODEL,
}


def mending(provider: Provider, key: Key, kind: str) -> str:
    """What to do about this kind of fault at this provider, in a line. No key is shown."""
    spec = provider.spec
    if kind == "unauthorized" and (owner := _other_owner(provider, key)) is not None:
        return f"it looks like a key of {owner}: was it put into the wrong variable?"
    name = spec.name.upper().replace("-", "_")
    is_moved = provider.base_url != spec.base_url
    words = _MENDING.get(kind, "see what the provider says")
    if kind in {"unauthorized", "forbidden"} and not spec.key_variables:
        return "give it another key"
    return words.format(
        page=spec.key_page or provider.base_url,
        variable=spec.key_variables[0] if spec.key_variables else "",
        name=name,
        url=provider.base_url,
        setting=f" and at FREELM_{name}_BASE_URL" if is_moved else "",
    )


def key_wanted(spec: ProviderSpec) -> str:
    """What to set for a provider without a key, and where that is had."""
    return f"set {spec.key_variables[0]}, from {spec.key_page}"


def no_key_of(name: str) -> str:
    """What to tell who asks for a provider that is not set up; `name` is one of ours."""
    spec = CLASSES[name].spec
    if spec.needs_key:
        return f"no key for {name}: {key_wanted(spec)}"
    variable = "FREELM_LOCAL=1" if name == "local" else "FREELM_KEYLESS=1"
    return f"{name} is used only if asked for: set {variable}"


def _other_owner(provider: Provider, key: Key) -> str | None:
    """Whose key it looks like, if not this provider's."""
    owner = guess_provider(key.secret.get_secret_value())
    return None if owner == provider.name else owner
