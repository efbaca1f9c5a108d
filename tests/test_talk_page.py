"""The page of a talk, as the server makes it: what plays, the transcript at a moment, marks, repairs, the receipt."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from fakes import CountingEncoder
from starlette.testclient import TestClient
from tiny import write_talk

from talksearch.cli.pool.index_pool import IndexPool
from talksearch.cli.web.addresses import PageAddress
from talksearch.cli.web.app import application
from talksearch.cli.web.embeds import content_policy, embed_hosts, embed_of
from talksearch.cli.web.talk_view import view_of
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Cue, Talk
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader

YOUTUBE = "DTcRLlMv4_o"
POLICY = "content-security-policy"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("page")
    talks = folder / "talks"
    ships = ["the ship keeps its own time", "and the ship comes home late", "said the captain"]
    chapters = [{"start_time": 0, "title": "Leaving"}, {"start_time": 100, "title": "Coming <home>"}]
    write_talk(talks, "ships", ships, chapters=chapters, uploader="Harbour", upload_date="20240501", language="en")
    write_talk(talks, "bees", ["every bee knows"], webpage_url=f"https://www.youtube.com/watch?v={YOUTUBE}")
    write_talk(talks, "bees-late", ["said the bee"], webpage_url="https://vimeo.com/76979871")
    write_talk(talks, "stone", ["a bridge is a song in stone"])
    (talks / "stone.info.json").write_text(json.dumps({"title": "Stone"}), encoding="utf-8")
    (talks / "stone.mp4").write_bytes(b"0" * 100)
    german = ["Schöne Brücken stehen lange.", "Wer müde ist, prüft schlecht.", "Das wäre gefährlich für alle."]
    damaged = [line.encode().decode("windows-1252") for line in german]
    write_talk(talks, "damaged", damaged, title="Über Brücken".encode().decode("windows-1252"), language="de")
    chinese = ["今天我們談相對", "論和時間。", "慢船與快鐘"]
    write_talk(talks, "clocks", chinese, language="zh-Hant")
    (talks / "untimed.txt").write_text("Ana: the tide comes in.\n\nBen: the tide goes out.\n" * 20, encoding="utf-8")
    (talks / "evil.vtt").write_text(
        "WEBVTT\n\n00:01.000 --> 00:05.000\na &lt;script&gt;alert(1)&lt;/script&gt; talk\n", encoding="utf-8"
    )
    (talks / "evil.info.json").write_text(
        json.dumps({"title": "<b>T</b>\x1b[31m", "webpage_url": "javascript:alert(1)"}), encoding="utf-8"
    )
    write_talk(talks, "nowhere", ["said at no address"], webpage_url="http://[::1")
    build_index(folder / "index", [talks], encoder=CountingEncoder())
    pool = IndexPool(folder / "index", encoder=CountingEncoder())
    yield TestClient(application(pool, "127.0.0.1"), base_url="http://127.0.0.1", headers={"accept": "text/html"})
    pool.close()


def page(client: TestClient, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == status, response.text
    return response.text


def lines(html: str) -> list[tuple[str, str]]:
    """The lines of a transcript: the second at which each begins, and its text."""
    found = re.findall(r'<a href="[^"]*" data-s="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    return [(second, unescape(re.sub("<[^>]*>", "", text))) for second, text in found]


def current(html: str) -> list[str]:
    return re.findall(r'data-s="([^"]*)" id="at" aria-current="true"', html)


def marked(html: str, kind: str) -> list[str]:
    return [unescape(text) for text in re.findall(rf'<mark class="{kind}">(.*?)</mark>', html)]


def test_a_talk_has_its_title_facts_and_lines(client: TestClient) -> None:
    html = page(client, "/talk/ships")
    assert "<h1" in html
    assert ">Ships</h1>" in html
    for fact in ("Harbour", "2024-05-01", "English", "3:05"):
        assert f">{fact}</span>" in html
    assert lines(html) == [
        ("60", "the ship keeps its own time"),
        ("120", "and the ship comes home late"),
        ("180", "said the captain"),
    ]
    assert current(html) == []
    assert 'id="transcript" tabindex="0" role="region" aria-labelledby="transcript-title" lang="en"' in html
    assert 'data-t="1:00"' in html
    assert "<script>" not in html
    assert " style=" not in html


def test_a_moment_is_the_line_that_is_said_then(client: TestClient) -> None:
    for moment, line in (("0", "60"), ("60", "60"), ("119.5", "60"), ("120", "120"), ("2:00", "120"), ("184s", "180")):
        assert current(page(client, f"/talk/ships?t={moment}")) == [line], moment


def test_a_whole_second_means_what_begins_within_it(client: TestClient) -> None:
    assert current(page(client, "/talk/ships?t=119")) == ["60"]
    assert current(page(client, "/talk/ships?t=119.1")) == ["60"]


def test_a_moment_behind_the_end_is_said_and_nothing_fails(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=9999")
    assert "The talk ends at 3:05; 2:46:39 lies behind that." in html
    assert current(html) == []
    assert "“soon” is not a time" in page(client, "/talk/ships?t=soon")
    page(client, "/talk/ships?t=99999999999999999999")


def test_no_such_talk_is_a_page_that_says_so(client: TestClient) -> None:
    assert "nobody" in page(client, "/talk/nobody?t=3", 404)
    assert "<h1" in page(client, "/talk/", 404)


def test_the_beginning_of_an_id_is_enough_and_several_talks_are_named(client: TestClient) -> None:
    assert ">Ships</h1>" in page(client, "/talk/ship")
    html = unescape(page(client, "/talk/s", 404))
    assert "means 2 talks" in html
    assert "ships-" in html


def test_a_path_names_a_talk_too(client: TestClient) -> None:
    assert ">Ships</h1>" in page(client, f"/talk/{quote('ships.vtt')}")


def test_foreign_parameters_are_taken_off(client: TestClient) -> None:
    response = client.get("/talk/ships?t=60&utm_source=x&fbclid=y", follow_redirects=False)
    assert response.status_code == 302
    assert re.fullmatch(r"/talk/ships-\w+\?t=60", response.headers["location"])


def test_only_the_hosts_of_embeds_may_be_framed(client: TestClient) -> None:
    policy = client.get(f"/talk/{YOUTUBE}").headers[POLICY]
    assert policy.endswith("; frame-src https://player.vimeo.com https://www.youtube-nocookie.com")
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_an_embed_waits_for_a_click(client: TestClient) -> None:
    html = page(client, f"/talk/{YOUTUBE}?t=60")
    shown = html.replace(re.search("<template>.*?</template>", html, re.DOTALL)[0], "")  # type: ignore[index]
    assert "<iframe" not in shown
    assert "loads www.youtube-nocookie.com" in html
    assert f'data-src="https://www.youtube-nocookie.com/embed/{YOUTUBE}?playsinline=1&amp;rel=0"' in html
    assert "Play here from <b>1:00</b>" in html
    assert 'referrerpolicy="strict-origin-when-cross-origin"' in html
    assert f"https://www.youtube.com/watch?v={YOUTUBE}&amp;t=60" in html


def test_a_link_plays_an_embed_where_there_are_no_scripts(client: TestClient) -> None:
    href = re.search('id="play" href="([^"]*)"', page(client, f"/talk/{YOUTUBE}?t=60"))
    assert href
    html = page(client, unescape(href[1]))
    assert f'<iframe src="https://www.youtube-nocookie.com/embed/{YOUTUBE}?playsinline=1&amp;rel=0&amp;start=60' in html


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_link_of_another_site_makes_a_page_load_an_embed(site: str, client: TestClient) -> None:
    link = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    html = page(client, f"/talk/{YOUTUBE}?t=60&play=1", **link)
    assert "<iframe src" not in html
    assert "Play here from" in html


def test_a_recording_on_this_machine_plays_at_the_second(client: TestClient) -> None:
    html = page(client, "/talk/stone?t=60.5")
    assert re.search(r'<video controls preload="metadata" src="/media/stone-\w+#t=60.5"', html)
    assert "file:" not in html


def test_a_page_that_cannot_be_embedded_is_linked(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60")
    assert 'href="https://example.org/ships#t=60"' in html
    assert "<iframe" not in html


@pytest.mark.parametrize(
    ("url", "src"),
    [
        ("https://vimeo.com/76979871", "https://player.vimeo.com/video/76979871?dnt=1"),
        ("https://vimeo.com/76979871/0a1b2c", "https://player.vimeo.com/video/76979871?dnt=1&h=0a1b2c"),
        ("https://player.vimeo.com/video/76979871?h=ab", "https://player.vimeo.com/video/76979871?dnt=1&h=ab"),
        ("https://a.tube/w/kkGMgK9ZtnKfYAgnEtQxbv", "https://a.tube/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?api=1"),
        ("https://vimeo.com/channels/staffpicks", None),
        ("http://a.tube/w/kkGMgK9ZtnKfYAgnEtQxbv", None),
        ("https://a.tube;script-src *//w/kkGMgK9ZtnKfYAgnEtQxbv", None),
        ("https://user@a.tube/w/kkGMgK9ZtnKfYAgnEtQxbv", None),
        ("https://[::1/w/kkGMgK9ZtnKfYAgnEtQxbv", None),
        ("https://a.tube:99999/w/kkGMgK9ZtnKfYAgnEtQxbv", None),
        ("https://example.org/talk", None),
        (None, None),
    ],
)
def test_an_address_is_embedded_as_its_site_wants_it(url: str | None, src: str | None) -> None:
    embed = embed_of(Talk("x", "x.vtt", "X", (), url=url))
    assert (embed.src if embed else None) == src


def test_a_policy_names_no_more_hosts_than_a_header_holds() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE talks (url TEXT, youtube_id TEXT)")
    rows = [(f"https://tube{number}.example/w/kkGMgK9ZtnKfYAgnEtQxbv",) for number in (*range(1000), 777, 777)]
    db.executemany("INSERT INTO talks (url) VALUES (?)", rows)
    hosts = embed_hosts(db)
    assert "tube777.example" in hosts
    assert len(content_policy(hosts)) < 5_000


def test_a_recording_is_sound_or_picture_by_its_ending() -> None:
    kinds = {
        name: embed_of(Talk("x", "x.vtt", "X", (), url=f"file:///t/{name}")) for name in ("a.MP3", "a.mkv", "a.wav")
    }
    assert {name: embed.kind for name, embed in kinds.items() if embed} == {
        "a.MP3": "audio",
        "a.mkv": "video",
        "a.wav": "audio",
    }


def test_an_address_that_cannot_be_is_no_link(client: TestClient) -> None:
    html = page(client, "/talk/nowhere?t=60")
    assert "[::1" not in html
    assert "No recording is known" in html


def test_hits_are_marked_in_the_transcript(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&q=ship")
    assert re.findall("<mark>(.*?)</mark>", html.partition('id="transcript"')[2]) == ["ship", "ship"]
    assert 'class="said lit"' in html
    assert '<section id="answers"' in html
    assert ">Ships</h2>" in html.partition('<article id="talk"')[2]
    assert html.count("<h1") == 1


def test_a_script_gets_the_talk_alone(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&q=ship", **{"x-column": "talk"})
    assert 'id="transcript"' in html
    assert 'id="answers"' not in html
    assert "<head>" not in html


def test_other_answers_are_asked_for_beside_an_open_talk(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&q=bee", **{"x-column": "answers"})
    assert 'id="transcript"' not in html
    assert "bee" in html


def test_a_question_that_cannot_be_answered_leaves_the_talk_open(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&q=bee&speaker=nobody", 200)
    assert lines(html)


def test_previous_and_next_hit_go_along_the_answers(client: TestClient) -> None:
    answers = page(client, "/?q=ship")
    hits = [unescape(href) for href in re.findall(r'<a class="time" href="([^"]*)"', answers)]
    assert len(hits) >= 2
    first, second = page(client, hits[0]), page(client, hits[1])
    assert re.findall('id="prev" href', first) == []
    assert unescape(re.findall('id="next" href="([^"]*)"', first)[0]) == hits[1]
    assert unescape(re.findall('id="prev" href="([^"]*)"', second)[0]) == hits[0]


def test_what_was_asked_stays_in_every_link(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&q=ship&language=en")
    assert 'href="?q=ship&amp;language=en&amp;t=120#at" data-s="120"' in html
    assert 'class="close" href="/?q=ship&amp;language=en"' in html
    assert re.search(r'id="like" href="/\?like=ships-\w+@60&amp;language=en"', html)


def test_words_are_found_in_the_talk_without_a_script(client: TestClient) -> None:
    html = page(client, "/talk/ships?find=SHIP")
    assert marked(html, "found") == ["ship", "ship"]
    assert '<output id="found" for="find" role="status">1 of 2</output>' in html
    assert current(html) == ["60"]
    following = re.search(r'id="found-next" name="t" value="(\d+)"', html)
    assert following
    behind = page(client, f"/talk/ships?find=SHIP&t={following[1]}")
    assert "2 of 2" in behind
    assert current(behind) == ["120"]
    assert "not found" in page(client, "/talk/ships?find=submarine")


@pytest.mark.parametrize(("at", "first"), [("", 0), ("900", 700), ("1999", 1_799)])
def test_what_stands_everywhere_is_marked_around_the_place_that_is_shown(at: str, first: int) -> None:
    cues = tuple(Cue(1000 * n, 1000 * n + 1000, "tide") for n in range(2_000))
    asked = {"find": ["tide"], **({"t": [at]} if at else {})}
    view = view_of(Talk("tides", "tides.vtt", "Tides", cues), PageAddress("/talk/tides", asked))
    shown = [line for section in view.sections for paragraph in section.paragraphs for line in paragraph.lines]
    marked = [n for n, line in enumerate(shown) if line.pieces]
    assert marked == list(range(first, min(first + 400, 2_000)))
    assert view.find.count.endswith(" of 2,000")


def test_what_is_looked_for_may_go_over_the_end_of_a_line(client: TestClient) -> None:
    assert marked(page(client, "/talk/ships?find=time+and+the"), "found") == ["time", "and the"]
    assert marked(page(client, f"/talk/clocks?find={quote('相對論')}"), "found") == ["相對", "論"]
    assert "not found" in page(client, "/talk/ships?find=(ship|captain)")


def test_a_link_to_words_marks_exactly_these(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&words=own+time+and+the+ship")
    assert marked(html, "words") == ["own time", "and the ship"]
    assert current(html) == ["60"]
    assert marked(page(client, "/talk/ships?t=120&words=the+ship"), "words") == ["the ship"]
    assert marked(page(client, f"/talk/clocks?t=60&words={quote('相對論和')}"), "words") == ["相對", "論和"]


def test_a_link_to_many_words_names_how_they_begin_and_end(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=60&words=keeps+its&words=comes+home")
    assert marked(html, "words") == ["keeps its own time", "and the ship comes home"]


def test_words_that_are_not_said_there_are_not_marked_elsewhere(client: TestClient) -> None:
    html = page(client, "/talk/ships?t=120&words=its+own+time")
    assert marked(html, "words") == []
    assert "are not said from there on" in html


def test_chapters_stand_in_the_transcript_and_in_a_list(client: TestClient) -> None:
    html = page(client, "/talk/ships")
    assert re.findall("<h3><a [^>]*>(.*?)</a></h3>", html) == ["Leaving", "Coming &lt;home&gt;"]
    assert re.findall(r'<li><a href="\?t=(\d+)#at" data-go="\d+">', html) == ["0", "100"]


def test_speakers_are_named_where_they_change_and_estimated_times_say_so(client: TestClient) -> None:
    html = page(client, "/talk/untimed?t=60")
    assert re.findall('<p class="who">(.*?)</p>', html)[:3] == ["Ana", "Ben", "Ana"]
    assert 'class="estimated"' in html
    assert re.search(r"Times are estimated: nine in ten lie within \d+ seconds\.", html)
    early = re.search('data-early="([^"]*)"', html)
    assert early
    assert float(early[1]) > 0


def test_a_line_of_estimated_time_opens_early_and_is_the_one_that_is_meant(client: TestClient) -> None:
    links = re.findall(r'<a href="\?t=([^"#]*)#at" data-s="([^"]*)"', page(client, "/talk/untimed"))
    opens, second = links[len(links) // 2]
    assert float(opens) < float(second)
    assert current(page(client, f"/talk/untimed?t={opens}")) == [second]


def test_what_was_repaired_is_marked_where_it_stands(client: TestClient) -> None:
    html = page(client, "/talk/damaged")
    repairs = re.findall('<ins title="([^"]*)">(.*?)</ins>', html)
    assert ("It was “Ã¼”; certain.", "ü") in repairs
    assert ">Über Brücken</h1>" in html
    assert "What was repaired" in html
    assert re.search(r"<li>title\s+<b dir=\"auto\">Ü</b>", html)
    assert 'id="repairs"' in html
    assert 'id="repairs"' not in page(client, "/talk/ships")


def test_the_receipt_is_told_in_sentences(client: TestClient) -> None:
    html = page(client, "/talk/damaged")
    assert "Letters that had been read in the wrong code page were put back: " in html
    assert re.search(r"The file holds \d+ words: \d+ are said here", html)


def test_what_a_transcript_says_is_only_text(client: TestClient) -> None:
    html = page(client, "/talk/evil")
    assert "a &lt;script&gt;alert(1)&lt;/script&gt; talk" in html
    assert "&lt;b&gt;T&lt;/b&gt;" in html
    assert "\x1b" not in html
    assert "javascript:" not in html
    assert "<script>" not in html


def test_the_files_of_the_page_are_served(client: TestClient) -> None:
    html = page(client, "/talk/ships")
    for name in ("talk.css", "talk.js"):
        address = re.search(rf'"(/static/{re.escape(name)}\?v=\w+)"', html)
        assert address
        assert client.get(address[1]).status_code == 200
    assert client.get("/static/player.js").status_code == 200


def test_every_id_of_the_page_stands_there_once(client: TestClient) -> None:
    ids = re.findall(r' id="([^"]*)"', page(client, "/talk/damaged?t=60&q=bridge"))
    assert sorted(set(ids)) == sorted(ids)


def test_a_question_is_ranked_once_until_the_index_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked: list[str] = []
    search = engine.search

    def counted(index: IndexReader, query: Query) -> Answer:
        ranked.append(query.text)
        return search(index, query)

    monkeypatch.setattr(engine, "search", counted)
    write_talk(tmp_path / "talks", "ships", ["the ship keeps its own time"])
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    pool = IndexPool(tmp_path / "index", encoder=CountingEncoder(), workers=2)
    client = TestClient(application(pool, "127.0.0.1"), base_url="http://127.0.0.1", headers={"accept": "text/html"})
    try:
        assert "1 hit in 1 talk" in page(client, "/?q=ship")
        page(client, "/talk/ships?t=60&q=ship")
        page(client, "/talk/ships?t=60&q=ship", **{"x-column": "talk"})
        assert ranked == ["ship"]
        page(client, "/?q=ship&mode=lexical")
        assert ranked == ["ship", "ship"]
        write_talk(tmp_path / "talks", "more", ["another ship is late"])
        build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
        assert "2 hits in 2 talks" in page(client, "/?q=ship")
        assert ranked == ["ship"] * 3
    finally:
        pool.close()
