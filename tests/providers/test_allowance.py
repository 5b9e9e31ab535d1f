"""Limits the user gives stand in place of every declared one they speak of as well, and of no other."""

from __future__ import annotations

import math

import pytest

from freelm_integrations.errors import ConfigError
from freelm_integrations.pool.lease import Success
from freelm_integrations.pool.pool import Pool
from freelm_integrations.providers.provider import (
    GoogleAIStudio,
    Groq,
    OpenAICompatible,
    OpenRouter,
)
from freelm_integrations.providers.spec import Limit, ModelSpec
from tests.fakes import FakeClock

NOW = 1000.0
OWL = ModelSpec("acme/Owl-30b", family="owl-30b")
FREE = Groq("k")
ACCOUNT = Limit(99, "requests", per=60)
APART = Limit(77, "requests", per=60, model="*")
OWLS = Limit(55, "requests", per=60, model="OWL-30B")


@pytest.mark.parametrize(
    ("given", "shared", "of_owl", "of_others"),
    [
        (None, (), FREE.tier.each_model, FREE.tier.each_model),
        ([], (), (), ()),
        ([ACCOUNT], (ACCOUNT,), (), ()),
        ([APART], (), (APART,), (APART,)),
        ([OWLS], (), (OWLS,), FREE.tier.each_model),
        ([APART, OWLS], (), (OWLS,), (APART,)),
        ([ACCOUNT, OWLS], (ACCOUNT,), (OWLS,), ()),
        ([ACCOUNT, APART], (ACCOUNT,), (APART,), (APART,)),
    ],
)
def test_what_is_given_replaces_what_is_declared_of_the_same(given, shared, of_owl, of_others):
    """All of an account speaks of everything; one model of itself alone."""
    provider = Groq("k", limits=given)

    assert provider.shared_limits == shared
    assert provider.limits_of(OWL) == of_owl
    assert provider.limits_of(ModelSpec("other")) == of_others


def test_limits_over_all_models_stay_where_single_models_are_spoken_of():
    """OpenRouter's day is counted whatever one of its models is said to have."""
    provider = OpenRouter("k", limits=[OWLS])

    assert provider.shared_limits == OpenRouter("k").tier.shared
    assert provider.limits_of(OWL) == (OWLS,)


def test_what_is_declared_of_single_models_yields_to_what_every_model_has():
    """Google's own exceptions are no more once the user says what each model has."""
    lite = ModelSpec("gemini-3.5-flash-lite")

    assert GoogleAIStudio("k").limits_of(lite)[0].amount == 15
    assert GoogleAIStudio("k", limits=[APART]).limits_of(lite) == (APART,)


@pytest.mark.parametrize("name", ["acme/Owl-30b", "ACME/OWL-30B", "owl-30b"])
def test_a_model_is_named_by_its_id_or_its_family(name):
    """Case aside."""
    limit = Limit(5, per=60, model=name)

    assert Groq("k", limits=[limit]).limits_of(OWL) == (limit,)


def test_the_limits_of_a_model_spec_come_before_all_others():
    """Nothing says more exactly which model is meant."""
    own = (Limit(1, per=60),)
    model = ModelSpec("acme/Owl-30b", limits=own)

    assert Groq("k", limits=[APART, Limit(5, model="acme/Owl-30b")]).limits_of(model) == own


@pytest.mark.parametrize("name", ["", "  ", 7])
def test_a_limit_of_no_model_is_refused(name):
    """It would never be counted."""
    with pytest.raises(ConfigError, match="model in a limit of groq"):
        Groq("k", limits=[Limit(5, model=name)])


# ---------------------------------------------------------------------- in the pool


def admitted(pool, one, *, at_most=200):
    """How many calls of one minute the only route of a provider takes."""
    route = pool.route(one, one.keys[0], one.models[0])
    return next((n for n in range(at_most) if pool.lease(route, NOW) is None), math.inf)


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        (None, 30),
        ([Limit(60, per=60, model="*")], 60),
        ([Limit(60, per=60)], 60),
        ([Limit(60, per=60, model="openai/gpt-oss-20b")], 60),
        ([Limit(60, per=60, model="openai/gpt-oss-120b")], 30),
        ([Limit(math.inf, per=60, model="*")], math.inf),
        ([Limit(7, per=60)], 7),
        ([], math.inf),
    ],
)
def test_a_declared_limit_can_be_raised_lowered_and_lifted(limits, calls):
    """Thirty a minute is what is declared of every model there."""
    one = Groq("k", models=["openai/gpt-oss-20b"], limits=limits)

    assert admitted(Pool(FakeClock()), one) == calls


def test_who_declares_last_is_believed():
    """Clients over the same key share its windows; a new one with other limits has its way."""
    pool = Pool(FakeClock())
    before, after = (
        Groq("k", models=["owl"], limits=limits) for limits in (None, [Limit(60, per=60)])
    )

    assert admitted(pool, before) == 30
    assert admitted(pool, after) == 60  # counted anew: it is another limit
    assert pool.lease(pool.route(before, before.keys[0], before.models[0]), NOW) is None


def test_a_limit_declared_again_keeps_its_count():
    """Or every new client would get the quota once more."""
    pool = Pool(FakeClock())
    first, second = (
        OpenAICompatible("one", "https://one.example/v1", "k", ["m"], limits=[Limit(3, per=60)])
        for _ in range(2)
    )

    assert admitted(pool, first) == 3
    assert admitted(pool, second) == 0


def test_a_lease_of_a_limit_that_is_no_more_is_settled_all_the_same():
    """It began under the old one."""
    pool = Pool(FakeClock())
    before = Groq("k", models=["owl"])
    lease = pool.lease(pool.route(before, before.keys[0], before.models[0]), NOW)
    after = Groq("k", models=["owl"], limits=[])
    route = pool.route(after, after.keys[0], after.models[0])
    pool.settle(lease, Success(), NOW)

    assert pool.lease(route, NOW) is not None
