"""The grade of a hit: calibrated on null queries, and never lowered by what speaks for the hit."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import checksums, model_home
from talksearch.indexer.encoders.null_queries import NULL_QUERIES
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import calibration
from talksearch.indexer.stores.calibration import calibrate
from talksearch.indexer.stores.vectors import Vectors
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Filters, Mode, Query
from talksearch.search.ranking.languages import is_foreign
from talksearch.search.ranking.layout import make_layout
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.term_weight import QueryPostings, term_weight
from talksearch.search.reader import open_reader
from talksearch.search.results.grade import (
    COEFFICIENTS,
    NOTHING_GOOD,
    UNGRADED,
    Evidence,
    TermEvidence,
    evidence,
    evidence_table,
    fair_cosine,
    features,
    grade,
    grades,
    kind_of,
    log_odds,
    probability,
    term_evidence,
)

NOWHERE = np.empty(0, np.int64)
COUNT = 400
LAYOUT = make_layout(np.arange(COUNT), np.arange(COUNT) // 20, NOWHERE)
EMPTY = Evidence(*[math.nan] * 3)


def vectors(count: int, seed: int = 0, dimension: int = 32) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


ROWS, NULLS = vectors(COUNT), vectors(200, 1)
USUAL = calibrate([ROWS], NULLS)


def at(*places: int) -> np.ndarray:
    return np.array(places, np.int64)


def words_of(
    said: list[np.ndarray], together: list[np.ndarray] | None = None, by_variant: Sequence[np.ndarray] = ()
) -> TermEvidence | None:
    weights = [term_weight(LAYOUT, None, places, NOWHERE) for places in said]
    postings = QueryPostings(said, [NOWHERE] * (len(said) - 1) if together is None else together, weights)
    return term_evidence(postings, by_variant)


def found(query: np.ndarray, said: list[np.ndarray]) -> Evidence:
    cosines = ROWS @ query
    top = float(cosines.max())
    return evidence(LAYOUT, [int(cosines.argmax())], words_of(said), top, USUAL)


def heard(place: int, said: list[np.ndarray], together: list[np.ndarray] | None = None) -> Evidence:
    return evidence(LAYOUT, [place], words_of(said, together), math.nan, None)


def test_there_is_nothing_to_calibrate_on_few_vectors_or_without_null_queries() -> None:
    assert calibrate([ROWS[:49]], NULLS) is None
    assert calibrate([ROWS], NULLS[:0]) is None
    assert calibrate([], NULLS) is None


def test_blocks_make_no_difference() -> None:
    parts = calibrate([ROWS[:7], ROWS[7:300], ROWS[300:]], NULLS)
    assert parts is not None
    assert USUAL is not None
    assert (parts.cosine, parts.deviation) == pytest.approx((USUAL.cosine, USUAL.deviation), rel=1e-5)


def test_a_null_query_is_usual_and_a_passage_asked_for_itself_is_not() -> None:
    usual = [found(null, []).meaning for null in vectors(200, 2)]
    assert 0 < float(np.median(usual)) < 1
    assert found(ROWS[7], []).meaning > max(usual)


def test_answered_null_queries_hardly_move_what_is_usual() -> None:
    answered = NULLS.copy()
    answered[:20] = ROWS[:20]
    other = calibrate([ROWS], answered)
    assert USUAL is not None
    assert other is not None
    assert other.cosine == pytest.approx(USUAL.cosine, abs=0.2 * USUAL.deviation)


def test_the_scale_of_a_model_does_not_matter() -> None:
    # Another model whose cosines all lie in a narrow band high up, as those of many models do.
    def narrow(rows: np.ndarray) -> np.ndarray:
        return np.hstack([0.4 * rows, np.full((len(rows), 1), math.sqrt(1 - 0.16))]).astype(np.float32)

    other = calibrate([narrow(ROWS)], narrow(NULLS))
    for query in [*NULLS[:9], ROWS[7]]:
        top = float((narrow(ROWS) @ narrow(query[None, :])[0]).max())
        there = evidence(LAYOUT, [0], None, top, other)
        assert grade(there).probability == pytest.approx(grade(found(query, [])).probability, abs=0.01)


def test_words_are_weighed_by_surprise_and_looked_for_in_the_hit_and_beside_it() -> None:
    assert heard(5, [at(5), at(6), at(15), at(25)]).coverage == pytest.approx(0.5)
    rare, common = at(5), np.arange(0, COUNT, 2)
    assert heard(5, [rare, at(25), common]).coverage < 0.6
    assert heard(19, [at(20)]).coverage == 0  # the next talk is not beside
    assert heard(5, [NOWHERE]).coverage == 0


def test_words_said_side_by_side_count_more() -> None:
    both = [at(5), at(5)]
    assert heard(5, both, [at(5)]).surplus > heard(5, both, [at(90)]).surplus


def test_many_hits_are_graded_as_each_alone() -> None:
    words = words_of([at(3, 7), np.arange(0, COUNT, 2), NOWHERE], [at(7), NOWHERE], [at(3)])
    places = np.column_stack([np.arange(COUNT), np.arange(COUNT)[::-1]])
    cosines = np.where(np.arange(COUNT) % 5 == 0, np.nan, np.linspace(0, 1, COUNT))
    for known in (USUAL, None):
        for evident in (words, None):
            together = grades(log_odds(evidence_table(LAYOUT, places, evident, cosines, known)))
            for row, (both, cosine) in enumerate(zip(places.tolist(), cosines.tolist(), strict=True)):
                alone = evidence(LAYOUT, both, evident, cosine, known)
                kind = kind_of(alone)
                expected = probability(alone, kind, COEFFICIENTS) if kind else 0.0
                assert together[row].probability == pytest.approx(expected, abs=1e-9)


def test_a_note_counts_with_the_passage_it_leads_to() -> None:
    words = words_of([at(3), at(9)])
    assert evidence(LAYOUT, [3, 9], words, math.nan, None).coverage == pytest.approx(1.0)


def test_what_there_is_to_go_by() -> None:
    assert kind_of(found(ROWS[7], [at(7)])) == "both"
    assert kind_of(found(ROWS[7], [])) == "meaning"
    assert kind_of(heard(7, [at(7)])) == "words"
    assert kind_of(EMPTY) is None
    assert grade(EMPTY).word == "weak"


def test_a_passage_asked_for_itself_is_strong_and_one_common_word_is_not_even_fair() -> None:
    assert grade(found(ROWS[7], [at(7), at(7)])).word == "strong"
    half = np.arange(0, COUNT, 2)
    for null in NULLS:
        assert grade(found(null, [half, NOWHERE])).word == "weak"
    assert grade(heard(0, [half, NOWHERE])).word == "weak"


def test_one_telling_word_that_nobody_says_does_not_spoil_what_is_clearly_answered() -> None:
    assert grade(found(ROWS[7], [at(7), at(7), NOWHERE])).word != "weak"


def test_a_name_that_captions_misheard_is_graded_by_words_where_that_says_more() -> None:
    query, beside = NULLS[3], [at(200), at(200), NOWHERE]  # two of three words are said there, and nothing is near
    assert USUAL is not None
    far = float(ROWS[200] @ query)
    plain = evidence(LAYOUT, [200], words_of(beside), far, USUAL)
    misheard = evidence(LAYOUT, [200], words_of(beside, None, [at(200)]), far, USUAL)
    elsewhere = evidence(LAYOUT, [200], words_of(beside, None, [at(90)]), far, USUAL)
    assert (plain.by_variant, misheard.by_variant, elsewhere.by_variant) == (False, True, False)
    assert grade(plain).probability == grade(elsewhere).probability < 0.2
    assert grade(misheard).probability == grade(replace(misheard, meaning=math.nan)).probability > 0.2
    near = replace(misheard, meaning=5.0)
    assert grade(near).probability == grade(replace(near, by_variant=False)).probability


def test_words_that_a_hit_in_another_language_does_not_say_tell_nothing() -> None:
    near = Evidence(5.0, 0.0, -1.0)
    assert grade(near).word == "weak"
    foreign = grade(replace(near, is_foreign=True))
    assert foreign.word == "fair"
    assert foreign == grade(Evidence(5.0, math.nan, math.nan))
    assert probability(replace(near, is_foreign=True), "both", COEFFICIENTS) == pytest.approx(foreign.probability)


def test_words_that_a_hit_in_another_language_does_say_count() -> None:
    named = Evidence(2.0, 1.0, 1.0)
    assert grade(replace(named, is_foreign=True)) == grade(named)
    assert grade(named).probability > grade(replace(named, coverage=math.nan, surplus=math.nan)).probability


def test_nothing_near_is_weak_in_any_language() -> None:
    for knows in (False, True):
        assert grade(Evidence(0.5, 0.0, -1.0, is_foreign=True, knows_languages=knows)).word == "weak"


def test_less_meaning_tells_as_much_in_another_language_where_the_model_knows_languages() -> None:
    near = Evidence(2.5, 0.0, -1.0, knows_languages=True)
    across = replace(near, is_foreign=True)
    assert grade(across).word == "fair"
    assert [grade(other).word for other in (near, replace(across, knows_languages=False))] == ["weak", "weak"]
    by_meaning = replace(across, coverage=math.nan, surplus=math.nan)
    assert grade(by_meaning) == grade(across)
    for kind, one in (("both", across), ("meaning", by_meaning)):
        assert probability(one, kind, COEFFICIENTS) == pytest.approx(grade(one).probability)
    assert grade(replace(by_meaning, meaning=math.nan)).word == "weak"


def test_hits_are_in_another_language_where_both_languages_are_known() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE talks (number, language)")
    db.executemany("INSERT INTO talks VALUES (?, ?)", [(0, "en-GB"), (1, None), (2, "de"), (3, "nb")])
    layout = make_layout(np.arange(8), np.arange(8) // 2, NOWHERE, np.arange(4))
    table = PassageTable(layout, np.arange(8), Vectors(lambda: np.arange(8), ROWS[:8]), None, db)
    assert is_foreign(table, at(0, 2, 4, 6, 7), "de").tolist() == [True, False, False, True, True]
    assert is_foreign(table, at(0, 2, 4, 6, 7), "no").tolist() == [True, False, True, False, False]
    assert not is_foreign(table, at(0, 2, 4, 6, 7), None).any()


def test_the_cosine_of_a_fair_hit_is_that_of_the_grade_in_every_model() -> None:
    assert USUAL is not None
    edge = fair_cosine(USUAL)
    assert grade(evidence(LAYOUT, [0], None, edge + 0.001, USUAL)).word == "fair"
    assert grade(evidence(LAYOUT, [0], None, edge - 0.001, USUAL)).word == "weak"
    assert fair_cosine(None) == math.inf


def test_nothing_that_speaks_for_a_hit_lowers_its_grade() -> None:
    middle = Evidence(1.0, 0.5, 0.0)
    for name in ("meaning", "coverage", "surplus", "by_variant"):
        assert grade(replace(middle, **{name: 0.4 + getattr(middle, name)})).probability > grade(middle).probability


def test_there_is_a_coefficient_for_every_feature() -> None:
    for kind, numbers in COEFFICIENTS.items():
        assert len(features(Evidence(1.0, 0.5, 0.0), kind)) == len(numbers)


def test_null_queries_are_many_short_and_each_there_once() -> None:
    assert len(NULL_QUERIES) == len(set(NULL_QUERIES)) > 150
    assert all(0 < len(query.split()) < 8 for query in NULL_QUERIES)
    known = ("sourdough", "bicycle", "premier league")  # what the benchmark grades must not be what it is calibrated on
    assert not any(word in query.lower() for query in NULL_QUERIES for word in known)


# ------------------------------------------------------------------------------------------------------- in an index


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an index of talks about `clock` and `gravity`, by the encoder that counts words."""
    folder = tmp_path / "talks"
    folder.mkdir()
    for talk in range(8):
        lines = ["WEBVTT", ""]
        for cue in range(60):
            word = "gravity" if (talk, cue) == (3, 30) else "clock" if cue % 9 == talk else "people"
            lines += [f"00:{cue:02}:00.000 --> 00:{cue:02}:50.000", f"and {word} w{talk}x{cue} said again here", ""]
        (folder / f"talk{talk}.vtt").write_text("\n".join(lines))
    run.build_index(tmp_path / "index", [folder], encoder=CountingEncoder())
    return tmp_path / "index"


