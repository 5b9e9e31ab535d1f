"""Catalogs: live, else from the disk, else built in; and nobody waits for them longer than once."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import (
    ConfigError,
    FreeLLM,
    Groq,
    Mistral,
    OpenAICompatible,
    OpenRouter,
)
from freelm_integrations.discovery.catalog_file import KEPT_FOR, CatalogFiles, Saved
from freelm_integrations.discovery.catalogs import LOOK_UP, RETRY_AFTER, TTL, Catalogs
from freelm_integrations.discovery.enquiry import KEYS_TRIED, LARGEST, LATE, PATIENCE
from freelm_integrations.engine.steps import (
    ELAPSED,
    Attempt,
    Broken,
    Cancel,
    Chunk,
    Deliver,
    End,
    Launch,
    Opened,
    Refused,
    Reply,
    Step,
    Steps,
    Wait,
    advance,
)
from freelm_integrations.lab import Lab
from freelm_integrations.pool.pool import Pool
from freelm_integrations.providers.spec import ModelSpec
from freelm_integrations.wire.refusals.hints import Reading
from tests.fakes import FakeClock, play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OWL = b'{"data": [{"id": "owl-7b"}, {"id": "elk-70b"}]}'
OWLS = ["owl-7b", "elk-70b"]


def acme(name: str = "acme", **options: Any) -> OpenAICompatible:
    """An endpoint of which nothing is built in."""
    return OpenAICompatible(name, f"https://{name}.example/v1", "secret", **options)


def chunk(data: bytes) -> Callable[[Attempt], Reply]:
    return lambda attempt: Chunk(attempt, data)


def end(attempt: Attempt) -> Reply:
    return End(attempt)


def ids(catalogs: Catalogs, provider: Any) -> list[str]:
    return [model.id for model in catalogs.current()[provider]]


def launched(steps: list[Step]) -> list[str]:
    return [step.attempt.url for step in steps if isinstance(step, Launch)]


def ask(catalogs: Catalogs, clock: FakeClock, *script: Any, force: bool = False) -> list[Step]:
    """A refresh of which nobody hears what is late."""
    return play(while_waited_for(catalogs.refresh(force=force)), clock, script)


def while_waited_for(machine: Steps[None]) -> Steps[None]:
    reply: Reply | None = None
    with closing(machine):
        while not isinstance(step := advance(machine, reply), Deliver | None):
            reply = yield step


def live(catalogs: Catalogs, clock: FakeClock, body: bytes = OWL) -> list[Step]:
    return ask(catalogs, clock, chunk(body), end)


# ---------------------------------------------------------------------- where a list comes from


def test_nothing_is_asked_or_read_before_it_is_needed(tmp_path: Path) -> None:
    """The built-in list is there from the first moment, the given one for good."""
    clock = FakeClock()
    groq, fixed = Groq("gsk_x"), acme(models=["owl"])
    catalogs = Catalogs([groq, fixed], clock, tmp_path / "cache")

    assert ids(catalogs, groq) == [model.id for model in groq.spec.models]
    assert [catalogs.catalog(one).source for one in (groq, fixed)] == ["builtin", "given"]
    assert catalogs.is_due
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "provider",
    [acme(models=["owl"]), acme(discover=False), Groq("gsk_x", models="m"), Groq([])],
    ids=["given", "not to be asked", "given by name", "without a key"],
)
def test_who_cannot_or_must_not_be_asked_never_is(provider: Any) -> None:
    """Not even by force."""
    clock = FakeClock()
    catalogs = Catalogs([provider], clock)

    assert not catalogs.is_due
    assert launched(ask(catalogs, clock, force=True)) == []


def test_a_live_list_takes_the_place_of_the_built_in_one() -> None:
    """And is believed for one time to live."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    steps = live(catalogs, clock)

    assert launched(steps) == ["https://acme.example/v1/models"]
    assert ids(catalogs, provider) == OWLS
    assert catalogs.catalog(provider).source == "live"
    clock.move(TTL - 1)
    assert not catalogs.is_due
    clock.move(1)
    assert catalogs.is_due


