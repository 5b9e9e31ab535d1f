"""A provider as a user configured it: its declaration, keys and options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Key:
    """One credential of one provider; shown only as a fingerprint (first 8 hex of its sha256)."""

    secret: SecretStr
    fingerprint: str
    account: str
