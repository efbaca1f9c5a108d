"""Links that open at a second: each site has its own way, and what else stands in an address stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.text.sites import SITES
from talksearch.indexer.text.youtube import watch_url
from talksearch.search.links import link_at, seconds_of
from talksearch.search.moments import split_moment

ID = "DTcRLlMv4_o"
UUID = "9c9de5e8-0a1e-484a-b099-e80766180a6d"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://www.youtube.com/watch?v={ID}", f"https://www.youtube.com/watch?v={ID}&t=3723"),
        (f"https://youtube.com/watch?v={ID}&si=abc&t=3", f"https://www.youtube.com/watch?v={ID}&t=3723"),
        (f"https://m.youtube.com/watch?v={ID}&list=PL1", f"https://www.youtube.com/watch?v={ID}&list=PL1&t=3723"),
        (f"https://music.youtube.com/watch?v={ID}", f"https://www.youtube.com/watch?v={ID}&t=3723"),
        (f"https://youtu.be/{ID}?si=abc", f"https://youtu.be/{ID}?t=3723"),
        (f"https://www.youtube.com/shorts/{ID}", f"https://www.youtube.com/watch?v={ID}&t=3723"),
        (f"https://www.youtube.com/live/{ID}?si=a", f"https://www.youtube.com/watch?v={ID}&t=3723"),
        (f"https://www.youtube-nocookie.com/embed/{ID}", f"https://www.youtube-nocookie.com/embed/{ID}?start=3723"),
        ("https://vimeo.com/1234", "https://vimeo.com/1234#t=3723s"),
        ("https://vimeo.com/1234/abcdef?share=copy#t=3s", "https://vimeo.com/1234/abcdef?share=copy#t=3723s"),
        ("https://player.vimeo.com/video/1234?h=9#t=3s", "https://player.vimeo.com/video/1234?h=9#t=3723s"),
        ("https://www.dailymotion.com/video/x8m?start=5&a=b", "https://www.dailymotion.com/video/x8m?a=b&start=3723"),
        ("https://dai.ly/x8m", "https://dai.ly/x8m?start=3723"),
        ("https://www.twitch.tv/videos/99?t=1m2s", "https://www.twitch.tv/videos/99?t=1h2m3s"),
        ("https://soundcloud.com/a/b?in=a/sets/c", "https://soundcloud.com/a/b?in=a/sets/c#t=1:02:03"),
        ("https://open.spotify.com/episode/4x?si=q", "https://open.spotify.com/episode/4x?si=q&t=3723"),
        (
            "https://podcasts.apple.com/us/podcast/a/id1?i=1000",
            "https://podcasts.apple.com/us/podcast/a/id1?i=1000&t=3723",
        ),
        ("https://overcast.fm/+AbCd", "https://overcast.fm/+AbCd/1:02:03"),
        ("https://overcast.fm/+AbCd/12:34", "https://overcast.fm/+AbCd/1:02:03"),
        ("https://pca.st/episode/c510", "https://pca.st/episode/c510?t=3723"),
        (f"https://tube.example.org/w/{'k' * 22}", f"https://tube.example.org/w/{'k' * 22}?start=3723"),
        (
            f"https://tube.example.org/videos/watch/{UUID}?start=2m",
            f"https://tube.example.org/videos/watch/{UUID}?start=3723",
        ),
        ("https://media.ccc.de/v/33c3-8401-bridges", "https://media.ccc.de/v/33c3-8401-bridges#t=3723"),
        ("https://archive.org/details/some_talk", "https://archive.org/details/some_talk?start=3723"),
        ("https://archive.org/download/some_talk/a.mp3", "https://archive.org/download/some_talk/a.mp3#t=3723"),
        (
            "https://uni.hosted.panopto.com/Panopto/Pages/Viewer.aspx?id=1-2&start=4.5",
            "https://uni.hosted.panopto.com/Panopto/Pages/Viewer.aspx?id=1-2&start=3723",
        ),
        ("https://uni.mediaspace.kaltura.com/media/t/1_a", "https://uni.mediaspace.kaltura.com/media/t/1_a?st=3723"),
        ("https://www.bilibili.com/video/BV1x?p=2&t=9.5", "https://www.bilibili.com/video/BV1x?p=2&t=3723"),
        ("https://www.nicovideo.jp/watch/sm9", "https://www.nicovideo.jp/watch/sm9?from=3723"),
        ("https://rumble.com/v1-a.html", "https://rumble.com/v1-a.html?start=3723"),
        ("https://odysee.com/@who:1/what:2#reply", "https://odysee.com/@who:1/what:2?t=3723#reply"),
        ("https://www.facebook.com/watch/?v=12", "https://www.facebook.com/watch/?v=12&t=3723"),
        ("https://drive.google.com/file/d/1a/view?usp=sharing", "https://drive.google.com/file/d/1a/view?usp=sharing&t=3723"),
        ("https://www.loom.com/share/0a1b?sid=9", "https://www.loom.com/share/0a1b?sid=9&t=3723"),
        ("https://home.wistia.com/medias/y16", "https://home.wistia.com/medias/y16?wtime=3723"),
        ("https://show.fireside.fm/12", "https://show.fireside.fm/12?t=3723"),
        (f"https://inv.example.org/watch?v={ID}", f"https://inv.example.org/watch?v={ID}&t=3723"),
        ("file:///talks/a%20b.mp4", "file:///talks/a%20b.mp4#t=3723"),
        ("https://media.example.org/a.mp3?x=1", "https://media.example.org/a.mp3?x=1#t=3723"),
        ("https://media.example.org/a.webm#track=audio&t=5", "https://media.example.org/a.webm#track=audio&t=3723"),
        ("https://example.org/talk?t=12s", "https://example.org/talk?t=3723"),
    ],
)  # fmt: skip
def test_links_open_at_the_second(url: str, expected: str) -> None:
    assert link_at(url, 3723) == expected
    assert link_at(expected, 3723) == expected  # a time that stands there is replaced
    assert seconds_of(expected) == 3723


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/talk#part", "https://example.org/talk#t=90"),
        ("https://example.org/app#/watch/7", "https://example.org/app#/watch/7"),
        ("https://example.org/a?token=t&start=20", "https://example.org/a?token=t&start=20#t=90"),
        ("https://example.org/a?t=1700000000000", "https://example.org/a?t=1700000000000#t=90"),
        ("https://www.youtube.com/playlist?list=PL1", "https://www.youtube.com/playlist?list=PL1#t=90"),
        ("https://www.twitch.tv/somebody", "https://www.twitch.tv/somebody#t=90"),
        ("https://notvimeo.com/1234", "https://notvimeo.com/1234#t=90"),
        ("https://vimeo.com.example.org/1234", "https://vimeo.com.example.org/1234#t=90"),
        (f"https://tube.example.org/w/p/{'k' * 22}", f"https://tube.example.org/w/p/{'k' * 22}#t=90"),
        ("https://example.org/watch?v=short", "https://example.org/watch?v=short#t=90"),
        ("https://[broken/", "https://[broken/"),
        (None, ""),
        ("", ""),
    ],
)
def test_what_looks_like_a_site_and_is_another_gets_the_fragment_or_nothing(url: str | None, expected: str) -> None:
    assert link_at(url, 90) == expected


def test_seconds_are_whole_and_never_below_zero() -> None:
    assert link_at(watch_url(ID), -3).endswith("&t=0")
    assert link_at("file:///a.mp4", -0.5).endswith("#t=0")
    assert link_at("https://vimeo.com/1", 83.999) == "https://vimeo.com/1#t=83s"
    assert link_at("https://www.twitch.tv/videos/9", 59.9) == "https://www.twitch.tv/videos/9?t=59s"
    assert link_at("https://vimeo.com/1", float("nan")) == "https://vimeo.com/1#t=0s"


@pytest.mark.parametrize(
    ("url", "ms"),
    [
        ("https://www.twitch.tv/videos/9?t=1h2m3s", 3_723_000),
        ("https://overcast.fm/+AbCd/12:34", 754_000),
        ("https://soundcloud.com/a/b#t=1%3A23", 83_000),
        ("https://vimeo.com/1#t=83s", 83_000),
        ("https://uni.hosted.panopto.com/Panopto/Pages/Viewer.aspx?id=1&start=4.5", 4_500),
        (f"https://youtu.be/{ID}?t=", None),
        (f"https://youtu.be/{ID}?t=soon", None),
    ],
)
def test_a_moment_may_be_an_address_with_a_time(url: str, ms: int | None) -> None:
    assert split_moment(url) == (url, ms)


def test_every_site_says_where_its_way_is_documented() -> None:
    assert all(site.source and (site.key or site.place == "path") for site in SITES)
    assert all(re.compile(site.hosts) and re.compile(site.path) for site in SITES)


@given(st.text(max_size=60), st.floats())
def test_nothing_breaks_a_link(text: str, seconds: float) -> None:
    for url in (text, f"https://youtube.com/{text}", f"https://overcast.fm/+{text}", f"https://vimeo.com/{text}"):
        assert isinstance(link_at(url, seconds), str)
        seconds_of(url)
