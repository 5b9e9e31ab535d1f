"""What OpenRouter turns down in a chat request before it looks at anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freelm_integrations.lab.asked import Asked, format_of
from freelm_integrations.lab.loose import fields
from freelm_integrations.lab.refusals import Check, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence


def _check_features(asked: Asked) -> Refused | None:
    if asked.body.get("tools") and not asked.model.has("tools"):
        return Refused("no_endpoint", {"detail": "No endpoints found that support tool use."})
    strict = fields(asked.body.get("provider")).get("require_parameters") is True
    if strict and format_of(asked) == "json_schema" and not asked.model.has("schema"):
        return Refused(
            "no_endpoint",
            {"detail": "No endpoints found that can handle the requested parameters."},
        )
    both = {
        asked.body.get("reasoning_effort"),
        fields(asked.body.get("reasoning")).get("effort"),
    } - {None}
    return (
        Refused("malformed", {"detail": "reasoning.effort and reasoning_effort differ"})
        if len(both) > 1
        else None
    )


def _check_images(asked: Asked) -> Refused | None:
    parts = str([message.get("content") for message in asked.messages])
    if "image_url" in parts and not asked.model.has("vision"):
        return Refused("no_endpoint", {"detail": "No endpoints found that support image input"})
    return None


CHECKS: Sequence[Check] = (_check_features, _check_images)