def test_the_request_for_a_list_is_like_any_other() -> None:
    """With the key, the provider's own headers, and patience for who is late."""
    clock = FakeClock()
    steps = ask(Catalogs([Groq("gsk_x")], clock), clock, chunk(b"x"), end)
    (attempt,) = [step.attempt for step in steps if isinstance(step, Launch)]

    assert (attempt.method, attempt.body) == ("GET", None)
    assert attempt.secret is not None
    assert attempt.secret.get_secret_value() == "gsk_x"
    assert attempt.headers["user-agent"].startswith("freelm-integrations/")
    assert (attempt.timeout, attempt.connect_timeout) == (PATIENCE + LATE, PATIENCE + LATE)


def test_a_list_may_come_in_any_pieces() -> None:
    """Its headers, and then every byte by itself."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    pieces = [chunk(OWL[place : place + 1]) for place in range(len(OWL))]
    ask(catalogs, clock, lambda attempt: Opened(attempt, {}), *pieces, end)

    assert ids(catalogs, provider) == OWLS


UNUSABLE: dict[str, tuple[str, list[Any]]] = {
    "refused": ("key refused (401)", [lambda attempt: Refused(attempt, 401, {}, b"no")]),
    "crowded": ("server error (500)", [lambda attempt: Refused(attempt, 500, {}, b"")]),
    "not there": (" (404)", [lambda attempt: Refused(attempt, 404, {}, OWL)]),
    "moved": (" (302)", [lambda attempt: Refused(attempt, 302, {"location": "/login"}, b"")]),
    "broken": ("connection broke", [lambda attempt: Broken(attempt, ConnectionError("gone"))]),
    "no way there": (
        "unreachable",
        [lambda attempt: Broken(attempt, ConnectionRefusedError("no"))],
    ),
    "broken in the middle": (
        "no word within 18 s",
        [chunk(OWL[:9]), lambda attempt: Broken(attempt, TimeoutError())],
    ),
    "a bug": ("connection broke", [lambda attempt: Broken(attempt, ZeroDivisionError())]),
    "silent": ("no word within 3 s", [PATIENCE]),
    "too slow": ("no word within 3 s", [chunk(OWL[:9]), PATIENCE]),
    "empty": ("an empty answer", [end]),
    "a page": ("a web page", [chunk(b"\n <html></html>"), end]),
    "cut": ("no model list", [chunk(OWL[:-5]), end]),
    "an error": ("no model list", [chunk(b'{"error": {"message": "no"}}'), end]),
    "without models": ("no model that chats", [chunk(b'{"data": []}'), end]),
    "without any that chat": (
        "no model that chats",
        [chunk(b'{"data": [{"id": "whisper-large-v3"}]}'), end],
    ),
    "deep": ("no model list", [chunk(b"[" * 100_000), end]),
    "endless": ("no end", [chunk(b" " * LARGEST), chunk(OWL)]),
}


@pytest.mark.parametrize(("why", "script"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_list_that_cannot_be_had_leaves_the_built_in_one(why: str, script: list[Any]) -> None:
    """The call goes on with it, the list is left alone for a while, and it is known why."""
    clock, provider = FakeClock(), Groq("gsk_x")
    catalogs = Catalogs([provider], clock)
    ask(catalogs, clock, *script)

    assert ids(catalogs, provider) == [model.id for model in provider.spec.models]
    assert catalogs.catalog(provider).source == "builtin"
    assert why in catalogs.catalog(provider).trouble
    assert not catalogs.is_due
    clock.move(RETRY_AFTER - 1)
    assert not catalogs.is_due
    clock.move(1)
    assert launched(live(catalogs, clock)) != []
    assert catalogs.catalog(provider).trouble == ""


@pytest.mark.parametrize(("why", "script"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_list_that_cannot_be_renewed_leaves_the_one_before(why: str, script: list[Any]) -> None:
    """Better an old list than the built-in one, where there is any; it is known why it is old."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    live(catalogs, clock)
    clock.move(TTL)
    ask(catalogs, clock, *script)

    catalog = catalogs.catalog(provider)
    assert ids(catalogs, provider) == OWLS
    assert (catalog.source, catalog.fetched_at) == (
        "live",
        clock.utc() - age_at_least(script) - TTL,
    )
    assert why in catalog.trouble


