"""How long the first indexing run takes, on a machine that has never indexed and on one that has.

    python benchmarks/first_run.py [--folder DIR] [--rounds N] [--out FILE]

In every round, each in a fresh process and in turn, because machines have moods:

- `import chromadb`: what a run that puts passages into Chroma cannot do without
- `empty cache`: `talksearch index data` into a new index, with no model made ready on this machine
- `full cache`: the same into another new index, with the model made ready
- `one talk more`: a talk that the second index does not have
- `unchanged`: the second index once more

Prints seconds on the clock (median, least, most) and, on Linux, those of the processor with all processes that were
started; then the seconds of each phase of a run, which overlap; and which large packages a run imported. Exits with 1
where the median with an empty cache is above 12 s or with a full one above 3 s, or a run imported torch.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

from about import about

ROOT = Path(__file__).parents[1]
GOALS = {"empty cache": 12.0, "full cache": 3.0}
"""The most that the median of these runs may take, in seconds."""

NEVER = "torch"
"""The package that no run of the default model may import."""

LARGE = ("torch", "transformers", "sklearn", "scipy", "pandas", "chromadb", "onnxruntime", "openvino", "onnx")
"""Packages that take long to import."""

MORE = """WEBVTT

00:00:01.000 --> 00:00:06.000
The tide mill stood idle for forty years before we lifted the first sluice.

00:00:06.000 --> 00:00:12.000
What turned the wheel in the end was not the spring tide but patience with the mud.
"""


def main() -> int:
    """Run everything in turn, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "data", help="what is indexed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "first_run.json")
    options = parser.parse_args()
    report: dict[str, Any] = about("talksearch", "chromadb", "onnxruntime", "numpy")
    print(f"{report['machine']}, load average {report['load_before']}\n{report['versions']}\n")
    runs: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package comes with its bytecode
    for _ in range(options.rounds):
        for name, run in _round(options.folder.resolve()).items():
            runs[name].append(run)
    failed = _print(runs)
    report |= {"runs": runs, "load_after": os.getloadavg()[0]}
    print(f"\nload average {report['load_after']:.1f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return int(failed)


def _round(folder: Path) -> dict[str, dict[str, Any]]:
    """Run everything once, by what was run: `clock` and `processor` in seconds, `phases` in seconds, `imported`."""
    with tempfile.TemporaryDirectory(prefix="ts") as name:
        made = Path(name)
        more = made / "tide-mill.vtt"
        more.write_text(MORE, encoding="utf-8")
        first, second = (["--index", str(made / index)] for index in ("first", "second"))
        return {
            "import chromadb": _timed([sys.executable, "-c", "import chromadb"], made),
            "empty cache": _watched(["index", str(folder), *first], made),
            "full cache": _watched(["index", str(folder), *second], made),
            "one talk more": _watched(["index", str(more), *second], made),
            "unchanged": _watched(["index", *second], made),
        }


def _watched(arguments: list[str], made: Path) -> dict[str, Any]:
    seen = made / "seen.json"
    took = _timed([sys.executable, __file__, "--watched", str(seen), *arguments], made)
    return took | json.loads(seen.read_text(encoding="utf-8"))


def _timed(command: list[str], made: Path) -> dict[str, Any]:
    environment = {**os.environ, "TALKSEARCH_CACHE": str(made / "cache"), "TALKSEARCH_CONFIG": str(made / "config")}
    processor, clock = _processor_s(), perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=made)
    return {"clock": perf_counter() - clock, "processor": _processor_s() - processor}


def _processor_s() -> float:
    """Return the processor's seconds of all processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _print(runs: dict[str, list[dict[str, Any]]]) -> bool:
    """Print the tables; return whether a goal is missed."""
    print(f"{'seconds':<18} {'median':>7} {'least':>7} {'most':>7} {'processor':>10} {'goal':>5}")
    failed = False
    for name, took in runs.items():
        clock = [run["clock"] for run in took]
        processor = statistics.median(run["processor"] for run in took)
        goal = GOALS.get(name)
        failed = failed or (goal is not None and statistics.median(clock) > goal)
        row = f"{name:<18} {statistics.median(clock):>7.2f} {min(clock):>7.2f} {max(clock):>7.2f} {processor:>10.2f}"
        print(row + (f" {goal:>5.0f}" if goal else ""))
    indexing = {name: took for name, took in runs.items() if "phases" in took[0]}
    print(f"\n{'phase, median':<30}" + "".join(f" {name:>14}" for name in indexing))
    for phase in dict.fromkeys(phase for took in indexing.values() for run in took for phase in run["phases"]):
        cells = [statistics.median(run["phases"].get(phase, 0.0) for run in took) for took in indexing.values()]
        print(f"{phase:<30}" + "".join(f" {cell:>14.2f}" for cell in cells))
    print()
    for name, took in indexing.items():
        imported = sorted({package for run in took for package in run["imported"]})
        failed = failed or NEVER in imported
        print(f"{name}: {NEVER} {'imported' if NEVER in imported else 'not imported'}; {', '.join(imported)}")
    return failed


# --- in the process that is watched ----------------------------------------------------------------------------------


def watched(seen: Path, arguments: list[str]) -> None:
    """Run a command of talksearch and write down how long its phases took and what it imported."""
    begun = perf_counter()
    phases: defaultdict[str, float] = defaultdict(float)
    from talksearch.cli.commands import index
    from talksearch.cli.main import cli
    from talksearch.indexer.pipeline import embed_pending, encoder_provider, topic_map, update_index
    from talksearch.indexer.stores import calibration
    from talksearch.indexer.stores.columns import update

    phases["importing talksearch"] = perf_counter() - begun

    def watch(module: ModuleType | type, function: str, phase: str) -> None:
        original: Callable[..., Any] = getattr(module, function)

        @wraps(original)
        def timed(*given: Any, **named: Any) -> Any:
            started = perf_counter()
            try:
                return original(*given, **named)
            finally:
                phases[phase] += perf_counter() - started

        setattr(module, function, timed)

    watch(update_index, "look", "looking at files")
    watch(update_index, "_read_changed", "reading")
    watch(encoder_provider.EncoderProvider, "_load_known", "  loading the encoder meanwhile")
    watch(update_index.embed_pending, "embed_pending", "embedding")
    watch(encoder_provider.EncoderProvider, "_choose", "  choosing, learning directions")
    watch(embed_pending, "encode", "  in the model")
    watch(embed_pending, "_put_into_stores", "  in the stores")
    watch(update_index, "prepare_queries", "preparing queries")
    watch(update_index, "_prepare_query_model", "  the query model meanwhile")
    watch(update, "write", "  columns")
    watch(calibration, "write", "  calibration")
    watch(topic_map, "update", "  map of topics")
    watch(index, "_keep_overview", "overview")
    try:
        cli(arguments, standalone_mode=False)
    finally:
        imported = [package for package in LARGE if package in sys.modules]
        seen.write_text(json.dumps({"phases": phases, "imported": imported}), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watched"]:
        watched(Path(sys.argv[2]), sys.argv[3:])
    else:
        sys.exit(main())