def ask(index: Path, text: str, mode: Mode = "hybrid") -> Answer:
    return engine.search(open_reader(index, encoder=CountingEncoder()), Query(text, 5, mode))


def test_an_answer_without_a_good_hit_says_so_and_still_has_hits(archive: Path) -> None:
    answer = ask(archive, "recipe for sourdough bread")
    assert answer.hits
    assert {hit.grade for hit in answer.hits} == {"weak"}
    assert answer.note == NOTHING_GOOD
    good = ask(archive, "gravity w3x30")
    assert good.hits[0].grade in ("fair", "strong")
    assert good.note == ""


@pytest.mark.parametrize("mode", ["lexical", "semantic"])
def test_every_mode_grades_by_what_it_goes_by(archive: Path, mode: Mode) -> None:
    assert all(hit.grade for hit in ask(archive, "gravity", mode).hits)


def test_a_quote_and_what_is_similar_have_no_grade(archive: Path) -> None:
    assert {hit.grade for hit in ask(archive, "gravity w3x30 said again", "quote").hits} == {None}
    index = open_reader(archive, encoder=CountingEncoder())
    talk_id = index.db.execute("SELECT id FROM talks LIMIT 1").fetchone()[0]
    answer = engine.similar(index, Query("", 5), talk_id, 60_000)
    assert {hit.grade for hit in answer.hits} == {None}
    assert answer.note == ""