def age_at_least(script: list[Any]) -> float:
    """The seconds a script lets pass."""
    return sum(step for step in script if isinstance(step, float))


def test_a_list_renewed_remembers_the_one_it_replaced() -> None:
    """So that what is gone and what is new can be told."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    live(catalogs, clock)
    assert catalogs.catalog(provider).before is None
    clock.move(TTL)
    live(catalogs, clock, b'{"data": [{"id": "elk-70b"}]}')

    before = catalogs.catalog(provider).before
    assert before is not None
    assert [model.id for model in before] == OWLS


@pytest.mark.parametrize("status", [401, 402, 403, 429])
def test_a_key_that_is_turned_away_lets_the_next_one_ask(status: int) -> None:
    """One dead key of several does not keep the list from all."""
    clock = FakeClock()
    provider = Groq(["gsk_one", "gsk_two", "gsk_three", "gsk_four"])
    catalogs = Catalogs([provider], clock)

    def refused(attempt: Attempt) -> Reply:
        return Refused(attempt, status, {}, b"no")

    steps = ask(catalogs, clock, refused, chunk(OWL), end)
    assert secrets(steps) == ["gsk_one", "gsk_two"]
    assert catalogs.catalog(provider).source == "live"
    steps = ask(catalogs, clock, *[refused] * 4, force=True)
    assert len(secrets(steps)) == KEYS_TRIED
    assert f"({status})" in catalogs.catalog(provider).trouble


def test_a_list_that_is_not_there_is_asked_for_with_one_key() -> None:
    """Another would be told the same."""
    clock = FakeClock()
    catalogs = Catalogs([Groq(["gsk_one", "gsk_two"])], clock)

    steps = ask(catalogs, clock, lambda attempt: Refused(attempt, 404, {}, b""))
    assert secrets(steps) == ["gsk_one"]


def secrets(steps: list[Step]) -> list[str]:
    attempts = [step.attempt for step in steps if isinstance(step, Launch)]
    return [one.secret.get_secret_value() for one in attempts if one.secret is not None]


# ---------------------------------------------------------------------- patience


def times_waited(steps: list[Step]) -> list[float]:
    return [step.seconds for step in steps if isinstance(step, Wait)]


def test_a_slow_list_delays_a_call_by_its_own_patience_once() -> None:
    """Then nobody waits for it, and the next call does not ask."""
    clock = FakeClock()
    catalogs = Catalogs([acme()], clock)
    began_at = clock.now()
    steps = ask(catalogs, clock, 60.0)

    assert clock.now() - began_at == PATIENCE
    assert times_waited(steps) == [PATIENCE]
    assert not catalogs.is_due


def test_a_list_that_trickles_is_not_waited_for_any_longer() -> None:
    """Patience is for the whole list, not for each of its bytes."""
    clock = FakeClock()
    catalogs = Catalogs([acme()], clock)
    began_at = clock.now()

    def trickle(attempt: Attempt) -> Reply:
        clock.move(0.5)
        return Chunk(attempt, b" ")

    steps = ask(catalogs, clock, *[trickle] * 100)

    assert clock.now() - began_at == PATIENCE
    assert all(0 < seconds <= PATIENCE for seconds in times_waited(steps))


class Played:
    """A refresh of several providers, answered one by one by name."""

    def __init__(self, catalogs: Catalogs, *, force: bool = False) -> None:
        self._machine = catalogs.refresh(force=force)
        self.asked: dict[str, Attempt] = {}
        self.cancelled: list[str] = []
        self.is_over = self.is_late = self.has_ended = False
        self._go(None)

    def answer(self, name: str, body: bytes = OWL) -> None:
        self._go(Chunk(self.asked[name], body))
        self._go(End(self.asked[name]))

    def elapse(self) -> None:
        self._go(ELAPSED)

    def leave(self) -> None:
        self._machine.close()

    def refuse(self, name: str) -> None:
        self._go(Refused(self.asked[name], 500, {}, b""))

    def _go(self, reply: Reply | None) -> None:
        step = advance(self._machine, reply)
        while step is not None and not isinstance(step, Wait):
            if isinstance(step, Launch):
                self.asked[step.attempt.url.split("/")[2].split(".")[0]] = step.attempt
            elif isinstance(step, Cancel):
                self.cancelled.append(step.attempt.url.split("/")[2].split(".")[0])
            elif isinstance(step, Deliver):
                self.is_late = True
            step = advance(self._machine, None)
        self.has_ended = step is None
        self.is_over = self.has_ended or self.is_late  # for who waits


def test_all_lists_are_asked_for_side_by_side() -> None:
    """Whoever answers in time is heard, in whatever order; the others are left."""
    clock = FakeClock()
    some = [acme(name) for name in ("one", "two", "three")]
    catalogs = Catalogs(some, clock)
    playing = Played(catalogs)
    asked_first = sorted(playing.asked)
    playing.answer("three")
    playing.answer("one", b'{"data": [{"id": "elk"}]}')
    clock.move(PATIENCE)
    playing.elapse()

    assert asked_first == ["one", "three", "two"]
    assert playing.cancelled == []
    assert [ids(catalogs, one) for one in some] == [["elk"], [], OWLS]
    assert [catalogs.catalog(one).source for one in some] == ["live", "builtin", "live"]
    assert playing.is_over


def test_only_those_that_are_due_are_asked_again() -> None:
    """A dead list comes up every few minutes and does not drag the others along."""
    clock = FakeClock()
    one, two = acme("one"), acme("two")
    catalogs = Catalogs([one, two], clock)
    first = Played(catalogs)
    first.answer("one")
    first.elapse()
    clock.move(RETRY_AFTER)
    second = Played(catalogs)
    second.answer("two")

    assert sorted(first.asked) == ["one", "two"]
    assert sorted(second.asked) == ["two"]
    assert [catalogs.catalog(provider).source for provider in (one, two)] == ["live", "live"]


def test_by_force_all_are_asked_at_once() -> None:
    """Whatever is known; what does not answer stays as it was."""
    clock = FakeClock()
    one, two = acme("one"), acme("two")
    catalogs = Catalogs([one, two], clock)
    first = Played(catalogs)
    first.answer("one")
    first.answer("two")
    second = Played(catalogs, force=True)
    second.answer("two", b'{"data": [{"id": "elk"}]}')
    second.elapse()

    assert sorted(second.asked) == ["one", "two"]
    assert (ids(catalogs, one), ids(catalogs, two)) == (OWLS, ["elk"])


# ---------------------------------------------------------------------- what is late


def late(*names: str) -> tuple[FakeClock, Catalogs, list[OpenAICompatible], Played]:
    """Endpoints whose lists nobody waits for any longer."""
    clock, some = FakeClock(), [acme(name) for name in names]
    catalogs = Catalogs(some, clock)
    playing = Played(catalogs)
    clock.move(PATIENCE)
    playing.elapse()
    return clock, catalogs, some, playing


def test_a_late_list_is_known_from_then_on(tmp_path: Path) -> None:
    """Nobody has waited for it, and it is in the file as well."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock, tmp_path)
    playing = Played(catalogs)
    clock.move(PATIENCE)
    playing.elapse()
    before, trouble = ids(catalogs, provider), catalogs.catalog(provider).trouble
    clock.move(7)
    playing.answer("acme")

    assert playing.has_ended
    assert (before, trouble) == ([], "no word within 3 s")
    assert (ids(catalogs, provider), catalogs.catalog(provider).trouble) == (OWLS, "")
    assert catalogs.catalog(provider).expires_at == clock.utc() + TTL
    assert CatalogFiles(tmp_path).read(["acme https://acme.example/v1"], 0) != {}


