"""Rolling captions in every form they are found in: how many words come out wrong.

    python benchmarks/rolling.py ../shared/archive/rolling [--every 5]

Each automatic caption file of YouTube (`.vtt` with word times) is turned into the forms that converters and scrapers
make of it, read as talksearch reads a file, and compared with the words the file itself adds line by line. Printed are
how lines end, the words wrong in all talks and in the worst one, and how far off half of the words and nine in ten are,
where the form has times. Sound labels and speaker marks count on neither side.
"""

from __future__ import annotations

import argparse
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Talk
from talksearch.indexer.restore.align_times import matching
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file

TAG = re.compile(r"<[^>]*>")
SOUND = re.compile(r"\[[^\[\]]*\]|♪|>>+")


@dataclass(frozen=True, slots=True)
class Seen:
    """One cue of the file: times in milliseconds, its two rows with tags."""

    start: int
    end: int
    rows: tuple[str, ...]


def milliseconds(clock: str) -> int:
    """Milliseconds of `01:02:03.456`."""
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


def seen_in(vtt: str) -> list[Seen]:
    """The cues of a file, as they stand there."""
    cues = []
    for block in re.split(r"\n(?=\d\d:\d\d:\d\d\.\d{3} --> )", vtt)[1:]:
        head, *rows = block.rstrip("\n").split("\n")
        start, end = head.split(" --> ")
        cues.append(Seen(milliseconds(start), milliseconds(end.split(" ")[0]), tuple(row.strip() for row in rows[:2])))
    return cues


def added(cues: Sequence[Seen]) -> list[tuple[int, int, str]]:
    """The lines that are new, with start and end: the lower row of every cue that lasts."""
    return [(c.start, c.end, c.rows[1]) for c in cues if c.end - c.start > 50 and len(c.rows) > 1 and c.rows[1]]


def plain(text: str) -> str:
    """Text without tags."""
    return " ".join(TAG.sub("", text).split())


def clock(ms: int, point: str = ".") -> str:
    """`01:02:03.456`."""
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def minutes(ms: int) -> str:
    """`12:34`, or `1:02:03`."""
    hours = f"{ms // 3_600_000}:" if ms >= 3_600_000 else ""
    return f"{hours}{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}"


def record(content: str) -> str:
    """A scraped record."""
    return f"Timestamp: 2026-01-01\nTitle: A talk\nURL: -\nStatus: success\nContent:\n{content}"


def vtt(cues: Sequence[tuple[int, int, str]]) -> str:
    """A WebVTT file."""
    return "WEBVTT\n\n" + "\n\n".join(f"{clock(a)} --> {clock(b)}\n{text}" for a, b, text in cues) + "\n"


def srt(cues: Sequence[tuple[int, int, str]]) -> str:
    """A SubRip file."""
    blocks = [f"{i}\n{clock(a, ',')} --> {clock(b, ',')}\n{text}" for i, (a, b, text) in enumerate(cues, 1)]
    return "\n\n".join(blocks) + "\n"


def rows_of(cue: Seen, mark: str = "\n") -> str:
    """The rows of a cue without tags, those that say nothing left out."""
    return mark.join(row for row in map(plain, cue.rows) if row)


def lasting(cues: Sequence[Seen]) -> list[Seen]:
    """Without the cues of 10 ms."""
    return [cue for cue in cues if cue.end - cue.start > 50]


def timed(cues: Sequence[Seen], mark: str = "\n") -> list[tuple[int, int, str]]:
    """Cues that say something, as text."""
    return [(cue.start, cue.end, text) for cue in cues if (text := rows_of(cue, mark))]


def windows(cues: Sequence[Seen], rows: int) -> list[tuple[int, int, str]]:
    """A window of so many rows, each line below the last; times run until the line below the next is written."""
    lines = added(cues)
    shown = [[plain(text) for _, _, text in lines[max(0, i - rows + 1) : i + 1]] for i in range(len(lines))]
    ends = [lines[min(i + 1, len(lines) - 1)][1] for i in range(len(lines))]
    return [(a, end, "\n".join(text)) for (a, _, _), end, text in zip(lines, ends, shown, strict=True)]


def overlapping(cues: Sequence[Seen]) -> list[tuple[int, int, str]]:
    """Every line once, until the next but one is written: times overlap, words do not."""
    lines = added(cues)
    return [(a, lines[min(i + 1, len(lines) - 1)][1], plain(text)) for i, (a, _, text) in enumerate(lines)]


def marked(parts: Sequence[tuple[int, str]], step_ms: int, form: str, join: str) -> str:
    """Texts with a mark at the first and then at the first after every `step_ms`."""
    out: list[str] = []
    due = 0
    for start, text in parts:
        if start >= due:
            out.append(form.format(minutes(start)) + text)
            due = start + step_ms
        else:
            out.append(text)
    return join.join(out)


