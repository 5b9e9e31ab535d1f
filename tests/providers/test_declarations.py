"""The declarations: what the contract names, what the sheets say, and what a wrong entry would break."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from freelm_integrations.chat import Request
from freelm_integrations.providers import PROVIDERS
from freelm_integrations.providers.address import checked_base_url
from freelm_integrations.providers.listing import models_from
from freelm_integrations.providers.options import RESETS, UNITS
from freelm_integrations.providers.provider import Groq
from freelm_integrations.providers.spec import DAY, ModelSpec
from freelm_integrations.wire.catalogs import parse_models

if TYPE_CHECKING:
    from freelm_integrations.providers.spec import Limit, ProviderSpec

HOSTED = [spec for spec in PROVIDERS.values() if spec.name != "local"]
EVERY = pytest.mark.parametrize("spec", list(PROVIDERS.values()), ids=list(PROVIDERS))
EACH_HOSTED = pytest.mark.parametrize("spec", HOSTED, ids=[spec.name for spec in HOSTED])
TAGS = {
    "audio",
    "files",
    "video",
    "fast",
    "large",
    "small",
    "tools",
    "vision",
    "reasoning",
    "json_schema",
}


def body(name: str, model: str, *, tags: tuple[str, ...] = (), **request: Any) -> dict[str, Any]:
    """What goes on the wire to a provider's model."""
    messages = request.pop("messages", ({"role": "user", "content": "Say JSON."},))
    made = Request(messages=tuple(messages), **request)
    decoded: dict[str, Any] = json.loads(PROVIDERS[name].dialect.encode(made, model, tags=tags))
    return decoded


def model(name: str, model_id: str) -> ModelSpec:
    return next(model for model in PROVIDERS[name].models if model.id == model_id)


def test_every_provider_of_the_contract_is_declared_under_its_name() -> None:
    """The keys of the mapping are the names; the six come first, and of them Cerebras last."""
    order = list(PROVIDERS)

    assert set(order[:5]) == {"openrouter", "google", "nim", "groq", "mistral"}
    assert order[5:] == [
        *("cerebras", "cloudflare", "zai", "cohere", "huggingface", "ovhcloud", "kilo", "local"),
    ]
    assert all(name == spec.name for name, spec in PROVIDERS.items())


def test_those_that_need_no_key_come_last() -> None:
    """They share their allowance with whoever has the same address."""
    assert [name for name, spec in PROVIDERS.items() if not spec.needs_key] == [
        *("ovhcloud", "kilo", "local"),
    ]


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("openrouter", "OPENROUTER_API_KEY FREELM_OPENROUTER_KEYS"),
        ("google", "GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_AI_STUDIO_KEY FREELM_GOOGLE_KEYS"),
        ("nim", "NVIDIA_API_KEY NIM_API_KEY FREELM_NIM_KEYS"),
        ("groq", "GROQ_API_KEY FREELM_GROQ_KEYS"),
        ("cerebras", "CEREBRAS_API_KEY FREELM_CEREBRAS_KEYS"),
        ("mistral", "MISTRAL_API_KEY FREELM_MISTRAL_KEYS"),
        ("cloudflare", "FREELM_CLOUDFLARE_KEYS CLOUDFLARE_API_TOKEN"),
        ("zai", "FREELM_ZAI_KEYS ZAI_API_KEY Z_AI_API_KEY"),
        ("cohere", "FREELM_COHERE_KEYS CO_API_KEY COHERE_API_KEY"),
        ("huggingface", "FREELM_HUGGINGFACE_KEYS HF_TOKEN"),
        ("ovhcloud", "FREELM_OVHCLOUD_KEYS"),
        ("kilo", "FREELM_KILO_KEYS KILO_API_KEY KILOCODE_API_KEY"),
        ("local", ""),
    ],
)
def test_keys_are_looked_for_where_the_contract_says(name: str, variables: str) -> None:
    """In this order; what other programs are set up by as well comes last."""
    spec = PROVIDERS[name]

    assert (*spec.key_variables, *spec.usual_variables) == tuple(variables.split())
    assert all(name.startswith("FREELM_") for name in spec.key_variables if spec.usual_variables)


