"""The columns say what the catalog and the vectors say, and are passed over when those have changed."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder, term_lookup

from talksearch.indexer import layout as index_layout
from talksearch.indexer.doctor import examine
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog, catalog_writer, vectors
from talksearch.indexer.stores.columns import build, update
from talksearch.indexer.stores.columns import reader as columns
from talksearch.search import engine
from talksearch.search import reader as index
from talksearch.search.query import Filters, Query
from talksearch.search.ranking import layout, postings
from talksearch.search.ranking.passage_table import PassageTable, read_passage_table
from talksearch.search.ranking.similarity import compare, start_compare

DATA = Path(__file__).parents[1] / "data"
DRAWN = np.random.default_rng(0).normal(size=(4096, 96)).astype(np.float32)


class WideEncoder(CountingEncoder):
    """As many dimensions as a real model, most of them small: what rounding to a byte loses is not nothing."""

    def __init__(self) -> None:
        super().__init__("wide")
        self.card = type(self.card)("wide", "", 96, 200)

    def encode_query(self, text: str) -> np.ndarray:
        words = [int.from_bytes(word.encode()[:3], "big") % 4095 + 1 for word in text.split()]
        vector = 0.3 * DRAWN[0] + DRAWN[words].sum(axis=0)
        return vector / np.linalg.norm(vector)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample archive, indexed."""
    made = tmp_path_factory.mktemp("index") / "index"
    run.build_index(made, [DATA], encoder=WideEncoder())
    return made