def uniq(texts: Sequence[str]) -> list[str]:
    """Equal neighbours once, as `uniq` leaves them."""
    return [text for before, text in pairwise(["", *texts]) if text != before]


def flat_rows(cues: Sequence[Seen]) -> list[str]:
    """Every row of every cue, as the lines of a file without its times."""
    return [text for cue in cues for row in cue.rows if (text := plain(row))]


def flat_timed(cues: Sequence[Seen], tags: bool) -> str:
    """Cues with their times in one string."""
    style = " align:start position:0%"
    texts = [(cue, " ".join(row if tags else plain(row) for row in cue.rows)) for cue in cues]
    return " ".join(" ".join(f"{clock(c.start)} --> {clock(c.end)}{style} {text}".split()) for c, text in texts)


FORMS: dict[str, tuple[str, Callable[[list[Seen], str], str]]] = {
    "VTT as YouTube has it": ("a.en.vtt", lambda _, text: text),
    "VTT, tags stripped": ("a.en.vtt", lambda _, text: TAG.sub("", text)),
    "VTT, 10 ms cues dropped": (
        "a.en.vtt",
        lambda c, _: vtt([(x.start, x.end, "\n".join(x.rows)) for x in lasting(c)]),
    ),
    "VTT, both": ("a.en.vtt", lambda cues, _: vtt(timed(lasting(cues)))),
    "SRT, rows kept": ("a.en.srt", lambda cues, _: srt(timed(cues))),
    "SRT, 10 ms cues dropped": ("a.en.srt", lambda cues, _: srt(timed(lasting(cues)))),
    "SRT, rows joined": ("a.en.srt", lambda cues, _: srt(timed(cues, " "))),
    "SRT, rows joined, 10 ms cues dropped": ("a.en.srt", lambda cues, _: srt(timed(lasting(cues), " "))),
    "SRT, windows of two rows, times overlap": ("a.en.srt", lambda cues, _: srt(windows(cues, 2))),
    "SRT, windows of three rows, times overlap": ("a.en.srt", lambda cues, _: srt(windows(cues, 3))),
    "SRT, lines once, times overlap": ("a.en.srt", lambda cues, _: srt(overlapping(cues))),
    "record, every line three times": ("a.txt", lambda cues, _: record(" ".join(flat_rows(cues)))),
    "record, every line twice": ("a.txt", lambda cues, _: record(" ".join(flat_rows(lasting(cues))))),
    "record, equal cues once": (
        "a.txt",
        lambda c, _: record(" ".join(uniq([x for x in (rows_of(k, " ") for k in c) if x]))),
    ),
    "record, equal rows once": ("a.txt", lambda cues, _: record(" ".join(uniq(flat_rows(cues))))),
    "record, lines once": ("a.txt", lambda cues, _: record(" ".join(plain(text) for _, _, text in added(cues)))),
    "record, times and tags left in": ("a.txt", lambda cues, _: record(flat_timed(cues, tags=True))),
    "record, times left in": ("a.txt", lambda cues, _: record(flat_timed(cues, tags=False))),
    "record, tags left in": ("a.txt", lambda c, _: record(" ".join(row for cue in c for row in cue.rows if row))),
    "record, [mm:ss] before every cue": (
        "a.txt",
        lambda cues, _: record(marked([(a, text) for a, _, text in timed(cues, " ")], 0, "[{}] ", " ")),
    ),
    "record, [mm:ss] before every lasting cue": (
        "a.txt",
        lambda cues, _: record(marked([(a, text) for a, _, text in timed(lasting(cues), " ")], 0, "[{}] ", " ")),
    ),
    "record, [mm:ss] every 30 s": (
        "a.txt",
        lambda cues, _: record(marked([(a, text) for a, _, text in timed(cues, " ")], 30_000, "[{}] ", " ")),
    ),
    "record, [mm:ss] before every line": (
        "a.txt",
        lambda cues, _: record(marked([(a, plain(text)) for a, _, text in added(cues)], 0, "[{}] ", " ")),
    ),
    "text, mm:ss on rows of their own": (
        "a.txt",
        lambda cues, _: marked([(a, plain(text)) for a, _, text in added(cues)], 0, "{}\n", "\n"),
    ),
    "text, every row on a line": ("a.txt", lambda cues, _: "\n".join(flat_rows(cues))),
    "text, every row on a line, uniq": ("a.txt", lambda cues, _: "\n".join(uniq(flat_rows(cues)))),
    "text, 10 ms cues dropped": ("a.txt", lambda cues, _: "\n".join(flat_rows(lasting(cues)))),
    "text, lines once": ("a.txt", lambda cues, _: "\n".join(plain(text) for _, _, text in added(cues))),
}


