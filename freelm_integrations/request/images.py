"""Images in messages, checked: where each is, in a form that some provider could follow.

A link is for the provider to fetch, a `data:` URI holds the image in base64. Nothing is decoded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from freelm_integrations.errors import ConfigError
from freelm_integrations.request.values import is_mapping, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRITTEN_OUT = "write the image out: data:image/png;base64,..."
_BASE64 = re.compile(r"[A-Za-z0-9+/_=%\s-]*")
_LOOKED_AT = 2000
"""Characters of an image that are looked at: text that is no base64 shows itself soon."""
_LONGEST = 40


def check_image(part: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError where an image part holds no image that anybody could look at."""
    held: object = part.get("image_url")
    place = f"{where}.image_url"
    if is_mapping(held):
        held, place = held.get("url"), f"{place}.url"
    if not isinstance(held, str):
        what = "missing" if held is None else kind_of(held)
        raise ConfigError(f"{place} is {what}: give a link, or {_WRITTEN_OUT}")
    scheme, colon, rest = held[:_LOOKED_AT].strip().partition(":")
    kind = scheme.casefold() if colon else ""
    if kind == "data":
        _check_data(rest, place)
    elif kind not in {"http", "https"} or not rest.strip("/"):
        raise ConfigError(_no_link(held, kind, place))


def _check_data(rest: str, place: str) -> None:
    head, comma, image = rest.partition(",")
    if not comma or not head.casefold().endswith(";base64"):
        raise ConfigError(f"{place} is a data URI without base64: {_WRITTEN_OUT}")
    if not image.strip():
        raise ConfigError(f"{place} is a data URI that holds nothing")
    if not _BASE64.fullmatch(image):
        raise ConfigError(f"{place} is a data URI whose content is no base64")


def _no_link(held: str, kind: str, place: str) -> str:
    if not held.strip():
        return f"{place} is empty: give a link, or {_WRITTEN_OUT}"
    if kind and len(kind) < _LONGEST:
        return f"{place} is of the scheme {kind!r}, which no provider follows: {_WRITTEN_OUT}"
    return f"{place} is no link: nobody else can see a file of yours, {_WRITTEN_OUT}"