def test_late_lists_are_taken_one_by_one() -> None:
    """Each when it comes, and what another refresh has found meanwhile is kept."""
    _, catalogs, (one, two), playing = late("one", "two")
    forced = Played(catalogs, force=True)
    forced.answer("two", b'{"data": [{"id": "elk"}]}')
    forced.elapse()
    playing.answer("one")

    assert [ids(catalogs, one), ids(catalogs, two)] == [OWLS, ["elk"]]
    assert [catalogs.catalog(provider).trouble for provider in (one, two)] == ["", ""]


def test_what_never_comes_is_given_up() -> None:
    """After a quarter of a minute; and asked for again in its time."""
    clock, catalogs, (provider,), playing = late("acme")
    clock.move(LATE)
    playing.elapse()

    assert playing.has_ended
    assert playing.cancelled == ["acme"]
    assert catalogs.catalog(provider).trouble == "no word within 18 s"
    assert not catalogs.is_due


def test_a_list_may_be_refused_late() -> None:
    """Then it is known why."""
    _, catalogs, (provider,), playing = late("acme")
    playing.refuse("acme")

    assert playing.has_ended
    assert catalogs.catalog(provider).trouble == "server error (500)"


def test_nobody_waits_for_what_is_late_and_who_asks_by_force_asks_anew() -> None:
    """Renewing is nobody's privilege meanwhile."""
    _, catalogs, _, playing = late("acme")
    call, forced = Played(catalogs), Played(catalogs, force=True)

    assert not playing.has_ended
    assert (call.is_over, call.asked) == (True, {})
    assert sorted(forced.asked) == ["acme"]


