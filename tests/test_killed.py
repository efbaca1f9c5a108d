"""A run that is killed at a chosen point, and what the next one makes of it. `forked` makes the trials."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def trials(kind: str, folder: Path) -> dict[str, list[str]]:
    """Make the trials of a kind; returns what was wrong with each."""
    ran = subprocess.run(
        [sys.executable, HERE / "forked.py", kind, folder], capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    made: dict[str, list[str]] = json.loads(ran.stdout.splitlines()[-1])
    return made


def test_an_index_whose_run_was_killed_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    made = trials("killed", tmp_path)
    assert len(made) > 25
    assert {name: wrong for name, wrong in made.items() if wrong} == {}


def test_where_no_file_may_grow_further_a_run_says_so_and_the_next_one_finishes(tmp_path: Path) -> None:
    made = trials("limited", tmp_path)
    assert {name: wrong for name, wrong in made.items() if wrong} == {}
