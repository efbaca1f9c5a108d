"""How quickly one question is answered by a fresh process, and where the time goes.

    python benchmarks/cold.py --index DIR [--runs N] [--chroma DIR] [--out FILE] [--chart FILE.svg]

In turn, each in a process of its own, with different queries and everything in the page cache:

- floor: imports numpy, onnxruntime and tokenizers, loads the exported model and embeds the query
- talksearch QUERY, without a server
- talksearch --mode lexical QUERY
- the tutorial script (`tutorial.py`): sentence-transformers and Chroma. It is asked over the index's own Chroma
  collection (or that of --chroma), which holds as many vectors of the same model.

Prints medians, ratios and peak memory, then a profile of `talksearch QUERY`: what its imports cost and how long each
stage takes. Exit 1 where a goal is missed: at most 1.2 times the floor, 300 MB, 1/12 of the tutorial script.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, time
from typing import Any

from about import about
from chart import bars
from measured import QUERIES, measured, tutorial_script

HERE = Path(__file__).parent
FLOOR, OURS, WORDS, TUTORIAL = "floor", "talksearch QUERY", "talksearch --mode lexical QUERY", "tutorial script"
GOALS = {"of the floor": 1.2, "MB": 300, "of the tutorial script": 1 / 12}

_FLOOR = """
import sys
import numpy, onnxruntime, tokenizers
folder, query = sys.argv[1:]
tokenizer = tokenizers.Tokenizer.from_file(folder + "/tokenizer.json")
tokenizer.no_padding()
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(folder + "/model.onnx", options, providers=["CPUExecutionProvider"])
ids = numpy.array([tokenizer.encode(query).ids])
session.run(None, {"input_ids": ids, "attention_mask": numpy.ones_like(ids)})
"""

_STAGES = """
import json, sys, time
folder, query, started = sys.argv[1], sys.argv[2], float(sys.argv[3])
stages, at = {"the interpreter starts": time.time() - started}, time.perf_counter()
def done(name):
    global at
    now = time.perf_counter()
    stages[name] = now - at
    at = time.perf_counter()
