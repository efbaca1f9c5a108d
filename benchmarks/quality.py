"""How well talksearch finds, beside what a user could take or build instead.

    python benchmarks/quality.py [--index DIR] [--limit N] [--rivals NAME,...] [--out FILE] [--chart FILE.svg] [GOLD...]

Every gold file is asked of the whole index. Some rivals rank the same passages (60 words, step 40) and open them at
their start: by the plain hybrid (`search/evaluation/plain_hybrid.py`), by meaning only, by words (BM25), by reciprocal
rank fusion of the two (k = 60, the usual way), and by their standardised scores with words at a third of the weight.
Others have their own pieces (`rivals.py`): 480 characters at cue borders, ranked in the same three ways, as the
strongest peer does, and the tutorial script's fixed 1,000 characters by meaning; to embed these takes half an hour on
two cores. `--rivals plain,words` takes only those whose names begin so. Prints machine, versions and a table with
95-in-100 intervals and writes everything as JSON, with the rank of every query, so that what was lost where can be
looked up. `--chart` draws MRR@10 of each file, ours and the best rival's.

What the machinery is worth is the gain over the plain hybrid: it has the same passages, vectors and words. It is
printed query by query for MRR@10, first hits that are right and first hits in the right talk, and how much of it is the
second that hits open at. Exit 1 where talksearch does not beat the best rival by what `expected_quality.json` asks;
figures of a gold file stand for themselves, never for a mean.

Talks that are not in the index are left out, with their queries, so that a part of an archive can be measured.
Chapters and descriptions are withheld: the queries of some gold files are chapter titles.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import rivals
from about import about
from chart import bars

from talksearch.cli.pool import process_tuning
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import Encoder, encode_query_by_token
from talksearch.indexer.pipeline import run
from talksearch.indexer.records import Field
from talksearch.indexer.text.terms import terms
from talksearch.search import engine
from talksearch.search.evaluation import measure, plain_hybrid
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.ranking.lexical import bm25_search, query_terms
from talksearch.search.reader import IndexReader, open_reader

ROOT = Path(__file__).parents[1]
SHARED = ROOT / ".." / "shared"
EXPECTED = Path(__file__).with_name("expected_quality.json")
DEPTH = 400
PLAIN = "plain hybrid"
OURS, AT_START, BY_SCORE = "talksearch", "… at the start", "… by score"
"""The second: the same hits, opened where the passage begins; the third: in the order of their scores, whatever their
grades."""
_GRADES = ("strong", "fair", "weak")
COMPARED = ("mrr@10", "success@1", "talk@1")
SHOWN = ("success@1", "success@5", "mrr@10", "recall@100", "talk@1", "jump_error_s_median")

WITHHELD: tuple[Field, ...] = ("chapter", "description")
"""Some gold queries are chapter titles, and some may stand in descriptions."""

Ask = Callable[[str], list[Hit]]
"""From a query to hits."""


def passages(index: IndexReader) -> dict[str, Ask]:
    """Return the rivals that rank the index's own passages."""

    rows, every = index.vectors.rows, index.vectors.numbers

    def by_cosine(text: str) -> rivals.Ranked:
        return _nearest(every, rows @ index.encoder().encode_query(text))

    def by_bm25(text: str) -> rivals.Ranked:
        return bm25_search(index.db, query_terms(index.db, text), None, DEPTH)

    def standardised(text: str) -> rivals.Ranked:
        vector = index.encoder().encode_query(text)
        cosines = rows @ vector
        mean, deviation = float(cosines.mean()), float(cosines.std()) or 1.0
        said = dict(by_bm25(text))
        some = np.array(sorted({*dict(_nearest(every, cosines)), *said}), np.int64)
        at = index.vectors.find(some)
        cosines = np.where(at >= 0, rows[at] @ vector, mean)
        scores = np.array([said.get(number, 0.0) for number in some.tolist()])
        sums = (cosines - mean) / deviation + (scores - scores.mean()) / (scores.std() or 1.0) / 3
        return sorted(zip(some.tolist(), sums.tolist(), strict=True), key=lambda both: (-both[1], both[0]))

    def ask(ranked: Callable[[str], plain_hybrid.Ranked]) -> Ask:
        return lambda text: plain_hybrid.hits(index, ranked(text), measure.DEPTH)

    return {
        PLAIN: lambda text: plain_hybrid.search(index, text, measure.DEPTH),
        "meaning only": ask(by_cosine),
        "words only": ask(by_bm25),
        "rank fusion": ask(lambda text: rivals.fused([by_cosine(text), by_bm25(text)])),
        "standardised": ask(standardised),
    }


