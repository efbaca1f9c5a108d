"""Talks of sites, fetched by the real yt-dlp from a site on loopback: what is taken, asked for once, and left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

pytest.importorskip("yt_dlp")

from loopback.site import PLUGINS, VTT, Answer, Site, serving

from talksearch.indexer.fetch.archive import HIDDEN, open_archive
from talksearch.indexer.fetch.limits import FetchLimit, FetchLimits
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import (
    AskedTooOftenError,
    Event,
    FetchedTalk,
    FetchError,
    KnownTalk,
    SkippedTalk,
    Source,
)
from talksearch.indexer.fetch.site.fetch import fetch_site, is_known_site, look_at
from talksearch.indexer.talks.read import read_talk

QUICK = RequestPace(pause_s=0, first_wait_s=0.01, longest_wait_s=0.1, tries=3)
SMALL = FetchLimits(page=FetchLimit(200_000, 5), track=FetchLimit(10_000, 1.5), recording=FetchLimit(50_000, 5))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def fetch(folder: Path, url: str, told: list[str] | None = None, **wanted: object) -> list[Event]:
    with open_archive(folder) as archive:
        source = Source(url, **wanted)  # type: ignore[arg-type]
        return list(fetch_site(source, archive, (told if told is not None else []).append, QUICK, SMALL))


def landed(events: list[Event]) -> list[str]:
    return [event.key for event in events if isinstance(event, FetchedTalk)]


def reasons(events: list[Event]) -> dict[str, str]:
    return {event.key.removeprefix("harbour "): event.reason for event in events if isinstance(event, SkippedTalk)}


def files_in(folder: Path) -> list[str]:
    """Return the files that the user sees."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.parts[0] != HIDDEN)


def forms(site: Site, name: str, *endings: str) -> list[dict[str, str]]:
    return [site.track(f"{name}.{ending}") for ending in endings]


# What is taken


def test_a_channel_is_brought_in_as_files_that_are_read_as_talks(site: Site, tmp_path: Path) -> None:
    chapters = [{"title": "Tides", "start_time": 0, "end_time": 300}, {"title": "Wrecks", "start_time": 300}]
    site.talk("tides-1", title="Tides: why?", chapters=chapters, description="About tides.")
    site.talk("wrecks-2")
    channel = site.channel("harbour", ["wrecks-2", "tides-1"])
    events = fetch(tmp_path, channel)
    assert landed(events) == ["harbour wrecks-2", "harbour tides-1"]
    assert files_in(tmp_path) == [
        "Harbour Talks/2026-01-02 Talk wrecks-2 [wrecks-2].en.vtt",
        "Harbour Talks/2026-01-02 Talk wrecks-2 [wrecks-2].info.json",
        "Harbour Talks/2026-01-02 Tides why [tides-1].en.vtt",
        "Harbour Talks/2026-01-02 Tides why [tides-1].info.json",
    ]
    assert isinstance(events[1], FetchedTalk)
    talk = read_talk(events[1].files[0])
    assert (talk.title, talk.channel, talk.date, talk.language) == ("Tides: why?", "Harbour Talks", "2026-01-02", "en")
    assert (talk.url, talk.origin) == (f"{site.address}/harbour/talk/tides-1", "human")
    assert [chapter.title for chapter in talk.chapters] == ["Tides", "Wrecks"]


def test_the_second_run_asks_for_the_list_and_nothing_else(site: Site, tmp_path: Path) -> None:
    site.talk("tides-1")
    site.talk("wrecks-2", subtitles={})
    channel = site.channel("harbour", ["tides-1", "wrecks-2", "tides-1"])
    fetch(tmp_path, channel)
    assert site.asked.count("/api/talk/tides-1.json") == 1
    site.asked.clear()
    assert fetch(tmp_path, channel) == []
    assert site.asked == ["/api/channel/harbour.json"]


