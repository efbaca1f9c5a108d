"""One table for each kind of processor, of what the benchmarks of speed wrote.

    python benchmarks/kinds.py FILE.json...

Each FILE is what build.py, cold.py, warm.py, scale.py, first_run.py or starting.py wrote with `--out`, on any machine,
or here under `on_avx2.py`. Files of one machine and the same features of its processor make one table, in Markdown, for
docs/speed.md: the figure, what was asked for, and which benchmark printed it.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = tuple[str, str, str]
"""What was measured, the figure with its unit, and what was asked for or nothing."""


def main() -> None:
    """Read the files and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    tables: dict[str, list[tuple[str, Row]]] = {}
    loads: dict[str, list[float]] = {}
    for file in options.files:
        report = json.loads(file.read_text(encoding="utf-8"))
        name, rows = next((name, rows) for key, (name, rows) in _ROWS.items() if key in report)
        tables.setdefault(report["machine"], []).extend((name, row) for row in rows(report))
        loads.setdefault(report["machine"], []).append(report["load_before"])
    for machine, table in tables.items():
        print(f"\n{machine}; load average {min(loads[machine])} to {max(loads[machine])} before each\n")
        print("| | measured | asked for | by |\n|---|--:|--:|---|")
        for name, (what, figure, asked) in table:
            print(f"| {what} | {figure} | {asked} | `benchmarks/{name}` |")


def _build(report: dict[str, Any]) -> Iterator[Row]:
    encode, build = report["encode"], report["build"]
    goals = {name: row["goal"] for name, row in report["goals"].items()}
    for name, rate in encode["passages_a_second"].items():
        yield f"passages a second, {name}", f"{rate:.1f}", ""
    least, most = min(encode["ratios"]), max(encode["ratios"])
    yield (
        "times as many as `encode`",
        f"{encode['ratio']:.2f} ({least:.2f} to {most:.2f})",
        f"{goals['times encode']:g}",
    )
    lost, asked = encode["success_lost"], goals["success@5 lost"]
    yield f"success@5 lost by it, {encode['queries']} queries", f"{lost:.4f}", f"within {asked:g}"
    first = build["first"]
    what = f"{build['archive']} from nothing, {first['embedded']:,} passages"
    yield what, f"{first['seconds']:.1f} s, {first['model_s']:.1f} of them in the model", ""
    yield "the same again, unchanged", f"{build['unchanged']['seconds']:.2f} s", f"{goals['unchanged, s']:g} s"


def _cold(report: dict[str, Any]) -> Iterator[Row]:
    for name, wall in report["wall_s"].items():
        yield f"{name}, {report['passages']:,} passages", f"{wall['median']:.3f} s, {report['peak_mb'][name]} MB", ""
    ratios = report["ratios"]
    yield "a fresh process, of the floor", f"{ratios['of the floor']:.2f}", "1.2"
    yield "a fresh process, of the tutorial script", f"1/{1 / ratios['of the tutorial script']:.1f}", "1/12"


def _warm(report: dict[str, Any]) -> Iterator[Row]:
    for name in ("no filter", "one talk"):
        times = report["engine_ms"][name]
        yield f"a warm engine, {name}", f"{times['median']} ms, 99th percentile {times['p99']}", ""
    yield "one client on the socket", f"{report['socket_ms']['one client']['median']} ms", ""
    yield "command line through a server", f"{report['command_line_ms']['through the server']['median']} ms", ""
    if report["of_the_script"]:
        yield "the same, of the tutorial script", f"1/{1 / report['of_the_script']:.1f}", "1/50"
    yield "answers a second, 8 clients at once", f"{report['at_once']['answers_a_second']:g}", ""


def _scale(report: dict[str, Any]) -> Iterator[Row]:
    for row in report["sizes"]:
        ask, what = row["ask"], f"{row['passages']:,} passages"
        yield f"a fresh process, {what}", f"{ask['cold_ms']:.0f} ms, {ask['cold_peak_mb']:.0f} MB", ""
        yield f"a warm engine, {what}", f"{ask['warm_ms']:.1f} ms, {ask['warm_slowest_ms']:.1f} at the slowest", ""


def _first_run(report: dict[str, Any]) -> Iterator[Row]:
    asked = {"empty cache": "12 s", "full cache": "3 s"}
    for name, runs in report["runs"].items():
        yield f"`index data`, {name}" if name in asked else name, *_seconds([run["clock"] for run in runs], asked, name)


def _starting(report: dict[str, Any]) -> Iterator[Row]:
    asked = {"serve listens": "0.5 s", "mcp answers initialize": "0.7 s"}
    for name, rounds in report["seconds"].items():
        yield name, *_seconds([clock for clock, _ in rounds], asked, name)


def _seconds(times: list[float], asked: dict[str, str], name: str) -> tuple[str, str]:
    figure = f"{statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"
    return figure, asked.get(name, "")


_ROWS = {
    "encode": ("build.py", _build),
    "wall_s": ("cold.py", _cold),
    "engine_ms": ("warm.py", _warm),
    "sizes": ("scale.py", _scale),
    "runs": ("first_run.py", _first_run),
    "seconds": ("starting.py", _starting),
}
"""By a key that only its report has, each benchmark and what makes rows of that report."""


if __name__ == "__main__":
    main()
