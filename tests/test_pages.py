"""The pages as the server draws them: what they show and link to, without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import langcodes
import pytest
from fakes import CountingEncoder
from tiny import make_index, serving, short_runtime_folder, write_talk

from talksearch.cli.server.serve import Serving
from talksearch.cli.web.addresses import PageAddress, address, at_moment, changed, like_moment, shortened
from talksearch.cli.web.answers_view import by_talk
from talksearch.cli.web.map_view import map_view
from talksearch.cli.web.talks_view import listing
from talksearch.cli.web.templating import rendered
from talksearch.indexer.errors import QueryError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores.topics import Point, TopicMap
from talksearch.indexer.text.language_names import _COMMON, language_name
from talksearch.search.answer import Answer
from talksearch.search.hit import Hit, TimelinePart
from talksearch.search.overview import TalkFacts

EVIL = '<script>alert(1)</script> "><img src=x onerror=alert(1)> \x1b]0;owned\x07 \u202eabc'
STATIC = Path(__file__).parents[1] / "cli" / "web" / "static"
MOST_BYTES = 65_000
"""Of all files that pages load, together."""


class Element(NamedTuple):
    """An element of a page, with the text in it."""

    tag: str
    attributes: dict[str, str]
    text: str


class _Elements(HTMLParser):
    """Collects the elements of a page in the order in which they begin."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[Any]] = []
        self.open: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append([tag, {name: value or "" for name, value in attrs}, ""])
        if tag not in ("meta", "link", "input", "img", "br"):
            self.open.append(len(self.found) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append([tag, {name: value or "" for name, value in attrs}, ""])

    def handle_endtag(self, tag: str) -> None:
        # A `p` or `li` that nothing closes ends with what it stands in.
        while self.open and self.found[self.open.pop()][0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for at in self.open:
            self.found[at][2] += data


def elements(page: str) -> list[Element]:
    parser = _Elements()
    parser.feed(page)
    return [Element(tag, attributes, " ".join(text.split())) for tag, attributes, text in parser.found]


def having(page: str, tag: str, class_: str = "") -> list[Element]:
    return [
        one for one in elements(page) if one.tag == tag and (not class_ or class_ in one.attributes.get("class", ""))
    ]


def get(served: Serving, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    where = urlsplit(served.url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
    connection.request("GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, body


def page_at(served: Serving, path: str, **headers: str) -> str:
    status, _, page = get(served, path, **headers)
    assert status == 200, page
    return page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of three talks without dates, and of four with dates, channels and languages."""
    folder = tmp_path_factory.mktemp("pages")
    make_index(folder)
    for year, name, channel in ((2021, "one", "Harbour"), (2021, "two", "Harbour"), (2024, "three", "Mill")):
        info = {"channel": channel, "upload_date": f"{year}0304", "language": "de" if name == "three" else "en"}
        write_talk(
            folder / "talks",
            f"rain-{name}",
            [f"the rain of {name} in the code", f"{name} bread and rain", name * 3],
            **info,
        )
    write_talk(folder / "talks", "evil", ["the ship <b>sails</b> &amp; <script>x</script>"], title=EVIL, channel=EVIL)
    write_talk(folder / "talks", "worse", ["a song of code"], webpage_url="javascript:alert(1)")
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    with short_runtime_folder(), serving(folder / "index") as one:
        yield one


# ------------------------------------------------------------------------------------------------------------ addresses

GIVEN = {"q": ["bee"], "channel": ["Mill"], "k": ["3"], "t": ["60"]}


def test_an_address_holds_what_was_asked_and_nothing_that_goes_without_saying() -> None:
    given = {"q": ["x", "bee"], "like": ["a@3"], "k": ["10"], "mode": ["hybrid"], "per_talk": ["2"], "context": ["0"]}
    assert shortened(given) == {"q": ["bee"], "per_talk": ["2"]}
    assert shortened({"like": ["a@3"], "k": ["many"]}) == {"like": ["a@3"], "k": ["many"]}
    assert address("/", {}) == "/"


def test_a_shortened_address_is_as_short_as_it_gets() -> None:
    short = shortened({"q": ["bee"], "mode": ["hybrid"], "talk": ["a", "a", "b"], "explain": ["0"]})
    assert shortened(short) == short == {"q": ["bee"], "talk": ["a", "b"]}


def test_links_change_only_what_they_are_for() -> None:
    here = PageAddress("/talk/x", GIVEN)
    assert changed(here, channel=None) == "/talk/x?q=bee&k=3&t=60"
    assert at_moment(here, "a/b c", 61_500) == "/talk/a/b%20c?t=61.5&q=bee&channel=Mill&k=3"
    assert like_moment(here, "x", 61_500) == "/?like=x@61.5&channel=Mill&k=3"


# -------------------------------------------------------------------------------------------------------------- answers


def hit(rank: int, talk_id: str, jump_ms: int, **others: Any) -> Hit:
    known: dict[str, Any] = {
        "score": 1.0, "passage_id": f"p{rank}", "title": talk_id.title(), "source": "", "youtube_id": None,
        "channel": None, "speaker": None, "date": None, "language": "en", "start_ms": jump_ms,
        "end_ms": jump_ms + 20_000, "url": "https://example.org/", "timing": "exact", "margin_ms": 0, "text": "a bee",
    }  # fmt: skip
    return Hit(**{**known, "rank": rank, "talk_id": talk_id, "jump_ms": jump_ms, **others})


def test_hits_stand_by_talk_where_the_best_of_each_stands() -> None:
    parts = (TimelinePart(0, 50_000, 0.2, 10_000, "a bee"), TimelinePart(100_000, 150_000, 1.0, 120_000, "\x1bthe bee"))
    hits = (
        hit(1, "b", 120_000, timeline=parts),
        hit(2, "a", 5_000),
        hit(3, "b", 180_500, timing="estimated", margin_ms=18_000, more_in_talk=4),
        hit(4, "c", 0),
        hit(5, "a", 65_000),
    )
    talks = by_talk(PageAddress("/", {"q": ["bee"], "per_talk": ["2"]}), Answer(hits, ()), {"b": 200_000, "a": 0})
    assert [(talk.title, [one.rank for one in talk.hits]) for talk in talks] == [
        ("B", [1, 3]),
        ("A", [2, 5]),
        ("C", [4]),
    ]
    b, a, _ = talks
    assert (b.length, a.length) == ("3:20", "")
    assert (b.more, b.more_link) == (4, "/?q=bee&talk=b")
    assert [(one.when, one.margin, one.link) for one in b.hits] == [
        ("2:00", "", "/talk/b?t=120&q=bee&per_talk=2"),
        ("~3:00", "±18 s", "/talk/b?t=180.5&q=bee&per_talk=2"),
    ]
    assert a.strip is None
    assert b.strip is not None
    assert [(bar.x, bar.label, bar.is_hit, bar.is_first) for bar in b.strip.bars] == [
        (0, "0:10 a bee", False, False),
        (500, "2:00 the bee", True, True),
    ]
    assert b.strip.needles == (600, 902)


def test_a_hit_says_when_how_good_it_is_and_leads_to_its_second(served: Serving) -> None:
    page = page_at(served, "/?q=comes+home+late&mode=lexical")
    card = page.split('<li class="talk">')[1]
    time = having(card, "a", "time")[0]
    where = urlsplit(time.attributes["href"])
    assert where.path.startswith("/talk/")
    assert time.text == "2:00"
    assert parse_qs(where.query) == {"t": ["120"], "q": ["comes home late"], "mode": ["lexical"]}
    assert re.search(r"of \d:\d\d", card)
    assert "<mark>" in card
    original = next(one for one in having(card, "a") if "recording" in one.text)
    assert original.attributes["href"].startswith("https://example.org/")
    assert original.attributes["rel"] == "noopener noreferrer"


def test_a_strip_has_links_only_where_something_answers_and_one_stop(served: Serving) -> None:
    page = page_at(served, "/?q=ship+time")
    strips = re.findall(r"<svg viewBox.*?</svg>", page.split('<ol class="talks">')[1], re.DOTALL)
    assert strips
    for strip in strips:
        links = having(strip, "a")
        assert 1 <= len(links) < 40
        assert [one.attributes.get("tabindex") for one in links].count(None) == 1
        assert all(re.match(r"~?\d+:\d\d .", one.attributes["aria-label"]) for one in links)
        assert all(one.attributes["href"].startswith("/talk/") for one in links)
        assert "places" in having(strip, "svg")[0].attributes["aria-label"] or len(links) == 1


def test_more_like_a_moment_keeps_the_filters_and_says_like_what(served: Serving) -> None:
    page = page_at(served, "/?q=bread&channel=Harbour")
    like = next(one for one in having(page, "a") if one.text == "More like this").attributes["href"]
    assert set(parse_qs(urlsplit(like).query)) == {"like", "channel"}
    page = page_at(served, like)
    told = having(page, "blockquote", "like")[0].text
    assert "Like what is said at" in told
    assert "rain" in told
    assert having(page, "a", "chip")[0].text.startswith("Channel Harbour")


def test_filters_are_offered_with_counts_and_dropped_by_a_link(served: Serving) -> None:
    page = page_at(served, "/?q=rain")
    links = {one.text: one.attributes["href"] for one in having(page, "a")}
    assert links["Harbour 2 talks"] == "/?q=rain&channel=Harbour"
    assert links["2024 1 talk"] == "/?q=rain&after=2024&before=2024"
    assert links["German 1 talk"] == "/?q=rain&language=de"
    page = page_at(served, "/?q=rain&after=2024&before=2024")
    (chip,) = having(page, "a", "chip")
    assert chip.text.startswith("Year 2024")
    assert chip.attributes["href"] == "/?q=rain"


def test_a_filter_that_leaves_nothing_is_named_and_can_be_dropped(served: Serving) -> None:
    page = page_at(served, "/?q=bridge&mode=lexical&channel=Harbour&language=en")
    assert having(page, "h1")[0].text == "Nothing found"
    assert "channel “Harbour”" in page
    drop = having(page, "a", "button")
    assert [one.text for one in drop] == ["Drop Channel Harbour"]
    assert "<mark>bridge</mark>" in page_at(served, drop[0].attributes["href"])


@pytest.mark.parametrize(
    ("asked", "short"),
    [
        ("/?q=bee&utm_source=x&fbclid=y", "/?q=bee"),
        ("/?q=bee&mode=hybrid&k=10&channel=&after=&not=", "/?q=bee"),
        ("/?q=&like=", "/"),
        ("/?q=bee&q=ship", "/?q=ship"),
        ("/talks?sort=title&utm_source=x", "/talks?sort=title"),
        ("/talk/bees?t=60&q=bee&mode=hybrid&x=1", "/talk/bees?t=60&q=bee"),
    ],
)
def test_what_is_superfluous_in_an_address_is_taken_out(asked: str, short: str, served: Serving) -> None:
    status, headers, _ = get(served, asked)
    found = headers.get("location", "")
    assert (status, re.sub(r"/bees-\w+", "/bees", found)) == (302, short)
    assert get(served, found)[0] == 200


@pytest.mark.parametrize("asked", ["/?q=bee", "/?q=bee&k=3", "/", "/talks", "/?q=rain&talk=rain-one&talk=rain-two"])
def test_a_short_address_stays(asked: str, served: Serving) -> None:
    assert get(served, asked)[0] in (200, 400)


def test_what_is_wrong_is_said_on_the_page_and_the_question_is_kept(served: Serving) -> None:
    status, _, page = get(served, "/?q=ship&after=someday")
    assert status == 400
    assert "is not a date" in page
    assert next(one for one in having(page, "input") if one.attributes["name"] == "q").attributes["value"] == "ship"
    status, _, page = get(served, "/?q=ship&talk=nobody")
    assert status == 400
    assert "There is no talk" in page


# ------------------------------------------------------------------------------------------------ parts, for the script


def test_a_script_gets_only_the_answers_with_the_title_and_the_count(served: Serving) -> None:
    part = page_at(served, "/?q=rain&channel=Harbour", X_Column="answers")
    assert not {"talk", "ask"} & {one.attributes.get("id") for one in elements(part)}
    assert having(part, "title")[0].text == "rain · talksearch"
    count = next(one for one in elements(part) if one.attributes.get("id") == "count")
    assert count.text == having(part, "h1")[0].text == "2 hits in 2 talks"
    kept = next(one for one in having(part, "input"))
    assert (kept.attributes["name"], kept.attributes["value"]) == ("channel", "Harbour")


def test_a_script_that_goes_back_gets_both_columns(served: Serving) -> None:
    part = page_at(served, "/?q=rain", X_Column="both")
    assert {"answers", "talk", "count", "kept"} <= {one.attributes.get("id") for one in elements(part)}
    assert '<header class="top"' not in part


# --------------------------------------------------------------------------------------------- the archive at a glance


def test_the_first_look_tells_what_there_is(served: Serving) -> None:
    page = page_at(served, "/")
    assert having(page, "h1")[0].text.startswith("8 talks, ")
    assert "2021–2024" in page
    headings = [one.text for one in having(page, "h2")]
    assert "Newest" in headings
    assert "Longest" in headings
    newest = page.split('id="newest"')[1]
    assert having(newest, "a")[0].text == "Rain-Three"
    assert {"/?channel=Harbour", "/?after=2021&before=2021"} <= {one.attributes["href"] for one in having(page, "a")}


def test_filters_can_be_set_before_anything_is_asked(served: Serving) -> None:
    page = page_at(served, "/?channel=Harbour")
    assert having(page, "a", "chip")[0].attributes["href"] == "/"
    assert any(
        one.attributes["href"] == "/talks?channel=Harbour" and one.text == "2 talks" for one in having(page, "a")
    )
    kept = [one.attributes for one in having(page, "input") if one.attributes.get("type") == "hidden"]
    assert [(one["name"], one["value"]) for one in kept] == [("channel", "Harbour")]


def test_all_talks_are_listed_newest_first_and_filtered(served: Serving) -> None:
    page = page_at(served, "/talks")
    assert having(page, "h1")[0].text == "8 talks"
    lines = re.findall(r'<ul class="lines">.*?</ul>', page, re.DOTALL)[0]
    titles = [one.text for one in having(lines, "a")]
    assert titles[:3] == ["Rain-Three", "Rain-One", "Rain-Two"]
    assert len(titles) == 8
    bars = {one.attributes.get("aria-label"): one.attributes["href"] for one in having(page, "a")}
    assert bars["2021-03: 2 talks"] == "/talks?after=2021-03&before=2021-03"
    page = page_at(served, bars["2021-03: 2 talks"])
    assert having(page, "h1")[0].text == "2 talks"
    bars = {one.attributes.get("aria-label"): one.attributes for one in having(page, "a")}
    assert bars["2021-03: 2 talks"]["aria-current"] == "true"
    assert bars["2021-03: 2 talks"]["href"] == "/talks"
    assert "2024-03: 1 talk" in bars, "the bars of other months stay to be chosen"


def test_a_list_has_pages_and_orders() -> None:
    talks = [
        TalkFacts(
            f"t{at}", f"Talk {at:03}", None, None, None if at % 2 else f"2020-01-{at % 28 + 1:02}", "en", "exact", at
        )
        for at in range(130)
    ]
    dates = [talk.date for talk in talks]
    first = listing(PageAddress("/talks", {"sort": ["longest"]}), talks, dates)
    assert [one.title for one in first.lines][:2] == ["Talk 129", "Talk 128"]
    assert (first.previous, first.next, first.position) == ("", "/talks?sort=longest&page=2", "1 to 60 of 130")
    second = listing(PageAddress("/talks", {"page": ["2"]}), talks, dates)
    assert (second.previous, second.next) == ("/talks", "/talks?page=3")
    beyond = listing(PageAddress("/talks", {"page": ["9"], "sort": ["title"]}), talks, dates)
    assert (beyond.next, beyond.position, len(beyond.lines)) == ("", "121 to 130 of 130", 10)
    newest = listing(PageAddress("/talks", {}), talks, dates)
    assert [date.fromisoformat(one.date) for one in newest.lines] == sorted(
        (date.fromisoformat(one.date) for one in newest.lines), reverse=True
    )
    with pytest.raises(QueryError, match="sort is 'size'"):
        listing(PageAddress("/talks", {"sort": ["size"]}), talks, dates)
    with pytest.raises(QueryError, match="page is '0'"):
        listing(PageAddress("/talks", {"page": ["0"]}), talks, dates)


def test_the_map_has_a_region_for_each_topic_and_a_dot_for_each_talk() -> None:
    labels = (("rain", "code"), ("\x1bbridge",), ("unseen",))
    points = {"a": Point(0.0, 0.5, 0, True), "b": Point(0.1, 0.5, 0, True), "c": Point(1.0, 0.5, 1, True)}
    talks = [TalkFacts(one, one.upper(), None, None, None, None, "exact", 9_000) for one in "abcd"]
    drawn = map_view(PageAddress("/map", {"topic": ["1"], "channel": ["Mill"]}), TopicMap(labels, points), talks)
    assert [(dot.title, dot.link, dot.is_chosen) for dot in drawn.dots] == [
        ("A", "/talk/a", True),
        ("B", "/talk/b", True),
        ("C", "/talk/c", False),
    ]
    assert all(0 < dot.x < 100 for dot in drawn.dots)
    left, right = sorted(drawn.regions, key=lambda one: one.x)
    assert (left.words, left.talks, left.link) == ("rain, code", "2 talks", "/map?channel=Mill")
    assert (right.words, right.talks, right.link) == ("bridge", "1 talk", "/map?channel=Mill&topic=2")
    assert drawn.chosen == left
    assert [one.title for one in drawn.lines] == ["A", "B"]
    assert drawn.unplaced == "1 talk is not on the map yet"
    assert drawn.unplaced in rendered("map.html", map=drawn, menus=[], chips=[])
    assert map_view(PageAddress("/map", {}), TopicMap(labels, points), talks[:3]).unplaced == ""
    with pytest.raises(QueryError, match="topic is '4'"):
        map_view(PageAddress("/map", {"topic": ["4"]}), TopicMap(labels, points), talks)


def test_the_words_of_regions_do_not_stand_upon_each_other() -> None:
    labels = tuple((f"topic{at}",) for at in range(9))
    points = {f"t{at}": Point(0.5 + at / 100, 0.5, at, True) for at in range(9)}
    talks = [TalkFacts(one, one, None, None, None, None, "exact", 9_000) for one in points]
    heights = sorted(
        region.label_y for region in map_view(PageAddress("/map", {}), TopicMap(labels, points), talks).regions
    )
    assert all(lower - upper >= 4.99 for upper, lower in pairwise(heights))


def test_an_index_without_a_map_says_so(served: Serving) -> None:
    page = page_at(served, "/map")
    assert having(page, "h1")[0].text
    assert ("There is no map of topics yet" in page) != ("<svg role" in page)


# ---------------------------------------------------------------------------------------------------- strict and safe

LOADING = ("script", "link", "img", "iframe", "video", "audio")
PAGES = [
    "/",
    "/talks",
    "/?q=ship",
    "/?q=rain&mode=lexical",
    "/?q=qqqzzz&mode=lexical",
    "/?like=ships@62",
    "/?channel=Mill",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_inline_style_or_script_and_one_heading(path: str, served: Serving) -> None:
    page = page_at(served, path)
    found = elements(page)
    assert not [one for one in found if "style" in one.attributes or one.tag == "style"]
    assert not [name for one in found for name in one.attributes if name.startswith("on")]
    assert all("src" in one.attributes and not one.text for one in found if one.tag == "script")
    assert [one.tag for one in found].count("h1") == 1
    ids = [one.attributes["id"] for one in found if "id" in one.attributes]
    assert sorted(set(ids)) == sorted(ids)


def test_what_is_untrusted_is_only_shown(served: Serving) -> None:
    evil = quote(EVIL)
    for path in ("/", "/talks", "/?q=ship", "/?like=evil@61", f"/?q={evil}", f"/?q=x&speaker={evil}&talk={evil}"):
        _, _, page = get(served, path)
        assert all(one.attributes["src"].startswith("/static/") for one in having(page, "script"))
        assert "<img src=x" not in page
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", page)
    page = page_at(served, "/?q=song+of+code")
    assert "<mark>song</mark>" in page
    assert "javascript:" not in page


def test_a_page_loads_nothing_from_elsewhere_unless_somebody_plays_a_talk(served: Serving) -> None:
    _, headers, page = get(served, "/?q=ship")
    loaded = [one.attributes for one in elements(page) if one.tag in LOADING]
    addresses = [one.get("src") or one.get("href", "") for one in loaded]
    assert addresses
    assert all(one.startswith("/static/") for one in addresses)
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-src" not in policy, "no talk of this archive plays in a frame"


def test_all_that_pages_load_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir() if path.suffix in (".css", ".js", ".svg")) < MOST_BYTES


@pytest.mark.parametrize("tag", _COMMON)
def test_common_languages_are_called_as_all_others(tag: str) -> None:
    assert language_name(tag) == langcodes.Language.get(tag).display_name()
