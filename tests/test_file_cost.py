"""What a byte of a file costs: `benchmarks/trust/file_cost.py` measures all formats, here are the dearest."""

from __future__ import annotations

import cProfile
import pstats
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from talksearch.indexer.talks.read import read_talk

TRUST = Path(__file__).parents[1] / "benchmarks" / "trust"
sys.path.insert(0, str(TRUST))

import file_cost  # noqa: E402 - it lies with the benchmarks

SMALL, LARGE = 25_000, 100_000


def peak_of(path: Path) -> int:
    """Return the most memory that reading takes, in bytes; what is made once for a process was made before."""
    read_talk(path)
    tracemalloc.start()
    try:
        read_talk(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def calls_of(path: Path) -> int:
    """Return how many functions are called to read a file: other than seconds they are the same on every machine."""
    read_talk(path)
    profile = cProfile.Profile()
    profile.runcall(read_talk, path)
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined, no-any-return]


def slope_of(called: str, cost: Callable[[Path], int], folder: Path) -> float:
    """Return how much more a longer file costs, for each of its bytes."""
    sample = file_cost.SAMPLES[called]
    large = file_cost.made(folder, sample, LARGE)
    size, dear = large.stat().st_size, cost(large)
    small = file_cost.made(folder, sample, SMALL)
    return (dear - cost(small)) / (size - small.stat().st_size)


# Files as short as these say many words for the first time, so the bounds lie above those of long ones. Before the
# words of a talk were shared, these two took more than 50 and 75.
@pytest.mark.parametrize(("called", "most"), [("txt", 28), ("flattened", 22), ("html", 16)])
def test_a_byte_of_a_file_takes_few_bytes_of_memory(tmp_path: Path, called: str, most: int) -> None:
    assert slope_of(called, peak_of, tmp_path) < most


@pytest.mark.parametrize(("called", "most"), [("html", 7), ("flattened", 5.5), ("table", 6.5)])
def test_a_byte_of_a_file_takes_few_calls(tmp_path: Path, called: str, most: int) -> None:
    assert slope_of(called, calls_of, tmp_path) < most


@pytest.mark.parametrize("called", file_cost.SAMPLES)
def test_a_made_file_is_read_as_the_format_that_is_meant(tmp_path: Path, called: str) -> None:
    sample = file_cost.SAMPLES[called]
    assert read_talk(file_cost.made(tmp_path, sample, 5_000)).format == sample.reader
