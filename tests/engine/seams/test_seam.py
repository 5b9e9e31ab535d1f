"""Where the answer of another route meets the text it was asked to carry on."""

from __future__ import annotations

import pytest

from freelm_integrations.engine.seams.seam import NotAContinuation, Seam, continuation_messages

ASKED = ({"role": "user", "content": "Tell me about cats"},)
CATS = (
    "Cats are small carnivorous mammals that people have kept for thousands of years. "
    "They hunt mice and birds, sleep most of the day, and purr when they are content. "
    "Many people love them for it."
)
CUT = CATS.index("rds, sleep")
BEGUN, REST = CATS[:CUT], CATS[CUT:]
AGAIN = CATS[CATS.index("They hunt") :]
CODE = "Here it is:\n```python\ndef area(width, height):\n    return wid"
CODE_REST = "th * height\n```\nThat is all."
ANOTHER = "Cats are domesticated animals of the family Felidae. They are known for their agility."


def carried_on(partial: str, answer: str, *, size: int = 5, **asked) -> str | NotAContinuation:
    """The whole text, or why there is none, when the answer comes in pieces of this size."""
    seam = Seam(partial, **{"is_prefilled": False, **asked})
    whole = [partial]
    for place in range(0, len(answer), size):
        passed = seam.feed(answer[place : place + size])
        if isinstance(passed, NotAContinuation):
            return passed
        whole.append(passed)
    rest = seam.end()
    return rest if isinstance(rest, NotAContinuation) else "".join([*whole, rest])