@EVERY
def test_the_base_url_is_one_we_would_take_from_a_user(spec: ProviderSpec) -> None:
    """https or loopback, without a slash at its end."""
    assert checked_base_url(spec.base_url, owner=spec.name) == spec.base_url


@EACH_HOSTED
def test_a_hosted_provider_says_where_a_key_is_had_and_whether_it_trains(
    spec: ProviderSpec,
) -> None:
    """Both are shown to users."""
    assert spec.key_page.startswith("https://")
    assert spec.title
    assert spec.trains is not None


@EACH_HOSTED
def test_the_list_leads_with_a_plain_model_and_ends_with_thinking_ones(spec: ProviderSpec) -> None:
    """`auto` begins at the first: no model that thinks stands before a free one that does not."""
    thinks = ["reasoning" in model.tags for model in spec.models if model.free]

    assert thinks == sorted(thinks)


@EACH_HOSTED
def test_free_models_come_before_those_that_cost(spec: ProviderSpec) -> None:
    """And there is at least one."""
    costs = [not model.free for model in spec.models]

    assert costs == sorted(costs)
    assert not costs[0]


@EVERY
def test_models_are_told_apart_and_tagged_with_known_words(spec: ProviderSpec) -> None:
    """A misspelt tag would never be found, a doubled id be asked twice."""
    ids = [model.id for model in spec.models]

    assert len(set(ids)) == len(ids)
    assert all(set(model.tags) <= TAGS for model in spec.models)
    assert all(len(set(model.tags)) == len(model.tags) for model in spec.models)
    assert all((model.context or 1) >= (model.output or 0) for model in spec.models)


@EACH_HOSTED
def test_no_built_in_model_is_left_out_of_its_own_live_list(spec: ProviderSpec) -> None:
    """The rules by which listed models are told to chat hold for the declared ones."""
    for each in spec.models:
        assert not any(part in each.id for part in spec.chat_exclude), each.id
        assert not spec.chat_include or each.id.startswith(spec.chat_include), each.id


ONLY_LISTED = {"allam-2-7b"}
"""Models with limits of their own that are not built in."""


@EVERY
def test_limits_can_be_counted(spec: ProviderSpec) -> None:
    """Known units and resets; ids of models that have their own limits exist."""
    for tier in spec.tiers.values():
        limits: list[Limit] = [*tier.shared, *tier.each_model]
        for own in tier.by_model.values():
            limits += own
        assert all(limit.unit in UNITS and limit.resets in RESETS for limit in limits)
        assert all(limit.amount >= 0 and limit.per > 0 for limit in limits)
        declared = {model.id for model in (*spec.models, *spec.embedders)}
        assert set(tier.by_model) <= declared | ONLY_LISTED


@pytest.mark.parametrize(
    ("family", "names"),
    [
        (
            "gpt-oss-120b",
            {"groq", "nim", "cerebras", "cloudflare", "huggingface", "ovhcloud"},
        ),
        ("gpt-oss-20b", {"groq", "nim", "huggingface", "ovhcloud"}),
        ("gemma-4-31b", {"google", "openrouter", "nim"}),
        ("gemma-4-26b-a4b", {"google", "openrouter", "cloudflare"}),
        ("nemotron-3-super-120b", {"openrouter", "nim", "kilo"}),
        ("nemotron-3-ultra-550b", {"openrouter", "nim", "kilo"}),
        ("nemotron-3.5-lightning", {"openrouter", "nim", "kilo"}),
        ("qwen3.8-27b", {"groq", "cerebras"}),
        ("qwen3.6-27b", {"groq", "ovhcloud"}),
        ("llama-3.3-70b", {"nim", "cloudflare", "huggingface", "ovhcloud"}),
        ("llama-3.1-8b", {"nim", "huggingface"}),
        ("glm-4.7-flash", {"cloudflare", "zai"}),
        ("north-mini-code", {"openrouter", "cohere", "kilo"}),
    ],
)
def test_open_weights_have_one_family_name_everywhere(family: str, names: set[str]) -> None:
    """So that one model pools over providers whatever each calls it."""
    found = {
        spec.name for spec in PROVIDERS.values() for model in spec.models if model.family == family
    }

    assert found == names


