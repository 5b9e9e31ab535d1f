"""HTTP/1.1 as the blocking driver reads it: however an answer is framed, packed and cut up."""

from __future__ import annotations

import gzip
import itertools
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.engine.http1 import exchange
from freelm_integrations.engine.sockets import Connection, Need, Origin, Stock
from freelm_integrations.engine.steps import Attempt, Broken, Chunk, End, Opened, Refused

ATTEMPT = Attempt("POST", "http://owl.example/v1/chat", {}, b"{}", None, timeout=5.0)


class OneConnection(Stock):
    """A stock of one connection, whose other end is ours."""

    def __init__(self):
        super().__init__()
        self.ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.connection = Connection(Origin("http", "owl.example", 80), theirs)

    def take(self, _):
        return self.connection


def hear(pieces, *, then_close=True):
    """The replies to an answer that comes in these pieces, and whether its connection is kept."""
    stock = OneConnection()
    left = [piece for piece in pieces if piece]
    heard = []
    with stock.ours:
        for told in exchange(stock, ATTEMPT):
            if not isinstance(told, Need):
                heard.append(told)
            elif left:
                stock.ours.sendall(left.pop(0))
            else:
                assert then_close, "it waits for more than there is"
                stock.ours.shutdown(socket.SHUT_WR)
    is_kept = stock.connection in stock._idle.get(stock.connection.origin, [])
    stock.close()
    return heard, is_kept


def text_of(heard):
    return b"".join(reply.data for reply in heard if isinstance(reply, Chunk))


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


PACKINGS = {
    "": bytes,
    "gzip": gzip.compress,
    "GZip": gzip.compress,
    "identity": bytes,
}


def framed(body, framing, encoding=""):
    lines = ["HTTP/1.1 200 OK"] + ([f"Content-Encoding: {encoding}"] if encoding else [])
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        half = len(body) // 2
        body = b"".join(
            b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part
        )
        body += b"0\r\n\r\n"
    return "\r\n".join([*lines, "", ""]).encode() + body


@given(
    body=st.binary(max_size=2000),
    framing=st.sampled_from(["length", "chunked", "until the end"]),
    encoding=st.sampled_from(sorted(PACKINGS)),
    places=st.lists(st.integers(0, 4000), max_size=6),
)
def test_an_answer_reads_the_same_wherever_it_is_cut(body, framing, encoding, places):
    """Byte for byte, in one piece or many."""
    sent = framed(PACKINGS[encoding](body), framing, encoding)
    heard, is_kept = hear(cut(sent, places), then_close=framing == "until the end")

    assert text_of(heard) == body
    assert isinstance(heard[0], Opened)
    assert isinstance(heard[-1], End)
    assert is_kept == (framing != "until the end")


@given(data=st.binary(max_size=300), places=st.lists(st.integers(0, 300), max_size=3))
def test_anything_at_all_ends_in_one_last_reply(data, places):
    """No bytes make it hang or raise."""
    heard, _ = hear(cut(data, places))

    assert isinstance(heard[-1], (End, Refused, Broken))
    assert not any(isinstance(reply, (End, Refused, Broken)) for reply in heard[:-1])


@given(at=st.integers(0, 200))
def test_an_answer_that_is_cut_off_is_broken(at):
    """And never passes for a whole one."""
    sent = framed(b"x" * 100, "length")
    heard, is_kept = hear([sent[: at % len(sent)]])

    assert isinstance(heard[-1], Broken)
    assert isinstance(heard[-1].error, ConnectionError)
    assert not is_kept


@pytest.mark.parametrize(
    ("sent", "last"),
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + framed(b"x", "length"), End, id="a 100"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", Broken, id="another protocol"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", Refused, id="no content"),
        pytest.param(framed(b"x", "length", "br"), Broken, id="packed unasked"),
        pytest.param(framed(b"not packed", "length", "gzip"), Broken, id="not packed as said"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, Broken, id="endless headers"),
        pytest.param(
            framed(b"x", "length") + b"HTTP/1.1 500 Oops\r\n\r\n", End, id="more than was asked"
        ),
    ],
)
def test_odd_answers_are_what_they_are(sent, last):
    """Each is one kind of last reply."""
    heard, _ = hear([sent])

    assert isinstance(heard[-1], last)
    if last is Broken:
        assert isinstance(heard[-1].error, ConnectionError)


def test_a_refusal_is_told_with_its_whole_body():
    """Unpacked, as one reply."""
    packed = gzip.compress(b"slow down")
    sent = framed(packed, "chunked", "gzip").replace(b"200 OK", b"429 Too Many Requests")
    ((refused,), is_kept) = hear(cut(sent, [40, 60, 90]), then_close=False)

    assert (refused.status, refused.body) == (429, b"slow down")
    assert is_kept
