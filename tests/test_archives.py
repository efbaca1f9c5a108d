"""Folders as other programs leave them: every line of docs/archives.md that says what is found, and what is not."""

from __future__ import annotations

import json
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from fakes import CountingEncoder

from talksearch.indexer.errors import UnreadableError, UnspokenError
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.pipeline.scan import scan_file
from talksearch.indexer.records import Talk
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.talks import catalogue, media_tags, nfo, sidecar
from talksearch.indexer.talks.read import read_talk, talks_under
from talksearch.indexer.talks.track_names import split_name

SAID = (
    "The lighthouse keeper wrote down every ship that passed during the storm.",
    "Nobody had told her that the lamp would burn all the oil in one night.",
    "In the morning she walked to the village and borrowed what was left.",
    "The people there gave her bread and a new wick for the lamp.",
)
SRT = "".join(
    f"{i + 1}\n00:00:{i * 5:02d},000 --> 00:00:{i * 5 + 4:02d},000\n{line}\n\n" for i, line in enumerate(SAID)
)
VTT = "WEBVTT\nKind: captions\nLanguage: en\n" + "".join(
    f"\n{i + 1}\n00:00:{i * 5:02d}.000 --> 00:00:{i * 5 + 4:02d}.000\n{line}\n" for i, line in enumerate(SAID)
)
VIDEO = "DTcRLlMv4_o"
WATCH = f"https://www.youtube.com/watch?v={VIDEO}"
CHANNEL = "UCabcdefghijklmnopqrstuv"
SESSION = "a1b2c3d4-aaaa-bbbb-cccc-1234567890ab"
VIEWER = f"https://u.hosted.panopto.com/Panopto/Pages/Viewer.aspx?id={SESSION}"


