"""How much memory and time a transcript takes to be read, for each of its bytes.

    python benchmarks/trust/file_cost.py
    python benchmarks/trust/file_cost.py --format txt --format vtt --megabytes 1 4 8

Every file is read by a process of its own, to the talk that an indexing run would write. What matters is the slope:
what a process takes whatever it reads (libraries, models) is in none of the figures. Speech is made from one seed:
sentences of words that come as often as words do. The last line names the formats that take more than 20 bytes of
memory for each byte of a file, or more than a second of the processor for each million; exits with 1 where one does.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

MOST_MEMORY, MOST_S = 20.0, 1.0
"""Bytes for each byte of a file, and seconds of the processor for each million bytes."""

_READ = """
import resource, sys, time
from talksearch.indexer.talks.read import read_talk
started = time.process_time()
talk = read_talk(sys.argv[1])
took = time.process_time() - started
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, took, len(talk.cues))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to read one file."""

    size: int
    peak: int
    """Bytes of memory of the process at most."""
    seconds: float
    """Of the processor."""


def sentences(seed: int = 25) -> Iterator[str]:
    """Yield speech without end: the words that come to a place of the list come as often as in a language."""
    dice = random.Random(seed)
    letters = "eeeeetttaaooiinnsshhrrddlluccmmwwffggyyppbvk"
    words = ["".join(dice.choices(letters, k=dice.choice((2, 3, 4, 4, 5, 6, 7, 9)))) for _ in range(8_000)]
    weights = [1 / (place + 3) for place in range(len(words))]
    while True:
        said = dice.choices(words, weights, k=dice.randrange(5, 22))
        yield f"{' '.join(said).capitalize()}{dice.choice(('.', '.', '.', '?', ', and so on.'))}"


def _lines(width: int = 42) -> Iterator[str]:
    line = ""
    for word in (word for sentence in sentences() for word in sentence.split()):
        if len(line) + len(word) >= width:
            yield line
            line = ""
        line = f"{line} {word}".strip()


def _clock(milliseconds: int, comma: str = ".") -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{comma}{rest:03}"


_STEP_MS = 400
"""Short cues, so that the largest file stays within a day, as files do."""


def _vtt() -> Iterator[str]:
    yield "WEBVTT\n\n"
    for n, line in enumerate(_lines(80)):
        yield f"{_clock(n * _STEP_MS)} --> {_clock((n + 1) * _STEP_MS)}\n{line}\n\n"


def _srt() -> Iterator[str]:
    for n, line in enumerate(_lines(80)):
        yield f"{n + 1}\n{_clock(n * _STEP_MS, ',')} --> {_clock((n + 1) * _STEP_MS, ',')}\n{line}\n\n"


def _rolling() -> Iterator[str]:
    """Yield automatic captions as YouTube's: two rows, every line three times, with the times of words."""
    yield "WEBVTT\nKind: captions\nLanguage: en\n\n"
    before = " "
    for n, line in enumerate(_lines(36)):
        at, (first, *others) = n * _STEP_MS, line.split()
        times = "".join(f"<{_clock(at + 10 * (k + 1))}><c> {word}</c>" for k, word in enumerate(others))
        yield f"{_clock(at)} --> {_clock(at + _STEP_MS - 10)} align:start position:0%\n{before}\n{first}{times}\n\n"
        yield f"{_clock(at + _STEP_MS - 10)} --> {_clock(at + _STEP_MS)} align:start position:0%\n{line}\n \n\n"
        before = line


def _text() -> Iterator[str]:
    for n, sentence in enumerate(sentences()):
        yield f"{sentence}{' ' if n % 5 else chr(10) * 2}"


def _record() -> Iterator[str]:
    yield "Title: Ships\nURL: https://www.youtube.com/watch?v=Sh1pCl0ckLz\nContent: "
    for sentence in sentences():
        yield f"{sentence} "


def _timed_text() -> Iterator[str]:
    for n, line in enumerate(_lines(80)):
        yield f"[{_clock(n * _STEP_MS)[:8]}] {line}\n"


def _table() -> Iterator[str]:
    yield "start,end,speaker,text\n"
    for n, line in enumerate(_lines(80)):
        yield f'{n * 0.4:.2f},{n * 0.4 + 0.4:.2f},Ana,"{line}"\n'


def _whisper() -> Iterator[str]:
    yield '{"language": "en", "segments": ['
    for n, line in enumerate(_lines(80)):
        words = [
            {"word": f" {word}", "start": start, "end": round(start + 0.02, 2), "probability": 0.91}
            for word, start in zip(line.split(), (round(n * 0.4 + k * 0.02, 2) for k in count()), strict=False)
        ]
        segment = {"id": n, "start": n * 0.4, "end": n * 0.4 + 0.4, "text": f" {line}", "words": words}
        yield f"{', ' if n else ''}{json.dumps(segment)}"
    yield "]}"


