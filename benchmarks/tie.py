"""Whether sentences about a talk are tied to what they speak of.

    python benchmarks/tie.py --index DIR [--talks N] [GOLD...]

No archive says which passage a sentence of a description means. Gold queries do: those of one talk, in the order of
their answers, stand in for its description. Printed is how many of them are tied to a passage, how many of these begin
within the answer (from 15 seconds before it), and the same when each is tied by itself, without regard to the order.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.stores import calibration
from talksearch.indexer.text.terms import terms
from talksearch.search.evaluation import measure
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.align_description import align_description
from talksearch.search.results.grade import fair_cosine

GOLD = Path(__file__).parents[1] / ".." / "shared" / "gold"


def main() -> None:
    """Print a line for each gold file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("gold", nargs="*", type=Path)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--talks", type=int, default=25, help="talks of each file, drawn at random")
    options = parser.parse_args()
    index = open_reader(options.index)
    sources = index.db.execute("SELECT number, source FROM talks").fetchall()
    print(f"{'':16}{'queries':>8}{'tied':>8}{'right':>8}{'alone: tied':>14}{'right':>8}")
    for path in options.gold or sorted(GOLD.glob("*.jsonl")):
        talks: dict[str, list[measure.GoldQuery]] = defaultdict(list)
        for gold in measure.read_gold(path):
            talks[gold.talk].append(gold)
        drawn = random.Random(0).sample(sorted(talks), min(options.talks, len(talks)))
        together: list[bool | None] = []
        alone: list[bool | None] = []
        for talk in drawn:
            golds = sorted(talks[talk], key=lambda gold: gold.spans[0])
            number = next((number for number, source in sources if measure.same_path(source, talk)), None)
            if number is not None:
                some, others = tied(index, number, golds)
                together += some
                alone += others
        if together:
            print(f"{path.stem:16}{len(together):>8}" + shares(together) + f"{'':6}" + shares(alone), flush=True)


def shares(outcomes: list[bool | None]) -> str:
    """Return which share is tied, and which share of those is right."""
    known = [outcome for outcome in outcomes if outcome is not None]
    return f"{len(known) / len(outcomes):>8.0%}{sum(known) / max(1, len(known)):>8.0%}"


def tied(index: IndexReader, talk: int, golds: list[measure.GoldQuery]) -> tuple[list[bool | None], list[bool | None]]:
    """Return, for each query, whether it was tied rightly; None where it was not tied. All together, and each alone."""
    rows = index.db.execute(
        "SELECT number, text, start_ms FROM passages WHERE talk = ? AND field = 'speech' ORDER BY number", (talk,)
    ).fetchall()
    vectors = np.asarray(index.vectors.rows[index.vectors.find(np.array([row[0] for row in rows], np.int64))])
    passage_terms = [set(terms(row[1])) for row in rows]

    def holds(term: str) -> npt.NDArray[np.bool_]:
        return np.array([term in held for held in passage_terms], bool)

    asked = np.array([index.encoder().encode_query(gold.query) for gold in golds])
    fair = fair_cosine(calibration.read(index.folder, index.recipe.model))
    together = align_description([gold.query for gold in golds], asked, holds, vectors, fair)
    alone = [
        align_description([gold.query], asked[at : at + 1], holds, vectors, fair)[0] for at, gold in enumerate(golds)
    ]

    def right(gold: measure.GoldQuery, at: int | None) -> bool | None:
        return None if at is None else measure.jump_error(gold, rows[at][2]) is not None

    return (
        [right(gold, at) for gold, at in zip(golds, together, strict=True)],
        [right(gold, at) for gold, at in zip(golds, alone, strict=True)],
    )


if __name__ == "__main__":
    main()
