"""What was tried for the order of the first thirty hits, each idea in the whole ranking.

    python benchmarks/first_thirty.py [--index DIR] [--limit N] [--only NAME,…] [GOLD...]

The gold queries are asked of the whole engine as it is, and then with one idea after another: ranking and what comes
after it, tokens, grades, what is said again and the jump, run as they always do. Printed are MRR@10 of each file as
it is, by how much each idea changes it, with 95-in-100 intervals over talks, and the same for all queries together.
Chapters and descriptions are withheld, as in `quality.py`. The ideas:

- `within-talk idf`: in a passage a word counts half by how rare it is in the archive and half by how rare it is in the
  talk, so that a word that is everywhere in a talk tells its passages less apart
- `two-level model`: in place of the sum of idf, the log of how much likelier a passage says a word than the archive
  does, where a passage is a mixture of what is said around it and of its talk (Jelinek and Mercer's interpolation,
  Zhai and Lafferty, A Study of Smoothing Methods for Language Models, 2001)
- `titles lead nowhere`: titles count for their talks, but are no candidates themselves
- `titles lift talks`: the share of the query that a title says lifts all passages of its talk
- `titles lower the first minute`: the same share is taken off what is said in the first minute of that talk
- `words by length`: words weigh less in long queries, by the root of how many words there are
- `words by agreement`: words weigh more where meaning and words rank the best passages alike
- `neighbours share`: a passage counts together with those around it, as a jump to any of them serves the same listener
  (the least expected risk of a hit, where answers last longer than a passage)
- `a stretch of minutes`: a passage counts more where what is said from two minutes before it to two minutes behind it
  rises above the rest of its talk
- `the minute before`: the same for the minute before it, so that a passage is one that a section is in the midst of
- `a word begins`: a word counts half more in the passage from which on it is said again and again, and before which it
  was not said for some minutes
- `one hit a stretch`: a hit less than 45 seconds from an earlier one of its talk is left out
- `doubt shared out`: the next hit is the one that is likeliest to be the first right one, where what an earlier hit of
  the same talk lies near to is likely wrong as well (expected reciprocal rank; Chapelle and others, 2009)
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from quality import ROOT, SHARED, WITHHELD, Remembering

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import terms
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.ranking import rank
from talksearch.search.ranking.encoded_query import query_postings
from talksearch.search.ranking.fusion import REACH, WORDS_WEIGHT, Array, Signals
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.postings import idf
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.assemble import Assembly, to_hits

FIRST_MINUTE_MS = 60_000
AGREEING = 150
"""Of how many passages it is looked at whether meaning and words agree."""
NEIGHBOURS, FADING, SHARPNESS = 4, 0.5, 0.65
"""How many neighbours share, by what each next one counts less, and the share of the score that is a log-likelihood."""
MINUTE, MINUTES = 4, 8
"""How many passages begin in a minute, about, and in two."""
RISE = 0.25
"""What it counts in score that a stretch rises above its talk."""
SILENT, AGAIN, MOST_AGAIN = 10, 10, 2
"""For how many passages a word that begins was not said, and in how many behind it how often it is said at least."""
STRETCH_MS = 45_000
NEAR_S, LIKELIHOOD = 60.0, 1.5
"""At what distance an earlier hit takes 1/e of a later one's likelihood, and what a nat of it is in score."""
DEPTH = 30
GRADES = ("strong", "fair", "weak")


