"""A server among askers who mean it no good: 100,000 hostile requests and 500 half-sent ones, beside honest ones.

    python benchmarks/trust/hostile_http.py --index DIR

Hostile requests are drawn from `HOSTILE`, with random bytes changed in half of them. They come from 200 addresses of
this machine, so that the limit for each address does not turn them all away. Meanwhile 500 connections hold a half-sent
request each, or send a byte each second, and are made anew when they are hung up on; and honest clients ask for pages
and answers. It holds where each honest request is answered with 200, no hostile one with 5xx (but 503, which says "not
now"), the server's memory is bounded and it lets go of all descriptors in the end. The last line says what was tried
and what held.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

HOST = "127.0.0.1"
_OF = b"Host: 127.0.0.1\r\n"
_LONG = b"a" * 40_000

HOSTILE: tuple[bytes, ...] = (
    b"GET / HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /api/search?q=" + b"%22a%22+" * 3_000 + b" HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /api/search?q=%00%ff%fe&k=-1&k=99999999999999999999 HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /api/search?q=a&context=1e999&after=9999-99-99&talk=%2e%2e%2f HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /api/search?q=%F0%9F%92%A9%ED%A0%80&mode=quote HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /api/talks?limit=nan&offset=-5&title=%25%5F%27%22 HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /api/talks/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /media/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + _OF + b"Range: bytes=5-1,-0,99999999999999999999-\r\n\r\n",
    b"GET /static/..%5c..%5cpage.js HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /talk/x?t=-99999999999999999999&words=%80&find=%5B%28 HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET /%zz%%%41 HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\n" + _OF + b"Connection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + _OF + b"\r\n",
    b"GET / HTTP/9.9\r\n" + _OF + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
    b"\x00" * 100,
    b"GET /" + _LONG + b" HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"X: " + _LONG + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"".join(b"X%d: y\r\n" % number for number in range(2_000)) + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"X:\x00\xff\r\n folded\r\n\r\n",
    b"POST /sign-in HTTP/1.1\r\n" + _OF + b"Content-Length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _OF + b"Content-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _OF + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\n" + _OF + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    b"POST / HTTP/1.1\r\n" + _OF + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _OF + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde",
    (b"GET /api/stats HTTP/1.1\r\n" + _OF + b"\r\n") * 20,
    b"TRACE / HTTP/1.1\r\n" + _OF + b"\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\n" + _OF + b"\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + _OF + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"Cookie: " + b"a=b; " * 1_000 + b"\r\nAccept-Language: " + b"x-" * 500 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _OF + b"If-None-Match: " + b'"' * 500 + b"\r\nIf-Modified-Since: never\r\n\r\n",
)
"""Requests that no honest client makes, and some that one does, to be spoilt."""

HONEST = ("/", "/talks", "/api/search?q=bees", "/api/stats", "/api/talks?limit=3")


def changed(request: bytes, random_of: random.Random) -> bytes:
    """Return a request, in half of all cases with a few bytes changed, left out or doubled."""
    if random_of.random() < 0.5:
        return request
    bytes_of = bytearray(request)
    for _ in range(random_of.randint(1, 4)):
        at = random_of.randrange(len(bytes_of))
        match random_of.randrange(3):
            case 0:
                bytes_of[at] = random_of.randrange(256)
            case 1:
                del bytes_of[at]
            case _:
                bytes_of[at:at] = bytes_of[at : at + random_of.randint(1, 64)]
        bytes_of = bytes_of or bytearray(b"x")
    return bytes(bytes_of)


async def ask(port: int, request: bytes, source: str, wait_s: float) -> str:
    """Send a request from an address of this machine; return the status of the first answer, or what came instead."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(HOST, port, local_addr=(source, 0)), 30)
    try:
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(64), wait_s)
        status = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
        return status[1].decode() if status else ("closed" if not answer else "no HTTP")
    except (TimeoutError, ConnectionError):
        return "nothing"
    finally:
        writer.close()


async def attack(port: int, count: int, number: int, statuses: Counter[str]) -> None:
    """Send a share of the hostile requests, one after the other."""
    random_of = random.Random(number)
    for _ in range(count):
        source = f"127.0.{random_of.randrange(1, 3)}.{random_of.randrange(1, 101)}"
        try:
            # A request that is not whole is not answered: it is left after a moment, and the next one comes.
            statuses[await ask(port, changed(random_of.choice(HOSTILE), random_of), source, 0.3)] += 1
        except (OSError, TimeoutError):
            statuses["refused"] += 1
        if not statuses.total() % 10_000:
            print(f"{statuses.total():,} hostile requests so far", file=sys.stderr, flush=True)


