"""What played models say, and where the words come from."""

from __future__ import annotations

import json
import sys
from threading import Event

import httpx
import pytest

from freelm_integrations.lab import Lab
from freelm_integrations.lab.mind.plain import answer_to, pieces
from tests.lab.asking import Asker, text_of


def user(text: str) -> list[dict]:
    """One question."""
    return [{"role": "user", "content": text}]


RAG = (
    "Context information is below.\n---------------------\n"
    "Trees are green. The capital of France is Paris. Water is wet.\n"
    "---------------------\nGiven the context information and not prior knowledge, answer the "
    "query.\nQuery: Which city is the capital of France?\nAnswer: "
)
CHOICES = (
    "Some choices are given below.\n---------------------\n(1) about trees\n\n(2) about stars\n"
    "---------------------\nreturn the choice that is most relevant to the question: "
    "'How hot are stars?'\nProvide choice in the following format: 'ANSWER: <number>'"
)
REACT = (
    "You have tools:\n> Tool Name: multiply\nTool Description: Multiply two numbers\nTool Args: "
    '{"properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}\n'
    "\nAction Input: the input to the tool, in a JSON format"
)
SAID = [
    (user(RAG), "According to the context, The capital of France is Paris."),
    (user(CHOICES), "ANSWER: 2"),
    (user("Extract. 'KEYWORDS: <keywords>'\n-----\nRed roses\n-----\n"), "KEYWORDS: red, roses"),
    (
        [{"role": "system", "content": REACT}, *user("What is 20 * 4?")],
        'Action: multiply\nAction Input: {"a":20,"b":4}',
    ),
    (
        [
            {"role": "system", "content": REACT},
            *user("What is 20 * 4?"),
            {"role": "assistant", "content": "Thought: x\nAction: multiply\nAction Input: {}"},
            *user("Observation: 80"),
        ],
        "Answer: 80",
    ),
    ([*user("hi"), {"role": "tool", "content": '{"result": 3}'}], "The tool says: result: 3"),
    (user("Tell me about cats"), "cats"),
]


YES_OR_NO = (
    "Tell if it is supported. Answer with either YES or NO.\nInformation: Pie is good.\n"
    "Context: Cars.\nAnswer: NO\nInformation: {told}\nContext: The Danube ends in the Black Sea.\n"
    "Answer: "
)
REFINED = (
    "Is it in the context information: The moon is red.\nWe have an existing YES/NO answer: {so_far}\n"
    "------------\nThe sky is blue.\n------------\nAnswer YES/NO."
)
SCORE = "Return your response in a line with only the score."
SCORED = "\n## User Query\nWhere?\n\n## Reference Answer\n{reference}\n\n## Generated Answer\nBlack Sea\n"
RESULT = (
    "Each question above is worth {points} points. Finish with '[RESULT] followed by the {kind} "
    "number'\n\nQuery: \n Where does the Danube end?\n{met}: \n {told}\nFeedback:"
)
JUDGE = "Say '[[A]]' if assistant A is better."
DUEL = (
    "[User Question]\nWhere is the sea?\n\n[The Start of Reference]\n{reference}\n"
    "[The End of Reference]\n\n"
    "[The Start of Assistant A's Answer]\n{first}\n[The End of Assistant A's Answer]\n\n"
    "[The Start of Assistant B's Answer]\nBlack coast\n[The End of Assistant B's Answer]"
)
PARTS = (
    'output a list of relevant sub-questions\n# Example 1\n<Tools>\n```json\n{"uber": "cars"}\n```\n'
    '<User Question>\nWhich car?\n\n<Output>\n# Example 2\n<Tools>\n```json\n{"rivers": "r", '
    '"seas": "s"}\n```\n<User Question>\nHow long?\n\n<Output>\n'
)
RANKED = (
    "Doc: 9, Relevance: 7\nLet's try this now: \n\nDocument 1:\nTrees are green.\n\nDocument 2:\n"
    "The hot sun is a star.\n\nQuestion: {question}\nAnswer:\n"
)
QUERIES = "generate 2 search queries, one on each line:\nQuery: hot stars\nQueries:\n"
DEMANDED = (
    'Context: none.\nHere\'s a JSON schema to follow:\n{{"properties": {{"ok": {{"type": "boolean"}}}}, '
    '"required": ["ok"], "type": "object"}}'
)


def chat(system: str, text: str) -> list[dict]:
    """A question with a system prompt."""
    return [{"role": "system", "content": system}, *user(text)]