def test_what_is_late_lets_go_often() -> None:
    """Whoever hears it may be called off within a moment."""
    clock = FakeClock()
    catalogs = Catalogs([acme()], clock)
    steps = play(catalogs.refresh(), clock, [PATIENCE, *[1.0] * 200])
    waits = [step.seconds for step in steps if isinstance(step, Wait)]

    assert all(seconds <= LOOK_UP for seconds in waits[1:])
    assert sum(isinstance(step, Deliver) for step in steps) == len(waits) - 1


# ---------------------------------------------------------------------- several calls at once


def test_calls_that_set_off_together_wait_for_the_first_lists() -> None:
    """One asks; the others would not know yet what there is."""
    clock = FakeClock()
    provider = acme()
    catalogs = Catalogs([provider], clock)
    first, second = Played(catalogs), Played(catalogs)
    waited = not second.is_over
    clock.move(0.02)
    second.elapse()
    still_waiting = not second.is_over
    first.answer("acme")
    second.elapse()

    assert waited
    assert still_waiting
    assert second.is_over
    assert second.asked == {}
    assert ids(catalogs, provider) == OWLS


def test_they_wait_no_longer_than_the_lists_own_time() -> None:
    """Even if whoever asked them never comes back."""
    clock = FakeClock()
    catalogs = Catalogs([acme()], clock)
    abandoned = Played(catalogs)
    second = Played(catalogs)
    clock.move(PATIENCE)
    second.elapse()
    third = Played(catalogs)

    assert second.is_over
    assert third.is_over
    assert not abandoned.is_over


def test_a_call_that_leaves_hands_the_asking_on() -> None:
    """Whoever waited for its lists asks in its place."""
    clock = FakeClock()
    provider = acme()
    catalogs = Catalogs([provider], clock)
    first, second = Played(catalogs), Played(catalogs)
    first.leave()
    second.elapse()
    second.answer("acme")

    assert sorted(second.asked) == ["acme"]
    assert ids(catalogs, provider) == OWLS


def test_nobody_waits_while_lists_are_renewed() -> None:
    """One call asks, the others use what is known."""
    clock = FakeClock()
    provider = acme()
    catalogs = Catalogs([provider], clock)
    live(catalogs, clock)
    clock.move(TTL)
    first, second = Played(catalogs), Played(catalogs)
    third = Played(catalogs, force=True)

    assert not first.is_over
    assert second.is_over
    assert third.is_over
    assert ids(catalogs, provider) == OWLS


def test_the_same_mapping_is_given_until_something_changes() -> None:
    """Routing keeps its plans by it."""
    clock = FakeClock()
    catalogs = Catalogs([acme()], clock)
    before = catalogs.current()
    assert catalogs.current() is before
    live(catalogs, clock)
    assert catalogs.current() is not before


# ---------------------------------------------------------------------- the disk


