"""What every recorded answer says: the table that the decoder tests go by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an answer amounts to. `usage` is prompt, completion, total, reasoning, cached."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()
    ids: list[str] | None = None
    signature: str | None = None
    finish: str | None = None
    usage: tuple[int | None, ...] | None = None
    extra: dict[str, Any] | None = None
    served: str | None = None
    response_id: str | None = None
    fault: str | None = None
    lacked_room: bool = False


class Row:
    """A sample, the model it was asked of, and what it amounts to."""

    def __init__(
        self,
        provider: str,
        file: str,
        *,
        model: str = "m",
        tools: bool = False,
        json: bool = False,
        **expected: Any,
    ) -> None:
        self.provider = provider
        self.file = file
        self.model = model
        self.tools = tools
        self.json = json
        self.expected = Expected(**expected)

    def recorded(self) -> bytes:
        """The body as the server sent it."""
        return (SAMPLES / self.provider / "answers" / self.file).read_bytes()


def thought_by_mistral(model: str, *texts: str) -> dict[str, Any]:
    """The extras of an answer with these parts of thinking."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": text}], "closed": True}
        for text in texts
    ]
    return {"mistral": {"thinking": parts, "model": model}}


_SIGNED = thought_by_mistral("mistral-medium-latest", "A tool.", "Which?")
_SIGNED["mistral"]["thinking"][0]["signature"] = "c2ln"