def _nearest(numbers: Ints, cosines: Floats) -> rivals.Ranked:
    """Return the passages with the highest cosines, best first."""
    best = np.argpartition(-cosines, min(DEPTH, len(cosines) - 1))[:DEPTH]
    best = best[np.lexsort((numbers[best], -cosines[best]))]
    return list(zip(numbers[best].tolist(), cosines[best].tolist(), strict=True))


def pieces(index: IndexReader, folder: Path, encoder: Encoder) -> dict[str, Ask]:
    """Return the rivals that cut talks in their own way; `encoder` embeds what is not in `folder`, when it is asked."""
    prepare = cache(lambda cut: rivals.prepare(index, cut, folder, encoder))

    def ask(cut: rivals.Cut, rank: Callable[[IndexReader, rivals.Rival, str], rivals.Ranked]) -> Ask:
        def hits(text: str) -> list[Hit]:
            rival = prepare(cut)
            return rivals.hits(rival, rank(index, rival, text), measure.DEPTH)

        return hits

    return {
        "480 meaning": ask(rivals.as_peer, rivals.by_meaning),
        "480 words": ask(rivals.as_peer, rivals.by_words),
        "480 fusion": ask(rivals.as_peer, rivals.by_rank_fusion),
        "tutorial": ask(rivals.as_tutorial, rivals.by_meaning),
    }


