"""A run that is killed at a chosen point, and what the next one makes of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from trials import trials

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def test_an_index_whose_run_was_killed_ends_as_one_that_was_left_alone(tmp_path: Path) -> None:
    made = trials("killed", tmp_path)
    assert len(made) > 25
    assert {name: wrong for name, wrong in made.items() if wrong} == {}
