"""`uv run python -m tests.benchmarks`: every bar as measured now.

Exit status 1 if one is missed.
"""

from __future__ import annotations

import gc
import sys

from tests.benchmarks import day, harvest, imports, ledger, overhead, routing, stress
from tests.benchmarks.measure import Report

if __name__ == "__main__":
    report = Report()
    gc.freeze()  # what is imported by now is nobody's garbage
    parts = {
        "imports": imports,
        "calls": overhead,
        "routing": routing,
        "ledger": ledger,
        "harvest": harvest,
        "day": day,
        "stress": stress,
    }
    for name, part in parts.items():
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            print(name)
            part.run(report)
    sys.exit(1 if report.failed else 0)