JUDGED = [
    (user(YES_OR_NO.format(told="The Danube ends in the Black Sea.")), "YES"),
    (user(YES_OR_NO.format(told="Elephants fly home.")), "NO"),
    (user(REFINED.format(so_far="YES")), "YES"),
    (user(REFINED.format(so_far="NO")), "NO"),
    (
        chat(SCORE.replace("Return", "You must return"), SCORED.format(reference="Black Sea")),
        "5.0\n",
    ),
    (chat(SCORE.replace("Return", "You must return"), SCORED.format(reference="Red Sea")), "3.0\n"),
    (chat(SCORE.replace("Return", "You must return"), SCORED.format(reference="Rome")), "1.0\n"),
    (
        user(RESULT.format(points=1, kind="integer", met="Response", told="The Danube ends so.")),
        "[RESULT] 2",
    ),
    (user(RESULT.format(points=2, kind="float", met="Context", told="Cats.")), "[RESULT] 0.0"),
    (chat(JUDGE, DUEL.format(reference="Black Sea", first="Black Sea")), "[[A]]"),
    (chat(JUDGE, DUEL.format(reference="Black coast", first="Sea")), "[[B]]"),
    (chat(JUDGE, DUEL.format(reference="", first="Cats")), "[[C]]"),
    (user(PARTS), '"tool_name":"rivers"'),
    (user(PARTS), '"sub_question":"What does seas say on this: How long?"'),
    (user(RANKED.format(question="How hot is a star?")), "Doc: 2, Relevance: 7"),
    (user(RANKED.format(question="Whales?")), "Doc: 1, Relevance: 5"),
    (user(QUERIES), "hot stars\nfacts about hot stars"),
    (user(DEMANDED), '{"ok":'),
    (user("Red roses. Give 2 unique keywords for this. Keywords: "), "red, roses"),
]


@pytest.mark.parametrize(("messages", "holds"), [*SAID, *JUDGED])
def test_an_answer_suits_its_prompt(messages: list, holds: str):
    """It quotes the context, makes the choice, takes the step or speaks of the subject."""
    assert holds in answer_to(messages)


def test_answers_are_stable_and_differ():
    """The same for the same question, another for another, and short."""
    answers = {question: answer_to(user(question)) for question in ("cats", "dogs", "birds")}

    assert len(set(answers.values())) == 3
    assert all(answer_to(user(question)) == answers[question] for question in answers)
    assert all(15 < len(answer.split()) < 60 for answer in answers.values())


def test_pieces_add_up_to_the_text():
    """Whatever the script."""
    text = "Ünïcode 你好, and  two spaces\nand an extraordinarily long word."

    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    "turn", [[], user("Continue exactly after the last word."), user("Please carry on.")]
)
def test_a_broken_answer_is_carried_on(turn: list):
    """From its beginning and the rest the whole comes together."""
    whole = answer_to(user("Tell me about cats"))
    begun = {"role": "assistant", "content": whole[:31]}
    rest = answer_to([*user("Tell me about cats"), begun, *turn])

    assert whole[:31] + rest == whole


def test_words_may_come_from_a_callable(ask: Asker):
    """It is given the messages, and its pieces are the pieces of the stream."""

    def echo(messages: list[dict]) -> list[str]:
        return ["You", " said", ": ", messages[-1]["content"]]

    with Lab(words=echo, limits=False) as lab:
        events = ask.events(lab["mistral"], messages=user("hello"))

    assert text_of(events) == "You said: hello"
    assert len([event for event in events if event != "[DONE]"]) == 6


def test_a_callable_may_take_its_time(ask: Asker):
    """While it does, the lab serves others, and what it said already is on its way."""
    go_on = Event()

    def slow(messages: list[dict]):
        yield "first"
        if messages[-1]["content"] == "slow":
            go_on.wait(5)
        yield " last"

    with Lab(words=slow, limits=False) as lab:
        groq = lab["groq"]
        with ask.opened(groq, messages=user("slow")) as reply:
            lines = reply.iter_lines()
            seen = next(line for line in lines if '"first"' in line)
            other = ask.post(groq, messages=user("quick")).json()
            go_on.set()
            rest = list(lines)

    assert seen
    assert other["choices"][0]["message"]["content"] == "first last"
    assert rest[-2:] == ["data: [DONE]", ""] or "data: [DONE]" in rest


def test_without_a_model_auto_means_plain(ask: Asker, monkeypatch: pytest.MonkeyPatch):
    """And insisting on one is an error that says what to do."""
    monkeypatch.setitem(sys.modules, "freelm_integrations.embedded", None)
    with Lab(words="auto", limits=False) as lab:
        text = ask.post(lab["groq"]).json()["choices"][0]["message"]["content"]

    assert text == answer_to(user("Tell me about cats"))
    with pytest.raises(RuntimeError, match="words='plain'"):
        Lab(words="model").start()


@pytest.mark.model
def test_words_may_come_from_a_real_model():
    """In the provider's framing, and tool calls still from the deterministic maker."""
    with Lab(words="model", limits=False) as lab, httpx.Client(timeout=60, trust_env=False) as http:
        ask = Asker(http)
        events = ask.events(lab["mistral"], messages=user("Name an animal."), max_tokens=12)
        text = text_of(events)

    assert text
    assert text != answer_to(user("Name an animal."))
    assert events[-1] == "[DONE]"


def test_a_schema_the_system_shows_is_answered_by_also_after_tools():
    """As models do that are told so in words."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    told = f"Answer with JSON that fits this JSON schema, and nothing else: {json.dumps(schema)}"
    messages = [
        {"role": "system", "content": told},
        *user("What is the weather in Oslo?"),
        {"role": "assistant", "content": "", "tool_calls": []},
        {"role": "tool", "tool_call_id": "c", "content": "Rain."},
    ]

    assert json.loads(answer_to(messages)) == {"city": "Oslo"}