@pytest.mark.parametrize(
    ("name", "tier", "limits"),
    [
        (
            "openrouter",
            "free",
            {(20, "requests", 60, "rolling"), (50, "requests", 86400, "utc_day")},
        ),
        (
            "openrouter",
            "credit",
            {(20, "requests", 60, "rolling"), (1000, "requests", 86400, "utc_day")},
        ),
        (
            "groq",
            "free",
            {
                (30, "requests", 60, "rolling"),
                (8000, "tokens", 60, "rolling"),
                (1000, "requests", 86400, "rolling"),
                (200_000, "tokens", 86400, "rolling"),
            },
        ),
        (
            "google",
            "free",
            {
                (5, "requests", 60, "rolling"),
                (250_000, "input_tokens", 60, "rolling"),
                (20, "requests", 86400, "pacific_day"),
            },
        ),
        ("kilo", "free", {(200, "requests", 3600, "rolling")}),
        ("ovhcloud", "free", {(2, "requests", 60, "rolling")}),
        ("cohere", "free", {(20, "requests", 60, "rolling")}),
    ],
)
def test_published_limits_are_declared_as_they_are_counted(
    name: str, tier: str, limits: set[tuple[float, str, float, str]]
) -> None:
    """OpenRouter's and Kilo's over all models together, the others' over each apart."""
    declared = PROVIDERS[name].tiers[tier]
    counted = declared.shared if name in {"openrouter", "kilo"} else declared.each_model

    assert {(one.amount, one.unit, one.per, one.resets) for one in counted} == limits


def test_a_trial_at_cohere_is_counted_by_the_month_too() -> None:
    """Over all models together, and no call is spent on its list."""
    (month,) = PROVIDERS["cohere"].tiers["free"].shared

    assert (month.amount, month.unit, month.resets) == (1000, "requests", "utc_month")
    assert PROVIDERS["cohere"].list_path is None


@pytest.mark.parametrize(
    ("name", "listed", "free"),
    [
        ("zai", b'{"data": [{"id": "glm-4.7-flash"}, {"id": "glm-9"}]}', ["glm-4.7-flash"]),
        (
            "kilo",
            (
                b'{"data": [{"id": "openrouter/free"}, {"id": "acme/owl:free"}, {"id": "acme/owl"},'
                b' {"id": "acme/owl-guard:free"}, {"id": "kilo-auto/free"}]}'
            ),
            ["kilo-auto/free", "acme/owl:free"],
        ),
        (
            "huggingface",
            (
                b'{"data": [{"id": "acme/owl", "providers": [{"is_free": false}]},'
                b' {"id": "acme/elk", "providers": [{"is_free": false}, {"is_free": true}]},'
                b' {"id": "openai/gpt-oss-20b", "providers": [{"is_free": false}]}]}'
            ),
            ["openai/gpt-oss-20b", "acme/elk"],
        ),
    ],
)
def test_of_a_list_with_paid_models_only_the_free_ones_are_taken_for_free(
    name: str, listed: bytes, free: list[str]
) -> None:
    """Nor does Kilo's router to classifiers, or a classifier, count as a model that chats."""
    found = models_from(PROVIDERS[name], parse_models(listed))

    assert [one.id for one in found if one.free] == free


def test_cerebras_counts_as_a_credit_unless_told_otherwise() -> None:
    """Its free tier ended 2026-08-17."""
    assert next(iter(PROVIDERS["cerebras"].tiers)) == "credit"


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("google", "gemini-3.1-pro-preview"),
        ("google", "gemini-2.5-pro"),
        ("mistral", "mistral-large-latest"),
    ],
)
def test_what_a_free_key_is_refused_is_marked(name: str, model_id: str) -> None:
    """So that it is never tried by default."""
    assert not model(name, model_id).free


