"""Every recorded answer says what it says, streamed or whole, wherever its bytes are cut apart."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.chat import Delta, Request, fold
from freelm_integrations.wire.faults import Fault
from tests.wire.answers import ROWS, SAMPLES, Row
from tests.wire.dialects import DECLARED

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
by_name = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.provider}/{row.file}")


def decoder_for(row: Row):
    request = Request(
        messages=({"role": "user", "content": "hi"},),
        tools=(TOOL,) if row.tools or row.expected.calls else (),
        response_format={"type": "json_object"} if row.json else None,
        streaming=row.file.endswith(".sse"),
    )
    return DECLARED[row.provider].decoder(request, row.model)


def decoded(row: Row, cuts=(), decoder=None) -> list[Delta] | Fault:
    """All deltas of the sample, its bytes cut at these places."""
    data, decoder = row.recorded(), decoder or decoder_for(row)
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    deltas: list[Delta] = []
    for start, stop in pairwise(places):
        said = decoder.feed(data[start:stop])
        if isinstance(said, Fault):
            return said
        deltas += said
    last = decoder.end()
    return last if isinstance(last, Fault) else [*deltas, *last]


@by_name
def test_a_recorded_answer_amounts_to_what_the_table_says(row: Row):
    """Text, reasoning, calls, finish reason, usage and extras of each sample; or its fault."""
    said, wanted = decoded(row), row.expected

    if isinstance(said, Fault):
        assert (said.kind, said.lacked_room) == (wanted.fault, wanted.lacked_room)
        return
    whole = fold(said)
    assert wanted.fault is None
    assert (whole.text, whole.reasoning) == (wanted.text, wanted.reasoning)
    assert [(call.name, call.arguments) for call in whole.tool_calls] == list(wanted.calls)
    assert whole.finish_reason == wanted.finish
    usage = whole.usage
    assert wanted.usage == (
        usage
        and (
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.total_tokens,
            usage.reasoning_tokens,
            usage.cached_tokens,
        )
    )
    assert whole.extra == wanted.extra


@by_name
def test_calls_have_ids_and_signatures_of_their_own(row: Row):
    """Ids are those of the provider where it gave distinct ones, and unique in any case."""
    said, wanted = decoded(row), row.expected
    if isinstance(said, Fault):
        assert wanted.fault is not None
        return
    calls = fold(said).tool_calls
    ids = [call.id for call in calls]

    assert all(ids)
    assert len(set(ids)) == len(ids)
    assert wanted.ids is None or ids == wanted.ids
    if wanted.signature is not None:
        assert calls[0].extra == {"google": {"thought_signature": wanted.signature}}
        assert all(call.extra is None for call in calls[1:])


@by_name
def test_the_end_is_told_once_and_last(row: Row):
    """Finish reason and usage stand on the last delta and on no other."""
    said = decoded(row)
    if isinstance(said, Fault):
        return

    *others, last = said
    assert last.finish_reason is not None
    assert all(delta.finish_reason is None and delta.usage is None for delta in others)
    assert all(delta.has_content for delta in others)
    first_parts = [part for delta in said for part in delta.tool_calls if part.name is not None]
    assert [part.index for part in first_parts] == list(range(len(first_parts)))


@by_name
@given(cuts=st.lists(st.integers(0, 100_000), max_size=12))
def test_where_the_bytes_are_cut_makes_no_difference(row: Row, cuts):
    """The same answer, or the same fault, for any split of the same bytes."""
    whole, split = decoded(row), decoded(row, cuts)

    if isinstance(whole, Fault):
        assert split == whole
    else:
        assert not isinstance(split, Fault)
        assert fold(split) == fold(whole)


@by_name
def test_byte_by_byte_is_no_different(row: Row):
    """The most hostile split of all."""
    split, whole = decoded(row, range(len(row.recorded()))), decoded(row)

    assert (split if isinstance(split, Fault) else fold(split)) == (
        whole if isinstance(whole, Fault) else fold(whole)
    )


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.expected.served or row.expected.response_id]
)
def test_who_answered_is_the_servers_word(row: Row):
    """The decoder knows the model that answered and the id of the answer."""
    decoder = decoder_for(row)
    decoded(row, decoder=decoder)

    assert decoder.model == row.expected.served
    assert decoder.response_id == row.expected.response_id


def test_a_whole_answer_keeps_its_body():
    """`raw` is the parsed body of a whole answer, and nothing of a stream."""
    whole = next(row for row in ROWS if row.file == "padded.json")
    stream = next(row for row in ROWS if row.file == "text.sse")

    assert fold(decoded(whole)).raw["id"] == "gen-9"
    assert fold(decoded(stream)).raw == {}


def test_every_sample_has_its_row():
    """A sample that nobody expects anything of tests nothing."""
    files = {f"{path.parent.parent.name}/{path.name}" for path in SAMPLES.glob("*/answers/*")}

    assert files == {f"{row.provider}/{row.file}" for row in ROWS}
