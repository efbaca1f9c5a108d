"""Recordings over HTTP: the ranges that players ask for, and that nothing but recordings of the catalog is given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from fakes import CountingEncoder
from tiny import serving, short_runtime_folder, write_talk

from talksearch.cli.server.serve import Serving
from talksearch.cli.web.media import MEDIA_TYPES, recording_of
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.talks.track_names import RECORDINGS

DATA = bytes(range(256)) * 20
"""What stands for a recording; 5,120 bytes that tell where they are."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media") / "talks"
    for name in ("film", "sound", "gone"):
        write_talk(folder, name, [f"the {name} keeps its own time", f"and nobody else has a {name}"], webpage_url=None)
    (folder / "film.mp4").write_bytes(DATA)
    (folder / "sound.opus").write_bytes(DATA)
    (folder / "gone.webm").write_bytes(DATA)
    write_talk(folder, "paper", ["no recording lies beside this"], webpage_url=None)
    write_talk(folder, "web", ["this one plays elsewhere"])
    write_talk(folder, "trap", ["an address that leads to a secret"], webpage_url=(folder / "secret.txt").as_uri())
    (folder / "secret.txt").write_text("the secret", encoding="utf-8")
    outside = folder.with_name("outside.mp4")
    outside.write_text("the secret", encoding="utf-8")
    for name, address in {
        "elsewhere": outside.as_uri(),
        "above": f"{folder.as_uri()}/../outside.mp4",
        "quoted": f"{folder.as_uri()}/%2e%2e/outside.mp4",
        "share": f"file://host{folder.as_posix()}/film.mp4",
        "nul": f"{folder.as_uri()}/film%00.mp4",
        "inside": (folder / "film.mp4").as_uri(),
    }.items():
        write_talk(folder, name, [f"the sidecar of {name} names a file"], webpage_url=address)
    for name in ("link", "pipe", "folder", "device"):
        write_talk(folder, name, [f"beside {name} lies what is called a recording"], webpage_url=None)
    (folder / "link.mp4").symlink_to(folder / "secret.txt")
    (folder / "device.mp4").symlink_to("/dev/zero")
    (folder / "folder.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    return folder


@pytest.fixture(scope="module")
def served(archive: Path) -> Iterator[Serving]:
    index = archive.with_name("index")
    build_index(index, [archive], encoder=CountingEncoder())
    (archive / "gone.webm").unlink()
    with short_runtime_folder(), serving(index) as one:
        yield one


def get(served: Serving, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    where = urlsplit(served.url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    told = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, told


@pytest.fixture(scope="module")
def film(served: Serving) -> str:
    return f"/media/{talk_id(served, 'Film')}"


def talk_id(served: Serving, title: str) -> str:
    _, _, page = get(served, f"/api/talks?title={title}")
    found = re.search(rb'"talk_id":"([^"]+)"', page)
    assert found is not None
    return quote(found[1].decode())


def test_a_recording_is_given_whole(served: Serving, film: str) -> None:
    status, headers, data = get(served, film, Accept_Encoding="gzip")
    assert (status, data) == (200, DATA)
    assert headers["content-type"] == "video/mp4"
    assert headers["content-length"] == "5120"
    assert headers["accept-ranges"] == "bytes"
    assert {"etag", "last-modified"} <= headers.keys()
    assert "content-encoding" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_head_says_what_a_get_would(served: Serving, film: str) -> None:
    status, headers, data = get(served, film, "HEAD")
    assert (status, data) == (200, b"")
    assert headers["content-length"] == "5120"
    status, headers, data = get(served, film, "HEAD", Range="bytes=0-9")
    assert (status, data, headers["content-length"]) == (206, b"", "10")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1", 0, 2),  # how Safari begins
        ("bytes=0-", 0, 5120),  # how Chrome begins
        ("bytes=256-511", 256, 512),
        ("bytes=5000-", 5000, 5120),
        ("bytes=5119-5119", 5119, 5120),
        ("bytes=5000-9999", 5000, 5120),
        ("bytes=-100", 5020, 5120),
        ("bytes=-9999", 0, 5120),
        ("bytes=0-9,5-19", 0, 20),  # ranges that overlap are one
    ],
)
def test_a_range_is_given(asked: str, start: int, end: int, served: Serving, film: str) -> None:
    status, headers, data = get(served, film, Range=asked, Accept_Encoding="gzip")
    assert (status, data) == (206, DATA[start:end])
    assert headers["content-range"] == f"bytes {start}-{end - 1}/5120"
    assert headers["content-length"] == str(end - start)
    assert "content-encoding" not in headers


def test_several_ranges_come_in_parts(served: Serving, film: str) -> None:
    status, headers, data = get(served, film, Range="bytes=0-9,100-109,-5")
    assert status == 206
    boundary = headers["content-type"].removeprefix("multipart/byteranges; boundary=")
    parts = data.split(f"--{boundary}".encode())
    assert [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:-1]] == [
        DATA[:10], DATA[100:110], DATA[-5:],
    ]  # fmt: skip
    assert headers["content-length"] == str(len(data))