@pytest.mark.parametrize(
    ("name", "asked", "sent", "not_sent"),
    [
        ("mistral", {"seed": 1}, {"random_seed": 1}, {"seed"}),
        ("mistral", {"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens"}),
        ("mistral", {"temperature": 2.0}, {"temperature": 1.5}, set()),
        ("mistral", {"user": "me", "logit_bias": {}}, {}, {"user", "logit_bias"}),
        ("cerebras", {"max_tokens": 9}, {"max_completion_tokens": 9}, {"max_tokens"}),
        ("google", {"seed": 1, "frequency_penalty": 0}, {}, {"seed", "frequency_penalty"}),
        ("groq", {"logprobs": True, "store": True, "seed": 1}, {"seed": 1}, {"logprobs", "store"}),
        ("groq", {"max_tokens": 9}, {"max_completion_tokens": 9}, {"max_tokens"}),
        ("nim", {"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens"}),
        ("nim", {"user": "me"}, {"max_tokens": 4096}, {"user"}),
        ("openrouter", {"top_k": 4}, {"top_k": 4}, set()),
        ("local", {"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens"}),
        ("cloudflare", {}, {"max_tokens": 2048}, set()),
        ("cloudflare", {"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens"}),
        ("cohere", {"logit_bias": {}, "top_k": 4, "seed": 1}, {"seed": 1}, {"logit_bias", "top_k"}),
        ("cohere", {"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens"}),
        ("zai", {"temperature": 2.0, "seed": 1}, {"temperature": 1.0}, {"seed", "max_tokens"}),
        ("ovhcloud", {"max_completion_tokens": 9}, {"max_tokens": 9}, {"max_completion_tokens"}),
        ("kilo", {"top_k": 4}, {"top_k": 4}, set()),
        ("huggingface", {"seed": 1}, {"seed": 1}, set()),
    ],
)
def test_parameters_go_as_each_provider_takes_them(
    name: str, asked: dict[str, Any], sent: dict[str, Any], not_sent: set[str]
) -> None:
    """Renamed, moved into range, or left out."""
    wire = body(name, "any-model", params=asked)

    assert sent.items() <= wire.items()
    assert not_sent.isdisjoint(wire)


@pytest.mark.parametrize(
    ("name", "model_id", "asked", "sent"),
    [
        ("groq", "openai/gpt-oss-20b", "none", "low"),
        ("groq", "openai/gpt-oss-20b", "high", "high"),
        ("groq", "qwen/qwen3.6-27b", "high", "default"),
        ("groq", "qwen/qwen3.6-27b", "none", "none"),
        ("groq", "qwen/qwen3.8-27b", "medium", "medium"),
        ("groq", "groq/compound-mini", "low", None),
        ("google", "gemini-3.8-flash", "minimal", "low"),
        ("google", "gemini-3.5-flash-lite", "none", "minimal"),
        ("google", "gemma-4-31b-it", "low", None),
        ("google", "gemini-3.1-pro-preview", "none", "low"),
        ("google", "gemini-2.5-pro", "none", "low"),
        ("google", "gemini-3-flash-preview", "xhigh", "high"),
        ("mistral", "mistral-small-latest", "low", "high"),
        ("mistral", "mistral-medium-latest", "none", "none"),
        ("nim", "nvidia/nemotron-3-super-120b-a12b", "medium", "high"),
        ("nim", "nvidia/nemotron-3-ultra-550b-a55b", "low", "medium"),
        ("nim", "moonshotai/kimi-k3", "low", None),
        ("cerebras", "gpt-oss-120b", "none", "low"),
        ("cohere", "command-a-reasoning-08-2025", "minimal", "none"),
        ("cohere", "command-a-plus-05-2026", "low", "high"),
        ("cohere", "command-a-03-2025", "low", None),
        ("zai", "glm-4.7-flash", "high", None),
    ],
)
def test_effort_is_said_in_the_model_s_own_words(
    name: str, model_id: str, asked: str, sent: str | None
) -> None:
    """Or not at all, where the model has none."""
    tags = model(name, model_id).tags

    wire = body(name, model_id, tags=tags, params={"reasoning_effort": asked})

    assert wire.get("reasoning_effort") == sent


