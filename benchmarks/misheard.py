"""Whether a search for a name finds where captions misheard it, and the other way round.

    python benchmarks/misheard.py [--index DIR]

`misheard.jsonl` lists names that the title or the description of a talk writes, and how the automatic captions of that
talk write them instead; it was made by reading. Asked is the name: right is a hit whose passage holds one of the heard
spellings, in that talk. Then each heard spelling is asked: right is a hit in that talk, or one whose passage holds the
name itself. Both are asked twice: as talksearch answers, and without what it knows of misheard names. Exit 1 where that
knowledge finds no more than its absence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from talksearch.indexer.settings import resolve
from talksearch.indexer.text.terms import terms
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader

CASES = Path(__file__).with_name("misheard.jsonl")


@dataclass(frozen=True, slots=True)
class Case:
    """A name, the talk that writes it, and how its captions write it."""

    talk: str
    name: str
    heard: tuple[str, ...]


def holds(text: str, spelling: str) -> bool:
    """Say whether a text holds the terms of a spelling in a row."""
    said, asked = terms(text), terms(spelling)
    return any(said[at : at + len(asked)] == asked for at in range(len(said) - len(asked) + 1))


def rank(hits: Iterable[Hit], case: Case, spellings: Iterable[str], *, anywhere: bool) -> int | None:
    """Return the rank of the first hit that holds one of the spellings in the talk; with `anywhere` in any talk."""
    wanted = tuple(spellings)
    for hit in hits:
        if (anywhere or hit.youtube_id == case.talk) and any(holds(hit.text, spelling) for spelling in wanted):
            return hit.rank
    return None


def measure(index: IndexReader, cases: Iterable[Case]) -> dict[str, list[int | None]]:
    """Return the ranks of the right hits, in both directions."""
    ranks: dict[str, list[int | None]] = {"name asked": [], "heard asked": []}
    for case in cases:
        hits = engine.search(index, Query(case.name)).hits
        ranks["name asked"].append(rank(hits, case, case.heard, anywhere=False))
        for heard in case.heard:
            hits = engine.search(index, Query(heard)).hits
            said = rank(hits, case, (case.name,), anywhere=True)
            same = next((hit.rank for hit in hits if hit.youtube_id == case.talk), None)
            ranks["heard asked"].append(min((at for at in (said, same) if at), default=None))
    return ranks


def main() -> None:
    """Print the shares found first and among the first five."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--index", type=Path)
    index = open_reader(resolve(parser.parse_args().index).index)
    rows = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    every = [Case(row["talk"], row["name"], tuple(row["heard"])) for row in rows]
    there = {row[0] for row in index.db.execute("SELECT youtube_id FROM talks")}
    cases = [case for case in every if case.talk in there]
    if not cases:
        sys.exit("None of the talks is in the index.")
    with_it = measure(index, cases)
    with patch.object(engine, "also", lambda *_: {}):
        without = measure(index, cases)
    print(
        f"{len(cases)} names in {len({case.talk for case in cases})} talks; {len(every) - len(cases)} not in the index"
    )
    print(f"{'':14}{'queries':>8}{'first':>8}{'first 5':>9}{'without: first':>16}{'first 5':>9}")
    for kind, ranks in with_it.items():
        shares = [
            sum(at is not None and at <= depth for at in some) / len(some)
            for some in (ranks, without[kind])
            for depth in (1, 5)
        ]
        print(f"{kind:14}{len(ranks):>8}{shares[0]:>8.0%}{shares[1]:>9.0%}{shares[2]:>16.0%}{shares[3]:>9.0%}")
    missed = [case.name for case, at in zip(cases, with_it["name asked"], strict=True) if at is None or at > 5]
    print(f"not among the first five: {', '.join(missed) or 'none'}")
    counts = [sum(at is not None for at in ranks["name asked"]) for ranks in (with_it, without)]
    sys.exit(counts[0] <= counts[1])


if __name__ == "__main__":
    main()
