"""How surely and how fast a quote is found: stretches of an index's own talks, asked for with and without mistakes.

    python benchmarks/quote.py INDEX [--quotes 200] [--seed 1]

Stretches of 6 to 15 words are drawn at random from the talks and asked for as they stand, then with one, two and three
changes: a word left out, two words swapped, a word replaced by another one of the archive, a letter of a word changed.
Printed are the shares of quotes whose first answer (and any of ten) begins within 2 s of the true start, or says the
same words elsewhere at the same score or a better one, and the milliseconds a quote takes.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import time
from pathlib import Path

import numpy as np

from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.quotes.find import find_quotes

Drawn = tuple[int, int, list[str]]
"""A talk's number, when the stretch begins in milliseconds, its words."""


def draw(db: sqlite3.Connection, chance: random.Random) -> Drawn:
    """Draw a stretch of words from a random passage and what follows it, so that it may cross every border."""
    highest = db.execute("SELECT max(number) FROM passages").fetchone()[0]
    while True:
        found = db.execute(
            "SELECT talk, first_cue FROM passages WHERE number = ? AND field = 'speech'", (chance.randint(1, highest),)
        ).fetchone()
        if not found:
            continue
        talk, first = found
        id_ = db.execute("SELECT id FROM talks WHERE number = ?", (talk,)).fetchone()[0]
        cues = catalog_talks.read_cues(db, id_, first, first + 40)
        words = [word for cue in cues for word in words_with_times(cue)]
        size = chance.randint(6, 15)
        if len(words) < size + 1:
            continue
        at = chance.randrange(min(len(words) - size, 120))
        return talk, words[at][1], [text for text, *_ in words[at : at + size]]


def change(words: list[str], others: list[str], chance: random.Random) -> list[str]:
    """Change words as memory and captions do."""
    words = list(words)
    at = chance.randrange(len(words) - 1)
    kind = chance.choice(("drop", "swap", "replace", "misspell"))
    if kind == "drop":
        del words[at]
    elif kind == "swap":
        words[at], words[at + 1] = words[at + 1], words[at]
    elif kind == "replace":
        words[at] = chance.choice(others)
    else:
        letters = list(words[at])
        letters[chance.randrange(len(letters))] = chance.choice("aeiouslnrt")
        words[at] = "".join(letters)
    return words


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--quotes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worst", action="store_true", help="print the quotes that were not found")
    options = parser.parse_args()
    db = catalog.open_catalog(options.index)
    chance = random.Random(options.seed)
    drawn = [draw(db, chance) for _ in range(options.quotes)]
    others = [word for _, _, words in drawn for word in words]
    find_quotes(db, "warming up the caches", None, 10)
    print("changes  first  of ten  ms median   p95  CPU ms median   p95")
    for changes in range(4):
        firsts, tens, wall, work = [], [], [], []
        for talk, start_ms, words in drawn:
            asked = words
            for _ in range(changes):
                asked = change(asked, others, chance)
            began, worked = time.perf_counter(), time.process_time()
            found = find_quotes(db, " ".join(asked), None, 10)
            wall.append(1000 * (time.perf_counter() - began))
            work.append(1000 * (time.process_time() - worked))
            right = [quoted.talk == talk and abs(quoted.start_ms - start_ms) <= 2_000 for quoted in found]
            mine = next((quoted.score for quoted, good in zip(found, right, strict=True) if good), None)
            # Said as well elsewhere: any of them is an answer.
            firsts.append(mine is not None and mine >= found[0].score - 1e-6)
            tens.append(any(right))
            if options.worst and not firsts[-1]:
                best = f"{found[0].score:.3f} {found[0].text}" if found else "nothing"
                print(f"  {mine}  {talk} {start_ms}: {' '.join(words)} / {' '.join(asked)} -> {best}")
        print(
            f"{changes:7}  {np.mean(firsts):.3f}  {np.mean(tens):6.3f}  {np.median(wall):9.0f}"
            f" {np.percentile(wall, 95):5.0f}  {np.median(work):13.0f} {np.percentile(work, 95):5.0f}"
        )


if __name__ == "__main__":
    main()
