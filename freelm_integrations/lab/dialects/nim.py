"""NVIDIA NIM's hosted API, as seen up to November 2026: one gateway before many servers, each with its own errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from freelm_integrations.lab.catalog import LabModel, chat, decoy, embedder
from freelm_integrations.lab.dialects.asked import Asked, Called, Ids, Said, Spent, Thought, Told
from freelm_integrations.lab.dialects.dialect import Dialect, Facts, Refusal, Refused, refuse_fields
from freelm_integrations.lab.dialects.replies import Whole
from freelm_integrations.lab.limits import LabLimit
from freelm_integrations.lab.loose import Json, compact, fields

_UNKNOWN = frozenset(
    ["reasoning", "prompt_cache_key", "store", "tool_stream", "metadata", "enable_thinking", "service_tier", "random_seed", "safe_prompt", "extra_body", "plugins", "provider", "transforms", "include_reasoning", "reasoning_format", "prompt_mode", "web_search_options"]
)
_GATEWAY_TITLES: Mapping[int, str] = {
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    410: "Gone",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


def _check_fields(asked: Asked) -> Refused | None:
    unknown = _UNKNOWN if asked.model.has("nemotron") else _UNKNOWN | {"reasoning_budget"}
    names = [name for name in asked.body if name in unknown]
    if names and asked.model.has("vllm"):
        return refuse_fields(asked, names, "extra_input")
    return (
        Refused("unsupported", {"name": ", ".join(f"`{name}`" for name in names)})
        if names
        else None
    )


def _check_features(asked: Asked) -> Refused | None:
    if asked.body.get("tools") and not asked.model.has("tools"):
        detail = (
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        )
        return Refused("malformed", {"detail": detail})
    if asked.body.get("parallel_tool_calls") is True and asked.model.has("single_call"):
        return Refused(
            "malformed", {"detail": "This model only supports single tool-calls at once!"}
        )
    if any(message.get("role") == "developer" for message in asked.messages):
        return Refused("server_error")
    if fields(asked.body.get("reasoning")):
        return Refused("unsupported", {"name": "`reasoning`"})
    return None


def _check_last_role(asked: Asked) -> Refused | None:
    if asked.messages[-1].get("role") in ("user", "tool") or not asked.model.has("strict_roles"):
        return None
    return Refused(
        "malformed",
        {"detail": "Conversation roles must alternate user/assistant/user/assistant/..."},
    )


class Nim(Dialect):
    """The dialect of integrate.api.nvidia.com."""

    name = "nim"
    prefix = "/v1"
    key_prefix = "nvapi-"
    key_length = 70
    open_paths = frozenset({"models"})  # the list answers whatever the key
    checks = (_check_fields, _check_features, _check_last_role)
    limits = (LabLimit(40, "requests"),)
    models = (
        chat("nvidia/nemotron-3.5-lightning-30b-a3b", "tools reasoning nemotron"),
        chat("nvidia/nemotron-3-super-120b-a12b", "tools reasoning nemotron", context=1_048_576),
        chat("nvidia/nemotron-3-ultra-550b-a55b", "tools reasoning nemotron", context=1_048_576),
        chat("google/gemma-4-31b-it", "tools vision strict_roles", context=262_144),
        chat("openai/gpt-oss-20b", "tools reasoning vllm"),
        chat("openai/gpt-oss-120b", "tools reasoning vllm"),
        chat("deepseek-ai/deepseek-v4.1-flash", "tools reasoning vllm", context=1_048_576),
        chat("z-ai/glm-5.3", "tools reasoning vllm"),
        chat("minimaxai/minimax-m3", "tools reasoning think_tags"),
        chat("meta/llama-3.3-70b-instruct", "tools single_call vllm"),
        chat("meta/llama-3.1-8b-instruct", "vllm"),
        chat("moonshotai/kimi-k3", "tools reasoning", standing="priced"),
        embedder("nvidia/llama-nemotron-embed-1b-v2", 2_048, "asymmetric", context=8_192),
        embedder("nvidia/nv-embedqa-e5-v5", 1_024, "asymmetric", context=512),
        embedder("baai/bge-m3", 1_024, context=8_192),
        decoy("nvidia/llama-nemotron-rerank-1b-v2"),
        decoy("nvidia/llama-3.1-nemoguard-8b-content-safety"),
        decoy("nvidia/riva-translate-4b-instruct"),
        decoy("black-forest-labs/flux.1-dev"),
        chat("mistralai/mistral-nemotron", "tools", standing="retired"),
        chat("moonshotai/kimi-k2.6", "tools", standing="gone"),
    )
    refusals: Mapping[str, Refusal] = {
        "no_key": Refusal(401, "Header of type `authorization` was missing", "gateway"),
        "unauthorized": Refusal(403, "Authorization failed", "gateway"),
        "payment_required": Refusal(
            402, "Account '{org}': Cloud credits expired - Please contact us", "gateway"
        ),
        "forbidden_model": Refusal(
            404, "Function '{function}': Not found for account '{org}'", "gateway"
        ),
        "model_gone": Refusal(
            410,
            "The model '{model}' has reached its end of life on 2026-09-28T00:00:00Z and is no longer available",
            "gateway",
        ),
        "unknown_model": Refusal(404, "404 page not found", "text"),
        "priced_model": Refusal(
            404, "Function '{function}': Not found for account '{org}'", "gateway"
        ),
        "no_path": Refusal(404, "404 page not found", "text"),
        "malformed": Refusal(400, "{detail}", "Bad Request", 400),
        "unsupported": Refusal(400, "Unsupported parameter(s): {name}", "Bad Request", 400),
        "extra_input": Refusal(
            400,
            "[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}]",
            "BadRequestError",
            400,
        ),
        "no_input_type": Refusal(
            400, "'input_type' parameter is required for asymmetric models", "string"
        ),
        "no_input": Refusal(422, "Field required", "fastapi"),
        "degraded": Refusal(
            400, "Function id '{function}': DEGRADED function cannot be invoked", "detail"
        ),
        "context_overflow": Refusal(
            400,
            "This model's maximum context length is {context} tokens. However, your messages resulted in {size} "
            "tokens. Please reduce the length of the messages.",
            "BadRequestError",
            400,
        ),
        "too_large": Refusal(
            400,
            "Payload too large, make sure your payload is below 26214400 bytes",
            "invalid_image_format",
            400,
        ),
        "rate_limited": Refusal(429, "", "bare"),
        "daily_quota": Refusal(429, "", "bare"),
        "no_allowance": Refusal(429, "", "bare"),
        "shared_capacity": Refusal(
            503,
            "ResourceExhausted: Worker local total request limit reached (96/96)",
            "Service Unavailable",
            503,
        ),
        "moderated": Refusal(400, "The request was refused by a guard model.", "Bad Request", 400),
        "server_error": Refusal(500, "Inference connection error", "gateway"),
        "overloaded": Refusal(503, "Service temporarily overloaded", "Service Unavailable", 503),
    }

    def refuse(self, kind: str, facts: Facts) -> Whole:
        """Name the function behind the model."""
        return super().refuse(kind, {"function": Ids(f"nim:{facts.get('model')}").uuid(), **facts})

    def error_body(self, row: Refusal, message: str, facts: Facts) -> bytes:
        """The gateway's shapes, and those of the servers behind it."""
        shapes: Mapping[str, object] = {
            "bare": {"status": row.status, "title": "Too Many Requests"},
            "gateway": {
                "status": row.status,
                "title": _GATEWAY_TITLES.get(row.status, "Error"),
                "detail": message,
            },
            "detail": {"detail": message},
            "string": {"error": message},
            "fastapi": {"detail": [{"loc": ["body", "input"], "msg": message, "type": "missing"}]},
        }
        if row.type == "text":
            return message.encode()
        if row.type in shapes:
            return compact(shapes[row.type])
        error = {"message": message, "type": row.type, "code": row.code}
        if row.type == "BadRequestError" and len(str(facts["model"])) % 2:
            return compact({"object": "error", **error, "param": None})
        return compact({"error": error})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Retry-After only where a test asks for it: none was ever seen."""
        headers = {"nvcf-status": "errored"}
        if row.status == 401:
            headers["www-authenticate"] = 'Bearer error="invalid_token"'
        if row.status == 429 and facts.get("retry_after") is not None:
            headers["retry-after"] = str(round(facts["retry_after"]))
        return headers

    def common_headers(self, facts: Facts) -> Mapping[str, str]:
        """What every answer carries."""
        return {"nvcf-reqid": str(facts.get("id", "lab")), "server": "uvicorn"}

    def listed(self) -> Iterator[LabModel]:
        """One id comes twice."""
        yield from super().listed()
        yield self.models[0]

    def model_row(self, model: LabModel) -> Json:
        """Four fields and always the same date."""
        owner = model.id.partition("/")[0]
        return {"id": model.id, "object": "model", "created": 735_790_403, "owned_by": owner}

    def check_embeddings(self, model: LabModel, body: Json) -> Refused | None:
        """Asymmetric models need to know query from passage."""
        if not body.get("input"):
            return Refused("no_input")
        if model.has("asymmetric") and body.get("input_type") not in ("query", "passage"):
            return Refused("no_input_type")
        if "encoding_format" in body and body["encoding_format"] not in ("float", "base64"):
            return Refused("malformed", {"detail": "encoding_format must be 'float' or 'base64'"})
        return None

    def call_id(self, asked: Asked, call: Called) -> str:
        """As vLLM makes them."""
        return f"chatcmpl-tool-{asked.ids.hex(32, call.place)}"

    def usage(self, asked: Asked, spent: Spent) -> Json:
        """Reasoning is not counted apart."""
        return {
            "prompt_tokens": spent.prompt,
            "completion_tokens": spent.completion,
            "total_tokens": spent.total,
        }

    def message(self, asked: Asked, told: Told) -> Json:
        """Reasoning in a field, or between tags in the text."""
        message = super().message(asked, told)
        reasoning = message.pop("reasoning", None)
        if asked.model.has("think_tags"):
            message["content"] = f"<think>{reasoning or ''}</think>{told.text}"
        else:
            message["reasoning_content"] = reasoning
        return message

    def begin(self, asked: Asked) -> Iterator[bytes]:
        """The role; the opening tag of models that think in the text."""
        yield from super().begin(asked)
        if asked.model.has("think_tags"):
            yield self.chunk(asked, {"content": "<think>"})

    def thought(self, asked: Asked, piece: Thought) -> Iterator[bytes]:
        """In a field of its own, or in the text."""
        name = "content" if asked.model.has("think_tags") else "reasoning_content"
        yield self.chunk(asked, {name: piece.text})

    def said(self, asked: Asked, piece: Said) -> Iterator[bytes]:
        """Text, after the closing tag where there is one."""
        closing = "</think>" if piece.first and asked.model.has("think_tags") else ""
        yield self.chunk(asked, {"content": closing + piece.text})

    def called(self, asked: Asked, call: Called) -> Iterator[bytes]:
        """In fragments, the id in the first alone; an empty one at the end."""
        if not asked.model.has("vllm"):
            yield from super().called(asked, call)
            return
        head = {"index": call.place, "id": self.call_id(asked, call), "type": "function"}
        yield self.chunk(asked, {"tool_calls": [{**head, "function": {"name": call.name}}]})
        for start in range(0, len(call.arguments), 8):
            part = {
                "index": call.place,
                "function": {"arguments": call.arguments[start : start + 8]},
            }
            yield self.chunk(asked, {"tool_calls": [part]})
        yield self.chunk(
            asked, {"tool_calls": [{"index": call.place, "function": {"arguments": ""}}]}
        )

    def chunk(self, asked: Asked, delta: Json, finish: str | None = None, **more: object) -> bytes:
        """With the fields vLLM leaves empty."""
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        if asked.model.has("vllm"):
            choice.update(stop_reason=None, token_ids=None)
        return self.event({**self.envelope(asked), "choices": [choice], **more})

    def error_event(self, asked: Asked) -> bytes:
        """An error object without choices."""
        return b"data: " + self.refuse("shared_capacity", {"model": asked.model.id}).body + b"\n\n"
