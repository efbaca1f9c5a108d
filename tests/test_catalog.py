from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import put_talk

from talksearch.indexer import layout
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.records import Chapter, Cue, Passage, Receipt, Step, Talk, Word
from talksearch.indexer.stores import catalog, catalog_talks, catalog_writer, stop_terms

CUES = (
    Cue(0, 1_000, "so it goes", "Ann", True, (Word("so", 0), Word("it", 400), Word("goes", 600))),
    Cue(1_000, 2_000, "on and on"),
)
TALK = Talk(
    id="abc",
    source="a/b.vtt",
    title="A title",
    cues=CUES,
    format="vtt",
    timing="estimated",
    margin_ms=9_000,
    origin="human",
    youtube_id="DTcRLlMv4_o",
    url="https://x/y",
    channel="Ch",
    speaker="Ann",
    language="en",
    date="2024-05-06",
    duration_ms=2_000,
    description="About",
    chapters=(Chapter(0, "One"),),
    receipt=Receipt(9, 6, (Step("repair-text", "title", {"edits": [1]}),), ("?",)),
)


def passage(id_: str, text: str = "so it goes") -> Passage:
    return Passage(id_, "abc", 0, 2_000, 0, 1, text, ("Ann",))


def put(db: sqlite3.Connection, talk: Talk, *passages: Passage) -> None:
    with catalog.transaction(db):
        put_talk(db, "/x/b.vtt", talk, passages)


def embedded(db: sqlite3.Connection) -> dict[str, int]:
    return dict(db.execute("SELECT id, number FROM passages ORDER BY id"))


def test_a_talk_comes_back_as_it_was_put(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put(db, TALK, passage("abc:1"))
    assert catalog_talks.read_talk(db, "abc") == TALK
    assert catalog_talks.read_cues(db, "abc", 1, 1) == CUES[1:]
    assert list(catalog_talks.read_talks(db)) == [replace(TALK, cues=())]


def test_an_unchanged_passage_keeps_its_number_and_a_changed_one_goes(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put(db, TALK, passage("abc:1"), passage("abc:2", "on and on"))
    before = embedded(db)
    put(db, replace(TALK, title="Another"), passage("abc:1"), passage("abc:3", "and off"))
    after = embedded(db)
    assert catalog.leaving(db) == {before["abc:2"]: "abc:2"}
    assert after["abc:1"] == before["abc:1"]
    assert after["abc:3"] > max(before.values())
    assert [row[0] for row in db.execute("SELECT rowid FROM words ORDER BY rowid")] == sorted(after.values())


def test_dropping_leaves_nothing(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put(db, TALK, passage("abc:1"))
    with catalog.transaction(db):
        catalog_writer.drop_talk(db, "abc")
    assert list(catalog.leaving(db).values()) == ["abc:1"]  # but what the Chroma store still has
    for table in ("talks", "cues", "passages", "words"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put(db, TALK, passage("abc:1"))
    first = embedded(db)["abc:1"]
    with catalog.transaction(db):
        catalog_writer.drop_talk(db, "abc")
    put(db, TALK, passage("abc:1"))
    assert embedded(db)["abc:1"] > first


def test_a_failed_transaction_leaves_everything_as_it_was(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put(db, TALK, passage("abc:1"))

    def fail_half_way() -> None:
        with catalog.transaction(db):
            catalog_writer.drop_talk(db, "abc")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert catalog_talks.read_talk(db, "abc") == TALK


def test_common_terms_are_those_that_stand_nearly_everywhere(tmp_path: Path) -> None:
    db = catalog.open_catalog(tmp_path, write=True)
    put(db, TALK, *(passage(f"abc:{n}", f"the word{n}" + (" rare" if n == 0 else "")) for n in range(30)))
    stop_terms.update_stop_terms(db)
    assert [row[0] for row in db.execute("SELECT term FROM common")] == ["the"]


def test_a_reader_cannot_write_and_a_missing_index_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadIndexError) as error:
        catalog.open_catalog(tmp_path)
    assert "talksearch index" in error.value.hint
    catalog.open_catalog(tmp_path, write=True).close()
    with pytest.raises(sqlite3.OperationalError):
        catalog.open_catalog(tmp_path).execute("DELETE FROM talks")


def test_a_damaged_catalog_is_reported(tmp_path: Path) -> None:
    layout.CATALOG.within(tmp_path).write_bytes(b"not a database, surely not one at all" * 10)
    with pytest.raises(BadIndexError):
        catalog.open_catalog(tmp_path)


def read_only(folder: Path) -> Path:
    """Make a catalog, and make it impossible for SQLite to leave anything beside it, for whoever it runs as."""
    db = catalog.open_catalog(folder, write=True)
    put(db, TALK, passage("abc:1"))
    db.close()
    (folder / f"{layout.CATALOG.name}-shm").mkdir()
    return folder


def test_a_catalog_beside_which_nothing_can_be_written_can_be_read(tmp_path: Path) -> None:
    db = catalog.open_catalog(read_only(tmp_path))
    assert catalog_talks.read_talk(db, "abc") == TALK
    db.close()


def test_what_a_log_beside_it_may_hold_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, options: str) -> None:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        assert "immutable" not in options
        raise error

    (read_only(tmp_path) / f"{layout.CATALOG.name}-wal").write_bytes(b"?" * 64)
    monkeypatch.setattr(catalog, "_connect", refuse)
    with pytest.raises(BadIndexError, match="cannot be read") as caught:
        catalog.open_catalog(tmp_path)
    assert "--rebuild" not in caught.value.hint


def test_a_catalog_that_cannot_be_written_need_not_be_built_again(tmp_path: Path) -> None:
    layout.CATALOG.within(tmp_path).mkdir()  # refused to whoever it runs as
    with pytest.raises(BadIndexError, match="is not a file") as caught:
        catalog.open_catalog(tmp_path, write=True)
    assert "--rebuild" not in caught.value.hint
