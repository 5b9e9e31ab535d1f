"""The lab: the six providers played on loopback, for demonstrations, notebooks and tests.

Each speaks its own dialect, enforces its own limits, and goes wrong on demand, down to the byte:

    from freelm_integrations.lab import Lab

    with Lab(words="plain") as lab, lab.environ():
        lab["groq"].fail("rate_limited", times=2, retry_after=7)
        lab["google"].fail("reset", after=3)  # after three pieces of a stream
        ...
        print(lab["groq"].requests)

It knows nothing of the rest of this package but its clock and its sense for typing errors: clients
are tested against it. The parts: `terms` is what each provider publishes, `checks` what it turns
down, `dialects` how it speaks; `mind` makes what the models say; `server` is sockets and bytes;
`desk` brings them together.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freelm_integrations.lab.faults import FaultKind, LabFault
    from freelm_integrations.lab.lab import Lab
    from freelm_integrations.lab.limits import LabLimit
    from freelm_integrations.lab.provider import LabProvider
    from freelm_integrations.lab.record import LabRequest

__all__ = ["FaultKind", "Lab", "LabFault", "LabLimit", "LabProvider", "LabRequest"]

_HOMES = {
    "FaultKind": "faults",
    "Lab": "lab",
    "LabFault": "faults",
    "LabLimit": "limits",
    "LabProvider": "provider",
    "LabRequest": "record",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: the pytest plugin beside it costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home: object = import_module(f"{__name__}.{_HOMES[name]}")
    return getattr(home, name)
