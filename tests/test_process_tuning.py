"""What an engine that stays asks of the system."""

from __future__ import annotations

import platform
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from tiny import make_index

from talksearch.cli.pool import process_tuning
from talksearch.indexer import layout
from talksearch.indexer.stores import catalog

FAULTS = """
import resource
import numpy as np
from talksearch.cli.pool import process_tuning
if {keep}:
    process_tuning.keep_memory()
def work():
    several = [np.ones(1 << 17) for _ in range(8)]
for _ in range(3):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to keep memory")
def test_memory_is_kept_from_one_query_to_the_next() -> None:
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", FAULTS.format(keep=keep)], capture_output=True, check=True).stdout)
        for keep in (True, False)
    )
    assert kept < 100 < given_back


def test_products_take_one_thread() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        process_tuning.use_one_thread()
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}


FROZEN = """
import gc
from talksearch.cli.pool import process_tuning
before = len(gc.get_objects())
process_tuning.freeze_modules()
print(before, len(gc.get_objects()))
"""


def test_what_stays_is_not_searched_for_garbage() -> None:
    before, after = subprocess.run([sys.executable, "-c", FROZEN], capture_output=True, check=True).stdout.split()
    assert int(after) < int(before) / 10


def test_files_that_are_missing_are_passed_over(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"words")
    process_tuning.read_ahead([tmp_path / "missing", there])
    process_tuning.read_ahead([there])
    assert there.read_bytes() == b"words"


def test_the_log_of_a_catalog_that_is_open_here_stays_when_another_process_closes_it(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    with closing(catalog.open_catalog(index)) as db:
        db.execute("SELECT count(*) FROM talks").fetchone()
        process_tuning.tune(index)  # nothing in it may let go of the locks on the catalog
        writes = "import sys, pathlib\nfrom talksearch.indexer.stores import catalog\n"
        writes += "catalog.open_catalog(pathlib.Path(sys.argv[1]), write=True).close()"
        subprocess.run([sys.executable, "-c", writes, str(index)], check=True)
        assert layout.CATALOG_LOG.within(index).exists()
