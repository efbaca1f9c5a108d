"""Unfolding and estimated times, measured on captions whose words and times are known.

    python benchmarks/estimate.py ../shared/archive/rolling [--records ../shared/archive/records/flat_text] [--fit]

Every `.vtt` of YouTube's automatic captions under the folder is flattened (times, tags and line breaks thrown away),
unfolded and timed again; what was thrown away is the truth. Printed are the word error rate of the unfolding, how far
off the estimated times are beside the baselines, and how often the truth lies within the stated margin.

`--fit` fits the seconds of `restore.estimate_times` again and judges every talk by seconds that were fitted
without it, and by seconds that were fitted without its whole channel. It also shows what would remain if more were
known: true times every few minutes; and the same errors line by line, but in random order, so that none are alike over
minutes.
"""

from __future__ import annotations

import argparse
import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from talksearch.indexer.readers import scraped_record
from talksearch.indexer.readers.flattened import cut_lines
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Chapter, Cue
from talksearch.indexer.restore import estimate_times
from talksearch.indexer.restore.align_times import exact_times, matching
from talksearch.indexer.text.plain import tokens_of

HEAD = "Title: -\nURL: -\nStatus: success\nContent:\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """One talk: its untimed cues, the same with their true times, and what else is known."""

    name: str
    cues: tuple[Cue, ...]
    truth: tuple[Cue, ...]
    duration_ms: int
    chapters: tuple[Chapter, ...]
    channel: str
    words: int
    wrong: int


def flattened(vtt: str) -> str:
    """What a scraper makes of a caption file: cue texts in a row, tags taken out."""
    rows = [row for row in vtt.split("\n") if "-->" not in row]
    return " ".join(tokens_of(re.sub(r"<[^>]*>", "", " ".join(rows))))


def sample(vtt_path: Path, text: str | None = None) -> Sample | None:
    """Read a caption file, and its flattened form where `text` does not give that."""
    vtt = vtt_path.read_text(encoding="utf-8")
    timed = scraped_record.read(SourceText(HEAD + vtt)).cues
    found = scraped_record.read(SourceText(text if text is not None else HEAD + flattened(vtt)))
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
    return Sample(vtt_path.name, found.cues, truth, duration, chapters, about.get("channel") or "", len(said), wrong)


def prose(one: Sample) -> Sample:
    """The same talk as running text: no caption lines, no pauses."""
    cues = tuple(Cue(0, 0, line) for line in cut_lines(" ".join(cue.text for cue in one.cues)))
    truth = exact_times(cues, one.truth)
    assert truth is not None
    return replace(one, cues=cues, truth=truth)


Estimate = Callable[[Sample], tuple[Sequence[int], int]]


def shipped(one: Sample) -> tuple[Sequence[int], int]:
    """What talksearch says, from text and duration."""
    timed, margin, _ = estimate_times.estimate_times(one.cues, one.duration_ms, ())
    return [cue.start_ms for cue in timed], margin


def with_chapters(one: Sample) -> tuple[Sequence[int], int]:
    """What talksearch says when it knows the chapters too."""
    timed, margin, _ = estimate_times.estimate_times(one.cues, one.duration_ms, one.chapters)
    return [cue.start_ms for cue in timed], margin


def without_duration(one: Sample) -> tuple[Sequence[int], int]:
    """What talksearch says from the text alone."""
    timed, margin, _ = estimate_times.estimate_times(one.cues, None, ())
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


WHAT = (*estimate_times.SPOKEN, *estimate_times.PAUSES)
FITTED = [estimate_times.CAPTION_PACE[name] > 0 for name in WHAT]
"""In captions the lines' ends say what commas and stops say elsewhere."""
PAUSE_LINES = 80
"""Lines in a stretch over which the cost of pauses is measured."""
LONGEST_SECONDS = 60.0
"""No line counts as longer: what else happened then, the text does not know."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one talk for a fit, the last left out: nobody knows how long it took."""

    counts: np.ndarray
    """Shape (n, len(WHAT))."""
    seconds: np.ndarray
    """How long each took, shape (n,)."""


def lines_of(one: Sample) -> Lines:
    """What a fit needs of a talk."""
    counted = estimate_times.count_lines(one.cues)
    starts = np.array([cue.start_ms for cue in one.truth]) / 1000
    return Lines(
        (np.hstack([counted.spoken, counted.pauses]) * FITTED)[:-1], np.minimum(LONGEST_SECONDS, np.diff(starts))
    )


def by_line(talks: Sequence[Lines]) -> np.ndarray:
    """Non-negative least squares over single lines; every talk weighs the same (coordinate descent)."""
    gram = sum(talk.counts.T @ talk.counts / len(talk.seconds) for talk in talks)
    target = sum(talk.counts.T @ talk.seconds / len(talk.seconds) for talk in talks)
    found = np.zeros(len(WHAT))
    for _ in range(3000):
        for k in range(len(WHAT)):
            rest = target[k] - gram[k] @ found + gram[k, k] * found[k]
            found[k] = max(0.0, rest / max(gram[k, k], 1e-12))
    return np.asarray(found)