@dataclass(frozen=True)
class Evidence:
    """What a query says of all passages, notes included (n,)."""

    table: PassageTable
    titles: Sequence[frozenset[str]]
    """The terms of each talk's title."""
    is_title: Array
    starts: Ints
    terms: Sequence[str]
    postings: Sequence[Ints]
    signals: Signals

    @property
    def words(self) -> Array:
        """What words say."""
        return self.signals.words

    @property
    def deviations(self) -> Array:
        """By how many deviations each passage is nearer in meaning than usual."""
        meaning = self.signals.meaning
        assert meaning is not None
        found: Array = (meaning.cosines - meaning.mean) / meaning.deviation
        return found

    @cached_property
    def weights(self) -> list[float]:
        """The idf of each term."""
        return [idf(len(self.words), len(places)) for places in self.postings]

    def reached(self, places: Ints) -> Array:
        """Return 1 for the passages near which a term is said, 0 for others (n,)."""
        lie = self.table.layout
        near = np.zeros(len(self.words), bool)
        near[places] = True
        for _ in range(REACH):
            wider = near.copy()
            wider[1:] |= near[:-1] & lie.adjacent
            wider[:-1] |= near[1:] & lie.adjacent
            near = wider
        return near.astype(np.float32)

    def beside(self, values: Array, step: int) -> Iterator[Array]:
        """Yield the values of the next passage, of the one behind that, and so on, 0 where the talk has none; with a
        step of -1 those of the passages before.
        """
        lie = self.table.layout
        while True:
            values = np.append(values[1:] * lie.adjacent, 0) if step > 0 else np.append(0, values[:-1] * lie.adjacent)
            yield values

    def by_talk(self, values: Array) -> Array:
        """Return the mean over its talk for every passage (n,)."""
        lie = self.table.layout
        return (np.bincount(lie.talks, values) / lie.sizes)[lie.talks]

    @cached_property
    def titled(self) -> Array:
        """The share of what the query's words tell that the title of its talk says, for every passage (n,)."""
        total = sum(self.weights) or 1.0
        said = [
            sum(weight for term, weight in zip(self.terms, self.weights, strict=True) if term in title) / total
            for title in self.titles
        ]
        return np.array(said)[self.table.layout.talks]


Idea = Callable[[Evidence], Array]
"""From evidence to what words say, or whatever else is put in their place (n,)."""


def within_talk_idf(evidence: Evidence) -> Array:
    """Weigh a word in a passage half by how rare it is in the talk."""
    words, lie = evidence.words.copy(), evidence.table.layout
    for places, weight in zip(evidence.postings, evidence.weights, strict=True):
        near = evidence.reached(places)
        holding = evidence.by_talk(near) * lie.sizes[lie.talks]
        within = np.log((lie.sizes[lie.talks] + 1) / (holding + 0.5)).clip(0, weight)
        words += near * (within - weight) / 2
    return words


def two_level_model(evidence: Evidence) -> Array:
    """Put the log-likelihood ratio of a mixture of passage and talk in place of the sum of idf."""
    words = evidence.words.copy()
    for places, weight in zip(evidence.postings, evidence.weights, strict=True):
        near = evidence.reached(places)
        usual = max(float(near.mean()), 1 / len(near))
        words += np.log1p((near + 0.3 * evidence.by_talk(near)) / usual) - near * weight
    return words


def titles_lead_nowhere(evidence: Evidence) -> Array:
    """Let no title be a candidate."""
    return evidence.words - 1_000 * evidence.is_title


def titles_lift_talks(evidence: Evidence) -> Array:
    """Lift the talks whose titles say the query, by one deviation at most."""
    return evidence.words + evidence.titled / WORDS_WEIGHT


def titles_lower_first_minute(evidence: Evidence) -> Array:
    """Lower the first minute of the talks whose titles say the query, by one deviation at most."""
    return evidence.words - evidence.titled * (evidence.starts < FIRST_MINUTE_MS) / WORDS_WEIGHT


def words_by_length(evidence: Evidence) -> Array:
    """Weigh words by how few of them there are."""
    return evidence.words * math.sqrt(4 / max(len(evidence.terms), 1))


def words_by_agreement(evidence: Evidence) -> Array:
    """Weigh words by how alike they and meaning rank the best passages."""
    words, meaning = evidence.words, evidence.deviations
    best = np.argsort(-(meaning + WORDS_WEIGHT * words))[:AGREEING]
    spreads = words[best].std() * meaning[best].std()
    alike = float(np.corrcoef(words[best], meaning[best])[0, 1]) if spreads > 0 else 0.0
    return words * (1 + 0.5 * alike)


