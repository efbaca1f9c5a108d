"""What figures are of: the machine, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any


def about(*packages: str) -> dict[str, Any]:
    """Return the machine, the versions of Python and some packages, and the load average of the last minute.

    >>> sorted(about("numpy")), sorted(about("numpy")["versions"])
    (['load_before', 'machine', 'versions'], ['numpy', 'python'])
    """
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "machine": f"{found[1] if found else platform.processor()}, {cores} cores, {platform.platform()}",
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }
