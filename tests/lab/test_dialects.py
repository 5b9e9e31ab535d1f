"""Each played provider answers in its own dialect: as the sheets of its wire facts say."""

from __future__ import annotations

import json
import re

import pytest

from freelm_integrations.lab import Lab
from tests.lab.asking import NAMES, Asker, text_of

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
IN_TWO_PLACES = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_says_what_a_whole_answer_says(lab: Lab, ask: Asker, name: str):
    """Streaming or not, the same request gets the same words."""
    whole = json.loads(ask.post(lab[name]).content)
    events = ask.events(lab[name])

    assert whole["choices"][0]["message"]["content"] == text_of(events)
    assert events[-1] == "[DONE]"


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_the_same_in_every_lab(lab: Lab, ask: Asker, name: str):
    """Ids included: nothing about an answer is left to chance."""
    with Lab(words="plain", limits=False) as one, Lab(words="plain", limits=False) as two:
        first, second = ask.post(one[name]).json(), ask.post(two[name]).json()

    stamps = {"created", "time_info"}
    assert {key: first[key] for key in first if key not in stamps | {"id"}} == {
        key: second[key] for key in second if key not in stamps | {"id"}
    }


def finish_event(events: list) -> dict:
    """The chunk that carries the finish reason."""
    return next(
        event
        for event in events
        if event != "[DONE]" and event["choices"] and event["choices"][0].get("finish_reason")
    )


@pytest.mark.parametrize(
    ("name", "asked", "place"),
    [
        ("groq", False, "finish"),
        ("groq", True, "trailer"),
        ("cerebras", False, "finish"),
        ("mistral", False, "finish"),
        ("google", False, "nowhere"),
        ("google", True, "finish"),
        ("nim", False, "nowhere"),
        ("nim", True, "trailer"),
        ("openrouter", False, "second last"),
    ],
)
def test_usage_comes_where_the_provider_puts_it(
    lab: Lab, ask: Asker, name: str, asked: bool, place: str
):
    """On the finish chunk, in a chunk of its own without choices, or not at all."""
    options = {"stream_options": {"include_usage": True}} if asked else {}
    events = ask.events(lab[name], **options)
    carrying = [event for event in events if event != "[DONE]" and event.get("usage")]

    assert len(carrying) == (0 if place == "nowhere" else 1)
    if place == "finish":
        assert carrying == [finish_event(events)]
    if place == "trailer":
        assert carrying[0]["choices"] == []
    if place == "second last":
        assert carrying == [events[-2]]


TOOL_IDS = {
    "groq": r"fc_[0-9a-f-]{36}",
    "cerebras": r"[0-9a-f]{9}",
    "mistral": r"[A-Za-z0-9]{9}",
    "google": r"function-call-\d+",
    "nim": r"chatcmpl-tool-[0-9a-f]{32}",
    "openrouter": r"call_[A-Za-z0-9]{24}",
}


@pytest.mark.parametrize("name", NAMES)
def test_tool_calls_have_ids_of_the_provider_s_shape(lab: Lab, ask: Asker, name: str):
    """And every call of one answer has another."""
    reply = ask.post(lab[name], messages=IN_TWO_PLACES, tools=[WEATHER]).json()
    calls = reply["choices"][0]["message"]["tool_calls"]
    ids = [call["id"] for call in calls]

    assert [json.loads(call["function"]["arguments"]) for call in calls] == [
        {"city": "Paris"},
        {"city": "Rome"},
    ]
    assert len(set(ids)) == 2
    assert all(re.fullmatch(TOOL_IDS[name], one) for one in ids)


def tool_deltas(events: list) -> list[dict]:
    """Every tool-call part of a stream."""
    choices = [event["choices"][0] for event in events if event != "[DONE]" and event["choices"]]
    return [part for choice in choices for part in choice["delta"].get("tool_calls") or []]


@pytest.mark.parametrize(
    ("name", "indexes"),
    [("groq", [0, 1]), ("cerebras", [0, 1]), ("google", [0, 0]), ("mistral", [0, 1])],
)
def test_whole_calls_come_with_the_indexes_the_provider_gives(
    lab: Lab, ask: Asker, name: str, indexes: list[int]
):
    """Google gives every parallel call the index 0."""
    parts = tool_deltas(ask.events(lab[name], messages=IN_TWO_PLACES, tools=[WEATHER]))

    assert [part["index"] for part in parts] == indexes
    assert [json.loads(part["function"]["arguments"])["city"] for part in parts] == [
        "Paris",
        "Rome",
    ]


