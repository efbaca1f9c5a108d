"""What the system says when it does not write a file, as sentences."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from trials import trials

from talksearch.indexer import disk
from talksearch.indexer.errors import BadIndexError, DamagedStoreError, DiskError, DiskFullError
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores.chroma import store
from talksearch.search import current


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_one_kind_of_sentence(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(DiskFullError, match=f"^The disk of {tmp_path} is full: ") as error,
        disk.refusals_told(tmp_path),
    ):
        raise OSError(number, os.strerror(number))
    assert error.value.hint


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO, errno.EMFILE])
def test_what_else_the_system_refuses_is_told_as_what_it_is(tmp_path: Path, number: int) -> None:
    with pytest.raises(DiskError, match=os.strerror(number)) as error, disk.refusals_told(tmp_path):
        raise OSError(number, os.strerror(number), str(tmp_path / "file"))
    assert not isinstance(error.value, DiskFullError)
    assert str(tmp_path / "file") in error.value.message


def test_a_defect_is_not_taken_for_the_disk(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), disk.refusals_told(tmp_path):
        sqlite3.connect(":memory:").execute("SELECT 1 FROM nowhere")
    with pytest.raises(BrokenPipeError), disk.refusals_told(tmp_path):
        raise BrokenPipeError(errno.EPIPE, "gone")


def test_sqlite_says_when_it_is_full_and_nothing_is_half_done(tmp_path: Path) -> None:
    with closing(catalog.open_catalog(tmp_path, write=True)) as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFullError), disk.refusals_told(tmp_path), catalog.transaction(db):
            db.executemany("INSERT INTO common VALUES (?)", ((f"term{number}" * 50,) for number in range(1_000)))
        assert not db.in_transaction
        assert db.execute("SELECT count(*) FROM common").fetchone() == (0,)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("error returned from database: (code: 13) database or disk is full", DiskFullError),
        ("Error persisting: No space left on device (os error 28)", DiskFullError),
        ("error returned from database: (code: 778) disk I/O error", DiskError),
        ("error returned from database: (code: 11) database disk image is malformed", DamagedStoreError),
        ("error returned from database: (code: 5) database is locked", BadIndexError),
    ],
)
def test_chroma_s_words_for_no_room_are_no_damage(tmp_path: Path, said: str, kind: type[Exception]) -> None:
    assert type(store.unusable(tmp_path, said)) is kind


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root mounts")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield small
    subprocess.run(["umount", small], check=True)


def test_columns_are_never_written_where_there_is_no_room(small_disk: Path) -> None:
    """A mapping over a hole would end the process by a signal."""
    code = (
        "from talksearch.indexer.stores.columns import build\n"
        f"with open({str(small_disk / 'columns.bin.new')!r}, 'w+b') as file:\n"
        "    try:\n"
        "        build._allocate(file, 4 << 20)\n"
        "    except OSError as error:\n"
        "        print(error.strerror, error.filename)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == f"No space left on device {small_disk / 'columns.bin.new'}\n"


def test_a_catalog_is_read_where_there_is_room_for_nothing_and_what_changes_it_later_shows(small_disk: Path) -> None:
    """SQLite wants 32 kB beside it to read a catalog of which nobody has a log."""
    catalog.open_catalog(small_disk, write=True).close()
    filler = small_disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with closing(catalog.open_catalog(small_disk)) as db:
        assert catalog.counts(db).talks == 0
        before = current._version(small_disk, db)
        filler.unlink()
        with closing(catalog.open_catalog(small_disk, write=True)) as writer:
            writer.execute("INSERT INTO common VALUES ('the')")
            assert current._version(small_disk, db) != before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_where_no_file_may_grow_further_a_run_says_so_and_the_next_one_finishes(tmp_path: Path) -> None:
    made = trials("limited", tmp_path)
    assert {name: wrong for name, wrong in made.items() if wrong} == {}
