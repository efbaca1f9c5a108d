"""PATHs on other machines: an S3 and a web server on loopback, and what fsspec keeps in memory."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from buckets import make_bucket, s3_service
from click.testing import CliRunner
from fakes import CountingEncoder

from talksearch.cli.main import cli
from talksearch.indexer import mirrors
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.pipeline import run
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.stores import catalog

fsspec = pytest.importorskip("fsspec")
fsspec_registry = sys.modules["fsspec.registry"]._registry  # type: ignore[attr-defined]
VTT = "WEBVTT\n\n00:00.000 --> 00:09.000\nNobody goes out when the wind is north, said {who}.\n"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies lie in the data folder of the test."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_: str(tmp_path / "data"))
    return tmp_path / "data"


class Far:
    """A folder on another machine that a test writes into."""

    def __init__(self, address: str, put: Callable[[str, bytes], None], drop: Callable[[str], None]) -> None:
        self.address, self.put, self.drop = address, put, drop


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    pytest.importorskip("s3fs")
    with s3_service() as (service, _):
        yield service


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["s3", "http", "memory"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    if request.param == "memory":
        service = fsspec.filesystem("memory")
        root = f"/{tmp_path.name}"
        yield Far(
            f"memory:/{root}",
            lambda place, data: service.pipe_file(f"{root}/{place}", data),
            lambda place: service.rm(f"{root}/{place}"),
        )
        with suppress(FileNotFoundError):
            service.rm(root, recursive=True)
    elif request.param == "s3":
        server, bucket = request.getfixturevalue("s3"), tmp_path.name.replace("_", "-").strip("-").lower()
        make_bucket(server, bucket)
        yield Far(
            f"s3://{bucket}/talks",
            lambda place, data: fsspec.filesystem("s3").pipe_file(f"{bucket}/talks/{place}", data),
            lambda place: fsspec.filesystem("s3").rm_file(f"{bucket}/talks/{place}"),
        )
    else:
        site = tmp_path / "site"

        def put(place: str, data: bytes) -> None:
            (site / "talks" / place).parent.mkdir(parents=True, exist_ok=True)
            (site / "talks" / place).write_bytes(data)

        put(".hidden", b"")
        handler = functools.partial(Quiet, directory=str(site))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield Far(
                f"http://127.0.0.1:{server.server_port}/talks",
                put,
                lambda place: (site / "talks" / place).unlink(),
            )
            server.shutdown()


def index(folder: Path, *paths: str | Path) -> Report:
    return run.build_index(folder, list(paths), encoder=CountingEncoder())


def sources(folder: Path) -> dict[str, str]:
    """The talks of an index by where they lie, with what is said in each."""
    with catalog.open_snapshot(folder) as db:
        rows = db.execute(
            "SELECT talks.source, passages.text FROM talks JOIN passages ON passages.talk = talks.number"
            " WHERE passages.field = 'speech'"
        )
        return dict(rows)


def fill(far: Far) -> None:
    far.put("wind.vtt", VTT.format(who="Ana").encode())
    far.put("2024/a second.vtt", VTT.format(who="Ben").encode())
    far.put("2024/a second.info.json", b'{"title": "The second", "channel": "Harbour"}')
    far.put("film.mp4", b"\0" * 100)
    far.put("empty.srt", b"")


def test_a_folder_on_another_machine_is_indexed_as_one_of_this_machine(tmp_path: Path, far: Far) -> None:
    fill(far)
    report = index(tmp_path / "index", f"{far.address}/")
    assert len(report.added) == 2, report.skipped
    assert [(file.path, file.reason) for file in report.skipped] == [(f"{far.address}/empty.srt", "The file is empty.")]
    found = sources(tmp_path / "index")
    assert sorted(found) == ["2024/a second.vtt", "wind.vtt"]
    with catalog.open_snapshot(tmp_path / "index") as db:
        assert db.execute("SELECT title, channel FROM talks WHERE source LIKE '2024%'").fetchone() == (
            "The second",
            "Harbour",
        )
    copied = sorted(path.name for path in mirrors.folder_of(far.address).rglob("*") if path.is_file())
    assert copied == [".mirror.json", "a second.info.json", "a second.vtt", "empty.srt", "wind.vtt"]

    # Without a PATH it is looked at again: what changed is read, what is gone there is dropped here, and no more.
    again = index(tmp_path / "index")
    assert (len(again.kept), again.added, again.replaced, again.dropped, again.embedded) == (2, [], [], [], 0)
    far.put("wind.vtt", VTT.format(who="Cleo, later").encode())
    far.drop("2024/a second.vtt")
    far.put("third.vtt", VTT.format(who="Dora").encode())
    changed = index(tmp_path / "index")
    assert (len(changed.added), len(changed.replaced), len(changed.dropped)) == (1, 1, 1)
    assert "Cleo" in sources(tmp_path / "index")["wind.vtt"]


def test_what_is_out_of_reach_is_held_and_never_dropped(
    tmp_path: Path, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(far)
    write = tmp_path / "here"
    write.mkdir()
    (write / "local.vtt").write_text(VTT.format(who="Eve"))
    index(tmp_path / "index", far.address, write)
    real = mirrors._service

    class Gone:
        def __getattr__(self, name: str) -> object:
            if name == "ls":
                raise OSError("the line is dead")
            return getattr(real(far.address), name)

    monkeypatch.setattr(mirrors, "_service", lambda _: Gone())
    report = index(tmp_path / "index")
    assert report.dropped == []
    assert sorted(sources(tmp_path / "index")) == ["2024/a second.vtt", "local.vtt", "wind.vtt"]
    assert {talk.root for talk in report.held} == {far.address}
    assert {talk.reason for talk in report.held} == {f"{far.address} cannot be reached: the line is dead."}
    rebuilt = run.build_index(tmp_path / "index", rebuild=True, encoder=CountingEncoder())
    assert len(rebuilt.added) == 3
    assert rebuilt.notes == [
        f"{far.address} cannot be reached: the line is dead. Its talks were read from the copy that was made before."
    ]
    with pytest.raises(TalksearchError, match="cannot be reached: the line is dead") as caught:
        index(tmp_path / "index", far.address)
    assert caught.value.hint == "Nothing was changed: what the index holds of it stays."


def test_a_folder_that_is_suddenly_empty_is_held_as_well(tmp_path: Path, far: Far) -> None:
    far.put("wind.vtt", VTT.format(who="Ana").encode())
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "local.vtt").write_text(VTT.format(who="Eve"))
    index(tmp_path / "index", far.address, tmp_path / "here")
    far.drop("wind.vtt")
    report = index(tmp_path / "index")
    assert report.dropped == []
    assert len(report.held) == 1


def test_a_path_that_was_never_there_is_said_to_be_none(tmp_path: Path, far: Far) -> None:
    far.put("other/wind.vtt", VTT.format(who="Ana").encode())
    with pytest.raises(
        TalksearchError, match=r"cannot be reached: there is no such folder|says that nothing lies in it"
    ):
        index(tmp_path / "index", f"{far.address}/missing")


def test_it_is_known_and_forgotten_by_its_address(tmp_path: Path, far: Far) -> None:
    fill(far)
    index(tmp_path / "index", far.address)
    at = ["--index", str(tmp_path / "index")]
    shown = CliRunner().invoke(cli, ["stats", *at, "--format", "jsonl"])
    assert f'"{far.address}"' in shown.output
    removed = CliRunner().invoke(cli, ["remove", f"{far.address}/", *at])
    assert f"Forgot {far.address}." in removed.output, removed.output
    assert not mirrors.folder_of(far.address).exists()
    assert sources(tmp_path / "index") == {}


def test_names_that_would_lead_elsewhere_are_lines_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = fsspec.filesystem("memory")
    service.pipe_file("/names/wind.vtt", VTT.format(who="Ana").encode())

    class Sly:
        def __getattr__(self, name: str) -> object:
            return getattr(service, name)

        def ls(self, folder: str, detail: bool) -> list[dict[str, object]]:
            names = (
                "../../up.vtt",
                "a/../../up.vtt",
                "line\nbreak.vtt",
                "x" * 300 + ".vtt",
                "back\\slash.vtt",
                "wind.vtt",
            )
            return [{"name": f"/names/{name}", "type": "file", "size": 90} for name in names]

    monkeypatch.setattr(mirrors, "_service", lambda _: Sly())
    report = index(tmp_path / "index", "memory://names")
    assert len(report.added) == 1
    assert [file.reason for file in report.skipped] == ["Its name cannot be that of a file here."] * 5
    assert not list(tmp_path.rglob("up.vtt"))


def test_a_file_that_is_too_large_is_not_fetched_and_one_that_fails_keeps_its_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = fsspec.filesystem("memory")
    for who in ("a", "b"):
        service.pipe_file(f"/sizes/{who}.vtt", VTT.format(who=who).encode())
    index(tmp_path / "index", "memory://sizes")
    service.pipe_file("/sizes/a.vtt", VTT.format(who="somebody else").encode())
    service.pipe_file("/sizes/c.vtt", VTT.format(who="c" * 200).encode())
    monkeypatch.setattr(mirrors, "_LARGEST_BYTES", 200)
    fetch = mirrors._read

    def failing(service: object, name: str, address: str) -> bytes:
        if name.endswith("a.vtt"):
            raise PermissionError(name)
        return fetch(service, name, address)

    monkeypatch.setattr(mirrors, "_read", failing)
    report = index(tmp_path / "index")
    assert (len(report.kept), report.dropped) == (2, [])
    assert [(file.path, file.reason) for file in report.skipped] == [
        ("memory://sizes/c.vtt", "The file has 0 MB; at most 0 are fetched.")
    ]
    assert report.notes == [
        "memory://sizes/a.vtt stays as it was. It could not be fetched: it may not be read with the credentials of the"
        " environment."
    ]


def test_what_could_not_be_copied_in_time_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = fsspec.filesystem("memory")
    service.pipe_file("/slow/a.vtt", VTT.format(who="Ana").encode())
    index(tmp_path / "index", "memory://slow")
    before = sources(tmp_path / "index")
    service.pipe_file("/slow/a.vtt", VTT.format(who="somebody else").encode())
    monkeypatch.setattr(mirrors, "_LONGEST_S", -3600)
    report = index(tmp_path / "index")
    assert report.notes == [
        "memory://slow/a.vtt stays as it was. The time for copying, -1 hours, was over; the next run goes on."
    ]
    assert sources(tmp_path / "index") == before
    monkeypatch.undo()
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_: str(tmp_path / "data"))
    assert len(index(tmp_path / "index").replaced) == 1


class Objects:
    """A service of objects, whose names may be those of a file and of what stands for a folder at once."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def _strip_protocol(self, address: str) -> str:
        return address.removeprefix("memory:/")

    def ls(self, folder: str, detail: bool) -> list[dict[str, object]]:
        assert detail
        below = [name.removeprefix(f"{folder}/") for name in self.names if name.startswith(f"{folder}/")]
        kinds = {(rest.partition("/")[0], "directory" if "/" in rest else "file") for rest in below}
        return [{"name": f"{folder}/{name}", "type": kind} for name, kind in sorted(kinds)]

    def cat_file(self, name: str, start: int, end: int) -> bytes:
        return VTT.format(who=name).encode()[start:end]


