"""Models to be asked after all others: they have answered once, and it was of no use.

A caller who reads an answer and finds that it does not do (no object of his class, a wrong form)
asks again and names who gave it. That is no fault the pool should know of: the next call may well
suit that model. So it is put behind, for this call only, and still asked when nobody else is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freelm_integrations.pool.view import Route, RouteView

_NOT, _SAME_PROVIDER, _SAME_MODEL = range(3)


def nearness(route: Route, avoid: Iterable[str]) -> int:
    """0 for a route that is not to be avoided, more the nearer it is to one that is.

    `avoid` holds providers (`groq`) and their models (`groq/llama-3.3-70b`); of a provider whose
    model is avoided, other models come before that one.
    """
    provider, model = route.provider.name, route.model.id
    nearest = _NOT
    for name in avoid:
        if name == f"{provider}/{model}":
            return _SAME_MODEL
        if name == provider or name.startswith(f"{provider}/"):
            nearest = _SAME_PROVIDER
    return nearest


def put_last(views: Iterable[RouteView], avoid: Iterable[str]) -> Iterator[RouteView]:
    """The same views, those to be avoided behind all others and otherwise in their order."""
    behind: list[tuple[int, RouteView]] = []
    for view in views:
        near = nearness(view.route, avoid)
        if near:
            behind.append((near, view))
        else:
            yield view
    yield from (view for _, view in sorted(behind, key=lambda pair: pair[0]))
