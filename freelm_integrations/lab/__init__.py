"""The lab: the six providers played on loopback, for demonstrations, notebooks and tests.

Each speaks its own dialect, enforces its own limits, and goes wrong on demand, down to the byte:

```python
from freelm_integrations.lab import Lab

with Lab(words="plain") as lab, lab.environ():
    lab["groq"].fail("rate_limited", times=2, retry_after=7)
    lab["google"].fail("reset", after=3)  # after three pieces of a stream
    ...
    print(lab["groq"].requests)
```

Knows nothing of the rest of this package: it is the other side that clients are tested against.
"""

from __future__ import annotations

from freelm_integrations.lab.faults import FaultKind, LabFault
from freelm_integrations.lab.lab import Lab
from freelm_integrations.lab.limits import LabLimit
from freelm_integrations.lab.provider import LabProvider
from freelm_integrations.lab.record import LabRequest

__all__ = ["FaultKind", "Lab", "LabFault", "LabLimit", "LabProvider", "LabRequest"]
