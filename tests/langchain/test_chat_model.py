"""`ChatFreeLLM` itself: what it is made of, what it sends, how it ends."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelNotFoundError,
)
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import ConfigurableField
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from freelm_integrations import Groq, Mistral
from freelm_integrations.errors import ConfigError, MissingKey
from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

BETA = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
OTHER = "google"
"""Who answers in the lab of these tests, as the first provider refuses."""


def model(**more: Any) -> ChatFreeLLM:
    return ChatFreeLLM(strategy="priority", **more)


def sent(lab: Lab) -> dict[str, Any]:
    """The body of the last chat request that reached the provider that answers."""
    return lab[OTHER].chats[-1].body


class TestMaking:
    """Construction and arguments."""

    @pytest.mark.disable_socket
    def test_a_model_is_made_without_keys_network_or_clients(self) -> None:
        """Everything waits for the first call."""
        assert "blocking" not in repr(vars(model(api_key="nobody's")))

    def test_without_any_key_the_first_call_names_the_variables(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As an authentication error of both families."""
        monkeypatch.setattr("freelm_integrations.embedded.is_available", lambda: False)

        with pytest.raises(ModelAuthenticationError, match="GROQ_API_KEY") as caught:
            ChatFreeLLM().invoke("hi")

        assert isinstance(caught.value, MissingKey)

    @pytest.mark.parametrize("call", ["invoke", "stream"])
    def test_a_key_of_nobody_is_an_error_of_the_call(self, call: str) -> None:
        """Its looks tell no provider; the message shows nothing of it."""
        llm = ChatFreeLLM(api_key="nobodys-secret")

        with pytest.raises(ModelAuthenticationError, match="providers=") as caught:
            llm.invoke("hi") if call == "invoke" else list(llm.stream("hi"))

        assert "nobodys" not in str(caught.value)

    def test_keys_find_their_providers_by_their_looks(self, lab: Lab) -> None:
        """Several in one string, of several providers."""
        keys = f"{lab['groq'].keys[0]}, {lab['mistral'].keys[0]}"

        answer = model(api_key=keys).invoke("hi")

        assert answer.response_metadata["freelm"]["provider"] == "mistral"

    def test_a_provider_named_beside_a_key_owns_it(self, lab: Lab) -> None:
        """For keys of no particular looks."""
        answer = model(providers="mistral", api_key=lab["mistral"].keys[0]).invoke("hi")

        assert answer.response_metadata["freelm"]["provider"] == "mistral"

    def test_an_unknown_argument_is_refused_with_the_nearest(self) -> None:
        """Dropped in silence it would do nothing; nothing of its value is shown."""
        with pytest.raises(ConfigError, match="'temperature'") as caught:
            ChatFreeLLM(temprature="secret")

        assert "secret" not in str(caught.value)

    def test_a_wrong_value_does_not_show_the_keys_beside_it(self) -> None:
        """pydantic would print all it was given."""
        with pytest.raises(ValueError, match="temperature") as caught:
            ChatFreeLLM(temperature="warm", api_key="gsk_secret")

        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("given", "field", "value"),
        [
            ({"model_name": "m"}, "model", "m"),
            ({"request_timeout": 3}, "timeout", 3.0),
            ({"stop_sequences": ["x"]}, "stop", ["x"]),
            ({"max_completion_tokens": 5}, "max_tokens", 5),
        ],
    )
    def test_names_of_other_chat_models_are_understood(
        self, given: dict[str, Any], field: str, value: object
    ) -> None:
        """Users change the class and keep the arguments."""
        assert getattr(ChatFreeLLM(**given), field) == value

    @pytest.mark.parametrize(
        ("given", "tries"), [({}, None), ({"max_retries": 2}, 3), ({"max_attempts": 5}, 5)]
    )
    def test_retries_are_tries_after_the_first(
        self, given: dict[str, int], tries: int | None
    ) -> None:
        """LangChain counts retries, the engine attempts."""
        assert model(**given)._options().get("max_attempts") == tries

    @pytest.mark.parametrize("name", ["sideways", 3])
    def test_an_unknown_strategy_is_an_error_that_names_the_valid_ones(self, name: Any) -> None:
        """When it is first needed."""
        with pytest.raises(ValueError, match="strategy"):
            ChatFreeLLM(strategy=name).invoke("hi")