CARRIED_ON = [
    ("exactly", BEGUN, REST, CATS),
    ("the whole again", BEGUN, CATS, CATS),
    ("the last sentence again", BEGUN, AGAIN, CATS),
    ("the last words again", BEGUN, f"hunt mice and bi{REST}", CATS),
    ("three words again", BEGUN, f"mice and bi{REST}", CATS),
    ("in other case and quotes", 'He said: "Go ho', "he said: \u201cgo home\u201d.", 'He said: "Go home\u201d.'),
    ("with other spaces", "One line\nand ano", "One line and another", "One line\nand another"),
    ("announced", BEGUN, f"Sure, here is the continuation:\n\n{AGAIN}", CATS),
    ("announced in the line", BEGUN, f"Continuing from where I left off: {AGAIN}", CATS),
    ("announced at length", BEGUN, f"Of course!\n\nHere is the rest:\n\n---\n\n{AGAIN}", CATS),
    ("announced, a space then shows", BEGUN + "rds", f"Here is the rest:\n{REST[3:]}", CATS.replace("rds,", "rds,")),
    ("dots before what is told again", BEGUN, f"...{AGAIN}", CATS),
    ("in quotation marks", BEGUN, f'"{AGAIN}"', CATS),
    ("in a code fence", BEGUN, f"```\n{AGAIN}\n```", CATS),
    ("the open fence again", CODE, f"```python\n    return wid{CODE_REST}", CODE + CODE_REST),
    ("the open fence before new code", CODE, f"```python\n{CODE_REST}", CODE + CODE_REST),
    ("all of the code again", CODE, CODE + CODE_REST, CODE + CODE_REST),
    ("the fence is closed", "```\nx = 1\n", "```\nDone.", "```\nx = 1\n```\nDone."),
    ("the space sent back", "Hello ", " world", "Hello world"),
    ("the space not sent back", "Hello ", "world", "Hello world"),
    ("a line break sent back", "First line, which is long.\nSecond.\n", "First line, which is long.\nSecond.\nThird.", "First line, which is long.\nSecond.\nThird."),
    ("in the middle of a word", "Unbeliev", "able, is it not?", "Unbelievable, is it not?"),
    ("the space between known words lost", "brown foxes jump, then black foxes, then brown", "foxes", "brown foxes jump, then black foxes, then brown foxes"),
    ("the space after a comma lost", "one, two, three,", "four", "one, two, three, four"),
    ("a compound this text uses", "A notebook is no note or book, a note", "book is.", "A notebook is no note or book, a notebook is."),
    ("a combining accent", "un cafe", "\u0301 au lait", "un cafe\u0301 au lait"),
    ("half a family", "they: \U0001f468\u200d", "\U0001f469\u200d\U0001f467!", "they: \U0001f468\u200d\U0001f469\u200d\U0001f467!"),
    ("Chinese", "猫喜欢睡觉。也喜", "欢玩耍。", "猫喜欢睡觉。也喜欢玩耍。"),
    ("Chinese told again", "猫喜欢睡觉。也喜", "猫喜欢睡觉。也喜欢玩耍。", "猫喜欢睡觉。也喜欢玩耍。"),
    ("a name after a space", "I live in", " Paris, and like it.", "I live in Paris, and like it."),
    ("a name of two words", "LangChain? Ask Lang", "Chain.", "LangChain? Ask LangChain."),
    ("doubled letters", "hel", "lo there", "hello there"),
    ("doubled syllables", "a ban", "ana", "a banana"),
    ("dots that go on", "Wait..", ".. and see", "Wait.... and see"),
    ("an acronym", "at NA", "SA it is", "at NASA it is"),
    ("an empty string", 'x = "', '"\ny = 1', 'x = ""\ny = 1'),
    ("a word said twice", "he had", " had enough", "he had had enough"),
    ("a table", "| a | b |\n|---|", "---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
    ("a line of code again, as it is indented", "```\nif x:\n    return wid", "    return width\n```", "```\nif x:\n    return width\n```"),
    ("white space that was all there was", "\n", "\n\nHello", "\n\nHello"),
    ("an answer without the white space there was", "\n", "Hello", "\nHello"),
    ("a comment in code", "```\nx = 1  #", " The sum of all values", "```\nx = 1  # The sum of all values"),
    ("a string in code", '```\nprint("', "The sum of all values", '```\nprint("The sum of all values'),
    ("a sentence in bold", "- **", "The sum of all values** is", "- **The sum of all values** is"),
    ("a sentence in quotes", 'She says "', "The sum of all values", 'She says "The sum of all values'),
    ("nothing more", "That is all.", "", "That is all."),
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("begun", "answer", "whole"),
    [row[1:] for row in CARRIED_ON],
    ids=[row[0] for row in CARRIED_ON],
)
def test_a_text_is_carried_on(begun: str, answer: str, whole: str, size: int):
    """Whatever the answer does before it goes on, and in whatever pieces it comes."""
    assert carried_on(begun, answer, size=size) == whole


TURNED_DOWN = [
    ("a new beginning", BEGUN, ANOTHER, "anew"),
    ("another new beginning", BEGUN, "The domestic cat is known for its agility.", "anew"),
    ("a new beginning after a sentence", CATS[:80], ANOTHER, "anew"),
    ("a new beginning that copies the old", BEGUN, "Cats are small carnivorous animals, kept", "differs"),
    ("a list begun anew", "1. Wash hands\n2. Dry ", "1. Always wash your hands", "list anew"),
    ("in the words of the beginning", CATS + " ", "Small mammals, carnivorous cats, kept by people for years: cats are these.", "anew"),
    ("a word that is its own half", "何でも薄暗いじめじめした所でニャー", "ニャー泣いていた事だけは記憶している。", "may or may not"),
    ("a sentence in code", "```\ndef f(x):\n    ret", "Several things come to mind here.", "none may stand"),
    ("a sentence on a line of code", "```\ndef f(x):\n", "Several things come to mind here.", "none may stand"),
    ("a sentence after a bracket", 'The answer: {"a": [1]}', "Several things come to mind here.", "none may stand"),
    ("a sentence in a table", "| a | b |\n| ---", "Several things come to mind here.", "none may stand"),
    ("a sentence after a quotation", 'the "names"', "Several things come to mind here.", "none may stand"),
    ("a sentence in a row of pictures", "Great! \U0001f389", "Several things come to mind here.", "none may stand"),
    ("a refusal", BEGUN, "I'm sorry, but I don't see any text.", "refuses"),
    ("a question", BEGUN, "Could you share the text you mean?", "asks back"),
    ("an announcement of what cannot be placed", BEGUN, f"Sure, here is the rest:\n\n{REST}", "announces"),
    ("an announcement alone", BEGUN, "Let me continue from where I stopped.", "announces"),
    ("nothing new", BEGUN, CATS[:80], "nothing new"),
    ("a word that may be told again", "he had", "had enough", "may or may not"),
    ("a line that may be told again", "print(1)\nprint(a, b, c)\n", "print(a, b, c)\nprint(2)", "may or may not"),
    ("a refrain", "na na na na", "na na na na Batman", "may or may not"),
    ("a fence in a line", BEGUN, "```text\nrds\n```", "fence"),
    ("a quotation mark in a word", BEGUN, f'"{REST}"', "quotation"),
    ("another capital in a name", "Ask Lang", "Chain of thought.", "anew"),
    ("the quotation mark again", 'He said "', '"Go on"', "quotation"),
    ("dots after a sentence", CATS[:80], "... They hunt.", "dots"),
    ("dots in a word", BEGUN, f"...{REST}", "dots"),
    ("a sentence that is not spaced", CATS[:80], "They hunt mice.", "anew"),
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("begun", "answer", "why"),
    [row[1:] for row in TURNED_DOWN],
    ids=[row[0] for row in TURNED_DOWN],
)
def test_what_may_be_no_continuation_is_turned_down(begun: str, answer: str, why: str, size: int):
    """Rather none than one that is glued on; the reason is told."""
    got = carried_on(begun, answer, size=size)

    assert isinstance(got, NotAContinuation)
    assert why in got.reason


PREFILLED = [
    ("exactly", None, BEGUN, REST, CATS),
    ("all of it back first", None, BEGUN, CATS, CATS),
    ("a short text back first", None, "Hello wor", "Hello world", "Hello world"),
    ("a short text back and no more", None, "That is it.", "That is it.", "That is it."),
    ("it is known to give it back", True, "na na ", "na na na na", "na na na na"),
    ("it is known to give nothing back", False, "ab ab ", " ab ab c", "ab ab ab ab c"),
    ("a refrain", None, "na na na", " na na na na", "na na na na na na na"),
    ("dots", None, "..", "....", "......"),
    ("a short overlap by chance", None, "he had the ", "the end", "he had the the end"),
    ("what would be a new beginning", None, BEGUN, "The end.", BEGUN + "The end."),
    ("what would be a refusal", None, "He said: ", "I'm sorry.", "He said: I'm sorry."),
    ("the space that was not sent", None, "Hello ", " world", "Hello world"),
]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("echoes", "begun", "answer", "whole"),
    [row[1:] for row in PREFILLED],
    ids=[row[0] for row in PREFILLED],
)
def test_who_was_given_the_beginning_is_taken_by_the_letter(
    echoes: bool | None, begun: str, answer: str, whole: str, size: int
):
    """But for a full repetition of what it was given."""
    assert carried_on(begun, answer, size=size, is_prefilled=True, echoes=echoes) == whole