def _files(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def _index(tmp_path: Path, files: dict[str, str | bytes]) -> tuple[Report, list[Talk]]:
    folder = _files(tmp_path / "archive", files)
    report = build_index(tmp_path / "made", [folder], encoder=CountingEncoder(), processes=1)
    return report, list(catalog_talks.read_talks(catalog.open_catalog(tmp_path / "made")))


def _read(tmp_path: Path, files: dict[str, str | bytes]) -> tuple[list[str], Talk]:
    """Return why all other files are none, and the one talk."""
    found = [one for _, one in talks_under(_files(tmp_path / "archive", files))]
    (talk,) = [one for one in found if isinstance(one, Talk)]
    return [one.message for one in found if isinstance(one, UnreadableError)], talk


def _one(tmp_path: Path, files: dict[str, str | bytes]) -> Talk:
    return _read(tmp_path, files)[1]


def _facts(talk: Talk) -> tuple[str, str | None, str | None, str | None]:
    return talk.title, talk.channel, talk.date, talk.url


def _nfo(video: str = VIDEO, more: str = "") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<episodedetails>
  <title>On Tides &amp; Lamps</title>
  <showtitle>Harbour Talks</showtitle>
  <uniqueid type="youtube" default="true">{video}</uniqueid>
  <plot>What the tide does.
And the lamp.</plot>
  <aired>2024-03-12</aired>
  <season>2024</season>
  <episode>0312</episode>
  {more}
</episodedetails>
"""


# --- Pinchflat, TubeSync, ytdl-sub, Kodi, Jellyfin -------------------------------------------------------------------


def test_pinchflat_as_it_names_files_by_default(tmp_path: Path) -> None:
    base = f"Harbour/2024-03-12 On Tides/On Tides [{VIDEO}]"
    report, (talk,) = _index(
        tmp_path,
        {f"{base}.mp4": b"", f"{base}.en.srt": SRT, f"{base}.nfo": _nfo(), f"{base}-thumb.jpg": b"\xff\xd8"},
    )
    assert _facts(talk) == ("On Tides & Lamps", "Harbour Talks", "2024-03-12", WATCH)
    assert (talk.id, talk.description, talk.language) == (VIDEO, "What the tide does.\nAnd the lamp.", "en")
    assert not report.skipped


def test_pinchflat_without_metadata_has_the_day_of_its_folder_and_no_channel(tmp_path: Path) -> None:
    base = f"Harbour/2024-03-12 On Tides/On Tides [{VIDEO}]"
    talk = _one(tmp_path, {f"{base}.mp4": b"", f"{base}.en.srt": SRT})
    assert _facts(talk) == ("On Tides", None, "2024-03-12", WATCH)


def test_pinchflat_for_media_servers(tmp_path: Path) -> None:
    base = "shows/Harbour/Season 2024/s2024e031201 - On Tides"
    talk = _one(
        tmp_path,
        {
            f"{base}.mp4": b"",
            f"{base}.en.srt": SRT,
            f"{base}.nfo": _nfo(),
            "shows/Harbour/tvshow.nfo": "<tvshow><title>Harbour Talks</title></tvshow>",
        },
    )
    assert (talk.id, *_facts(talk)) == (VIDEO, "On Tides & Lamps", "Harbour Talks", "2024-03-12", WATCH)


def test_pinchflat_for_media_servers_without_nfo_has_its_name_and_a_recording_that_plays(tmp_path: Path) -> None:
    base = "shows/Harbour/Season 2024/s2024e031201 - On Tides"
    talk = _one(tmp_path, {f"{base}.mp4": b"", f"{base}.en.srt": SRT})
    assert (talk.title, talk.channel, talk.date) == ("On Tides", None, "2024-03-12")
    assert (talk.url or "").endswith("On%20Tides.mp4")


def test_an_info_json_goes_before_an_nfo_which_fills_what_it_leaves_open(tmp_path: Path) -> None:
    info = json.dumps({"id": VIDEO, "extractor": "youtube", "title": "On Tides", "duration": 20})
    talk = _one(tmp_path, {"a.en.srt": SRT, "a.info.json": info, "a.nfo": _nfo()})
    assert _facts(talk) == ("On Tides", "Harbour Talks", "2024-03-12", WATCH)
    assert talk.duration_ms == 20_000


def test_tubesync_names_the_video_in_the_middle(tmp_path: Path) -> None:
    base = f"harbour/2024-03-12_harbour_on-tides_{VIDEO}_1080p-avc1-opus"
    more = "<runtime>20</runtime><studio>Harbour Uploads</studio><ratings><rating><value>5</value></rating></ratings>"
    talk = _one(tmp_path, {f"{base}.mkv": b"", f"{base}.en.vtt": VTT, f"{base}.nfo": _nfo(more=more)})
    assert (talk.id, *_facts(talk)) == (VIDEO, "On Tides & Lamps", "Harbour Talks", "2024-03-12", WATCH)
    assert talk.duration_ms is None  # minutes for Kodi, seconds for TubeSync


def test_ytdl_sub_writes_the_day_before_the_title_and_the_address_before_the_description(tmp_path: Path) -> None:
    base = "Harbour/Season 2024/s2024.e031201 - On Tides"
    written = (
        "<episodedetails><genre>ytdl-sub</genre><season>2024</season><episode>31201</episode>"
        f"<title>2024-03-12 - On Tides</title><plot>{WATCH}\n\nWhat the tide does.</plot><year>2024</year>"
        "<aired>2024-03-12</aired></episodedetails>"
    )
    show = "<tvshow><title>Harbour Talks</title><genre>ytdl-sub</genre></tvshow>"
    files = {f"{base}.mp4": b"", f"{base}.en.srt": SRT, f"{base}.nfo": written, "Harbour/tvshow.nfo": show}
    talk = _one(tmp_path, {**files, "Harbour/.ytdl-sub-harbour-download-archive.json": "{}"})
    assert _facts(talk) == ("On Tides", "Harbour Talks", "2024-03-12", WATCH)
    assert talk.description == "What the tide does."


def test_jellyfin_keeps_a_film_in_a_folder_of_its_own(tmp_path: Path) -> None:
    details = (
        "<movie><title>On Tides</title><premiered>2024-03-12</premiered><studio>Harbour</studio>"
        "<actor><name>Ana Ruiz</name><role>Speaker</role></actor><fileinfo><streamdetails>"
        "<video><durationinseconds>20</durationinseconds></video><audio><language>eng</language></audio>"
        "</streamdetails></fileinfo></movie>\nhttps://www.example.org/film/1\n"
    )
    talk = _one(tmp_path, {"tides/video.mp4": b"", "tides/video.srt": SRT, "tides/movie.nfo": details})
    assert (talk.title, talk.channel, talk.speaker, talk.date) == ("On Tides", "Harbour", "Ana Ruiz", "2024-03-12")
    assert (talk.duration_ms, talk.language) == (20_000, "en")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"<episodedetails>",
        b"<episodedetails><title>" + b"x" * 1_100_000,
        b'<!DOCTYPE x [<!ENTITY a "b">]><episodedetails><title>&a;</title></episodedetails>',
        b"<season><title>Season 1</title></season>",
        b"      .::  SOME GROUP  ::.      ",
        b"<movie>" + b"<a>" * 200,
    ],
)
def test_an_nfo_that_cannot_be_read_says_nothing_and_stops_nothing(tmp_path: Path, content: bytes) -> None:
    talk = _one(tmp_path, {"on-tides.srt": SRT, "on-tides.nfo": content})
    assert (talk.title, talk.channel) == ("on tides", None)


def test_an_nfo_in_another_code_page_is_text(tmp_path: Path) -> None:
    written = '<?xml version="1.0" encoding="windows-1252"?><movie><title>Über die Flut für Anfänger</title></movie>'
    talk = _one(tmp_path, {"flut.srt": SRT, "flut.nfo": written.encode("cp1252")})
    assert talk.title == "Über die Flut für Anfänger"


def test_text_of_an_nfo_that_was_read_in_the_wrong_code_page_is_repaired(tmp_path: Path) -> None:
    wrong = "Über die Flut für Anfänger".encode().decode("cp1252")
    talk = _one(tmp_path, {"flut.srt": SRT, "flut.nfo": f"<movie><title>{wrong}</title></movie>"})
    assert talk.title == "Über die Flut für Anfänger"


def test_of_several_actors_none_is_the_speaker_and_a_year_is_no_day(tmp_path: Path) -> None:
    actors = "<actor><name>Ana</name></actor><actor><name>Ben</name></actor>"
    talk = _one(tmp_path, {"a.srt": SRT, "a.nfo": f"<movie><title>Tides</title><year>2024</year>{actors}</movie>"})
    assert (talk.title, talk.speaker, talk.date) == ("Tides", None, None)


# --- TubeArchivist ---------------------------------------------------------------------------------------------------


def _document(**more: Any) -> dict[str, Any]:
    return {
        "youtube_id": VIDEO,
        "title": "On Tides",
        "description": "What the tide does.",
        "published": "2024-03-12",
        "channel": {"channel_name": "Harbour Talks", "channel_id": CHANNEL},
        "player": {"duration": 20, "watched": False},
        **more,
    }


def _backup(index: str, *documents: dict[str, Any]) -> str:
    lines = []
    for document in documents:
        lines += [json.dumps({"index": {"_index": f"ta_{index}", "_id": "x"}}), json.dumps(document)]
    return "\n".join([*lines, "\n"])


def _atom(name: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return struct.pack(">I", 8 + len(body)) + name + body


def _mp4(*tags: bytes) -> bytes:
    handler = _atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    meta = _atom(b"meta", bytes(4), handler, _atom(b"ilst", *tags))
    return _atom(b"ftyp", b"isom\0\0\2\0isom") + _atom(b"moov", _atom(b"udta", meta))


def _tag(name: bytes, text: str) -> bytes:
    return _atom(name, _atom(b"data", struct.pack(">II", 1, 0), text.encode()))


def _free_form(mean: str, name: str, text: str) -> bytes:
    parts = (_atom(b"mean", bytes(4), mean.encode()), _atom(b"name", bytes(4), name.encode()))
    return _atom(b"----", *parts, _atom(b"data", struct.pack(">II", 1, 0), text.encode()))


def test_tubearchivist_as_it_lies_gives_links_and_no_titles(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{CHANNEL}/{VIDEO}.mp4": b"", f"{CHANNEL}/{VIDEO}.en.vtt": VTT}
    talk = _one(tmp_path, files)
    assert (talk.id, *_facts(talk)) == (VIDEO, VIDEO, None, None, WATCH)


def test_in_the_folder_of_a_channel_every_name_of_eleven_signs_is_an_id(tmp_path: Path) -> None:
    talk = _one(tmp_path, {f"{CHANNEL}/lightning-x.en.vtt": VTT})
    assert (talk.id, talk.url) == ("lightning-x", "https://www.youtube.com/watch?v=lightning-x")
    elsewhere = _one(tmp_path / "other", {"talks/lightning-x.en.vtt": VTT})
    assert elsewhere.youtube_id is None


@pytest.mark.parametrize("where", ["", f"{CHANNEL}/"])
def test_tubearchivists_backup_beside_or_above_gives_the_rest(tmp_path: Path, where: str) -> None:
    other = _document(youtube_id="yLY7iMLTaoE", title="On Lamps")
    backup = _backup("video", other, _document())
    talk = _one(tmp_path, {f"{CHANNEL}/{VIDEO}.en.vtt": VTT, f"{where}es_video-20240501-0.json": backup})
    assert _facts(talk) == ("On Tides", "Harbour Talks", "2024-03-12", WATCH)
    assert (talk.duration_ms, talk.description) == (20_000, "What the tide does.")


def test_what_tubearchivist_embeds_gives_the_rest(tmp_path: Path) -> None:
    embedded = _free_form("com.tubearchivist", "ta", json.dumps({"video": _document(), "comments": None}))
    recording = _mp4(_tag(b"\xa9nam", "Another title"), embedded)
    talk = _one(tmp_path, {f"{CHANNEL}/{VIDEO}.mp4": recording, f"{CHANNEL}/{VIDEO}.en.vtt": VTT})
    assert _facts(talk) == ("On Tides", "Harbour Talks", "2024-03-12", WATCH)


@pytest.mark.parametrize("index", ["subtitle", "comment", "channel", "playlist", "video"])
def test_no_part_of_a_backup_is_a_talk(tmp_path: Path, index: str) -> None:
    lines = [
        {
            "youtube_id": VIDEO,
            "subtitle_line": line,
            "subtitle_start": f"00:00:0{i}.000",
            "subtitle_end": "00:00:09.000",
        }
        for i, line in enumerate(SAID)
    ]
    reasons, _ = _read(tmp_path, {"talk.srt": SRT, f"es_{index}-20240501-0.json": _backup(index, *lines)})
    assert ["backup of TubeArchivist" in reason for reason in reasons] == [True]


# --- castget, gPodder, feeds -----------------------------------------------------------------------------------------

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0">
<channel><title>Harbour Talks</title><language>en-us</language>
<item><title>On Lamps</title><guid>1</guid><enclosure url="https://cdn.example.org/41.mp3" type="audio/mpeg"/></item>
<item><title>On Tides &amp; Lamps</title><guid>1</guid><link>https://talks.example.org/42</link>
<description>&lt;p&gt;What the &lt;b&gt;tide&lt;/b&gt; does.&lt;/p&gt;</description>
<pubDate>Tue, 12 Mar 2024 15:00:00 GMT</pubDate><itunes:duration>0:20</itunes:duration>
<podcast:person role="guest">Ana Ruiz</podcast:person>
<enclosure url="https://cdn.example.org/a/ep42.mp3?source=rss&amp;x=1" type="audio/mpeg" length="1"/></item>
</channel></rss>
"""


@pytest.mark.parametrize("stem", ["ep42", "On Tides Lamps", "2024-03-12 On Tides & Lamps"])
def test_a_feed_beside_its_files_describes_them(tmp_path: Path, stem: str) -> None:
    reasons, talk = _read(tmp_path, {f"{stem}.mp3": b"", f"{stem}.srt": SRT, "feed.xml": FEED})
    assert _facts(talk) == (
        "On Tides & Lamps",
        "Harbour Talks",
        "2024-03-12",
        "https://cdn.example.org/a/ep42.mp3?source=rss&x=1",
    )
    assert (talk.speaker, talk.duration_ms, talk.description) == ("Ana Ruiz", 20_000, "What the tide does.")
    assert ["This is a feed" in reason for reason in reasons] == [True]


def test_the_page_of_an_episode_is_its_address_where_it_opens_at_a_second(tmp_path: Path) -> None:
    feed = FEED.replace("https://talks.example.org/42", "https://harbour.fireside.fm/42")
    assert _one(tmp_path, {"ep42.srt": SRT, "feed.xml": feed}).url == "https://harbour.fireside.fm/42"


def test_a_feed_that_is_no_xml_any_more_or_names_two_alike_says_nothing(tmp_path: Path) -> None:
    twice = FEED.replace("On Lamps", "On Tides &amp; Lamps")
    talk = _one(tmp_path, {"on tides lamps.srt": SRT, "feed.rss": twice, "other.xml": "<rss><channel><title>x"})
    assert (talk.title, talk.channel) == ("on tides lamps", None)


def test_two_episodes_with_one_guid_stay_two_talks(tmp_path: Path) -> None:
    other = SRT.replace("lighthouse", "greenhouse").replace("ship", "bee")
    _, talks = _index(tmp_path, {"ep42.srt": SRT, "41.srt": other, "feed.xml": FEED})
    assert sorted(talk.title for talk in talks) == ["On Lamps", "On Tides & Lamps"]


def _id3(**frames: str) -> bytes:
    body = b"".join(
        name.encode() + struct.pack(">IH", len(text.encode("utf-16")) + 1, 0) + b"\1" + text.encode("utf-16")
        for name, text in frames.items()
    )
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + body + b"\xff\xfb\x90\x00" + bytes(413)


def test_castget_writes_tags_and_keeps_addresses(tmp_path: Path) -> None:
    kept = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<channel version="1.0" rsslastfetched="Tue, 12 Mar 2024 15:00:00 GMT">\n'
        '  <enclosure url="https://cdn.example.org/a/ep42-tides.mp3?x=1&amp;y=2" downloadtime="Tue, 12 Mar 2024"/>\n'
        "</channel>\n"
    )
    recording = _id3(TIT2="On Tides", TALB="Harbour Talks", TPE1="Ana Ruiz", TYER="2024")
    files: dict[str, str | bytes] = {
        "ep42-tides.mp3": recording,
        "ep42-tides.srt": SRT,
        "all.m3u": "/pods/ep42-tides.mp3\n",
    }
    reasons, talk = _read(tmp_path, files)
    assert (talk.title, talk.channel, talk.speaker) == ("On Tides", "Harbour Talks", "Ana Ruiz")
    assert talk.date is None  # a year is no day
    assert (talk.url or "").startswith("file:")
    assert len(reasons) == 1
    (tmp_path / "again").mkdir()
    reasons, talk = _read(tmp_path / "again", {**files, "harbour.xml": kept})
    assert talk.url == "https://cdn.example.org/a/ep42-tides.mp3?x=1&y=2"
    assert talk.title == "On Tides"
    assert any("castget" in reason for reason in reasons)