def test_peoples_tracks_are_taken_in_the_language_that_is_spoken_and_in_those_named(site: Site, tmp_path: Path) -> None:
    tracks = {
        "de": forms(site, "a.de", "ttml", "vtt"),
        "en-GB": forms(site, "a.en-GB", "srt", "vtt"),
        "fr": forms(site, "a.fr", "vtt"),
        "live_chat": [{"url": site.address + "/chat", "ext": "json"}],
    }
    automatic = {"en": forms(site, "a.auto", "vtt")}
    address = site.talk("tides-1", subtitles=tracks, automatic_captions=automatic)
    fetch(tmp_path, address, also=("de",))
    assert [name.rpartition("]")[2] for name in files_in(tmp_path)] == [".de.vtt", ".en-GB.vtt", ".info.json"]
    assert [path for path in site.asked if path.startswith("/tracks/")] == ["/tracks/a.en-GB.vtt", "/tracks/a.de.vtt"]


def test_of_automatic_captions_only_what_was_heard_is_taken(site: Site, tmp_path: Path) -> None:
    heard = forms(site, "a", "vtt")
    translated = [{"url": f"{site.address}/tracks/x.vtt?lang=en&tlang={tag}", "ext": "vtt"} for tag in ("fr", "de")]
    automatic = {"en-orig": heard, "en": heard, "fr": translated[:1], "de": translated[1:]}
    events = fetch(tmp_path, site.talk("tides-1", language=None, subtitles={}, automatic_captions=automatic))
    assert [name.rpartition("]")[2] for name in files_in(tmp_path)] == [".en-orig.vtt", ".info.json"]
    assert isinstance(events[0], FetchedTalk)
    assert "automatic" in events[0].note
    assert read_talk(events[0].files[0]).origin == "automatic"
    assert site.asked == ["/api/talk/tides-1.json", "/tracks/a.vtt"]


def test_a_language_that_nothing_says_is_asked_of_the_user_and_taken_when_named(site: Site, tmp_path: Path) -> None:
    tracks = {"de": forms(site, "a.de", "vtt"), "en": forms(site, "a.en", "vtt")}
    site.talk("tides-1", language=None, subtitles=tracks)
    channel = site.channel("harbour", ["tides-1"])
    assert "nothing says which of them is spoken" in reasons(fetch(tmp_path, channel))["tides-1"]
    assert landed(fetch(tmp_path, channel, language="de")) == ["harbour tides-1"]


def test_the_sidecar_keeps_what_a_talk_is_and_nothing_that_expires_or_is_private(site: Site, tmp_path: Path) -> None:
    private = {"http_headers": {"Cookie": "secret"}, "cookies": "secret", "comments": [{"text": "secret"}]}
    fetch(tmp_path, site.talk("tides-1", **private))
    (sidecar,) = tmp_path.rglob("*.info.json")
    info = json.loads(sidecar.read_text())
    assert "secret" not in sidecar.read_text()
    assert "formats" not in info
    assert info["subtitles"] == {"en": []}


def test_a_page_of_no_known_site_gives_the_tracks_of_its_video(site: Site, tmp_path: Path) -> None:
    track = site.track("page.en.vtt")["url"]
    page = f'<title>Tides</title><video src="/v.mp4"><track src="{track}" srclang="en" kind="captions"></video>'
    first, second = site.page("/a/talk.html", page), site.page("/b/talk.html", page)
    events = [*fetch(tmp_path, first), *fetch(tmp_path, second)]
    assert len(set(landed(events))) == 2
    assert len(files_in(tmp_path)) == 4
    assert isinstance(events[0], FetchedTalk)
    assert read_talk(events[0].files[0]).title == "Tides"
    site.asked.clear()
    assert fetch(tmp_path, first) == [KnownTalk(f"address {first}", "", events[0].files)]
    assert site.asked == []


