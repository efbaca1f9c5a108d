"""Reading and embedding on other machines: a cluster of Ray with two workers on this one, reached as any other.

Its head is started once for the module, on loopback, with a token. Nothing of it is left when the tests end.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import WorkersError
from talksearch.indexer.pipeline import run
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.shipped_model import lay_out, shipped_model
from talksearch.indexer.stores import catalog, recipe, vectors

if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)
TOKEN = "c0ffee" * 10
TABLES = ("talks", "passages", "cues", "files")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a head with two workers. They have the cache of the tests, as every worker has one of its own."""
    if not Path("/proc").is_dir():
        pytest.skip("workers are found by way of /proc")
    folder = tempfile.mkdtemp(prefix="ts-", dir="/tmp")  # the paths of sockets must be short
    port = free_port()
    options = {
        "port": port,
        "ray-client-server-port": free_port(),
        "min-worker-port": 0,
        "max-worker-port": 0,
        "num-cpus": 2,
        "object-store-memory": 100_000_000,
        "include-dashboard": "false",
        "node-ip-address": "127.0.0.1",
        "temp-dir": folder,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", TOKEN)
        patch.setenv("RAY_worker_niceness", "0")
        try:
            subprocess.run(
                [
                    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head"),
                    *(f"--{name}={value}" for name, value in options.items()),
                ],
                capture_output=True,
                timeout=120,
                check=True,
            )
            yield f"127.0.0.1:{port}"
        finally:  # `ray stop` would end every Ray of this machine
            for process in processes(lambda arguments: folder in arguments):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            shutil.rmtree(folder, ignore_errors=True)


def processes(are_wanted: Callable[[str], bool]) -> list[int]:
    """The processes of this machine by how they were called, or call themselves since."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if are_wanted((process / "cmdline").read_bytes().decode(errors="replace")):
                    found.append(int(process.name))
    return found


def write_archive(folder: Path, talks: int = 10) -> Path:
    """Talks of several shapes with what lies around them: sidecars, recordings, tracks, a folder that gives a name."""
    folder.mkdir()
    for at in range(talks):
        lines = [
            f"The boat number {at} leaves harbour {at * line} at dawn and is home at {line}." for line in range(40)
        ]
        cues = "".join(f"{i}\n00:{i:02}:00,000 --> 00:{i:02}:50,000\n{line}\n\n" for i, line in enumerate(lines))
        (folder / f"talk {at:02}.srt").write_text(cues)
    (folder / "talk 00.info.json").write_text(json.dumps({"title": "Boats", "channel": "Harbour", "duration": 2400}))
    (folder / "talk 01.mp4").write_bytes(b"")
    (folder / "talk 02.en.vtt").write_text(
        "WEBVTT\n\n00:00.000 --> 00:09.000\nNobody goes out when the wind is north.\n"
    )
    (folder / "talk 02.de.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:09.000\nBei Nordwind fährt niemand hinaus.\n")
    (folder / "Old boats").mkdir()
    (folder / "Old boats" / "transcript.txt").write_text(
        "Ships went out in the morning. They came home at night. " * 40
    )
    (folder / "empty.srt").write_text("")
    (folder / "broken.vtt").write_text("WEBVTT\n\nno times here at all")
    return folder


def rows_of(index: Path) -> dict[str, list[Any]]:
    """All that a catalog says of talks, but for what is counted by the run."""
    with closing(catalog.open_catalog(index)) as db:
        db.row_factory = None
        return {table: sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES}


def vectors_of(index: Path) -> dict[str, Floats]:
    known = recipe.read(index)
    assert known is not None
    copy = vectors.read(index, known.model.dimension)
    with closing(catalog.open_catalog(index)) as db:
        ids = dict(db.execute("SELECT number, id FROM passages"))
    return {ids[int(number)]: copy.rows[row] for row, number in enumerate(copy.numbers)}


def told(report: Report) -> dict[str, Any]:
    return {
        name: value
        for name in (
            "added",
            "replaced",
            "kept",
            "dropped",
            "duplicates",
            "tracks",
            "skipped",
            "other_files",
            "repairs",
        )
        if (value := getattr(report, name)) is not None
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Report]:
    """An archive, and its index as one machine makes it."""
    base = tmp_path_factory.mktemp("alone")
    archive = write_archive(base / "talks")
    return archive, base / "index", run.build_index(base / "index", archive)


def assert_same(index: Path, report: Report, alone: tuple[Path, Path, Report]) -> None:
    assert told(report) == told(alone[2])
    assert rows_of(index) == rows_of(alone[1])
    made, expected = vectors_of(index), vectors_of(alone[1])
    assert made.keys() == expected.keys()
    # Where this machine alone would take OpenVINO in bfloat16, workers run the same model in floats.
    assert min(float(np.dot(made[id_], expected[id_])) for id_ in made) > 1 - 1e-3


@contextmanager
def killing_one(task: str) -> Iterator[list[int]]:
    """Kill the first process that is seen at a task; yield what holds its number then."""
    killed: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not killed and not done.wait(0.005):
            for process in processes(lambda called: called.startswith(f"ray::{task}"))[:1]:
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("task", ["_read", "_encode"])
def test_a_worker_that_is_killed_costs_its_work_again_and_the_index_is_what_one_machine_makes(
    tmp_path: Path, cluster: str, alone: tuple[Path, Path, Report], task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from talksearch.indexer.pipeline import ray_workers

    monkeypatch.setattr(ray_workers, "_TEXTS", 8)  # so that there are several tasks
    phases = []
    with killing_one(task) as killed:
        report = run.build_index(
            tmp_path / "index", alone[0], workers=cluster, tell=lambda progress: phases.append(progress.phase)
        )
    assert killed
    assert_same(tmp_path / "index", report, alone)
    assert [phase for at, phase in enumerate(phases) if phase not in phases[:at]] == ["looking", "reading", "embedding"]


def test_what_ends_workers_again_and_again_is_a_line_of_the_report_and_costs_nothing_else(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from talksearch.indexer.pipeline import ray_workers

    # A function inside one: a worker gets it whole, as it cannot import this file.
    def read(group: Any, *arguments: Any) -> Any:
        name = group.files[0].path
        if name.endswith("talk 01.srt"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.endswith("talk 02.srt"):
            raise MemoryError
        from talksearch.indexer.pipeline.ray_workers import _read

        return _read(group, *arguments)

    monkeypatch.setattr(ray_workers, "_READ", ray_workers.ray.remote(num_cpus=1, max_retries=0)(read))
    archive = write_archive(tmp_path / "talks", 4)
    report = run.build_index(tmp_path / "index", archive, workers=cluster)
    problems = {Path(file.path).name: file.reason for file in report.skipped}
    assert problems["talk 01.srt"] == (
        "3 workers ended over it; they may have run out of memory. It is tried again in the next run."
    )
    assert problems["talk 02.srt"] == "A worker failed (MemoryError: MemoryError). It is tried again in the next run."
    assert len(report.added) == 4
    assert report.embedded > 0
    again = run.build_index(tmp_path / "index", archive)
    assert len(again.added) == 2
    assert len(again.kept) == 4


def test_workers_with_another_version_are_told_apart_in_a_sentence(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from talksearch.indexer.pipeline import ray_workers

    monkeypatch.setattr(ray_workers, "_about", lambda: ray_workers._About("3.99", "0.0.1"))
    with pytest.raises(WorkersError, match=r"has talksearch \S+ on Python \S+, and this machine talksearch 0\.0\.1 on"):
        run.build_index(tmp_path / "index", tmp_path, workers=cluster)


@pytest.mark.parametrize(
    "address", ["http://head:80", "ray://", "ray://head", "head", "ray://head:10001/x", "ray:// x:1"]
)
def test_what_is_no_address_is_said_to_be_none(tmp_path: Path, address: str) -> None:
    with pytest.raises(WorkersError, match="is no address of workers"):
        run.build_index(tmp_path / "index", tmp_path, workers=address)


def test_where_nobody_listens_it_is_said_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(WorkersError, match=r"cannot be reached: Connection refused\."):
        run.build_index(tmp_path / "index", tmp_path, workers=f"ray://127.0.0.1:{free_port()}")
    assert time.monotonic() - started < 20, "Ray by itself waits for half a minute"
    assert not (tmp_path / "index").exists()


def test_without_ray_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "talksearch.indexer.pipeline.ray_workers", raising=False)
    with pytest.raises(WorkersError, match=r"needs Ray, which is not installed") as caught:
        run.build_index(tmp_path / "index", tmp_path, workers="ray")
    assert caught.value.hint == 'Install it: pip install "talksearch[distributed]"'


def test_a_model_that_is_no_onnx_is_not_shipped() -> None:
    with pytest.raises(WorkersError, match="cannot be shipped to workers"):
        shipped_model(CountingEncoder(), None)


def test_files_that_were_shipped_are_laid_out_once_and_anew_where_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path))
    fetched = []

    def fetch() -> dict[str, bytes]:
        fetched.append(1)
        return {"model.onnx": b"abc", "../../tokenizer.json": b"def"}

    folder = lay_out("d1", fetch)
    assert lay_out("d1", fetch) == folder
    assert len(fetched) == 1
    assert sorted(file.name for file in folder.iterdir()) == ["checksums.json", "model.onnx", "tokenizer.json"]
    left, begun = folder.parent / "left.new", folder.parent / "begun.new"
    for unfinished in (left, begun):
        unfinished.mkdir()
    os.utime(left, (0, 0))  # a worker was ended long ago; another one is at work
    (folder / "model.onnx").write_bytes(b"ab")
    assert (lay_out("d1", fetch) / "model.onnx").read_bytes() == b"abc"
    assert len(fetched) == 2
    assert sorted(path.name for path in folder.parent.iterdir()) == ["begun.new", "d1"]


def test_ray_tells_nobody_that_it_is_used() -> None:
    code = (
        "import os, talksearch.indexer\nfrom ray._common.usage.usage_lib import usage_stats_enabled\n"
        "print(os.environ['RAY_USAGE_STATS_ENABLED'], usage_stats_enabled())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "False"]