def test_gpodder_keeps_titles_as_names_and_tags(tmp_path: Path) -> None:
    recording = _id3(TIT2="On Tides", TALB="Harbour Talks")
    base = "Downloads/Harbour Talks/On_Tides"
    talk = _one(tmp_path, {f"{base}.mp3": recording, f"{base}.vtt": VTT, "Downloads/Harbour Talks/folder.jpg": b"x"})
    assert (talk.title, talk.channel) == ("On Tides", "Harbour Talks")


def test_yt_dlps_tags_give_address_day_and_channel(tmp_path: Path) -> None:
    tags = (
        _tag(b"\xa9nam", "On Tides"),
        _tag(b"\xa9ART", "Harbour Talks"),
        _tag(b"\xa9day", "20240312"),
        _tag(b"desc", "What the tide does."),
        _tag(b"\xa9cmt", WATCH),
    )
    talk = _one(tmp_path, {"On Tides.mp4": _mp4(*tags), "On Tides.en.vtt": VTT})
    assert (talk.id, *_facts(talk)) == (VIDEO, "On Tides", "Harbour Talks", "2024-03-12", WATCH)
    assert talk.description == "What the tide does."


def test_tags_are_asked_only_where_nothing_else_describes_a_talk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise AssertionError("the recording was opened")

    monkeypatch.setattr(media_tags, "read_tags", refuse)
    _files(tmp_path, {"a.mp4": _mp4(_tag(b"\xa9nam", "Else")), "a.srt": SRT, "a.nfo": _nfo()})
    assert read_talk(tmp_path / "a.srt").title == "On Tides & Lamps"