@pytest.mark.parametrize("model_id", ["gemini-flash-latest", "gemini-pro-latest"])
def test_the_names_of_googles_newest_are_asked_as_the_newest(model_id: str) -> None:
    """These take no `minimal`, and want a signature with every call."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
    )
    wire = body("google", model_id, messages=messages, params={"reasoning_effort": "minimal"})

    assert wire["reasoning_effort"] == "low"
    assert "extra_content" in wire["messages"][1]["tool_calls"][0]


@pytest.mark.parametrize(
    ("model_id", "last"),
    [
        ("gemini-3.8-flash", "user"),
        ("gemini-flash-latest", "user"),
        ("gemini-3.1-flash-lite", "assistant"),
        ("gemini-3-flash-preview", "assistant"),
    ],
)
def test_newer_geminis_are_given_no_last_word_of_an_assistant(model_id: str, last: str) -> None:
    """They refuse it; older ones go on from it (2026-09)."""
    begun = ({"role": "user", "content": "hi"}, {"role": "assistant", "content": "Once"})

    assert body("google", model_id, messages=begun)["messages"][-1]["role"] == last


@pytest.mark.parametrize(
    ("model_id", "continues"),
    [
        ("anthropic/claude-sonnet-4.5", "plainly"),
        ("anthropic/claude-opus-4.6", None),
        ("openai/gpt-oss-120b", None),
        ("nvidia/nemotron-3-super-120b-a12b:free", None),
    ],
)
def test_few_of_openrouters_models_go_on_from_an_answer_that_was_begun(
    model_id: str, continues: str | None
) -> None:
    """The others refuse it or begin anew (tried in 2026-02)."""
    assert PROVIDERS["openrouter"].dialect.continues(model_id) == continues


@pytest.mark.parametrize(
    ("model_id", "params", "thinking"),
    [
        ("glm-4.7-flash", {}, {"type": "disabled"}),
        ("glm-4.7-flash", {"thinking": {"type": "enabled"}}, {"type": "enabled"}),
        ("glm-5.3", {}, None),
    ],
)
def test_glm_thinks_only_where_that_is_asked_for(
    model_id: str, params: dict[str, Any], thinking: dict[str, str] | None
) -> None:
    """It would stay silent for too long; those that cannot but think are told nothing."""
    assert body("zai", model_id, params=params).get("thinking") == thinking


def test_groq_blames_its_model_for_what_it_cannot_process() -> None:
    """A 422 there is the model's own slip, so the call goes on; elsewhere it is the request's."""
    words = b'{"error": {"message": "Unprocessable entity"}}'

    kinds = {name: PROVIDERS[name].dialect.fault(422, {}, words, utc=0).kind for name in PROVIDERS}
    assert kinds.pop("groq") == "tool_failed"
    assert set(kinds.values()) == {"malformed"}


@pytest.mark.parametrize(
    ("name", "model_id", "content", "text", "reasoning"),
    [
        ("openrouter", "any/model:free", "<think>Owls.</think>Hoot.", "Hoot.", "Owls."),
        ("openrouter", "any/model:free", "Write </think> last.", "Write </think> last.", ""),
        ("openrouter", "minimax/m3:free", "Owls.</think>Hoot.", "Hoot.", "Owls."),
        ("local", "deepseek-r1:8b", "Owls.</think>Hoot.", "Hoot.", "Owls."),
        ("local", "llama3.2:3b", "Write </think> last.", "Write </think> last.", ""),
        ("groq", "any-model", "<think>Owls.</think>Hoot.", "<think>Owls.</think>Hoot.", ""),
    ],
)
def test_thinking_that_leaks_is_told_from_the_answer(
    name: str, model_id: str, content: str, text: str, reasoning: str
) -> None:
    """Where it is known to; an answer that only talks about the tags stays whole."""
    decoder = PROVIDERS[name].dialect.decoder(Request(messages=()), model_id)
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    decoder.feed(json.dumps({"choices": [choice]}).encode())
    said = decoder.end()

    assert isinstance(said, list)
    assert "".join(delta.text for delta in said) == text
    assert "".join(delta.reasoning for delta in said) == reasoning


@pytest.mark.parametrize(
    ("name", "has_options"),
    [
        ("openrouter", False),
        ("mistral", False),
        ("cerebras", False),
        ("zai", False),
        ("kilo", False),
        ("cloudflare", True),
        ("cohere", True),
        ("huggingface", True),
        ("ovhcloud", True),
        ("groq", True),
        ("google", True),
        ("nim", True),
    ],
)
def test_usage_of_a_stream_is_asked_for_only_where_it_must_be(name: str, has_options: bool) -> None:
    """Mistral's closed schema does not list the field; the others send usage unasked."""
    wire = body(name, "any-model", streaming=True)

    assert ("stream_options" in wire) is has_options
    assert wire["stream"] is True