import talksearch.cli.main
done("imports: click, the commands")
import sqlite3
done("imports: sqlite3")
import numpy
done("imports: numpy")
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader
import simsimd
done("imports: the engine")
from pathlib import Path
index = open_reader(Path(folder), once=True)
done("open the index")
import onnxruntime
done("imports: onnxruntime")
import tokenizers
from talksearch.indexer.encoders import onnx_encoder
done("imports: tokenizers")
encoder = index.encoder()
done("load model and tokenizer")
vector = encoder.encode_query(query)
done("embed the query")
index.table()
done("map the columns")
encoder.encode_query = lambda _: vector
engine.search(index, Query(query, heat=True))
done("rank, pinpoint, make hits")
print(json.dumps(stages))
"""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--chroma", type=Path, help="a Chroma folder (default: the index's own)")
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--out", type=Path, default=HERE.parent / ".cache" / "cold.json")
    parser.add_argument("--chart", type=Path, help="where to draw the medians")
    options = parser.parse_args()
    # An installed package comes with its bytecode; without it each process would compile first.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    asked = measured(options.index)
    report: dict[str, Any] = {
        **about(
            "talksearch", "numpy", "onnxruntime", "tokenizers", "simsimd", "chromadb", "sentence-transformers", "torch"
        ),
        "passages": asked.passages,
        "columns": asked.columns,
    }
    print(report["machine"], report["versions"], *report["kernels"], sep="\n")
    print(f"{asked.passages:,} passages; columns: {report['columns']}")
    ours = [sys.executable, "-m", "talksearch.cli", "--index", str(options.index)]
    ways = {
        FLOOR: [sys.executable, "-c", _FLOOR, str(asked.home)],
        OURS: [*ours, "--"],
        WORDS: [*ours, "--mode", "lexical", "--"],
        TUTORIAL: tutorial_script(options.index, options.chroma),
    }
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for run in range(-1, options.runs):
        for name, command in ways.items():
            found = _process([*command, QUERIES[run % len(QUERIES)]])
            if run >= 0:  # the first only fills the page cache
                taken[name].append(found)
    report["load_after"] = round(os.getloadavg()[0], 2)
    report["wall_s"] = {name: _spread([wall for wall, _ in found]) for name, found in taken.items()}
    report["peak_mb"] = {name: round(max(peak for _, peak in found)) for name, found in taken.items()}
    # Ratios are of runs that stood next to each other, because machines have moods.
    report["ratios"] = {
        "of the floor": _ratio(taken[OURS], taken[FLOOR]),
        "of the tutorial script": _ratio(taken[OURS], taken[TUTORIAL]),
        "words alone, of the floor": _ratio(taken[WORDS], taken[FLOOR]),
    }
    report["imports_ms"] = _imports([*ours, "--", QUERIES[0]])
    report["stages_ms"] = _stages(options.index, options.runs)
    report["chart"] = {
        "title": f"One question from a fresh process, {asked.passages:,} passages",
        "unit": "s",
        "bars": [[name, figures["median"]] for name, figures in report["wall_s"].items()],
    }
    _print(report)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if options.chart:
        rows = [(name, value) for name, value in report["chart"]["bars"]]
        options.chart.write_text(bars(report["chart"]["title"], "s", rows), encoding="utf-8")
    missed = [name for name, most in GOALS.items() if {**report["ratios"], "MB": report["peak_mb"][OURS]}[name] > most]
    if missed:
        print(f"\nMissed: {', '.join(missed)}.", file=sys.stderr)
    return 1 if missed else 0


def _process(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; returns (wall seconds, peak memory in MB)."""
    started = perf_counter()
    running = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TALKSEARCH_NO_SERVER": "1", "HF_HUB_OFFLINE": "1"},
    )
    _, status, usage = os.wait4(running.pid, 0)
    wall = perf_counter() - started
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"This failed: {' '.join(command)}")
    return wall, usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _imports(command: Sequence[str]) -> dict[str, float]:
    """Return how many milliseconds the modules of each package take to import, themselves, longest first."""
    environment = {**os.environ, "TALKSEARCH_NO_SERVER": "1"}
    shown = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]], capture_output=True, text=True, env=environment, check=True
    ).stderr
    every: dict[str, float] = defaultdict(float)
    for own, name in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", shown):
        every[name.split(".")[0]] += int(own) / 1000
    longest = sorted(every.items(), key=lambda both: -both[1])
    return {
        **{name: round(took, 1) for name, took in longest[:12]},
        "others": round(sum(t for _, t in longest[12:]), 1),
    }


def _stages(index: Path, runs: int) -> dict[str, float]:
    """Return the median of how many milliseconds each stage of a query takes, in the order of the stages."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in range(runs):
        command = [sys.executable, "-c", _STAGES, str(index), QUERIES[run % len(QUERIES)], str(time())]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for name, took in json.loads(shown).items():
            found[name].append(took * 1000)
    return {name: round(statistics.median(every), 1) for name, every in found.items()}


def _ratio(ours: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> float:
    return round(statistics.median(one[0] / other[0] for one, other in zip(ours, others, strict=True)), 3)


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def _print(report: dict[str, Any]) -> None:
    print(f"load average {report['load_before']} before, {report['load_after']} after\n")
    print(f"{'':34}{'median s':>10}{'least':>10}{'most':>10}{'peak MB':>10}")
    for name, wall in report["wall_s"].items():
        print(f"{name:34}{wall['median']:>10}{wall['least']:>10}{wall['most']:>10}{report['peak_mb'][name]:>10}")
    ratios = report["ratios"]
    print(f"\ntalksearch QUERY takes {ratios['of the floor']:.2f} times the floor (goal: at most 1.2) and")
    print(f"1/{1 / ratios['of the tutorial script']:.1f} of the tutorial script (goal: at most 1/12).")
    for title, key in (("Imports (ms, -X importtime)", "imports_ms"), ("Stages (ms, median)", "stages_ms")):
        print(f"\n{title}")
        for name, took in report[key].items():
            print(f"  {name:32}{took:>8.1f}")


if __name__ == "__main__":
    sys.exit(main())