def test_a_title_alone_among_the_tags_is_not_the_talks(tmp_path: Path) -> None:
    talk = _one(tmp_path, {"on-tides.mp4": _mp4(_tag(b"\xa9nam", "untitled-3")), "on-tides.srt": SRT})
    assert talk.title == "on tides"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"ID3\3\0\0\x7f\x7f\x7f\x7f",
        _mp4()[:-30],
        _atom(b"ftyp", b"isom") + struct.pack(">I", 1) + b"moov",
    ],
)
def test_damaged_recordings_have_no_tags_and_stop_nothing(tmp_path: Path, content: bytes) -> None:
    for ending in ("mp3", "mp4", "m4a", "ogg", "flac", "mkv"):
        _files(tmp_path, {f"on-tides.{ending}": content})
        assert media_tags.read_tags(tmp_path / f"on-tides.{ending}") is None
    assert read_talk(_files(tmp_path, {"on-tides.srt": SRT}) / "on-tides.srt").title == "on tides"


def test_a_recording_whose_content_is_elsewhere_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    with path.open("wb") as file:
        file.truncate(5_000_000)  # no block of it is on this disk
    if path.stat().st_blocks:
        pytest.skip("this file system keeps blocks for holes")
    assert media_tags.read_tags(path) is None


# --- Kaltura ---------------------------------------------------------------------------------------------------------