@pytest.mark.parametrize(
    ("name", "content"),
    [("groq", ""), ("nim", ""), ("mistral", ""), ("openrouter", None)],
)
def test_an_assistant_who_only_calls_tools_has_the_content_each_takes(
    name: str, content: str | None
) -> None:
    """Null is refused by some, an empty text by others."""
    call = {
        "id": "call_1234567890",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    }
    messages = (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1234567890", "content": "1"},
    )

    wire = body(name, "any-model", messages=messages)

    assert wire["messages"][1]["content"] == content


def test_mistral_gets_its_own_tool_ids_choice_and_order() -> None:
    """Nine letters and digits; `any` for a forced call; an answer between tool and user."""
    call = {
        "id": "call_1234567890",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    }
    messages = (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1234567890", "content": "1"},
        {"role": "user", "content": "and now?"},
    )
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

    wire = body(
        "mistral", "ministral-8b-latest", messages=messages, tools=(tool,), tool_choice="required"
    )

    assert wire["tool_choice"] == "any"
    assert wire["messages"][1]["tool_calls"][0]["id"] == wire["messages"][2]["tool_call_id"]
    assert len(wire["messages"][2]["tool_call_id"]) == 9
    assert [one["role"] for one in wire["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


def test_gemini_gets_the_stand_in_for_a_signature_it_did_not_make() -> None:
    """It refuses the history otherwise; Gemma has none."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
    )

    signed = body("google", "gemini-3.8-flash", messages=messages)["messages"][1]["tool_calls"][0]
    plain = body("google", "gemma-4-31b-it", messages=messages)["messages"][1]["tool_calls"][0]

    assert (
        signed["extra_content"]["google"]["thought_signature"] == "skip_thought_signature_validator"
    )
    assert "extra_content" not in plain


def test_schemas_for_google_hold_only_what_it_takes() -> None:
    """References are put in place, `additionalProperties` and formats go."""
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"when": {"$ref": "#/$defs/Day"}, "kind": {"const": "a"}},
        "$defs": {"Day": {"type": "string", "format": "date"}},
    }
    tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}

    sent = body("google", "gemini-3.8-flash", tools=(tool,))["tools"][0]["function"]

    assert sent["parameters"] == {
        "type": "object",
        "properties": {"when": {"type": "string"}, "kind": {"enum": ["a"]}},
    }
    assert "strict" not in sent


def test_the_declarations_are_cheap_to_import() -> None:
    """No framework, no HTTP library, no pydantic: only what the wire needs."""
    code = (
        "import sys, types; package = types.ModuleType('freelm_integrations');"
        "package.__path__ = [sys.argv[1]]; sys.modules['freelm_integrations'] = package;"
        "import freelm_integrations.providers;"
        "heavy = {'httpx', 'pydantic', 'asyncio', 'langchain_core', 'llama_index', 'platformdirs'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    folder = sys.modules["freelm_integrations"].__path__[0]

    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("model", "limits"),
    [
        ("openai/gpt-oss-20b", {(30, 60), (8_000, 60), (1_000, DAY), (200_000, DAY)}),
        ("qwen/qwen3.8-27b", {(30, 60), (8_000, 60), (1_000, DAY), (200_000, DAY)}),
        ("groq/compound", {(30, 60), (70_000, 60), (250, DAY)}),
        ("groq/compound-mini", {(30, 60), (70_000, 60), (250, DAY)}),
        ("allam-2-7b", {(30, 60), (6_000, 60), (7_000, DAY)}),
    ],
)
def test_groq_s_exceptions_are_declared(model: str, limits: set[tuple[float, float]]) -> None:
    """Also of models that only its list knows."""
    found = Groq("k").limits_of(ModelSpec(model))

    assert {(limit.amount, limit.per) for limit in found} == limits
