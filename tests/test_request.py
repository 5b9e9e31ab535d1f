"""What a caller passes becomes a request, or an error that says what was wrong with it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations import ConfigError, FreeLLM, Groq
from freelm_integrations.request import PARAMETERS, ROLES, make_request, names_of

if TYPE_CHECKING:
    from freelm_integrations.chat import Request

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def made(messages: Any = "hello", **options: Any) -> Request:
    defaults: dict[str, Any] = {
        "model": None,
        "default_model": ("auto",),
        "streaming": False,
        "params": {},
    }
    return make_request(messages, **{**defaults, **options})


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ("hello", (USER,)),
        ("", ({"role": "user", "content": ""},)),
        ([USER], (USER,)),
        ((USER, USER), (USER, USER)),
        ((one for one in [USER]), (USER,)),
        ([MappingProxyType(USER)], (USER,)),
        ([{"role": "assistant", "content": None}], ({"role": "assistant", "content": None},)),
    ],
)
def test_messages_are_a_string_or_any_run_of_mappings(messages: Any, expected: Any) -> None:
    """A bare string is one user message; nothing is put in or left out."""
    assert made(messages).messages == expected


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_role_of_the_dialect_is_known(role: str) -> None:
    """Also the old `function` and the new `developer`."""
    assert made([{"role": role, "content": "x"}]).messages[0]["role"] == role


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "messages is empty"),
        ((), "messages is empty"),
        (None, "not a NoneType"),
        (5, "not an int"),
        (USER, "a list of dicts, not a dict"),
        (b"hello", "not a bytes"),
        (["hello"], "messages[0] is a str"),
        ([USER, None], "messages[1] is a NoneType"),
        ([{"content": "hello"}], "messages[0] has role None"),
        ([{"role": "human", "content": "hello"}], "messages[0] has role 'human'"),
        ([{"role": ["user"], "content": "hello"}], "messages[0] has role ['user']"),
        ([{"role": "User", "content": "hello"}], "messages[0] has role 'User'"),
    ],
)
def test_what_is_no_message_is_an_error_that_says_which(messages: Any, words: str) -> None:
    """With its place in the list, and what a message is."""
    with pytest.raises(ConfigError) as raised:
        made(messages)

    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (None, ("auto",)),
        ("fast", ("fast",)),
        (["fast", "auto"], ("fast", "auto")),
        (("fast",), ("fast",)),
        ("fast, auto", ("fast", "auto")),
        (["fast,large", " auto "], ("fast", "large", "auto")),
        ("vendor/model-1:free", ("vendor/model-1:free",)),
    ],
)
def test_a_model_is_a_name_or_several_in_order(model: Any, expected: tuple[str, ...]) -> None:
    """Commas separate names, as they do in the settings."""
    assert made(model=model).wanted == expected


@pytest.mark.parametrize("model", ["", " ", ",", [], [""], [None], ["fast", 5], 5, [["fast"]]])
def test_what_is_no_name_of_a_model_is_an_error(model: Any) -> None:
    """None alone means the client's own choice."""
    with pytest.raises(ConfigError, match="model is a name or a list of names"):
        names_of(model)


@pytest.mark.parametrize("name", sorted(PARAMETERS - {"extra_body"}))
def test_every_parameter_of_the_dialect_is_taken(name: str) -> None:
    """As the caller wrote it; whether a model knows it is the dialect's business."""
    assert made(params={name: 1}).params == {name: 1}


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("temprature", "temperature"),
        ("maxtokens", "max_tokens"),
        ("Stop", "stop"),
        ("top-p", "top_p"),
    ],
)
def test_an_unknown_parameter_is_named_with_the_nearest(name: str, guess: str) -> None:
    """And with the way for what only one provider knows."""
    with pytest.raises(ConfigError) as raised:
        made(params={name: 1})

    assert f"'{name}': did you mean '{guess}'?" in str(raised.value)
    assert "extra_body" in str(raised.value)


def test_the_first_unknown_parameter_is_named_whatever_their_order() -> None:
    """The same mistake gives the same message."""
    for params in ({"b_": 1, "a_": 1}, {"a_": 1, "b_": 1}):
        with pytest.raises(ConfigError, match="'a_'"):
            made(params=params)


def test_tools_and_their_choice_go_together() -> None:
    """A choice between no tools is left out: every provider would refuse it."""
    request = made(tools=[TOOL], tool_choice="required")
    bare = made(tools=[], tool_choice="required")

    assert (request.tools, request.tool_choice) == ((TOOL,), "required")
    assert (bare.tools, bare.tool_choice) == ((), None)


@pytest.mark.parametrize("tools", [TOOL, [print], "look", [None], 5, [TOOL, "look"]])
def test_tools_that_are_no_dicts_are_an_error(tools: Any) -> None:
    """What a framework turns into dicts, its front end takes."""
    with pytest.raises(ConfigError, match="tools is a list of dicts"):
        made(tools=tools)


@pytest.mark.parametrize("wanted", ["json", dict, 5, ["json_object"]])
def test_a_response_format_is_a_dict(wanted: Any) -> None:
    """A class or a word is another SDK's way."""
    with pytest.raises(ConfigError, match="response_format is a dict"):
        made(response_format=wanted)


messages = st.lists(
    st.dictionaries(st.sampled_from(["role", "content", "name"]), st.text() | st.none()), max_size=3
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(anything | messages, anything, anything, anything)
def test_whatever_is_passed_there_is_a_request_or_a_config_error(
    said: Any, model: Any, tools: Any, wanted: Any
) -> None:
    """Never another exception: the caller's mistakes are told as such."""
    before = repr((said, model, tools, wanted))
    try:
        request = made(said, model=model, tools=tools, response_format=wanted)
    except ConfigError:
        pass
    else:
        assert request.messages
        assert all(one["role"] in ROLES for one in request.messages)
        assert request.wanted
        assert all(isinstance(name, str) and name for name in request.wanted)

    assert repr((said, model, tools, wanted)) == before


@pytest.mark.parametrize("ask", ["chat", "stream_deltas", "explain"])
def test_a_wrong_request_is_refused_before_anything_is_opened(ask: str) -> None:
    """By every method that takes one, when it is called."""
    client = FreeLLM(providers=[Groq("gsk_x", models=["m"])], share=False)

    with pytest.raises(ConfigError, match="messages is empty"):
        getattr(client, ask)([])


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"model": "other"}, "'model'"),
        ({"stream": True, "top_k": 1}, "'stream'"),
        ({"messages": []}, "'messages'"),
        ("top_k=1", "a dict, not a str"),
        ([("top_k", 1)], "a dict, not a list"),
    ],
)
def test_extra_body_cannot_say_what_a_call_hangs_on(extra: Any, words: str) -> None:
    """Every route would fail, and rest for it."""
    with pytest.raises(ConfigError, match=words):
        made(params={"extra_body": extra})


@pytest.mark.parametrize("extra", [None, {}, MappingProxyType({"top_k": 1})])
def test_extra_body_is_otherwise_kept(extra: Any) -> None:
    """As it is."""
    assert made(params={"extra_body": extra}).params["extra_body"] is extra
