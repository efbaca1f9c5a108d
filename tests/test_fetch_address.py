"""What an address is: told by what it gives, asked once, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback.feeds import Answer, Host, host, item, rss, transcript

from talksearch.indexer.errors import UsageError
from talksearch.indexer.fetch.pace import RequestPace
from talksearch.indexer.fetch.records import FetchError
from talksearch.indexer.subscriptions.address import kind_of

FAST = RequestPace(pause_s=0, first_wait_s=0.02, longest_wait_s=1, tries=2)
OPML = '<?xml version="1.0"?><opml version="2.0"><body><outline type="rss" xmlUrl="https://a.example/f"/></body></opml>'
LINKED = '<link rel="alternate" type="application/rss+xml" title="All" href="/feed.xml">'
PAGE = "<!DOCTYPE html><html><head>{}</head><body>{}</body></html>"


@pytest.fixture
def web() -> Iterator[Host]:
    with host() as served:
        yield served


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (rss(item(1, transcript("/1.vtt"))), "feed"),
        (Answer(rss(item(1)).encode(), headers={"Content-Type": "text/html"}), "feed"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>', "feed"),
        (OPML, "opml"),
        (PAGE.format("", "<video src=a.mp4></video>"), "site"),
        (Answer(b"\x00\x00", headers={"Content-Type": "video/mp4"}), "site"),
        (Answer(b"", 302, {"Location": "/other"}), "feed"),
    ],
)
def test_what_lies_on_the_web_is_told_by_what_it_gives(web: Host, answer: Answer | str, kind: str) -> None:
    web.files = {"/x": answer, "/other": rss(item(1))}
    found = kind_of(f"{web.url}/x", print, pace=FAST)
    assert found.kind == kind
    assert (found.page is not None) == (kind in ("feed", "opml"))
    assert web.asked.count("/x") == 1


def test_a_page_that_plays_nothing_and_names_a_feed_says_which(web: Host) -> None:
    damaged = LINKED.replace("/feed.xml", "http://[")
    web.files = {
        "/none": PAGE.format(damaged + LINKED, "Welcome"),
        "/plays": PAGE.format(LINKED, "<iframe src=x></iframe>"),
    }
    assert f"names a feed: talksearch add {web.url}/feed.xml" in kind_of(f"{web.url}/none", print, pace=FAST).note
    assert kind_of(f"{web.url}/plays", print, pace=FAST).note == ""


@pytest.mark.parametrize("answer", ["", '{"a": 1}', "just words", Answer(b"", 404)])
def test_what_gives_no_talks_is_refused_in_a_sentence(web: Host, answer: Answer | str) -> None:
    web.files = {"/x": answer}
    with pytest.raises(FetchError) as raised:
        kind_of(f"{web.url}/x", print, pace=FAST)
    assert raised.value.message.endswith(".")
    assert raised.value.hint


def test_a_site_that_is_known_is_not_asked() -> None:
    for url in ("https://www.youtube.com/@harbour", "youtu.be/DTcRLlMv4_o", "https://vimeo.com/channels/staffpicks"):
        assert kind_of(url, print, pace=FAST).kind == "site"
    feed = kind_of("https://www.youtube.com/feeds/videos.xml?channel_id=UCabcdefghijklmnopqrstuv", print, pace=FAST)
    assert (feed.kind, feed.url) == ("site", "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv")


def test_what_lies_on_the_disk_is_taken_as_it_lies(tmp_path: Path) -> None:
    (tmp_path / "subs.opml").write_text(OPML)
    (tmp_path / "talk.mp3").write_bytes(b"ID3\x00")
    own = '<atom:link rel="self" href="https://harbour.example/feed.xml" xmlns:atom="x"/>'
    (tmp_path / "feed.xml").write_text(rss(item(1), head=own))
    assert kind_of(str(tmp_path), print).kind == "folder"
    assert kind_of(tmp_path.as_uri(), print).kind == "folder"
    assert kind_of(str(tmp_path / "subs.opml"), print).kind == "opml"
    assert kind_of(str(tmp_path / "talk.mp3"), print).kind == "file"
    with pytest.raises(FetchError, match="was saved") as raised:
        kind_of(str(tmp_path / "feed.xml"), print)
    assert raised.value.hint.endswith("talksearch add https://harbour.example/feed.xml")
    with pytest.raises(FetchError, match="cannot be read"):
        kind_of(str(tmp_path / "nothing"), print)


@pytest.mark.parametrize("url", ["ftp://a.example/x", "javascript:alert(1)", "http://[", "file://server/share"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises((UsageError, FetchError)):
        kind_of(url, print)


def test_schemes_of_podcast_programs_lead_to_the_web(web: Host) -> None:
    web.files = {"/x": rss(item(1))}
    found = kind_of(f"feed:{web.url}/x", print, pace=FAST)
    assert (found.kind, found.url) == ("feed", f"{web.url}/x")
