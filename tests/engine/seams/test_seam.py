"""Where the answer of another route meets the text it was asked to carry on."""

from __future__ import annotations

import pytest

from freelm_integrations.engine.seams.seam import (
    NotAContinuation,
    Seam,
    continuation_messages,
    told_again,
)

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
SAYS, SAID = 'Nobody hurries at all. "A fish never grew', ' fresher," she says, "if you run."'
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
    ("with the words it was to begin with", BEGUN, f"They hunt mice and bi{REST}", CATS),
    ("exactly, from what it was shown", BEGUN, f" hunt mice and bi{REST}", CATS),
    ("the whole again", BEGUN, CATS, CATS),
    ("more of the last words", BEGUN, CATS[CATS.index("thousands") :], CATS),
    ("in other case and quotes", 'He then said to her: "Go ho', "said to her: \u201cgo home\u201d.", 'He then said to her: "Go home\u201d.'),
    ("with other spaces", "Here is the one line\nand ano", "the one line and another", "Here is the one line\nand another"),
    ("announced", BEGUN, f"Sure, here is the continuation:\n\n{AGAIN}", CATS),
    ("announced in the line", BEGUN, f"Continuing from where I left off: {AGAIN}", CATS),
    ("announced at length", BEGUN, f"Of course!\n\nHere is the rest:\n\n---\n\n{AGAIN}", CATS),
    ("dots before it", BEGUN, f"...{AGAIN}", CATS),
    ("in quotation marks", BEGUN, f'"{AGAIN}"', CATS),
    ("in a code fence", BEGUN, f"```\n{AGAIN}\n```", CATS),
    ("announced and in a code fence", BEGUN, f"Here is the rest:\n```text\n{AGAIN}\n```", CATS),
    ("words that begin with a quotation mark", SAYS, f'"A fish never grew{SAID}', SAYS + SAID),
    ("the same, announced", SAYS, f'Here is the rest:\n\n"A fish never grew{SAID}', SAYS + SAID),
    ("the same, in quotation marks", SAYS, f'""A fish never grew{SAID}"', SAYS + SAID),
    ("the open fence again", CODE, f"```python\ndef area(width, height):\n    return wid{CODE_REST}", CODE + CODE_REST),
    ("the open fence before the words", CODE, f"```python\nheight):\n    return wid{CODE_REST}", CODE + CODE_REST),
    ("all of the code again", CODE, CODE + CODE_REST, CODE + CODE_REST),
    ("the open fence, and all in a fence", CODE, f"```\nheight):\n    return wid{CODE_REST}\n```", CODE + CODE_REST),
    ("a fence at the end that was the text's own", CODE, "height):\n    return width\n```", CODE + "th\n```"),
    ("after a space", BEGUN[:-3], f"They hunt mice and bi{REST}", CATS),
    ("after a space, and no more of it", "It is all that there was. ", "all that there was.", "It is all that there was. "),
    ("after a line", "First line, which is long.\nSecond.\n", "is long.\nSecond.\nThird.", "First line, which is long.\nSecond.\nThird."),
    ("after an empty line that is not said again", "It ends just here, with a line.\n\n", "here, with a line. Then", "It ends just here, with a line.\n\nThen"),
    ("as it is indented", "```\nif wide and high and long:\n    ", "and high and long:\n        return", "```\nif wide and high and long:\n        return"),
    ("a combining accent", "Prenons donc un cafe", "Prenons donc un cafe\u0301 au lait", "Prenons donc un cafe\u0301 au lait"),
    ("half a family", "Here they all are: \U0001f468\u200d", "Here they all are: \U0001f468\u200d\U0001f469\u200d\U0001f467!", "Here they all are: \U0001f468\u200d\U0001f469\u200d\U0001f467!"),
    ("Chinese", "猫喜欢睡觉。也喜", "欢睡觉。也喜欢玩耍。", "猫喜欢睡觉。也喜欢玩耍。"),
    ("a word said twice", "and so it was that he had", "it was that he had had enough", "and so it was that he had had enough"),
    ("a line said twice", "print(0)\nprint(a, b, c)\n", "print(0)\nprint(a, b, c)\nprint(a, b, c)\n", "print(0)\nprint(a, b, c)\nprint(a, b, c)\n"),
    ("anew, where there is little of it", "Unbeliev", "Unbelievable, is it not?", "Unbelievable, is it not?"),
    ("anew, where all of it repeats itself", "na na na na", "na na na na Batman", "na na na na Batman"),
    ("anew and announced", "The cat", "Sure, here is the rest:\n\nThe cat sat.", "The cat sat."),
    ("as only the middle of a text begins", "The quick brown", " fox jumps", "The quick brown fox jumps"),
    ("with a comma", "The quick brown fox", ", which jumps", "The quick brown fox, which jumps"),
    ("white space that was all there was", "\n", "\n\nHello", "\n\nHello"),
    ("an answer without the white space there was", "\n", "Hello", "\nHello"),
    ("nothing more, of a whole sentence", "That is all there is to say.", "there is to say.", "That is all there is to say."),
    ("nothing at all", "That is all.", "", "That is all."),
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
    ("a new beginning", BEGUN, ANOTHER, "begin with"),
    ("a new beginning after a sentence", CATS[:80], ANOTHER, "begin with"),
    ("a new beginning after a line", CATS[:80] + "\n\n", ANOTHER, "begin with"),
    ("a new beginning with a space", BEGUN, f" {ANOTHER}", "begin with"),
    ("a new beginning in small letters", BEGUN, "the domestic cat is known for its agility.", "begin with"),
    ("a new beginning that copies the old", BEGUN, "Cats are small carnivorous animals, kept", "begin with"),
    ("a part of what was told, and no more", BEGUN, CATS[:80], "begin with"),
    ("a sum of it", BEGUN, "In short, cats hunt, sleep and purr.", "begin with"),
    ("another language", BEGUN, "des oiseaux, dorment presque toute la journée.", "begin with"),
    ("the rest without the words", BEGUN, REST, "begin with"),
    ("a lost space", BEGUN + "rds, sleep", "most of the day, and purr", "begin with"),
    ("a few of the words", BEGUN, f"mice and bi{REST}", "begin with"),
    ("the words in its midst", BEGUN, f"You said: They hunt mice and bi{REST}", "begin with"),
    ("other words after the space", BEGUN, " hunt at night, and sleep all day.", "begin with"),
    ("a refusal", BEGUN, "I'm sorry, but I don't see any text.", "refuses"),
    ("a question", BEGUN, "Could you share the text you mean?", "asks back"),
    ("an announcement of the rest without the words", BEGUN, f"Sure, here is the rest:\n\n{REST}", "begin with"),
    ("an announcement alone", BEGUN, "Let me continue from where I stopped.", "begin with"),
    ("a line that was said once", "print(0)\nprint(1)\n", "print(1)\nprint(2)", "begin with"),
    ("one word fewer of a refrain", "na na na na na", "na na na na Batman", "begin with"),
    ("dots and the rest", BEGUN, f"...{REST}", "begin with"),
    ("in the midst of a word that has ended", "They hunt mice and birds, and ", "mice and birds, androids", "white space"),
    ("less indented than it stands", "```\nif wide and high and long:\n        ", "and high and long:\n    return", "white space"),
    ("the words alone, of an open sentence", BEGUN, "hunt mice and bi", "adds nothing"),
    ("the words alone, announced", BEGUN, "Here is the rest:\n\nThey hunt mice and bi", "adds nothing"),
    ("all of it and no more, of an open sentence", BEGUN, BEGUN, "adds nothing"),
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