def test_vllm_behind_nim_cuts_calls_up(lab: Lab, ask: Asker):
    """The id comes in the first fragment alone, and an empty fragment comes last."""
    parts = tool_deltas(
        ask.events(lab["nim"], model="openai/gpt-oss-20b", messages=IN_TWO_PLACES, tools=[WEATHER])
    )
    first = [part for part in parts if part["index"] == 0]
    arguments = "".join(part["function"].get("arguments", "") for part in first)

    assert json.loads(arguments) == {"city": "Paris"}
    assert [("id" in part) for part in first] == [True] + [False] * (len(first) - 1)
    assert first[-1]["function"] == {"arguments": ""}


def test_only_the_first_gemini_call_carries_a_signature(lab: Lab, ask: Asker):
    """And a stream of calls ends with `stop`."""
    events = ask.events(lab["google"], messages=IN_TWO_PLACES, tools=[WEATHER])
    parts = tool_deltas(events)

    assert ["extra_content" in part for part in parts] == [True, False]
    assert finish_event(events)["choices"][0]["finish_reason"] == "stop"


def test_mistral_puts_calls_finish_and_usage_in_one_chunk(lab: Lab, ask: Asker):
    """A client that looks at the finish before the delta misses the call."""
    last = finish_event(ask.events(lab["mistral"], messages=IN_TWO_PLACES, tools=[WEATHER]))

    assert last["choices"][0]["finish_reason"] == "tool_calls"
    assert len(last["choices"][0]["delta"]["tool_calls"]) == 2
    assert last["usage"]["total_tokens"] > 0


def test_groq_leaves_content_out_of_a_message_of_calls(lab: Lab, ask: Asker):
    """Not null: the key is missing."""
    reply = ask.post(lab["groq"], messages=IN_TWO_PLACES, tools=[WEATHER]).json()

    assert "content" not in reply["choices"][0]["message"]


@pytest.mark.parametrize(
    ("name", "model", "field"),
    [
        ("groq", "openai/gpt-oss-20b", "reasoning"),
        ("cerebras", "gpt-oss-120b", "reasoning"),
        ("nim", "openai/gpt-oss-20b", "reasoning_content"),
        ("openrouter", "google/gemma-4-31b-it:free", "reasoning"),
    ],
)
def test_reasoning_stands_in_the_field_the_provider_uses(
    lab: Lab, ask: Asker, name: str, model: str, field: str
):
    """Whole and in deltas alike."""
    message = ask.post(lab[name], model=model).json()["choices"][0]["message"]
    events = ask.events(lab[name], model=model)
    deltas = [event["choices"][0]["delta"] for event in events if event != "[DONE]"]

    assert message[field]
    assert "".join(delta.get(field, "") for delta in deltas) == message[field]


@pytest.mark.parametrize(
    ("name", "model", "opening"),
    [("google", "gemma-4-31b-it", "<thought>"), ("nim", "minimaxai/minimax-m3", "<think>")],
)
def test_some_models_think_inside_their_text(
    lab: Lab, ask: Asker, name: str, model: str, opening: str
):
    """Between tags, whole and streamed alike."""
    whole = ask.post(lab[name], model=model).json()["choices"][0]["message"]["content"]
    closing = opening.replace("<", "</")

    assert whole.startswith(opening)
    assert closing in whole
    assert text_of(ask.events(lab[name], model=model)) == whole


def test_mistral_thinks_in_a_list(lab: Lab, ask: Asker):
    """Only when asked to think hard; in a stream the list of the switch holds both kinds."""
    hard = {"model": "mistral-small-latest", "reasoning_effort": "high"}
    whole = ask.post(lab["mistral"], **hard).json()["choices"][0]["message"]["content"]
    lists = [
        [part["type"] for part in event["choices"][0]["delta"]["content"]]
        for event in ask.events(lab["mistral"], **hard)
        if event != "[DONE]" and isinstance(event["choices"][0]["delta"].get("content"), list)
    ]
    easy = ask.post(lab["mistral"], model="mistral-small-latest").json()

    assert [part["type"] for part in whole] == ["thinking", "text"]
    assert lists[0] == ["thinking"]
    assert lists[-1] == ["thinking", "text"]
    assert isinstance(easy["choices"][0]["message"]["content"], str)


def test_google_hides_thinking_in_the_total(lab: Lab, ask: Asker):
    """The total is more than its parts."""
    usage = ask.post(lab["google"]).json()["usage"]

    assert usage["total_tokens"] > usage["prompt_tokens"] + usage["completion_tokens"]


def test_google_prints_keys_in_order_and_the_role_every_time(lab: Lab, ask: Asker):
    """As its stream does."""
    events = ask.events(lab["google"])[:-1]

    assert all(list(event) == sorted(event) for event in events)
    assert all(event["choices"][0]["delta"]["role"] == "assistant" for event in events)


