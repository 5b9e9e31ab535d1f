"""Server-sent events come out right, whatever their line ends and wherever they are split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.wire.answers.sse import Event, EventReader

LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["", "error", "ping"]), st.lists(LINES, min_size=1, max_size=3)),
    max_size=5,
)


def read(*pieces: bytes) -> list[Event]:
    reader = EventReader()
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events + reader.end()


@pytest.mark.parametrize(
    ("said", "events"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b"data:a\n\n", [Event("a")]),
        (b"data:  a\n\n", [Event(" a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("a"), Event("b")]),
        (b"data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
        (b"data: a\ndata: b\n\n", [Event("a\nb")]),
        (b"data: a\ndata\ndata:\n\n", [Event("a\n\n")]),
        (b": comment\n\ndata: a\n\n: more\n\n", [Event("a")]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [Event("a", "error"), Event("b")]),
        (b"event: ping\n\ndata: b\n\n", [Event("b")]),
        (b"id: 1\nretry: 5\ndata: a\n\n", [Event("a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"data: a\n", [Event("a")]),
        (b"data: a", [Event("a")]),
        (b"\n\n\ndata: a\n\n\n\n", [Event("a")]),
        ("data: \u00e9\U0001f989\n\n".encode(), [Event("\u00e9\U0001f989")]),
        (b"data: \xff\n\n", [Event("\ufffd")]),
        (b"", []),
        (b": only a comment", []),
    ],
)
def test_events_are_read_as_the_standard_says(said, events):
    """And beyond it, the last event needs no blank line. No split makes a difference."""
    assert read(said) == events
    assert read(*(said[place : place + 1] for place in range(len(said)))) == events


@given(events=EVENTS, newline=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
def test_what_is_written_is_read_wherever_it_is_split(events, newline, data):
    """Any events, any line ends, any split: the same events."""
    written = "".join(
        (f"event: {name}{newline}" if name else "")
        + "".join(f"data: {line}{newline}" for line in lines)
        + newline
        for name, lines in events
    ).encode()
    cut = data.draw(st.lists(st.integers(0, len(written)), max_size=6).map(sorted))
    places = [0, *cut, len(written)]

    pieces = [written[start:stop] for start, stop in pairwise(places)]
    assert read(*pieces) == [Event("\n".join(lines), name) for name, lines in events]


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_any_bytes_are_read_without_an_error(pieces):
    """Garbage is nothing, or text; never an exception."""
    read(*pieces)


def test_a_body_that_is_no_event_stream_is_kept_to_be_read_as_one():
    """Lines no event stream has are kept until the first event, so that an error page shows."""
    reader = EventReader()
    reader.feed(b'{"error":\n {"message": "no"}}\n')
    assert b"\n".join(reader.stray) == b'{"error":\n {"message": "no"}}'

    reader.feed(b"data: a\n\nstray\n")
    assert len(reader.stray) == 2