def test_a_prefilled_model_that_begins_anew_is_turned_down():
    """If it says so much of the beginning again that it cannot be chance, and then differs."""
    got = carried_on(BEGUN, CATS[:60] + " Then something else.", is_prefilled=True)

    assert isinstance(got, NotAContinuation)


def test_what_goes_on_plainly_is_held_back_no_longer_than_its_first_word():
    """A space and a small letter are the middle of a text."""
    seam = Seam("The quick brown", is_prefilled=False)

    assert seam.feed(" ") == ""
    assert seam.feed("fox") == " fox"
    assert seam.feed(" jumps") == " jumps"


def test_a_prefilled_answer_is_not_held_back():
    """Its first character shows that it does not give the text back."""
    assert Seam("The quick brown", is_prefilled=True).feed(" f") == " f"


def test_no_more_is_held_back_than_a_judgement_takes():
    """Then all of it is passed, whatever comes."""
    seam = Seam("The quick bro", is_prefilled=False)
    held = 0
    while not seam.feed("wn fox and "):
        held += 11

    assert held < 130
    assert seam.feed("so on") == "so on"


def test_a_long_repetition_is_followed_to_its_end():
    """It is not passed on, and what comes after it is passed at once."""
    told = " ".join(f"Item {number} of this list is new." for number in range(300))
    seam = Seam(told, is_prefilled=False)
    passed = [seam.feed(told[place : place + 7]) for place in range(0, len(told), 7)]

    assert set(passed) == {""}
    assert (
        seam.feed(" Here it ends, after all those items.")
        == " Here it ends, after all those items."
    )


