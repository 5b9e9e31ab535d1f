"""A limit that two accounts found too high alike is believed to be so for all of a provider's.

A declaration that is wrong is wrong wherever it was made. Left to find that out by itself, each
account pays with refusals of its own, and again for each of its models.

- Found is what refusals taught; two findings are alike if they differ by a tenth, or by one.
- What two accounts found of one model is believed of that model, whatever the account; if they
  found it of two models at least, it is believed of all of which the same was declared.
- The largest of them is believed, where nothing was found or said otherwise, and no more was let in
  already.
- A belief is a guess: it lasts `GUESSED_FOR`, then it is tried again by steps like any ceiling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from freelm_integrations.pool.widening import GUESSED_FOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from freelm_integrations.pool.scopes import AccountState, ProviderState, RouteState, WindowName
    from freelm_integrations.pool.window import Window

    Declared: TypeAlias = tuple[bool, WindowName, float]
    """Whether all models share it, its window, and the limit that was declared."""
    Findings: TypeAlias = "dict[Declared, dict[tuple[AccountState, str], Finding]]"
    """By declaration; there by the account and the model of who found it."""

TOLERANCE = 0.1
"""The share by which two findings may differ that are one."""
ACCOUNTS = 2
"""So many must have found the same."""
REMEMBERED = 32
"""So many findings about one declaration are kept."""


class Finding(NamedTuple):
    """What a limit was found to be, and until when its finder goes by that."""

    amount: float
    until: float


def agree(state: RouteState, model: str, window: Window, now: float) -> None:
    """Note what an account found a window's limit to be; let others believe it if it is agreed on.

    Called under the pool's lock; `window` is one of the route's, and was learned just now.
    """
    if window.trust is None:
        return
    name = window.unit, window.per, window.resets
    is_shared = state.account.shared.get(name) is window
    findings = state.provider.findings.setdefault((is_shared, name, window.declared), {})
    finder = state.account, model
    findings.pop(finder, None)
    if len(findings) >= REMEMBERED:
        del findings[next(iter(findings))]
    findings[finder] = Finding(window.amount, window.trust.until)
    alike = {
        who: one.amount
        for who, one in findings.items()
        if one.until > now and _are_alike(one.amount, window.amount)
    }
    if len({account for account, _ in alike}) < ACCOUNTS:
        return
    only = None if len({of for _, of in alike}) > 1 else model
    amount = max(alike.values())
    for account, other in _declared_alike(state.provider, window, is_shared=is_shared, only=only):
        if other.guess(amount, now, GUESSED_FOR):
            account.stir()


def _are_alike(one: float, other: float) -> bool:
    return abs(one - other) <= max(1.0, TOLERANCE * other)


def _declared_alike(
    home: ProviderState, window: Window, *, is_shared: bool, only: str | None
) -> Iterator[tuple[AccountState, Window]]:
    """The windows of all accounts of which the same was declared; `only`: of that model."""
    name = window.unit, window.per, window.resets
    for account in home.accounts.values():
        quotas = account.quotas if only is None else {only: account.quotas.get(only)}
        own = (quota.own for quota in quotas.values() if quota is not None)
        for windows in (account.shared,) if is_shared else own:
            other = windows.get(name)
            if other is not None and other is not window and other.declared == window.declared:
                yield account, other
