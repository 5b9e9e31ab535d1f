"""Scripted faults that need no answer to spoil: refusals, odd bodies, silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.faults import REFUSALS, LabFault
from freelm_integrations.lab.loose import compact
from freelm_integrations.lab.refusals import Refused
from freelm_integrations.lab.replies import JSON, SSE, Flow, Mishap, Reply, Whole
from freelm_integrations.lab.server.spoil import one_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freelm_integrations.lab.loose import Json


def _page(status: int, title: bytes) -> Whole:
    head = b"<html>\r\n<head><title>%b</title></head>\r\n" % title
    body = b"<body><center><h1>%b</h1></center></body>\r\n</html>\r\n" % title
    return Whole(status, head + body, content_type="text/html")


_FIXED: Mapping[str, Reply] = {
    "bad_gateway_html": _page(502, b"502 Bad Gateway"),
    "html_200": _page(200, b"Please wait"),
    "refuse": Mishap.RESET,
    "reset_before_headers": Mishap.RESET,
    "hang": Mishap.HANG,
}


def scripted_reply(
    fault: LabFault, refuse: Callable[[Refused], Whole], *, stream: bool
) -> Reply | None:
    """The reply of a fault, or None if it is one that spoils a good answer.

    Args:
        fault: What is to go wrong.
        refuse: Puts a refusal in the provider's own words.
        stream: Whether a stream was asked for.

    """
    if fault.kind in _FIXED:
        return _FIXED[fault.kind]
    if fault.kind in REFUSALS:
        return refuse(_refused(fault.kind, fault))
    kind = SSE if stream else JSON
    if fault.kind == "hang_after_headers":
        return Flow(one_frame(Mishap.HANG), content_type=kind)
    body = _odd_body(fault, refuse)
    if body and body.strip() and stream:
        body = b"data: " + body.strip() + b"\n\n"
    return None if body is None else Whole(200, body, content_type=kind)


def _odd_body(fault: LabFault, refuse: Callable[[Refused], Whole]) -> bytes | None:
    """The body of a 200 that is no answer, or None."""
    if fault.kind == "error_in_200":
        return refuse(_refused("overloaded", fault)).body
    if fault.kind == "no_choices":
        return compact({"id": "lab", "object": "chat.completion", "choices": []})
    return {"empty_body": b"", "whitespace": b"\n   " * 40 + b"\n"}.get(fault.kind)


def _refused(kind: str, fault: LabFault) -> Refused:
    facts: Json = {"retry_after": fault.retry_after}
    if fault.retry_after is not None:
        facts["wait"] = fault.retry_after
    return Refused(kind, facts)
