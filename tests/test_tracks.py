"""One talk, its tracks and what lies beside them: told by names as many programs write them, and by content."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer.errors import UnreadableError, UnspokenError
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Chapter, Talk
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.talks.chapter_files import find_chapters, read_chapters
from talksearch.indexer.talks.folders import beside, listing_of
from talksearch.indexer.talks.language_tags import language_of
from talksearch.indexer.talks.naming import humanised, id_stem, recorded, slug
from talksearch.indexer.talks.playlist import is_segment, missing_segments
from talksearch.indexer.talks.read import read_file, read_talk
from talksearch.indexer.talks.recordings import find_recording, without_quality
from talksearch.indexer.talks.replay import replay
from talksearch.indexer.talks.sidecar import find_sidecar, read_sidecar
from talksearch.indexer.talks.track_names import split_among, split_name

VTT = "WEBVTT\n\n00:01.000 --> 00:04.000\nThe tide turns at noon.\n\n00:05.000 --> 00:09.000\nThen the boats leave.\n"


def index(tmp_path: Path, archive: Path) -> tuple[Report, list[Talk]]:
    report = build_index(tmp_path / "index", [archive], encoder=CountingEncoder(), processes=1)
    db = catalog.open_catalog(tmp_path / "index")
    talks = list(catalog_talks.read_talks(db))
    db.close()
    return report, talks


# --- tags in names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stem", "language", "kinds"),
    [
        ("Tides.eng.srt", "Tides", "en", ""),
        ("Tides.ger.srt", "Tides", "de", ""),
        ("Tides.fre.vtt", "Tides", "fr", ""),
        ("Tides.chi.srt", "Tides", "zh", ""),
        ("Tides.en.hi.srt", "Tides", "en", "sdh"),
        ("Tides.hi.srt", "Tides", "hi", ""),
        ("Tides.en.sdh.srt", "Tides", "en", "sdh"),
        ("Tides.en.forced.srt", "Tides", "en", "forced"),
        ("Tides.forced.en.srt", "Tides", "en", "forced"),
        ("Tides.en.default.forced.srt", "Tides", "en", "forced orig"),
        ("Tides.forced.srt", "Tides", None, "forced"),
        ("Tides.eng.1.srt", "Tides", "en", ""),
        ("Tides.de.full.srt", "Tides", "de", "orig"),
        ("Tides.en.translated.srt", "Tides", "en", "translated"),
        ("Tides.a.en.vtt", "Tides", "en", "auto"),
        ("Tides.en-x-autogen.vtt", "Tides", "en", "auto"),
        ("Tides.en-us.ttml", "Tides", "en-US", ""),
        ("Tides.pt-br.vtt", "Tides", "pt-BR", ""),
        ("Tides.en_US.vtt", "Tides", "en-US", ""),
        ("Tides.zh_Hant.srt", "Tides", "zh-Hant", ""),
        ("Tides.English.srt", "Tides", "en", ""),
        ("Tides.Deutsch.vtt", "Tides", "de", ""),
        ("Tides.Français.vtt", "Tides", "fr", ""),
        ("Tides.日本語.srt", "Tides", "ja", ""),
        ("Tides.Brazilian Portuguese.srt", "Tides", "pt-BR", ""),
        ("Tides.Chinese (Simplified).srt", "Tides", "zh-Hans", ""),
        ("Tides.English [SDH].srt", "Tides", "en", "sdh"),
        ("Tides.en[cc].srt", "Tides", "en", "cc"),
        ("Tides [English (auto-generated)].srt", "Tides", "en", "auto"),
        ("[English] Tides at noon [DownSub.com].srt", "Tides at noon", "en", ""),
        ("Tides_Captions_English (United States).txt", "Tides", "en-US", ""),
        ("Tides_de.vtt", "Tides", "de", ""),
        ("Tides-en.vtt", "Tides", "en", ""),
        ("Tides-pt-BR.vtt", "Tides", "pt-BR", ""),
        ("Tides (en).vtt", "Tides", "en", ""),
        ("Tides [ger].vtt", "Tides", "de", ""),
        ("Tides.transcript.vtt", "Tides", None, "transcript"),
        ("Part.1.de.vtt", "Part.1", "de", ""),
        ("tides.no.vtt", "tides", "no", ""),
        ("tides.fr-en.vtt", "tides", "fr", ""),
        ("tides.en-zh-Hans.vtt", "tides", "en", ""),
        ("tides.zh-Hans-en.vtt", "tides", "zh-Hans", ""),
        ("tides.es-419-pt-BR.vtt", "tides", "es-419", ""),
        ("Tides [j3PyPqV-e1s].de-pt-BR.vtt", "Tides [j3PyPqV-e1s]", "de", ""),
        ("TIDES.EN.VTT", "TIDES", "en", ""),
    ],
)
def test_what_a_name_says_of_its_track(name: str, stem: str, language: str | None, kinds: str) -> None:
    found = split_name(name)
    assert (found.stem, language_of(found.tag), " ".join(sorted(found.kinds))) == (stem, language, kinds)


@pytest.mark.parametrize(
    "stem",
    [
        "Made.in.it",
        "Made in it",
        "How to say no",
        "How_to_say_no",
        "Learn English",
        "How_to_learn_English",
        "How.to.learn.English",
        "Learn English (Beginner)",
        "Intro_to_cs",
        "workshop-ml",
        "Careers.in.IT",
        "trip_to_la",
        "Talk (no)",
        "My.first.auto",
        "Interview full",
        "Vol.2",
        "talk (2)",
        "Talk.May",
        "war.and.peace",
        "Going Dutch",
        "meeting.one",
        "talk.final",
        "v1.2",
    ],
)
def test_a_word_of_a_title_is_no_tag(stem: str) -> None:
    found = split_name(f"{stem}.vtt")
    assert (found.stem, found.tag, found.kinds) == (stem, None, frozenset())


@pytest.mark.parametrize(
    ("name", "beside", "stem", "tag"),
    [
        ("Tides_it.vtt", "Tides_en.vtt", "Tides", "it"),
        ("Tides en.vtt", "Tides de.vtt", "Tides", "en"),
        ("Made.in.it.vtt", "Made.in.mp4", "Made.in", "it"),
        ("Tides_English.srt", "Tides_German.srt", "Tides", "en"),
        ("Tides - English.srt", "Tides - Deutsch.srt", "Tides", "en"),
        ("Tides English.srt", "Tides.mp4", "Tides", "en"),
        ("Intro_cs.vtt", "Intro_en.vtt", "Intro", "cs"),
        ("en.vtt", "de.vtt", "captions", "en"),
        ("Log in.vtt", "Log.vtt", "Log in", None),
        ("Log_in.vtt", "Log.vtt", "Log_in", None),
        ("How to say no.vtt", "How to say it.vtt", "How to say no", None),
        ("Learn English.vtt", "Learn German.vtt", "Learn English", None),
        ("How_to_learn_English.vtt", "How_to_learn_German.vtt", "How_to_learn_English", None),
        ("talk.2.vtt", "talk.en.vtt", "talk.2", None),
        ("talk.one.vtt", "talk.en.vtt", "talk.one", None),
        ("no.vtt", "yes.vtt", "no", None),
    ],
)
def test_other_files_show_what_is_a_tag(name: str, beside: str, stem: str, tag: str | None) -> None:
    found = split_among(name, listing_of((name, beside)))
    assert (found.stem, found.tag) == (stem, tag)


def test_folders_and_numbers_say_a_language_too(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    for name in (
        "Tides/en/captions.vtt",
        "Tides/de/captions.vtt",
        "Boats/Subs/2_English.srt",
        "Boats/Subs/3_German.srt",
        "Languages/English.vtt",
        "Languages/German.vtt",
    ):
        (archive / name).parent.mkdir(parents=True, exist_ok=True)
        (archive / name).write_text(VTT.replace("noon", name))
    _, talks = index(tmp_path, archive)
    assert sorted((talk.title, talk.source) for talk in talks) == [
        ("Boats", "Boats/Subs/2_English.srt"),
        ("English", "Languages/English.vtt"),
        ("German", "Languages/German.vtt"),
        ("Tides", "Tides/en/captions.vtt"),
    ]


def test_the_recording_and_the_transcript_of_a_meeting_are_one_talk(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    for name in ("Meeting Recording.vtt", "Meeting Transcript.vtt", "Meeting Recording.mp4"):
        (archive / f"Weekly sync-20240312_150000-{name}").write_text(VTT if name.endswith("vtt") else "")
    _, (talk,) = index(tmp_path, archive)
    assert (talk.title, talk.date) == ("Weekly sync", "2024-03-12")


def test_a_forced_track_speaks_only_where_nothing_else_does(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    (archive / "Tides.en.forced.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nHarbour office\n")
    report, talks = index(tmp_path, archive)
    assert [talk.source for talk in talks] == ["Tides.en.forced.srt"]
    (archive / "Tides.en.full.srt").write_text(
        "1\n00:00:01,000 --> 00:00:03,000\nThe tide turns\n\n2\n00:00:05,000 --> 00:00:06,000\nat noon.\n"
    )
    report, talks = index(tmp_path, archive)
    assert [talk.source for talk in talks] == ["Tides.en.full.srt"]
    assert [Path(copy.path).name for copy in report.duplicates] == ["Tides.en.forced.srt"]


# --- Unicode forms and case ------------------------------------------------------------------------------------------


def test_names_meet_whatever_their_form_and_case(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    composed, apart = (unicodedata.normalize(form, "Über Brücken – Zoë") for form in ("NFC", "NFD"))
    (archive / f"{composed}.de.vtt").write_text(VTT)
    (archive / f"{apart}.EN.VTT").write_text(VTT.replace("noon", "one"))
    (archive / f"{apart}.INFO.JSON").write_text(json.dumps({"title": "Bridges", "upload_date": "20240312"}))
    (archive / f"{apart.upper()}.MP4").touch()
    _, (talk,) = index(tmp_path, archive)
    assert (talk.title, talk.date) == ("Bridges", "2024-03-12")
    assert talk.url is not None
    assert talk.url.endswith(".MP4")
    assert beside(archive / f"{composed}.de.vtt", f"{composed}.info.json") == archive / f"{apart}.INFO.JSON"


@pytest.mark.parametrize("stem", ["Über Brücken", "Žižkov ø", "Ångström", "서울의 골목", "がぎぐ"])
def test_an_id_does_not_depend_on_the_form_of_a_name(stem: str) -> None:
    ids = {
        slug(unicodedata.normalize(form, stem), unicodedata.normalize(form, f"Ä/{stem}.vtt")) for form in ("NFC", "NFD")
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Mosty w Łodzi", "mosty-w-lodzi"),
        ("Sørensen på Bornholm", "sorensen-pa-bornholm"),
        ("Große Flüsse", "grosse-flusse"),
        ("Đorđe", "dorde"),
        ("Ævar Þór", "aevar-thor"),
        ("Cœur", "coeur"),
        ("Iğdır", "igdir"),
        ("Plain talk", "plain-talk"),
        ("会议", "会议"),
        ("Сказка", "сказка"),
    ],
)
def test_ids_write_letters_plainly(stem: str, name: str) -> None:
    assert slug(stem, "x.vtt").rpartition("-")[0] == name


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.en.vtt", "a"), ("a.eng.vtt", "a.eng"), ("a.a.en.vtt", "a"), ("a.mp4.en.srt", "a"), ("a_en.vtt", "a_en")],
)
def test_an_id_does_not_change_with_what_is_known_of_tags(name: str, stem: str) -> None:
    assert id_stem(name) == stem


# --- recordings, titles, days ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("captions", "recordings", "found"),
    [
        ("33c3-17-eng-deu-On_tides.de.srt", "33c3-17-eng-deu-On_tides_hd.mp4 33c3-17-eng-deu-On_tides_mp3.mp3", 0),
        ("33c3-17-eng-deu-On_tides.en.srt", "33c3-17-eng-On_tides_webm-sd.webm", 0),
        ("GMT20240312-150000_Recording.transcript.vtt", "GMT20240312-150000_Recording_1920x1080.mp4", 0),
        ("GMT20240312-150000_Recording.cc.vtt", "GMT20240312-150000_Recording_avo_640x360.mp4", 0),
        ("GMT20240312-150000_Recording.cc.vtt", "GMT20240312-150000_Recording.m4a "
         "GMT20240312-150000_Recording_as_1280x720.mp4", 1),
        ("Tides.en.vtt", "Tides_1080p.mp4", 0),
        ("Tides.en.vtt", "Tides-720p.webm", 0),
        ("Tides.en.srt", "Tides (1080p_25fps_H264-128kbit_AAC).mp4", 0),
        ("Tides.en.srt", "Tides [1080p].mkv", 0),
        ("Tides.en.vtt", "Tides.f137.mp4 Tides.mkv", 1),
        ("TidesTalk_2009-480p-en.srt", "TidesTalk_2009-480p.mp4", 0),
        ("Tides_Captions_English (United States).txt", "Tides_default.mp4", 0),
        ("audio_transcript.vtt", "zoom_0.mp4", 0),
        ("Tides.en.vtt", "Other.mp4", None),
        ("Aim.vtt", "Aim for more.mp4", None),
    ],
)  # fmt: skip
def test_the_recording_of_captions(captions: str, recordings: str, found: int | None, tmp_path: Path) -> None:
    import shlex

    files = [recordings] if "(" in recordings or "[" in recordings or "more" in recordings else shlex.split(recordings)
    for name in files:
        (tmp_path / name).touch()
    expected = None if found is None else tmp_path / files[found]
    assert find_recording(tmp_path / captions) == expected


@pytest.mark.parametrize(
    ("stem", "title", "day"),
    [
        ("33c3-17-eng-deu-On_tides_and_boats", "On tides and boats", None),
        ("GMT20240312-150000_Recording", "Recording of 2024-03-12, 15:00 GMT", "2024-03-12"),
        ("2024-03-12 15.00.12 Weekly sync 12345678901", "Weekly sync", "2024-03-12"),
        ("Weekly sync-20240312_150000-Meeting Recording", "Weekly sync", "2024-03-12"),
        ("Weekly sync (2024-03-12 at 15:00 GMT-7)", "Weekly sync", "2024-03-12"),
        ("Weekly sync - 2024_03_12 15_00 CET - Recording", "Weekly sync", "2024-03-12"),
        ("2024-03-12 15-00-00", "2024-03-12 15-00-00", "2024-03-12"),
        ("y2mate.com - On tides_1080p", "On tides", None),
        ("On tides (1080p_25fps_H264-128kbit_AAC)", "On tides", None),
        ("Why HD", "Why HD", None),
        ("GMT20241399-150000_Recording", "GMT20241399-150000 Recording", None),
        ("acde_2026-02-12_230", "acde 2026-02-12 230", None),
    ],
)
def test_titles_and_days_in_names_that_programs_give(stem: str, title: str, day: str | None) -> None:
    assert (humanised(stem), recorded(without_quality(stem)).day) == (title, day)


def test_a_sidecar_is_found_beside_captions_of_another_quality(tmp_path: Path) -> None:
    (tmp_path / "Tides_1080p.info.json").write_text("{}")
    assert find_sidecar(tmp_path / "Tides.en.vtt") == tmp_path / "Tides_1080p.info.json"
    assert find_sidecar(tmp_path / "Tide.en.vtt") is None


def test_the_language_that_is_spoken_speaks_where_a_name_says_it(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    for tag in ("de", "en"):
        (archive / f"36c3-17-eng-deu-fra-On_tides.{tag}.srt").write_text(
            f"1\n00:00:01,000 --> 00:00:04,000\nIn {tag}: the tide turns.\n"
        )
    _, (talk,) = index(tmp_path, archive)
    assert (talk.source, talk.title, talk.language) == ("36c3-17-eng-deu-fra-On_tides.en.srt", "On tides", "en")


# --- chapters --------------------------------------------------------------------------------------------------------

PARTS = (Chapter(0, "Welcome"), Chapter(65_000, "The tide & the moon"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talk.chapters.vtt", "WEBVTT\n\n00:00.000 --> 01:05.000\nWelcome\n\n01:05.000 --> 02:00.000\n"
         "The tide &amp; the moon\n"),
        ("talk.chapters.srt", "1\n00:00:00,000 --> 00:01:05,000\nWelcome\n\n2\n00:01:05,000 --> 00:02:00,000\n"
         "The tide & the moon\n"),
        ("talk.chapters.txt", "0:00 Welcome\n1:05 The tide & the moon\n"),
        ("talk.chapters.txt", "00:00:00.000 Welcome\n00:01:05.000 The tide & the moon\n"),
        ("talk.chapters.txt", "CHAPTER01=00:00:00.000\nCHAPTER01NAME=Welcome\nCHAPTER02=00:01:05.000\n"
         "CHAPTER02NAME=The tide & the moon\n"),
        ("talk.chapters.txt", "0.000000\t65.000000\tWelcome\n65.000000\t120.000000\tThe tide & the moon\n"),
        ("talk.chapters.txt", ";FFMETADATA1\ntitle=x\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=65000\ntitle=Welcome\n"
         "[CHAPTER]\nTIMEBASE=1/1000\nSTART=65000\nEND=120000\ntitle=The tide & the moon\n"),
        ("talk.chapters.json", '{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Welcome"}, '
         '{"startTime": 65, "title": "The tide & the moon"}]}'),
        ("talk.chapters.json", '{"chapters": [{"start_time": "0.000", "tags": {"title": "Welcome"}}, '
         '{"start_time": "65.0", "tags": {"title": "The tide & the moon"}}]}'),
        ("talk.chapters.json", '[{"start": "00:00:00.000", "title": "Welcome"}, '
         '{"start": "00:01:05.000", "title": "The tide & the moon"}]'),
        ("talk.chapters.json", '{"chapters": [{"startOffsetMs": 0, "title": "Welcome"}, '
         '{"startOffsetMs": 65000, "title": "The tide & the moon"}]}'),
        ("talk.chapters.xml", '<?xml version="1.0"?><psc:chapters xmlns:psc="http://podlove.org/simple-chapters">'
         '<psc:chapter start="0:00" title="Welcome"/><psc:chapter start="1:05" title="The tide &amp; the moon"/>'
         '</psc:chapters>'),
        ("talk.chapters.xml", "<Chapters><EditionEntry><ChapterAtom>"
         "<ChapterTimeStart>00:00:00.000000000</ChapterTimeStart><ChapterDisplay>"
         "<ChapterString>Welcome</ChapterString></ChapterDisplay></ChapterAtom><ChapterAtom>"
         "<ChapterTimeStart>00:01:05.000000000"
         "</ChapterTimeStart><ChapterDisplay><ChapterString>The tide &amp; the moon</ChapterString>"
         "</ChapterDisplay></ChapterAtom></EditionEntry></Chapters>"),
        ("talk-chapters.cue", 'FILE "a.mp3" MP3\n  TRACK 01 AUDIO\n    TITLE "Welcome"\n    INDEX 01 00:00:00\n'
         '  TRACK 02 AUDIO\n    TITLE "The tide & the moon"\n    INDEX 01 01:05:00\n'),
    ],
)  # fmt: skip
def test_chapters_beside_a_talk_in_many_forms(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "talk.en.vtt").write_text(VTT)
    assert find_chapters(tmp_path / "talk.en.vtt") == tmp_path / name
    assert read_chapters(tmp_path / name) == PARTS
    assert read_talk(tmp_path / "talk.en.vtt").chapters == PARTS


@pytest.mark.parametrize(
    "text", ["", "{", "<a", "[1, 2]", '{"chapters": 5}', "no times", "\0" * 40, '[{"start": true}]']
)
def test_broken_chapters_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "talk.chapters.json").write_text(text)
    assert read_chapters(tmp_path / "talk.chapters.json") == ()


def test_a_sidecars_chapters_come_first(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text(VTT)
    (tmp_path / "talk.chapters.txt").write_text("0:00 Welcome\n1:05 The tide & the moon\n")
    (tmp_path / "talk.info.json").write_text(json.dumps({"chapters": [{"start_time": 3, "title": "Own"}]}))
    sidecar = read_sidecar(tmp_path / "talk.vtt")
    assert sidecar is not None
    assert sidecar.chapters == (Chapter(3000, "Own"),)


def test_chapters_without_a_name_belong_to_the_only_talk_of_their_folder(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    for folder, names in {"one": ["Tides.en.vtt", "Tides.de.vtt"], "two": ["Boats.vtt", "Ropes.vtt"]}.items():
        (archive / folder).mkdir(parents=True)
        for name in names:
            (archive / folder / name).write_text(VTT.replace("noon", name))
        (archive / folder / "chapters.vtt").write_text(
            "WEBVTT\n\n00:00:00.000 --> 00:10:00.000\nWelcome\n\n00:10:00.000 --> 00:30:00.000\nQuestions\n"
        )
    report, talks = index(tmp_path, archive)
    found = {talk.source: [chapter.title for chapter in talk.chapters] for talk in talks}
    assert found == {"one/Tides.de.vtt": ["Welcome", "Questions"], "two/Boats.vtt": [], "two/Ropes.vtt": []}
    assert {Path(skipped.path).name for skipped in report.skipped} == {"chapters.vtt"}
    assert all("chapters" in skipped.reason for skipped in report.skipped)
    # A change to the chapters is seen.
    (archive / "one" / "chapters.vtt").write_text(
        "WEBVTT\n\n00:00:00.000 --> 00:10:00.000\nHello\n\n00:10:00.000 --> 00:30:00.000\nQuestions\n"
    )
    report, talks = index(tmp_path, archive)
    assert len(report.replaced) == 1
    assert {chapter.title for talk in talks for chapter in talk.chapters} == {"Hello", "Questions"}


# --- what was not said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("meeting_saved_chat.txt", "15:03:20\t From  Ana Ruiz : good morning\n"),
        ("log.txt", "15:03:20\t From  Ana Ruiz : good morning\n15:03:26\t From  Ben to Everyone : slides\n"),
        ("log.txt", "15:03:20 From Ana Ruiz to Everyone:\n\tgood morning\n15:03:26 From Ben to Everyone:\n\tslides\n"),
        ("log.txt", "10:03:20 De Ana Ruiz à Tous : bonjour\n10:03:25 De Ben à Tous : bonjour\n"),
        ("log.txt", "10:03:20 Von Ana Ruiz an Alle : hallo\n10:03:25 Von Ben an Alle : guten Tag\n"),
        ("_chat.txt", "[12/03/24, 15:03:20] Ana: hi\n[12/03/24, 15:03:25] Ben: hi there\n"),
        ("WhatsApp Chat with Ana.txt", "12/03/2024, 15:03 - Ana: hi\n12/03/2024, 15:04 - Ben: yes\n"),
        ("log.txt", "Ana, [12.03.2024 15:03]\nhi\n\nBen, [12.03.2024 15:04]\nhello\n"),
        ("log.txt", "[3/12/24 3:03 PM] Ana Ruiz\nhello all\n\n[3/12/24 3:04 PM] Ben Okafor\nhi\n"),
        ("log.txt", "[15:03] <ana> hi\n[15:04] <ben> hello\n[15:05] <ana> so\n"),
        ("GMT20240312-150000_RecordingnewChat.txt", "00:01:20\tAna: hello\n00:02:00\tBen: hi\n"),
        ("Weekly sync (2024-03-12 at 15:00 GMT) - Chat.txt", "00:01:20\tAna: hello\n00:02:00\tBen: hi\n"),
        ("tides.chat.json", '{"comments": [{"content_offset_seconds": 5, "message": {"body": "hi"}}]}'),
        ("tides.live_chat.json", '{"replayChatItemAction": {}}\n'),
        ("parts.vtt", "WEBVTT\n\n00:00.000 --> 05:00.000\nWelcome\n\n05:00.000 --> 20:00.000\n"
         "The flood of 1953\n\n20:00.000 --> 30:00.000\nQuestions\n"),
        ("chapters.srt", "1\n00:00:00,000 --> 00:00:40,000\nWelcome\n\n2\n00:00:40,000 --> 00:01:30,000\nQuestions\n"),
    ],
)  # fmt: skip
def test_what_was_not_said_is_left_out_with_the_reason(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UnspokenError, match=r"chat|chapters"):
        read_talk(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fireside chat.txt", "[00:01] Ana: hello\n[00:05] Ben: from the start, then\n"),
        ("log.txt", "00:00:20 Ana: From the start\n00:00:25 Ben: yes\n"),
        ("log.txt", "[2024-03-12 15:03:20] Ana: a very good morning to everybody who came so early\n"
            "[2024-03-12 15:03:25] Ben: and to all of you who came by boat as well\n"),
        ("log.txt", "0:15 De la musique: oui\n0:20 on y va\n0:33 bien\n0:40 fin\n"),
        ("meeting_saved_closed_caption.txt", "[Ana] 15:03:20\nGood morning.\n\n[Ben] 15:03:26\nMorning.\n"),
        ("chapters.vtt", VTT),
        ("slow.vtt", "WEBVTT\n\n00:00.000 --> 01:10.000\nBreathe in slowly.\n\n01:10.000 --> 02:20.000\n"
         "And breathe out, slowly.\n"),
    ],
)  # fmt: skip
def test_what_looks_like_a_chat_or_chapters_and_was_said(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert read_talk(tmp_path / name).cues


# --- segments --------------------------------------------------------------------------------------------------------


def segment(*cues: tuple[int, str]) -> str:
    rows = "\n".join(f"00:00:{at:02}.000 --> 00:00:{at + 2:02}.000\n{text}\n" for at, text in cues)
    return f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n{rows}\n"


def playlist(*names: str) -> str:
    return (
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n" + "".join(f"#EXTINF:5.0,\n{name}\n" for name in names) + "#EXT-X-ENDLIST\n"
    )


@pytest.fixture
def streamed(tmp_path: Path) -> Path:
    folder = tmp_path / "On tides" / "subs"
    folder.mkdir(parents=True)
    (folder / "seg10.webvtt").write_text(segment((1, "The tide turns."), (4, "At noon.")))
    (folder / "seg2.webvtt").write_text(segment((4, "At noon."), (8, "Then the boats leave.")))
    (folder / "index.m3u8").write_text(playlist("seg10.webvtt", "seg2.webvtt"))
    return folder


def test_the_segments_of_a_playlist_are_one_talk(streamed: Path, tmp_path: Path) -> None:
    report, (talk,) = index(tmp_path, streamed.parent)
    db = catalog.open_catalog(tmp_path / "index")
    cues = catalog_talks.read_cues(db, talk.id)
    assert [(cue.start_ms, cue.text) for cue in cues] == [
        (1000, "The tide turns."),
        (4000, "At noon."),
        (8000, "Then the boats leave."),
    ]
    assert (talk.title, talk.source, report.skipped, report.other_files) == ("On tides", "subs/index.m3u8", [], 2)
    data = read_file(streamed / "index.m3u8")
    assert replay(data, "index.m3u8", talk.receipt) == tuple(cues)
    # A segment that changes is read again.
    (streamed / "seg2.webvtt").write_text(segment((4, "At noon."), (8, "Then they leave.")))
    report, _ = index(tmp_path, streamed.parent)
    assert len(report.replaced) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a/b/seg2.webvtt?token=1",
        "https://[none/seg2.webvtt",
        "SEG2.WEBVTT",
        "./seg2.webvtt",
        "/vod/seg2.webvtt",
    ],
)
def test_segments_are_found_however_they_are_addressed(address: str, streamed: Path) -> None:
    (streamed / "index.m3u8").write_text(playlist("seg10.webvtt", address))
    assert is_segment(streamed / "seg2.webvtt")
    assert len(read_talk(streamed / "index.m3u8").cues) == 3


def test_segments_in_a_folder_below(streamed: Path) -> None:
    (streamed.parent / "main.m3u8").write_text(playlist("subs/seg10.webvtt", "subs/seg2.webvtt"))
    (streamed / "index.m3u8").unlink()
    assert is_segment(streamed / "seg2.webvtt")
    assert len(read_talk(streamed.parent / "main.m3u8").cues) == 3


def test_segments_that_are_missing_are_said(streamed: Path) -> None:
    (streamed / "seg2.webvtt").unlink()
    assert missing_segments(streamed / "index.m3u8") == "1 of the 2 segments that the playlist names are not there."
    assert any("not there" in note for note in read_talk(streamed / "index.m3u8").receipt.uncertain)
    (streamed / "seg10.webvtt").unlink()
    with pytest.raises(UnreadableError, match="None of the segments"):
        read_talk(streamed / "index.m3u8")


def test_a_playlist_of_a_recording_is_none_of_captions(streamed: Path) -> None:
    (streamed / "video.m3u8").write_text(playlist("a.ts", "b.ts"))
    with pytest.raises(UnspokenError):
        read_talk(streamed / "video.m3u8")


def test_numbered_files_without_a_playlist_stay_what_they_are(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    for number in (1, 2):
        (archive / f"part{number}.vtt").write_text(VTT.replace("noon", str(number)))
    assert len(index(tmp_path, archive)[1]) == 2


# --- two languages in one file ---------------------------------------------------------------------------------------

ENGLISH = [
    "The tide turns at noon and the boats leave the harbour.",
    "The men on the quay wait for the first of the boats.",
    "It is the second time that the water is so high in the year.",
    "And the old man says that it was higher when he was young.",
    "The bridge to the island is closed in the winter.",
    "We go to the market on the other side of the river.",
]
GERMAN = [
    "Die Flut kommt am Mittag und die Boote verlassen den Hafen.",
    "Die Männer am Kai warten auf das erste von den Booten.",
    "Es ist das zweite Mal, dass das Wasser im Jahr so hoch ist.",
    "Und der alte Mann sagt, dass es höher war, als er jung war.",
    "Die Brücke zu der Insel ist im Winter geschlossen.",
    "Wir gehen zu dem Markt auf der anderen Seite von dem Fluss.",
]
RUSSIAN = ["Прилив начинается в полдень.", "Люди ждут на причале.", "Вода очень высокая.", "Мост закрыт."]
JAPANESE = ["正午に潮が変わります。", "人々は岸で待ちます。", "水がとても高いです。", "橋は閉まっています。"]


def srt(*texts: str, twins: int = 1) -> str:
    starts = [at // twins * 4 for at in range(len(texts))]
    return "".join(
        f"{at}\n00:00:{start:02},000 --> 00:00:{start + 3:02},000\n{text}\n\n"
        for at, (start, text) in enumerate(zip(starts, texts, strict=True), 1)
    )


@pytest.mark.parametrize(
    ("first", "second"), [(ENGLISH, RUSSIAN), (JAPANESE, ENGLISH), (RUSSIAN, JAPANESE), (ENGLISH, GERMAN)]
)
@pytest.mark.parametrize("twins", [False, True])
def test_two_languages_at_once_are_said_and_kept(
    first: list[str], second: list[str], twins: bool, tmp_path: Path
) -> None:
    pairs = list(zip(first, second, strict=False))
    text = srt(*(one for pair in pairs for one in pair), twins=2) if twins else srt(*map("\n".join, pairs))
    (tmp_path / "talk.srt").write_text(text)
    talk = read_talk(tmp_path / "talk.srt")
    said = " ".join(cue.text for cue in talk.cues)
    assert all(one in said for pair in pairs for one in pair)
    assert any("two languages at once" in note for note in talk.receipt.uncertain)


@pytest.mark.parametrize(
    "texts",
    [
        [f"{ENGLISH[at]}\n{ENGLISH[(at + 1) % 6]}" for at in range(6)],
        [f"{one}\nby the river" for one in ENGLISH],
        JAPANESE,
        ["NATO が言いました。", "潮が変わります。", "OK\nはい", "橋は閉まっています。"],
    ],
)
def test_what_is_in_one_language_at_a_time(texts: list[str], tmp_path: Path) -> None:
    (tmp_path / "talk.srt").write_text(srt(*texts))
    assert not any("at once" in note for note in read_talk(tmp_path / "talk.srt").receipt.uncertain)
