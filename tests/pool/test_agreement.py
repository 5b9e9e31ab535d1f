"""What two accounts found of a limit, and who else believes it for how long."""

from __future__ import annotations

import pytest

from freelm_integrations.pool.ceiling import TRUSTED_FOR
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.pool.widening import GUESSED_FOR
from freelm_integrations.providers.spec import DAY, Limit
from freelm_integrations.wire.faults import Fault
from tests.fakes import FakeClock
from tests.pool.making import provider

THROTTLED = Fault(kind="throttled", status=429)
MINUTE, DAILY = Limit(40, per=60, model="*"), Limit(200, per=DAY, model="*")


class Acme:
    """A provider with a pool, whose accounts are used by number."""

    def __init__(self, *, keys=4, models=("owl",), limits=(MINUTE,), account=None):
        self.clock = FakeClock()
        self.pool = Pool(self.clock)
        self.spec = provider(keys=keys, models=models, limits=limits, account=account)
        for number in range(keys):
            for model in range(len(models)):
                self.route(number, model)

    def route(self, key: int, model: int = 0):
        return self.pool.route(self.spec, self.spec.keys[key], self.spec.models[model])

    def asked(self, key: int, *, let_in: int, refused: int = 1, model: int = 0) -> None:
        """So many answers, and then refusals."""
        route = self.route(key, model)
        for number in range(let_in + refused):
            lease = self.pool.lease(route, self.clock.now())
            assert lease is not None, number
            outcome = Success(0.1) if number < let_in else THROTTLED
            self.pool.settle(lease, outcome, self.clock.now())

    def limit(self, key: int, model: int = 0) -> tuple[float, str]:
        """What the route goes by, and whence."""
        quota = self.pool._register.seat(self.route(key, model)).state.quota
        (window,) = quota.windows
        return window.amount, window.source


@pytest.mark.parametrize(
    ("found", "believed"),
    [
        ((30, 30), 30),
        ((29, 30), 30),
        ((30, 28), 30),
        ((30, 20), None),
        ((30,), None),
    ],
)
def test_what_two_accounts_found_alike_is_believed_of_the_others(found, believed):
    """The larger of two that are nearly the same; of two that are not, none."""
    acme = Acme()
    for key, let_in in enumerate(found):
        acme.asked(key, let_in=let_in)

    expected = (40, "declared") if believed is None else (believed, "learned")
    assert acme.limit(3) == expected


def test_keys_of_one_account_are_one_witness():
    """They tell of the same window."""
    acme = Acme(account="one")
    acme.asked(0, let_in=30)

    assert acme.limit(3) == acme.limit(0) == (30, "learned")
    assert len(acme.pool._register.providers[acme.spec.id].findings) == 1


@pytest.mark.parametrize(
    ("found", "others"), [(((0, 0), (1, 1)), "learned"), (((0, 0), (1, 0)), "declared")]
)
def test_what_was_found_of_two_models_is_believed_of_all_declared_alike(found, others):
    """Of one it is believed of that one."""
    acme = Acme(models=("owl", "hen", "jay"))
    for key, model in found:
        acme.asked(key, model=model, let_in=30)

    assert acme.limit(3, 0)[1] == "learned"
    assert acme.limit(3, 2)[1] == others


def test_a_model_of_another_declaration_is_left_alone():
    """Nothing was found about that one."""
    other = Limit(50, per=60, model="jay")
    acme = Acme(models=("owl", "hen", "jay"), limits=(MINUTE, other))
    acme.asked(0, model=0, let_in=30)
    acme.asked(1, model=1, let_in=30)

    rows = acme.pool.snapshot(acme.clock.now(), [acme.spec])
    limits = {window.model: window.limit for window in rows[3].windows if window.limit != 40}
    assert limits["owl"] == limits["hen"] == 30
    assert limits["jay"] == 50


def test_an_account_that_was_let_in_more_often_is_not_doubted():
    """Its own count says otherwise."""
    acme = Acme()
    acme.asked(3, let_in=35, refused=0)
    acme.asked(0, let_in=30)
    acme.asked(1, let_in=30)

    assert acme.limit(3) == (40, "declared")
    assert acme.limit(2) == (30, "learned")


def test_limits_that_all_models_share_are_believed_alike():
    """Whichever of them they were found with."""
    acme = Acme(limits=(Limit(40, per=60),), models=("owl", "hen"))
    acme.asked(0, model=0, let_in=30)
    acme.asked(1, model=1, let_in=30)

    assert acme.limit(2) == acme.limit(3, 1) == (30, "learned")


@pytest.mark.parametrize(("limit", "let_in"), [(MINUTE, 30), (DAILY, 50)])
def test_a_belief_is_tried_again_soon_also_of_a_day(limit, let_in):
    """Those who found it themselves trust it for longer."""
    acme = Acme(limits=(limit,))
    acme.asked(0, let_in=let_in)
    acme.asked(1, let_in=let_in)
    seen = []
    for _ in range(20):
        acme.clock.move(GUESSED_FOR)
        acme.asked(3, let_in=1, refused=0)
        seen.append(acme.limit(3)[0])

    assert seen[0] > let_in
    assert seen == sorted(seen)
    assert acme.limit(3) == (limit.amount, "declared")
    assert acme.limit(0)[0] == let_in  # nobody has asked there


def test_whoever_is_refused_after_a_belief_was_raised_has_found_it():
    """It is then trusted as its own: a step is not tried again at once."""
    acme = Acme()
    acme.asked(0, let_in=30)
    acme.asked(1, let_in=30)
    acme.clock.move(GUESSED_FOR + 1)
    acme.asked(3, let_in=30)
    assert acme.limit(3) == (30, "learned")

    acme.clock.move(TRUSTED_FOR - 1)
    acme.asked(3, let_in=1, refused=0)
    assert acme.limit(3) == (30, "learned")