def test_a_file_that_is_called_as_a_folder_is_told_and_one_that_takes_its_place_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "_AT_ONCE", 1)
    objects = Objects("/both/a.vtt", "/both/a.vtt/b.vtt", "/both/c.vtt/d.vtt", "/both/e.vtt")
    monkeypatch.setattr(mirrors, "_service", lambda _: objects)
    report = index(tmp_path / "index", "memory://both")
    same = "A file and a folder are called the same there, which cannot be here."
    assert [(file.path, file.reason) for file in report.skipped] == [("memory://both/a.vtt/b.vtt", same)]
    assert set(sources(tmp_path / "index")) == {"a.vtt", "c.vtt/d.vtt", "e.vtt"}
    objects.names = ("/both/a.vtt/b.vtt", "/both/c.vtt", "/both/e.vtt")
    report = index(tmp_path / "index")
    assert report.skipped == []
    assert set(sources(tmp_path / "index")) == {"a.vtt", "a.vtt/b.vtt", "c.vtt", "e.vtt"}
    assert [(talk.path, talk.reason) for talk in report.held] == [
        ("memory://both/a.vtt", "A folder stands in its place.")
    ]


def test_a_folder_of_too_many_files_is_refused_and_one_larger_than_it_says_is_cut_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Objects("/many/a.vtt", "/many/b.vtt", "/many/c.vtt")
    monkeypatch.setattr(mirrors, "_service", lambda _: objects)
    monkeypatch.setattr(mirrors, "_MOST_FILES", 2)
    with pytest.raises(TalksearchError, match="memory://many holds more than 2 files"):
        index(tmp_path / "index", "memory://many")
    monkeypatch.setattr(mirrors, "_MOST_FILES", 3)
    monkeypatch.setattr(mirrors, "_LARGEST_BYTES", 20)  # no file says how large it is
    report = index(tmp_path / "index", "memory://many")
    assert {file.reason for file in report.skipped} == {"The file has more than 0 MB, which are at most fetched."}
    assert (len(report.skipped), report.added) == (3, [])


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ftp://host/talks", "cannot be indexed"),
        ("file:///etc", "cannot be indexed"),
        ("s3://", "names no folder"),
        ("https://ana:secret@host/talks", "more than the place"),
        ("https://host/talks?token=x", "more than the place"),
        ("s3://talks/../others", "names no folder"),
        ("s3://talks/a\x1b[31m", "more than the place"),
        ("https://[host/talks", "is no address"),
    ],
)
def test_what_is_no_such_address_is_told_in_a_sentence(tmp_path: Path, address: str, sentence: str) -> None:
    with pytest.raises(TalksearchError, match=sentence) as caught:
        index(tmp_path / "index", address)
    assert caught.value.hint
    assert not mirrors._mirrors().exists()


@pytest.mark.parametrize(("module", "address"), [("s3fs", "s3://talks"), ("gcsfs", "gs://talks"), ("fsspec", "s3://x")])
def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, address: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(fsspec_registry, "s3", raising=False)  # it may have been asked for before
    with pytest.raises(TalksearchError, match="which is not installed") as caught:
        index(tmp_path / "index", address)
    assert "pip install" in caught.value.hint
