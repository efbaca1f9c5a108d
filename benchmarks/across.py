"""The same questions in several languages, to be read: what an archive in English answers them.

    python benchmarks/across.py --index DIR [--hits 3] [--lang zh,ja]

`questions.jsonl` holds twelve questions about the shared archive in English, six of them also in Chinese, German and
Hindi, the other six in Japanese, Arabic and Russian. Whether a hit answers one is for a person to judge, so hits are
printed with what is said there. The table at the end says how much an answer has in common with that of the same
question in English: in how many questions the first hit is among the first ten in English, how many of the first ten
are on the average, and how the first hits are graded.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

QUESTIONS = Path(__file__).with_name("questions.jsonl")
DEPTH = 10


def main() -> None:
    """Ask all questions, print the hits, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--hits", type=int, default=3, help="how many hits of each answer are printed")
    parser.add_argument("--lang", help="only these languages, with commas between (default: all)")
    options = parser.parse_args()
    questions = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    wanted = options.lang.split(",") if options.lang else sorted({question["lang"] for question in questions})
    index = open_reader(options.index)
    english: dict[str, tuple[Hit, ...]] = {}
    answers: dict[str, list[tuple[str, tuple[Hit, ...]]]] = defaultdict(list)
    for question in questions:  # the English one of each topic comes first
        topic, lang = question["topic"], question["lang"]
        if lang != "en" and lang not in wanted:
            continue
        hits = engine.search(index, Query(question["query"], DEPTH)).hits
        english.setdefault(topic, hits)
        answers[lang].append((topic, hits))
        if lang in wanted:
            print(f"\n[{lang}] {question['query']}")
            show(hits[: options.hits])
    print(f"\n{'':4}{'questions':>10}{'first in ten':>14}{'of ten':>8}   grades of first hits")
    for lang in wanted:
        print(summary(lang, answers[lang], english))


def show(hits: Sequence[Hit]) -> None:
    """Print hits: grade, talk and second, then what is said."""
    for hit in hits:
        print(f"  {hit.rank}. {hit.grade or 'ungraded':<7} {safe(hit.title)[:70]} at {show_clock(hit.jump_ms)}")
        print(textwrap.fill(safe(hit.text), 116, initial_indent="     ", subsequent_indent="     "))


def summary(lang: str, answers: Sequence[tuple[str, Sequence[Hit]]], english: dict[str, tuple[Hit, ...]]) -> str:
    """Return a line on how much the answers in one language have in common with those in English."""
    known = {topic: {hit.passage_id for hit in hits} for topic, hits in english.items()}
    first = sum(hits[0].passage_id in known[topic] for topic, hits in answers if hits)
    shared = [sum(hit.passage_id in known[topic] for hit in hits) for topic, hits in answers]
    grades = Counter(hits[0].grade or "ungraded" for _, hits in answers if hits)
    words = ", ".join(f"{count} {grade}" for grade, count in grades.most_common())
    return f"{lang:<4}{len(answers):>10}{first:>14}{sum(shared) / max(1, len(shared)):>8.1f}   {words}"


if __name__ == "__main__":
    main()