def neighbours_share(evidence: Evidence) -> Array:
    """Let the passages around one count with it."""
    lie = evidence.table.layout
    scores = evidence.deviations + WORDS_WEIGHT * evidence.words
    highest = scores.max()
    likelihoods = np.exp(SHARPNESS * (scores - highest))
    together, before, behind = likelihoods.copy(), likelihoods.copy(), likelihoods.copy()
    for _ in range(NEIGHBOURS):
        before = np.append(0, FADING * before[:-1] * lie.adjacent)
        behind = np.append(FADING * behind[1:] * lie.adjacent, 0)
        together += before + behind
    shared = np.log(together) / SHARPNESS + highest
    words: Array = evidence.words + (shared - scores) / WORDS_WEIGHT
    return words


def _risen(evidence: Evidence, before: int, behind: int) -> Array:
    """Add by how much the mean likelihood around each passage, as a log, rises above that of its talk."""
    scores = evidence.deviations + WORDS_WEIGHT * evidence.words
    likelihoods = np.exp(scores - scores.max())
    shares = [
        *islice(evidence.beside(likelihoods, -1), before),
        *islice(evidence.beside(likelihoods, 1), behind),
    ]
    level = np.log(np.sum(shares, axis=0) + likelihoods * (behind > 0) + 1e-6)
    words: Array = evidence.words + RISE * (level - evidence.by_talk(level)) / WORDS_WEIGHT
    return words


def stretch_of_minutes(evidence: Evidence) -> Array:
    """Lift the passages of stretches of four minutes that rise above their talk."""
    return _risen(evidence, MINUTES, MINUTES)


def minute_before(evidence: Evidence) -> Array:
    """Lift the passages before which a minute rises above their talk."""
    return _risen(evidence, MINUTE, 0)


def word_begins(evidence: Evidence) -> Array:
    """Count a word more where it begins to be said again and again."""
    words = evidence.words.copy()
    for places, weight in zip(evidence.postings, evidence.weights, strict=True):
        said = np.zeros(len(words))
        said[places] = 1
        # The passage right before shares some of its words with this one.
        earlier = sum(islice(evidence.beside(said, -1), 1, SILENT), np.zeros(len(words)))
        later = sum(islice(evidence.beside(said, 1), AGAIN), np.zeros(len(words)))
        words += 0.5 * weight * (said > 0) * (earlier == 0) * (later >= MOST_AGAIN)
    return words


IDEAS: dict[str, Idea] = {
    "within-talk idf": within_talk_idf,
    "two-level model": two_level_model,
    "titles lead nowhere": titles_lead_nowhere,
    "titles lift talks": titles_lift_talks,
    "titles lower the first minute": titles_lower_first_minute,
    "words by length": words_by_length,
    "words by agreement": words_by_agreement,
    "neighbours share": neighbours_share,
    "a stretch of minutes": stretch_of_minutes,
    "the minute before": minute_before,
    "a word begins": word_begins,
}


def one_hit_a_stretch(assembly: Assembly) -> list[Hit]:
    """Leave out hits that lie right beside an earlier one of their talk."""
    shown: list[Hit] = []
    for hit in to_hits(replace(assembly, query=replace(assembly.query, k=DEPTH))):
        near = (one for one in shown if one.talk_id == hit.talk_id and abs(one.jump_ms - hit.jump_ms) < STRETCH_MS)
        if next(near, None) is None:
            shown.append(hit)
    return shown[: assembly.query.k]


def doubt_shared_out(assembly: Assembly) -> list[Hit]:
    """Return the hits in the order of how likely each is the first right one; a better grade still goes first."""
    left = to_hits(replace(assembly, query=replace(assembly.query, k=DEPTH)))
    shown: list[Hit] = []

    def worth(hit: Hit) -> tuple[int, float]:
        near = max(
            (
                math.exp(-abs(hit.start_ms - other.start_ms) / 1000 / NEAR_S)
                for other in shown
                if other.talk_id == hit.talk_id
            ),
            default=0.0,
        )
        return -GRADES.index(hit.grade or "weak"), hit.score + LIKELIHOOD * math.log(max(1 - near, 1e-3))

    while left and len(shown) < assembly.query.k:
        shown.append(max(left, key=worth))
        left.remove(shown[-1])
    return shown


