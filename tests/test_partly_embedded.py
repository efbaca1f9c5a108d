"""Ranking while some passages have no vector yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.indexer.arrays import Floats
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog, vectors
from talksearch.search import engine
from talksearch.search.query import Filters, Query
from talksearch.search.ranking import rank
from talksearch.search.ranking.layout import PassageLayout, make_layout
from talksearch.search.ranking.missing_vectors import MissingVectors, WordScores, estimate, find_gaps
from talksearch.search.ranking.similarity import Similarities
from talksearch.search.reader import open_reader

NOWHERE = np.empty(0, np.int64)
NEXT, NEXT_BUT_ONE = (0.20 * 0.94 + 0.20) / 0.76, 0.20 * 0.94**2 / 0.76
"""What passages one and two apart have in common beside their talk."""


def layout(*sizes: int, notes: Sequence[int] = ()) -> PassageLayout:
    """Talks of so many passages, numbered from 0."""
    talks = np.repeat(np.arange(len(sizes)), sizes)
    return make_layout(np.arange(len(talks)), talks, np.array(notes, np.int64))


def gaps_in(of: PassageLayout, vectors: str) -> MissingVectors:
    """The gaps where `x` has a vector and `.` has none."""
    found = find_gaps(of, np.array([1 if sign == "x" else -1 for sign in vectors]), None)
    assert found is not None
    return found


def counted(
    of: PassageLayout,
    deviations: Sequence[float | None],
    words: Sequence[float] | None = None,
    own: Sequence[float] | None = None,
) -> list[float]:
    """What passages count for meaning, in deviations, given the scores of their words and their BM25; None where one
    has no vector."""
    rows = np.array([-1 if one is None else 0 for one in deviations])
    known = np.array([one for one in deviations if one is not None], np.float32)
    mean, deviation = float(known.mean()) if len(known) else 0.0, float(known.std()) if len(known) else 0.0
    cosines = np.array([mean if one is None else one for one in deviations], np.float32)
    meaning = Similarities(cosines, None, mean, deviation or 1.0, lambda at: cosines[at])
    gaps = find_gaps(of, rows, None)
    assert gaps is not None
    nothing = [0.0] * len(rows)
    estimate(
        meaning, WordScores(np.array(words or nothing, np.float32), np.array(own or nothing, np.float32)), 0.3, gaps
    )
    counts: list[float] = ((meaning.cosines - mean) / (deviation or 1.0)).tolist()
    return counts


def test_where_nothing_is_missing_there_are_no_gaps() -> None:
    assert find_gaps(layout(3), np.array([0, 1, 2]), None) is None
    assert find_gaps(layout(2, 2), np.array([0, 1, -1, 3]), np.array([0, 1])) is None, "nor among those that are ranked"
    assert find_gaps(layout(), NOWHERE, None) is None


def test_each_missing_passage_knows_the_nearest_embedded_ones_of_its_talk() -> None:
    gaps = gaps_in(layout(5, 3), "x.x.....")
    assert gaps.missing.tolist() == [1, 3, 4, 5, 6, 7]
    assert gaps.before[:3].tolist() == [0, 2, 2]
    assert gaps.behind[:1].tolist() == [2]
    assert gaps.weights[0].tolist() == pytest.approx(
        [NEXT * (1 - NEXT_BUT_ONE) / (1 - NEXT_BUT_ONE**2), NEXT, NEXT_BUT_ONE, 0, 0, 0]
    )
    assert gaps.weights[1].tolist() == pytest.approx([gaps.weights[0][0], 0, 0, 0, 0, 0])
    assert gaps.known[0] > gaps.known[1] > gaps.known[2] > gaps.known[3] == 0


def test_a_note_is_no_neighbour_and_has_none_but_belongs_to_its_talk() -> None:
    gaps = gaps_in(layout(4, notes=[1, 3]), ".xx.")
    assert gaps.weights.tolist() == [pytest.approx([0, 0]), pytest.approx([NEXT_BUT_ONE, 0])]
    assert gaps.talk_weights[0] == pytest.approx(0.24 / (0.24 + 2 * 0.76)), "one embedded passage speaks for the talk"
    assert gaps.known[1] == pytest.approx(0.24 * gaps.talk_weights[0])


def test_of_talks_that_are_ranked_alone_the_same_is_known() -> None:
    rows = np.array([0, -1, 2, -1, 4, 5, -1, 7])
    every = find_gaps(layout(3, 5), rows, None)
    some = find_gaps(layout(3, 5), rows, np.arange(3, 8))
    assert every is not None
    assert some is not None
    assert (some.missing + 3).tolist() == every.missing[1:].tolist()
    assert some.weights.tolist() == every.weights[:, 1:].tolist()
    assert some.known.tolist() == every.known[1:].tolist()


def test_to_have_no_vector_is_neither_a_merit_nor_a_fault() -> None:
    # Of the talk without a vector nothing is known, so its passages count as the embedded ones do on the whole.
    counts = counted(layout(4, 1), [1, -1, 1, -1, None])
    assert counts[:4] == pytest.approx([1, -1, 1, -1])
    assert counts[4] == pytest.approx(math.log((math.e + 1 / math.e) / 2))


def test_a_passage_between_two_near_ones_is_likely_near() -> None:
    near = [3.0, None, 3.0, -1, -1, -1, -1, -1, -1]
    far = [3.0, -1, 3.0, -1, None, -1, -1, -1, -1]
    assert counted(layout(3, 6), near)[1] > 1 > 0 > counted(layout(3, 6), far)[4]


def test_where_words_tell_what_is_near_they_tell_it_of_missing_ones() -> None:
    words = [0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    deviations = [float(word) for word in words[:8]]
    counts = counted(layout(8, 2), [*deviations, None, None], words)
    # Meaning goes up `step` a point of words: eight passages, two of which tell as much as one that is independent,
    # against 0.09, which is usual, give or take 0.08. Their squared distances from the mean of the words sum up to 42.
    step = 1 / float(np.std(deviations))
    shown, usual = 42 / 2, 1 / 0.08**2
    assert counts[9] - counts[8] == pytest.approx((shown * step + usual * 0.09) / (shown + usual), rel=1e-4)
    against = counted(layout(30, 2), [*[float(word) for word in range(30, 0, -1)], None, None], [*range(30), 8, 9])
    assert against[30] == pytest.approx(against[31]), "words that go against meaning take nothing away"


def test_a_passage_that_says_a_word_more_often_is_nearer_before_any_vector_says_so() -> None:
    assert counted(layout(3, 2), [0, 0, 0, None, None], own=[0, 0, 0, 1, 3])[3:] == pytest.approx([0.16, 0.48])
    said = WordScores(np.array([0, 2, 2], np.float32), np.array([0, 0, 4], np.float32))
    assert said.nearness().tolist() == pytest.approx([0, 0.18, 0.82])
    assert said.at(np.array([2])).nearness().tolist() == pytest.approx([0.82])


@pytest.mark.parametrize("deviations", [[None, None, None], [0.4, None, None]])
def test_with_hardly_any_vector_meaning_says_nothing(deviations: list[float | None]) -> None:
    assert counted(layout(3), deviations) == [0, 0, 0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, said in {"ships": "ship", "bees": "bee", "bread": "bread"}.items():
        lines = [f"{word} {said} and what else there is to say of it " * 4 for word in ("one", "two", "three", "four")]
        write_talk(tmp_path / "talks", name, lines)
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    return tmp_path / "index"


def without_vectors(folder: Path, numbers: Sequence[int]) -> None:
    """Take the vectors of some passages out of an index."""
    db = catalog.open_catalog(folder, write=True)
    db.executemany("UPDATE passages SET embedded = 0 WHERE number = ?", [(number,) for number in numbers])
    whole = vectors.read(folder, 8)
    kept = np.flatnonzero(~np.isin(whole.numbers, numbers))
    vectors.write_anew(folder, 8, whole.numbers[kept], whole.rows, kept)


@pytest.mark.parametrize("filters", [Filters(), Filters(talks=("ships", "bees"))])
def test_an_index_with_all_vectors_is_ranked_without_estimates(
    folder: Path, monkeypatch: pytest.MonkeyPatch, filters: Filters
) -> None:
    query = Query("one ship", filters=filters, avoid="bread")
    found = engine.search(open_reader(folder, encoder=CountingEncoder()), query)
    monkeypatch.setattr(rank, "find_gaps", lambda *_: None)  # as if there were no such thing
    assert engine.search(open_reader(folder, encoder=CountingEncoder()), query) == found
    assert found.hits


class Synonyms(CountingEncoder):
    """One that knows other words for a ship and a bee."""

    def encode_query(self, text: str) -> Floats:
        return super().encode_query(text.replace("vessel", "ship").replace("insect", "bee"))


def test_missing_passages_of_a_talk_that_is_near_come_before_other_talks(folder: Path) -> None:
    reader = open_reader(folder, encoder=CountingEncoder())
    numbers = [row[0] for row in reader.db.execute("SELECT number FROM passages WHERE field = 'speech'")]
    without_vectors(folder, numbers[1::2])
    partly = open_reader(folder, encoder=Synonyms())
    hits = engine.search(partly, Query("vessel", 20)).hits  # nobody says it
    ships = [hit.title == "Ships" for hit in hits]
    assert ships == sorted(ships, reverse=True)
    assert len(hits) > sum(ships) > 1


def test_a_passage_without_a_vector_is_avoided_all_the_same(folder: Path) -> None:
    reader = open_reader(folder, encoder=CountingEncoder())
    numbers = [row[0] for row in reader.db.execute("SELECT number FROM passages WHERE field = 'speech'")]
    without_vectors(folder, numbers[1::2])
    partly = open_reader(folder, encoder=Synonyms())
    missing = {row[0] for row in partly.db.execute("SELECT id FROM passages WHERE NOT embedded")}

    def own_scores(avoid: str) -> dict[str, float]:
        """Return the scores of the missing passages of the bees, without what the whole of their talk adds."""
        hits = engine.search(partly, Query("say", 20, avoid=avoid, explain=True)).hits
        missing_bees = (hit for hit in hits if hit.title == "Bees" and hit.passage_id in missing)
        return {hit.passage_id: hit.explain["score"] - hit.explain["talk"] for hit in missing_bees}

    before, after = own_scores(avoid=""), own_scores(avoid="insect")  # nobody says it
    assert max(before[passage] - after[passage] for passage in before) > 1
