"""Structured answers: all four calls, by every way there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field

from freelm_integrations import OpenAICompatible
from freelm_integrations.events import AttemptStarted
from freelm_integrations.llama_index import LlamaIndexFreeLLM
from tests.llama_index.scripted import ScriptedLLM, called, said, streamed, streamed_call

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab


class Bed(BaseModel):
    """A flower bed, with others in it: a class that holds itself."""

    flower: str
    beds: list[Bed] = []


class Song(BaseModel):
    """A song."""

    name: str
    year: int = Field(ge=1900)


PROMPT = PromptTemplate("A song about {topic}.")
GOOD = '{"name": "Rain", "year": 1966}'
RAIN = Song(name="Rain", year=1966)
BAD = [
    pytest.param(called(("Song", '{"name": "Rain"}')), id="a field missing"),
    pytest.param(called(("Song", '{"name": "Rain", "year": 3}')), id="a value out of range"),
    pytest.param(said("I would rather not."), id="no call at all"),
]


async def predict(llm: LlamaIndexFreeLLM, way: str, **kwargs: Any) -> Any:
    """One of the four calls; of a stream its last object."""
    if way == "structured_predict":
        return llm.structured_predict(Song, PROMPT, topic="rain", **kwargs)
    if way == "astructured_predict":
        return await llm.astructured_predict(Song, PROMPT, topic="rain", **kwargs)
    if way == "stream_structured_predict":
        return list(llm.stream_structured_predict(Song, PROMPT, topic="rain", **kwargs))[-1]
    stream = await llm.astream_structured_predict(Song, PROMPT, topic="rain", **kwargs)
    return [one async for one in stream][-1]


WAYS = [
    prefix + name
    for name in ("structured_predict", "stream_structured_predict")
    for prefix in ("", "a")
]
ways = pytest.mark.parametrize("way", WAYS)


@ways
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"should_use_structured_outputs": True},
        {"pydantic_program_mode": PydanticProgramMode.FUNCTION},
    ],
    ids=["by tool", "by schema", "by tool, named"],
)
async def test_an_object_comes_past_a_failing_provider(
    lab: Lab, way: str, fields: dict[str, Any]
) -> None:
    """On every route."""
    lab["groq"].fail("rate_limited", times=None)
    llm = LlamaIndexFreeLLM(strategy="priority", **fields)

    assert isinstance(await predict(llm, way), Song)


@pytest.mark.filterwarnings("ignore:The `json` method is deprecated")  # core's own
@ways
async def test_a_structured_llm_gives_objects(lab: Lab, way: str) -> None:
    """As query engines with an `output_cls` use it."""
    structured = LlamaIndexFreeLLM().as_structured_llm(Song)
    history = [ChatMessage(content="A song.")]

    if way == "structured_predict":
        found = structured.chat(history)
    elif way == "astructured_predict":
        found = await structured.achat(history)
    elif way == "stream_structured_predict":
        *_, found = structured.stream_chat(history)
    else:
        found = [one async for one in await structured.astream_chat(history)][-1]

    assert isinstance(found.raw, Song)


def reply(way: str) -> Any:
    halves = GOOD[:12], GOOD[12:]
    return streamed_call("Song", *halves) if "stream" in way else called(("Song", GOOD))


@ways
async def test_the_tool_is_forced_and_the_system_prompt_goes_along(way: str) -> None:
    """Core leaves out the one in streams and the other in its async program."""
    llm, sent = ScriptedLLM.that_says(reply(way), system_prompt="You are a parrot.")
    kwargs = {"max_tokens": 50, "tool_choice": "auto"}

    assert await predict(llm, way, llm_kwargs=kwargs) == RAIN

    [body] = sent
    assert body["tool_choice"] == "required"
    assert [message["content"] for message in body["messages"]] == [
        "You are a parrot.",
        "A song about rain.",
    ]
    assert body["max_tokens"] == 50
    assert kwargs == {"max_tokens": 50, "tool_choice": "auto"}


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize("bad", BAD)
async def test_an_answer_that_does_not_fit_is_asked_for_again(way: str, bad: Any) -> None:
    """Three times in all."""
    llm, sent = ScriptedLLM.that_says(bad, bad, called(("Song", GOOD)))

    assert await predict(llm, way) == RAIN
    assert len(sent) == 3


REFUSAL = "I would rather not."


@ways
@pytest.mark.parametrize("mode", [PydanticProgramMode.DEFAULT, PydanticProgramMode.LLM])
async def test_who_gave_no_object_is_asked_last(way: str, mode: PydanticProgramMode) -> None:
    """Another provider is asked first, then another model; a caller's own wish is kept."""
    said_no = streamed(REFUSAL) if "stream" in way else said(REFUSAL)
    text = streamed(GOOD) if "stream" in way else said(GOOD)
    names = ("parrot", "crow", "jay")
    providers = [
        OpenAICompatible(name, f"https://{name}.invalid/v1", "k", ["m", "n"]) for name in names
    ]
    events: list[Any] = []
    llm, _ = ScriptedLLM.that_says(
        said_no,
        said_no,
        text,
        providers=providers,
        strategy="priority",
        pydantic_program_mode=mode,
        on_event=events.append,
    )

    assert await predict(llm, way, llm_kwargs={"avoid": ["crow"]}) == RAIN

    started = [event for event in events if isinstance(event, AttemptStarted)]
    asked = [(event.provider, event.model) for event in started]
    assert asked == [("parrot", "m"), ("jay", "m"), ("crow", "m")]


