"""The trials of `forked`, made by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def trials(kind: str, folder: Path) -> dict[str, list[str]]:
    """Make the trials of a kind below a folder; returns what was wrong with each, by its name."""
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("forked.py"), kind, folder],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    made: dict[str, list[str]] = json.loads(ran.stdout.splitlines()[-1])
    return made
