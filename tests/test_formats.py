"""The list of formats: a format is declared there and nowhere else, and a file is decoded and parsed once a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import CountingEncoder

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.pipeline.plan import make_plan
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.pipeline.scan import identity_of, scan_file
from talksearch.indexer.readers import json_source, registry, sniff, text_files
from talksearch.indexer.readers.cue_times import RawCue, mend
from talksearch.indexer.readers.finish import finish
from talksearch.indexer.readers.registry import Format
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Transcript
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.talks import opened_file
from talksearch.indexer.talks.provenance import locate_cues
from talksearch.indexer.talks.replay import replay

SAID = [f"The moon pulls the water for the {count}th time." for count in range(5, 15)]
PLANTED = "@reel by=hand\n" + "".join(f"@{second} {text}\n" for second, text in enumerate(SAID, 1))
ROW = re.compile(r"^@(\d+) (.*)$", re.MULTILINE)


def matches_reel(source: SourceText) -> bool:
    return source.stripped.startswith("@reel")


def read_reel(source: SourceText) -> Transcript:
    raw = [RawCue(int(row[1]) * 1000, int(row[1]) * 1000 + 900, row[2]) for row in ROW.finditer(source.text)]
    return finish(mend(raw, "reel"), Transcript("reel", (), origin="human"))


REEL = Format(
    name="reel",
    matches=matches_reel,
    read=read_reel,
    priority=0,
    origin=lambda source: "human" if "by=hand" in source.text else "unknown",
    address=lambda _: "https://youtu.be/DTcRLlMv4_o",
    caption_endings=("reel",),
)


@pytest.fixture
def _reel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, REEL))


def test_without_it_the_file_is_no_transcript() -> None:
    with pytest.raises(UnreadableError, match=r"A \.reel file without cues is not a transcript"):
        sniff(PLANTED, "tides.reel")


@pytest.mark.usefixtures("_reel")
def test_a_format_is_one_value_in_one_list(tmp_path: Path) -> None:
    """With nothing but its value in the list it is recognised, identified, planned, read, shown and replayed."""
    archive = tmp_path / "talks"
    archive.mkdir()
    path = archive / "tides.en.reel"
    path.write_text(PLANTED)
    cues = "".join(f"00:00:{at:02}.000 --> 00:00:{at:02}.900\n{text}\n\n" for at, text in enumerate(SAID, 1))
    (archive / "tides [DTcRLlMv4_o].en.vtt").write_text(f"WEBVTT\n\n{cues}")
    assert sniff(PLANTED, path.name) == "reel"
    with pytest.raises(UnreadableError, match=r"The \.reel file has no cues"):
        sniff("The moon pulls the water.", path.name)

    rows = {str(file): scan_file(file, file.name, None) for file in archive.iterdir()}
    identity = identity_of(rows[str(path)])
    assert identity is not None
    assert (identity.format, identity.base, identity.language_tag) == ("reel", (archive / "tides").as_posix(), "en")
    assert (identity.youtube_id, identity.origin, identity.timed) == ("DTcRLlMv4_o", "human", True)
    assert identity.words > 50
    (group,) = make_plan({}, rows, identity_of).read
    assert [Path(row.path).suffix for row in group.files] == [".reel", ".vtt"]

    build_index(tmp_path / "index", [archive], encoder=CountingEncoder(), processes=1)
    db = catalog.open_catalog(tmp_path / "index")
    talk = catalog_talks.read_talk(db, "DTcRLlMv4_o")
    assert talk is not None
    assert (talk.format, talk.source, talk.origin, talk.title) == ("reel", path.name, "human", "tides")
    assert [(cue.start_ms, cue.text) for cue in talk.cues[:2]] == [(1000, SAID[0]), (2000, SAID[1])]
    assert talk.receipt.steps[1].detail == {"reader": "reel"}
    data = path.read_bytes()
    assert replay(data, path.name, talk.receipt) == talk.cues
    source = locate_cues(data, path.name, talk)
    start, end = source.span_of(1, 1)
    assert source.text[start:end] == f"@2 {SAID[1]}\n"


@pytest.mark.usefixtures("_reel")
def test_formats_in_json_are_asked_of_json_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def matches(source: SourceText) -> bool:
        asked.append(source.name)
        return isinstance(json_source.parsed_json(source), dict) and "reel" in json_source.parsed_json(source)

    in_json = Format(name="reel-json", matches=matches, read=read_reel, is_json=True)
    monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS, in_json))
    assert sniff('{"reel": []}', "a.json") == "reel-json"
    assert sniff(PLANTED, "a.reel") == "reel"
    assert asked == ["a.json"]


def test_every_format_has_its_own_reader() -> None:
    readers: dict[str, Any] = {}
    for known in registry.FORMATS:
        assert readers.setdefault(known.reader_id, known.read) is known.read
        assert registry.format_named(known.name) is not None
    assert set(text_files.TIMED_ENDINGS) < {
        ending for known in registry.FORMATS for ending in (*known.caption_endings, *known.other_endings)
    }


def two_files_in_json(folder: Path) -> Path:
    folder.mkdir()
    segments = [{"start": at, "end": at + 1, "text": f" {text}"} for at, text in enumerate(SAID)]
    events = [
        {"tStartMs": at * 1000, "dDurationMs": 900, "segs": [{"utf8": text}, {"utf8": " So.", "tOffsetMs": 300}]}
        for at, text in enumerate(SAID)
    ]
    (folder / "Tides [DTcRLlMv4_o].json").write_text(json.dumps({"language": "en", "segments": segments}))
    (folder / "Tides [DTcRLlMv4_o].en.json3").write_text(json.dumps({"events": events}))
    return folder


def test_a_file_is_decoded_and_parsed_once_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A talk of two files in JSON, looked at and read in one process; it took six parses and four decodings before."""
    counts = {"parsed": 0, "decoded": 0}
    parse, decode = json_source.json_values.parse, opened_file.decode

    def counted_parse(text: str) -> Any:
        counts["parsed"] += 1
        return parse(text)

    def counted_decode(data: bytes) -> Any:
        counts["decoded"] += 1
        return decode(data)

    monkeypatch.setattr(json_source.json_values, "parse", counted_parse)
    monkeypatch.setattr(opened_file, "decode", counted_decode)
    report = build_index(
        tmp_path / "index", [two_files_in_json(tmp_path / "talks")], encoder=CountingEncoder(), processes=1
    )
    assert report.added == ["DTcRLlMv4_o"]
    assert counts == {"parsed": 2, "decoded": 2}


def test_what_scanning_opened_is_kept_within_bounds(tmp_path: Path) -> None:
    scanned = opened_file.ScannedFiles(most_characters=150)
    opened = [opened_file.open_file(tmp_path / name, b"Hello there, all of you. " * 4) for name in ("a.txt", "b.txt")]
    for file in opened:
        scanned.keep(file)
    assert scanned.take(opened[0].path) is opened[0]
    assert scanned.take(opened[0].path) is None, "who takes a file has it alone"
    assert scanned.take(opened[1].path) is None, "there was no room for it"
