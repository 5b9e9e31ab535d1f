"""Message content on the wire: text, images and other parts, in the form one provider takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freelm_integrations.wire.shapes import is_mapping, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freelm_integrations.wire.openai import ChatCompletions

# Front ends keep these in an assistant's content; nobody but their maker takes them back.
_FOREIGN = frozenset({"thinking", "reasoning", "redacted_thinking", "tool_use", "tool_call"})


def wire_content(content: Any, rules: ChatCompletions) -> Any:
    """Content that is no plain string: text-only parts become one, unless they may stay a list."""
    if content is None:
        return None
    if not isinstance(content, (list, tuple)):
        return str(content)
    listed = cast("list[Any]", content)
    shaped = [_part(part, rules) for part in listed if not _is_foreign(part)]
    parts = [part for part in shaped if part and not _is_blank(part)]
    if rules.text_parts and parts:
        return parts
    return joined(parts) if all(part.get("type") == "text" for part in parts) else parts


def joined(parts: Iterable[Any]) -> str:
    """The text of the parts, a line each."""
    return "\n".join(said for part in parts if (said := text(mapping(part).get("text"))))


def _is_foreign(part: Any) -> bool:
    return is_mapping(part) and part.get("type") in _FOREIGN


def _is_blank(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "text" and part.get("text") == ""


def _part(part: Any, rules: ChatCompletions) -> Mapping[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    shaped = mapping(part)
    if shaped.get("type") != "image_url":
        return shaped
    image: Any = shaped.get("image_url")
    if rules.image_url == "string" and is_mapping(image):
        return {**shaped, "image_url": image.get("url")}
    if rules.image_url == "object" and isinstance(image, str):
        return {**shaped, "image_url": {"url": image}}
    return shaped