def test_the_next_client_reads_what_the_last_one_heard(tmp_path: Path) -> None:
    """Without asking anybody, and believes it for the rest of its time."""
    clock, provider = FakeClock(), acme()
    live(Catalogs([provider], clock, tmp_path), clock)
    clock.move(TTL - 60)
    again = acme()
    catalogs = Catalogs([again], clock, tmp_path)
    steps = ask(catalogs, clock)

    assert launched(steps) == []
    assert ids(catalogs, again) == OWLS
    assert catalogs.catalog(again).source == "cache"
    clock.move(60)
    assert catalogs.is_due


@pytest.mark.parametrize(
    ("age", "is_asked", "source"),
    [
        (0, False, "cache"),
        (TTL - 1, False, "cache"),
        (TTL, True, "cache"),
        (KEPT_FOR - 1, True, "cache"),
        (KEPT_FOR, True, "builtin"),
        (-30 * 86_400, False, "cache"),
    ],
)
def test_an_old_file_serves_where_the_live_list_cannot_be_had(
    tmp_path: Path, age: float, is_asked: bool, source: str
) -> None:
    """While it is fresh nobody is asked; a time to come is taken for now."""
    clock, provider = FakeClock(), acme()
    saved = Saved(clock.utc() - age, (ModelSpec("old"),))
    CatalogFiles(tmp_path).write({"acme https://acme.example/v1": saved}, clock.utc())
    catalogs = Catalogs([provider], clock, tmp_path)
    steps = ask(catalogs, clock, *([PATIENCE] if is_asked else []))

    assert bool(launched(steps)) == is_asked
    assert catalogs.catalog(provider).source == source
    assert ids(catalogs, provider) == (["old"] if source == "cache" else [])
    assert catalogs.catalog(provider).expires_at <= clock.utc() + TTL


def test_two_endpoints_of_one_name_keep_their_lists_apart(tmp_path: Path) -> None:
    """A name is the user's own choice; what is there depends on the address."""
    clock = FakeClock()
    live(Catalogs([acme()], clock, tmp_path), clock)
    elsewhere = OpenAICompatible("acme", "https://elsewhere.example/v1", "secret")
    steps = ask(Catalogs([elsewhere], clock, tmp_path), clock, PATIENCE)

    assert launched(steps) == ["https://elsewhere.example/v1/models"]


def test_a_model_read_back_has_its_declared_limits(tmp_path: Path) -> None:
    """They are no part of the file: who declares them may have changed his mind."""
    clock, provider = FakeClock(), Groq("gsk_x")
    declared = provider.spec.models[0]
    body = json.dumps({"data": [{"id": declared.id}, {"id": "new-model"}]}).encode()
    live(Catalogs([provider], clock, tmp_path), clock, body)
    catalogs = Catalogs([provider], clock, tmp_path)
    ask(catalogs, clock)
    first, second = catalogs.current()[provider]

    assert (first, second.id, second.limits) == (declared, "new-model", None)


@pytest.mark.parametrize("damage", ["", "{", "[[[", "\0"])
def test_a_damaged_file_is_asked_anew_and_mended(tmp_path: Path, damage: str) -> None:
    """It counts as absent."""
    clock, provider = FakeClock(), acme()
    file = CatalogFiles(tmp_path).path("acme https://acme.example/v1")
    file.parent.mkdir()
    file.write_text(damage)
    live(Catalogs([provider], clock, tmp_path), clock)
    catalogs = Catalogs([provider], clock, tmp_path)
    ask(catalogs, clock)

    assert ids(catalogs, provider) == OWLS


def test_a_folder_that_cannot_be_had_costs_nothing_but_the_file(tmp_path: Path) -> None:
    """The live list serves this process all the same, for its whole time."""
    (tmp_path / "cache").write_text("a file")
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock, tmp_path / "cache")
    live(catalogs, clock)

    assert ids(catalogs, provider) == OWLS
    assert not catalogs.is_due


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of 3.12
def test_a_forked_child_asks_for_itself() -> None:
    """Although the thread that was asking is not there any more."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    parents = Played(catalogs)
    assert not parents.is_over
    child = os.fork()
    if child == 0:  # no assertion gets out of here: the exit status tells
        own = Played(catalogs)
        own.answer("acme")
        os._exit(0 if ids(catalogs, provider) == OWLS else 1)

    assert os.waitpid(child, 0)[1] == 0
    parents.leave()


rows = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "data", "models", "context_length", "pricing", "capabilities"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(rows | st.fixed_dictionaries({"data": st.lists(rows, max_size=4)}))
def test_whatever_a_list_says_it_never_breaks_a_call(said: object) -> None:
    """What it yields is models with ids, or nothing."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    live(catalogs, clock, json.dumps(said).encode())

    assert all(isinstance(name, str) and name for name in ids(catalogs, provider))