class TestCalling:
    """What reaches the provider."""

    def test_parameters_of_the_model_and_of_the_call_are_sent(self, lab: Lab) -> None:
        """The call's own win; what is unset is not sent."""
        model(temperature=0.5, max_tokens=90, stop=["a"]).invoke("hi", stop=["b"], max_tokens=70)

        body = sent(lab)
        assert body["temperature"] == 0.5
        assert body["max_tokens"] == 70
        assert body["stop"] == ["b"]
        assert "top_p" not in body

    def test_a_model_may_be_named_for_one_call(self, lab: Lab) -> None:
        """And the metadata tells that it answered."""
        answer = model().invoke("hi", model="mistral-small-latest")

        assert "mistral-small" in answer.response_metadata["model_name"]

    def test_an_unknown_parameter_is_the_callers_error(self, lab: Lab) -> None:
        """Typed, so that agents do not retry it."""
        with pytest.raises(ModelInvalidRequestError, match="temperatur"):
            model().invoke("hi", temperatur=1)

    def test_an_unknown_model_is_not_retried(self, lab: Lab) -> None:
        """Whether the engine knows it at once or hears it from the providers."""
        with pytest.raises((ModelNotFoundError, ModelInvalidRequestError)) as caught:
            model().invoke("hi", model="no-such-model-anywhere")

        assert not caught.value.is_retryable

    def test_no_tools_means_no_tools_and_no_choice(self, lab: Lab) -> None:
        """`create_agent` binds an empty list beside a response format."""
        form = {"type": "json_object"}

        model().bind_tools([], tool_choice="any", response_format=form).invoke("say json")

        assert "tools" not in sent(lab)
        assert "tool_choice" not in sent(lab)

    def test_extra_body_goes_along_verbatim(self, lab: Lab) -> None:
        """For what only one provider knows."""
        model(extra_body={"mine": 1}).invoke("hi")

        assert sent(lab)["mine"] == 1


class TestStreaming:
    """Streams, whole, broken and left early."""

    def test_a_broken_stream_is_a_retryable_error_with_the_text_so_far(self, lab: Lab) -> None:
        """Never a short answer that looks whole."""
        lab[OTHER].fail("truncated", times=None, after=3)
        said: list[str] = []
        chunks = model(on_interrupt="raise").stream("hi")

        with pytest.raises(ModelAPIError) as caught:
            said.extend(chunk.text for chunk in chunks)

        assert caught.value.is_retryable
        assert caught.value.partial == "".join(said) != ""

    def test_leaving_early_blames_nobody(self, lab: Lab) -> None:
        """The connection is closed, and the same provider answers the next call."""
        llm = model()
        stream = llm.stream("hi")
        next(stream)
        stream.close()

        assert llm.invoke("hi").response_metadata["freelm"]["provider"] == OTHER
        assert lab[OTHER].chats[0].ended != "open"

    async def test_leaving_early_on_an_event_loop_blames_nobody(self, lab: Lab) -> None:
        """A generator closed in the middle is the caller's wish, not a fault."""
        llm = model()
        stream = llm.astream("hi")
        await anext(stream)
        await stream.aclose()

        assert (await llm.ainvoke("hi")).response_metadata["freelm"]["provider"] == OTHER
        await llm.aclose()

    def test_a_stream_adds_up_to_what_invoke_gives(self, lab: Lab) -> None:
        """Text, finish reason, usage and who answered."""
        whole = model().invoke("hi")
        chunks = list(model().stream("hi"))
        streamed = chunks[0]
        for chunk in chunks[1:]:
            streamed += chunk

        assert streamed.content == whole.content
        assert streamed.response_metadata["model_name"] == whole.response_metadata["model_name"]
        assert streamed.usage_metadata["output_tokens"] == whole.usage_metadata["output_tokens"]
        assert {chunk.id for chunk in chunks} == {chunks[0].id}

    @BETA
    def test_the_event_stream_keeps_the_protocol(self, lab: Lab) -> None:
        """With a tool call in it, the hardest part of it."""

        def get_weather(city: str) -> str:
            """The weather in a city."""
            return city

        bound = model().bind_tools([get_weather], tool_choice="any")

        assert_valid_event_stream(list(bound.stream_events("weather in Paris?", version="v3")))