def fit(talks: Sequence[Lines]) -> dict[str, float]:
    """Fit the seconds: over single lines first, then drawn to what stretches of `PAUSE_LINES` show.

    Over stretches the talk's own slowness is taken out, single stretches far off count less (Huber), and how far the
    seconds leave those of the single lines is held back (ridge: to double one costs as much as twenty errors of one
    standard deviation).
    """
    single = by_line(talks)
    prior = np.append(single, 0.0)
    scale = np.append(np.maximum(single, 0.05), 0.5)
    blocks, errors = [], []
    for talk in talks:
        weights = talk.counts @ single
        slowness = talk.seconds.sum() / weights.sum()
        opening = weights * estimate_times.opening(weights)
        own = float(np.log(slowness))
        x = np.column_stack([talk.counts, -own * opening])
        edges = np.linspace(0, len(x), max(2, len(x) // PAUSE_LINES) + 1).astype(int)
        root = np.sqrt(np.diff(edges))
        x = np.add.reduceat(x, edges[:-1], 0) / root[:, None]
        y = np.add.reduceat(talk.seconds / slowness, edges[:-1]) / root - x @ prior
        whole = x @ prior / np.linalg.norm(x @ prior)
        blocks.append((x - np.outer(whole, whole @ x)) * scale)
        errors.append(y - whole * (whole @ y))
    x, y = np.concatenate(blocks), np.concatenate(errors)
    trust, spread = np.ones(len(y)), float(np.std(y))
    for _ in range(8):
        weighted = x * trust[:, None]
        step = np.linalg.solve(weighted.T @ x + 20 * spread**2 * np.eye(len(scale)), weighted.T @ y)
        left = np.abs(y - x @ step)
        spread = 1.48 * float(np.median(left))
        trust = np.minimum(1, 2.5 * spread / np.maximum(left, 1e-9))
    found = prior + step * scale
    return dict(zip((*WHAT, "opening_return"), found.tolist(), strict=True))


Pace = dict[str, float]


def paced(paces: dict[str, Pace]) -> Estimate:
    """What talksearch would say with other seconds, by the name of the talk."""

    def starts(one: Sample) -> tuple[Sequence[int], int]:
        timed, margin, _ = estimate_times.estimate_times(one.cues, one.duration_ms, (), paces[one.name])
        return [cue.start_ms for cue in timed], margin

    return starts


def without(samples: Sequence[Sample], group: Callable[[Sample], object]) -> dict[str, Pace]:
    """For every talk, seconds fitted on all talks outside its group."""
    lines = [lines_of(one) for one in samples]
    groups = [group(one) for one in samples]
    paces = {g: fit([x for x, other in zip(lines, groups, strict=True) if other != g]) for g in set(groups)}
    return {one.name: paces[g] for one, g in zip(samples, groups, strict=True)}


def with_channels(samples: Sequence[Sample]) -> list[Sample]:
    """A talk without a sidecar gets the channel of the talk whose file name shares most words with its own."""
    known = [(one.channel, set(one.name.split())) for one in samples if one.channel]
    words = [set(one.name.split()) for one in samples]
    nearest = [max(known, key=lambda other: len(other[1] & own), default=("", set()))[0] for own in words]
    return [replace(one, channel=one.channel or near) for one, near in zip(samples, nearest, strict=True)]


def anchored(minutes: int) -> Estimate:
    """What would remain if the true time were known every so many minutes."""

    def starts(one: Sample) -> tuple[Sequence[int], int]:
        estimated = np.array(shipped(one)[0], dtype=float)
        true = np.array([cue.start_ms for cue in one.truth], dtype=float)
        at = np.unique(np.searchsorted(true, np.arange(0, one.duration_ms, minutes * 60_000)).clip(0, len(true) - 1))
        known, seen = np.append(true[at], one.duration_ms), np.append(estimated[at], one.duration_ms)
        return list(np.interp(estimated, seen, known)), 0

    return starts


def shuffled(one: Sample) -> tuple[Sequence[int], int]:
    """The shipped errors of how long lines take, in random order: a talk whose pace wanders from line to line only."""
    estimated = np.array([*shipped(one)[0], one.duration_ms], dtype=float)
    true = np.array([*(cue.start_ms for cue in one.truth), one.duration_ms], dtype=float)
    errors = np.random.default_rng(1).permutation(np.diff(estimated) - np.diff(true))
    drift = np.concatenate(([0.0], np.cumsum(errors)))
    drift -= drift[-1] * true / true[-1]
    return list(true[:-1] + drift[:-1]), 0


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captions", type=Path, help="folder of automatic captions (.vtt), with .info.json beside")
    parser.add_argument("--records", type=Path, help="folder of flattened records of the same videos")
    parser.add_argument("--fit", action="store_true", help="fit the seconds again, and judge them on other talks")
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
        samples = with_channels(sets[-1][1])
        # Eight parts, by a number that does not change from run to run.
        apart = without(samples, lambda one: crc32(one.name.encode()) % 8)
        abroad = without(samples, lambda one: one.channel)
        ids = {one.name for one in sets[0][1]} if args.records else set()
        whole = fit([lines_of(one) for one in samples])
        rows = [
            ("shipped", shipped),
            ("fitted here", paced({one.name: whole for one in samples})),
            ("fitted on other talks", paced(apart)),
            ("fitted on the other channel", paced(abroad)),
            ("errors in random order", shuffled),
            *((f"true times every {minutes} minutes", anchored(minutes)) for minutes in (5, 10, 20)),
        ]
        for channel in sorted({one.channel for one in samples}):
            table(channel, [one for one in samples if one.channel == channel], rows)
        table("The talks of the records", [one for one in samples if one.name in ids], rows) if ids else None
        table("All", samples, rows)
        print("\nSeconds:")
        fits = [("shipped", dict(estimate_times.CAPTION_PACE)), ("fitted here", whole)]
        fits += [(f"without {one.channel}", abroad[one.name]) for one in {s.channel: s for s in samples}.values()]
        for name, pace in fits:
            print(f"{name}:", {what: round(value, 3) for what, value in pace.items()})


if __name__ == "__main__":
    main()
