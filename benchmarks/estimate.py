"""Unfolding and estimated times, measured on captions whose words and times are known.

    python benchmarks/estimate.py ../shared/archive/rolling [--records ../shared/archive/records/flat_text] [--fit]

Every `.vtt` of YouTube's automatic captions under the folder is flattened (times, tags and line breaks thrown away),
unfolded and timed again; what was thrown away is the truth. Printed are the word error rate of the unfolding, how far
off the estimated times are beside the baselines, and how often the truth lies within the stated margin. `--fit` prints
the coefficients of `talksearch.indexer.estimate` as a least-squares fit gives them for each half of the talks.
"""

from __future__ import annotations

import argparse
import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from talksearch.indexer import estimate
from talksearch.indexer.align import exact_times, matching
from talksearch.indexer.flat import PAUSE_MARK_MS, cut_lines, is_sound, tokens_of, width_of
from talksearch.indexer.readers import record
from talksearch.indexer.records import Chapter, Cue

HEAD = "Title: -\nURL: -\nStatus: success\nContent:\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """One talk: its untimed cues, the same with their true times, and what else is known."""

    name: str
    cues: tuple[Cue, ...]
    truth: tuple[Cue, ...]
    duration_ms: int
    chapters: tuple[Chapter, ...]
    words: int
    wrong: int


def flattened(vtt: str) -> str:
    """What a scraper makes of a caption file: cue texts in a row, tags taken out."""
    rows = [row for row in vtt.split("\n") if "-->" not in row]
    return " ".join(tokens_of(re.sub(r"<[^>]*>", "", " ".join(rows))))


def sample(vtt_path: Path, text: str | None = None) -> Sample | None:
    """Read a caption file, and its flattened form where `text` does not give that."""
    vtt = vtt_path.read_text(encoding="utf-8")
    timed = record.read(HEAD + vtt).cues
    found = record.read(text if text is not None else HEAD + flattened(vtt))
    truth = exact_times(found.cues, timed)
    if truth is None:
        return None
    said = [html.unescape(token) for cue in timed for token in tokens_of(cue.text)]
    read = [html.unescape(token) for cue in found.cues for token in tokens_of(cue.text)]
    wrong = 0 if said == read else max(len(said), len(read)) - len(matching(said, read))
    sidecar = vtt_path.with_name(re.sub(r"\.[\w-]+\.vtt$", "", vtt_path.name) + ".info.json")
    about = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.exists() else {}
    # Where no sidecar gives the duration, recordings run on for some seconds after the last caption.
    duration = found.duration_ms or round((about.get("duration") or timed[-1].end_ms / 1000 + 4) * 1000)
    chapters = tuple(Chapter(round(c["start_time"] * 1000), c["title"]) for c in about.get("chapters") or ())
    return Sample(vtt_path.name, found.cues, truth, duration, chapters, len(said), wrong)


def prose(one: Sample) -> Sample:
    """The same talk as running text: no caption lines, no pauses."""
    cues = tuple(Cue(0, 0, line) for line in cut_lines(" ".join(cue.text for cue in one.cues)))
    truth = exact_times(cues, one.truth)
    assert truth is not None
    return replace(one, cues=cues, truth=truth)


Estimate = Callable[[Sample], tuple[Sequence[int], int]]


def shipped(one: Sample) -> tuple[Sequence[int], int]:
    """What talksearch says, from text and duration."""
    timed, margin, _ = estimate.estimate_times(one.cues, one.duration_ms, "", ())
    return [cue.start_ms for cue in timed], margin


def with_chapters(one: Sample) -> tuple[Sequence[int], int]:
    """What talksearch says when it knows the chapters too."""
    timed, margin, _ = estimate.estimate_times(one.cues, one.duration_ms, "", one.chapters)
    return [cue.start_ms for cue in timed], margin


def without_duration(one: Sample) -> tuple[Sequence[int], int]:
    """What talksearch says from the text alone."""
    timed, margin, _ = estimate.estimate_times(one.cues, None, "", ())
    return [cue.start_ms for cue in timed], margin


def proportion(size: Callable[[Cue], int]) -> Estimate:
    """A baseline: each cue has its share of the duration."""

    def starts(one: Sample) -> tuple[Sequence[int], int]:
        sizes = np.array([size(cue) for cue in one.cues], dtype=float)
        return list((np.cumsum(sizes) - sizes) / sizes.sum() * one.duration_ms), 0

    return starts


def report(name: str, samples: Sequence[Sample], method: Estimate) -> None:
    """One row: errors over all lines and by talk, and how the margin did."""
    errors, medians, margins, covered = [], [], [], []
    for one in samples:
        starts, margin = method(one)
        off = np.abs(np.array(starts) - [cue.start_ms for cue in one.truth]) / 1000
        errors.append(off)
        medians.append(np.median(off))
        margins.append(margin / 1000)
        covered.append(np.mean(off <= margin / 1000))
    all_lines = np.concatenate(errors)
    row = f"{name:32} {np.median(medians):7.1f} {np.median(all_lines):7.1f} {np.percentile(all_lines, 90):7.1f}"
    if any(margins):
        within = sum(c * len(e) for c, e in zip(covered, errors, strict=True)) / len(all_lines)
        row += f"   {np.median(margins):5.0f} ({min(margins):.0f} to {max(margins):.0f})   {within:.3f}"
    print(row)


def table(title: str, samples: Sequence[Sample], rows: Sequence[tuple[str, Estimate]]) -> None:
    """Print one table."""
    print(f"\n{title}: {len(samples)} talks, {sum(len(s.cues) for s in samples)} lines. Errors in seconds.")
    print(f"{'':32} {'talks':>7} {'lines':>7} {'9 in 10':>7}   margin, median (range)   lines within it")
    for name, method in rows:
        report(name, samples, method)


FEATURES = (*estimate.SECONDS, *estimate.LINE_SECONDS)


def features(one: Sample) -> tuple[np.ndarray, np.ndarray]:
    """For each line but the last the counts that the coefficients multiply, and how long it took, in seconds."""
    full = float(np.percentile([width_of(html.unescape(cue.text)) for cue in one.cues], 95))
    rows, seconds = [], []
    for cue, after, start, end in zip(one.cues, one.cues[1:], one.truth, one.truth[1:], strict=False):
        if is_sound(cue.text):
            continue
        counts, stops = estimate.speech_counts(tokens_of(html.unescape(cue.text)))
        first = tokens_of(html.unescape(after.text))[0]
        cleared = bool(cue.end_ms & PAUSE_MARK_MS)
        short = not cleared and width_of(html.unescape(cue.text)) + 1 + width_of(first) <= full
        rows.append([*(counts[name] for name in estimate.SECONDS), stops, short, cleared])
        seconds.append(min(40.0, (end.start_ms - start.start_ms) / 1000))
    return np.array(rows, dtype=float), np.array(seconds)


def fit(samples: Sequence[Sample]) -> dict[str, float]:
    """Non-negative least squares, each talk weighing as much as the root of its lines (coordinate descent)."""
    parts = [features(one) for one in samples]
    size = len(FEATURES)
    gram, target = np.zeros((size, size)), np.zeros(size)
    for x, y in parts:
        gram += x.T @ x / len(y)
        target += x.T @ y / len(y)
    solution = np.zeros(size)
    for _ in range(5000):
        for k in range(size):
            rest = target[k] - gram[k] @ solution + gram[k, k] * solution[k]
            solution[k] = max(0.0, rest / max(gram[k, k], 1e-12))
    return {name: round(float(value), 3) for name, value in zip(FEATURES, solution, strict=True)}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captions", type=Path, help="folder of automatic captions (.vtt), with .info.json beside")
    parser.add_argument("--records", type=Path, help="folder of flattened records of the same videos")
    parser.add_argument("--fit", action="store_true", help="print coefficients fitted to each half")
    args = parser.parse_args()
    paths = sorted(args.captions.glob("*.vtt"))
    sets: list[tuple[str, list[Sample]]] = []
    if args.records:
        # YouTube ids have eleven characters; both names hold them.
        pairs = [(r, p) for r in sorted(args.records.glob("*.txt")) for p in paths if r.stem[-11:] in p.name]
        read = [sample(caption, text.read_text(encoding="utf-8")) for text, caption in pairs]
        sets.append(("Flattened records", [s for s in read if s]))
    sets.append(("Captions, flattened here", [s for s in map(sample, paths) if s]))
    for title, samples in sets:
        wrong, words = sum(s.wrong for s in samples), sum(s.words for s in samples)
        print(f"{title}: {wrong} of {words} words wrong after unfolding, {100 * wrong / words:.4f} %")
    for title, samples in sets:
        rows = [
            ("proportion of characters", proportion(lambda cue: len(cue.text))),
            ("proportion of lines", proportion(lambda _: 1)),
            ("talksearch", shipped),
            ("talksearch, duration unknown", without_duration),
        ]
        table(title, samples, rows)
        chaptered = [s for s in samples if len(s.chapters) >= 4]
        if chaptered:
            chapter_rows = [("without them", shipped), ("with them", with_chapters)]
            table(f"{title}, those with chapters", chaptered, chapter_rows)
        running = [prose(s) for s in samples]
        table(f"{title}, as running text", running, [rows[0], rows[2]])
    if args.fit:
        lengths = [float(np.mean([len(tokens_of(cue.text)) for cue in s.cues])) for s in sets[-1][1]]
        pace = [s.duration_ms / len(s.cues) / size for s, size in zip(sets[-1][1], lengths, strict=True)]
        middle = np.median(pace)
        print("\nSeconds, fitted; shipped:", {**estimate.SECONDS, **estimate.LINE_SECONDS})
        print("faster half:", fit([s for s, p in zip(sets[-1][1], pace, strict=True) if p <= middle]))
        print("slower half:", fit([s for s, p in zip(sets[-1][1], pace, strict=True) if p > middle]))


if __name__ == "__main__":
    main()
