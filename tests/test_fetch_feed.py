"""Podcasts by their feeds, with the real feedparser and httpx against a host on this machine."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from fakes import CountingEncoder
from loopback.feeds import Answer, Host, host, item, rss, transcript, vtt

from talksearch.indexer import build_index
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.fetch.archive import HIDDEN, open_archive
from talksearch.indexer.fetch.feed.episode import read_podcast
from talksearch.indexer.fetch.feed.fetch import fetch_feed, title_of_feed
from talksearch.indexer.fetch.limits import FetchLimit
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import AskedTooOftenError, Event, FetchedTalk, FetchError, SkippedTalk, Source
from talksearch.indexer.fetch.web import Page, open_web
from talksearch.indexer.talks.read import read_talk
from talksearch.search import Query, open_index
from talksearch.search.links import link_at

FAST = RequestPace(pause_s=0, first_wait_s=0.02, longest_wait_s=1, tries=3)
SAID = vtt("The tide turns twice a day.", "The moon pulls the water.", "Harbours wait for both.")


@pytest.fixture
def web() -> Iterator[Host]:
    with host() as served:
        yield served


def bring(
    web: Host, folder: Path, *, path: str = "/feed.xml", told: list[str] | None = None, **wanted: object
) -> list[Event]:
    source = replace(Source(f"{web.url}{path}"), **wanted)  # type: ignore[arg-type]
    with open_archive(folder) as archive:
        return list(fetch_feed(source, archive, (told if told is not None else []).append, pace=FAST))


def landed(events: list[Event]) -> list[FetchedTalk]:
    return [event for event in events if isinstance(event, FetchedTalk)]


def left(events: list[Event]) -> list[SkippedTalk]:
    return [event for event in events if isinstance(event, SkippedTalk)]


# --- an episode becomes files that are read as one talk --------------------------------------------------------------


def test_an_episode_lands_as_one_talk_with_all_that_its_feed_knows(web: Host, tmp_path: Path) -> None:
    people = (
        '<podcast:person role="host">Ada Wells</podcast:person><podcast:person role="guest">Bo Lind</podcast:person>'
        '<podcast:person group="writing" role="editor">Cy Orr</podcast:person>'
    )
    notes = "<description>&lt;p&gt;Of &lt;b&gt;tides&lt;/b&gt;.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description>"
    more = f'<itunes:duration>1:02:03</itunes:duration><podcast:chapters url="/1.json" type="application/json"/>{notes}'
    web.files = {
        "/feed.xml": rss(item(1, transcript("/1.vtt"), people, more)),
        "/1.vtt": SAID,
        "/1.json": json.dumps({"chapters": [{"startTime": 0, "title": "Ebb"}, {"startTime": 6, "title": "Flow"}]}),
    }
    [episode] = landed(bring(web, tmp_path))
    names = [file.name for file in episode.files]
    stem = names[0].removesuffix(".en.vtt")
    assert stem.startswith("2025-06-01 Tides 1 [")
    assert names == [f"{stem}.en.vtt", f"{stem}.chapters.json", f"{stem}.info.json"]
    assert episode.files[0].parent == tmp_path / "Harbour Talks"
    talk = read_talk(episode.files[0])
    assert (talk.title, talk.channel, talk.speaker) == ("Tides 1", "Harbour Talks", "Ada Wells, Bo Lind")
    assert (talk.date, talk.language, talk.duration_ms) == ("2025-06-01", "en", 3_723_000)
    assert [chapter.title for chapter in talk.chapters] == ["Ebb", "Flow"]
    assert talk.description == "Of tides."
    info = json.loads(episode.files[-1].read_text())
    assert [(one["name"], one["role"]) for one in info["people"]][-1] == ("Cy Orr", "editor")


def test_the_link_of_an_episode_opens_its_sound_unless_its_page_opens_at_a_second(web: Host, tmp_path: Path) -> None:
    on_fireside = item(2, transcript("/1.vtt")).replace("https://harbour.example/2", "https://harbour.fireside.fm/2")
    web.files = {"/feed.xml": rss(item(1, transcript("/1.vtt")), on_fireside), "/1.vtt": SAID}
    newer, older = landed(bring(web, tmp_path))
    links = [link_at(read_talk(episode.files[0]).url, 4) for episode in (newer, older)]
    assert links == ["https://harbour.fireside.fm/2?t=4", f"{web.url}/1.mp3#t=4"]
    assert json.loads(older.files[-1].read_text())["webpage_url"] == "https://harbour.example/1"


def test_a_hit_in_an_episode_opens_its_sound_at_the_second(web: Host, tmp_path: Path) -> None:
    on_fireside = item(2, transcript("/2.vtt")).replace("https://harbour.example/2", "https://harbour.fireside.fm/2")
    lines = [f"Of ropes and knots, part {n}." for n in range(30)]
    web.files = {
        "/feed.xml": rss(item(1, transcript("/1.vtt")), on_fireside),
        "/1.vtt": vtt(*lines, "The lighthouse keeper rows home.", *lines),
        "/2.vtt": vtt(*lines, *lines, "A sextant measures the angle of a star."),
    }
    bring(web, tmp_path / "talks")
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    with open_index(tmp_path / "index") as index:
        hits = [
            index.search(Query(text, k=1, mode="lexical")).hits[0] for text in ("lighthouse keeper", "sextant star")
        ]
    assert [hit.title for hit in hits] == ["Tides 1", "Tides 2"]
    assert [hit.url for hit in hits] == [f"{web.url}/1.mp3#t=120", "https://harbour.fireside.fm/2?t=240"]


def test_podlove_chapters_in_the_feed_are_kept_where_no_file_has_any(web: Host, tmp_path: Path) -> None:
    psc = (
        '<psc:chapters version="1.2"><psc:chapter start="00:00:00" title="Ebb"/>'
        '<psc:chapter start="5.5" title="Flow"/><psc:chapter start="soon" title="?"/></psc:chapters>'
    )
    gone = '<podcast:chapters url="/gone.json" type="application/json"/>'
    web.files = {"/feed.xml": rss(item(1, transcript("/1.vtt"), gone, psc)), "/1.vtt": SAID}
    [episode] = landed(bring(web, tmp_path))
    assert [(one.start_ms, one.title) for one in read_talk(episode.files[0]).chapters] == [(0, "Ebb"), (5500, "Flow")]


# --- which transcript is taken ---------------------------------------------------------------------------------------

SEGMENTS = json.dumps(
    {
        "version": "1.0.0",
        "segments": [
            {"speaker": "Ada", "startTime": 0.5, "endTime": 3, "body": "The tide turns twice a day."},
            {"speaker": "Bo", "startTime": 3, "endTime": 6, "body": "Why does it?"},
        ],
    }
)
HTML = (
    "<cite>Ada:</cite><time>0:00</time><p>The tide turns twice a day, said the keeper.</p>"
    "<cite>Bo:</cite><time>0:04</time><p>And why does it do so, of all things?</p>"
)
SRT = "1\n00:00:00,500 --> 00:00:03,000\nThe tide turns twice a day.\n"
PLAIN = "The tide turns twice a day because the moon pulls the water of every sea towards it, and harbours wait for it."


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([("/a.srt", "application/srt", "en"), ("/a.json", "application/json", "en")], "en.json"),
        ([("/a.txt", "text/plain", "en"), ("/a.srt", "application/srt", "en")], "en.srt"),
        ([("/a.json", "application/json", "de"), ("/a.srt", "application/srt", "en-us")], "en-US.srt"),
        ([("/a.srt", "application/srt", "")], "en.srt"),
        ([("/a.srt", "text/vtt", "en")], "en.srt"),
        ([("/a.srt", "application/json", "en")], "en.srt"),
        ([("/broken.json", "application/json", "en"), ("/gone.vtt", "text/vtt", "en"), ("/a.srt", "", "en")], "en.srt"),
        ([("/a.txt", "text/plain", "en"), ("/gone.vtt", "text/vtt", "en")], "en.txt"),
        ([("/a.txt", "text/plain", "en"), ("/a.html", "text/html", "en")], "en.html"),
        ([("/typed.srt", "application/srt", "../../x")], "en.srt"),
        ([("/portal.html", "text/vtt", "en"), ("/a.srt", "application/srt", "en")], "en.srt"),
    ],
)
def test_the_best_transcript_that_can_be_read_is_taken(
    web: Host, tmp_path: Path, offered: list[tuple[str, str, str]], taken: str
) -> None:
    links = "".join(transcript(path, kind, language) for path, kind, language in offered)
    web.files = {
        "/feed.xml": rss(item(1, links)),
        "/a.json": SEGMENTS,
        "/a.srt": SRT,
        "/a.html": HTML,
        "/typed.srt": Answer(SRT.encode(), headers={"Content-Type": "video/vtt"}),
        "/a.txt": PLAIN,
        "/broken.json": SEGMENTS[:40],
        "/portal.html": Answer(b"<!doctype html><html><body><p>Sign in to the network, please.</p></body></html>"),
    }
    [episode] = landed(bring(web, tmp_path))
    assert episode.files[0].name.partition("].")[2] == taken
    assert bool(episode.note) == taken.endswith("txt")
    assert "tide turns twice" in " ".join(cue.text for cue in read_talk(episode.files[0]).cues)


def test_what_is_missing_beside_a_transcript_is_told(web: Host, tmp_path: Path) -> None:
    chapters = '<podcast:chapters url="/{}.json" type="application/json"/>'
    german = transcript("/de.vtt", language="de")
    web.files = {
        "/feed.xml": rss(item(1, VTT, chapters.format("gone")), item(2, german), item(3, VTT, chapters.format("odd"))),
        "/1.vtt": SAID,
        "/de.vtt": vtt("Die Flut kommt zweimal am Tag."),
        "/odd.json": "{}",
    }
    odd, translated, gone = (episode.note for episode in landed(bring(web, tmp_path, also=("de",))))
    assert odd == "Its file of chapters has none that can be read."
    assert "none in en, which is spoken" in translated
    assert gone.startswith("Its chapters are missing: ")


def test_further_languages_are_taken_where_they_are_wanted(web: Host, tmp_path: Path) -> None:
    both = transcript("/en.vtt") + transcript("/de.vtt", language="de")
    web.files = {"/feed.xml": rss(item(1, both)), "/en.vtt": SAID, "/de.vtt": vtt("Die Flut kommt zweimal am Tag.")}
    [episode] = landed(bring(web, tmp_path, also=("de",)))
    assert [file.name.partition("].")[2] for file in episode.files] == ["en.vtt", "de.vtt", "info.json"]


def test_a_translation_alone_is_left_and_the_sentence_says_how_to_take_it(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1, transcript("/de.vtt", language="de")))}
    [episode] = left(bring(web, tmp_path))
    assert episode.reason == "It has transcripts in de and none in en, which is spoken: take them with --also."
    assert web.asked == ["/feed.xml"]


def test_the_language_that_the_user_names_counts_before_that_of_the_whole_feed(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1, transcript("/1.vtt", language=""))), "/1.vtt": vtt("Die Flut kommt.")}
    [episode] = landed(bring(web, tmp_path, language="de"))
    assert episode.files[0].name.endswith("].de.vtt")


def test_where_nobody_says_what_is_spoken_any_transcript_is_taken(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1, transcript("/1.vtt", language="")), head=""), "/1.vtt": SAID}
    [episode] = landed(bring(web, tmp_path))
    assert episode.files[0].name.endswith("].vtt")


# --- which episodes --------------------------------------------------------------------------------------------------


def test_since_match_and_limit_choose_and_only_what_is_wanted_is_asked_for(web: Host, tmp_path: Path) -> None:
    web.files = {f"/{n}.vtt": SAID for n in range(1, 6)}
    items = [item(n, transcript(f"/{n}.vtt"), title=f"{'Ebb' if n == 4 else 'Flow'} {n}") for n in range(1, 6)]
    web.files["/feed.xml"] = rss(*items)
    events = bring(web, tmp_path, since=date(2025, 6, 2), match="flow", limit=2)
    assert [episode.title for episode in landed(events)] == ["Flow 5", "Flow 3"]
    assert all(episode.expected for episode in left(events))
    assert web.asked == ["/feed.xml", "/5.vtt", "/3.vtt"]
    assert [one.title for one in landed(bring(web, tmp_path, since=date(2025, 6, 2), match="flow", limit=2))] == [
        "Flow 2"
    ]


def test_a_second_run_asks_once_and_is_told_that_nothing_is_new(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": Answer(rss(item(1, transcript("/1.vtt"))).encode(), etag='"a"'), "/1.vtt": SAID}
    assert len(landed(bring(web, tmp_path))) == 1
    web.asked.clear()
    assert bring(web, tmp_path) == []
    assert web.asked == ["/feed.xml"]
    assert web.headers[-1]["if-none-match"] == '"a"'
    bring(web, tmp_path, since=date(2025, 1, 1))  # something else is wanted: the feed is read again
    assert "if-none-match" not in web.headers[-1]


def test_a_run_that_did_not_end_does_not_make_the_next_believe_that_nothing_is_new(web: Host, tmp_path: Path) -> None:
    feed = Answer(rss(*(item(n, transcript(f"/{n}.vtt")) for n in (1, 2, 3))).encode(), etag='"a"')
    busy = Answer(b"", 429, {"Retry-After": "0"})
    web.files = {"/feed.xml": feed, "/3.vtt": SAID, "/2.vtt": [busy] * 3 + [Answer(SAID.encode())], "/1.vtt": SAID}
    told: list[str] = []
    with open_archive(tmp_path) as archive:
        run = fetch_feed(Source(f"{web.url}/feed.xml"), archive, told.append, pace=FAST)
        assert next(run).title == "Tides 3"
        with pytest.raises(AskedTooOftenError, match="asked too often"):
            next(run)
    assert "/1.vtt" not in web.asked  # nothing more is asked of that host in this run
    assert "asked too often (429); waiting " in told[0]
    assert [episode.title for episode in landed(bring(web, tmp_path))] == ["Tides 2", "Tides 1"]


def test_a_host_that_refused_is_told_of_also_where_enough_talks_landed(web: Host, tmp_path: Path) -> None:
    with host() as busy:
        busy.files = {"/3.vtt": Answer(b"", 429, {"Retry-After": "0"})}
        newest = item(3, transcript(f"{busy.url.replace('127.0.0.1', 'localhost')}/3.vtt"))
        web.files = {"/feed.xml": rss(newest, item(2, VTT), item(1, VTT)), "/1.vtt": SAID}
        with open_archive(tmp_path) as archive:
            run = fetch_feed(Source(f"{web.url}/feed.xml", limit=1), archive, print, pace=FAST)
            assert next(run).title == "Tides 2"
            with pytest.raises(AskedTooOftenError, match="asked too often"):
                next(run)


def test_older_pages_of_a_feed_are_read_once_and_then_only_where_they_may_have_news(web: Host, tmp_path: Path) -> None:
    def feed(*numbers: int, older: str) -> str:
        link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{older}"/>'
        return rss(*(item(n, VTT) for n in numbers), head=f"<language>en</language>{link}")

    web.files = {"/1.vtt": SAID, "/feed.xml": feed(5, 4, older="/feed.xml?paged=2")}
    web.files |= {"/feed.xml?paged=2": feed(3, 2, older="?paged=3"), "/feed.xml?paged=3": feed(1, older="?paged=2")}
    assert len(landed(bring(web, tmp_path / "since", since=date(2025, 6, 3)))) == 3
    assert "/feed.xml?paged=3" not in web.asked
    assert len(landed(bring(web, tmp_path))) == 5
    web.asked.clear()
    web.files["/feed.xml"] = feed(6, 5, older="/feed.xml?paged=2")
    assert [episode.title for episode in landed(bring(web, tmp_path))] == ["Tides 6"]
    assert web.asked == ["/feed.xml", "/1.vtt"]


def test_an_episode_without_a_transcript_is_left_until_its_feed_names_one(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1)), "/1.vtt": SAID}
    [episode] = left(bring(web, tmp_path))
    assert episode.reason == "The feed names no transcript of it."
    assert bring(web, tmp_path) == []
    web.files["/feed.xml"] = rss(item(1, transcript("/1.vtt")))
    assert len(landed(bring(web, tmp_path))) == 1


def test_a_transcript_that_was_gone_is_asked_for_again_though_the_feed_stayed(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": Answer(rss(item(1, transcript("/1.vtt"))).encode(), etag='"a"')}
    [episode] = left(bring(web, tmp_path))
    assert "answers 404" in episode.reason
    assert bring(web, tmp_path) == []  # not due today
    waiting = tmp_path / HIDDEN / "left.jsonl"
    waiting.write_text(waiting.read_text().replace("2026", "2020").replace("2027", "2020"))
    web.files["/1.vtt"] = SAID
    assert len(landed(bring(web, tmp_path))) == 1


def test_guids_that_other_feeds_have_count_within_their_podcast_and_survive_a_move(web: Host, tmp_path: Path) -> None:
    web.files = {f"/{n}.vtt": SAID for n in (1, 2)}
    web.files["/one.xml"] = rss(item(1, transcript("/1.vtt"), guid="1"))
    web.files["/two.xml"] = rss(item(2, transcript("/2.vtt"), guid="1"), title="Cellar Talks")
    web.files["/moved.xml"] = rss(item(1, transcript("/1.vtt"), guid="1"))
    assert [len(landed(bring(web, tmp_path, path=f"/{name}.xml"))) for name in ("one", "two", "moved")] == [1, 1, 0]


def test_episodes_with_one_guid_are_told_apart_by_their_recordings(web: Host, tmp_path: Path) -> None:
    web.files = {f"/{n}.vtt": SAID for n in (1, 2, 3)}
    web.files["/feed.xml"] = rss(*(item(n, transcript(f"/{n}.vtt"), guid="tag:a,2025:x") for n in (2, 1, 1)))
    assert len(landed(bring(web, tmp_path))) == 2
    web.files["/feed.xml"] = rss(*(item(n, transcript(f"/{n}.vtt"), guid="tag:a,2025:x") for n in (3, 2, 1)))
    assert [episode.title for episode in landed(bring(web, tmp_path))] == ["Tides 3"]


@pytest.mark.parametrize("day", ["", "yesterday", "01 Jan 30000 10:00:00 GMT", "99 Foo 2025"])
def test_an_episode_without_a_day_that_can_be_is_brought_in_without_one(web: Host, tmp_path: Path, day: str) -> None:
    episode = item(1, transcript("/1.vtt"), guid="").replace("01 Jun 2025 10:00:00 GMT", day)
    web.files = {"/feed.xml": rss(episode), "/1.vtt": SAID}
    [one] = landed(bring(web, tmp_path))
    assert one.files[0].name.startswith("Tides 1 [")


# --- recordings ------------------------------------------------------------------------------------------------------


def test_the_sound_of_episodes_without_a_transcript_is_fetched_where_it_is_wanted(web: Host, tmp_path: Path) -> None:
    sound = b"ID3" + bytes(range(256)) * 40
    web.files = {"/feed.xml": rss(item(1), item(2, transcript("/2.vtt"))), "/2.vtt": SAID}
    web.files["/1.mp3"] = Answer(sound, headers={"Content-Type": "audio/mpeg"}, etag='"s"', cut_at=5000)
    written, spoken = landed(bring(web, tmp_path, recordings="missing"))
    assert [file.suffix for file in written.files] == [".vtt", ".json"]
    assert spoken.files[0].suffix == ".mp3"
    assert spoken.files[0].read_bytes() == sound  # the connection broke once, and it was gone on with
    assert web.asked.count("/1.mp3") == 2
    assert "transcribe" in spoken.note


def test_a_page_in_place_of_a_recording_is_no_recording(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1)), "/1.mp3": "<!DOCTYPE html><html><body>Sign in</body></html>"}
    [episode] = left(bring(web, tmp_path, recordings="all"))
    assert "gives no recording" in episode.reason
    assert list((tmp_path / HIDDEN / "part").glob("*")) == []


# --- feeds that are none, and feeds that are damaged -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(b"<!DOCTYPE html><html><head></head><body>Sign in</body></html>"), "gives a web page where a feed was"),
        (Answer(b'{"version": "https://jsonfeed.org/version/1.1"}'), "gives JSON where a feed was"),
        (Answer(b""), "gives nothing where a feed was"),
        (Answer(b"ID3\0", headers={"Content-Type": "audio/mpeg"}), "gives a recording where a feed was"),
        (Answer(b"", 404), "answers 404"),
        (Answer(b"", 500), "answers 500"),
        (Answer(b"", 302, {"Location": "/feed.xml"}), "from address to address without end"),
        (Answer(b"", 302, {"Location": "file:///etc/passwd"}), "no address of the web"),
        (Answer(b"", 302, {"Location": "http://[::1"}), "no address of the web"),
        (Answer(b"", headers={"Content-Length": "99000000000"}), "gives more than 64 MB"),
        (Answer(gzip.compress(b"0" * 70_000_000), headers={"Content-Encoding": "gzip"}), "gives more than 64 MB"),
        (Answer(b"not packed", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
        (Answer(b"x", headers={"Content-Encoding": "br"}), "packed as br"),
        (Answer(gzip.compress(b"<rss>" + b"0" * 70_000_000)), "unpacks to more than a feed has"),
        (Answer(b"<rss>" + b" " * 999, cut_at=100), "broke the connection off"),
    ],
)
def test_what_is_no_feed_is_told_in_a_sentence(web: Host, tmp_path: Path, answer: Answer, sentence: str) -> None:
    web.files = {"/feed.xml": answer}
    with pytest.raises(FetchError, match=sentence) as raised:
        bring(web, tmp_path)
    assert raised.value.hint


def test_hosts_that_are_not_there_are_told_in_a_sentence(tmp_path: Path) -> None:
    for url, sentence in (
        ("http://nobody.invalid/feed", "There is no host called nobody.invalid"),
        ("http://127.0.0.1:9/feed", "127.0.0.1 cannot be reached"),
        ("http://a..b/feed", "no name that a host can have"),
        ("ftp://a.example/feed", "no address of the web"),
        ("http:///feed", "no address of the web"),
    ):
        with open_archive(tmp_path) as archive, pytest.raises(FetchError, match=sentence):
            list(fetch_feed(Source(url), archive, print, pace=FAST))


@pytest.mark.parametrize(("name", "value"), [("SSL_CERT_FILE", "/nowhere.pem"), ("ALL_PROXY", "gopher://a.example")])
def test_an_environment_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(FetchError, match="as the environment says"), open_web(print):
        pass


def test_a_body_that_drips_is_given_up(web: Host) -> None:
    web.files = {"/feed.xml": Answer(b"<rss>" * 200, slow_s=0.05)}
    with open_web(print, pace=FAST) as client, pytest.raises(FetchError, match="sends too slowly"):
        client.get(f"{web.url}/feed.xml", FetchLimit(1_000_000, 0.2))


VTT = transcript("/1.vtt")
DAMAGED = {
    "undeclared entities": rss(item(1, VTT, "<description>a&nbsp;b & c</description>")).encode(),
    "latin-1 as utf-8": rss(item(1, VTT, title="Ebbe über Nöten")).encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbf" + rss(item(1, VTT)).encode(),
    "utf-16": rss(item(1, VTT)).replace("UTF-8", "UTF-16").encode("utf-16"),
    "blanks before": b"\n\n " + rss(item(1, VTT)).encode(),
    "a warning before": b"<br />Warning: x\n" + rss(item(1, VTT)).encode(),
    "cut off": rss(item(1, VTT), item(2)).encode()[:-150],
    "packed itself": gzip.compress(rss(item(1, VTT)).encode()),
    "a chapter without a start": rss(item(1, "<psc:chapters><psc:chapter title='x'/></psc:chapters>", VTT)).encode(),
    "a sign that does not exist": rss(item(1, VTT, "<description>&#x110000000; &#0;</description>")).encode(),
    "halves of signs": rss(item(1, VTT, "<description>&#xD800; &#57343;</description>")).encode(),
    "an encoding with letters in it": rss(item(1, VTT)).replace("UTF-8", "idna").encode(),
    "marked sections in notes": rss(item(1, VTT, "<description>&lt;![endif]--&gt;&lt;p&gt;x</description>")).encode(),
    "a prefix that nobody declared": rss(item(1, VTT, "<x:y>z</x:y>")).encode(),
}


@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED)
def test_damaged_feeds_give_what_can_be_read(web: Host, tmp_path: Path, body: bytes) -> None:
    web.files = {"/feed.xml": body, "/1.vtt": SAID}
    assert len(landed(bring(web, tmp_path))) == 1


def test_a_feed_that_declares_entities_is_read_without_what_needs_the_second_look(web: Host, tmp_path: Path) -> None:
    bomb = rss(item(1, transcript("/1.vtt"))).replace("<rss", '<!DOCTYPE rss [<!ENTITY a "b">]><rss', 1)
    web.files = {"/feed.xml": bomb, "/1.vtt": SAID}
    told: list[str] = []
    [episode] = left(bring(web, tmp_path, told=told))
    assert episode.title == "Tides 1"
    assert "declares entities" in told[0]


OLD = {
    "rss 0.91": '<rss version="0.91"><channel><title>Old</title>{}</channel></rss>',
    "rdf": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
    'xmlns:podcast="p"><channel rdf:about="x"><title>Old</title></channel>{}</rdf:RDF>',
    "atom": '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:podcast="p"><title>Old</title>{}</feed>',
}


@pytest.mark.parametrize("form", OLD)
def test_feeds_of_every_kind_are_read(form: str) -> None:
    entry = f"<item><title>One</title><link>http://a.example/1</link>{transcript('1.vtt')}</item>"
    if form == "atom":
        entry = entry.replace("item>", "entry>").replace(
            "<link>http://a.example/1</link>", '<id>tag:1</id><link rel="enclosure" type="audio/mpeg" href="1.mp3"/>'
        )
    podcast = read_podcast(Page("http://a.example/feeds/f.xml", OLD[form].format(entry).encode()))
    assert (podcast.title, podcast.episodes[0].title) == ("Old", "One")
    assert [link.url for link in podcast.episodes[0].transcripts] == ["http://a.example/feeds/1.vtt"]


# --- what nobody vouches for -----------------------------------------------------------------------------------------


def test_titles_become_names_that_stay_in_the_folder(web: Host, tmp_path: Path) -> None:
    titles = ["../../etc/passwd", "&lt;b&gt;Bold&lt;/b&gt;", "&#27;[31mred", "-rf", "x" * 4000, "CON"]
    web.files = {"/1.vtt": SAID}
    web.files["/feed.xml"] = rss(
        *(item(n + 1, transcript("/1.vtt"), title=title) for n, title in enumerate(titles)), title="../../up"
    )
    episodes = landed(bring(web, tmp_path))
    assert len(episodes) == len(titles)
    for episode in episodes:
        for file in episode.files:
            assert file.resolve().parent == tmp_path / "up"
            assert len(file.name.encode()) <= 255
            assert file.name.isprintable()
    assert "Bold" in [episode.title for episode in episodes]


def test_addresses_that_are_no_web_are_not_taken(web: Host, tmp_path: Path) -> None:
    bad = "".join(transcript(url) for url in ("javascript:alert(1)", "file:///etc/passwd", "ftp://a.example/1.vtt", ""))
    episode = item(1, bad, transcript("  /a b.vtt ")).replace("https://harbour.example/1", "javascript:alert(1)")
    web.files = {"/feed.xml": rss(episode), "/a%20b.vtt": SAID}
    [one] = landed(bring(web, tmp_path))
    assert json.loads(one.files[-1].read_text())["webpage_url"] == f"{web.url}/1.mp3"


def test_relative_addresses_are_resolved_by_the_base_that_the_feed_names(web: Host, tmp_path: Path) -> None:
    feed = rss(item(1, transcript("one.vtt"))).replace("<channel>", '<channel xml:base="/deep/down/">')
    web.files = {"/feed.xml": feed, "/deep/down/one.vtt": SAID}
    assert len(landed(bring(web, tmp_path))) == 1


def test_a_password_is_sent_to_its_host_alone_and_written_nowhere(web: Host, tmp_path: Path) -> None:
    with host() as other:
        other.files = {"/2.vtt": SAID}
        items = item(1, transcript("/1.vtt")), item(2, transcript(f"{other.url}/2.vtt"))
        web.files = {"/feed.xml": rss(*items), "/1.vtt": SAID}
        url = web.url.replace("//", "//ada:s3cret@")
        with open_archive(tmp_path) as archive:
            events = list(fetch_feed(Source(f"{url}/feed.xml"), archive, print, pace=FAST))
            assert len(landed(events)) == 2
            with pytest.raises(FetchError) as raised:
                list(fetch_feed(Source(f"{url}/gone.xml"), archive, print, pace=FAST))
    assert all(headers["authorization"].startswith("Basic ") for headers in web.headers)
    assert all("authorization" not in headers for headers in other.headers)
    assert "s3cret" not in str(raised.value)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cret" in path.read_bytes() or "s3cret" in path.name]


def test_cookies_are_sent_only_from_a_file_that_is_named(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": Answer(rss(item(1)).encode(), headers={"Set-Cookie": "a=1"})}
    bring(web, tmp_path)
    bring(web, tmp_path)
    assert all("cookie" not in headers for headers in web.headers)
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkey\tvalue\n")
    bring(web, tmp_path, cookies=str(jar))
    assert web.headers[-1]["cookie"] == "key=value"
    assert jar.read_text().endswith("value\n")


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        ("127.0.0.1\tTRUE\t/\tFALSE\t0\tkey\tvalue\n", "key=value"),  # without the line that says what it is
        ("# Netscape HTTP Cookie File\n#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t4102444800.5\tkey\tvalue\n", "key=value"),
        ("127.0.0.1\tFALSE\t/\tTRUE\t0\tkey\tvalue\n", None),
        ("other.example\tFALSE\t/\tFALSE\t0\tkey\tvalue\n", None),
        ("127.0.0.1\tFALSE\t/\tFALSE\t1\tkey\tvalue\n", None),
    ],
)
def test_files_of_cookies_are_taken_as_other_programs_write_them(
    web: Host, tmp_path: Path, rows: str, sent: str | None
) -> None:
    web.files = {"/feed.xml": Answer(rss(item(1)).encode())}
    (tmp_path / "cookies.txt").write_text(rows)
    bring(web, tmp_path, cookies=str(tmp_path / "cookies.txt"))
    assert web.headers[-1].get("cookie") == sent


def test_a_damaged_file_of_cookies_is_a_sentence_without_its_lines(
    web: Host, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\nexample.org TRUE / s3cret\n")
    with pytest.raises(FetchError, match="is damaged at line 2") as raised:
        bring(web, tmp_path, cookies=str(tmp_path / "cookies.txt"))
    assert "s3cret" not in f"{raised.value}{capfd.readouterr()}"


def test_a_feed_on_the_web_cannot_make_this_machine_ask_its_own_network(web: Host) -> None:
    web.files = {"/secret.vtt": SAID, "/hop": Answer(b"", 302, {"Location": "http://169.254.169.254/latest/"})}
    with open_web(print, pace=FAST) as client:
        for public in ("http://93.184.215.14/feed.xml", "https://[2606:2800:21f::1]/feed.xml"):
            with pytest.raises(FetchError, match="lies on this machine or its network"):
                client.get(f"{web.url}/secret.vtt", named_by=public)
        with pytest.raises(FetchError, match="lies on this machine or its network"):
            client.get(f"{web.url}/hop")  # not even on this machine's word may the next door be asked
        assert web.asked == ["/hop"]
        assert client.get(f"{web.url}/secret.vtt", named_by=f"{web.url}/feed.xml").data
        assert web.headers[-1]["user-agent"].startswith("talksearch/")


def test_a_pause_is_kept_between_two_requests_to_one_host(web: Host) -> None:
    from time import monotonic

    web.files = {"/a": "a"}
    with open_web(print, pace=replace(FAST, pause_s=0.2)) as client:
        begun = monotonic()
        for _ in range(3):
            client.get(f"{web.url}/a")
        assert monotonic() - begun > 0.4


# --- runs that end early ---------------------------------------------------------------------------------------------


def test_ctrl_c_in_the_middle_of_a_body_leaves_nothing_half_written(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1), item(2, transcript("/2.vtt"))), "/2.vtt": SAID}
    web.files["/1.mp3"] = Answer(b"ID3" * 1000, slow_s=0.02)
    with open_archive(tmp_path) as archive:
        events = fetch_feed(Source(f"{web.url}/feed.xml", recordings="missing"), archive, print, pace=FAST)
        assert next(events).title == "Tides 2"
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), 2))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            next(events)
        timer.join()
        assert len(archive.done) == 1
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file() and HIDDEN not in path.parts} == {
        ".vtt",
        ".json",
    }
    web.files["/1.mp3"] = b"ID3" * 1000
    assert [one.title for one in landed(bring(web, tmp_path, recordings="missing"))] == ["Tides 1"]


def test_a_disk_that_fills_up_ends_the_run_in_a_sentence_and_the_next_goes_on(web: Host, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        web.files = {"/feed.xml": rss(item(1), item(2)), "/2.mp3": b"ID3" * 1000, "/1.mp3": b"ID3" * 500_000}
        with pytest.raises(TalksearchError, match="No space left on device"):
            bring(web, small, recordings="missing")
        files = [path for path in small.rglob("*") if path.is_file() and HIDDEN not in path.parts]
        assert sorted(path.suffix for path in files) == [".json", ".mp3"]
        web.files["/1.mp3"] = b"ID3"
        assert [one.title for one in landed(bring(web, small, recordings="missing"))] == ["Tides 1"]
    finally:
        subprocess.run(["umount", small], check=True)


def fetched(web: Host, path: str) -> Page:
    with open_web(print, pace=FAST) as client:
        return client.get(f"{web.url}{path}")


def test_looking_at_a_feed_says_what_it_is_and_asks_once(web: Host, tmp_path: Path) -> None:
    web.files = {"/feed.xml": rss(item(1), item(2, transcript("/2.vtt"))), "/2.vtt": SAID}
    source = Source(f"{web.url}/feed.xml")
    page = fetched(web, "/feed.xml")
    assert title_of_feed(page) == "Harbour Talks"
    with open_archive(tmp_path) as archive:
        assert len(landed(list(fetch_feed(source, archive, print, page, pace=FAST)))) == 1
    assert web.asked == ["/feed.xml", "/2.vtt"]


def test_a_feed_of_articles_is_no_podcast(web: Host) -> None:
    article = "<item><title>Ropes</title><link>https://harbour.example/ropes</link></item>"
    web.files = {"/feed.xml": rss(article, article.replace("opes", "iffs")), "/empty.xml": rss()}
    with pytest.raises(FetchError, match="none of its 2 has a recording"):
        title_of_feed(fetched(web, "/feed.xml"))
    assert title_of_feed(fetched(web, "/empty.xml")) == "Harbour Talks"


def test_what_is_live_says_nothing_of_the_feed_and_is_no_episode() -> None:
    live = (
        "<podcast:liveItem><title>Soon</title><language>fr</language><itunes:author>Nobody</itunes:author>"
        '<enclosure url="/live.mp3" type="audio/mpeg"/><podcast:person>Nobody</podcast:person></podcast:liveItem>'
    )
    podcast = read_podcast(Page("http://a.example/f.xml", rss(live, item(1), live).encode()))
    assert (podcast.title, podcast.language, podcast.author) == ("Harbour Talks", "en", "")
    assert [(episode.title, episode.people) for episode in podcast.episodes] == [("Tides 1", ())]


def test_names_and_addresses_are_read_where_the_first_drafts_of_the_namespace_have_them() -> None:
    drafted = (
        '<podcast:person name="Ada Wells"/>'
        '<podcast:alternateEnclosure type="audio/mp4">https://a.example/low.m4a</podcast:alternateEnclosure>'
        '<podcast:alternateEnclosure type="audio/ogg"><podcast:source uri="https://a.example/1.ogg"/>'
        '<podcast:source uri="ipfs://1"/></podcast:alternateEnclosure>'
    )
    [episode] = read_podcast(Page("http://a.example/f.xml", rss(item(1, drafted)).encode())).episodes
    assert [person.name for person in episode.people] == ["Ada Wells"]
    assert [media.url.rpartition("/")[2] for media in episode.media] == ["1.mp3", "low.m4a", "1.ogg"]
