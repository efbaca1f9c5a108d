"""Print how often the language of a query is told rightly (`search/asker.py`).

    python benchmarks/asker.py GOLD...

Each GOLD is a file of queries with known answers; `lang` says which language a query is in, and `talk_lang` what the
talks are in. Each query is asked of two archives: one that has only the talks' language, and one that has talks in all
languages of the files. A query that says nothing in any language ("LogSoftMax vs SoftMax") is rightly left open.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path

from talksearch.search.asker import query_language

_SHOWN = 12


def main() -> None:
    """Print a table for each kind of archive, and what was told wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="queries of each file, drawn at random; 0: all of them")
    options = parser.parse_args()
    rows: list[tuple[str, str, str, str]] = []
    for path in options.gold:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if options.sample:
            lines = random.Random(1).sample(lines, min(options.sample, len(lines)))
        rows += [(path.stem, row["lang"], row.get("talk_lang", row["lang"]), row["query"]) for row in lines]
    query_language(rows[0][3], ())
    every = sorted({row[1] for row in rows})
    for name in ("an archive in the talks' language", f"an archive in {', '.join(every)}"):
        print(f"\nAsked of {name}:")
        print(f"  {'file':<16} {'in':<4} {'queries':>7} {'right':>6} {'open':>6} {'wrong':>6}")
        table: dict[tuple[str, str], Counter[str]] = {}
        wrong: list[str] = []
        start = time.perf_counter()
        for file, language, talks, query in rows:
            told = query_language(query, every if "talks'" not in name else [talks])
            outcome = "open" if told is None else "right" if told == language else "wrong"
            table.setdefault((file, language), Counter())[outcome] += 1
            if outcome == "wrong":
                wrong.append(f"    {language} told as {told}: {query[:80]}")
        seconds = time.perf_counter() - start
        for (file, language), counts in sorted(table.items()):
            shares = " ".join(f"{counts[key] / counts.total():6.1%}" for key in ("right", "open", "wrong"))
            print(f"  {file:<16} {language:<4} {counts.total():>7} {shares}")
        print(f"  {1000 * seconds / len(rows):.2f} ms a query; {len(wrong)} of {len(rows):,} wrong, some of them:")
        print("\n".join(random.Random(2).sample(wrong, min(_SHOWN, len(wrong)))))


if __name__ == "__main__":
    main()
