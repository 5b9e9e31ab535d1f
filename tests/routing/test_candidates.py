"""Candidates come lazily, in the order of ranks and strategy, from a plan made once for requests alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.errors import ConfigError
from freelm_integrations.pool.pool import Pool, Success
from freelm_integrations.providers.provider import Groq
from freelm_integrations.providers.spec import Limit
from freelm_integrations.routing.candidates import PLANS_KEPT, Router
from freelm_integrations.routing.strategies import STRATEGIES
from freelm_integrations.wire.faults import Fault
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock
from tests.pool.making import ModelSpec, provider

NOW = 1000.0
A = provider("a", keys=2, models=("a-one", "a-two"))
B = provider("b", models=("b-one", ModelSpec("b-two", tags=("tools",), context=100)))
CATALOGS = {A: A.models, B: B.models}


def guards(strategy="priority", *, free_only=True, allow_training=True):
    return SimpleNamespace(strategy=strategy, free_only=free_only, allow_training=allow_training)


def ask(*wanted, content="hello", **more):
    messages = ({"role": "user", "content": content},)
    return Request(messages=messages, wanted=wanted or ("auto",), **more)


class Watched:
    """A pool that tells what it was asked to look at."""

    def __init__(self):
        self.pool = Pool(FakeClock())
        self.looked = []
        self.route, self.contexts = self.pool.route, self.pool.contexts
        self.turn, self.take_turn = self.pool.turn, self.pool.take_turn

    def views(self, routes, now, *, tokens=0, output=0):
        self.looked.append([route.model.id for route in routes])
        return self.pool.views(routes, now, tokens=tokens, output=output)


@pytest.fixture
def pool() -> Watched:
    return Watched()


def seen(candidates):
    """As model id and place of its key."""
    return [
        f"{view.route.model.id}/{view.route.provider.keys.index(view.route.key)}"
        for view in candidates.views(NOW)
    ]


def test_candidates_come_rank_by_rank_and_key_by_key(pool):
    """Best models of all, with all keys; then the second ones."""
    candidates = Router(pool, guards()).candidates(ask(), CATALOGS)

    assert seen(candidates) == ["a-one/0", "a-one/1", "b-one/0", "a-two/0", "a-two/1", "b-two/0"]


def test_only_the_ranks_needed_are_looked_at(pool):
    """A call that is answered at once never touches the second rank."""
    views = Router(pool, guards()).candidates(ask(), CATALOGS).views(NOW)
    next(views)
    next(views)

    assert pool.looked == [["a-one", "a-one", "b-one"]]


def test_what_rests_is_shown_as_resting(pool):
    """The engine decides what to do with it; `explain` shows it."""
    candidates = Router(pool, guards()).candidates(ask(), CATALOGS)
    first = next(candidates.views(NOW))
    pool.pool.settle(pool.pool.lease(first.route, NOW), Fault(kind="blocked"), NOW)

    assert [view.resting for view in candidates.views(NOW)] == [
        *("blocked", "blocked", None),
        *("blocked", "blocked", None),
    ]


def test_a_route_without_room_for_the_request_is_not_ready(pool):
    """The estimate of prompt and answer goes into the view."""
    one = provider("one", limits=(Limit(2000, "tokens", per=60),))
    router = Router(pool, guards())
    candidates = router.candidates(ask(content="x" * 4000), {one: one.models})
    (view,) = candidates.views(NOW)
    assert (candidates.tokens, candidates.output) == (1004, None)
    assert view.resting is None  # larger than the window: it may go while that is untouched

    pool.pool.lease(view.route, NOW, tokens=10)

    assert [view.resting for view in candidates.views(NOW)] == ["window"]


@pytest.mark.parametrize(
    ("limit", "more", "is_out"),
    [
        (Limit(800, "tokens", per=60), {}, True),
        (Limit(800, "input_tokens", per=60), {}, True),
        (Limit(803, "tokens", per=60), {}, False),  # 1,004 as estimated, 803 at the very least
        (Limit(803, "tokens", per=60), {"params": {"max_tokens": 9}}, True),
        (Limit(803, "input_tokens", per=60), {"params": {"max_tokens": 9}}, False),
        (Limit(10, "output_tokens", per=60), {}, False),
        (Limit(10, "requests", per=60), {}, False),
    ],
)
def test_a_request_larger_than_a_limit_goes_elsewhere(pool, limit, more, is_out):
    """It could never be served there, however long it waited."""
    small = provider("small", limits=(limit,))
    catalogs = {small: small.models, A: A.models}
    candidates = Router(pool, guards()).candidates(ask(content="x" * 4000, **more), catalogs)

    assert ("owl/0" not in seen(candidates)) is is_out
    assert [who for who, *_ in candidates.left_out()] == ["small"] * is_out


def test_a_limit_that_leaves_nobody_leaves_nobody_out(pool):
    """Estimates are wrong at times, and limits change: better asked than given up."""
    small = provider("small", limits=(Limit(800, "tokens", per=60),))
    candidates = Router(pool, guards()).candidates(ask(content="x" * 4000), {small: small.models})

    assert seen(candidates) == ["owl/0"]
    assert candidates.left_out() == ()


@pytest.mark.parametrize(
    ("size", "told", "was_asked", "is_asked"),
    [(8000, 6000, True, False), (11_000, 9000, False, True)],
)
def test_a_limit_that_the_server_tells_counts_at_once(pool, size, told, was_asked, is_asked):
    """Downwards and upwards, for plans made before as well."""
    one = provider("one", limits=(Limit(8000, "tokens", per=60),))
    router, catalogs = Router(pool, guards()), {one: one.models, B: B.models}
    request = ask(content="x" * 4 * size)
    before = seen(router.candidates(request, catalogs))
    route = pool.route(one, one.keys[0], one.models[0])
    reading = Reading("tokens", 60.0, told, told)
    pool.pool.settle(pool.pool.lease(route, NOW), Success(), NOW, readings=(reading,))

    assert ("owl/0" in before) is was_asked
    assert ("owl/0" in seen(router.candidates(request, catalogs))) is is_asked


def test_each_call_takes_the_next_turn(pool):
    """Round robin moves on from call to call."""
    router = Router(pool, guards("round_robin"))
    firsts = [seen(router.candidates(ask(), CATALOGS))[0] for _ in range(4)]

    assert firsts == ["a-one/0", "b-one/0", "a-one/1", "b-one/0"]


def test_a_preview_shows_the_next_call_and_takes_no_turn(pool):
    """A question changes nothing, however often it is asked."""
    router = Router(pool, guards("round_robin"))
    for _ in range(3):
        previews = [seen(router.preview(ask(), CATALOGS)) for _ in range(3)]
        assert previews == [seen(router.candidates(ask(), CATALOGS))] * 3


def test_clients_of_one_pool_share_the_rotation(pool):
    """A client made for one call, as scripts do, does not begin at the first provider again."""
    firsts = [
        seen(Router(pool, guards("round_robin")).candidates(ask(), CATALOGS))[0] for _ in range(4)
    ]

    assert firsts == ["a-one/0", "b-one/0", "a-one/1", "b-one/0"]


def test_clients_over_other_providers_have_a_rotation_of_their_own(pool):
    """Two that are asked in alternation do not take every other turn from each other."""
    both, others = Router(pool, guards("round_robin")), Router(pool, guards("round_robin"))
    c = provider("c")
    firsts = []
    for _ in range(2):
        firsts.append(seen(both.candidates(ask(), CATALOGS))[0])
        seen(others.candidates(ask(), {A: A.models, c: c.models}))

    assert firsts == ["a-one/0", "b-one/0"]


def test_threads_never_take_the_same_turn(pool):
    """Each call its own, none left out."""
    with ThreadPoolExecutor(8) as threads:
        turns = list(threads.map(lambda _: pool.take_turn(("a",)), range(800)))

    assert sorted(turns) == list(range(800))


def test_what_is_left_out_is_told_with_its_reason(pool):
    """Provider, model and why."""
    candidates = Router(pool, guards()).candidates(ask(content="x" * 4000), CATALOGS)

    assert [(who, model) for who, model, _ in candidates.left_out()] == [("b", "b-two")]
    assert "context" in candidates.left_out()[0][2]
    assert "b-two/0" not in seen(candidates)


def test_requests_alike_share_a_plan_and_others_do_not(pool):
    """A prompt a little longer is the same to every model; one past a context is not."""
    router = Router(pool, guards())

    def plan(request, catalogs=CATALOGS):
        return router.candidates(request, catalogs)._plan

    first = plan(ask())
    assert plan(ask(content="hello you")) is first
    assert plan(ask(content="x" * 4000)) is not first
    assert plan(ask("a-one")) is not first
    assert plan(ask(tools=({"type": "function"},))) is not first
    assert plan(ask()) is first
    assert plan(ask(), dict(CATALOGS)) is not first


def test_plans_do_not_pile_up(pool):
    """Names made up by a caller cannot fill the memory."""
    models = tuple(f"m{n}" for n in range(PLANS_KEPT + 10))
    one = provider("one", models=models)
    router, catalogs = Router(pool, guards()), {one: one.models}
    for name in models:
        router.candidates(ask(name), catalogs)

    assert len(router._known.plans) <= PLANS_KEPT


def test_a_plan_outlives_a_pool_that_forgot(pool):
    """Its routes are known again when met."""
    candidates = Router(pool, guards()).candidates(ask(), CATALOGS)
    before = seen(candidates)
    pool.pool.forget()

    assert seen(candidates) == before


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [(("costly",), "free_only"), (("auto", "costly"), "free_only"), (("a/auto",), "training")],
)
def test_a_name_that_the_settings_leave_nothing_of_is_refused(pool, wanted, setting):
    """Before anything is sent, with the setting to change."""
    one = provider("one", models=(ModelSpec("costly", free=False), ModelSpec("gratis")))
    catalogs = {**CATALOGS, one: one.models}
    chosen = guards(allow_training=setting != "training")
    with pytest.raises(ConfigError, match=setting):
        Router(pool, chosen).candidates(ask(*wanted), catalogs)


def test_a_costly_model_among_free_ones_is_left_out_quietly(pool):
    """`auto` never meant it."""
    one = provider("one", models=(ModelSpec("costly", free=False), ModelSpec("gratis")))

    assert seen(Router(pool, guards()).candidates(ask(), {one: one.models})) == ["gratis/0"]


def test_no_models_known_means_no_candidates(pool):
    """Not an error of the caller."""
    assert seen(Router(pool, guards()).candidates(ask(), {A: (), B: ()})) == []


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_provider_without_keys_has_no_routes(pool, strategy):
    """Its models may be known all the same."""
    none = Groq(models=["a-one"])
    assert none.keys == ()

    assert seen(Router(pool, guards(strategy)).candidates(ask(), {none: none.models})) == []


THINKER = ModelSpec("thinker", tags=("fast", "reasoning"))
PLAIN = ModelSpec("plain")


@pytest.mark.parametrize(
    ("wanted", "output", "order"),
    [
        ("auto", 64, ["plain/0", "thinker/0"]),
        ("auto", 65, ["thinker/0", "plain/0"]),
        ("auto", None, ["thinker/0", "plain/0"]),
        ("thinker", 9, ["thinker/0"]),
        (("thinker", "plain"), 9, ["thinker/0", "plain/0"]),  # the user's own order
    ],
)
def test_for_a_few_words_those_that_think_first_come_last(pool, wanted, output, order):
    """The best of every provider would do it otherwise; none is left out."""
    one, two = provider("one", models=(THINKER,)), provider("two", models=(PLAIN,))
    names = (wanted,) if isinstance(wanted, str) else wanted
    params = {} if output is None else {"max_tokens": output}
    candidates = Router(pool, guards()).candidates(
        ask(*names, params=params), {one: one.models, two: two.models}
    )
    views = tuple(candidates.views(NOW))

    assert seen(candidates) == order
    reasons = {view.route.model.id: candidates.reservation(view.route) for view in views}
    is_brief = output is not None and output <= 64
    assert ("thinks first" in (reasons["thinker"] or "")) is is_brief
    assert reasons.get("plain") is None


def test_a_new_day_is_noticed_without_new_catalogs(pool):
    """A static list is never renewed, and its models end all the same."""
    ending = ModelSpec("ending", retires_on="2026-11-22")
    one = provider("one", models=(ending, PLAIN))
    router, catalogs = Router(pool, guards()), {one: one.models}
    noon = 1_795_348_800.0  # of 2026-11-22

    assert seen(router.candidates(ask(), catalogs, utc=noon)) == ["plain/0", "ending/0"]
    later = router.candidates(ask(), catalogs, utc=noon + 86_400)
    assert seen(later) == ["plain/0"]
    assert later.left_out() == (("one", "ending", "was to be retired on 2026-11-22"),)


def test_requests_with_as_many_as_all_take_share_a_plan(pool):
    """Numbers make plans differ only where they decide."""
    one = provider("one", models=("owl",))
    vars(one)["spec"] = replace(one.spec, at_most={"stops": 4})
    router, catalogs = Router(pool, guards()), {one: one.models}
    plans = [
        router.candidates(ask(params={"stop": ["x"] * number}), catalogs)._plan
        for number in (1, 4, 5, 6)
    ]

    assert plans[0] is plans[1] is not plans[2] is plans[3]
