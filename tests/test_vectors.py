from __future__ import annotations

from pathlib import Path

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.stores import vectors


def numbers(*values: int) -> Ints:
    return np.array(values, np.int64)


def rows(*values: float) -> Floats:
    return np.array([[value, value + 0.5] for value in values], np.float32)


def test_nothing_there(tmp_path: Path) -> None:
    copy = vectors.read(tmp_path, 2)
    assert copy.rows.shape == (0, 2)
    assert copy.find(numbers(1, 2)).tolist() == [-1, -1]


def test_what_was_appended_is_found(tmp_path: Path) -> None:
    vectors.append(tmp_path, numbers(7, 3), rows(7, 3))
    vectors.append(tmp_path, numbers(9), rows(9))
    copy = vectors.read(tmp_path, 2)
    assert copy.find(numbers(3, 4, 9)).tolist() == [1, -1, 2]
    assert copy.rows.tolist() == rows(7, 3, 9).tolist()


def test_the_later_of_two_wins(tmp_path: Path) -> None:
    vectors.append(tmp_path, numbers(7, 3, 7), rows(1, 2, 3))
    assert vectors.read(tmp_path, 2).find(numbers(7)).tolist() == [2]


def test_a_torn_record_is_passed_over_and_then_overwritten(tmp_path: Path) -> None:
    vectors.append(tmp_path, numbers(1), rows(1))
    with layout.VECTORS.within(tmp_path).open("ab") as file:
        file.write(b"torn")
    assert vectors.read(tmp_path, 2).numbers.tolist() == [1]
    vectors.append(tmp_path, numbers(2), rows(2))
    copy = vectors.read(tmp_path, 2)
    assert (copy.numbers.tolist(), copy.rows.tolist()) == ([1, 2], rows(1, 2).tolist())


def test_compacting_keeps_what_is_alive_and_who_reads_keeps_reading(tmp_path: Path) -> None:
    vectors.append(tmp_path, numbers(1, 2, 3, 2), rows(1, 2, 3, 4))
    before = vectors.read(tmp_path, 2)
    assert vectors.compact(tmp_path, 2, {2}) == 3
    after = vectors.read(tmp_path, 2)
    assert (after.numbers.tolist(), after.rows.tolist()) == ([2], rows(4).tolist())
    assert before.rows.tolist() == rows(1, 2, 3, 4).tolist()


def test_a_few_dead_records_are_left_alone(tmp_path: Path) -> None:
    vectors.append(tmp_path, numbers(1, 2, 3, 4, 5), rows(1, 2, 3, 4, 5))
    assert vectors.compact(tmp_path, 2, {1, 2, 3, 4}) == 0
    assert len(vectors.read(tmp_path, 2).numbers) == 5


def test_rows_are_the_same_read_from_the_file_and_mapped(tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(50, 6)).astype(np.float32)
    vectors.append(tmp_path, np.arange(50) * 3, rows)
    at = np.array([7, 0, 49, 7])
    for once in (False, True):
        copy = vectors.read(tmp_path, 6, once=once)
        assert np.array_equal(copy.take(at), rows[at])
        assert copy.take(np.empty(0, np.int64)).shape == (0, 6)
    assert vectors.read(tmp_path, 6, once=True).file, "else the test compares the mapping with itself"