def test_once_turned_down_it_stays_so():
    """Whatever follows."""
    seam = Seam(BEGUN, is_prefilled=False)
    seam.feed("I'm sorry, I cannot continue. ")

    assert isinstance(seam.feed(REST), NotAContinuation)
    assert isinstance(seam.end(), NotAContinuation)


def test_who_continues_is_given_the_text_as_the_last_message():
    """The history is left as it is."""
    asked = continuation_messages(ASKED, BEGUN, is_prefilled=True)

    assert asked == (*ASKED, {"role": "assistant", "content": BEGUN})
    assert asked[0] is ASKED[0]


def test_any_other_is_told_to_go_on():
    """In a message of the user's that names the words to begin with."""
    *history, told = continuation_messages(ASKED, BEGUN, is_prefilled=False)

    assert history == [*ASKED, {"role": "assistant", "content": BEGUN}]
    assert told["role"] == "user"
    assert "same language" in told["content"]
    assert told["content"].endswith("so that both parts fit together: hunt mice and bi")


@pytest.mark.parametrize(
    ("partial", "ending"),
    [
        ("One line.\n", "already written."),
        ("One line.\nTwo words", "together: Two words"),
        ("  indented", "together: indented"),
        ("x" * 500, "together: " + "x" * 16),
    ],
)
def test_the_words_to_begin_with_are_those_of_the_last_line(partial: str, ending: str):
    """No words are asked for again where a line has ended."""
    told = continuation_messages(ASKED, partial, is_prefilled=False)[-1]

    assert told["content"].endswith(ending)


@pytest.mark.parametrize(
    ("partial", "sent"),
    [("Hello ", "Hello"), ("Hello", "Hello"), ("Hello\n", "Hello\n"), ("  a  ", "  a  ")],
)
def test_one_space_at_the_end_is_not_sent(partial: str, sent: str):
    """It harms what models say next; more of them, or line breaks, mean something."""
    assert continuation_messages(ASKED, partial, is_prefilled=True)[-1]["content"] == sent


@pytest.mark.parametrize("partial", ["", " ", "\n\n"])
@pytest.mark.parametrize("is_prefilled", [True, False])
def test_a_blank_beginning_is_not_mentioned(partial: str, is_prefilled: bool):
    """The question is asked again, and its answer is the text."""
    assert continuation_messages(ASKED, partial, is_prefilled=is_prefilled) == ASKED
    assert carried_on(partial, "Sure: 1", is_prefilled=is_prefilled) == f"{partial}Sure: 1"


@pytest.mark.parametrize("content", ["The cat ", [{"type": "text", "text": "The cat "}]])
@pytest.mark.parametrize("partial", ["sat on", "The cat sat on"])
def test_an_answer_that_the_caller_has_begun_is_one_with_what_came_of_it(content, partial: str):
    """Whether or not it was given back at its beginning; no two answers stand side by side."""
    messages = (*ASKED, {"role": "assistant", "content": content})
    asked = continuation_messages(messages, partial, is_prefilled=True)
    whole = carried_on(
        partial, "The cat sat on the mat", is_prefilled=True, echoes=True, messages=messages
    )

    assert asked == (*ASKED, {"role": "assistant", "content": "The cat sat on"})
    assert whole == f"{partial} the mat"
    assert messages[1]["content"] is content