def test_a_filter_changes_no_grade(archive: Path) -> None:
    index = open_reader(archive, encoder=CountingEncoder())
    first = engine.search(index, Query("gravity", 5)).hits[0]
    alone = engine.search(index, Query("gravity", 5, filters=Filters(talks=(first.talk_id,)))).hits[0]
    assert (alone.passage_id, alone.grade) == (first.passage_id, first.grade)


def test_a_language_is_told_only_where_nobody_says_one_of_the_words(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells languages takes time to load, and most queries never need it."""
    asked: list[str] = []
    monkeypatch.setattr(engine, "query_language", lambda text, _: asked.append(text))
    ask(archive, "gravity")
    assert asked == []
    ask(archive, "gravity Schlittschuhe")
    assert asked == ["gravity Schlittschuhe"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cosine": "x"}', "no json"])
def test_without_a_calibration_nothing_is_claimed(archive: Path, text: str) -> None:
    layout.CALIBRATION.within(archive).write_text(text)
    answer = ask(archive, "recipe for sourdough bread")
    assert {hit.grade for hit in answer.hits} == {None}
    assert answer.note == UNGRADED
    assert ask(archive, "gravity", "lexical").note == ""  # graded without one


def test_a_calibration_that_the_index_outgrew_does_not_count(archive: Path) -> None:
    path = layout.CALIBRATION.within(archive)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "passages": values["passages"] * 5 // 2}))
    checksums.note(archive, path.name)
    assert ask(archive, "gravity").hits[0].grade is None
    path.write_text(json.dumps({**values, "passages": values["passages"] * 3 // 2}))
    checksums.note(archive, path.name)
    assert ask(archive, "gravity").hits[0].grade


class AskedEncoder(CountingEncoder):
    """Counts the queries that are encoded one by one, and has prompts."""

    def __init__(self, query_prompt: str, passage_prompt: str) -> None:
        super().__init__()
        self.card = replace(self.card, query_prompt=query_prompt, passage_prompt=passage_prompt)
        self.asked = 0

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        self.seen += texts
        one = super().encode_query
        return np.array([one(self.card.passage_prompt + text) for text in texts], np.float32)

    def encode_query(self, text: str) -> Floats:
        self.asked += 1
        return super().encode_query(self.card.query_prompt + text)


@pytest.mark.parametrize(
    ("query_prompt", "passage_prompt", "at_once"),
    [("", "", True), ("time ", "", True), ("ship time ", "ship ", True), ("time ", "ship ", False)],
)
def test_null_queries_have_the_prompt_of_queries_whether_they_are_encoded_at_once_or_not(
    query_prompt: str, passage_prompt: str, at_once: bool
) -> None:
    encoder = AskedEncoder(query_prompt, passage_prompt)
    nulls = calibration._encode_nulls(encoder)
    assert (encoder.asked == 0) is at_once
    assert nulls == pytest.approx(np.array([encoder.encode_query(text) for text in NULL_QUERIES]))


def test_vectors_of_null_queries_are_kept_in_the_home_of_the_model(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(model_home, "find", lambda _: home)
    encoder = CountingEncoder()
    card = encoder.card
    made = calibration._nulls_of_model(card, lambda: encoder)
    assert len(encoder.seen) == len(NULL_QUERIES)
    assert calibration._nulls_of_model(card, lambda: encoder) == pytest.approx(made)
    assert len(encoder.seen) == len(NULL_QUERIES), "not encoded again"
    (kept,) = home.glob("*/*.npy")
    whole = kept.read_bytes()
    for turn, damaged in enumerate((whole[:200], whole[:-1] + bytes([whole[-1] ^ 1]), b""), 2):
        kept.write_bytes(damaged)
        assert calibration._nulls_of_model(card, lambda: encoder) == pytest.approx(made)
        assert len(encoder.seen) == turn * len(NULL_QUERIES), "a damaged file is made again"
    with_prompt = replace(card, query_prompt="time ")
    assert calibration._nulls_of_model(with_prompt, lambda: AskedEncoder("time ", "")) != pytest.approx(made)


def test_an_unchanged_index_is_not_calibrated_again_and_a_changed_one_without_encoding_null_queries(
    archive: Path,
) -> None:
    path = layout.CALIBRATION.within(archive)
    before = path.read_bytes(), path.stat().st_mtime_ns
    run.build_index(archive, [], encoder=CountingEncoder())
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    nulls = layout.NULL_VECTORS.within(archive).stat().st_mtime_ns
    run.remove_talks(archive, [open_reader(archive).db.execute("SELECT id FROM talks").fetchone()[0]])
    run.build_index(archive, [], encoder=CountingEncoder())
    assert path.stat().st_mtime_ns != before[1]
    assert layout.NULL_VECTORS.within(archive).stat().st_mtime_ns == nulls
    path.unlink()
    run.build_index(archive, [], encoder=CountingEncoder())
    assert path.exists()