LISTS: dict[str, Callable[[Assembly], list[Hit]]] = {
    "one hit a stretch": one_hit_a_stretch,
    "doubt shared out": doubt_shared_out,
}
"""Ideas for the list of hits that a ranking gives."""


@contextmanager
def ranked_with(index: IndexReader, name: str) -> Iterator[None]:
    """Rank with an idea for as long as the context lasts; with none for an empty name."""
    if name in LISTS:
        with patch.object(engine, "to_hits", LISTS[name]):
            yield
        return
    if not name:
        yield
        return
    table, db = index.table(), index.db
    rows = dict(db.execute("SELECT number, title FROM talks").fetchall())
    titles = [frozenset(terms(rows[number])) for number in table.layout.talk_numbers.tolist()]
    numbers = [number for (number,) in db.execute("SELECT number FROM passages WHERE field = 'title'")]
    is_title = np.zeros(len(table.layout.numbers))
    is_title[table.layout.places_of[numbers]] = 1
    starts = np.array([table.times(place)[0] for place in range(len(table.layout.numbers))])
    top = rank._hybrid_top

    def with_idea(signals: Signals, scope: Any, request: Any) -> Any:
        if signals.meaning is None or scope.places is not None:
            return top(signals, scope, request)
        postings = query_postings(table, request.query, table.notes_in(WITHHELD)).terms
        evidence = Evidence(table, titles, is_title, starts, request.query.terms, postings, signals)
        return top(replace(signals, words=IDEAS[name](evidence).astype(np.float32)), scope, request)

    with patch.object(rank, "_hybrid_top", with_idea):
        yield


def main() -> None:
    """Ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="*", type=Path, help="gold files (default: all of ../shared/gold)")
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, default=150, help="at most so many queries of a file, spread evenly")
    parser.add_argument("--only", help="the ideas to try, with commas between (default: all)")
    options = parser.parse_args()
    with open_reader(options.index) as opened:
        index = open_reader(options.index, encoder=Remembering(opened.encoder()))
    asked = [
        golds
        for path in options.gold or sorted((SHARED / "gold").glob("*.jsonl"))
        if (golds := _some(index, path, options.limit))
    ]

    def ask() -> list[list[measure.Outcome]]:
        return [[measure.judge(gold, _hits(index, gold.query)) for gold in golds] for golds in asked]

    usual = ask()
    names = [f"{golds[0].file} ({len(golds)})" for golds in asked]
    print("| | " + " | ".join([*names, "all"]) + " |\n|---|" + "--:|" * (len(names) + 1))
    figures = [measure.metrics(outcomes)["mrr@10"].value for outcomes in [*usual, [*chain(*usual)]]]
    print("| as it is | " + " | ".join(f"{value:.3f}" for value in figures) + " |", flush=True)
    for name in options.only.split(",") if options.only else [*IDEAS, *LISTS]:
        with ranked_with(index, name):
            changed = ask()
        pairs = [*zip(changed, usual, strict=True), ([*chain(*changed)], [*chain(*usual)])]
        gains = [measure.paired_difference(now, before) for now, before in pairs]
        cells = (f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})" for gain in gains)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _hits(index: IndexReader, text: str) -> Sequence[Hit]:
    """Return the first ten hits."""
    return engine.search(index, Query(text, 10, leave_out=WITHHELD), is_asked=False).hits


def _some(index: IndexReader, path: Path, limit: int) -> list[measure.GoldQuery]:
    """Return at most so many queries of a gold file, spread evenly, of talks that are in the index."""
    golds = measure.read_gold(path)
    absent = set(measure.absent_talks(index, golds))
    golds = tuple(gold for gold in golds if gold.talk not in absent)
    count = min(limit, len(golds))
    return [golds[at * len(golds) // count] for at in range(count)]


if __name__ == "__main__":
    main()
