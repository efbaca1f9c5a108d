"""A few trials of `benchmarks/trust`: kills at random moments, a full disk, and reads while an index is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRUST = Path(__file__).parents[1] / "benchmarks" / "trust"


@pytest.mark.skipif(sys.platform != "linux", reason="the harness counts changes of files by inotify")
@pytest.mark.parametrize(
    ("harness", "arguments"),
    [
        ("kill.py", ("--only", "drop", "--number", "0", "--quick", "--jobs", "1")),
        ("full.py", ("--only", "first", "--number", "8", "--quick", "--jobs", "1", "--limit")),
        ("reads.py", ("--only", "catalog", "--count", "4000")),
    ],
)
def test_all_trials_hold(harness: str, arguments: tuple[str, ...]) -> None:
    cache = () if harness == "reads.py" else ("--cache", os.environ["TALKSEARCH_CACHE"])
    ran = subprocess.run([sys.executable, TRUST / harness, *arguments, *cache], capture_output=True, text=True)
    tried, held = ran.stdout.splitlines()[-1].split("tried ")[1].split(", held ")[:2]
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    assert int(tried.replace(",", "")) > 0
    assert held.replace(",", "").split()[0] == tried.replace(",", ""), ran.stdout
