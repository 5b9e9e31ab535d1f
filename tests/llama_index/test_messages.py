"""LlamaIndex messages become OpenAI-shaped dicts, with what is theirs and nothing else."""

from __future__ import annotations

import base64
import copy
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from pydantic import BaseModel

from freelm_integrations.llama_index.messages import to_wire

if TYPE_CHECKING:
    from pathlib import Path

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PIXEL_URL = "data:image/png;base64," + base64.b64encode(PIXEL).decode()


def call(call_id: str | None, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("role", "wire"),
    [
        ("system", "system"),
        ("developer", "developer"),
        ("user", "user"),
        ("assistant", "assistant"),
        ("chatbot", "assistant"),
        ("model", "assistant"),
    ],
)
def test_every_role_has_its_word(role: str, wire: str) -> None:
    """The roles of other APIs are told in the words of this one."""
    assert to_wire([ChatMessage(role=role, content="hi")]) == [{"role": wire, "content": "hi"}]


@pytest.mark.parametrize(
    ("blocks", "content"),
    [
        ([], ""),
        ([TextBlock(text="")], ""),
        ([TextBlock(text="a"), TextBlock(text="b")], "a\nb"),
        ([ThinkingBlock(content="hm"), TextBlock(text="a")], "a"),
        ([TextBlock(text="a"), CachePoint(cache_control=CacheControl(type="ephemeral"))], "a"),
        ([CitableBlock(title="t", source="s", content="cited")], "cited"),
        (
            [
                CitationBlock(
                    cited_content="said", source="s", title="t", additional_location_info={}
                )
            ],
            "said",
        ),
        (
            [TextBlock(text="see"), ImageBlock(image=PIXEL)],
            [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": {"url": PIXEL_URL}},
            ],
        ),
        (
            [ImageBlock(image=BytesIO(PIXEL), image_mimetype="image/png", detail="low")],
            [{"type": "image_url", "image_url": {"url": PIXEL_URL, "detail": "low"}}],
        ),
        (
            [ImageBlock(url="https://example.com/cat.png")],
            [{"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}],
        ),
        (
            [ImageBlock(url=PIXEL_URL)],
            [{"type": "image_url", "image_url": {"url": PIXEL_URL}}],
        ),
        (
            [AudioBlock(audio=b"\xff\xfbsound", format="mp3")],
            [
                {
                    "type": "input_audio",
                    "input_audio": {
                        "data": base64.b64encode(b"\xff\xfbsound").decode(),
                        "format": "mp3",
                    },
                }
            ],
        ),
        (
            [VideoBlock(url="https://example.com/cat.mp4")],
            [{"type": "video_url", "video_url": {"url": "https://example.com/cat.mp4"}}],
        ),
        (
            [DocumentBlock(data=b"%PDF-1.4 x", title="a.pdf", document_mimetype="application/pdf")],
            [
                {
                    "type": "file",
                    "file": {
                        "filename": "a.pdf",
                        "file_data": "data:application/pdf;base64,"
                        + base64.b64encode(b"%PDF-1.4 x").decode(),
                    },
                }
            ],
        ),
    ],
)
def test_blocks_become_content(blocks: list[Any], content: object) -> None:
    """Text is a string, media are parts, what only one vendor knows is left out."""
    assert to_wire([ChatMessage(role="user", blocks=blocks)])[0]["content"] == content


def test_an_image_file_is_inlined(tmp_path: Path) -> None:
    """A path means nothing to an endpoint."""
    path = tmp_path / "dot.png"
    path.write_bytes(PIXEL)

    [message] = to_wire([ChatMessage(role="user", blocks=[ImageBlock(path=path)])])

    assert message["content"] == [{"type": "image_url", "image_url": {"url": PIXEL_URL}}]


def test_only_what_endpoints_know_leaves() -> None:
    """Hints that other integrations left in `additional_kwargs` stay here."""
    extras = {"cache_control": {"type": "ephemeral"}, "images_seen": 3, "name": "ann"}

    assert to_wire([ChatMessage(role="user", content="hi", additional_kwargs=extras)]) == [
        {"role": "user", "content": "hi", "name": "ann"}
    ]


class SdkFunction(BaseModel):
    name: str = "add"
    arguments: str = '{"a": 1}'


class SdkCall(BaseModel):
    id: str = "x"
    type: str = "function"
    function: SdkFunction = SdkFunction()


SIGNED = {**call("x", "add", '{"a": 1}'), "extra_content": {"google": {"thought_signature": "s"}}}


@pytest.mark.parametrize(
    ("blocks", "listed", "sent"),
    [
        ([ToolCallBlock(tool_call_id="x", tool_name="add", tool_kwargs={"a": 1})], None, "plain"),
        ([ToolCallBlock(tool_call_id="x", tool_name="add", tool_kwargs='{"a": 1}')], None, "plain"),
        ([], [call("x", "add", '{"a": 1}')], "plain"),
        ([], [SdkCall()], "plain"),
        ([], [SIGNED], "signed"),
        (
            [ToolCallBlock(tool_call_id="x", tool_name="add", tool_kwargs={"a": 1})],
            [SIGNED],
            "signed",
        ),
    ],
)
def test_a_call_is_sent_once_from_either_place(blocks: list[Any], listed: Any, sent: str) -> None:
    """Blocks, the older list, or both: one call, with what its maker wants back."""
    extras = {} if listed is None else {"tool_calls": listed}

    [message] = to_wire([ChatMessage(role="assistant", blocks=blocks, additional_kwargs=extras)])

    plain = call("x", "add", '{"a": 1}')
    assert message["tool_calls"] == [SIGNED if sent == "signed" else plain]
    assert message["content"] == ""


def test_calls_and_replies_without_ids_are_paired() -> None:
    """Histories of integrations that keep no ids still make sense to an endpoint."""
    calls = [ToolCallBlock(tool_name="add"), ToolCallBlock(tool_name="sub")]
    history = [
        ChatMessage(role="assistant", blocks=calls),
        ChatMessage(role="function", content="3"),
        ChatMessage(role="tool", content="1"),
    ]

    asked, first, second = to_wire(history)

    ids = [one["id"] for one in asked["tool_calls"]]
    assert len(set(ids)) == 2
    assert (first["role"], second["role"]) == ("tool", "tool")
    assert [first["tool_call_id"], second["tool_call_id"]] == ids


def test_a_reply_to_no_call_is_the_users_word() -> None:
    """No endpoint takes a tool message that answers nothing."""
    assert to_wire([ChatMessage(role="tool", content="3")]) == [{"role": "user", "content": "3"}]


def test_a_return_direct_answer_does_not_claim_to_be_a_tool() -> None:
    """Agents put the id on the assistant's closing words as well."""
    closing = ChatMessage(role="assistant", content="3", additional_kwargs={"tool_call_id": "x"})

    assert to_wire([closing]) == [{"role": "assistant", "content": "3"}]


def test_what_only_the_maker_understands_goes_back_with_the_thinking() -> None:
    """Reasoning details ride on the thinking block, which itself is not sent."""
    extra = {"openrouter": {"reasoning_details": [1]}}
    thought = ThinkingBlock(content="hm", additional_information={"extra_content": extra})

    [message] = to_wire([ChatMessage(role="assistant", blocks=[thought, TextBlock(text="a")])])

    assert message == {"role": "assistant", "content": "a", "extra_content": extra}


BLOCKS = st.one_of(
    st.builds(TextBlock, text=st.text()),
    st.builds(ThinkingBlock, content=st.text()),
    st.builds(
        ToolCallBlock,
        tool_call_id=st.none() | st.text(min_size=1),
        tool_name=st.text(min_size=1),
        tool_kwargs=st.dictionaries(st.text(), st.integers()),
    ),
)
MESSAGES = st.builds(
    ChatMessage,
    role=st.sampled_from(MessageRole),
    blocks=st.lists(BLOCKS, max_size=4),
    additional_kwargs=st.dictionaries(
        st.sampled_from(["tool_call_id", "name", "x"]), st.text(), max_size=3
    ),
)


@given(st.lists(MESSAGES, max_size=6))
def test_any_history_is_sendable_and_untouched(history: list[ChatMessage]) -> None:
    """Whatever the history, the result is JSON, known roles only, and the history is as before."""
    before = copy.deepcopy(history)

    wire = to_wire(history)

    assert history == before
    assert json.loads(json.dumps(wire)) == wire
    assert len(wire) == len(history)
    for message in wire:
        assert message["role"] in {"system", "developer", "user", "assistant", "tool"}
        assert (message["role"] == "tool") == ("tool_call_id" in message)
        assert message.keys() <= {"role", "content", "name", "tool_calls", "tool_call_id"}
