"""Times one reader of notes, alone in its process. Standard library only.

Each reader of this folder is a script: it takes ``{"texts": [...], "forms": [[concept,
form], ...]}`` on standard input and prints its figures as one JSON line. It may run under
another interpreter than ours, since EDS-NLP and we want different versions of spaCy.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

#: Notes read before the clock starts.
WARM_UP = 20


def given() -> dict[str, Any]:
    """The texts and surface forms, from standard input."""
    loaded: dict[str, Any] = json.load(sys.stdin)
    return loaded


def report(find: Callable[[str], int], texts: list[str]) -> None:
    """Read every text once and print seconds (wall, processor), peak memory and finds."""
    for text in texts[:WARM_UP]:
        find(text)
    began, busy = perf_counter(), process_time()
    found = sum(find(text) for text in texts)
    figures = {
        "seconds": perf_counter() - began,
        "cpu_seconds": process_time() - busy,
        "found": found,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(figures) + "\n")
