"""What the environment says: a variable that is unset or blank says nothing."""

from __future__ import annotations

import os

from freelm_integrations.errors import ConfigError
from freelm_integrations.nearest import unknown

_TRUTH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def variable(name: str) -> str | None:
    """Its text without the space around it, or None."""
    text = os.environ.get(name)
    return (text.strip() or None) if text else None


def switch(name: str) -> bool | None:
    """Whether it is on (`1`, `true`, `yes`, `on`) or off, None where it says nothing.

    Raises:
        ConfigError: It says something else.
    """
    text = variable(name)
    if text is None:
        return None
    if (is_on := _TRUTH.get(text.lower())) is None:
        raise ConfigError(unknown(f"value of {name}", text, _TRUTH))
    return is_on