def test_openrouter_comments_and_pads(lab: Lab, ask: Asker):
    """Comments before a stream, white space before a body."""
    stream = ask.post(lab["openrouter"], stream=True).text
    whole = ask.post(lab["openrouter"]).text

    assert stream.startswith(": OPENROUTER PROCESSING\n\n")
    assert whole.startswith("\n")


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("groq", ["x_groq", "service_tier", "usage_breakdown"]),
        ("cerebras", ["time_info", "system_fingerprint"]),
        ("openrouter", ["provider"]),
    ],
)
def test_whole_answers_carry_the_provider_s_extras(
    lab: Lab, ask: Asker, name: str, marks: list[str]
):
    """Fields a strict client might trip over."""
    assert set(marks) <= set(ask.post(lab[name]).json())


def test_mistral_repeats_the_prefix_it_continues(lab: Lab, ask: Asker):
    """And goes on exactly where it ends."""
    question = {"role": "user", "content": "Tell me about cats"}
    whole = ask.post(lab["mistral"]).json()["choices"][0]["message"]["content"]
    begun = {"role": "assistant", "content": whole[:20], "prefix": True}
    again = ask.post(lab["mistral"], messages=[question, begun]).json()

    assert again["choices"][0]["message"]["content"] == whole


@pytest.mark.parametrize(
    ("name", "model", "continues"),
    [
        ("google", "gemini-3-flash-preview", True),
        ("openrouter", "google/gemma-4-31b-it:free", True),
        ("groq", "openai/gpt-oss-20b", False),
        ("cerebras", "gpt-oss-120b", False),
    ],
)
def test_a_trailing_assistant_message_is_continued_or_ignored(
    lab: Lab, ask: Asker, name: str, model: str, continues: bool
):
    """As the provider's models do."""
    question = {"role": "user", "content": "Tell me about cats"}
    whole = ask.post(lab[name], model=model).json()["choices"][0]["message"]["content"]
    begun = {"role": "assistant", "content": whole[:20]}
    again = ask.post(lab[name], model=model, messages=[question, begun]).json()

    expected = whole[20:] if continues else whole
    assert again["choices"][0]["message"]["content"] == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_short_allowance_cuts_the_answer(lab: Lab, ask: Asker, name: str):
    """It ends with `length`, and the tokens are counted."""
    model = "ministral-8b-latest" if name == "mistral" else lab[name].models[0]
    reply = ask.post(lab[name], model=model, max_tokens=18).json()

    assert reply["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("name", NAMES)
def test_a_stop_sequence_ends_the_answer_before_it(lab: Lab, ask: Asker, name: str):
    """Even one that is spread over pieces; streamed and whole alike."""
    reply = ask.post(lab[name], stop=["the details"]).json()
    text = reply["choices"][0]["message"]["content"]

    assert text.endswith("look at ")
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert text_of(ask.events(lab[name], stop=["the details"])) == text


@pytest.mark.parametrize("name", NAMES)
def test_the_list_of_models_has_rows_a_client_must_leave_out(lab: Lab, ask: Asker, name: str):
    """Every model that serves is listed; except at Cerebras not every listed one serves."""
    rows = ask.get(lab[name], "/models").json()["data"]
    ids = [row["id"].removeprefix("models/") for row in rows]

    assert set(lab[name].models) <= set(ids)
    assert (set(ids) > set(lab[name].models)) == (name != "cerebras")


def test_lists_differ_in_what_they_tell(lab: Lab, ask: Asker):
    """Prices, prefixes, abilities, windows: each provider tells something else."""
    rows = {name: ask.get(lab[name], "/models").json()["data"][0] for name in NAMES}

    assert rows["google"]["id"].startswith("models/")
    assert rows["openrouter"]["pricing"] == {"prompt": "0", "completion": "0"}
    assert rows["groq"]["context_window"] == 131_072
    assert rows["mistral"]["capabilities"]["completion_chat"] is True
    assert set(rows["cerebras"]) == {"id", "object", "created", "owned_by"}
    assert set(rows["nim"]) == {"id", "object", "created", "owned_by"}


def test_some_lists_need_no_key(lab: Lab, ask: Asker):
    """OpenRouter's and NIM's, and the rich one of Cerebras."""
    cerebras = lab["cerebras"].base_url.removesuffix("/v1")
    urls = {
        lab["openrouter"].base_url + "/models": 200,
        lab["nim"].base_url + "/models": 200,
        cerebras + "/public/v1/models": 200,
        lab["groq"].base_url + "/models": 401,
    }

    assert {url: ask.http.get(url).status_code for url in urls} == urls
