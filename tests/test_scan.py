"""What lies under a PATH: every file is looked at or accounted for, and what is no transcript does not speak."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.talks.walk import Root, files_under, may_be_transcript

CUES = "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nWelcome to the lecture on tides.\n\n" + "".join(
    f"00:00:{at:02}.000 --> 00:00:{at:02}.900\nThe moon pulls the water for the {at}th time.\n\n" for at in range(5, 40)
)
NOTES = "0:00 Intro\n1:30 The moon\n5:20 The sun\n9:00 Questions\n"


def under(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_under(Root(folder))]


def run(folder: Path, archive: Path) -> Report:
    return build_index(folder, [archive], encoder=CountingEncoder(), processes=1)


def said(folder: Path) -> dict[str, str]:
    db = catalog.open_catalog(folder)
    return {
        talk.source: " ".join(cue.text for cue in catalog_talks.read_cues(db, talk.id))
        for talk in catalog_talks.read_talks(db)
    }


def test_links_to_folders_are_followed_and_loops_end(tmp_path: Path) -> None:
    inside, outside = tmp_path / "talks", tmp_path / "disk"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "a.vtt").write_text(CUES)
    (inside / "linked").symlink_to(outside)
    (inside / "sub" / "up").symlink_to(inside)
    (outside / "again").symlink_to(outside)
    (inside / "nowhere.vtt").symlink_to(tmp_path / "gone.vtt")
    assert under(inside) == ["nowhere.vtt", "linked/a.vtt"]


def test_folders_that_link_to_each_other_are_walked_once(tmp_path: Path) -> None:
    names = [f"f{at}" for at in range(9)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.vtt").write_text(CUES)
        for other in names:
            (tmp_path / name / f"to-{other}").symlink_to(tmp_path / other)
    (tmp_path / "all").symlink_to(tmp_path)
    assert under(tmp_path) == [f"{name}/a.vtt" for name in names]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_a_line_of_the_report_and_not_waited_for(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    os.mkfifo(archive / "pipe.vtt")
    report = run(tmp_path / "index", archive)
    assert [Path(skipped.path).name for skipped in report.skipped] == ["pipe.vtt"]


def test_a_sidecar_that_may_not_be_read_costs_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "tides.vtt").write_text(CUES)
    (archive / "tides.info.json").write_text('{"title": "On tides"}')
    whole = Path.read_bytes

    def closed(path: Path) -> bytes:
        if path.name.endswith(".info.json"):
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", closed)
    run(tmp_path / "index", archive)
    (talk,) = catalog_talks.read_talks(catalog.open_catalog(tmp_path / "index"))
    assert talk.title == "tides"


def test_a_folder_that_cannot_be_entered_is_a_line_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "talks"
    (archive / "lost+found").mkdir(parents=True)
    (archive / "a.vtt").write_text(CUES)
    exists, iterdir = Path.exists, Path.iterdir

    def closed(path: Path) -> bool:
        if path.name == layout.CATALOG.name and path.parent.name == "lost+found":
            raise PermissionError(13, "Permission denied")
        return exists(path)

    def listed(path: Path) -> object:
        if path.name == "lost+found":
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "exists", closed)
    monkeypatch.setattr(Path, "iterdir", listed)
    report = run(tmp_path / "index", archive)
    assert len(report.added) == 1
    assert [Path(skipped.path).name for skipped in report.skipped] == ["lost+found"]


@pytest.mark.parametrize(
    "name", ["a.info.json", "a.description", "a.chapters.vtt", "README.md", "changelog", "a.mp4", "a.BAT", "a.desktop"]
)
def test_what_lies_beside_talks_is_not_read(name: str) -> None:
    assert not may_be_transcript(Path(name))


@pytest.mark.parametrize(
    "name", ["changelog.vtt", "notice.srt", "chapters.vtt", "description.txt", "a.vtt", "readme.json"]
)
def test_what_may_be_a_talk_is_read(name: str) -> None:
    assert may_be_transcript(Path(name))


def test_notes_about_a_talk_do_not_speak_for_it(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "tides.vtt").write_text(CUES)
    (archive / "tides.md").write_text(NOTES)
    run(tmp_path / "index", archive)
    assert said(tmp_path / "index")["tides.vtt"].startswith("Welcome to the lecture on tides.")


def test_a_persons_text_with_times_still_speaks_for_a_talk(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "tides.en-orig.vtt").write_text(CUES)
    text = "".join(f"[00:{at:02}] The Moon pulls the water, for the {at}th time.\n" for at in range(5, 40))
    (archive / "tides.txt").write_text(text)
    run(tmp_path / "index", archive)
    assert said(tmp_path / "index")["tides.txt"].startswith("The Moon pulls the water, for the 5th time.")


def test_of_what_whisper_wrote_the_json_speaks(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "tides.vtt").write_text(CUES)
    (archive / "tides.json").write_text(
        '{"language": "en", "segments": [{"start": 1, "end": 4, "text": "Welcome to the lecture on tides.",'
        ' "words": [{"word": " Welcome", "start": 1.0, "end": 1.5, "probability": 0.9}]},'
        ' {"start": 5, "end": 40, "text": "The moon pulls the water for the fifth time."}]}'
    )
    run(tmp_path / "index", archive)
    assert list(said(tmp_path / "index")) == ["tides.json"]


def test_a_translation_does_not_speak_where_the_sidecar_marks_the_original(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    for tag in ("de", "en"):
        (archive / f"tides.{tag}.vtt").write_text(CUES.replace("Welcome", f"{tag} welcome"))
    (archive / "tides.info.json").write_text('{"automatic_captions": {"en-orig": [{}], "en": [{}], "de": [{}]}}')
    run(tmp_path / "index", archive)
    assert list(said(tmp_path / "index")) == ["tides.en.vtt"]


def test_a_track_of_thumbnails_is_not_said(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    times = ((at, at + 5) for at in range(0, 50, 5))
    (archive / "thumbnails.vtt").write_text(
        "WEBVTT\n\n" + "".join(f"00:{a:02}.000 --> 00:{b:02}.000\ns.jpg#xywh=0,{a},160,90\n\n" for a, b in times)
    )
    report = run(tmp_path / "index", archive)
    assert not report.added
    assert "thumbnails" in report.skipped[0].reason


def test_half_a_character_costs_nothing_else(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "tides.vtt").write_text(CUES)
    (archive / "tides.info.json").write_text('{"title": "Tides \\ud83c", "description": "On tides \\udf0a and moons."}')
    run(tmp_path / "index", archive)
    (talk,) = catalog_talks.read_talks(catalog.open_catalog(tmp_path / "index"))
    assert talk.title == "Tides \ufffd"


def test_a_defect_over_one_talk_costs_that_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "one.vtt").write_text(CUES)
    (archive / "two.vtt").write_text(CUES.replace("moon", "sun"))
    from talksearch.indexer.pipeline import read_talks

    split = read_talks.split

    def breaking(talk: object, *rest: object) -> object:
        if "sun" in str(talk):
            raise ValueError("no such thing")
        return split(talk, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(read_talks, "split", breaking)
    report = run(tmp_path / "index", archive)
    assert len(report.added) == 1
    assert "no such thing" in report.skipped[0].reason


@pytest.mark.parametrize(
    ("names", "automatic", "speaks"),
    [
        (("de", "en", "fr-en"), (), "en"),
        (("de", "en", "fr"), ("en",), "en"),
        (("de", "en-orig", "fr"), (), "en-orig"),
        (("de", "en", "en-orig"), ("en", "en-orig"), "en-orig"),
        (("de-en", "fr-en"), (), "de-en"),
        (("en-zh-Hans", "zh-Hans"), (), "zh-Hans"),  # yt-dlp's translation of manual captions
        (("de-pt-BR", "en-pt-BR", "pt-BR"), (), "pt-BR"),
        (("en-es-419", "es-419"), (), "es-419"),
        (("br", "pt"), (), "br"),
        (("de", "pt-br"), (), "de"),  # nobody translated from Breton
        (("de", "en"), ("de", "en"), "de"),
    ],
)
def test_the_track_in_the_language_that_is_spoken_speaks(
    names: tuple[str, ...], automatic: tuple[str, ...], speaks: str, tmp_path: Path
) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    for name in names:
        text = CUES.replace("The moon", name)
        if name in automatic:
            text = text.replace(" pulls", "<00:00:05.100><c> pulls</c>")
        (archive / f"tides.{name}.vtt").write_text(text)
    run(tmp_path / "index", archive)
    assert list(said(tmp_path / "index")) == [f"tides.{speaks}.vtt"]


def test_a_talk_in_a_folder_of_its_own_is_called_after_it(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    for name in ("On_tides", "On_ships"):
        (archive / name).mkdir(parents=True)
        (archive / name / "transcript.vtt").write_text(CUES.replace("moon", name))
    (archive / "On_ships" / "info.json").write_text('{"title": "Slow ships", "upload_date": "20200101"}')
    (archive / "On_ships" / "other.vtt").write_text(CUES.replace("moon", "sun"))
    run(tmp_path / "index", archive)
    talks = catalog_talks.read_talks(catalog.open_catalog(tmp_path / "index"))
    assert {talk.source: (talk.title, talk.date) for talk in talks} == {
        "On_tides/transcript.vtt": ("On tides", None),
        "On_ships/transcript.vtt": ("Slow ships", "2020-01-01"),
        "On_ships/other.vtt": ("other", None),  # an info.json speaks for no file with a name of its own
    }


def test_a_description_beside_a_talk_is_its_description(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "tides.en.vtt").write_text(CUES)
    (archive / "tides.description").write_text("How the moon pulls the water.\n")
    folder = tmp_path / "index"
    run(folder, archive)
    (talk,) = catalog_talks.read_talks(catalog.open_catalog(folder))
    assert talk.description == "How the moon pulls the water."
    (archive / "tides.description").write_text("How the sun pulls it too.\n")
    assert len(run(folder, archive).replaced) == 1
