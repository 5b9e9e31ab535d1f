# ruff: noqa: ARG002 - a hook is given what any of the six may need
"""NVIDIA NIM: one gateway before many servers, each with errors of its own. November 2026."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, Called, Ids, Said, Spent, Thought, Told
from freelm_integrations.lab.checks.nim import CHECKS
from freelm_integrations.lab.dialects.dialect import Dialect
from freelm_integrations.lab.loose import Json, compact
from freelm_integrations.lab.refusals import Facts, Refusal, Refused, seconds_told
from freelm_integrations.lab.terms.nim import LIMITS, MODELS, REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.replies import Whole

_GATEWAY_TITLES: Mapping[int, str] = {
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    410: "Gone",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


class Nim(Dialect):
    """The dialect of integrate.api.nvidia.com."""

    name = "nim"
    models = MODELS
    limits = LIMITS
    refusals = REFUSALS
    checks = CHECKS
    prefix = "/v1"
    key_prefix = "nvapi-"
    key_length = 70
    open_paths = frozenset({"models"})  # the list answers whatever the key

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
        if row.type is not None and row.type in shapes:
            return compact(shapes[row.type])
        error = {"message": message, "type": row.type, "code": row.code}
        if row.type == "BadRequestError" and str(facts["model"]).startswith("meta/"):  # older vLLM
            return compact({"object": "error", **error, "param": None})
        return compact({"error": error})

    def error_headers(self, row: Refusal, kind: str, facts: Facts) -> Mapping[str, str]:
        """Retry-After only where a test asks for it: none was ever seen."""
        headers = {"nvcf-status": "errored"}
        if row.status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = 'Bearer error="invalid_token"'
        if row.throttles and facts.get("retry_after") is not None:
            headers["retry-after"] = seconds_told(facts["retry_after"])
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