@given(st.binary(max_size=60))
def test_nor_do_bytes_that_are_no_list(data: bytes) -> None:
    """They may be anything."""
    clock, provider = FakeClock(), acme()
    catalogs = Catalogs([provider], clock)
    live(catalogs, clock, data)

    assert not catalogs.is_due


# ---------------------------------------------------------------------- clients, over real sockets


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(words="plain", limits=False, providers=("groq", "mistral")) as lab, lab.environ():
        yield lab


def asked_for_lists(lab: Lab) -> int:
    return sum(request.path == "models" for provider in lab for request in provider.requests)


def test_making_a_client_opens_and_writes_nothing(
    lab: Lab, tmp_path: Path, monkeypatch: Any
) -> None:
    """Nor does asking what it would do, or how it is."""
    monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path / "cache"))
    with FreeLLM(share=False) as client:
        client.health()
        client.capacity()
        client.explain("hello")

    assert [len(provider.requests) for provider in lab] == [0, 0]
    assert list(tmp_path.iterdir()) == []


def test_the_first_call_asks_for_the_lists_and_the_others_do_not(lab: Lab) -> None:
    """They are asked once each, by whichever method comes first."""
    with FreeLLM(share=False) as client:
        client.text("hello")
        client.text("hello")
        sources = {model.provider: model.source for model in client.models()}

    assert asked_for_lists(lab) == 2
    assert sources == {"groq": "live", "mistral": "live"}


def test_a_second_client_reads_the_file(lab: Lab) -> None:
    """It asks nobody."""
    with FreeLLM(share=False) as first:
        first.models()
    with FreeLLM(share=False) as second:
        models = second.models()

    assert asked_for_lists(lab) == 2
    assert {model.source for model in models} == {"cache"}


def test_refreshing_asks_whatever_is_known(lab: Lab) -> None:
    """In both clients alike."""
    with FreeLLM(share=False) as client:
        client.models()
        blocking = client.refresh_models()
        asyncio.run(client.to_async().refresh_models())

    assert asked_for_lists(lab) == 6
    assert {model.source for model in blocking} == {"live"}


def test_many_threads_ask_once_and_all_know_the_live_list(lab: Lab) -> None:
    """Also of an endpoint of which nothing is known beforehand."""
    endpoint = OpenAICompatible("acme", lab["groq"].base_url, lab["groq"].keys)
    ready = threading.Barrier(8)
    with FreeLLM(providers=[endpoint], share=False) as client:

        def call(_: int) -> str:
            ready.wait()
            return client.text("hello")

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(call, range(8)))

    assert all(answers)
    assert asked_for_lists(lab) == 1


async def test_many_tasks_ask_once_and_all_know_the_live_list(lab: Lab) -> None:
    """On one loop."""
    endpoint = OpenAICompatible("acme", lab["groq"].base_url, lab["groq"].keys)
    async with FreeLLM(providers=[endpoint], share=False).to_async() as client:
        answers = await asyncio.gather(*(client.text("hello") for _ in range(8)))

    assert all(answers)
    assert asked_for_lists(lab) == 1


def test_a_dead_list_does_not_keep_a_provider_from_answering(lab: Lab) -> None:
    """Its built-in models serve."""
    for provider in lab:
        provider.fail("server_error", path="models", times=None)
    with FreeLLM(share=False) as client:
        assert client.text("hello")
        assert {model.source for model in client.models()} == {"builtin"}

    assert asked_for_lists(lab) == 2


def test_the_file_may_be_out_of_reach(lab: Lab, tmp_path: Path, monkeypatch: Any) -> None:
    """The call is answered all the same."""
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("FREELM_CACHE_DIR", str(tmp_path / "taken"))
    with FreeLLM(share=False) as client:
        assert client.text("hello")


