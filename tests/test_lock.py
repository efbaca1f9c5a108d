from __future__ import annotations

from pathlib import Path

import pytest

from talksearch.indexer.errors import LockedError, TalksearchError
from talksearch.indexer.stores.lock import index_write_lock


def test_one_writes_at_a_time_and_the_other_hears_who(tmp_path: Path) -> None:
    with index_write_lock(tmp_path), pytest.raises(LockedError, match=r"\(process \d+ on "), index_write_lock(tmp_path):
        pass
    with index_write_lock(tmp_path):
        pass
    assert not (tmp_path / "lock.holder").exists()


@pytest.mark.parametrize("name", ["lock", "lock.holder"])
def test_what_cannot_be_written_is_said_in_a_sentence_and_stays_free(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(TalksearchError, match="cannot be written"), index_write_lock(tmp_path):
        pass
    (tmp_path / name).rmdir()
    with index_write_lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TalksearchError, match="cannot be written"), index_write_lock(tmp_path / "file" / "index"):
        pass


def test_what_goes_wrong_inside_is_not_taken_for_the_lock(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), index_write_lock(tmp_path):
        raise OSError("full")
    with index_write_lock(tmp_path):
        pass


def test_a_new_index_is_its_owners_alone_and_who_shares_it_is_not_overruled(tmp_path: Path) -> None:
    index = tmp_path / "above" / "index"
    with index_write_lock(index):
        assert index.stat().st_mode & 0o777 == 0o700
    index.chmod(0o755)
    with index_write_lock(index):
        assert index.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o750), (0o2775, 0o2770), (0o700, 0o700)])
def test_an_empty_folder_that_was_made_for_an_index_is_not_for_everybody(
    tmp_path: Path, before: int, after: int
) -> None:
    index = tmp_path / "index"
    index.mkdir()
    index.chmod(before)
    with index_write_lock(index):
        assert index.stat().st_mode & 0o7777 == after
    index.chmod(before)
    with index_write_lock(index):
        assert index.stat().st_mode & 0o7777 == before, "who shares an index has said so"