def words_of(text: str) -> list[str]:
    """Words, sounds and speaker marks left out."""
    # A label may be broken over two lines: `[clears` and `throat]`.
    return [word for word in SOUND.sub(" ", html.unescape(text)).split() if word[0] != "[" and word[-1] != "]"]


def wrong(said: Sequence[str], read: Sequence[str]) -> int:
    """Words that are missing, or there are too many of, whichever is more."""
    return 0 if list(said) == list(read) else max(len(said), len(read)) - len(matching(said, read))


def timed_words(cues: Sequence[Seen]) -> list[tuple[str, int]]:
    """Every word with the time its tag gives it."""
    words: list[tuple[str, int]] = []
    for start, _, text in added(cues):
        now = start
        for piece in re.split(r"(<[^>]*>)", text):
            if re.match(r"<\d", piece):
                now = milliseconds(piece[1:-1])
            elif not piece.startswith("<"):
                words += [(word, now) for word in words_of(piece)]
    return words


def read_words(talk: Talk) -> list[tuple[str, int]]:
    """Every word of a talk with the time that talksearch gives it: its own, or in proportion within its cue."""
    words: list[tuple[str, int]] = []
    for cue in talk.cues:
        if cue.words:
            words += [(word, w.start_ms) for w in cue.words for word in words_of(w.text)]
            continue
        found = words_of(cue.text)
        length = cue.end_ms - cue.start_ms
        words += [(word, cue.start_ms + length * i // len(found)) for i, word in enumerate(found)]
    return words


def pauses(files: Sequence[list[Seen]]) -> None:
    """How long it takes from the beginning of a line's last word to the next line, by how the line ends."""
    found: dict[str, list[float]] = {"the next word does not fit": [], "room left": [], "screen cleared": []}
    for cues in files:
        lines = added(cues)
        cleared = {b.start for a, b in pairwise(cues) if not any(b.rows) and any(a.rows)}
        full = np.percentile([len(html.unescape(plain(text))) for _, _, text in lines], 95)
        for (start, end, text), (following, _, after) in pairwise(lines):
            stamps = re.findall(r"<(\d[^>]*)>", text)
            last = milliseconds(stamps[-1]) if stamps else start
            if not words_of(plain(text)) or not words_of(plain(after)):
                continue
            fits = len(html.unescape(f"{plain(text)} {plain(after).split()[0]}")) <= full
            kind = "screen cleared" if end in cleared else "room left" if fits else "the next word does not fit"
            found[kind].append((following - last) / 1000)
    print("\nHow lines end, and seconds from the beginning of the last word to the next line:")
    print(f"{'':30} {'lines':>7} {'1 %':>6} {'25 %':>6} {'50 %':>6} {'75 %':>6} {'99 %':>6} {'mean':>6}")
    for kind, seconds in found.items():
        parts = " ".join(f"{x:6.1f}" for x in np.percentile(seconds, [1, 25, 50, 75, 99]))
        print(f"{kind:30} {len(seconds):7} {parts} {np.mean(seconds):6.1f}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captions", type=Path, help="folder of automatic captions (.vtt)")
    parser.add_argument("--every", type=int, default=1, help="read only every so many files")
    parser.add_argument("--form", help="only forms whose name holds this")
    args = parser.parse_args()
    files = [path.read_text(encoding="utf-8") for path in sorted(args.captions.glob("*.vtt"))[:: args.every]]
    talks = [(text, seen_in(text)) for text in files]
    truths = [timed_words(cues) for _, cues in talks]
    total = sum(map(len, truths))
    print(f"{len(talks)} talks, {total} words")
    pauses([cues for _, cues in talks])
    print("\nWords wrong:")
    print(f"{'':44} {'wrong':>6} {'%':>8} {'worst talk %':>13} {'seconds off, half':>18} {'nine in ten':>12}  timing")
    for name, (file, form) in FORMS.items():
        if args.form and args.form not in name:
            continue
        errors, worst, off, timings = 0, 0.0, [], set()
        for (text, cues), truth in zip(talks, truths, strict=True):
            try:
                talk = load_talk(open_file(Path(file), form(cues, text).encode()), file)
            except UnreadableError as error:
                print(f"{name}: {error}")
                errors, worst = errors + len(truth), 1.0
                continue
            read = read_words(talk)
            said = [word for word, _ in truth]
            bad = wrong(said, [word for word, _ in read])
            errors += bad
            worst = max(worst, bad / len(truth))
            timings.add(talk.timing)
            if bad == 0 and talk.timing == "exact":
                off += [abs(a - b) / 1000 for (_, a), (_, b) in zip(truth, read, strict=True)]
        times = f"{np.median(off):18.1f} {np.percentile(off, 90):12.1f}" if off else " " * 31
        row = f"{name:44} {errors:6} {100 * errors / total:8.4f} {100 * worst:13.4f} {times}"
        print(f"{row}  {', '.join(sorted(timings))}", flush=True)


if __name__ == "__main__":
    main()