@pytest.mark.parametrize("way", WAYS[2:])
async def test_a_stream_that_has_shown_something_is_not_begun_again(way: str) -> None:
    """What was shown cannot be taken back; one that showed nothing can be."""
    llm, sent = ScriptedLLM.that_says(
        streamed(REFUSAL), streamed_call("Song", '{"name": "Rain"', "}")
    )

    with pytest.raises(ValueError, match="no Song"):
        await predict(llm, way)
    assert len(sent) == 2


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize(("limit", "tries"), [(None, 3), (1, 1)])
async def test_in_the_end_the_error_shows_what_was_said(
    way: str, limit: int | None, tries: int
) -> None:
    """As a ValueError, which is what core's programs raise."""
    llm, sent = ScriptedLLM.that_says(*[said("I would rather not.")] * 3, max_attempts=limit)

    with pytest.raises(ValueError, match=r"no Song: 'I would rather not\.'"):
        await predict(llm, way)
    assert len(sent) == tries


@pytest.mark.parametrize("way", WAYS[2:])
async def test_a_stream_that_ends_in_no_object_says_so(way: str) -> None:
    """Instead of giving something with None in it for the object."""
    llm, _ = ScriptedLLM.that_says(streamed_call("Song", '{"name": "Rain"', "}"))

    with pytest.raises(ValueError, match="no Song"):
        await predict(llm, way)


@ways
async def test_an_object_in_plain_text_is_taken_where_the_tool_was_not_heeded(way: str) -> None:
    """Some models write the call instead of making it."""
    text = f"Here you are:\n```json\n{GOOD}\n```"
    reply = streamed(text[:30], text[30:]) if "stream" in way else said(text)
    llm, _ = ScriptedLLM.that_says(reply)

    assert await predict(llm, way) == RAIN


@pytest.mark.parametrize("by_schema", [False, True])
def test_a_class_that_holds_itself_is_sent_with_its_fields(by_schema: bool) -> None:
    """Core sends its parts only, which asks for nothing."""
    inner = '{"flower": "rose", "beds": [{"flower": "lily"}]}'
    reply = said(inner) if by_schema else called(("Bed", inner))
    llm, sent = ScriptedLLM.that_says(reply, should_use_structured_outputs=by_schema)

    found = llm.structured_predict(Bed, PromptTemplate("A bed."))

    assert found == Bed(flower="rose", beds=[Bed(flower="lily")])
    asked = (
        sent[0]["response_format"]["json_schema"]["schema"]
        if by_schema
        else sent[0]["tools"][0]["function"]["parameters"]
    )
    assert set(asked["properties"]) == {"flower", "beds"}
    assert asked["properties"]["beds"]["items"] == {"$ref": "#/$defs/Bed"}
    assert "Bed" in asked["$defs"]


@ways
async def test_a_schema_is_sent_where_it_is_preferred(way: str) -> None:
    """And no tool."""
    reply = streamed(GOOD) if "stream" in way else said(GOOD)
    llm, sent = ScriptedLLM.that_says(reply, should_use_structured_outputs=True)

    assert await predict(llm, way) == RAIN

    assert "tools" not in sent[0]
    schema = sent[0]["response_format"]["json_schema"]
    assert schema["name"] == "Song"
    assert set(schema["schema"]["properties"]) == {"name", "year"}


@ways
async def test_the_text_mode_uses_neither(way: str) -> None:
    """The schema stands in the prompt; `llm_kwargs` of the caller stay as they are."""
    reply = streamed(GOOD) if "stream" in way else said(GOOD)
    mode = PydanticProgramMode.LLM
    llm, sent = ScriptedLLM.that_says(reply, pydantic_program_mode=mode)
    kwargs = {"tool_choice": "auto"} if "stream" in way else {"seed": 1}

    found = await predict(llm, way, llm_kwargs=dict(kwargs) if "seed" in kwargs else None)

    assert found == RAIN
    assert not {"tools", "response_format"} & sent[0].keys()
    [told] = sent[0]["messages"]
    assert told["content"].startswith("A song about rain.")
    assert '{"description": "A song."' in told["content"]  # one brace each, as JSON has them
    assert PROMPT.output_parser is None


def test_a_stream_grows_without_inventing() -> None:
    """Fields appear when they are said; nothing is told twice."""
    pieces = ('{"na', 'me": "Ra', 'in", "ye', 'ar": 1966', "}")
    llm, _ = ScriptedLLM.that_says(streamed_call("Song", *pieces))

    grown = list(llm.stream_structured_predict(Song, PROMPT, topic="rain"))

    assert [one.model_dump(exclude_unset=True) for one in grown] == [
        {"name": "Ra"},
        {"name": "Rain"},
        {"name": "Rain", "year": 1966},
    ]
    assert [isinstance(one, Song) for one in grown] == [False, False, True]
