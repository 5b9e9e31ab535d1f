"""Which limits hold: those of the tier, or what the user says in their place.

The one rule: a limit stands in place of every declared one it speaks of as well.

- One over all models together (no `model`) speaks of everything the account has: where one is
  given, nothing declared holds any more. Nor does it where the list is empty: no limit is known.
- One of every model apart (`model="*"`) stands in place of what is declared of single models.
- One of a single model (`model="gpt-oss-120b"`: its id or family, case aside) stands in place of
  what is declared of that model.

All that are given hold side by side. What a server's headers say corrects them like declared ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.providers.spec import EACH, Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freelm_integrations.providers.spec import Limit, ModelSpec


def allowance_of(tier: Tier, given: Sequence[Limit] | None) -> Tier:
    """The limits that hold where the user gave these, by where they count; None: none given."""
    if given is None:
        return tier
    shared = tuple(limit for limit in given if limit.model is None)
    apart = tuple(limit for limit in given if limit.model == EACH)
    declared = Tier() if shared or not given else tier
    named: dict[str, tuple[Limit, ...]] = {}
    for limit in given:
        if limit.model not in (None, EACH):
            name = limit.model.casefold()
            named[name] = (*named.get(name, ()), limit)
    return Tier(
        shared=shared or declared.shared,
        each_model=apart or declared.each_model,
        by_model=named if apart else {**declared.by_model, **named},
        at_once=tier.at_once,  # no limit speaks of that
    )


def limits_on(model: ModelSpec, allowance: Tier) -> tuple[Limit, ...]:
    """What counts one model apart: its own limits, else those by its id or family, else each's."""
    if model.limits is not None:
        return model.limits
    for name in (model.id, model.id.casefold(), (model.family or "").casefold()):
        if (named := allowance.by_model.get(name)) is not None:
            return named
    return allowance.each_model
