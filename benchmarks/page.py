"""How quickly the page is there: from the start of the server, and from a keystroke to its answer.

    python benchmarks/page.py [--index DIR] [--starts N] [--rounds N] [--out FILE]

Starts `talksearch serve` on the index several times, each a fresh process, and asks as a browser does, with one
connection that is kept and with gzip:

- start: seconds until it listens, until the first page is there, and until the first answer is; and those of the
  processor until the first page, which tell more on a machine that does something else as well
- pages: milliseconds and bytes of the first page, an answer, the same once more, a talk beside it, the longest talk,
  and the API
- keystrokes: queries typed letter by letter from the third on; each is asked for the part of the page that changes, and
  asked of the engine alone, in this process
- in Chromium, where it and playwright are installed: milliseconds until a page is first painted, until all of it is
  there, and from a key to the answer on the page, the pause in which one may type on included

What is compared is asked in turn, within one run, because machines have moods. Prints machine, versions and medians
(95 of 100 in brackets) and writes them as JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from about import about

from talksearch.cli.pool import process_tuning
from talksearch.indexer.stores import catalog
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

ROOT = Path(__file__).parents[1]
QUERIES = (
    "time dilation metaphor", "why the launch was called off", "how bees survive the winter", "the cost of storage",
    "privacy of transactions", "teaching children to read", "what a gradient is", "open questions about consensus",
)  # fmt: skip
FRAGMENT = {"X-Column": "answers"}
"""What a browser sends with what is typed."""
BROWSER_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
BROWSER_ROUNDS, BROWSER_PAUSE_MS = 5, 1_000


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--starts", type=int, default=5, help="how often the server is started")
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is asked for with each query")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "page.json")
    options = parser.parse_args()
    # An installed package comes with its bytecode; without it each process would compile first.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    db = catalog.open_catalog(options.index)
    longest = db.execute("SELECT t.id FROM cues c JOIN talks t ON t.number = c.talk GROUP BY 1 ORDER BY count(*) DESC")
    longest_talk = longest.fetchone()[0]
    counts = catalog.counts(db)
    report: dict[str, Any] = {**about("talksearch", "starlette", "uvicorn", "jinja2"), "talks": counts.talks}
    print(f"{report['machine']}, load average {report['load_before']}\n{report['versions']}")
    print(f"{counts.talks:,} talks, {counts.passages:,} passages, {counts.embedded:,} of them with vectors\n")
    with tempfile.TemporaryDirectory(prefix="ts") as runtime:  # so that a server that runs already goes on running
        os.environ["XDG_RUNTIME_DIR"] = runtime
        report["start_s"] = _print("start, seconds", _starts(options.index, options.starts), 2)
        server, connection = _serve(options.index)
        try:
            _get(connection, "/api/search?q=warm")
            pages = _pages(connection, longest_talk, options.rounds)
            report["pages"] = _print("pages, milliseconds", {name: times for name, (times, _) in pages.items()})
            report["bytes"] = {name: sizes for name, (_, sizes) in pages.items()}
            for name, (whole, sent) in report["bytes"].items():
                print(f"  {name:<28} {whole:>9,} bytes, {sent:>8,} sent")
            report["keystroke_ms"] = _print("\nkeystrokes, milliseconds", _keystrokes(connection, options.index))
            address = f"http://{connection.host}:{connection.port}"
            report["browser_ms"] = _print("in Chromium, milliseconds", _in_a_browser(address, longest_talk))
        finally:
            server.terminate()
            server.wait(20)
    report["load_after"] = os.getloadavg()[0]
    print(f"load average {report['load_after']:.1f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")


def _starts(index: Path, starts: int) -> dict[str, list[float]]:
    """Return the seconds from the start of the process, of each start."""
    times: dict[str, list[float]] = {
        "it listens": [], "first page": [], "first page, processor": [], "first answer": []
    }  # fmt: skip
    for _ in range(starts):
        begun = perf_counter()
        server, connection = _serve(index)
        times["it listens"].append(perf_counter() - begun)
        _get(connection, "/")
        times["first page"].append(perf_counter() - begun)
        if sys.platform == "linux":
            times["first page, processor"].append(_processor_s(server.pid))
        _get(connection, f"/?{urlencode({'q': QUERIES[0]})}")
        times["first answer"].append(perf_counter() - begun)
        server.terminate()
        server.wait(20)
    return times


def _processor_s(process: int) -> float:
    """Return the seconds of processor that a process and its threads have used (proc_pid_stat(5))."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _serve(index: Path) -> tuple[subprocess.Popen[bytes], HTTPConnection]:
    """Start a server; returns it with a connection, as soon as it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "talksearch.cli", "serve", "--index", str(index), "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    while server.poll() is None:
        try:
            connection.connect()
        except OSError:
            time.sleep(0.002)
        else:
            return server, connection
    raise SystemExit("The server does not start.")


def _get(connection: HTTPConnection, path: str, **headers: str) -> tuple[float, int, int]:
    """Return the milliseconds that a page takes, its bytes, and the bytes that are sent."""
    begun = perf_counter()
    connection.request("GET", path, headers={"Accept": "text/html", "Accept-Encoding": "gzip", **headers})
    response = connection.getresponse()
    sent = response.read()
    took_ms = (perf_counter() - begun) * 1000
    if response.status != 200:
        raise SystemExit(f"{path} gives {response.status}.")
    whole = gzip.decompress(sent) if response.headers["content-encoding"] == "gzip" else sent
    return took_ms, len(whole), len(sent)


def _pages(connection: HTTPConnection, longest: str, rounds: int) -> dict[str, tuple[list[float], tuple[int, int]]]:
    """Return, by page, the milliseconds of each time it was asked for, and its median bytes, whole and as sent."""
    found: dict[str, list[tuple[float, int, int]]] = {}
    for number, text in enumerate(QUERIES * rounds):
        asked = urlencode({"q": text, "k": 9 - number // len(QUERIES) % 5})  # no answer that is remembered
        paths = {
            "first page": "/",
            "answer": f"/?{asked}",
            "the same answer again": f"/?{asked}&",
            "longest talk beside it": f"/talk/{longest}?{asked}",
            "longest talk": f"/talk/{longest}",
            "/api/search": f"/api/search?{asked}",
        }
        for name, path in paths.items():
            found.setdefault(name, []).append(_get(connection, path))
    return {
        name: ([took for took, *_ in times], (_median(whole for _, whole, _ in times), _median(n for *_, n in times)))
        for name, times in found.items()
    }


def _median(numbers: Any) -> int:
    return round(statistics.median(numbers))


def _keystrokes(connection: HTTPConnection, index: Path) -> dict[str, list[float]]:
    """Return the milliseconds from each keystroke's request to its answer, and those of the engine alone."""
    times: dict[str, list[float]] = {"from a keystroke": [], "the engine alone": []}
    process_tuning.tune(index)
    with open_reader(index) as reader:
        engine.search(reader, Query("warm"))
        for text in QUERIES:
            for end in range(3, len(text) + 1):
                if text[end - 1] == " ":  # the same question
                    continue
                times["from a keystroke"].append(_get(connection, f"/?{urlencode({'q': text[:end]})}", **FRAGMENT)[0])
                begun = perf_counter()
                engine.search(reader, Query(text[:end], timeline=True, facets=True))
                times["the engine alone"].append((perf_counter() - begun) * 1000)
    return times


