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
from pathlib import Path

MOST_MEMORY, MOST_S = 20.0, 1.0
"""Bytes for each byte of a file, and seconds of the processor for each million bytes."""

_READ = """
import resource, sys, time
from talksearch.indexer.talks.read import read_talk
started = time.process_time()
talk = read_talk(sys.argv[1])
took = time.process_time() - started
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, took, talk.format)
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
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{comma}{rest:03}"


_STEP_MS = 2_000
"""Seven words in two seconds: as fast as anybody speaks, so that the largest file stays below 100 hours."""


def _vtt(step_ms: int = _STEP_MS) -> Iterator[str]:
    yield "WEBVTT\n\n"
    for n, line in enumerate(_lines()):
        yield f"{_clock(n * step_ms)} --> {_clock((n + 1) * step_ms)}\n{line}\n\n"


def _crammed() -> Iterator[str]:
    """Yield captions whose times say nothing, because nobody speaks so fast: they are estimated as for a text."""
    return _vtt(100)


def _srt() -> Iterator[str]:
    for n, line in enumerate(_lines()):
        yield f"{n + 1}\n{_clock(n * _STEP_MS, ',')} --> {_clock((n + 1) * _STEP_MS, ',')}\n{line}\n\n"


def _sbv() -> Iterator[str]:
    for n, line in enumerate(_lines()):
        yield f"{_clock(n * _STEP_MS)[1:]},{_clock((n + 1) * _STEP_MS)[1:]}\n{line}\n\n"


def _ass() -> Iterator[str]:
    yield "[Script Info]\nTitle: Ships\n\n[Events]\n"
    yield "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    for n, line in enumerate(_lines()):
        start, end = (_clock(at * _STEP_MS)[1:-1] for at in (n, n + 1))
        yield f"Dialogue: 0,{start},{end},Default,,0,0,0,,{line}\n"


def _sami() -> Iterator[str]:
    yield "<SAMI><BODY>\n"
    for n, line in enumerate(_lines()):
        yield f"<SYNC Start={n * _STEP_MS}><P Class=ENCC>{line}\n"


def _microdvd() -> Iterator[str]:
    yield "{1}{1}25\n"
    for n, line in enumerate(_lines()):
        yield f"{{{n * 50}}}{{{n * 50 + 50}}}{line}\n"


def _rolling() -> Iterator[str]:
    """Yield automatic captions as YouTube's: two rows, every line three times, with the times of words."""
    yield "WEBVTT\nKind: captions\nLanguage: en\n\n"
    before = " "
    for n, line in enumerate(_lines(36)):
        at, (first, *others) = n * _STEP_MS, line.split()
        times = "".join(f"<{_clock(at + 200 * (k + 1))}><c> {word}</c>" for k, word in enumerate(others))
        yield f"{_clock(at)} --> {_clock(at + _STEP_MS - 10)} align:start position:0%\n{before}\n{first}{times}\n\n"
        yield f"{_clock(at + _STEP_MS - 10)} --> {_clock(at + _STEP_MS)} align:start position:0%\n{line}\n \n\n"
        before = line


def _text() -> Iterator[str]:
    for n, sentence in enumerate(sentences()):
        yield f"{sentence}{' ' if n % 5 else chr(10) * 2}"


def _turns() -> Iterator[str]:
    for n, sentence in enumerate(sentences()):
        yield f"{('Ana Ruiz', 'Ben Stone')[n % 2]}: {sentence}\n"


def _record() -> Iterator[str]:
    yield "Title: Ships\nURL: https://www.youtube.com/watch?v=Sh1pCl0ckLz\nContent: "
    for sentence in sentences():
        yield f"{sentence} "


def _flattened() -> Iterator[str]:
    """Yield a record of automatic captions that were run together: every line stands there three times."""
    yield "Title: Ships\nURL: https://www.youtube.com/watch?v=Sh1pCl0ckLz\nContent: "
    for line in _lines(36):
        yield f"{line} " * 3


def _timed_text() -> Iterator[str]:
    for n, line in enumerate(_lines()):
        yield f"[{_clock(n * _STEP_MS)[:8]}] {line}\n"


def _table() -> Iterator[str]:
    yield "start,end,speaker,text\n"
    for n, line in enumerate(_lines()):
        yield f'{n * 2:.2f},{n * 2 + 2:.2f},Ana,"{line}"\n'


def _whisper_table() -> Iterator[str]:
    yield "start\tend\ttext\n"
    for n, line in enumerate(_lines()):
        yield f"{n * _STEP_MS}\t{(n + 1) * _STEP_MS}\t{line}\n"


def _words_of(line: str, at: float) -> list[dict[str, float | str]]:
    starts = [round(at + k * 0.2, 2) for k in range(len(line.split()))]
    return [
        {"word": f" {word}", "start": start, "end": round(start + 0.2, 2), "probability": 0.91}
        for word, start in zip(line.split(), starts, strict=True)
    ]


def _whisper() -> Iterator[str]:
    yield '{"language": "en", "segments": ['
    for n, line in enumerate(_lines()):
        segment = {"id": n, "start": n * 2.0, "end": n * 2 + 2.0, "text": f" {line}", "words": _words_of(line, n * 2.0)}
        yield f"{', ' if n else ''}{json.dumps(segment)}"


def _words() -> Iterator[str]:
    """Yield what services answer that time every word: one list of all of them, and nothing else."""
    yield '{"results": {"words": ['
    for n, line in enumerate(_lines()):
        yield f"{', ' if n else ''}{json.dumps(_words_of(line, n * 2.0))[1:-1]}"


