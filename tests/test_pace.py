"""The pace of an indexing run, by which a search says when all vectors are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.indexer import layout
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import pace


def test_a_pace_that_was_written_down_is_read(tmp_path: Path) -> None:
    assert pace.read(tmp_path) is None
    pace.write(tmp_path, 40.0, 1024)
    assert pace.read(tmp_path) == 40.0
    pace.forget(tmp_path)
    pace.forget(tmp_path)
    assert pace.read(tmp_path) is None
    pace.begin(tmp_path)
    assert pace.read(tmp_path) == 0.0


@pytest.mark.parametrize(("window", "age_s", "known"), [(10, 100, True), (10, 130, False), (1000, 130, True)])
def test_a_run_that_says_nothing_for_long_has_ended(tmp_path: Path, window: int, age_s: float, known: bool) -> None:
    pace.write(tmp_path, 10.0, window)
    path = layout.PACE.within(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "at": time.time() - age_s}))
    assert (pace.read(tmp_path) is not None) == known


@pytest.mark.skipif(os.name != "posix", reason="asks the system for a process as POSIX systems tell of it")
def test_a_run_that_was_killed_makes_no_more_vectors(tmp_path: Path) -> None:
    pace.begin(tmp_path)
    path = layout.PACE.within(tmp_path)
    written = json.loads(path.read_text())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path.write_text(json.dumps({**written, "process": ended.pid}))
    assert pace.read(tmp_path) is None
    path.write_text(json.dumps({**written, "process": ended.pid, "host": "another"}))
    assert pace.read(tmp_path) == 0.0
    for process in (10**30, -1, "1", None):
        path.write_text(json.dumps({**written, "process": process}))
        pace.read(tmp_path)  # a file of somebody else stops no search


@pytest.mark.parametrize("content", ["", "{", "[]", '{"passages_per_s": -1, "window": 1, "at": 0}', '{"window": "x"}'])
def test_a_damaged_file_says_nothing(tmp_path: Path, content: str) -> None:
    layout.PACE.within(tmp_path).write_text(content)
    assert pace.read(tmp_path) is None


def test_a_run_writes_its_pace_with_every_window_and_forgets_it_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_talk(tmp_path / "talks", "bees", ["every bee knows rain " * 10, "the bee comes home " * 10])
    monkeypatch.setattr(embed_pending, "WINDOW", 2)
    seen: list[float | None] = []
    build_index(
        tmp_path / "index",
        [tmp_path / "talks"],
        encoder=CountingEncoder(),
        tell=lambda progress: seen.append(pace.read(tmp_path / "index")) if progress.phase == "embedding" else None,
    )
    assert seen[0] is None
    assert seen[-1] is not None
    assert seen[-1] > 0, "at first it was not known"
    assert not layout.PACE.within(tmp_path / "index").exists()


def test_a_run_that_fails_forgets_it_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_talk(tmp_path / "talks", "bees", ["every bee knows rain " * 10, "the bee comes home " * 10])
    monkeypatch.setattr(embed_pending, "WINDOW", 1)

    class Failing(CountingEncoder):
        def encode_passages(self, texts):  # type: ignore[no-untyped-def]
            if len(self.seen) > 1:
                raise TalksearchError("It broke.", "")
            return super().encode_passages(texts)

    with pytest.raises(TalksearchError, match="It broke"):
        build_index(tmp_path / "index", [tmp_path / "talks"], encoder=Failing())
    assert not layout.PACE.within(tmp_path / "index").exists()
