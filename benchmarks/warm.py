"""How quickly a resident engine answers: in the engine, over its socket, on the command line, and to many at once.

    python benchmarks/warm.py [--index DIR] [--chroma DIR] [--queries N] [--runs N] [--scripts N] [--seconds S]
                              [--out FILE] [--chart SVG] [GOLD...]

Starts `talksearch serve` on the index and asks it queries of the gold files, spread evenly over them (or a list built
in, where there are none). What is compared is asked in turn, within one run, because machines have moods:

- in the engine: `engine.search` in this process, one query at a time; without a filter, within one talk, in one year
- over the socket: the same queries of one client, rendered as text, as the command line asks them
- command line: `talksearch QUERY` as a process of its own, through the server, without it, Python doing nothing, and
  the tutorial script (`tutorial.py`), which takes seconds and is therefore asked fewer times
- at once: 8 clients on the socket for some seconds; answers, errors, times, and each client's share

Prints machine, versions and figures (milliseconds) and writes them as JSON. Exit 1 where the command line through the
server takes more than 1/50 of the tutorial script.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from about import about
from chart import bars
from measured import QUERIES, measured, tutorial_script

from talksearch.cli.messages import AnswerRequest
from talksearch.cli.pool import process_tuning
from talksearch.cli.server import client
from talksearch.cli.terminal import Style
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.query import Filters, Query
from talksearch.search.reader import IndexReader, open_reader

ROOT = Path(__file__).parents[1]
SHARED = ROOT / ".." / "shared"
CLIENTS = 8
OF_THE_SCRIPT = 1 / 50
"""The goal: what part of the tutorial script's time the command line takes through the server."""
PLAIN = Style(color=False, links=False, width=100)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--chroma", type=Path, help="a Chroma folder (default: the index's own)")
    parser.add_argument("--queries", type=int, default=200, help="how many different queries")
    parser.add_argument("--runs", type=int, default=15, help="how often the command line is started")
    parser.add_argument("--scripts", type=int, default=3, help="how often the tutorial script is; 0: not at all")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long 8 clients ask at once")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "warm.json")
    parser.add_argument("--chart", type=Path, help="where to draw the medians")
    options = parser.parse_args()
    # An installed package comes with its bytecode; without it each process would compile first.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    asked = measured(options.index)
    script = tutorial_script(options.index, options.chroma)
    texts = _queries(options.gold or sorted((SHARED / "gold").glob("*.jsonl")), options.queries)
    opened = open_reader(options.index)
    process_tuning.tune(options.index)  # as the resident engine does
    report: dict[str, Any] = {
        **about("talksearch", "numpy", "onnxruntime", "simsimd", "click", "uvicorn"),
        "passages": asked.passages,
        "queries": len(texts),
    }
    print(f"{report['machine']}, load average {report['load_before']}")
    print(report["versions"], *report["kernels"], sep="\n")
    print(f"{asked.passages:,} passages, {len(texts)} queries\n")

    report["engine_ms"] = _in_the_engine(opened, texts)
    started = perf_counter()
    server = _serve(options.index)
    try:
        report["ready_s"] = round(perf_counter() - started, 2)
        report["socket_ms"] = {"one client": _times(_over_the_socket(options.index, texts))}
        report["command_line_ms"], report["of_the_script"] = _command_line(
            options.index, texts, options.runs, script, options.scripts
        )
        report["at_once"] = _at_once(options.index, texts, options.seconds)
        report["server_memory_mb"] = _memory(server.pid)
    finally:
        server.terminate()
        server.wait(20)
    _print(report)
    report["chart"] = _chart(report)
    if options.chart:
        chart = report["chart"]
        options.chart.write_text(bars(chart["title"], chart["unit"], chart["bars"]), encoding="utf-8")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 1 if (report["of_the_script"] or 0) > OF_THE_SCRIPT else 0


def _in_the_engine(opened: IndexReader, texts: Sequence[str]) -> dict[str, Any]:
    """Ask each query without a filter, within one talk, and in one year, in turn."""
    drawn = random.Random(1)
    talks = [row[0] for row in opened.db.execute("SELECT id FROM talks ORDER BY id")]
    years = Counter(row[0] for row in opened.db.execute("SELECT substr(date, 1, 4) FROM talks WHERE date IS NOT NULL"))
    year = years.most_common(1)[0][0] if years else "2024"
    ways: dict[str, Callable[[], Filters]] = {
        "no filter": Filters,
        "one talk": lambda: Filters(talks=(drawn.choice(talks),)),
        f"one year ({year})": lambda: Filters(after=f"{year}-01-01", before=f"{year}-12-31"),
    }
    for text in texts[:5]:
        engine.search(opened, Query(text, heat=True))
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for at, text in enumerate(texts):
        # Each way is the first as often as the others: the first finds nothing in the processor's caches.
        for name in names[at % len(names) :] + names[: at % len(names)]:
            query = Query(text, filters=ways[name](), heat=True)
            times[name].append(_timed(lambda query=query: engine.search(opened, query)))  # type: ignore[misc]
    return {name: _times(found) for name, found in times.items()}


def _over_the_socket(index: Path, texts: Sequence[str]) -> list[float]:
    times = []
    at = perf_counter()
    for _ in client.ask(index, [_request(text) for text in texts]):
        now = perf_counter()
        times.append((now - at) * 1000)
        at = now
    if len(times) != len(texts):
        raise SystemExit("The server stopped answering.")
    return times[1:]  # the first includes the greeting


def _command_line(
    index: Path, texts: Sequence[str], runs: int, script: Sequence[str], scripts: int
) -> tuple[dict[str, Any], float | None]:
    """Ask in turn, the tutorial script beside the first queries only.

    Returns the times, and the part that a query through the server takes of a tutorial script that stood next to it.
    """
    command = [sys.executable, "-m", "talksearch.cli", "--index", str(index)]
    alone = {**os.environ, "TALKSEARCH_NO_SERVER": "1"}
    times: dict[str, list[float]] = {"through the server": [], "without it": [], "python -c pass": []}
    ratios = []
    for run, text in enumerate(texts[at * len(texts) // runs] for at in range(runs)):
        through, plain = (_process([*command, "--", text], environment) for environment in (dict(os.environ), alone))
        if through[1] != plain[1]:
            raise SystemExit(f"The server prints something else for {text!r}.")
        times["through the server"].append(through[0])
        times["without it"].append(plain[0])
        times["python -c pass"].append(_process([sys.executable, "-c", "pass"], dict(os.environ))[0])
        if run < scripts:
            took = _process([*script, text], {**os.environ, "HF_HUB_OFFLINE": "1"})[0]
            times.setdefault("tutorial script", []).append(took)
            ratios.append(through[0] / took)
    return {name: _times(found) for name, found in times.items()}, statistics.median(ratios) if ratios else None


def _at_once(index: Path, texts: Sequence[str], seconds: float) -> dict[str, Any]:
    """Let 8 clients ask as fast as they are answered."""
    begin = threading.Barrier(CLIENTS)
    times: list[list[float]] = [[] for _ in range(CLIENTS)]
    errors = [0] * CLIENTS

    def ask(number: int) -> None:
        mine = [_request(text) for text in random.Random(number).sample(list(texts), len(texts))]
        begin.wait()
        end = at = perf_counter() + seconds
        at -= seconds
        while at < end:
            answered = 0
            for _ in client.ask(index, mine):
                now = perf_counter()
                times[number].append((now - at) * 1000)
                answered, at = answered + 1, now
                if at >= end:
                    return
            errors[number] += answered < len(mine)
            at = perf_counter()

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    every = [time for mine in times for time in mine]
    shares = [len(mine) / len(every) for mine in times]
    return {
        "clients": CLIENTS,
        "seconds": seconds,
        "answers": len(every),
        "answers_a_second": round(len(every) / seconds, 1),
        "errors": sum(errors),
        "ms": _times(every),
        "least_share": round(min(shares), 4),
        "greatest_share": round(max(shares), 4),
        "p99_ms_of_each": [_times(mine)["p99"] for mine in times],
    }


def _request(text: str) -> AnswerRequest:
    return AnswerRequest("search", text, {}, "text", PLAIN)


def _serve(index: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "talksearch.cli", "serve", "--port", "0", "--index", str(index)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    for line in server.stderr:
        if line.startswith("Serving"):
            return server
    raise SystemExit("The server did not start.")


def _process(command: Sequence[str], environment: dict[str, str]) -> tuple[float, bytes]:
    at = perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return (perf_counter() - at) * 1000, done.stdout


def _timed(work: Callable[[], object]) -> float:
    at = perf_counter()
    work()
    return (perf_counter() - at) * 1000


def _times(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": round(statistics.median(ordered), 1),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
        "min": round(ordered[0], 1),
        "max": round(ordered[-1], 1),
    }


def _queries(files: Sequence[Path], count: int) -> list[str]:
    every = [gold.query for file in files for gold in measure.read_gold(file)]
    spread = [every[at * len(every) // count] for at in range(count)] if len(every) > count else every
    return list(dict.fromkeys(spread)) or list(QUERIES)


def _memory(process: int) -> int | None:
    """Return the most memory that a process has held, in megabytes; None where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // 1024 if found else None


def _chart(report: dict[str, Any]) -> dict[str, Any]:
    rows = [
        ("command line, no server", report["command_line_ms"]["without it"]),
        ("command line, server", report["command_line_ms"]["through the server"]),
        (f"{CLIENTS} clients at once", report["at_once"]["ms"]),
        ("one client on the socket", report["socket_ms"]["one client"]),
        ("in the engine", report["engine_ms"]["no filter"]),
        ("in the engine, one talk", report["engine_ms"]["one talk"]),
    ]
    title = f"Warm: one query in {report['passages']:,} passages, median"
    return {"title": title, "unit": "ms", "bars": [(name, row["median"]) for name, row in rows]}


def _print(report: dict[str, Any]) -> None:
    for heading, key in (
        ("in the engine", "engine_ms"),
        ("over the socket", "socket_ms"),
        ("command line", "command_line_ms"),
    ):
        print(f"{heading + ', ms':<28}{'median':>9}{'p99':>9}{'min':>9}{'max':>9}")
        for name, row in report[key].items():
            print(f"  {name:<26}" + "".join(f"{row[figure]:>9.1f}" for figure in ("median", "p99", "min", "max")))
    at_once = report["at_once"]
    print(
        f"{CLIENTS} clients at once for {at_once['seconds']:g} s: {at_once['answers']:,} answers"
        f" ({at_once['answers_a_second']:g} a second), {at_once['errors']} errors, median {at_once['ms']['median']} ms,"
        f" p99 {at_once['ms']['p99']} ms; the shares of the clients from {at_once['least_share']:.1%}"
        f" to {at_once['greatest_share']:.1%}"
    )
    lines = report["command_line_ms"]
    saved = lines["through the server"]["median"] / lines["without it"]["median"]
    filtered = max(row["median"] for name, row in report["engine_ms"].items() if name != "no filter")
    print(
        f"the command line with a server takes {saved:.2f} of its time without; the slowest filter"
        f" {filtered / report['engine_ms']['no filter']['median']:.2f} of the time without a filter; the server was"
        f" ready after {report['ready_s']} s and held {report['server_memory_mb']} MB"
    )
    if report["of_the_script"]:
        print(f"with a server it takes 1/{1 / report['of_the_script']:.1f} of the tutorial script (goal: at most 1/50)")


if __name__ == "__main__":
    sys.exit(main())