def _json3() -> Iterator[str]:
    yield '{"wireMagic": "pb3", "events": ['
    for n, line in enumerate(_lines(36)):
        pieces = [{"utf8": f"{word} ", "tOffsetMs": 20 * k, "acAsrConf": 0} for k, word in enumerate(line.split())]
        yield f"{', ' if n else ''}{json.dumps({'tStartMs': n * _STEP_MS, 'dDurationMs': 3000, 'segs': pieces})}"
    yield "]}"


def _segments() -> Iterator[str]:
    yield "["
    for n, line in enumerate(_lines(80)):
        yield f"{', ' if n else ''}{json.dumps({'text': line, 'start': round(n * 0.4, 2), 'duration': 0.4})}"
    yield "]"


def _ttml() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?><tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body><div>\n'
    for n, line in enumerate(_lines(80)):
        yield f'<p begin="{_clock(n * _STEP_MS)}" end="{_clock((n + 1) * _STEP_MS)}">{line}</p>\n'
    yield "</div></body></tt>"


def _html() -> Iterator[str]:
    yield "<html><head><title>Ships</title></head><body><h1>Ships</h1>\n"
    for n, line in enumerate(_lines(80)):
        yield f"<p><b>Ana</b> [{_clock(n * _STEP_MS)[:8]}] {line}</p>\n"
    yield "</body></html>"


FORMATS: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "txt": ("a.txt", _text), "record": ("b.txt", _record), "timed-text": ("c.txt", _timed_text), "vtt": ("a.vtt", _vtt),
    "rolling": ("b.en.vtt", _rolling), "srt": ("a.srt", _srt), "table": ("a.csv", _table), "ttml": ("a.ttml", _ttml),
    "html": ("a.html", _html), "segments": ("a.json", _segments), "whisper": ("b.json", _whisper),
    "json3": ("a.json3", _json3),
}  # fmt: skip
"""By what they are called here: the name of a file, and its pieces without end."""


_ENDINGS = {".json": "]}", ".json3": "]}", ".ttml": "</div></body></tt>", ".html": "</body></html>"}


def made(folder: Path, name: str, pieces: Iterator[str], size: int) -> Path:
    """Write a file of about so many bytes that ends as such files end."""
    path = folder / name
    ending = {".json": "]}", ".json3": "]}", ".ttml": "</div></body></tt>", ".html": "</body></html>"}.get(
        path.suffix, ""
    )
    with path.open("w", encoding="utf-8") as out:
        for piece in pieces:
            out.write(piece)
            if out.tell() >= size:
                break
        out.write("]" if name == "a.json" else ending)
    return path


def cost_of(path: Path) -> Cost:
    """Read a file in a process of its own."""
    told = subprocess.run([sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True)
    peak, seconds, _ = told.stdout.split()
    return Cost(path.stat().st_size, int(peak), float(seconds))


def slopes(costs: list[Cost]) -> tuple[float, float]:
    """Return how many bytes of memory a byte of a file takes, and how many seconds a million of them take."""
    first, last = costs[0], costs[-1]
    more = last.size - first.size
    return (last.peak - first.peak) / more, (last.seconds - first.seconds) / more * 1e6


def main() -> int:
    """Read files of growing size in every format, and print what a byte takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=FORMATS, action="append", help="only this one (repeatable)")
    parser.add_argument("--megabytes", type=float, nargs="+", default=[1, 4, 8])
    options = parser.parse_args()
    dear: list[str] = []
    print(f"{'':12}{'peak MB by size':>{9 * len(options.megabytes)}}  memory a byte  seconds a MB")
    for called, (name, pieces) in FORMATS.items():
        if options.format and called not in options.format:
            continue
        with tempfile.TemporaryDirectory() as folder:
            costs = [cost_of(made(Path(folder), name, pieces(), int(size * 1e6))) for size in options.megabytes]
        memory, seconds = slopes(costs)
        peaks = "".join(f"{cost.peak / 1e6:9,.0f}" for cost in costs)
        print(f"{called:12}{peaks}  {memory:13.1f}  {seconds:12.2f}", flush=True)
        dear += [called] if memory > MOST_MEMORY or seconds > MOST_S else []
    print(f"beyond {MOST_MEMORY:g} bytes a byte or {MOST_S:g} s a MB: {', '.join(dear) or 'none'}")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
