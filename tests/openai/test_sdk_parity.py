"""That SDK as it is installed, beside the shim: whatever its users pass is known here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, get_type_hints

import httpx
import openai as sdk
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.models import Models

from freelm_integrations import ConfigError, FreeLLM
from freelm_integrations import openai as shim
from freelm_integrations.openai.absent import ADVICE
from freelm_integrations.openai.arguments import REFUSED, CallParams, RequestParams, call_arguments
from freelm_integrations.openai.options import MEANINGLESS, options_from_openai
from freelm_integrations.openai.options import REFUSED as REFUSED_OPTIONS
from freelm_integrations.request.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from freelm_integrations.lab import Lab

USER = {"role": "user", "content": "Say hello."}
OWN = {"self", "messages", "model", "stream", "response_format"}
EXTRA_OPTIONS = {"default_headers", "default_query", "set_default_headers", "set_default_query"}


def names(method: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(method).parameters) - {"_extra_kwargs"}


def keys(params: type) -> set[str]:
    return set(params.__annotations__) | (keys(RequestParams) if params is CallParams else set())


@pytest.mark.parametrize("method", [Completions.create, Completions.parse, AsyncCompletions.create])
def test_every_parameter_of_a_call_is_taken_or_refused_with_a_reason(method: Any) -> None:
    """None is met with "unknown parameter": one that comes with a new version fails here."""
    assert names(method) - OWN - keys(CallParams) - set(REFUSED) == set()


@pytest.mark.parametrize("method", [Models.list, Models.retrieve])
def test_every_parameter_of_the_models_is_taken(method: Any) -> None:
    """The ones that all methods take."""
    assert names(method) - {"self", "model"} == keys(RequestParams)


@pytest.mark.parametrize("method", [sdk.OpenAI.__init__, sdk.OpenAI.with_options])
def test_every_option_of_a_client_is_taken_or_refused_with_a_reason(method: Any) -> None:
    """As above."""
    ours = {"self", "api_key", "base_url", "timeout", "http_client", *EXTRA_OPTIONS}

    assert names(method) - ours - set(MEANINGLESS) - set(REFUSED_OPTIONS) == set()


def test_what_is_taken_is_known_below() -> None:
    """By the core clients, but for what the shim keeps to itself."""
    ours = {"extra_query", "tools", "tool_choice"}

    assert keys(CallParams) - ours == set(PARAMETERS)
    assert get_type_hints  # the hints themselves are for checkers


def test_every_error_of_that_sdk_that_can_happen_here_has_its_name() -> None:
    """For imports, and with the same parents and status."""
    ours = [getattr(shim, name) for name in shim.__all__ if name.endswith("Error")]

    assert len(ours) > 10
    for error in ours:
        theirs = getattr(sdk, error.__name__)
        shared = [parent.__name__ for parent in theirs.__mro__ if parent.__name__.endswith("Error")]
        assert [one.__name__ for one in error.__mro__ if one.__name__.endswith("Error")] == shared
        if hasattr(theirs, "status_code"):
            assert error.status_code == theirs.status_code


@pytest.mark.parametrize("name", ["create", "parse"])
def test_what_is_streamed_differently_says_how(client: shim.OpenAI, name: str) -> None:
    """What is there is there; what is not says what to do."""
    assert callable(getattr(client.chat.completions, name))
    for place, missing in (
        (client.chat.completions, "with_raw_response"),
        (client.chat.completions, "with_streaming_response"),
        (client.chat.completions, "stream"),
        (client, "responses"),
        (client, "with_raw_response"),
        (client.models, "with_raw_response"),
    ):
        assert not hasattr(place, missing)
        with pytest.raises(AttributeError) as raised:
            getattr(place, missing)
        assert ADVICE[missing] in str(raised.value)


# ---------------------------------------------------------------------- a call


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, {}),
        ({"HTTP-Referer": "https://a.example", "X-Title": "App"},) * 2,
        ({"OpenAI-Beta": sdk.Omit(), "x-a": "b"}, {"x-a": "b"}),
    ],
)
def test_headers_of_a_call_go_along(headers: Any, kept: Any) -> None:
    """But for those that are taken out that way."""
    assert call_arguments({"extra_headers": headers, "seed": 1}) == {
        "extra_headers": kept,
        "seed": 1,
    }


@pytest.mark.parametrize("name", ["Authorization", "api-key", "OpenAI-Beta", "x-tenant"])
def test_headers_for_all_calls_are_refused_and_their_values_not_shown(name: str) -> None:
    """They would go to every provider, a key among them."""
    with pytest.raises(ConfigError, match="would go to every provider") as raised:
        options_from_openai({"default_headers": {name: "hunter2"}})

    assert "hunter2" not in str(raised.value)
    assert name in str(raised.value)


@pytest.mark.parametrize("sentinel", [sdk.NOT_GIVEN, sdk.omit])
def test_what_that_sdk_calls_not_given_is_not(sentinel: Any) -> None:
    """Wrappers pass it on."""
    assert call_arguments({"seed": 1, "stop": sentinel, "functions": sentinel}) == {"seed": 1}
    assert options_from_openai({"timeout": sentinel, "base_url": sentinel}) == {}


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [(5, 5), (0.5, 0.5), (httpx.Timeout(7), 7), (httpx.Timeout(7, connect=1), 7), (None, None)],
)
def test_a_timeout_is_seconds_or_what_httpx_has(timeout: Any, expected: Any) -> None:
    """Of its parts the one that counts for an answer."""
    assert call_arguments({"timeout": timeout}) == {"timeout": expected}
    assert options_from_openai({"timeout": timeout}) == {"timeout": expected}


def test_a_timeout_acts_on_its_call_alone(client: shim.OpenAI, lab: Lab) -> None:
    """Nobody speaks: that call gives up after its own time, the next has the client's again."""
    for provider in lab:
        provider.fail("hang", times=1)
    with pytest.raises(sdk.APITimeoutError):
        client.chat.completions.create(messages=[USER], timeout=0.2)

    assert client.chat.completions.create(messages=[USER]).choices[0].message.content


