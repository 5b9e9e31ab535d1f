"""Property tests count examples, not milliseconds: a busy machine is no counterexample."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("wire", deadline=None)
settings.load_profile("wire")
