"""Every refusal the providers are known to send is classified by kind, scope and wait."""

from __future__ import annotations

import json

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.wire.faults import FAULT_KINDS
from tests.wire.dialects import DECLARED, PLAIN
from tests.wire.refusals import ROWS, SAMPLES, UTC, Row


def faulted(row: Row):
    status, headers, body = row.recorded()
    return DECLARED.get(row.provider, PLAIN).fault(status, headers, body, utc=UTC)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.provider}/{row.case}")
def test_a_recorded_refusal_is_the_fault_the_table_says(row: Row):
    """Kind, scope, wait and parameter, for every row of every provider's error table."""
    fault = faulted(row)

    assert (fault.kind, fault.scope, fault.parameter) == (row.kind, row.scope, row.parameter)
    expected = row.retry_after
    assert fault.retry_after == (None if expected is None else pytest.approx(expected))
    assert fault.status == row.recorded()[0]


def test_every_sample_has_its_row():
    """A sample that nobody expects anything of tests nothing."""
    files = {path.relative_to(SAMPLES) for path in SAMPLES.glob("*/refusals/*.json")}

    assert {str(path.with_suffix("")) for path in files} == {
        f"{row.provider}/refusals/{row.case}" for row in ROWS
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.provider}/{row.case}")
def test_a_message_is_short_and_names_no_account(row: Row):
    """What is shown of a server's words fits on a line and holds no organisation."""
    fault = faulted(row)

    assert len(fault.message) <= 300
    assert "\n" not in fault.message
    assert "org_01" not in fault.message
    assert fault.message or not row.recorded()[2]
    assert fault.kind in FAULT_KINDS


@pytest.mark.parametrize("case", ["401-token-type", "400-multiple-credentials"])
def test_a_key_of_the_wrong_kind_is_not_called_dead(case):
    """Google's newer keys may be good elsewhere, so the words say so (2026-09)."""
    message = faulted(Row("google", case, "unauthorized", "key")).message

    assert "of a kind that this endpoint does not take" in message
    assert len(message) <= 300


IN_JSON = [row for row in ROWS if row.recorded()[2][:1] in {b"{", b"["} and not row.recorded()[1]]


@pytest.mark.parametrize("row", IN_JSON, ids=lambda row: f"{row.provider}/{row.case}")
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "body"])
def test_an_error_inside_a_200_is_the_same_kind_where_it_names_its_status(row: Row, streaming):
    """The same words in a data event or a body as behind a status mean the same."""
    status, _, body = row.recorded()
    said = json.loads(body)
    inner = {**(said[0] if isinstance(said, list) else said), "status_code": status}
    told = json.dumps(inner if "error" in inner else {"error": inner}).encode()
    request = Request(messages=({"role": "user", "content": "hi"},), streaming=streaming)
    decoder = DECLARED.get(row.provider, PLAIN).decoder(request, "m")
    fault = decoder.feed(b"data: " + told + b"\n\n" if streaming else told) or decoder.end()

    assert not isinstance(fault, list)
    assert fault.kind == row.kind


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"x-request-id": "req_01abc"}, "req_01abc"),
        ({"nvcf-reqid": "6f1c-9a"}, "6f1c-9a"),
        ({"cf-ray": "8d-FRA", "x-request-id": "req_1"}, "req_1"),
        ({"x-request-id": "<b>no id</b>"}, None),
        ({"x-request-id": "x" * 200}, None),
        ({}, None),
    ],
)
def test_a_server_s_own_name_for_a_request_is_kept(headers, request_id):
    """Its support asks for it; what is no name is not shown."""
    assert PLAIN.fault(500, headers, b"{}", utc=UTC).request_id == request_id