def test_nothing_is_held_back_once_the_words_are_there():
    """Not a character after them."""
    seam = Seam(BEGUN, is_prefilled=False)

    assert seam.feed("They hunt mice and b") == ""
    assert seam.feed("ir") == "r"
    assert seam.feed("ds") == "ds"


def test_no_more_is_held_back_than_a_judgement_takes():
    """Then it is turned down, whatever would come."""
    seam = Seam(BEGUN, is_prefilled=False)
    held = 0
    while seam.feed("whatever it is ") == "":
        held += 15

    assert held < 130


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


def test_any_other_is_told_to_go_on_with_the_last_words():
    """They are in no message but the user's that names them, so that they come next."""
    *history, told = continuation_messages(ASKED, BEGUN, is_prefilled=False)

    assert history == [
        *ASKED,
        {"role": "assistant", "content": BEGUN.removesuffix(" hunt mice and bi")},
    ]
    assert told["role"] == "user"
    assert "same language" in told["content"]
    assert told["content"].endswith("then go on:\n\nhunt mice and bi")


def test_where_there_is_little_of_it_the_question_is_asked_again():
    """With how to begin in a system message, which is the caller's if there is one."""
    rules = {"role": "system", "content": "Be brief."}
    bare = continuation_messages(ASKED, "The qu", is_prefilled=False)
    ruled = continuation_messages((rules, *ASKED), "The qu", is_prefilled=False)

    assert bare[1:] == ruled[1:] == ASKED
    assert (bare[0]["role"], ruled[0]["role"]) == ("system", "system")
    assert bare[0]["content"].startswith("Begin")
    assert bare[0]["content"].endswith("\n\nThe qu")
    assert ruled[0]["content"] == f"Be brief.\n\n{bare[0]['content']}"
    assert rules["content"] == "Be brief."


def test_a_long_text_that_only_repeats_itself_is_asked_for_anew_without_a_word():
    """Who says it as long again is believed; nobody is told to say so much."""
    told = "ha " * 1000

    assert continuation_messages(ASKED, told, is_prefilled=False) == ASKED
    assert carried_on(told, told + "and so on", size=1000) == told + "and so on"
    assert isinstance(carried_on(told, told[3:] + "and so on", size=1000), NotAContinuation)


@pytest.mark.parametrize(
    ("partial", "again"), [(BEGUN, 16), ("The qu", 6), (" ", 0), (BEGUN + " ", 16)]
)
def test_how_much_is_to_be_said_again_is_known(partial: str, again: int):
    """It does not count as said, where an answer has only so much room."""
    assert told_again(ASKED, partial) == again


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