def test_what_a_provider_knows_of_the_newer_parameters_reaches_it(
    client: shim.OpenAI, lab: Lab
) -> None:
    """And the others are left in peace by what it declares."""
    client.chat.completions.create(
        messages=[USER],
        prompt_cache_key="k",
        safety_identifier="s",
        service_tier="auto",
        n=1,
        extra_body={"top_a": 1},
        extra_query=None,
        stream=None,
    )
    bodies = [one.body for provider in lab for one in provider.chats]

    assert bodies[-1]["top_a"] == 1
    assert "n" not in bodies[-1]


# ---------------------------------------------------------------------- a client


def settings_of(client: Any) -> Any:
    return client._client._dispatcher.settings


@pytest.mark.parametrize("kind", [shim.OpenAI, shim.AsyncOpenAI])
@pytest.mark.parametrize("method", ["with_options", "copy"])
def test_a_client_with_other_options_shares_the_rest(kind: Any, method: str) -> None:
    """The pool, what is known of the models, and the connections."""
    client = kind(providers="groq", api_key=None, share=False, strategy="latency", timeout=20)
    other = getattr(client, method)(timeout=5, max_retries=0)
    one, two = client._client, other._client

    assert type(other) is kind
    assert (settings_of(client).timeout, settings_of(other).timeout) == (20, 5)
    assert settings_of(other).strategy == "latency"
    assert settings_of(other).providers == settings_of(client).providers
    assert two._dispatcher.pool is one._dispatcher.pool
    assert two._dispatcher.catalogs is one._dispatcher.catalogs
    assert two._connections is one._connections


def test_other_providers_or_another_transport_bring_their_own() -> None:
    """What is known of the old ones says nothing of them."""
    client = shim.OpenAI(providers="groq", share=False)
    given = httpx.Client()
    other = client.with_options(api_key="csk-abc")
    sent = client.with_options(http_client=given)

    assert [one.name for one in settings_of(other).providers] == ["cerebras"]
    assert other._client._dispatcher.pool is not client._client._dispatcher.pool
    assert sent._client._connections is not client._client._connections
    assert sent._client._dispatcher.pool is client._client._dispatcher.pool
    given.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timout": 5}, "did you mean 'timeout'"),
        ({"timeout": -1}, "timeout takes a number of seconds above 0"),
        ({"default_headers": {"x-tenant": "t"}}, "default_headers has 'x-tenant'"),
        ({"default_query": {"api-version": "1"}}, "default_query has 'api-version'"),
        ({"data_residency": "eu"}, "nobody can promise it"),
        ({"workload_identity": {}}, "providers here take keys"),
    ],
)
def test_a_wrong_option_is_named(options: Any, words: str) -> None:
    """By the constructor and by `with_options` alike."""
    for make in (shim.OpenAI, shim.OpenAI(providers="groq").with_options):
        with pytest.raises(ConfigError, match=words):
            make(**options)


def test_the_core_clients_can_do_the_same() -> None:
    """Options are checked as ever, and None is not given."""
    client = FreeLLM(providers="groq", share=False, model="fast", max_attempts=3)
    other = client.with_options(max_attempts=5, strategy=None)

    assert other._dispatcher.settings.max_attempts == 5
    assert other._dispatcher.settings.wanted == ("fast",)
    assert client._dispatcher.settings.max_attempts == 3
    with pytest.raises(ConfigError):
        client.with_options(strategi="latency")  # type: ignore[call-arg]


def test_the_old_place_of_parse_is_still_there(client: shim.OpenAI) -> None:
    """`client.beta.chat.completions.parse`, of examples of 2024."""
    assert client.beta.chat.completions is client.chat.completions


# ---------------------------------------------------------------------- models


def test_a_model_is_retrieved_by_its_id(client: shim.OpenAI) -> None:
    """Of the first who has it; an unknown one is both a ConfigError and a NotFoundError."""
    first = client.models.list(timeout=5).data[0]

    assert client.models.retrieve(first.id) == first
    with pytest.raises(sdk.NotFoundError, match="unknown model") as raised:
        client.models.retrieve(first.id + "x")
    assert isinstance(raised.value, ConfigError)
    assert first.id in str(raised.value)


def test_the_list_of_models_is_a_page(client: shim.OpenAI) -> None:
    """The only one."""
    page = client.models.list()

    assert not page.has_next_page()
    assert page.next_page_info() is None
    assert [one.data for one in page.iter_pages()] == [page.data]


async def test_the_list_of_models_can_be_awaited_or_gone_through(lab: Lab) -> None:
    """That SDK allows both."""
    async with shim.AsyncOpenAI(share=False) as client:
        page = await client.models.list()
        again = [model async for model in client.models.list()]
        paged = [model async for model in page]
        one = await client.models.retrieve(page.data[0].id)

    assert page.data == again == paged
    assert one == page.data[0]
