"""Files of one talk as programs leave them: tracks, chapters, segments, chats, and what cannot be read now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Talk
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.talks.read import read_talk, talks_under

ENGLISH = (
    "The lighthouse keeper wrote down every ship that passed during the storm.",
    "Nobody had told her that the lamp would burn all the oil in one night.",
    "In the morning she walked to the village and borrowed what was left.",
)
GERMAN = (
    "Die Leuchtturmwärterin schrieb jedes Schiff auf, das im Sturm vorbeifuhr.",
    "Niemand hatte ihr gesagt, dass die Lampe in einer Nacht das ganze Öl verbrennt.",
    "Am Morgen ging sie ins Dorf und lieh sich, was noch übrig war.",
)


def _vtt(lines: Sequence[str], head: str = "", every: int = 5) -> str:
    cues = (f"00:00:{i * every:02d}.000 --> 00:00:{i * every + 4:02d}.000\n{line}\n" for i, line in enumerate(lines))
    return f"WEBVTT\n{head}\n" + "\n".join(cues)


def _files(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def _index(folder: Path) -> tuple[Report, list[Talk]]:
    where = folder.parent / "made"
    report = build_index(where, [folder], encoder=CountingEncoder(), processes=1)
    return report, list(catalog_talks.read_talks(catalog.open_catalog(where)))


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("english", "en"),
        ("English", "en"),
        ("en_us", "en-US"),
        ("auto", "en"),
        ("multi", "en"),
        ("und", "en"),
        ("", "en"),
    ],
)
def test_a_service_spells_out_its_language(tmp_path: Path, said: str, language: str) -> None:
    segments = [{"start": i * 5.0, "end": i * 5 + 4.0, "text": line} for i, line in enumerate(ENGLISH)]
    path = tmp_path / "storm.json"
    path.write_text(json.dumps({"language": said, "segments": segments}))
    assert read_talk(path).language == language


def test_a_sidecar_spells_out_its_language(tmp_path: Path) -> None:
    sidecar = json.dumps({"id": "x", "title": "Storm", "language": "German"})
    _files(tmp_path, {"storm.vtt": _vtt(GERMAN), "storm.info.json": sidecar})
    talk = read_talk(tmp_path / "storm.vtt")
    assert talk.language == "de"
    assert not talk.receipt.uncertain


CHAPTERS = _vtt(("Storm", "Oil"), every=20)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("storm.en.chapters.vtt", CHAPTERS),
        ("storm.chapters.en.vtt", CHAPTERS),
        ("storm_chapters.en.vtt", CHAPTERS),
        ("chapters_en.vtt", CHAPTERS),
        ("chapters.en-US.vtt", CHAPTERS),
        (
            "storm.ffmetadata",
            ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=20000\ntitle=Storm\n"
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART=20000\nEND=40000\ntitle=Oil\n",
        ),
        (
            "storm.cue",
            'FILE "storm.mp3" MP3\n  TRACK 01 AUDIO\n    TITLE "Storm"\n    INDEX 01 00:00:00\n'
            '  TRACK 02 AUDIO\n    TITLE "Oil"\n    INDEX 01 00:20:00\n',
        ),
    ],
)
def test_chapters_in_a_file_of_a_language_or_program(tmp_path: Path, name: str, content: str) -> None:
    folder = _files(tmp_path / "talks", {"storm.en.vtt": _vtt(ENGLISH), name: content})
    _, talks = _index(folder)
    assert [(talk.title, [(one.title, one.start_ms) for one in talk.chapters]) for talk in talks] == [
        ("storm", [("Storm", 0), ("Oil", 20_000)])
    ]


def test_chapters_of_the_track_come_before_those_of_another(tmp_path: Path) -> None:
    german = _vtt(("Sturm", "Öl"), every=20)
    names = {"storm.en.chapters.vtt": CHAPTERS, "storm.de.chapters.vtt": german}
    _files(tmp_path, {"storm.en.vtt": _vtt(ENGLISH), "storm.de.vtt": _vtt(GERMAN), **names})
    assert [one.title for one in read_talk(tmp_path / "storm.en.vtt").chapters] == ["Storm", "Oil"]
    assert [one.title for one in read_talk(tmp_path / "storm.de.vtt").chapters] == ["Sturm", "Öl"]


@pytest.mark.parametrize("name", ["chapters_of.vtt", "My chapters.en.vtt", "Four_chapters_of.vtt", "storm.cue.vtt"])
def test_talks_that_are_called_after_chapters_stay(tmp_path: Path, name: str) -> None:
    _, talks = _index(_files(tmp_path / "talks", {name: _vtt(ENGLISH)}))
    assert len(talks) == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("notes.txt", ";FFMETADATA1\ntitle=Storm\nencoder=Lavf60\n", "list of chapters"),
        ("Call - 2024_03_12 15_58 CET - Chat.sbv", "0:00:01.000,0:00:05.000\nAna: hello\n", "chat"),
        ("notes.txt", "CHAPTER01=00:00:00.000\nCHAPTER01NAME=Storm\n", "list of chapters"),
        ("storm.danmaku.ass", "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:05.00,ha\n", "chat"),
        ("storm.vtt", _vtt(ENGLISH, "Kind: descriptions\nLanguage: en\n"), "describes what is seen"),
        ("storm.vtt", _vtt(ENGLISH, "Kind: metadata\n"), "data for programs"),
        ("storm.vtt", _vtt(ENGLISH, "Kind: chapters\n"), "track of chapters"),
    ],
)
def test_what_is_not_said_has_its_reason(tmp_path: Path, name: str, content: str, why: str) -> None:
    ((_, reason),) = talks_under(_files(tmp_path, {name: content}))
    assert why in str(reason)


@pytest.mark.parametrize("kind", ["captions", "subtitles"])
def test_other_kinds_of_tracks_are_speech(tmp_path: Path, kind: str) -> None:
    _files(tmp_path, {"storm.vtt": _vtt(ENGLISH, f"Kind: {kind}\n").replace("The lighthouse", "Kind: chapters")})
    assert len(read_talk(tmp_path / "storm.vtt").cues) == len(ENGLISH)


def test_two_short_stacked_languages_of_the_same_letters_are_said(tmp_path: Path) -> None:
    _files(tmp_path, {"storm.en.vtt": _vtt([f"{one}\n{other}" for one, other in zip(GERMAN, ENGLISH, strict=True)])})
    assert any("two languages" in note for note in read_talk(tmp_path / "storm.en.vtt").receipt.uncertain)
    rows = [line.replace(" that ", "\nthat ").replace(" and ", "\nand ") for line in ENGLISH]
    _files(tmp_path, {"rows.en.vtt": _vtt(rows)})
    assert not read_talk(tmp_path / "rows.en.vtt").receipt.uncertain


@pytest.mark.parametrize(
    ("names", "title", "languages"),
    [
        (("storm.chs.vtt", "storm.mp4"), "storm", ["zh-Hans"]),
        (("storm.de&en.vtt", "storm.mp4"), "storm", ["de"]),
        (("002 Storm English [Auto].vtt", "x.mp4"), "002 Storm", ["en"]),
        (("English.vtt", "Deutsch.vtt", "Night of storms.mp4"), "talks", ["en"]),
        (("English.vtt", "French.vtt", "English.mp4", "French.mp4"), "English", ["en", "en"]),
        (("R&D.vtt",), "R&D", ["en"]),
        (("en/01 Storm.vtt", "de/01 Storm.vtt"), "01 Storm", ["en"]),
        (("en/01.vtt", "de/01.vtt", "en/01.mp4", "de/01.mp4"), "01", ["de", "en"]),
        (("Storm.transcript (1).vtt", "Storm.mp4"), "Storm", ["en"]),
        (("Storm captions.vtt", "Storm.mp4"), "Storm", ["en"]),
        (("Storm.EN-US.vtt", "STORM.ZH-HANS.vtt"), "Storm", ["en-US"]),
        (("subs/English [CC].vtt", "subs/Español (Latinoamérica).vtt", "Storm.mp4"), "talks", ["en"]),
        (("中文（简体）.vtt", "English.vtt", "Storm.mp4"), "talks", ["en"]),
        (("Storm (Chinese (Simplified)).vtt", "Storm (English).vtt"), "Storm", ["en"]),
        (("Storm - Castellano.vtt", "Storm - Latino.vtt", "Storm.mp4"), "Storm", ["es-419"]),
        (("Keynote (Java).vtt", "Keynote (JavaScript).vtt"), "Keynote (Java)", ["en", "en"]),
        (("Sermon.Second.vtt", "Sermon.Letters.vtt"), "Sermon.Second", ["en", "en"]),
        (("Report (India).vtt", "Report (Ireland).vtt"), "Report (India)", ["en", "en"]),
        (("Interview - Person.vtt", "Interview - Denis.vtt"), "Interview - Person", ["en", "en"]),
        (("Storm (Français).vtt", "Storm (Alemán).vtt", "Storm (日本語).vtt"), "Storm", ["ja"]),
    ],
)
def test_tracks_by_their_names(tmp_path: Path, names: tuple[str, ...], title: str, languages: list[str]) -> None:
    lines = {name: GERMAN if "de/" in name or "Deutsch" in name else ENGLISH for name in names}
    content = {name: "" if name.endswith(".mp4") else _vtt([*lines[name], f"{i}."]) for i, name in enumerate(names)}
    _, talks = _index(_files(tmp_path / "talks", content))
    assert sorted(talk.language or "" for talk in talks) == languages
    assert title in [talk.title for talk in talks]


@pytest.mark.parametrize("folder", ["Subs", "subtitles"])
def test_captions_in_a_folder_of_their_own_have_the_recording_above(tmp_path: Path, folder: str) -> None:
    names = (f"{folder}/2_English.vtt", f"{folder}/3_German.vtt", "Storm.2019.mp4")
    content = {name: "" if name.endswith("mp4") else _vtt(GERMAN if "German" in name else ENGLISH) for name in names}
    _, (talk,) = _index(_files(tmp_path / "storms", content))
    assert (talk.url or "").endswith("/Storm.2019.mp4")


@pytest.mark.parametrize(
    "reading",
    ["2024-05-15 12:20:{:02d}", "2021-05-15 12:20:{:02d}\nlat 47.1{:03d} lon 8.1 alt 410m speed 12.5 km/h"],
)
def test_readings_of_cameras_are_not_said(tmp_path: Path, reading: str) -> None:
    ((_, reason),) = talks_under(_files(tmp_path, {"DJI_7.vtt": _vtt([reading.format(i, i) for i in range(9)])}))
    assert "data for programs" in str(reason)


def test_remarks_of_recognition_are_an_automatic_track(tmp_path: Path) -> None:
    _files(tmp_path, {"storm.ai-en.srt": _vtt(ENGLISH).replace("WEBVTT\n\n", "")})
    talk = read_talk(tmp_path / "storm.ai-en.srt")
    assert (talk.title, talk.language, talk.origin) == ("storm", "en", "automatic")


@pytest.mark.parametrize("sound", ["audio1234567890.m4a", "audio_only.m4a"])
def test_a_meeting_with_its_sound_beside_it_has_one_recording(tmp_path: Path, sound: str) -> None:
    captions = "[Ana Ruiz] 16:00:05\nGood morning to all of you.\n\n[Ben Cole] 16:00:11\nAnd to you, Ana, thanks.\n"
    _files(tmp_path, {"video1234567890.mp4": "", sound: "", "closed_caption.txt": captions})
    assert (read_talk(tmp_path / "closed_caption.txt").url or "").endswith("/video1234567890.mp4")


def test_marks_of_a_download_are_no_talk(tmp_path: Path) -> None:
    zone = "[ZoneTransfer]\nZoneId=3\n"
    report, talks = _index(_files(tmp_path / "t", {"storm.vtt": _vtt(ENGLISH), "storm.vtt:Zone.Identifier": zone}))
    assert [talk.title for talk in talks] == ["storm"]
    assert not report.skipped


@pytest.mark.parametrize("how", ["empty", "offloaded", "dead link"])
def test_a_talk_stays_whose_segment_cannot_be_read_now(tmp_path: Path, how: str) -> None:
    playlist = "#EXTM3U\n#EXTINF:5,\na.vtt\n#EXTINF:5,\nb.vtt\n#EXT-X-ENDLIST\n"
    second = f"WEBVTT\n\n00:00:12.000 --> 00:00:16.000\n{ENGLISH[2]}\n"
    folder = _files(tmp_path / "talks", {"p.m3u8": playlist, "a.vtt": _vtt(ENGLISH[:2]), "b.vtt": second})
    _index(folder)
    segment = folder / "b.vtt"
    segment.unlink()
    if how == "empty":
        segment.write_bytes(b"")
    elif how == "offloaded":
        (folder / ".b.vtt.icloud").write_bytes(b"x")
    else:
        segment.symlink_to("nowhere.vtt")
    report, (talk,) = _index(folder)
    assert [held.talk_id for held in report.held] == [talk.id]
    assert "b.vtt" in report.held[0].reason
    segment.unlink(missing_ok=True)
    (folder / ".b.vtt.icloud").unlink(missing_ok=True)
    segment.write_text(second, encoding="utf-8")
    assert not _index(folder)[0].held