class TestDeriving:
    """Copies, bindings and pickles."""

    def test_every_derived_model_shares_the_engine(self) -> None:
        """Cooldowns and connections would be lost otherwise."""
        llm = model()
        fields = {"temperature": ConfigurableField("temperature")}
        configurable = llm.configurable_fields(**fields)
        derived, _ = configurable._prepare({"configurable": {"temperature": 0.9}})

        assert derived.temperature == 0.9
        assert derived.engine is llm.engine
        assert llm.bind(stop=["x"]).bound.engine is llm.engine
        for copied in (copy.copy(llm), copy.deepcopy(llm), llm.model_copy()):
            assert copied.engine is llm.engine

    def test_another_configuration_gets_another_engine(self) -> None:
        """A model derived with other keys must not use the old ones."""
        llm = model(api_key="gsk_one")

        assert ChatFreeLLM(**{**vars(llm), "api_key": "gsk_two"}).engine is not llm.engine

    def test_a_deep_copy_is_its_own(self) -> None:
        """What can be changed in one is not shared with the other."""
        llm = model(stop=["a"], extra_body={"a": {"b": 1}})

        copied = copy.deepcopy(llm)
        copied.extra_body["a"]["b"] = 2

        assert llm.extra_body == {"a": {"b": 1}}

    def test_an_unpickled_model_answers(self, lab: Lab) -> None:
        """With keys from the environment of where it is now."""
        llm = model(temperature=0.5, providers=[Mistral(lab["mistral"].keys[0]), Groq("gsk_x")])
        llm.invoke("hi")

        again = pickle.loads(pickle.dumps(llm))

        assert again.temperature == 0.5
        assert again.invoke("hi").response_metadata["freelm"]["provider"] == "mistral"

    @BETA
    def test_a_saved_model_is_loaded_with_its_secret(self) -> None:
        """By LangChain's own serialisation, as documented."""
        saved = dumps(model(api_key=["gsk_one", "gsk_two"], temperature=0.5))

        loaded = loads(
            saved,
            allowed_objects=[ChatFreeLLM],
            valid_namespaces=["freelm_integrations"],
            secrets_map={"FREELM_API_KEY": "gsk_one,gsk_two"},
        )

        assert "gsk_one" not in saved
        assert loaded.api_key.get_secret_value() == "gsk_one,gsk_two"
        assert loaded.temperature == 0.5


class TestFittingIn:
    """Core's own features."""

    def test_cached_answers_are_told_apart_by_model_and_providers(self, lab: Lab) -> None:
        """Two models that differ must not share an entry."""
        cache = InMemoryCache()
        lab["groq"].heal()

        first = model(cache=cache, providers="groq").invoke("hi")
        again = model(cache=cache, providers="groq").invoke("hi")
        other = model(cache=cache, providers="mistral").invoke("hi")

        assert again.response_metadata == first.response_metadata
        assert other.response_metadata["freelm"]["provider"] == "mistral"
        assert len(lab["groq"].chats) == 1

    @pytest.mark.parametrize("call", ["invoke", "stream"])
    def test_the_rate_limiter_is_asked_once_a_call(self, lab: Lab, call: str) -> None:
        """However many attempts the call takes."""

        class Counter(BaseRateLimiter):
            asked = 0

            def acquire(self, *, blocking: bool = True) -> bool:
                Counter.asked += 1
                return True

            async def aacquire(self, *, blocking: bool = True) -> bool:
                return self.acquire()

        Counter.asked = 0
        llm = model(rate_limiter=Counter())
        llm.invoke("hi") if call == "invoke" else list(llm.stream("hi"))

        assert Counter.asked == 1

    @pytest.mark.disable_socket
    def test_tokens_are_counted_offline(self) -> None:
        """Middleware that trims histories counts before every call."""
        llm = model()

        assert llm.get_num_tokens("twelve chars") == 3
        assert llm.get_num_tokens_from_messages([AIMessage("twelve chars")]) > 3
        assert model(custom_get_token_ids=lambda text: [1, 2]).get_num_tokens("twelve") == 2

    def test_the_profile_is_found_out_when_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The smallest window of the models in question, and no sooner."""
        llm = model()
        assert "max_input_tokens" not in llm.profile

        monkeypatch.setenv("GROQ_API_KEY", "gsk_x")

        assert llm.profile["max_input_tokens"] > 1000
        assert llm.profile.get("video_inputs") is None
        assert llm.profile["tool_calling"]

    def test_nothing_is_asked_for_a_profile(self, lab: Lab) -> None:
        """What is known must do: whoever builds an agent has not called anybody yet."""
        assert model().profile["max_input_tokens"]
        assert not any(provider.requests for provider in lab)

    def test_a_model_derived_for_another_id_has_its_profile(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`configurable_fields(model=...)` hands every field on, the profile too."""
        monkeypatch.setenv("GROQ_API_KEY", "gsk_x")
        llm = model()
        whole = llm.profile["max_input_tokens"]
        fields = {**vars(llm), "model": "openai/gpt-oss-20b"}

        assert ChatFreeLLM(**fields).profile["max_input_tokens"] >= whole

    def test_what_bind_tools_returns_is_known_at_run_time(self) -> None:
        """`with_fallbacks` looks it up to bind every model and not the first alone."""
        for method in (ChatFreeLLM.bind_tools, ChatFreeLLM.with_structured_output):
            assert "Runnable" in str(typing.get_type_hints(method)["return"])

    async def test_it_closes_in_both_worlds(self, lab: Lab) -> None:
        """And opens again when it is needed."""
        with model() as llm:
            llm.invoke("hi")
        assert llm.invoke("hi").content
        async with llm:
            await llm.ainvoke("hi")
        assert (await llm.ainvoke("hi")).content
        await llm.aclose()