def _in_a_browser(address: str, longest: str) -> dict[str, list[float]]:
    """Return the milliseconds that a person waits for pages and answers; nothing where there is no browser."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        chromium = None
    if chromium is None:
        return {}
    paths = {"first page": "/", "answer": f"/?{urlencode({'q': QUERIES[0]})}", "longest talk": f"/talk/{longest}"}
    times: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        for _ in range(BROWSER_ROUNDS):
            for name, path in paths.items():
                page.goto(address + path)
                page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
                painted, there = page.evaluate(
                    "() => [performance.getEntriesByName('first-contentful-paint')[0].startTime,"
                    " performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]"
                )
                times.setdefault(f"{name}, first paint", []).append(painted)
                times.setdefault(f"{name}, all of it", []).append(there)
        for text in QUERIES:
            page.goto(address)
            page.locator("#q").press_sequentially(text[:-1])
            page.wait_for_selector("#answers .hits")
            page.wait_for_timeout(BROWSER_PAUSE_MS)  # until nothing is on its way
            page.evaluate(
                "() => { window.shown = new Promise((done) => new MutationObserver(() => done(performance.now()))"
                ".observe(document.querySelector('#answers'), { childList: true }));"
                " addEventListener('keydown', () => { window.pressed = performance.now(); }, { once: true }); }"
            )
            page.locator("#q").press_sequentially(text[-1])
            took_ms = page.evaluate("async () => await window.shown - window.pressed")
            times.setdefault("from a key to the answer", []).append(took_ms)
        browser.close()
    return times


def _print(title: str, times: dict[str, list[float]], digits: int = 1) -> dict[str, dict[str, float]]:
    """Print medians; returns them."""
    print(title)
    medians = {name: _times(found, digits) for name, found in times.items() if found}
    for name, found in medians.items():
        print(f"  {name:<28} {found['median']:>8} ({found['p95']})")
    return medians


def _times(found: Sequence[float], digits: int) -> dict[str, float]:
    ordered = sorted(found)
    return {
        "median": round(statistics.median(ordered), digits),
        "p95": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], digits),
    }


if __name__ == "__main__":
    main()
