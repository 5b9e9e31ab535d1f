"""The blocking and the asyncio side of everything look alike."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations import AsyncFreeLLM, FreeLLM
from freelm_integrations import client as core
from freelm_integrations import openai as shim
from freelm_integrations.connections import AsyncConnections, Connections
from freelm_integrations.openai import shim as shim_module

if TYPE_CHECKING:
    from collections.abc import Callable

TWINS: list[tuple[type, type]] = [
    (FreeLLM, AsyncFreeLLM),
    (core.DeltaStream, core.AsyncDeltaStream),
    (shim.OpenAI, shim.AsyncOpenAI),
    (shim.Stream, shim.AsyncStream),
    (shim_module.Chat, shim_module.AsyncChat),
    (shim_module.Completions, shim_module.AsyncCompletions),
    (shim_module.Embeddings, shim_module.AsyncEmbeddings),
    (shim_module.Models, shim_module.AsyncModels),
]

# What a side has in place of the other's; `close` stays where the asyncio twin has both names.
OTHER_NAMES = {
    "__iter__": "__aiter__",
    "__next__": "__anext__",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "to_async": "to_sync",
}
CLOSING = {"close", "aclose"}
PROTOCOLS = {*OTHER_NAMES, *OTHER_NAMES.values()}


def members(cls: type) -> dict[str, Callable[..., Any]]:
    """Public methods and the protocols a caller uses without naming them."""
    return {
        name: member
        for name, member in inspect.getmembers(cls, callable)
        if not name.startswith("_") or name in PROTOCOLS
    }


def shape(method: Callable[..., Any]) -> list[tuple[str, object, object]]:
    """Names, kinds and defaults of the parameters."""
    return [
        (one.name, one.kind, one.default) for one in inspect.signature(method).parameters.values()
    ]


def pairs() -> list[tuple[type, type, str, str]]:
    return [
        (one, other, name, OTHER_NAMES.get(name, name))
        for one, other in TWINS
        for name in members(one)
        if name not in CLOSING
    ]


def label(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("one", "other"), TWINS, ids=label)
def test_twins_have_the_same_methods(one: type, other: type) -> None:
    """Under the same names, but for those that Python spells differently."""
    expected = {OTHER_NAMES.get(name, name) for name in members(one)}

    assert expected - CLOSING == set(members(other)) - CLOSING
    assert bool(CLOSING & set(members(one))) == bool(CLOSING & set(members(other)))


@pytest.mark.parametrize(("one", "other", "name", "twin"), pairs(), ids=label)
def test_twin_methods_take_the_same(one: type, other: type, name: str, twin: str) -> None:
    """Parameters, their order, kinds and defaults."""
    assert shape(members(one)[name]) == shape(members(other)[twin])


@pytest.mark.parametrize(("one", "other", "name", "twin"), pairs(), ids=label)
def test_twin_methods_are_both_documented(one: type, other: type, name: str, twin: str) -> None:
    """Each in words of its own class or of the one they share."""
    assert inspect.getdoc(members(one)[name])
    assert inspect.getdoc(members(other)[twin])


@pytest.mark.parametrize(("one", "other"), TWINS, ids=label)
def test_what_blocks_on_one_side_is_awaited_on_the_other(one: type, other: type) -> None:
    """No asyncio method blocks its loop on the network: none is the blocking one under its name."""
    shared = {"from_env", "context_window", "models_for", "vector_space"}
    same = [
        name
        for name, method in members(one).items()
        if name not in shared and members(other).get(name) is method
    ]

    assert same == []


@pytest.mark.parametrize(("one", "other"), TWINS, ids=label)
def test_twins_are_made_alike_and_documented(one: type, other: type) -> None:
    """Their constructors take as many parameters, and each says what it is."""
    assert len(shape(one)) == len(shape(other))
    assert inspect.getdoc(one)
    assert inspect.getdoc(other)


def test_both_clients_close_under_the_name_their_users_look_for() -> None:
    """`aclose` as in httpx, and `close`, which the shim's SDK has."""
    assert AsyncFreeLLM.aclose is AsyncFreeLLM.close
    assert {"send", "close"} <= {name for name in vars(Connections) if name[0] != "_"}
    assert {"send", "aclose"} <= {name for name in vars(AsyncConnections) if name[0] != "_"}


def test_every_option_means_the_same_to_both_clients() -> None:
    """They have one constructor between them."""
    assert FreeLLM.__init__ is AsyncFreeLLM.__init__
    assert inspect.signature(shim.OpenAI) == inspect.signature(shim.AsyncOpenAI)