def test_captions_in_segments_are_put_together(site: Site, tmp_path: Path) -> None:
    site.track("seg.vtt", "it is in a segment")
    site.routes["/s.m3u8"] = Answer(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/tracks/seg.vtt\n#EXT-X-ENDLIST\n")
    form = {"url": site.address + "/s.m3u8", "ext": "vtt", "protocol": "m3u8_native"}
    (event,) = fetch(tmp_path, site.talk("tides-1", subtitles={"en": [form]}))
    assert isinstance(event, FetchedTalk)
    assert "it is in a segment" in read_talk(event.files[0]).cues[-1].text


def test_sound_is_fetched_where_it_is_wanted_and_captions_are_missing(site: Site, tmp_path: Path) -> None:
    site.talk("tides-1", subtitles={})
    site.routes["/sound/tides-1.m4a"] = Answer(b"\0\0\0\x20ftypM4A sound" * 99)
    site.talk("wrecks-2")
    channel = site.channel("harbour", ["tides-1", "wrecks-2"])
    assert landed(fetch(tmp_path, channel)) == ["harbour wrecks-2"]
    assert landed(fetch(tmp_path, channel, recordings="missing")) == ["harbour tides-1"]
    assert [name.rpartition("]")[2] for name in files_in(tmp_path)][:2] == [".info.json", ".m4a"]
    assert "/sound/wrecks-2.m4a" not in site.asked


def test_names_are_safe_whatever_a_site_calls_its_talks(site: Site, tmp_path: Path) -> None:
    odd = {
        "../../up": "../../etc/passwd",
        "x/y?z": "-rf \x1b[31m\u202etalk",
        "7": "Lecture",
        "8": "Lecture",
        "long": "潮" * 300,
        "longer": "潮" * 300,
        "en": "CON",
        "dQw4w9WgXcQ": "حديث",
    }
    for ident, title in odd.items():
        site.talk(ident, title=title, channel="..\\/ Häfen", subtitles={"en": [{"data": VTT, "ext": "vtt"}]})
    events = fetch(tmp_path, site.channel("harbour", list(odd)))
    assert len(landed(events)) == len(odd), reasons(events)
    assert {path.parent for path in tmp_path.rglob("*.vtt")} == {tmp_path / "Häfen"}
    names = [path.name for path in (tmp_path / "Häfen").iterdir()]
    assert len(names) == 2 * len(odd)
    assert all(len(name.encode()) <= 255 and name.isprintable() and name[0] not in ".-" for name in names)
    assert len({read_talk(path).id for path in tmp_path.rglob("*.vtt")}) == len(odd)
    assert all(read_talk(path).youtube_id is None for path in tmp_path.rglob("*.vtt"))


# What is left


def test_each_talk_that_cannot_be_had_is_left_with_one_sentence_and_the_next_goes_on(
    site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    site.talk("private", refused="Private video. Sign in if you've been granted access to this video")
    site.talk("members", refused="Join this channel to get access to members-only content like this video")
    site.talk("age", refused="Sign in to confirm your age. This video may be inappropriate for some users.")
    site.talk("gone", refused="This video has been removed by the uploader")
    site.talk("geo", geo=True)
    site.talk("live", live_status="is_live")
    site.talk("upcoming", live_status="is_upcoming", formats=[])
    site.talk("hidden", unplayable="Private video. Sign in if you've been granted access", formats=[], subtitles={})
    site.talk("locked", unplayable="This video is DRM protected", formats=[])
    site.talk("silent", subtitles={})
    site.talk("german", subtitles={"de": forms(site, "a.de", "vtt")})
    site.talk("bug", bug=True)
    site.talk("html", subtitles={"en": [site.track("h.vtt", text="<html><body>Sorry</body></html>")]})
    site.talk("empty", subtitles={"en": [site.track("e.vtt", text="")]})
    site.talk("prose", subtitles={"en": [site.track("p.vtt", text="Come back later, please.")]})
    site.talk("huge", subtitles={"en": [site.track("huge.vtt", text="WEBVTT\n\n" + "x" * 20_000)]})
    site.talk("slow", subtitles={"en": [site.track("slow.vtt", pieces_s=0.05)]})
    site.talk("cut", subtitles={"en": [site.track("cut.vtt", cut_at=40)]})
    site.talk("near", subtitles={"en": [{"url": "http://169.254.169.254/latest.vtt", "ext": "vtt"}]})
    site.talk("file", subtitles={"en": [{"url": "file:///etc/passwd", "ext": "vtt"}]})
    (tmp_path / "Taken").write_text("a file of the user's")
    site.talk("placeless", channel="Taken")
    site.talk("last")
    names = [path.removeprefix("/api/talk/").removesuffix(".json") for path in site.routes if "/api/talk" in path]
    channel = site.channel("harbour", [*names[:-1], "nowhere", "last"])
    events = fetch(tmp_path, channel)
    assert landed(events) == ["harbour locked", "harbour last"]
    assert reasons(events) == {
        "private": "It is private.",
        "members": "It is for members only.",
        "age": "It is shown only to adults who have signed in.",
        "gone": "It is no longer there.",
        "geo": "It is not shown in this country.",
        "live": "It is live now; it is looked at again when it is over.",
        "upcoming": "It has not begun yet.",
        "hidden": "It is private.",
        "silent": "It has no captions.",
        "german": "It has no captions in English, which is spoken; there are some in German.",
        "bug": "yt-dlp failed on it (KeyError: 'videoDetails').",
        "html": reasons(events)["html"],
        "empty": "The track en is empty.",
        "prose": reasons(events)["prose"],
        "huge": "It is larger than 0.01 MB, and was not taken.",
        "slow": "It did not arrive within 1.5 seconds.",
        "cut": "The track en broke off in the middle.",
        "file": "It has no captions.",
        "near": "It names a host of this machine's own network, which is not asked on a stranger's word.",
        "placeless": "It has no place: Taken should be a folder, and a file is called so.",
        "nowhere": "It is not there (404).",
    }
    assert reasons(events)["prose"].startswith("Its captions (en) ")
    assert reasons(events)["html"].startswith("Its captions (en) cannot be read: This is HTML")
    assert len(files_in(tmp_path)) == 5
    assert capfd.readouterr() == ("", "")  # yt-dlp is quiet
    site.asked.clear()
    assert landed(fetch(tmp_path, channel)) == []
    assert set(site.asked) <= {"/api/channel/harbour.json", "/api/talk/cut.json", "/tracks/cut.vtt"}


def test_since_and_match_and_limit_say_how_much_is_asked_for(site: Site, tmp_path: Path) -> None:
    for number in range(30):
        site.talk(f"talk-{number}", upload_date=f"2025{12 - number // 3:02}{28 - number % 3:02}")
    channel = site.channel("harbour", [f"talk-{number}" for number in range(30)])
    assert len(landed(fetch(tmp_path, channel, since=date(2025, 11, 1), limit=2))) == 2
    assert len(landed(fetch(tmp_path, channel, since=date(2025, 11, 1)))) == 4
    assert "/api/talk/talk-15.json" in site.asked
    assert "/api/talk/talk-16.json" not in site.asked  # ten in a row were older
    site.asked.clear()
    assert landed(fetch(tmp_path, channel, since=date(2025, 11, 1))) == []
    assert site.asked == ["/api/channel/harbour.json"]  # that they are older is remembered
    assert landed(fetch(tmp_path, channel, since=date(2025, 10, 27))) == ["harbour talk-6", "harbour talk-7"]
    events = fetch(tmp_path, channel, match="TALK-2[0-9]")
    assert landed(events) == [f"harbour talk-{number}" for number in range(20, 30)]
    assert all(event.expected for event in events if isinstance(event, SkippedTalk))


def test_a_day_in_a_list_turns_a_talk_down_and_never_lets_one_in(site: Site, tmp_path: Path) -> None:
    site.talk("old-1", upload_date="20240601")
    site.talk("old-2", upload_date="20240601")
    entries = [site.entry("old-1", upload_date="20250601"), site.entry("old-2", upload_date="20260601")]
    events = fetch(tmp_path, site.channel("harbour", entries), since=date(2026, 1, 1))
    assert landed(events) == []
    assert "/api/talk/old-1.json" not in site.asked
    assert "/api/talk/old-2.json" in site.asked


def test_lists_in_lists_are_walked_once_and_only_as_far_as_is_needed(site: Site, tmp_path: Path) -> None:
    site.talk("tides-1")
    site.talk("wrecks-2")
    videos = site.channel("videos", ["tides-1"], next="videos-page-2")
    site.channel("videos-page-2", ["wrecks-2"])
    streams = site.channel("streams", ["wrecks-2", "tides-1"])
    tabs = [{"_type": "url", "url": address} for address in (videos, streams, f"{site.address}/harbour/channel/top")]
    channel = site.channel("top", tabs)
    assert landed(fetch(tmp_path, channel, limit=1)) == ["harbour tides-1"]
    assert "/api/channel/videos-page-2.json" not in site.asked
    assert landed(fetch(tmp_path, channel)) == ["harbour wrecks-2"]
    assert site.asked.count("/api/channel/top.json") == 2


def test_what_a_list_says_of_a_talk_saves_asking_for_it(site: Site, tmp_path: Path) -> None:
    site.talk("members", availability="subscriber_only")
    site.talk("soon", live_status="is_upcoming")
    entries = [site.entry("members", availability="subscriber_only"), site.entry("soon", live_status="is_upcoming")]
    channel = site.channel("harbour", entries)
    assert reasons(fetch(tmp_path, channel)) == {"members": "It is for members only.", "soon": "It has not begun yet."}
    assert site.asked == ["/api/channel/harbour.json"]
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n")
    assert landed(fetch(tmp_path, channel, cookies=str(cookies))) == ["harbour members"]


def test_a_password_in_an_address_is_sent_and_written_nowhere(
    site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    track = site.track("page.en.vtt")["url"]
    site.page("/talk.html", f'<title>Tides</title><video src="/v.mp4"><track src="{track}" srclang="en"></video>')
    address = f"{site.address}/talk.html".replace("http://", "http://ada:secret@")
    assert len(landed(fetch(tmp_path, address))) == 1
    with pytest.raises(FetchError) as raised:
        fetch(tmp_path, address.replace("talk.html", "nothing"))
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any("secret" in text for text in [*texts, raised.value.message, *capfd.readouterr()])


def test_a_further_track_that_cannot_be_had_is_a_note(site: Site, tmp_path: Path) -> None:
    tracks = {"en": forms(site, "a.en", "vtt"), "de": [{"url": f"{site.address}/nothing.vtt", "ext": "vtt"}]}
    (event,) = fetch(tmp_path, site.talk("tides-1", subtitles=tracks), also=("de",))
    assert isinstance(event, FetchedTalk)
    assert event.note == "The track de is not there (404)."


def test_what_lists_hold_that_is_no_talk_is_passed_over_or_left(site: Site, tmp_path: Path) -> None:
    site.talk("tides-1")
    broken = site.channel("broken", ["tides-1"], next="nowhere")
    odd = [
        None,
        "tides-1",
        {"_type": "url"},
        {"_type": "weird", "id": "x"},
        {"_type": "url", "url": "javascript:alert(1)"},
        {"_type": "url", "url": "http://[", "id": 7},
        {"_type": "url", "url": broken},
        {"title": "nothing but a title"},
        {"id": "whole-1", "title": "Whole", "language": "en", "subtitles": {"en": [{"data": VTT, "ext": "vtt"}]}},
        {"_type": "playlist", "title": "within", "entries": [site.entry("tides-1")]},
    ]
    events = fetch(tmp_path, site.channel("odd", [entry or {} for entry in odd]))
    assert landed(events) == ["harbour tides-1", "harbourchannel whole-1"]
    assert len(reasons(events)) == 5
    assert all("Traceback" not in reason and "\n" not in reason for reason in reasons(events).values())


def test_an_address_that_leads_to_a_talk_is_known_by_both(site: Site, tmp_path: Path) -> None:
    site.page("/harbour/talk/tides-1", "<p>A talk.</p>")
    site.talk("tides-1")
    site.routes["/short"] = Answer(status=302, headers={"Location": "/harbour/talk/tides-1"})
    (first,) = fetch(tmp_path, site.address + "/short")
    assert isinstance(first, FetchedTalk)
    site.asked.clear()
    assert fetch(tmp_path, site.address + "/harbour/talk/tides-1") == [KnownTalk("harbour tides-1", "", first.files)]
    assert site.asked == []
    assert fetch(tmp_path, site.address + "/short") == [KnownTalk("harbour tides-1", "Talk tides-1", first.files)]
    assert not [path for path in site.asked if path.startswith("/tracks")]


def test_three_thousand_talks_that_are_not_wanted_take_a_moment(site: Site, tmp_path: Path) -> None:
    channel = site.channel("harbour", [site.entry(f"talk-{number}", title="Other") for number in range(3000)])
    begun = time.monotonic()
    with open_archive(tmp_path) as archive:
        events = list(fetch_site(Source(channel, match="tides"), archive, print, QUICK))
    assert len(events) == 3000
    assert time.monotonic() - begun < 5
    assert site.asked == ["/api/channel/harbour.json"]


# What sites do


def test_a_list_that_never_ends_ends_a_run_all_the_same(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"talk-{number}" for number in range(5)]
    for name in names:
        site.talk(name)
    monkeypatch.setattr("talksearch.indexer.fetch.site.run._MOST_SEEN", 4)  # the address, the list, and two talks
    assert landed(fetch(tmp_path, site.channel("harbour", names))) == ["harbour talk-0", "harbour talk-1"]


def test_halves_of_signs_that_a_site_sends_end_no_run(site: Site, tmp_path: Path) -> None:
    odd = "a\ud800b"
    site.talk("good-11111", title=odd, channel=odd, description=odd, chapters=[{"title": odd, "start_time": 0}])
    entries = [{**site.entry("gone-22222"), "id": f"{odd}-33333", "title": odd}, "good-11111"]
    channel = site.channel("harbour", entries, title=odd)
    assert len(fetch(tmp_path, channel)) == 2
    assert len(files_in(tmp_path)) == 2
    assert fetch(tmp_path, channel) == []


def test_a_site_that_was_asked_too_often_is_waited_for_and_then_left_to_the_next_run(
    site: Site, tmp_path: Path
) -> None:
    for name in ("a-11111", "b-22222", "c-33333"):
        site.talk(name)
    whole, times = site.routes["/tracks/b-22222.en.vtt"], []

    def often() -> Answer:
        times.append(time.monotonic())
        return Answer(status=429)

    site.routes["/tracks/b-22222.en.vtt"] = often
    channel = site.channel("harbour", ["a-11111", "b-22222", "c-33333"])
    told: list[str] = []
    with pytest.raises(AskedTooOftenError, match="429"):
        fetch(tmp_path, channel, told)
    assert len(told) == QUICK.tries - 1
    assert times[1] - times[0] > 0.01
    assert times[2] - times[1] > 0.02
    assert len(files_in(tmp_path)) == 2  # what landed stays
    assert "/api/talk/c-33333.json" not in site.asked
    assert isinstance(whole, Answer)
    site.routes["/tracks/b-22222.en.vtt"] = whole
    assert landed(fetch(tmp_path, channel)) == ["harbour b-22222", "harbour c-33333"]


def test_a_wait_that_a_site_asks_for_is_kept_and_a_long_one_is_left_to_the_next_run(site: Site, tmp_path: Path) -> None:
    answers = [Answer(status=403, headers={"Retry-After": "0"}), Answer(VTT.encode())]
    site.talk("tides-1")
    site.routes["/tracks/tides-1.en.vtt"] = lambda: answers.pop(0)
    assert landed(fetch(tmp_path, f"{site.address}/harbour/talk/tides-1")) == ["harbour tides-1"]
    site.routes["/api/talk/late.json"] = Answer(status=429, headers={"Retry-After": "3600"})
    told: list[str] = []
    with pytest.raises(AskedTooOftenError) as raised:
        fetch(tmp_path, f"{site.address}/harbour/talk/late", told)
    assert told == []
    assert "60 minutes" in raised.value.hint


@pytest.mark.parametrize("how", ["refused", "unplayable"])
def test_a_site_that_takes_us_for_a_robot_is_asked_nothing_more(site: Site, tmp_path: Path, how: str) -> None:
    site.talk("robot", **{how: "Sign in to confirm you're not a bot. Use --cookies for it"}, formats=[], subtitles={})
    site.talk("tides-1")
    with pytest.raises(AskedTooOftenError):
        fetch(tmp_path, site.channel("harbour", ["robot", "tides-1"]))
    assert "/api/talk/tides-1.json" not in site.asked


def test_three_failures_of_a_site_in_a_row_end_the_run_and_hinder_no_later_one(site: Site, tmp_path: Path) -> None:
    for number in range(5):
        site.talk(f"talk-{number}")
        if number < 4:
            site.routes[f"/api/talk/talk-{number}.json"] = Answer(status=500)
    channel = site.channel("harbour", [f"talk-{number}" for number in range(5)])
    for _ in range(2):  # they are tried once more at once, and then passed over
        with pytest.raises(FetchError, match="does not answer any more"):
            fetch(tmp_path, channel)
    assert landed(fetch(tmp_path, channel)) == ["harbour talk-4"]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("javascript:alert(1)", "is no address of the web"),
        ("file:///etc/passwd", "is no address of the web"),
        ("ytsearch:tides", "is no address of the web"),
        ("", "is no address of the web"),
        ("http://[", "is no address of the web"),
        ("http://127.0.0.1:1/x", "refuses the connection"),
        ("http://harbour.invalid/x", "its host is not known"),
        ("{site}/nothing", "is not there"),
        ("{site}/busy", "answers 500"),
        ("{site}/loop", "in a circle"),
        ("{site}/page", "holds no recording"),
        ("{site}/harbour/channel/broken", "yt-dlp failed on it"),
    ],
)
def test_an_address_that_gives_nothing_is_one_sentence(site: Site, tmp_path: Path, address: str, sentence: str) -> None:
    site.routes["/busy"] = Answer(status=500)
    site.routes["/loop"] = Answer(status=302, headers={"Location": "/loop"})
    site.page("/page", "<p>Nothing to hear.</p>")
    site.routes["/api/channel/broken.json"] = Answer(b"{}")
    with pytest.raises(FetchError) as raised:
        fetch(tmp_path, address.replace("{site}", site.address))
    assert sentence in raised.value.message
    assert "report" not in raised.value.message
    assert "\n" not in raised.value.message


def test_look_at_says_what_an_address_is_and_asks_for_no_talk(site: Site, tmp_path: Path) -> None:
    site.talk("tides-1", title="Tides")
    channel = site.channel("harbour", ["tides-1"], title="Harbour \x1b[31mTalks")
    seen = look_at(Source(channel), print, QUICK)
    assert (seen.title, seen.is_list) == ("Harbour [31mTalks", True)
    assert site.asked == ["/api/channel/harbour.json"]
    assert not look_at(Source(f"{site.address}/harbour/talk/tides-1"), print, QUICK).is_list
    assert is_known_site(channel)
    assert is_known_site("youtube.com/@harbour")
    assert not is_known_site("https://example.org/feed.xml")
    assert not is_known_site("javascript:alert(1)")


# What is the user's


def test_cookies_are_sent_only_where_they_are_named_and_their_file_stays_as_it_was(site: Site, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    line = "127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tsecret\n"
    cookies.write_text("# Netscape HTTP Cookie File\n" + line)
    before = cookies.read_bytes()
    talk = site.talk("tides-1")
    fetch(tmp_path / "without", talk)
    assert set(site.cookies) == {""}
    site.cookies.clear()
    fetch(tmp_path / "with", talk, cookies=str(cookies))
    assert set(site.cookies) == {"session=secret"}
    assert cookies.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["nonsense secret\n", '[{"secret": 1}]', "a\tb\tc\td\tsecret\tf\tg\n", "\xff", None]
)
def test_a_damaged_file_of_cookies_is_a_sentence_that_keeps_them_secret(
    site: Site, tmp_path: Path, content: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    cookies = tmp_path / "cookies.txt"
    if content is not None:
        cookies.write_bytes(content.encode("latin-1"))
    with pytest.raises(FetchError, match="cookies") as raised:
        fetch(tmp_path / "talks", site.talk("tides-1"), cookies=str(cookies))
    assert "secret" not in raised.value.message
    assert capfd.readouterr() == ("", "")
    assert site.asked == []


def test_a_missing_yt_dlp_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("talksearch.indexer.fetch.")]:
        if name.endswith((".downloader", ".run", ".listing", ".bring", ".trouble", ".info_json")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(FetchError) as raised:
        look_at(Source("https://example.org"), print)
    assert 'pip install "talksearch[fetch]"' in raised.value.hint


# What happens to the machine

SCRIPT = """
import resource, sys
from pathlib import Path
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.fetch.archive import open_archive
from talksearch.indexer.fetch.records import Source
from talksearch.indexer.fetch.site.fetch import fetch_site
from talksearch.indexer.fetch.pace import RequestPace
folder, url, largest = sys.argv[1:]
if int(largest):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), resource.RLIM_INFINITY))
try:
    with open_archive(Path(folder)) as archive:
        for event in fetch_site(Source(url), archive, print, RequestPace(0, 0, 0, 1)):
            print(event.key, flush=True)
except TalksearchError as error:
    sys.exit(error.message)
"""


def run_apart(folder: Path, url: str, largest: int = 0) -> subprocess.Popen[str]:
    """Begin a run in a process of its own; no file of it may be larger than `largest` bytes, where it is not 0."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(PLUGINS)])}
    command = [sys.executable, "-c", SCRIPT, str(folder), url, str(largest)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_run_that_is_ended_in_the_middle_of_a_file_leaves_only_whole_talks(site: Site, tmp_path: Path) -> None:
    site.talk("tides-1")
    site.talk("wrecks-2")
    whole = site.routes["/tracks/wrecks-2.en.vtt"]
    site.track("wrecks-2.en.vtt", pieces_s=0.2)
    channel = site.channel("harbour", ["tides-1", "wrecks-2"])
    ways = (signal.SIGINT, signal.SIGKILL)
    processes = [run_apart(tmp_path / how.name, channel) for how in ways]
    deadline = time.monotonic() + 30
    while site.asked.count("/tracks/wrecks-2.en.vtt") < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)  # some of the body has arrived
    for how, process in zip(ways, processes, strict=True):
        process.send_signal(how)
        process.communicate(timeout=30)
        assert process.returncode != 0
        assert [Path(name).suffix for name in files_in(tmp_path / how.name)] == [".vtt", ".json"]
    site.routes["/tracks/wrecks-2.en.vtt"] = whole
    for how in ways:
        assert landed(fetch(tmp_path / how.name, channel)) == ["harbour wrecks-2"]
        assert not any((tmp_path / how.name / HIDDEN / "part").glob("*"))


def test_a_disk_that_takes_no_more_ends_the_run_with_a_sentence(site: Site, tmp_path: Path) -> None:
    """The system refuses to make a file longer, as a full disk does: the track at 60 bytes, the sidecar at 200."""
    site.talk("tides-1")
    channel = site.channel("harbour", ["tides-1"])
    processes = {largest: run_apart(tmp_path / str(largest), channel, largest) for largest in (60, 200)}
    for largest, process in processes.items():
        _, message = process.communicate(timeout=30)
        assert "cannot be written: File too large" in message
        assert "Traceback" not in message
        assert files_in(tmp_path / str(largest)) == []
        assert landed(fetch(tmp_path / str(largest), channel)) == ["harbour tides-1"]
