"""An index made on one kind of processor answers on another.

Here both kinds are this machine's: as it is, and with all that goes beyond AVX2 hidden from a process and what it
starts (`benchmarks/on_avx2.py`). Libraries choose other kernels then, and round otherwise.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ARCHIVE = [ROOT / "data" / "captions", ROOT / "data" / "zoom"]
QUERIES = ("how old varnish is taken off", "why the ledger was wrong", "who speaks for the water board")
NEAR = 0.1
"""How far scores may lie apart, which are sums of standardised scores, and between 3 and 12 here."""

Answers = dict[str, dict[tuple[str, float], float]]
"""For each query, the scores of its hits by talk and second."""


@pytest.fixture(scope="module")
def kinds() -> dict[str, dict[str, str]]:
    """The environments of the two kinds."""
    script = runpy.run_path(str(ROOT / "benchmarks" / "on_avx2.py"))
    wide = {name: value for name, value in os.environ.items() if name != "TALKSEARCH_MODEL"}
    try:
        narrow = script["hidden"](wide)
    except script["CannotHideError"] as why:
        pytest.skip(str(why))
    if narrow == wide:
        pytest.skip("this processor has nothing beyond AVX2")
    return {"wide": wide, "narrow": narrow}


@pytest.fixture(scope="module")
def folder(kinds: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index and a cache for each kind, made by it."""
    made = tmp_path_factory.mktemp("processors")
    for kind, environment in kinds.items():
        run(["index", *map(str, ARCHIVE)], environment, made / kind, made / f"{kind}-cache")
    (made / "queries.jsonl").write_text(
        "".join(f"{json.dumps({'id': query, 'query': query})}\n" for query in QUERIES), encoding="utf-8"
    )
    return made


@pytest.fixture(scope="module")
def own_answers(kinds: dict[str, dict[str, str]], folder: Path) -> dict[str, Answers]:
    """By kind, what the index that it made answers to it."""
    return {kind: ask(folder, environment, kind, f"{kind}-cache") for kind, environment in kinds.items()}


def run(arguments: Sequence[str], environment: dict[str, str], index: Path, cache: Path) -> str:
    """Run talksearch in a process of its own; returns its standard output."""
    own = {"TALKSEARCH_CACHE": str(cache), "TALKSEARCH_CONFIG": str(cache / "none.toml"), "TALKSEARCH_NO_SERVER": "1"}
    command = [sys.executable, "-m", "talksearch.cli", "--index", str(index), *arguments]
    done = subprocess.run(command, env=environment | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(folder: Path, environment: dict[str, str], index: str, cache: str) -> Answers:
    arguments = ["search", "--queries", str(folder / "queries.jsonl"), "-k", "4", "--format", "jsonl"]
    answers: Answers = {query: {} for query in QUERIES}
    for line in run(arguments, environment, folder / index, folder / cache).splitlines():
        hit: dict[str, Any] = json.loads(line)
        answers[hit["query_id"]][hit["talk_id"], hit["jump_s"]] = hit["score"]
    assert all(answers.values())
    return answers


def same(some: Answers, others: Answers) -> bool:
    """Whether all scores lie near each other; only hits as good as the last one may be missing from either."""
    for query in QUERIES:
        one, other = some[query], others[query]
        for here, there in ((one, other), (other, one)):
            for place, score in here.items():
                if place in there and abs(score - there[place]) > NEAR:
                    return False
                if place not in there and score > min(there.values()) + NEAR:
                    return False
    return True


@pytest.mark.parametrize("cache", ["made by this kind", "of the kind that made the index", "empty"])
@pytest.mark.parametrize(("maker", "asker"), [("wide", "narrow"), ("narrow", "wide")])
def test_an_index_made_on_one_kind_of_processor_answers_on_the_other(
    kinds: dict[str, dict[str, str]],
    folder: Path,
    own_answers: dict[str, Answers],
    maker: str,
    asker: str,
    cache: str,
) -> None:
    """A cache is of one machine, or on a disk that both use; and a machine that an index came to may have none yet."""
    caches = {
        "made by this kind": f"{asker}-cache",
        "of the kind that made the index": f"{maker}-cache",
        "empty": f"no-cache-of-{asker}",
    }
    there = ask(folder, kinds[asker], maker, caches[cache])
    assert same(there, own_answers[maker])
    first = {query: next(iter(hits)) for query, hits in there.items()}
    assert [talk.partition("-")[0] for talk, _ in first.values()] == ["the", "ledger", "brackwater"]


def test_what_was_found_out_on_one_kind_of_processor_is_not_taken_for_the_other(
    kinds: dict[str, dict[str, str]],
) -> None:
    script = "from talksearch.indexer.encoders.machine import machine_key; print(machine_key())"
    keys = {
        subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
        for environment in kinds.values()
    }
    assert len(keys) == 2


@pytest.mark.parametrize("option", ["", "-Xfaulthandler"])
def test_a_fault_still_ends_a_process_that_sees_less(kinds: dict[str, dict[str, str]], option: str) -> None:
    """`cpuid` is answered from where faults arrive: it is after others have asked for them, and they after it."""
    script = (
        "import simsimd; print(simsimd.get_capabilities()['skylake'], flush=True); import ctypes; ctypes.string_at(0)"
    )
    command = [sys.executable, *filter(None, [option]), "-c", script]
    done = subprocess.run(command, env=kinds["narrow"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "False\n")
    assert ("Segmentation fault" in done.stderr) == bool(option)