ENTRY = "1_xuw9zvsc"
PLAYS = f"https://cdn.example.org/p/101/sp/10100/playManifest/entryId/{ENTRY}/format/url/protocol/https"
BY_SCRIPT = f"2024-05-22_{ENTRY}_On_Tides__English"
MEDIA = {
    "objectType": "KalturaMediaEntry",
    "id": ENTRY,
    "name": "On Tides: a talk",
    "description": "What the tide does.",
    "createdAt": 1716336000,
    "duration": 20,
    "msDuration": 20400,
    "categories": "Harbour>Lectures,Harbour>Sea",
    "dataUrl": PLAYS,
}
CUE_POINTS = [
    {"objectType": "KalturaThumbCuePoint", "entryId": ENTRY, "startTime": 10000, "title": "Oil", "subType": 2},
    {"objectType": "KalturaThumbCuePoint", "entryId": ENTRY, "startTime": 0, "title": "Storm", "subType": 2},
    {"objectType": "KalturaThumbCuePoint", "entryId": ENTRY, "startTime": 5000, "title": "Slide 7", "subType": 1},
]
TABLE = (
    "Entry ID,Entry Name,UserId,Email,Name,Tags,Duration,Status,Created At,CaptionsID,Category IDs,Category Names\n"
    f'{ENTRY},On Tides a talk,ana,ana@example.org,Ana Ruiz,"sea,ships",20,2,"2024-May-22, 03:19am",'
    '"1_capt1234,1_capt5678","12","Harbour>Lectures"\n'
)
MRSS = f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Harbour</title><items>
<item><entryId>{ENTRY}</entryId><createdAt>1716336000</createdAt><title>On Tides: a talk</title>
<link>https://harbour.mediaspace.kaltura.com/media/t/{ENTRY}</link><description>What the tide does.</description>
<media><mediaType>1</mediaType><duration>20400</duration></media>
<content url="https://cdn.example.org/x/a.mp4" extension="mp4"/>
<subTitle captionAssetId="1_capt1234" lang="English" href="https://cdn.example.org/x.srt"/>
<scenes><scene-thumb-cue-point><sceneStartTime>00:00:10.000</sceneStartTime><title>Oil</title><subType>2</subType>
</scene-thumb-cue-point></scenes></item></items></channel></rss>
"""
XML = f"""<?xml version="1.0" encoding="utf-8"?>
<xml><result><objectType>KalturaMediaListResponse</objectType><objects><item>
<objectType>KalturaMediaEntry</objectType><id>{ENTRY}</id><name>On Tides: a talk</name><createdAt>1716336000</createdAt>
<msDuration>20400</msDuration><dataUrl>{PLAYS}</dataUrl></item></objects><totalCount>1</totalCount></result></xml>
"""


def test_captions_as_a_script_takes_them_from_kaltura_are_tracks_of_one_talk(tmp_path: Path) -> None:
    names = (f"{BY_SCRIPT}.srt", f"{BY_SCRIPT}__auto-generated_.srt")
    _, (talk,) = _index(tmp_path, dict.fromkeys(names, SRT))
    assert (talk.title, talk.date, talk.language) == ("On Tides", "2024-05-22", "en")
    assert talk.source == names[0]  # what people wrote speaks
    assert split_name(names[1]).kinds == {"auto"}


@pytest.mark.parametrize(
    ("name", "content", "length"),
    [
        (
            "entries.json",
            json.dumps({"objectType": "KalturaMediaListResponse", "objects": [MEDIA], "totalCount": 1}),
            20_400,
        ),
        ("1_xuw9zvsc.json", json.dumps(MEDIA), 20_400),
        ("dump.csv", TABLE, 20_000),
        ("feed.xml", MRSS, 20_400),
        ("entries.xml", XML, 20_400),
    ],
)
def test_an_export_of_kaltura_beside_captions_describes_them(
    tmp_path: Path, name: str, content: str, length: int
) -> None:
    reasons, talk = _read(tmp_path, {f"{BY_SCRIPT}.srt": SRT, name: content})
    assert (talk.title.replace(":", ""), talk.date, talk.duration_ms) == ("On Tides a talk", "2024-05-22", length)
    assert ["it describes talks" in reason for reason in reasons] == [True]


def test_kalturas_entry_has_channel_and_address_and_no_speaker(tmp_path: Path) -> None:
    talk = _one(tmp_path, {f"{ENTRY}.vtt": VTT, "entries.json": json.dumps([MEDIA])})
    assert _facts(talk) == ("On Tides: a talk", "Lectures", "2024-05-22", PLAYS)
    assert talk.speaker is None  # the owner of an entry is whoever uploaded it


def test_a_table_of_kaltura_has_no_address_and_no_description(tmp_path: Path) -> None:
    talk = _one(tmp_path, {f"{ENTRY}.vtt": VTT, "dump.csv": TABLE})
    assert (talk.title, talk.channel, talk.url, talk.description) == ("On Tides a talk", "Lectures", None, "")


def test_kalturas_feed_has_the_page_and_the_chapters(tmp_path: Path) -> None:
    talk = _one(tmp_path, {"1_capt1234.srt": SRT, "mrss.xml": MRSS})
    assert talk.url == f"https://harbour.mediaspace.kaltura.com/media/t/{ENTRY}"
    assert [(chapter.start_ms, chapter.title) for chapter in talk.chapters] == [(10_000, "Oil")]


def test_captions_named_by_their_own_ids_are_of_the_entry_that_lists_them(tmp_path: Path) -> None:
    _, (talk,) = _index(
        tmp_path, {"1_capt1234.srt": SRT, "1_capt5678.srt": SRT.replace("oil", "all"), "dump.csv": TABLE}
    )
    assert (talk.title, talk.channel) == ("On Tides a talk", "Lectures")


def test_kalturas_cue_points_are_chapters_where_they_say_so(tmp_path: Path) -> None:
    listed = {"objectType": "KalturaCuePointListResponse", "objects": CUE_POINTS}
    assets = [{"objectType": "KalturaCaptionAsset", "id": "1_capt1234", "entryId": ENTRY}]
    files = {"media.json": json.dumps([MEDIA]), "cuepoints.json": json.dumps(listed), "assets.json": json.dumps(assets)}
    talk = _one(tmp_path, {f"{ENTRY}.srt": SRT, **files})
    assert [(chapter.start_ms, chapter.title) for chapter in talk.chapters] == [(0, "Storm"), (10_000, "Oil")]
    assert talk.title == "On Tides: a talk"


def test_what_a_caption_asset_holds_is_said(tmp_path: Path) -> None:
    items = [
        {"objectType": "KalturaCaptionAssetItem", "startTime": i * 5000, "endTime": i * 5000 + 4000, "content": line}
        for i, line in enumerate(SAID)
    ]
    listed = {"objectType": "KalturaCaptionAssetItemListResponse", "objects": items}
    talk = _one(tmp_path, {"captions.json": json.dumps(listed)})
    assert [cue.text for cue in talk.cues] == list(SAID)


# --- Panopto ---------------------------------------------------------------------------------------------------------

SESSION_JSON = json.dumps(
    {
        "Id": SESSION,
        "Name": "Lecture 3: Tides",
        "Description": "What the tide does.",
        "StartTime": "2024-03-12T15:00:00.000Z",
        "Duration": 20.5,
        "MostRecentViewPosition": 0,
        "CreatedBy": {"Id": SESSION, "Username": "ana"},
        "Urls": {"ViewerUrl": VIEWER, "DownloadUrl": "https://u.example.org/x"},
        "Folder": SESSION,
        "FolderDetails": {"Id": SESSION, "Name": "Physics"},
    }
)
DELIVERY_JSON = json.dumps(
    {
        "SessionId": SESSION,
        "Delivery": {
            "SessionName": "Lecture 3: Tides",
            "SessionAbstract": "What the tide does.",
            "Duration": 20.5,
            "SessionStartTime": 13354729200,
            "SessionGroupLongName": "Physics",
            "Contributors": [{"DisplayName": "Ana Ruiz"}],
            "Timestamps": [
                {"Caption": "Storm", "Time": 0, "Duration": 10},
                {"Caption": "", "Time": 5},
                {"Caption": "Oil lamps and what they burn", "Time": 10, "Duration": 10},
            ],
        },
    }
)


def test_a_session_of_panopto_in_a_folder_of_its_own(tmp_path: Path) -> None:
    where = "Physics/_sessions/Lecture 3 Tides/"
    files = {
        "Physics/folder_metadata.json": json.dumps({"Id": SESSION, "ParentFolder": None, "Urls": {"FolderUrl": "x"}}),
        f"{where}session_metadata.json": SESSION_JSON,
        f"{where}access.json": json.dumps({"IsInherited": True, "Level": "Restricted"}),
        f"{where}permissions.json": json.dumps({"Results": [{"IsInherited": True, "Principal": {"Id": "2"}}]}),
        f"{where}Lecture 3_ Tides_default.mp4": b"",
        f"{where}Lecture 3_ Tides_Captions_English (United States).txt": SRT,
    }
    reasons, talk = _read(tmp_path, files)
    assert _facts(talk) == ("Lecture 3: Tides", "Physics", "2024-03-12", VIEWER)
    assert (talk.duration_ms, talk.description, talk.language) == (20_500, "What the tide does.", "en-US")
    assert ["what Panopto says" in reason for reason in reasons] == [True] * 4


def test_what_panoptos_viewer_is_told_describes_the_session_and_is_no_talk(tmp_path: Path) -> None:
    captions = "Lecture 3_ Tides_Captions_English (United States).srt"
    talk = _one(tmp_path, {captions: SRT, "Lecture 3_ Tides_default.mp4": b"", "DeliveryInfo.json": DELIVERY_JSON})
    assert (talk.title, talk.channel, talk.speaker) == ("Lecture 3: Tides", "Physics", "Ana Ruiz")
    assert [(chapter.start_ms, chapter.title) for chapter in talk.chapters] == [
        (0, "Storm"),
        (10_000, "Oil lamps and what they burn"),
    ]
    assert talk.date is None  # from when it counts is written nowhere
    assert (talk.url or "").endswith("Tides_default.mp4")


def test_a_feed_of_panopto_leads_to_the_viewer(tmp_path: Path) -> None:
    feed = FEED.replace("<link>https://talks.example.org/42</link>", "").replace(
        "https://cdn.example.org/a/ep42.mp3?source=rss&amp;x=1",
        f"https://u.hosted.panopto.com/Panopto/Podcast/Social/{SESSION}.mp4?mediaTargetType=videoPodcast",
    )
    talk = _one(tmp_path, {"On Tides & Lamps_Captions_English (United States).srt": SRT, "rss.xml": feed})
    assert _facts(talk) == ("On Tides & Lamps", "Harbour Talks", "2024-03-12", VIEWER)


@pytest.mark.parametrize(
    "described", [{"session": json.loads(SESSION_JSON)}, json.loads(SESSION_JSON), {"entry": MEDIA}]
)
def test_what_is_said_is_read_where_somebody_put_it_into_one_file_with_what_describes_it(
    tmp_path: Path, described: dict[str, Any]
) -> None:
    said = [{"start": i * 5.0, "end": i * 5 + 4.0, "text": line} for i, line in enumerate(SAID)]
    talk = _one(tmp_path, {"whole.json": json.dumps({**described, "captions": said})})
    assert [cue.text for cue in talk.cues] == list(SAID)


# --- what lies among recordings and is no talk -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("ytdl-archive.txt", "".join(f"youtube DTcRLlMv4_{letter}\n" for letter in "abcdefgh"), "list of what it has"),
        ("one.txt", "youtube DTcRLlMv4_o", "list of what it has"),
        ("done.txt", "youtube DTcRLlMv4_o\nvimeo 123456789\nsoundcloud 998877665\n", "list of what it has"),
        ("links.txt", "# talks\n" + f"{WATCH}\n" * 3, "list of addresses"),
        ("talk.live_chat.json", '{"replayChatItemAction": {}}\n', "chat"),
        ("subscriptions.opml", '<?xml version="1.0"?><opml version="2.0"><body/></opml>', "list of subscriptions"),
        ("pods.m3u", "#EXTM3U\n#EXTINF:20,On Tides and other things\n/a/b.mp3\n", "not a transcript"),
        ("atom.xml", '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>', "feed"),
    ],
)
def test_lists_and_chats_are_no_talks_and_have_their_reason(tmp_path: Path, name: str, content: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read_talk(_files(tmp_path, {name: content}) / name)


@pytest.mark.parametrize("name", ["talk.nfo", "talk.annotations.xml", "tvshow.nfo", "tartube.db", "talk-thumb.jpg"])
def test_what_describes_or_shows_a_recording_is_passed_over(tmp_path: Path, name: str) -> None:
    reasons, _ = _read(tmp_path, {name: "<episodedetails/>", "talk.srt": SRT})
    assert not reasons


def test_words_in_lines_of_two_are_a_talk(tmp_path: Path) -> None:
    poem = "the keeper\nwrote ships\nuntil morning\nnobody asked\n" * 3
    assert read_talk(_files(tmp_path, {"poem.txt": poem}) / "poem.txt").cues


def test_a_table_of_what_is_said_in_entries_is_a_talk(tmp_path: Path) -> None:
    rows = "".join(f'{ENTRY},On Tides,{i * 5},"{line}"\n' for i, line in enumerate(SAID))
    talk = read_talk(_files(tmp_path, {"said.csv": f"Entry ID,Entry Name,Start,Text\n{rows}"}) / "said.csv")
    assert [cue.text for cue in talk.cues] == list(SAID)


# --- again, and quickly ----------------------------------------------------------------------------------------------


def test_a_talk_is_read_again_when_what_describes_it_changed_and_not_when_another_did(tmp_path: Path) -> None:
    path = _files(tmp_path, {"ep42.srt": SRT, "feed.xml": FEED}) / "ep42.srt"
    known = scan_file(path, "ep42.srt", None)
    _files(tmp_path, {"feed.xml": FEED.replace("On Lamps", "On Oil")})
    assert scan_file(path, "ep42.srt", known).digest == known.digest
    _files(tmp_path, {"feed.xml": FEED.replace("On Tides", "Of Tides")})
    assert scan_file(path, "ep42.srt", known).digest != known.digest
    (tmp_path / "feed.xml").unlink()
    assert scan_file(path, "ep42.srt", known).digest != known.digest


def test_a_backup_of_many_videos_is_read_once(tmp_path: Path) -> None:
    documents = [_document(youtube_id=f"DTcRL{i:05d}o", description="x" * 500) for i in range(3000)]
    names = [f"{CHANNEL}/{document['youtube_id']}.en.vtt" for document in documents[:40]]
    _files(tmp_path, {"es_video-20240501-0.json": _backup("video", *documents), **dict.fromkeys(names, VTT)})
    began = time.process_time()
    found = [sidecar.read_sidecar(tmp_path / name) for name in names]
    assert {one.title for one in found if one} == {"On Tides"}
    assert time.process_time() - began < 5


def test_of_a_folder_of_many_json_transcripts_none_is_opened_to_see_whether_it_describes(tmp_path: Path) -> None:
    _files(tmp_path, {f"{i}.json": "{}" for i in range(30)} | {"session_metadata.json": SESSION_JSON, "0.srt": SRT})
    assert [path.name for path in catalogue.catalogues(tmp_path / "0.srt")] == ["session_metadata.json"]


@pytest.mark.parametrize(
    "content",
    [
        "<rss>" + "<!-- x -->" * 5000,
        "<!-- x -->" * 5000 + "<x>",
        '{"objectType": "KalturaMediaEntry", "id": "1_xuw9zvsc", "name": {"a": []}, "duration": "NaN"}',
        '[{"objectType": "KalturaMediaEntry"}, 5, null, {"objects": [[]]}]',
        '{"Delivery": {"SessionName": 5, "Duration": "x", "Timestamps": [5, {"Caption": {}}], "Contributors": 5}}',
        '{"Urls": {"ViewerUrl": "javascript:alert(1)"}, "Duration": -1, "Name": ["x"]}',
        '{"objectType": "KalturaMediaEntry", ' + "[" * 5000,
        'Entry ID,Entry Name\n"1_xuw9zvsc,x\n',
        '{"index": {"_index": "ta_video"}}\n{"youtube_id": 5}\n{"youtube_id": "x", "player": []}\n{"youtube_id',
    ],
)
def test_hostile_descriptions_say_nothing_wrong_and_stop_nothing(tmp_path: Path, content: str) -> None:
    _files(tmp_path, {"1_xuw9zvsc.srt": SRT, "1_xuw9zvsc.json": content, "a.xml": content, "b.csv": content})
    began = time.process_time()
    talk = read_talk(tmp_path / "1_xuw9zvsc.srt")
    assert len(talk.cues) == len(SAID)
    assert talk.url is None
    assert talk.duration_ms is None
    assert time.process_time() - began < 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    "name", ["a.nfo", "a.info.json", "a.description", "a.chapters.txt", "tvshow.nfo", "a.mp3", "a.json"]
)
def test_a_pipe_in_the_place_of_a_description_is_not_waited_for(tmp_path: Path, name: str) -> None:
    path = _files(tmp_path, {"a.srt": SRT}) / "a.srt"
    os.mkfifo(tmp_path / name)
    assert read_talk(path).title == "a"
    assert scan_file(path, "a.srt", None).identity


def test_a_title_of_a_book_s_length_is_left_out(tmp_path: Path) -> None:
    talk = _one(tmp_path, {"tides.srt": SRT, "tides.nfo": f"<movie><title>{'so it goes ' * 500}</title></movie>"})
    assert talk.title == "tides"
    assert any("title is too long" in note for note in talk.receipt.uncertain)


def test_an_address_that_a_description_names_runs_nothing(tmp_path: Path) -> None:
    evil = SESSION_JSON.replace(VIEWER, "file:///etc/passwd")
    talk = read_talk(_files(tmp_path, {"Lecture 3_ Tides.srt": SRT, "a.json": evil}) / "Lecture 3_ Tides.srt")
    assert talk.title == "Lecture 3: Tides"
    assert talk.url is None


def test_an_nfo_says_what_kind_of_thing_it_is_about() -> None:
    assert nfo.info_in("<tvshow><title>x</title></tvshow>") == {}
    assert nfo.show_in("<movie><title>x</title></movie>") is None


def test_what_is_said_of_a_description_is_unspoken(tmp_path: Path) -> None:
    with pytest.raises(UnspokenError, match="This is a feed: it describes talks, and was not said"):
        read_talk(_files(tmp_path, {"feed.xml": FEED}) / "feed.xml")
