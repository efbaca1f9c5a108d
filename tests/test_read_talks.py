from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from fakes import CountingEncoder

from talksearch.indexer.encoders import default_model
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.pipeline import read_talks, run, update_index
from talksearch.indexer.pipeline.plan import Group, make_plan
from talksearch.indexer.pipeline.read_talks import TalkResult
from talksearch.indexer.pipeline.report import Progress
from talksearch.indexer.pipeline.scan import identity_of, scan_file
from talksearch.indexer.pipeline.sizing import PassageSizer
from talksearch.indexer.stores import catalog
from talksearch.indexer.worker import WorkerProcess


def write(folder: Path, count: int) -> Path:
    folder.mkdir()
    for at in range(count):
        words = " ".join(f"word{at} again{line}" for line in range(40))
        (folder / f"talk {at:02}.srt").write_text(f"1\n00:00:01,000 --> 00:01:00,000\n{words}\n")
    (folder / "a typed one.txt").write_text("Ships go out in the morning. They come home at night. " * 30)
    return folder


def groups_of(folder: Path) -> tuple[Group, ...]:
    now = {str(path): scan_file(path, path.name, None) for path in sorted(folder.iterdir())}
    return make_plan({}, now, identity_of).read


def sizer() -> PassageSizer:
    return PassageSizer(Splitting(), 200, default_model.default_folder() / "tokenizer.json")


@pytest.mark.parametrize("processes", [2, 3])
def test_what_is_read_and_its_order_do_not_depend_on_how_many_read(tmp_path: Path, processes: int) -> None:
    groups = groups_of(write(tmp_path / "talks", 6))
    alone = list(read_talks.read_groups(groups, sizer(), 1))
    assert list(read_talks.read_groups(groups, sizer(), processes)) == alone
    assert [read.file_rows[0].path for read in alone] == [group.files[0].path for group in groups]
    assert sum(len(read.talk_rows.passages) for read in alone if read.talk_rows) > 6


def test_a_process_that_ends_over_a_talk_costs_that_talk_and_another_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = groups_of(write(tmp_path / "talks", 6))
    alone = list(read_talks.read_groups(groups, sizer(), 1))
    bad = groups[2].files[0].path
    ask = read_talks._ask

    def killed(worker: WorkerProcess, group: Group) -> TalkResult | None:
        if group.files[0].path == bad:
            assert worker.process.pid
            os.kill(worker.process.pid, signal.SIGKILL)
            time.sleep(0.1)
        return ask(worker, group)

    monkeypatch.setattr(read_talks, "_ask", killed)
    found = list(read_talks.read_groups(groups, sizer(), 2))
    assert [read for at, read in enumerate(found) if at != 2] == [read for at, read in enumerate(alone) if at != 2]
    assert found[2].lost
    assert found[2].talk_rows is None
    assert found[2].file_rows == []  # so the next run reads it
    assert "memory" in found[2].skipped[0].reason


def test_where_no_process_can_be_started_this_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = groups_of(write(tmp_path / "talks", 3))
    monkeypatch.setattr(read_talks, "start_worker", lambda *_: None)
    assert list(read_talks.read_groups(groups, sizer(), 2)) == list(read_talks.read_groups(groups, sizer(), 1))


def test_whoever_stops_asking_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[WorkerProcess] = []
    start = read_talks.start_worker

    def noted(*given: Any) -> WorkerProcess | None:
        worker = start(*given)
        if worker:
            started.append(worker)
        return worker

    monkeypatch.setattr(read_talks, "start_worker", noted)
    reads = read_talks.read_groups(groups_of(write(tmp_path / "talks", 6)), sizer(), 2)
    next(reads)
    reads.close()  # type: ignore[attr-defined]
    assert started
    assert not any(worker.process.is_alive() for worker in started)


def test_an_index_is_the_same_however_many_read(tmp_path: Path) -> None:
    talks = write(tmp_path / "talks", 5)
    contents = []
    for processes in (1, 2):
        folder = tmp_path / f"index {processes}"
        with pytest.raises(StopIteration):  # words are searchable; no model is needed to see it
            run.build_index(folder, [talks], processes=processes, tell=stop_before_embedding)
        with catalog.open_catalog(folder) as db:
            contents.append([db.execute(f"SELECT * FROM {name}").fetchall() for name in ("passages", "cues", "files")])
    assert contents[0] == contents[1]
    assert contents[0][0]


def stop_before_embedding(progress: Progress) -> None:
    if progress.phase == "embedding":
        raise StopIteration


def test_a_talk_that_is_lost_stays_as_it_was_and_is_read_the_next_time(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = write(tmp_path / "talks", 2)
    run.build_index(index, [talks], encoder=CountingEncoder())
    changed = talks / "talk 00.srt"
    changed.write_text(changed.read_text().replace("word0", "bread"))
    with monkeypatch.context() as patched:
        patched.setattr(
            update_index, "read_groups", lambda groups, *_: (read_talks.lost_talk(group) for group in groups)
        )
        report = run.build_index(index, [talks], encoder=CountingEncoder())
    assert (report.dropped, report.replaced, len(report.kept)) == ([], [], 3)
    assert "next run" in report.skipped[0].reason
    with catalog.open_catalog(index) as db:
        assert db.execute("SELECT count(*) FROM passages WHERE text LIKE '%word0 %'").fetchone()[0]
    assert len(run.build_index(index, [talks], encoder=CountingEncoder()).replaced) == 1


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"