def main() -> int:
    """Measure, print, compare with what is expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, help="at most so many queries of a file, spread evenly over it")
    parser.add_argument(
        "--rivals", default="", help="only those whose names begin so, with commas between: plain,words"
    )
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "quality.json")
    parser.add_argument("--chart", type=Path, help="where to draw MRR@10, ours and the best rival's")
    options = parser.parse_args()
    if not options.index.exists():
        print(f"Building {options.index} from {SHARED / 'archive'}: an hour on two cores.", file=sys.stderr)
        run.build_index(options.index, [SHARED / "archive"])
    with open_reader(options.index, warn=lambda text: print(text, file=sys.stderr)) as opened:
        encoder = opened.encoder()
    index = open_reader(options.index, encoder=Remembering(encoder))
    process_tuning.tune(options.index)  # as every command that asks many queries does
    begins = tuple(options.rivals.split(","))
    every = passages(index) | pieces(index, options.out.parent, encoder)
    systems = {name: ask for name, ask in every.items() if name.startswith(begins)}
    if not systems:
        parser.error(f"No rival's name begins with {options.rivals}; there are: {', '.join(every)}.")
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    report: dict[str, Any] = {**about("talksearch", "onnxruntime", "chromadb", "ir-measures"), "files": []}
    print(f"{report['machine']}\n{report['versions']}")
    drawn: list[tuple[str, float]] = []
    failed = []
    for path in options.gold or sorted((SHARED / "gold").glob("*.jsonl")):
        golds = measure.read_gold(path)
        absent = set(measure.absent_talks(index, golds))
        golds = tuple(gold for gold in golds if gold.talk not in absent)
        if options.limit and len(golds) > options.limit:
            golds = tuple(golds[at * len(golds) // options.limit] for at in range(options.limit))
        if not golds:
            continue
        outcomes = {name: [measure.judge(gold, ask(gold.query)) for gold in golds] for name, ask in systems.items()}
        started = perf_counter()
        found = [engine.search(index, Query(gold.query, measure.DEPTH, leave_out=WITHHELD)).hits for gold in golds]
        took = (perf_counter() - started) / len(golds)
        outcomes[OURS] = [measure.judge(gold, hits) for gold, hits in zip(golds, found, strict=True)]
        outcomes[AT_START] = [
            measure.judge(gold, measure.opened_at_start(hits)) for gold, hits in zip(golds, found, strict=True)
        ]
        by_score = [sorted(hits, key=lambda hit: -hit.score) for hits in found]
        outcomes[BY_SCORE] = [measure.judge(gold, hits) for gold, hits in zip(golds, by_score, strict=True)]
        figures = {name: measure.metrics(rows) for name, rows in outcomes.items()}
        best = max(systems, key=lambda name: figures[name]["mrr@10"].value)
        gain = measure.paired_difference(outcomes[OURS], outcomes[best])
        wanted = expected["mrr_gain_over_best_rival"].get(path.stem)
        print(f"\n{path.stem}: {len(golds):,} queries, {len(absent)} talks absent, {took * 1000:.0f} ms a query")
        print(f"{'':<14}" + "".join(f"{name.replace('_s_median', ' s'):>24}" for name in SHOWN))
        for name, row in figures.items():
            cells = (f"{row[key].value:.3f} ({row[key].low:.3f}-{row[key].high:.3f})" for key in SHOWN)
            print(f"{name:<14}" + "".join(f"{cell:>24}" for cell in cells))
        print(f"mrr@10 over {best}: {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), expected {wanted}")
        gains = over_plain(outcomes) if PLAIN in systems else {}
        for name, one in gains.items():
            print(f"{name}: {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})")
        order = measure.paired_difference(outcomes[OURS], outcomes[BY_SCORE])
        crossed = [sum(map(_is_crossed, answers)) for answers in (found, by_score)]
        print(
            f"mrr@10 over the order of scores: {order.value:+.3f} ({order.low:+.3f} to {order.high:+.3f});"
            f" answers with a better grade below a worse one among ten: {crossed[0]}, by score {crossed[1]}"
        )
        lost = losses(index, outcomes[OURS])
        print("; ".join(f"{name} {share:.3f}" for name, share in lost.items()))
        if wanted is not None and gain.value < wanted and not options.limit:
            failed.append(path.stem)
        drawn += [(f"{path.stem}: {name}", figures[name]["mrr@10"].value) for name in (OURS, best)]
        report["files"].append(
            {
                "file": path.stem,
                "queries": len(golds),
                "absent_talks": len(absent),
                "best_rival": best,
                "mrr_gain": [gain.value, gain.low, gain.high],
                "over_plain": {name: [one.value, one.low, one.high] for name, one in gains.items()},
                "losses": lost,
                "ranks": {name: [row.rank for row in rows] for name, rows in outcomes.items()},
                "talk_ranks": {name: [row.talk_rank for row in rows] for name, rows in outcomes.items()},
                "systems": {
                    name: {key: [row[key].value, row[key].low, row[key].high] for key in row}
                    for name, row in figures.items()
                },
            }
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    if options.chart:
        options.chart.write_text(bars("MRR@10, ours and the best rival's", "", drawn), encoding="utf-8")
    if failed:
        print(f"\nBelow what is expected: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def over_plain(outcomes: Mapping[str, Sequence[measure.Outcome]]) -> dict[str, measure.Interval]:
    """Return what the machinery is worth, by what it is of: the gain over the plain hybrid, and how the jump shares."""
    ours, plain, at_start = outcomes[OURS], outcomes[PLAIN], outcomes[AT_START]
    return {
        **{f"{name} over the plain hybrid": measure.paired_difference(ours, plain, name) for name in COMPARED},
        "mrr@10 by the order alone": measure.paired_difference(at_start, plain),
        "mrr@10 by the jump": measure.paired_difference(ours, at_start),
    }


def _is_crossed(hits: Sequence[Hit]) -> bool:
    """Say whether among the first ten hits a better grade stands below a worse one."""
    grades = [_GRADES.index(hit.grade) for hit in hits[:10] if hit.grade]
    return grades != sorted(grades)


def losses(index: IndexReader, outcomes: Sequence[measure.Outcome]) -> dict[str, float]:
    """Return where the queries end, as shares of all: what an ideal next stage could still win at each rank.

    "unsaid" is the share of queries that are not right first and of whose telling words none is said in the answer.
    """
    bounds = {"first": (1, 1), "2 to 10": (2, 10), "11 to 40": (11, 40), "41 to 100": (41, 100)}
    shares = {
        name: sum(low <= (one.rank or 0) <= high for one in outcomes) / len(outcomes)
        for name, (low, high) in bounds.items()
    }
    lost = [one for one in outcomes if one.rank is None]
    shares["right talk, other place"] = sum(one.talk_rank is not None for one in lost) / len(outcomes)
    shares["other talks only"] = sum(one.talk_rank is None for one in lost) / len(outcomes)
    shares["unsaid"] = sum(one.rank != 1 and not _said(index, one.gold) for one in outcomes) / len(outcomes)
    return shares


def _said(index: IndexReader, gold: measure.GoldQuery) -> bool:
    """Say whether any telling word of a query is said where it is answered."""
    asked = set(query_terms(index.db, gold.query))
    talks = index.db.execute("SELECT number, source, id, youtube_id FROM talks").fetchall()
    numbers = [row[0] for row in talks if gold.talk in row[2:] or measure.same_path(row[1], gold.talk)]
    return any(
        asked & set(terms(text))
        for number in numbers
        for start_ms, end_ms in gold.spans
        for (text,) in index.db.execute(
            "SELECT text FROM cues WHERE talk = ? AND end_ms > ? AND start_ms < ?", (number, start_ms, end_ms)
        )
    )


class Remembering:
    """An encoder that encodes each query once: all systems ask the same ones."""

    def __init__(self, encoder: Encoder) -> None:
        self.card = encoder.card
        self.count_tokens = encoder.count_tokens
        self.encode_passages = encoder.encode_passages
        self.encode_query = cache(encoder.encode_query)
        self.encode_query_by_token = cache(partial(encode_query_by_token, encoder))


if __name__ == "__main__":
    sys.exit(main())