@pytest.mark.parametrize("asked", ["bytes=5120-", "bytes=9999-10000", "bytes=-0"])
def test_a_range_that_lies_outside_is_416(asked: str, served: Serving, film: str) -> None:
    status, headers, told = get(served, film, Range=asked)
    assert status == 416
    assert headers["content-range"] == "bytes */5120"
    assert headers["content-type"] == "application/problem+json"
    assert b"5,120 bytes" in told


@pytest.mark.parametrize("asked", ["bytes", "bytes=", "bytes=-", "bytes=ten-", "bytes=9-3", "seconds=1-2", "=", "²"])
def test_what_is_no_range_of_bytes_is_passed_over(asked: str, served: Serving, film: str) -> None:
    """RFC 9110, 14.2: a server ignores a Range with a unit that it does not understand, or that is not valid."""
    status, headers, data = get(served, film, Range=asked)
    assert (status, data) == (200, DATA)
    assert "content-range" not in headers


def test_a_range_of_what_has_changed_is_not_given(served: Serving, film: str) -> None:
    _, headers, _ = get(served, film)
    for name in ("etag", "last-modified"):
        assert get(served, film, Range="bytes=0-9", If_Range=headers[name])[0] == 206
    for other in ('"other"', "Mon, 01 Jan 2001 00:00:00 GMT", f"W/{headers['etag']}"):
        status, _, data = get(served, film, Range="bytes=0-9", If_Range=other)
        assert (status, data) == (200, DATA)


def test_what_a_browser_has_is_not_sent_again(served: Serving, film: str) -> None:
    etag = get(served, film)[1]["etag"]
    status, headers, data = get(served, film, If_None_Match=f'"other", {etag}')
    assert (status, data, headers["etag"]) == (304, b"", etag)
    assert get(served, film, If_None_Match='"other"')[0] == 200


def test_a_recording_of_sound_has_its_type(served: Serving) -> None:
    status, headers, data = get(served, f"/media/{talk_id(served, 'Sound')}")
    assert (status, headers["content-type"], data) == (200, "audio/ogg", DATA)


def test_a_recording_that_is_gone_is_told(served: Serving) -> None:
    name = talk_id(served, "Gone")
    status, headers, told = get(served, f"/media/{name}")
    assert status == 404
    assert headers["content-type"] == "application/problem+json"
    assert b"'gone.webm'" in told
    status, headers, page = get(served, f"/media/{name}", Accept="text/html")
    assert status == 404
    assert headers["content-type"].startswith("text/html")
    assert b"gone.webm" in page


@pytest.mark.parametrize("title", ["Paper", "Web", "Trap"])
def test_a_talk_without_a_recording_here_has_none(title: str, served: Serving) -> None:
    status, _, told = get(served, f"/media/{talk_id(served, title)}")
    assert status == 404
    assert b"secret" not in told
    assert b"recording on this machine" in told


@pytest.mark.parametrize("title", ["Elsewhere", "Above", "Quoted", "Share", "Nul", "Link", "Pipe", "Folder", "Device"])
def test_only_recordings_of_the_archive_are_given(title: str, served: Serving) -> None:
    """Whoever wrote a sidecar may name any file; whoever packed the archive may have put links and pipes into it."""
    status, _, told = get(served, f"/media/{talk_id(served, title)}")
    assert status == 404
    assert b"secret" not in told
    assert DATA not in told


def test_a_sidecar_may_name_a_recording_of_the_archive(served: Serving) -> None:
    assert get(served, f"/media/{talk_id(served, 'Inside')}")[::2] == (200, DATA)


@pytest.mark.parametrize(
    "path",
    [
        "/media/", "/media/nobody", "/media/film.mp4", "/media/../talks/film.mp4", "/media/..%2f..%2fetc%2fpasswd",
        "/media//etc/passwd", "/media/%00", "/media/%2e%2e/film.mp4", "/media/file:///etc/passwd", "/media/fil",
    ],
)  # fmt: skip
def test_a_path_is_never_part_of_one(path: str, served: Serving) -> None:
    status, _, told = get(served, path)
    assert status == 404
    assert DATA not in told


def test_other_sites_get_no_recording(served: Serving, film: str) -> None:
    for headers in (
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "video"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Origin": "https://evil.example"},
    ):
        status, _, told = get(served, film, **headers)
        assert status == 403
        assert DATA not in told


def test_every_ending_of_a_recording_has_a_type() -> None:
    assert set(MEDIA_TYPES) == set(RECORDINGS)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "https://a.org/b.mp4", "file:///a.vtt", "file:///a", "file://host/a.mp4", "/a.mp4", "file:///a.mp4.txt",
        "file://[", "javascript:a.mp4", "FILE-mp4",
    ],
)  # fmt: skip
def test_what_is_no_recording_here_is_none(url: str | None) -> None:
    assert recording_of(url) is None


def test_a_recording_is_found_by_its_address(tmp_path: Path) -> None:
    path = tmp_path / "50 % 日本 #1?.MP4"
    assert recording_of(path.as_uri()) == path
