"""How quickly the programs are there that stay: `talksearch serve` until it listens, `talksearch mcp` until it answers.

    python benchmarks/starting.py [--index DIR] [--rounds N] [--out FILE]

Each is a fresh process. In every round all of them are started in turn, because machines have moods:

- `python -c pass` and `import mcp.server`: what Python and the SDK of MCP take without talksearch
- `talksearch --version`: the command line without a command
- `serve`: until a connection over HTTP is taken
- `mcp`: until `initialize` is answered, and until the list of tools is, which a client asks for next

Prints seconds on the clock (median, least, most), and on Linux those of the processor (median, least), which tell more
where the machine does something else as well; writes them as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from about import about

ROOT = Path(__file__).parents[1]
TALKSEARCH = (sys.executable, "-m", "talksearch.cli")
ALONE = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "import mcp.server": (sys.executable, "-c", "import mcp.server"),
    "talksearch --version": (*TALKSEARCH, "--version"),
}
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}
    },
}  # fmt: skip
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}

Times = dict[str, list[tuple[float, float | None]]]
"""By what is waited for, the seconds on the clock and of the processor, round by round."""


def main() -> None:
    """Start everything in turn, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "demo-index", help="`make demo` makes it")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "starting.json")
    options = parser.parse_args()
    # An installed package comes with its bytecode; without it each process would compile first.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    report: dict[str, Any] = about("talksearch", "mcp", "pydantic", "starlette", "uvicorn")
    print(f"{report['machine']}, load average {report['load_before']}\n{report['versions']}\n")
    times: Times = {}
    with tempfile.TemporaryDirectory(prefix="ts") as runtime:  # so that a server that runs already goes on running
        os.environ["XDG_RUNTIME_DIR"] = runtime
        for number in range(options.rounds + 1):  # the first reads files from the disk, and compiles
            told = _round(options.index)
            for name, took in told if number else ():
                times.setdefault(name, []).append(took)
            list(told)
    print(f"{'seconds':<28} {'median':>7} {'least':>7} {'most':>7}   processor: {'median':>6} {'least':>7}")
    for name, took in times.items():
        clock = [seconds for seconds, _ in took]
        used = [seconds for _, seconds in took if seconds is not None]
        row = f"{name:<28} {statistics.median(clock):>7.3f} {min(clock):>7.3f} {max(clock):>7.3f}"
        print(row + (f" {statistics.median(used):>19.2f} {min(used):>7.2f}" if used else ""))
    report["seconds"] = times
    report["load_after"] = os.getloadavg()[0]
    print(f"load average {report['load_after']:.1f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")


def _round(index: Path) -> Iterator[tuple[str, tuple[float, float | None]]]:
    """Start everything once; yields what was waited for, with its seconds on the clock and of the processor."""
    for name, command in ALONE.items():
        before = _children_s()
        begun = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took, after = perf_counter() - begun, _children_s()
        yield name, (took, None if before is None or after is None else after - before)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _started("serve", "--index", str(index), "--port", str(port)) as (server, begun):
        while server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.002)
            else:
                break
        yield "serve listens", (perf_counter() - begun, _processor_s(server.pid))
    with _started("mcp", "--index", str(index)) as (server, begun):
        _ask(server, INITIALIZE)
        yield "mcp answers initialize", (perf_counter() - begun, _processor_s(server.pid))
        _ask(server, INITIALIZED, LIST_TOOLS)
        yield "mcp lists its tools", (perf_counter() - begun, _processor_s(server.pid))


@contextmanager
def _started(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Yield a command of talksearch that runs, with the time of its start, and end it."""
    begun = perf_counter()
    process = subprocess.Popen(
        [*TALKSEARCH, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield process, begun
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _ask(server: subprocess.Popen[bytes], *messages: dict[str, Any]) -> None:
    """Send messages, of which the last is a request, and read its answer."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
    server.stdin.flush()
    answer = json.loads(server.stdout.readline() or b"{}")
    if answer.get("id") != messages[-1]["id"] or "result" not in answer:
        raise SystemExit(f"The server says {answer}.")


def _children_s() -> float | None:
    """Return the seconds of processor of all processes that have been waited for; None where nothing tells."""
    times = os.times()
    return times.children_user + times.children_system if os.name == "posix" else None


def _processor_s(process: int) -> float | None:
    """Return the seconds of processor that a process and its threads have used (proc_pid_stat(5)); None off Linux."""
    if sys.platform != "linux":
        return None
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