async def hold(port: int, number: int, ended: asyncio.Event, hung_up: Counter[str]) -> None:
    """Hold a half-sent request, or send one byte by byte, and begin anew when the server hangs up."""
    head = b"GET / HTTP/1.1\r\n" + _OF + b"X-Slow: "
    while not ended.is_set():
        try:
            reader, writer = await asyncio.open_connection(HOST, port, local_addr=(f"127.0.3.{number % 200 + 1}", 0))
            hung_up["made"] += 1
            writer.write(b"" if number % 3 == 0 else head)
            while not ended.is_set():
                if number % 3 == 1:
                    writer.write(b"x")
                try:
                    if not await asyncio.wait_for(reader.read(1), 1):
                        break
                except TimeoutError:
                    continue
            hung_up["hung up"] += not ended.is_set()
            writer.close()
        except OSError:
            hung_up["hung up"] += 1
            await asyncio.sleep(0.2)


async def ask_honestly(port: int, ended: asyncio.Event, times_s: list[float], wrong: list[str]) -> None:
    """Ask for pages and answers, five a second, and note how long each took."""
    number = 0
    while not ended.is_set():
        path = HONEST[number % len(HONEST)]
        number += 1
        began = time.monotonic()
        try:
            request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
            status = await ask(port, request, HOST, 60)
        except (OSError, TimeoutError) as error:
            status = type(error).__name__
        times_s.append(time.monotonic() - began)
        if status != "200":
            wrong.append(f"{path}: {status}")
        await asyncio.sleep(0.2)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def descriptors_of(pid: int) -> int:
    """Return how many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def run(port: int, pid: int, requests: int, holding: int, attackers: int) -> bool:
    """Run all of it, print what came of it, and say whether it held."""
    for _ in range(300):
        if await ask(port, f"GET {HONEST[2]} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(), HOST, 60) == "200":
            break
        await asyncio.sleep(0.2)
    before_mb, descriptors = memory_mb(pid), descriptors_of(pid)
    ended = asyncio.Event()
    statuses: Counter[str] = Counter()
    hung_up: Counter[str] = Counter()
    times_s: list[float] = []
    wrong: list[str] = []
    beside = [asyncio.create_task(hold(port, number, ended, hung_up)) for number in range(holding)]
    beside += [asyncio.create_task(ask_honestly(port, ended, times_s, wrong)) for _ in range(2)]
    began = time.monotonic()
    await asyncio.gather(*(attack(port, requests // attackers, number, statuses) for number in range(attackers)))
    took_s = time.monotonic() - began
    ended.set()
    await asyncio.gather(*beside)
    await asyncio.sleep(11)
    after_mb, left = memory_mb(pid), descriptors_of(pid)
    faults = sum(count for status, count in statuses.items() if status.startswith("5") and status != "503")
    print(f"{sum(statuses.values()):,} hostile requests in {took_s:.0f} s: {dict(statuses.most_common())}")
    print(f"{holding} half-sent connections: made {hung_up['made']:,} times, hung up on {hung_up['hung up']:,} times")
    median_s, slowest_s = sorted(times_s)[len(times_s) // 2], max(times_s)
    print(f"{len(times_s):,} honest requests: {len(wrong)} not answered with 200 {wrong[:5]}")
    print(f"they took {median_s:.2f} s in the median, {slowest_s:.2f} s at most")
    print(f"memory {before_mb:.0f} MB before, {after_mb:.0f} MB after; descriptors {descriptors} before, {left} after")
    held = not faults and not wrong and left <= descriptors + 8 and after_mb < before_mb + 200
    print(f"tried {sum(statuses.values()) + hung_up['made'] + len(times_s):,}, held: {'all' if held else 'NOT ALL'}")
    return held


def begun(said: TextIO, server: subprocess.Popen[bytes]) -> int:
    """Return the port of a server, once it says it. Raises RuntimeError where it ends before."""
    while server.poll() is None:
        said.seek(0)
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", said.read())
        if address:
            return int(address[1])
        time.sleep(0.1)
    said.seek(0)
    raise RuntimeError(f"The server did not begin: {said.read()}")


def main() -> int:
    """Start a server of the index, and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", required=True, type=Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--half-sent", type=int, default=500)
    parser.add_argument("--attackers", type=int, default=32)
    given = parser.parse_args()
    line = [sys.executable, "-m", "talksearch.cli", "serve", "--port", "0", "--index", str(given.index)]
    # Into a file: a pipe that nobody empties would have the server wait for it.
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(line, stderr=said) as server:
        try:
            port = begun(said, server)
            held = asyncio.run(run(port, server.pid, given.requests, given.half_sent, given.attackers))
        finally:
            server.terminate()
            server.wait()
        said.seek(0)
        told = said.read().strip()
    print(f"the server said: {told[-2_000:] or 'nothing'}")
    return 0 if held and "Traceback" not in told else 1


if __name__ == "__main__":
    sys.exit(main())