def test_no_model_by_that_name_is_told_after_the_lists_were_asked(lab: Lab) -> None:
    """A new model is known by them alone."""
    with FreeLLM(share=False) as client, pytest.raises(ConfigError, match="no-such-model"):
        client.text("hello", model="no-such-model")

    assert asked_for_lists(lab) == 2


def test_the_lists_go_through_the_given_client() -> None:
    """Its transport is used for every request."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, content=OWL)

    transport = httpx.Client(transport=httpx.MockTransport(answer))
    client = FreeLLM(providers=[acme(), Mistral("m" * 32)], share=False, http_client=transport)
    names = {model.id for model in client.models()}

    assert set(OWLS) <= names
    assert sorted(seen) == ["https://acme.example/v1/models", "https://api.mistral.ai/v1/models"]


# ---------------------------------------------------------------------- what is left of a key


ROWS = b'{"data": [{"id": "acme/owl:free"}]}'
DAILY = b'{"data": {"free_model_daily_requests": {"limit": 1000, "used": 900, "remaining": 100}}}'


def answering(**bodies: bytes) -> Callable[[str], bytes | None]:
    return lambda url: bodies.get(url.rsplit("/", 1)[-1])


def refreshed(provider: Any, answers: Callable[[str], bytes | None]) -> tuple[Catalogs, list[Any]]:
    """A refresh in which each address answers with a body, or never."""
    told: list[Any] = []
    clock = FakeClock()
    catalogs = Catalogs([provider], clock, hear=lambda *heard: told.append(heard[:3]))
    machine, replies = catalogs.refresh(), list[Reply]()
    reply: Reply | None = None
    while (step := advance(machine, reply)) is not None:
        reply = None
        if isinstance(step, Launch) and (body := answers(step.attempt.url)) is not None:
            replies += [Chunk(step.attempt, body), End(step.attempt)]
        elif isinstance(step, Wait) and replies:
            reply = replies.pop(0)
        elif isinstance(step, Wait):
            clock.move(step.seconds)
            reply = ELAPSED
    return catalogs, told


def test_the_quota_of_each_account_is_asked_for_beside_the_list() -> None:
    """With one key of each; what it tells goes to whoever counts."""
    provider = OpenRouter(["key-one", "key-two"])
    catalogs, told = refreshed(provider, answering(key=DAILY, models=ROWS))

    assert ids(catalogs, provider) == ["acme/owl:free"]
    assert [(one, key.fingerprint) for one, key, _ in told] == [
        (provider, key.fingerprint) for key in provider.keys
    ]
    assert {readings for *_, readings in told} == {(Reading("requests", 86_400.0, 1000, 100),)}
    shared = OpenRouter(["key-one", "key-two"], account="mine")
    assert len(refreshed(shared, answering(key=DAILY))[1]) == 1


@pytest.mark.parametrize("page", [b"", b"<html>", b'{"data": {}}', None])
def test_a_quota_that_is_not_told_is_no_trouble(page: bytes | None) -> None:
    """The list counts, whatever comes of the rest."""
    provider = OpenRouter("key-one")
    answers = {"models": ROWS} if page is None else {"key": page, "models": ROWS}
    catalogs, told = refreshed(provider, answering(**answers))

    assert told == []
    assert catalogs.catalog(provider).trouble == ""
    assert catalogs.catalog(provider).source == "live"


def test_what_is_told_of_a_key_holds_for_all_models_of_its_account() -> None:
    """Before the first call, and before any route is known."""
    clock = FakeClock()
    pool, provider = Pool(clock), OpenRouter("key-one", models=["acme/owl:free"])
    pool.hear(provider, provider.keys[0], (Reading("requests", 86_400.0, 1000, 100),), clock.now())
    assert provider.models is not None
    route = pool.route(provider, provider.keys[0], provider.models[0])
    (view,) = pool.views((route,), clock.now())

    assert view.headroom == pytest.approx(0.1)
    pool.hear(provider, provider.keys[0], (Reading("requests", 86_400.0, 1000, 0),), clock.now())
    assert pool.views((route,), clock.now())[0].resting == "window"