def _json3() -> Iterator[str]:
    yield '{"wireMagic": "pb3", "events": ['
    for n, line in enumerate(_lines(36)):
        pieces = [{"utf8": f"{word} ", "tOffsetMs": 200 * k, "acAsrConf": 0} for k, word in enumerate(line.split())]
        yield f"{', ' if n else ''}{json.dumps({'tStartMs': n * _STEP_MS, 'dDurationMs': 3000, 'segs': pieces})}"


def _segments() -> Iterator[str]:
    yield "["
    for n, line in enumerate(_lines()):
        yield f"{', ' if n else ''}{json.dumps({'text': line, 'start': n * 2.0, 'duration': 2.0})}"


def _ttml() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?><tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body><div>\n'
    for n, line in enumerate(_lines()):
        yield f'<p begin="{_clock(n * _STEP_MS)}" end="{_clock((n + 1) * _STEP_MS)}">{line}</p>\n'


def _srv3() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8" ?><timedtext format="3"><body>\n'
    for n, line in enumerate(_lines(36)):
        pieces = "".join(f'<s t="{200 * k}" ac="0"> {word}</s>' for k, word in enumerate(line.split()))
        yield f'<p t="{n * _STEP_MS}" d="3000" w="1">{pieces}</p>\n'


def _srv1() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8" ?><transcript>'
    for n, line in enumerate(_lines()):
        yield f'<text start="{n * 2}" dur="2">{line}</text>'


def _html() -> Iterator[str]:
    yield "<html><head><title>Ships</title></head><body><h1>Ships</h1>\n"
    for n, line in enumerate(_lines()):
        yield f'<p><span class="timestamp">[{_clock(n * _STEP_MS)[:8]}]</span> {line}</p>\n'


@dataclass(frozen=True, slots=True)
class Sample:
    """A format as it is measured."""

    name: str
    """Of the file."""
    pieces: Callable[[], Iterator[str]]
    """Its text, without end."""
    reader: str
    """What the talk says its format is: another one reads another file than is meant."""
    ending: str = ""
    """What closes such a file."""


SAMPLES = {
    "txt": Sample("a.txt", _text, "text"),
    "turns": Sample("b.txt", _turns, "text"),
    "record": Sample("c.txt", _record, "record"),
    "flattened": Sample("d.txt", _flattened, "record"),
    "timed-text": Sample("e.txt", _timed_text, "text"),
    "vtt": Sample("a.vtt", _vtt, "vtt"),
    "crammed": Sample("c.vtt", _crammed, "vtt"),
    "rolling": Sample("b.en.vtt", _rolling, "vtt"),
    "srt": Sample("a.srt", _srt, "srt"),
    "sbv": Sample("a.sbv", _sbv, "sbv"),
    "ass": Sample("a.ass", _ass, "ass"),
    "sami": Sample("a.smi", _sami, "sami", "</BODY></SAMI>"),
    "microdvd": Sample("a.sub", _microdvd, "microdvd"),
    "table": Sample("a.csv", _table, "table"),
    "whisper-tsv": Sample("a.tsv", _whisper_table, "tsv"),
    "ttml": Sample("a.ttml", _ttml, "ttml", "</div></body></tt>"),
    "srv3": Sample("a.srv3", _srv3, "srv3", "</body></timedtext>"),
    "srv1": Sample("a.srv1", _srv1, "srv1", "</transcript>"),
    "html": Sample("a.html", _html, "html", "</body></html>"),
    "segments": Sample("a.json", _segments, "ytapi", "]"),
    "whisper": Sample("b.json", _whisper, "whisper-json", "]}"),
    "words": Sample("c.json", _words, "json", "]}}"),
    "json3": Sample("a.json3", _json3, "json3", "]}"),
}
"""By what they are called here."""


def made(folder: Path, sample: Sample, size: int) -> Path:
    """Write a file of about so many bytes that ends as such files end."""
    path = folder / sample.name
    with path.open("w", encoding="utf-8") as out:
        written = 0
        for piece in sample.pieces():
            written += out.write(piece)  # all of it is ASCII
            if written >= size:
                break
        out.write(sample.ending)
    return path


def cost_of(path: Path, reader: str) -> Cost:
    """Read a file in a process of its own. Raises ValueError where it is not read as the format that is meant."""
    told = subprocess.run([sys.executable, "-c", _READ, str(path)], capture_output=True, text=True)
    if told.returncode or told.stdout.split()[2] != reader:
        raise ValueError(f"{path.name} is not read as {reader}: {told.stdout}{told.stderr}")
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
    parser.add_argument("--format", choices=SAMPLES, action="append", help="only this one (repeatable)")
    parser.add_argument("--megabytes", type=float, nargs="+", default=[1, 4, 8])
    options = parser.parse_args()
    dear: list[str] = []
    print(f"{'':12}{'peak MB by size':>{9 * len(options.megabytes)}}  memory a byte  seconds a MB")
    for called, sample in SAMPLES.items():
        if options.format and called not in options.format:
            continue
        with tempfile.TemporaryDirectory() as folder:
            costs = [cost_of(made(Path(folder), sample, int(size * 1e6)), sample.reader) for size in options.megabytes]
        memory, seconds = slopes(costs)
        peaks = "".join(f"{cost.peak / 1e6:9,.0f}" for cost in costs)
        print(f"{called:12}{peaks}  {memory:13.1f}  {seconds:12.2f}", flush=True)
        dear += [called] if memory > MOST_MEMORY or seconds > MOST_S else []
    print(f"beyond {MOST_MEMORY:g} bytes a byte or {MOST_S:g} s a MB: {', '.join(dear) or 'none'}")
    return 1 if dear else 0


if __name__ == "__main__":
    sys.exit(main())
