"""A talk as bytes: it comes back as it was, and whatever else somebody put in its place is refused."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from conftest import DATA
from fakes import CountingEncoder
from hypothesis import given
from hypothesis import strategies as st
from test_further_tracks import ENGLISH, GERMAN, vtt

from talksearch.indexer.errors import StoreError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores.remote import talk_bytes
from talksearch.indexer.stores.remote.talk_bytes import pack, unpack
from talksearch.indexer.stores.talk_rows import CatalogTalk, read_rows


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> list[CatalogTalk]:
    """Talks of real shapes: with tracks, words with times, mishearings, notes, estimated times."""
    folder = tmp_path_factory.mktemp("talks")
    for name, lines in {"harbour.en-orig.vtt": ENGLISH, "harbour.de.vtt": GERMAN}.items():
        (folder / name).write_text(vtt(lines))
    build_index(folder / "index", [DATA / "rolling", DATA / "text", folder], encoder=CountingEncoder())
    with catalog.open_snapshot(folder / "index") as db:
        return [read_rows(db, number) for (number,) in db.execute("SELECT number FROM talks ORDER BY number")]


def test_a_talk_comes_back_with_everything_but_its_files(talks: list[CatalogTalk]) -> None:
    assert any(talk.rows.tracks for talk in talks)
    assert any(talk.mishearings or talk.rare_words for talk in talks)
    assert any(cue.words for talk in talks for cue in talk.rows.cues)
    for talk in talks:
        codes = [
            None if position % 3 else bytes([position % 256]) * position
            for position, _ in enumerate(talk.rows.passages)
        ]
        unpacked = unpack(pack(talk, codes, "along these"))
        assert unpacked.talk == replace(talk, files=())
        assert unpacked.codes == tuple(codes)
        assert unpacked.directions == "along these"


def packed(talk: CatalogTalk, change: Callable[[Any], None]) -> bytes:
    """Pack a talk with something of its JSON changed."""
    data = pack(talk, [None] * len(talk.rows.passages), "")
    values = json.loads(zlib.decompress(data[9:]))
    change(values)
    return as_bytes(json.dumps(values).encode())


def as_bytes(text: bytes, tail: bytes = b"") -> bytes:
    compressed = zlib.compress(text)
    return bytes([talk_bytes.FORMAT]) + len(compressed).to_bytes(8, "little") + compressed + tail


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(values: Any) -> None:
        for step in path[:-1]:
            values = values[step]
        values[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("talk", 0, value=None),
        put("talk", 4, value="sometimes"),
        put("talk", 6, value=7),
        put("talk", 13, value=2**40),
        put("talk", 13, value=True),
        put("talk", 15, value="[[1]]"),
        put("talk", 15, value="{"),
        put("talk", 16, value="{}"),
        put("talk", 16, value='{"steps": [{"name": 1}], "uncertain": []}'),
        put("talk", 16, value='{"steps": [], "uncertain": [], "other": 1}'),
        put("talk", 16, value='{"steps": [], "uncertain": [], "words_left_out": [1]}'),
        put("talk", 2, value="half a pair \ud800"),
        put("talk", value=[]),
        put("talk", value={}),
        put("cues", 0, 0, value=5),
        put("cues", 0, 1, value=-2),
        put("cues", 0, 1, value=1.5),
        put("cues", 0, 3, value=["text"]),
        put("cues", 0, 5, value="yes"),
        put("cues", 0, 6, value="[[1, 2]]"),
        put("cues", 0, value={}),
        put("cues", value=7),
        put("passages", 0, 6, value="names"),
        put("passages", 0, 7, value="sung"),
        put("passages", value=[]),
        put("tracks", value=[[]]),
        put("tracks", value=[[[2, "de", "human", "x"], []]]),
        put("mishearings", value=[["a", "b"]]),
        put("rare_words", value=[["a", "b", "c", 3]]),
        put("codes", 0, value=10),
        put("codes", 0, value=-1),
        put("codes", value=None),
        put("path", value=1),
        put("directions", value=None),
        lambda values: values.pop("path"),
        lambda values: values.clear(),
    ],
)
def test_values_of_other_kinds_are_refused(talks: list[CatalogTalk], change: Callable[[Any], None]) -> None:
    talk = next(talk for talk in talks if talk.rows.cues)
    assert unpack(packed(talk, lambda _: None))
    with pytest.raises(StoreError, match="A talk in the store is damaged"):
        unpack(packed(talk, change))


@pytest.mark.parametrize(
    "data",
    [
        as_bytes(b"[" * 100_000),
        as_bytes(b"[" * 100_000 + b"]" * 100_000),
        as_bytes(b"\xff\xfe"),
        as_bytes(b"null"),
        as_bytes(b'{"talk": 1e999}'),
        as_bytes(b"9" * 10_000),
        as_bytes(b"{}", b"tail"),
        as_bytes(b"{}")[:-3],
        as_bytes(b"{}")[:5],
        bytes([talk_bytes.FORMAT]) + (2**63).to_bytes(8, "little"),
        bytes([talk_bytes.FORMAT]) + (9).to_bytes(8, "little") + b"no stream",
    ],
)
def test_what_is_no_talk_is_refused(data: bytes) -> None:
    with pytest.raises(StoreError, match="A talk in the store is damaged"):
        unpack(data)


def test_bytes_of_another_version_are_told_as_such() -> None:
    with pytest.raises(StoreError, match="has format 7"):
        unpack(b"\x07abc")
    with pytest.raises(StoreError, match="has no format"):
        unpack(b"")


@pytest.mark.parametrize("filling", [b" ", b"[],", b"1,"])
def test_what_would_fill_the_memory_is_refused_before_it_does(filling: bytes) -> None:
    """A megabyte of bytes can stand for a gigabyte of text, and each list in it takes sixty bytes more."""
    bomb = as_bytes(b"[" + filling * (300_000_000 // len(filling)))
    assert len(bomb) < 1_000_000
    with pytest.raises(StoreError, match="it has more than"):
        unpack(bomb)


def test_a_talk_that_nobody_could_unpack_is_not_packed(
    talks: list[CatalogTalk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk_bytes, "LARGEST", 100)
    with pytest.raises(StoreError, match="is too large for a store"):
        pack(talks[0], [None] * len(talks[0].rows.passages), "")


@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), cut=st.booleans())
def test_damage_anywhere_is_an_error_of_the_store_or_does_no_harm(at: float, value: int, cut: bool) -> None:
    data = bytearray(DAMAGED)
    position = int(at * len(data))
    data[position] = value
    try:
        unpacked = unpack(bytes(data[:position]) if cut else bytes(data))
    except StoreError:
        return
    assert unpacked.talk.rows.talk_id


DAMAGED = as_bytes(
    json.dumps(
        {
            "path": "/a.vtt",
            "talk": [
                "a",
                "a.vtt",
                "A",
                "vtt",
                "exact",
                0,
                "human",
                *[None] * 7,
                "",
                "[]",
                '{"steps": [], "uncertain": []}',
            ],
            "cues": [[0, 0, 9, "text", None, False, None]],
            "passages": [["a~0", 0, 9, 0, 0, "text", "[]", "speech", "text", ""]],
            "tracks": [],
            "mishearings": [],
            "rare_words": [],
            "codes": [3],
            "directions": "",
        }
    ).encode(),
    b"abc",
)
