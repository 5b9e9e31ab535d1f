"""Rows of OpenRouter's list of models: prices in strings, and what each model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freelm_integrations.lab.catalog import LabModel
    from freelm_integrations.lab.loose import Json

_FREE = {"prompt": "0", "completion": "0"}
_PAID = {"prompt": "0.0000002", "completion": "0.0000006"}


def model_row(model: LabModel) -> Json:
    """One row."""
    ways = ["text", "image"] if model.has("vision") else ["text"]
    row: Json = {
        "id": model.id,
        "canonical_slug": model.id.removesuffix(":free"),
        "name": model.id,
        "created": 1_788_220_800,
        "description": "A model of the lab.",
        "context_length": model.context,
        "architecture": {
            "modality": f"{'+'.join(ways)}->text",
            "input_modalities": ways,
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": dict(_PAID if model.standing == "priced" else _FREE),
        "top_provider": {
            "context_length": model.context,
            "max_completion_tokens": model.output,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": _parameters(model),
        "default_parameters": {},
        "expiration_date": None,
    }
    if model.has("reasoning"):
        row["reasoning"] = {
            "mandatory": False,
            "default_enabled": True,
            "supported_efforts": ["high", "low"],
        }
    return row


def _parameters(model: LabModel) -> list[str]:
    names = ["max_tokens", "temperature", "top_p", "stop", "seed"]
    if model.has("tools"):
        names += ["tools", "tool_choice"]
    if model.has("schema"):
        names += ["response_format", "structured_outputs"]
    if model.has("reasoning"):
        names += ["reasoning", "include_reasoning"]
    return names
