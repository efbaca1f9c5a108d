"""What fuzzing found and was mended stays mended, and a short run finds nothing else.

`benchmarks/trust/fuzz.py` makes the long runs; `tests/fuzz` holds the shortest input of each kind that it found.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TRUST = Path(__file__).parents[1] / "benchmarks" / "trust"
sys.path.insert(0, str(TRUST))

import fuzz  # noqa: E402 - it lies with the benchmarks
from fuzz_inputs import BESIDE, FILES, Input, corpus, mutated  # noqa: E402
from fuzz_light import LIGHT  # noqa: E402
from fuzz_targets import Setting  # noqa: E402

NOT_ASKED = "slow"
"""What a test does not ask: how quick a machine is that does other things. What takes ten seconds is `endless`."""

FOUND = list(fuzz.stored(Path(__file__).parent / "fuzz"))


@pytest.fixture(scope="module")
def setting() -> Iterator[Setting]:
    own = Setting()
    yield own
    own.close()


@pytest.mark.parametrize("tried", FOUND, ids=lambda one: f"{one.target}-{one.name}-{len(one.data)}")
def test_what_was_found_stays_mended(setting: Setting, tried: Input) -> None:
    found = fuzz.fault(setting, tried)
    assert found is None or found.kind.startswith(NOT_ASKED), found


def test_a_short_run_finds_nothing(setting: Setting) -> None:
    dice = random.Random(25)
    seeds = corpus(())
    tried = []
    for target, count in (("file", 40), ("beside", 40), *((target, 200) for target in LIGHT)):
        of_target = [seed for seed in seeds if seed.target == target]
        tried += [mutated(dice.choice(of_target), seeds, dice) for _ in range(count)]
    found = [finding for one in tried if (finding := fuzz.fault(setting, one))]
    assert [finding for finding in found if not finding.kind.startswith(NOT_ASKED)] == []


def test_a_planted_fault_is_found(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("fuzz_targets.load_talk", planted)
    found = fuzz.fault(setting, Input("file", "a.srt", FILES["a.srt"].encode()))
    assert found is not None
    assert found.kind.startswith("ZeroDivisionError")


def test_the_same_seed_makes_the_same_inputs() -> None:
    seeds = corpus(())
    runs = [
        [mutated(seeds[at % len(seeds)], seeds, dice) for at in range(200)]
        for dice in (random.Random(7), random.Random(7))
    ]
    assert runs[0] == runs[1]
    assert {seed.name for seed in seeds} >= {*FILES, *BESIDE}