ROWS = (
    Row("google", "text.sse", text="Two owls sat.", finish="stop", usage=(9, 56, 65, 50, None)),
    Row(
        "google",
        "calls-all-at-index-zero.sse",
        calls=[("get_weather", '{"city":"Paris"}'), ("get_weather", '{"city":"Rome"}')],
        finish="tool_calls",
        usage=(20, 10, 30, None, None),
        signature="c2lnMQ==",
    ),
    Row(
        "google",
        "calls-without-index.sse",
        calls=[("add", '{"a":1}'), ("add", '{"b":2}')],
        finish="tool_calls",
        ids=["function-call-11", "function-call-12"],
    ),
    Row(
        "google", "two-same-calls.sse", calls=[("roll", "{}"), ("roll", "{}")], finish="tool_calls"
    ),
    Row(
        "google",
        "signature-by-itself.sse",
        text="Done.",
        finish="stop",
        usage=(3, 1, 4, None, None),
        extra={"google": {"thought_signature": "c2lnMg=="}},
    ),
    Row(
        "google",
        "call-signature-by-itself.sse",
        calls=[("add", '{"a":1}')],
        finish="tool_calls",
        signature="c2lnMw==",
        ids=["call_7"],
    ),
    Row(
        "google",
        "thoughts.sse",
        text="There are <thought> tags and two owls.",
        reasoning="I count the owls.",
        finish="stop",
    ),
    Row(
        "google",
        "thoughts-then-call.sse",
        reasoning="A tool.",
        calls=[("add", '{"a":1}')],
        finish="tool_calls",
    ),
    Row("google", "user-speaks-of-tags.sse", text="<thought> is a tag.", finish="stop"),
    Row(
        "google",
        "gemma-thought.sse",
        model="gemma-9-31b-it",
        text="Yes.",
        reasoning="Hm.",
        finish="stop",
    ),
    Row("google", "malformed-call.sse", fault="tool_failed"),
    Row("google", "unexpected-call.sse", fault="tool_failed"),
    Row("google", "filtered.sse", fault="moderated"),
    Row("google", "filtered-midway.sse", text="Once", finish="content_filter"),
    Row("google", "cut.sse", fault="cut"),
    Row("google", "cut-behind-the-end.sse", text="Hoot.", finish="stop"),
    Row("google", "index-in-digits.sse", text="Hoot.", finish="stop"),
    Row("google", "error-list-in-stream.sse", fault="overloaded"),
    Row("google", "pretty-error-for-a-stream.sse", fault="overloaded"),
    Row(
        "google",
        "thoughts.json",
        text="Two.",
        reasoning="Count.",
        finish="stop",
        usage=(5, 35, 40, 34, None),
        extra={"google": {"thought_signature": "c2ln"}},
    ),
    Row("google", "length-of-nothing.json", fault="only_thinking", lacked_room=True),
    Row(
        "google",
        "call.json",
        calls=[("add", '{"a":1}')],
        finish="tool_calls",
        signature="c2ln",
        ids=["function-call-9"],
    ),
    Row("google", "error-in-list.json", fault="throttled"),
    Row(
        "groq",
        "text.sse",
        text="Hoot.",
        finish="stop",
        usage=(70, 9, 79, 4, None),
        response_id="chatcmpl-5f",
        served="openai/gpt-oss-20b",
    ),
    Row("groq", "usage-at-the-very-end.sse", text="Hoot.", finish="stop", usage=(70, 9, 79, 4, 64)),
    Row("groq", "usage-in-x-groq.sse", text="Hoot.", finish="stop", usage=(70, 9, 79, 4, None)),
    Row("groq", "reasoning.sse", text="Hoot.", reasoning="Owls hoot.", finish="stop"),
    Row(
        "groq",
        "call.sse",
        reasoning="Tool.",
        calls=[("add", '{"a":1}')],
        ids=["fc_0a1b2c3d-1111-2222-3333-444455556666"],
        finish="tool_calls",
    ),
    Row("groq", "error-event.sse", fault="tool_failed"),
    Row("groq", "error-event-in-words.sse", fault="overloaded"),
    Row("groq", "x-groq-error.sse", fault="server_error"),
    Row(
        "groq",
        "call-without-content.json",
        reasoning="Add.",
        calls=[("add", '{"a":1}')],
        finish="tool_calls",
        usage=(70, 9, 79, 4, None),
    ),
    Row("groq", "thinking-only.json", fault="only_thinking", lacked_room=True),
    Row(
        "cerebras",
        "text-and-reasoning-in-one-chunk.sse",
        text="Hoot.",
        reasoning="Owls hoot.",
        finish="stop",
        usage=(8, 6, 14, None, 0),
    ),
    Row(
        "cerebras",
        "last-chunk-without-choices.sse",
        text="Hoot.",
        finish="stop",
        usage=(8, 2, 10, None, None),
    ),
    Row(
        "cerebras",
        "call.sse",
        calls=[("add", '{"a":1}')],
        ids=["0a1b2c3d4"],
        finish="tool_calls",
        usage=(8, 2, 10, None, None),
    ),
    Row("cerebras", "text-called-a-call.sse", text="{}", finish="stop"),
    Row("cerebras", "error-in-stream.sse", fault="server_error"),
    Row("cerebras", "flat-error-in-stream.sse", fault="overloaded"),
    Row(
        "cerebras",
        "text.json",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        usage=(8, 6, 14, None, None),
    ),
    Row("mistral", "text.sse", text="Hoot.", finish="stop", usage=(7, 4, 11, None, 3)),
    Row(
        "mistral",
        "thinking-list.sse",
        model="mistral-small-latest",
        text="Hoot.",
        reasoning="Owls hoot.",
        finish="stop",
        usage=(7, 9, 16, None, None),
        extra=thought_by_mistral("mistral-small-latest", "Owls hoot."),
    ),
    Row(
        "mistral",
        "call-with-everything.sse",
        calls=[("add", '{"a": 1}')],
        ids=["abcdefgh1"],
        finish="tool_calls",
        usage=(30, 9, 39, None, None),
    ),
    Row(
        "mistral",
        "zai-fragments.sse",
        model="zai-glm-9",
        calls=[("add", '{"a": 1}')],
        ids=["chatcmpl-tool-0a1b"],
        finish="tool_calls",
    ),
    Row(
        "mistral",
        "null-ids.sse",
        calls=[("add", '{"a":1}'), ("sub", '{"b":2}')],
        finish="tool_calls",
    ),
    Row("mistral", "model-length.sse", text="Hoot", finish="length"),
    Row("mistral", "finish-error.sse", fault="server_error"),
    Row("mistral", "text.json", text="Hoot.", finish="stop", usage=(7, 4, 11, None, 2)),
    Row(
        "mistral",
        "thinking.json",
        model="mistral-small-latest",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        extra=thought_by_mistral("mistral-small-latest", "Owls."),
    ),
    Row("nim", "raw-think.sse", model="minimax-9", text="Hoot.", reasoning="Hm.\n", finish="stop"),
    Row(
        "nim",
        "reasoning-content.sse",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        usage=(5, 6, 11, None, None),
    ),
    Row("nim", "both-reasoning-fields.sse", text="Hoot.", reasoning="Owls.", finish="stop"),
    Row("nim", "running-usage.sse", text="Hoot.", finish="stop", usage=(5, 3, 8, None, None)),
    Row(
        "nim",
        "think-tags.sse",
        model="minimaxai/minimax-9",
        text="Hoot. <think>",
        reasoning="Owls.",
        finish="stop",
    ),
    Row("nim", "no-finish-but-done.sse", text="Hoot.", finish="stop"),
    Row("nim", "cut-text.sse", fault="cut"),
    Row("nim", "cut-after-whole-calls.sse", calls=[("add", '{"a":1}')], finish="tool_calls"),
    Row("nim", "cut-inside-a-call.sse", fault="cut"),
    Row("nim", "nothing.sse", fault="empty"),
    Row("nim", "only-done.sse", fault="empty"),
    Row("nim", "error-after-opening.sse", fault="overloaded"),
    Row(
        "nim",
        "fragments.sse",
        calls=[("add", '{"a": 1}'), ("sub", '{"b": 2}')],
        ids=["functions.add:0", "functions.sub:1"],
        finish="tool_calls",
    ),
    Row("nim", "leaked-call.sse", tools=True, fault="tool_failed"),
    Row("nim", "no-leak.sse", tools=True, text="<b>Hoot</b>", finish="stop"),
    Row("nim", "only-spaces.sse", fault="empty"),
    Row("nim", "spaces-first.sse", text="\n Hoot.", finish="stop"),
    Row(
        "nim",
        "unopened-think.json",
        model="minimaxai/minimax-9",
        text="Hoot.",
        reasoning="Owls.\n",
        finish="stop",
    ),
    Row(
        "nim",
        "unopened-think.sse",
        model="minimaxai/minimax-m3",
        text="Hoot.",
        reasoning="Owls.\n",
        finish="stop",
    ),
    Row(
        "groq",
        "think-in-text.sse",
        model="qwen/qwen3.8-27b",
        text="Hoot.",
        reasoning="Owls.\n",
        finish="stop",
    ),
    Row("mistral", "capacity-in-stream.sse", fault="overloaded"),
    Row("nim", "broken-call.json", fault="tool_failed"),
    Row("nim", "html.json", fault="broken"),
    Row("nim", "cut-body.json", fault="cut"),
    Row("nim", "title-only.json", fault="throttled"),
    Row(
        "openrouter",
        "text.sse",
        text="Hoot.",
        finish="stop",
        usage=(9, 4, 13, 2, 0),
        served="acme/owl-30b-20260901",
        response_id="gen-1795348800-abc",
    ),
    Row(
        "openrouter",
        "reasoning-details.sse",
        model="acme/owl-30b:free",
        text="Hoot.",
        reasoning="Owls hoot.",
        finish="stop",
        extra={
            "openrouter": {
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "format": "unknown",
                        "index": 0,
                        "text": "Owls hoot.",
                        "signature": "c2ln",
                    },
                    {"type": "reasoning.encrypted", "data": "ZGF0YQ==", "index": 1},
                ],
                "model": "acme/owl-30b:free",
            }
        },
    ),
    Row(
        "openrouter",
        "details-alone.sse",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        extra={
            "openrouter": {
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "Owls.", "index": 0}
                ],
                "model": "m",
            }
        },
    ),
    Row(
        "openrouter",
        "empty-details.sse",
        text="Hoot.",
        finish="stop",
        extra={"openrouter": {"reasoning_details": [], "model": "m"}},
    ),
    Row("openrouter", "error-in-mid-stream.sse", fault="server_error"),
    Row("openrouter", "error-first.sse", fault="throttled"),
    Row("openrouter", "comments-only.sse", fault="empty"),
    Row("openrouter", "cut.sse", fault="cut"),
    Row("openrouter", "debug-chunk.sse", text="Hoot.", finish="stop"),
    Row(
        "openrouter",
        "call-with-null-index.sse",
        calls=[("add", '{"a":1}')],
        ids=["call_1"],
        finish="tool_calls",
    ),
    Row("openrouter", "call-without-arguments.sse", calls=[("now", "{}")], finish="tool_calls"),
    Row(
        "openrouter",
        "leaked-think.sse",
        model="minimax/minimax-9",
        text="Hoot.",
        reasoning="Owls.\n",
        finish="stop",
    ),
    Row("openrouter", "padded.json", text="Hoot.", finish="stop", usage=(9, 4, 13, None, None)),
    Row("openrouter", "only-padding.json", fault="empty"),
    Row("openrouter", "error-without-choices.json", fault="server_error"),
    Row("openrouter", "error-in-choice.json", fault="server_error"),
    Row("openrouter", "error-beside-empty-choice.json", fault="overloaded"),
    Row("openrouter", "empty-message.json", fault="empty"),
    Row("openrouter", "no-choices.json", fault="empty"),
    Row("openrouter", "null-choices.json", fault="empty"),
    Row("openrouter", "null-message.json", fault="empty"),
    Row("openrouter", "filtered.json", fault="moderated"),
    Row(
        "openrouter",
        "details.json",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        extra={
            "openrouter": {
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "format": "unknown",
                        "index": 0,
                        "text": "Owls.",
                        "signature": "c2ln",
                    }
                ],
                "model": "m",
            }
        },
    ),
    Row("local", "ollama-text.sse", text="Hoot.", finish="stop", usage=(20, 4, 24, None, None)),
    Row("local", "ollama-lost-error.sse", fault="cut"),
    Row("local", "ollama-thinking.sse", text="Hoot.", reasoning="Owls.", finish="stop"),
    Row("local", "lmstudio-empty.sse", fault="empty"),
    Row(
        "local",
        "lmstudio-call.sse",
        calls=[("add", '{"a":1}')],
        ids=["365174485"],
        finish="tool_calls",
    ),
    Row(
        "local",
        "llamacpp-text.sse",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        usage=(12, 5, 17, None, None),
    ),
    Row("local", "llamacpp-error.sse", fault="server_error"),
    Row("local", "body-for-a-stream.sse", text="Hoot.", finish="stop"),
    Row("local", "stream-for-a-body.json", text="Hoot.", finish="stop"),
    Row("nim", "placeholder-arguments.sse", calls=[("add", '{"a":1}')], finish="tool_calls"),
    Row("nim", "id-after-name.sse", calls=[("add", '{"a":1}')], finish="tool_calls"),
    Row(
        "nim",
        "repeated-id.sse",
        calls=[("add", '{"a":1}'), ("add", '{"a":2}')],
        finish="tool_calls",
    ),
    Row("nim", "name-in-every-fragment.sse", calls=[("add", '{"a":1}')], finish="tool_calls"),
    Row("nim", "legacy-function-call.sse", calls=[("add", '{"a":1}')], finish="tool_calls"),
    Row("nim", "length-inside-a-call.sse", calls=[("add", '{"a":')], finish="length"),
    Row("cloudflare", "text.json", text="Hoot.", finish="stop", usage=(9, 3, 12, None, None)),
    Row("cloudflare", "error-in-200.json", fault="overloaded"),
    Row("cohere", "text.sse", text="Hoot.", finish="stop", usage=(9, 3, 12, None, None)),
    Row("huggingface", "text.sse", text="Hoot.", finish="stop", usage=(9, 3, 12, None, None)),
    Row(
        "zai",
        "thinking.sse",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        usage=(12, 6, 18, None, None),
    ),
    Row(
        "zai",
        "tool-call.sse",
        calls=[("add", '{"a":1}')],
        ids=["call_-7"],
        finish="tool_calls",
        usage=(20, 9, 29, None, None),
    ),
    Row("zai", "sensitive.sse", fault="moderated"),
    Row(
        "ovhcloud",
        "reasoning.sse",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        usage=(69, 8, 77, None, None),
    ),
    Row(
        "ovhcloud",
        "think-in-text.sse",
        model="Qwen3-32B",
        text="Hoot.",
        reasoning="Owls.\n",
        finish="stop",
    ),
    Row(
        "kilo",
        "details.sse",
        text="Hoot.",
        reasoning="Owls.",
        finish="stop",
        usage=(9, 4, 13, None, None),
        extra={
            "kilo": {
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "format": "unknown",
                        "index": 0,
                        "text": "Owls.",
                        "signature": "c2ln",
                    }
                ],
                "model": "m",
            }
        },
    ),
    Row("kilo", "error-in-stream.sse", fault="server_error"),
    Row("openrouter", "thinking-only.sse", fault="only_thinking"),
    Row("openrouter", "hidden-thinking-only.json", fault="only_thinking"),
    Row("nim", "thinking-eats-the-room.sse", fault="only_thinking", lacked_room=True),
    Row("cerebras", "thinking-only.json", fault="only_thinking", lacked_room=True),
    # More room would be filled with more spaces: nothing here was thought.
    Row("mistral", "spaces-to-the-limit.sse", fault="empty", lacked_room=True),
    Row(
        "mistral",
        "signed-thinking-then-call.sse",
        model="mistral-medium-latest",
        reasoning="A tool.Which?",
        calls=[("add", '{"a":1}')],
        ids=["abcdefgh1"],
        finish="tool_calls",
        usage=(30, 9, 39, None, None),
        extra=_SIGNED,
    ),
    Row("kilo", "guard.sse", fault="empty"),
    Row("kilo", "guard.json", fault="empty"),
    Row("openrouter", "guard.json", model="openrouter/free", fault="empty"),
    Row("nim", "call-leaks-after-words.json", tools=True, fault="tool_failed"),
    Row(
        "google",
        "fenced-json.sse",
        model="gemma-9-31b-it",
        json=True,
        text='{"a": 1}',
        finish="stop",
    ),
    Row(
        "cerebras",
        "think-in-text.sse",
        text="Hoot.",
        reasoning="Hm.",
        finish="stop",
        usage=(8, 6, 14, None, None),
    ),
)
