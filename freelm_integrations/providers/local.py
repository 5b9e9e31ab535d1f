"""A model of one's own: Ollama, llama.cpp, LM Studio, or one served in this very process."""

from freelm_integrations.providers.spec import ProviderSpec
from freelm_integrations.wire.openai import ChatCompletions

LOCAL = ProviderSpec(
    name="local",
    title="Local",
    base_url="http://localhost:11434/v1",  # Ollama's; llama.cpp has 8080, LM Studio 1234
    key_page="",
    key_variables=(),
    needs_key=False,
    # What all of Ollama, llama.cpp and LM Studio understand (their sources and docs, 2026-08).
    dialect=ChatCompletions(
        renames={"max_completion_tokens": "max_tokens"},  # Ollama ignores the newer name
        # Ollama and llama.cpp know the effort, the latter and vLLM the template's switch; what a
        # server does not know it ignores. gpt-oss cannot but think.
        less_thinking={
            "gpt-oss": {"reasoning_effort": "low"},
            "": {
                "reasoning_effort": "none",
                "chat_template_kwargs": {"enable_thinking": False},
            },
        },
        named_choice=False,  # LM Studio takes words only
        forced_in_words=True,  # Ollama ignores the choice in silence
        format_with_tools=False,  # llama.cpp: one grammar at a time
        starts_with_user=True,
        alternating=("",),
        system_place="first",  # as many chat templates want it
        # Where the server does not tell thinking apart; the templates of those named write the tag
        # themselves, so that answers begin inside it.
        think_tags={**dict.fromkeys(("r1", "qwq", "think", "minimax"), "think"), "": "think"},
    ),
    # Whatever was loaded there: only its own list can tell.
    models=(),
    trains=False,
    # The context that is really there: of llama.cpp, LM Studio, and Ollama (docs of 2026-04/11).
    details={"/../props": None, "/../api/v0/models": None, "/../api/ps": "/../api/show"},
    priority=100,  # the last resort
    patience=4.0,  # loading weights takes 30 to 120 s
    hardly_beyond={"links": 0},  # a 400 at Ollama; llama.cpp fetches them (their sources, 2026-08)
    chat_exclude=("embed",),  # LM Studio lists embedding models among the others (2026-04)
)
