"""Tables on a terminal, in a notebook and in a pipe."""

from __future__ import annotations

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.dispatcher import Dispatcher
from freelm_integrations.providers.provider import Groq, Local
from freelm_integrations.settings import Settings
from freelm_integrations.wire.faults import Fault
from tests.fakes import FakeClock

pytest.importorskip("rich")

from rich.text import Text

from freelm_integrations.display import (
    attempts_table,
    print_capacity,
    print_health,
    print_models,
    print_summary,
    print_table,
)
from tests.display.calls import HEDGED, REFUSED, STITCHED, console, told


def test_nothing_that_looks_like_an_emoji_or_markup_is_changed():
    target = console(terminal=False)
    print_table(
        [{"model": "a/b:free:", "what": "[bold]", "left": None, "free": True}], console=target
    )

    assert "a/b:free:" in target.file.getvalue()
    assert "[bold]" in target.file.getvalue()


def test_a_row_may_lack_what_another_has():
    target = console(terminal=False)
    print_table([{"a": 1}, {"b": 2, "a": 3}, {"c": True}], console=target)

    lines = [line.split() for line in target.file.getvalue().splitlines()]
    assert lines == [["a", "b", "c"], ["1"], ["3", "2"], ["yes"]]


def test_no_rows_are_an_empty_table():
    target = console(terminal=False)
    print_table([], console=target)

    assert target.file.getvalue().strip() == ""


@pytest.fixture(scope="module")
def asked() -> Dispatcher:
    """What clients ask: here a model is crowded, and a local server refused to answer."""
    clock = FakeClock()
    providers = [
        Groq("gsk_made_up_for_tests", models=["small", "large"]),
        Local("http://127.0.0.1:9/v1", models=["owl"]),
    ]
    one = Dispatcher(Settings.from_options(providers=providers, share=False), clock)
    flight = one.flight(Request(messages=({"role": "user", "content": "hi"},)), None)
    routes = {view.route.model.id: view.route for view in flight._itinerary.candidates.views(0.0)}
    for model, fault in {
        "large": Fault(kind="overloaded", scope="model", retry_after=20.0),
        "owl": Fault(kind="unauthorized", status=401),
    }.items():
        lease = one.pool.lease(routes[model], clock.now())
        one.pool.settle(lease, fault, clock.now())
    return one


@pytest.mark.parametrize(
    ("what", "show", "headings", "holds"),
    [
        (
            "models",
            print_models,
            "provider id list",
            [["groq", "small", "as set"], ["groq", "large"], ["local", "owl"]],
        ),
        (
            "health",
            print_health,
            "provider key state models resting last fault",
            [["groq", "ready", "large: overloaded"], ["local", "keyless", "key refused (401)"]],
        ),
        (
            "capacity",
            print_capacity,
            "provider model left of unit whole again in",
            [["groq", "small", "30", "requests a minute"], ["groq", "large", "tokens a day"]],
        ),
    ],
)
def test_what_a_client_knows_is_a_table(asked, what, show, headings, holds):
    target = console(terminal=False)
    show(getattr(asked, what)(), console=target)

    first, *lines = target.file.getvalue().splitlines()
    assert first.split() == headings.split()
    for words in holds:
        assert any(all(word in line for word in words) for line in lines), words


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_of_a_table_is_wider_than_the_terminal(width):
    """Columns go, cells are folded, and the rest is cut."""
    target = console(terminal=True, width=width)
    for events in (REFUSED, HEDGED, STITCHED):
        target.print(attempts_table(told(*events).attempts()))
        print_summary(told(*events), target)

    for line in target.file.getvalue().splitlines():
        assert len(plain(line)) <= width, line


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (110, "# provider model key outcome ms"),
        (64, "# provider model outcome ms"),
        (40, "# provider outcome ms"),
    ],
)
def test_a_narrow_terminal_does_without_keys_and_models(width, headings):
    """What came of an attempt matters most."""
    target = console(terminal=True, width=width)
    target.print(attempts_table(told(*REFUSED).attempts()))

    assert plain(target.file.getvalue().splitlines()[0]).split() == headings.split()


def test_who_carried_on_has_a_colour_of_its_own():
    """The same as its part of the text."""
    target = console(terminal=True)
    target.print(attempts_table(told(*STITCHED).attempts()))

    colours = [line[:5] for line in target.file.getvalue().splitlines()[1:]]
    assert colours == ["\x1b[31m", "\x1b[31m", "\x1b[36m"]


@pytest.mark.parametrize(
    ("events", "headings"),
    [
        (REFUSED, "provider attempts failed answers median ms"),
        (HEDGED, "provider attempts outpaced answers median ms"),
        (STITCHED, "provider attempts failed carried on answers median ms"),
    ],
)
def test_the_summary_has_only_columns_that_say_something(events, headings):
    """Where nothing was outpaced nobody asks how often."""
    target = console(terminal=False)
    print_summary(told(*events), target)

    assert target.file.getvalue().splitlines()[0].split() == headings.split()


def plain(line: str) -> str:
    """A line as it is seen."""
    return Text.from_ansi(line).plain