@pytest.fixture
def db(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(catalog.open_catalog(folder)) as opened:
        yield opened


@pytest.fixture
def rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many vectors as there are count as many, so that bytes are looked at first."""
    monkeypatch.setattr("talksearch.search.ranking.similarity.FEW", 0)


def vocabulary(db: sqlite3.Connection) -> list[str]:
    return sorted({word for (text,) in db.execute("SELECT terms FROM words") for word in text.split()})


def test_they_are_there_after_indexing_and_hold_every_passage(folder: Path, db: sqlite3.Connection) -> None:
    made = columns.read(folder, db)
    assert made is not None
    lie = layout.read_layout(db)
    assert made.numbers.tolist() == lie.numbers.tolist()
    assert made.talks.tolist() == lie.talks.tolist()
    assert made.talk_numbers.tolist() == lie.talk_numbers.tolist()
    rows = db.execute("SELECT number, start_ms, end_ms, speakers, field FROM passages").fetchall()
    at = {number: place for place, number in enumerate(made.numbers.tolist())}
    for number, start_ms, end_ms, speakers, field in rows:
        place = at[number]
        assert (made.starts[place], made.ends[place]) == (start_ms, end_ms)
        assert made.speakers[made.voices[place]] == speakers
        assert columns.FIELDS[made.fields[place]] == field


def test_words_are_where_the_word_index_has_them(folder: Path, db: sqlite3.Connection) -> None:
    quick = read_passage_table(folder, db, vectors.read(folder, 96))
    assert quick.columns is not None
    for word in [*vocabulary(db), "nobodysaysthis", ""]:
        expected = np.sort(quick.layout.places(postings.postings(db, word))) if word else []
        assert quick.postings(word).tolist() == list(expected), word


def test_many_words_are_put_in_place_a_few_at_a_time(
    folder: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An archive may have more words than memory; what comes of it is the same."""
    monkeypatch.setattr(build, "_HELD", 100)
    monkeypatch.setattr(build, "_BLOCK", 7)
    shutil.copytree(folder, tmp_path / "other")
    index_layout.COLUMNS.within(tmp_path / "other").unlink()
    assert update.write(tmp_path / "other", db, 96)
    assert update.same_columns(index_layout.COLUMNS.within(folder), tmp_path / "other" / index_layout.COLUMNS.name)


def test_words_of_one_talk_are_where_the_word_index_has_them(folder: Path, db: sqlite3.Connection) -> None:
    quick = read_passage_table(folder, db, vectors.read(folder, 96))
    plain = PassageTable(quick.layout, quick.vector_rows, quick.vectors, None, db)
    for word in [*random.Random(3).sample(vocabulary(db), 20), "nobodysaysthis"]:
        every = np.zeros(len(quick.vector_rows), bool)
        every[quick.postings(word)] = True
        for talk in range(len(quick.layout.sizes)):
            expected = every[quick.layout.talks == talk].tolist()
            assert quick.postings_in(talk, word).tolist() == plain.postings_in(talk, word).tolist() == expected


def test_words_together_are_where_the_word_index_has_them(folder: Path, db: sqlite3.Connection) -> None:
    quick = read_passage_table(folder, db, vectors.read(folder, 96))
    drawn = random.Random(1)
    texts = [row[0].split() for row in db.execute("SELECT terms FROM words")]
    for text in drawn.sample(texts, min(len(texts), 150)):
        if len(text) < 8:
            continue
        at = drawn.randrange(len(text) - 6)
        one, other = text[at], text[at + drawn.randrange(1, 6)]
        if one != other:
            expected = np.sort(quick.layout.places(postings.cooccurrences(db, one, other)))
            assert quick.cooccurrences(one, other).tolist() == expected.tolist(), (one, other)
        row = " ".join(text[at : at + 3])
        assert quick.postings(row).tolist() == np.sort(quick.layout.places(postings.postings(db, row))).tolist(), row


@pytest.mark.usefixtures("rounded")
def test_a_cosine_is_no_further_off_than_is_said_and_the_moments_are_those_of_all(
    folder: Path, db: sqlite3.Connection
) -> None:
    copy = vectors.read(folder, 96)
    quick = read_passage_table(folder, db, copy)
    for text in ("ship time", "a bridge of copper", "x", "The rain came back to the code"):
        vector = WideEncoder().encode_query(text)
        found = compare(quick, vector)
        exact = (copy.rows @ vector)[quick.vector_rows].astype(float)
        assert found.errors is not None
        assert (np.abs(found.cosines - exact) <= found.error_bounds(np.arange(len(exact)))).all()
        assert found.error_bounds(np.arange(len(exact))).max() <= found.max_error() < 0.05
        assert found.mean == pytest.approx(exact.mean(), abs=1e-6)
        assert found.deviation == pytest.approx(exact.std(), abs=1e-5)
        assert found.exact(np.arange(7)) == pytest.approx(exact[:7], abs=1e-6)


@pytest.mark.usefixtures("rounded")
@pytest.mark.parametrize("with_columns", [True, False])
def test_some_passages_are_as_near_as_among_all(
    folder: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, with_columns: bool
) -> None:
    monkeypatch.setattr("talksearch.search.ranking.similarity._BLOCK", 16)
    copy = vectors.read(folder, 96)
    table = read_passage_table(folder, db, copy)
    table = table if with_columns else PassageTable(table.layout, table.vector_rows, copy, None, db)
    vector = WideEncoder().encode_query("a bridge of copper")
    every = compare(table, vector)
    for places in (np.arange(0, len(table.vector_rows), 3), np.array([5], np.int64), np.empty(0, np.int64)):
        found = compare(table, vector, places)
        assert found.cosines.tolist() == every.cosines[places].tolist()
        assert found.refine(np.arange(len(places))) == pytest.approx(every.exact(places), abs=1e-6)
        assert (found.mean, found.deviation) == (every.mean, every.deviation)


@pytest.mark.usefixtures("rounded")
def test_however_many_compare_each_passage_is_compared_once(
    folder: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("talksearch.search.ranking.similarity._BLOCK", 4)
    table = read_passage_table(folder, db, vectors.read(folder, 96))
    vector = WideEncoder().encode_query("ship time")
    expected = compare(table, vector).cosines.tolist()
    for count in (1, 2, 5):
        found, fill = start_compare(table, vector)
        found.cosines[:] = np.nan
        with ThreadPoolExecutor(count) as threads:
            for done in [threads.submit(fill) for _ in range(count)]:
                done.result()
        assert found.cosines.tolist() == expected
        found.cosines[:] = 0
        fill()
        assert not found.cosines.any()


QUERIES = (
    "time ship", "the bridge", "rain on the roof", "code", "why", "bread and rain", "光速不變", "nobody ever said this",
    "a song of the harbour and what it means for those who build bridges", "Ship", "time", "in the end",
)  # fmt: skip


def _options() -> list[dict[str, object]]:
    return [
        {},
        {"mode": "semantic"},
        {"mode": "lexical"},
        {"per_talk": 1},
        {"leave_out": ("title", "chapter", "description")},
        {"avoid": "rain bread"},
        {"avoid": "ship", "mode": "semantic"},
        {"k": 50, "explain": True},
        {"filters": Filters(after="2020")},
        {"filters": Filters(language="en")},
        {"filters": Filters(speaker="a")},
    ]


@pytest.mark.usefixtures("rounded")
@pytest.mark.parametrize("options", _options(), ids=str)
def test_answers_are_those_of_the_catalog_itself(
    folder: Path, tmp_path: Path, options: dict[str, object], db: sqlite3.Connection
) -> None:
    """With and without columns: same hits in the same order, same jumps, same heat; scores and ties to the rounding."""
    # With what hits are graded by, because hits of which none is good have nothing marked.
    kept = (index_layout.CATALOG, index_layout.VECTORS, index_layout.RECIPE, index_layout.CALIBRATION)
    for name in (entry.name for entry in kept):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    quick = index.open_reader(folder, encoder=WideEncoder())
    plain = index.open_reader(tmp_path, encoder=WideEncoder())
    talks = [row[0] for row in db.execute("SELECT id FROM talks ORDER BY id")]
    for number, text in enumerate(QUERIES):
        for extra in ({}, {"filters": Filters(talks=(talks[number % len(talks)],))}):
            query = Query(text, heat=True, **{**options, **extra})  # type: ignore[arg-type]
            one, other = engine.search(quick, query), engine.search(plain, query)
            # Two of which rounding alone decides which is first may change places.
            for ours, theirs in zip(one.hits, other.hits, strict=True):
                assert ours.passage_id == theirs.passage_id or ours.score == pytest.approx(theirs.score, abs=1e-4)
            same = {hit.passage_id: hit for hit in other.hits}
            assert same.keys() == {hit.passage_id for hit in one.hits}
            for ours, theirs in ((hit, same[hit.passage_id]) for hit in one.hits):
                # What a whole talk says is summed over rounded cosines.
                assert ours.score == pytest.approx(theirs.score, abs=2e-2)
                # What may score so high by chance is reckoned from rounded cosines, in an index this small from few.
                assert ours.heat == pytest.approx(theirs.heat, abs=1e-2)
                assert (ours.jump_ms, ours.note, ours.matches) == (theirs.jump_ms, theirs.note, theirs.matches)
                assert (ours.copies, ours.more_in_talk) == (theirs.copies, theirs.more_in_talk)
    assert quick.table().columns is not None
    assert plain.table().columns is None


def copied(folder: Path, to: Path) -> Path:
    to.mkdir()
    for name in (
        index_layout.CATALOG.name,
        index_layout.VECTORS.name,
        index_layout.RECIPE.name,
        index_layout.COLUMNS.name,
    ):
        (to / name).write_bytes((folder / name).read_bytes())
    return to


def test_another_state_of_the_catalog_or_the_vectors_is_noticed_also_by_who_has_it_open(
    folder: Path, tmp_path: Path
) -> None:
    one = copied(folder, tmp_path / "one")
    opened = index.open_reader(one, encoder=WideEncoder())
    gone = engine.search(opened, Query("ship")).hits[0]
    assert opened.table().columns is not None
    with closing(catalog.open_catalog(one, write=True)) as writer:
        with catalog.transaction(writer):
            catalog_writer.drop_talk(writer, gone.talk_id)
        assert opened.table().columns is None
        assert gone.talk_id not in {hit.talk_id for hit in engine.search(opened, Query("ship", k=50)).hits}
        assert update.write(one, writer, 96)
        assert not update.write(one, writer, 96)
    assert opened.table().columns is not None
    assert gone.talk_id not in {hit.talk_id for hit in engine.search(opened, Query("ship", k=50)).hits}
    vectors.append(one, np.array([10**6]), np.ones((1, 96), np.float32))
    with closing(catalog.open_catalog(one)) as reader:
        assert columns.read(one, reader) is None


@pytest.mark.parametrize("damage", [lambda old: b"", lambda old: old[: len(old) // 2], lambda old: b"x" + old[1:]])
def test_a_damaged_file_is_passed_over(folder: Path, tmp_path: Path, damage: object) -> None:
    one = copied(folder, tmp_path / "one")
    index_layout.COLUMNS.within(one).write_bytes(damage(index_layout.COLUMNS.within(folder).read_bytes()))  # type: ignore[operator]
    with closing(catalog.open_catalog(one)) as reader:
        assert columns.read(one, reader) is None


def test_doctor_finds_and_mends_a_wrong_byte(folder: Path) -> None:
    path = index_layout.COLUMNS.within(folder)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    assert any("columns" in finding.what and finding.mended for finding in examine(folder))
    assert path.read_bytes() == right
    assert not any("columns" in finding.what for finding in examine(folder))


@pytest.mark.usefixtures("rounded")
def test_a_passage_without_a_vector_counts_the_same_but_for_rounding(folder: Path, tmp_path: Path) -> None:
    one = copied(folder, tmp_path / "one")
    whole = vectors.read(one, 96)
    half = np.arange(0, len(whole.numbers), 2)
    vectors.write_anew(one, 96, whole.numbers[half], whole.rows, half)
    with closing(catalog.open_catalog(one)) as reader:
        plain = index.open_reader(one, encoder=WideEncoder())
        expected = [engine.search(plain, Query(text)).hits for text in QUERIES]
        assert plain.table().columns is None
        assert update.write(one, reader, 96)
        found = [engine.search(plain, Query(text)).hits for text in QUERIES]
        assert plain.table().columns is not None
    for some, others in zip(found, expected, strict=True):
        scores, exact = ({hit.passage_id: hit.score for hit in hits} for hits in (some, others))
        both = scores.keys() & exact.keys()  # nearly equal scores may change places, the last ones with what is behind
        assert len(both) >= 0.8 * len(exact)
        assert [scores[passage] for passage in both] == pytest.approx([exact[passage] for passage in both], abs=0.05)


def test_what_ties_sentences_reads_the_same_words(folder: Path, db: sqlite3.Connection) -> None:
    quick = read_passage_table(folder, db, vectors.read(folder, 96))
    texts = [
        row[0] for row in db.execute("SELECT text FROM passages INDEXED BY passages_of_talk ORDER BY talk, number")
    ]
    holds = term_lookup(texts)
    for word in random.Random(2).sample(vocabulary(db), 100):
        assert quick.postings(word).tolist() == np.flatnonzero(holds(word)).tolist()
