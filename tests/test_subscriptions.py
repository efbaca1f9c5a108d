"""What is subscribed: the file of the user's, its options, and lists of other programs."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from talksearch.indexer.errors import TalksearchError, UnreadableError, UsageError
from talksearch.indexer.fetch.addresses import as_address, key_of
from talksearch.indexer.fetch.records import Source
from talksearch.indexer.subscriptions.file import FILE_NAME, find_subscription, read_subscriptions, subscribe
from talksearch.indexer.subscriptions.opml import read_list, write_opml
from talksearch.indexer.subscriptions.options import make_source
from talksearch.indexer.talks.walk import may_be_transcript

HARBOUR = "https://www.youtube.com/@harbour"


def write(folder: Path, text: str) -> None:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def test_what_is_subscribed_is_read_back(tmp_path: Path) -> None:
    changes = subscribe(tmp_path / "talks", [{"url": HARBOUR, "title": "Harbour", "since": "2024", "also": ("de",)}])
    assert changes == ["added"]
    known = read_subscriptions(tmp_path / "talks")
    assert known.sources == (Source(HARBOUR, "Harbour", since=date(2024, 1, 1), also=("de",)),)
    assert known.problems == ()


def test_a_file_by_hand_needs_only_addresses(tmp_path: Path) -> None:
    write(tmp_path, '[[subscription]]\nurl = "pod.example/rss"\n[[subscription]]\nurl = "./recordings"\n')
    sources = read_subscriptions(tmp_path).sources
    assert [source.url for source in sources] == ["https://pod.example/rss", str(tmp_path / "recordings")]


def test_what_is_told_of_a_block_holds_no_password(tmp_path: Path) -> None:
    secret = "https://ada:s3cret@pod.example/rss"
    blocks = [
        f'url = "{secret}"',
        f'url = "{secret}"',
        f'url = "{secret}/2"\nsince = "x"',
        'url = "ftp://a:s3cret@x/y"',
    ]
    write(tmp_path, "".join(f"[[subscription]]\n{block}\n" for block in blocks))
    problems = read_subscriptions(tmp_path).problems
    assert len(problems) == 3
    assert not [problem for problem in problems if "s3cret" in problem]
    with pytest.raises(TalksearchError) as raised:
        find_subscription(tmp_path, f"{secret}/2")
    assert "s3cret" not in str(raised.value)


def test_no_file_is_no_subscription(tmp_path: Path) -> None:
    assert read_subscriptions(tmp_path).sources == ()


def test_comments_and_order_survive_what_is_added_and_changed(tmp_path: Path) -> None:
    write(tmp_path, f'# first\n[[subscription]]\nurl = "{HARBOUR}" # mine\nlimit = 3  # few\n# last, no line break')
    given = [{"url": f"{HARBOUR}/", "limit": 5, "match": "key(note)?"}, {"url": "https://pod.example/rss"}]
    assert subscribe(tmp_path, given) == ["changed", "added"]
    assert (tmp_path / FILE_NAME).read_text() == (
        f'# first\n[[subscription]]\nurl = "{HARBOUR}" # mine\nlimit = 5  # few\n'
        '# last, no line break\nmatch = "key(note)?"\n\n[[subscription]]\nurl = "https://pod.example/rss"\n'
    )


def test_an_option_that_is_not_given_stays_and_an_empty_one_goes(tmp_path: Path) -> None:
    subscribe(tmp_path, [{"url": HARBOUR, "since": "2024", "match": "tide", "title": "Harbour"}])
    assert subscribe(tmp_path, [{"url": HARBOUR, "match": "", "title": "Another"}]) == ["changed"]
    assert find_subscription(tmp_path, HARBOUR) == Source(HARBOUR, "Harbour", since=date(2024, 1, 1))
    before = (tmp_path / FILE_NAME).stat().st_mtime_ns
    assert subscribe(tmp_path, [{"url": HARBOUR, "since": "2024-01-01"}]) == ["same"]
    assert (tmp_path / FILE_NAME).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sinc = 2024-01-01", "'sinc' is not known. Did you mean since?"),
        ("colour = 1", "Known are url, title, since"),
        ('since = "soon"', "'soon' is not a date"),
        ("since = true", "not a date"),
        ("match = '('", "no regular expression"),
        ("limit = 0", "not a number of talks"),
        ("limit = true", "not a number of talks"),
        ("language = 'xx'", "names no language"),
        ("also = [3]", "not a text"),
        ("recordings = 'some'", "It may be none, missing or all"),
        ("cookies = 5", "Put it in quotation marks"),
        ("title = 'a\\u000ab'".replace("'", '"'), "control character"),
    ],
)
def test_a_block_that_means_nothing_is_named_by_its_line_and_the_others_go_on(
    tmp_path: Path, line: str, told: str
) -> None:
    write(
        tmp_path, f'# a comment\n\n[[subscription]]\nurl = "a.example"\n{line}\n\n[[subscription]]\nurl = "b.example"'
    )
    known = read_subscriptions(tmp_path)
    assert [source.url for source in known.sources] == ["https://b.example"]
    (problem,) = known.problems
    assert problem.startswith(f"{tmp_path / FILE_NAME}, line 3 (a.example): ")
    assert told in problem


def test_a_block_without_an_address_and_one_that_is_there_twice(tmp_path: Path) -> None:
    lines = ('title = "x"', 'url = "a.example"', 'url = "a.example/"')
    write(tmp_path, "".join(f"[[subscription]]\n{line}\n" for line in lines))
    known = read_subscriptions(tmp_path)
    assert [source.url for source in known.sources] == ["https://a.example"]
    without, twice = known.problems
    assert "line 1: There is no url." in without
    assert "line 5: https://a.example/ is listed above already" in twice


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[subscription]]\nurl = "a\n', "line 2"),
        ("url = 'a.example'", "holds 'url' outside of a block"),
        ("[subscription]\nurl = 'a.example'", "outside of a block"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_never_written_over(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / FILE_NAME).write_bytes(text.encode("latin-1"))
    with pytest.raises(TalksearchError, match=told):
        read_subscriptions(tmp_path)
    with pytest.raises(TalksearchError, match=told):
        subscribe(tmp_path, [{"url": HARBOUR}])
    assert (tmp_path / FILE_NAME).read_bytes() == text.encode("latin-1")


def test_tables_on_one_line_are_read_and_not_added_to(tmp_path: Path) -> None:
    write(tmp_path, "subscription = [{url = 'a.example'}, {url = 'b.example', limit = 'x'}]")
    known = read_subscriptions(tmp_path)
    assert len(known.sources) == 1
    assert "subscription 2 (b.example)" in known.problems[0]
    with pytest.raises(TalksearchError, match="as one value"):
        subscribe(tmp_path, [{"url": HARBOUR}])


def test_nothing_is_written_where_one_of_several_means_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        subscribe(tmp_path, [{"url": HARBOUR}, {"url": "javascript:alert(1)"}])
    assert not (tmp_path / FILE_NAME).exists()


def test_several_that_subscribe_at_once_lose_nothing(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=subscribe, args=(tmp_path, [{"url": f"https://pod.example/{number}"}]))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_subscriptions(tmp_path).sources) == 8


def test_the_file_is_the_users_alone_and_stays_behind_a_link(tmp_path: Path) -> None:
    subscribe(tmp_path, [{"url": "https://me:secret@pod.example/rss"}])
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE_NAME).rename(tmp_path / "elsewhere.toml")
    (tmp_path / FILE_NAME).symlink_to("elsewhere.toml")
    subscribe(tmp_path, [{"url": HARBOUR}])
    assert (tmp_path / FILE_NAME).is_symlink()
    assert HARBOUR in (tmp_path / "elsewhere.toml").read_text()


def test_no_run_takes_it_for_a_transcript() -> None:
    assert not may_be_transcript(Path(FILE_NAME))
    assert may_be_transcript(Path("subscriptions.txt"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("youtube.com/@Harbour", "https://www.youtube.com/@harbour/"),
        ("https://m.youtube.com/@harbour?si=abc", "http://youtube.com/@harbour/featured"),
        ("https://www.youtube.com/feeds/videos.xml?channel_id=UCa", "https://www.youtube.com/channel/UCa"),
        ("https://www.youtube.com/feeds/videos.xml?playlist_id=PLa", "https://youtube.com/playlist?list=PLa&si=x"),
        ("feed://pod.example/rss", "https://pod.example:443/rss"),
        ("feed:https://pod.example/rss", "http://POD.example/rss/"),
        ("pod.example/rss?a=1&b=2", "https://pod.example/rss?b=2&a=1&utm_source=x"),
    ],
)
def test_addresses_that_mean_the_same_are_one(one: str, other: str) -> None:
    assert key_of(as_address(one, Path("/"))) == key_of(as_address(other, Path("/")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.youtube.com/channel/UCa", "https://www.youtube.com/channel/UCA"),
        ("https://www.youtube.com/@harbour/videos", "https://www.youtube.com/@harbour/streams"),
        ("https://pod.example/rss", "https://pod.example:8443/rss"),
        ("https://pod.example/a", "https://pod.example/A"),
        ("https://pod.example/?id=1", "https://pod.example/?id=2"),
    ],
)
def test_addresses_that_mean_something_else_stay_apart(one: str, other: str) -> None:
    assert key_of(as_address(one, Path("/"))) != key_of(as_address(other, Path("/")))


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "file://other/etc/passwd", "ftp://a/b", "https://", "http://[", "a:99999"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        as_address(text, Path("/"))


def test_a_host_with_a_port_is_no_scheme_and_a_folder_that_is_there_no_host(tmp_path: Path) -> None:
    assert as_address("pod.example:8080/rss", tmp_path) == "https://pod.example:8080/rss"
    (tmp_path / "pod.example").mkdir()
    assert as_address("pod.example", tmp_path) == str(tmp_path / "pod.example")


# Of TOML and XML alike: no control characters, and no lone surrogates.
TEXTS = some.text(some.characters(exclude_categories=("Cc", "Cs"), exclude_characters="￾￿"), max_size=20)
TITLES = TEXTS.map(lambda text: " ".join(text.split()))
ADDRESSES = some.from_regex(
    r"https://(?:www\.youtube\.com/(?:channel/UC|playlist\?list=PL|@)|pod\.example/)[a-zA-Z0-9]{1,8}", fullmatch=True
)
SOURCES = some.builds(
    Source,
    url=ADDRESSES,
    title=TITLES,
    since=some.none() | some.dates(date(1000, 1, 1)),
    match=TITLES.map(lambda text: "".join(f"[{letter}]" if letter not in "[]\\^" else "." for letter in text)),
    limit=some.none() | some.integers(1, 10**9),
    language=some.sampled_from(["", "en", "pt-BR", "zh-Hans"]),
    also=some.lists(some.sampled_from(["de", "fr", "zh-Hant"]), unique=True).map(tuple),
    recordings=some.sampled_from(["none", "missing", "all"]),
)
LISTS = some.lists(SOURCES, min_size=1, max_size=5, unique_by=lambda source: key_of(source.url))


@given(sources=LISTS)
def test_what_goes_out_as_opml_comes_in_the_same(sources: list[Source]) -> None:
    wanted = read_list(write_opml(sources).text.encode(), "list.opml")
    expected = [replace(source, title="") if source.title == source.url else source for source in sources]
    assert [make_source(options, Path("/")) for options in wanted] == expected


@given(sources=LISTS)
def test_what_is_written_to_the_file_is_read_the_same(
    sources: list[Source], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("talks")
    fields = ("url", "title", "since", "match", "limit", "language", "also", "recordings")
    subscribe(folder, [{name: getattr(source, name) for name in fields} for source in sources])
    assert read_subscriptions(folder).sources == tuple(sources)


def test_opml_for_others_names_feeds_and_keeps_what_is_ours_to_itself() -> None:
    outlines = write_opml(
        [
            Source("https://www.youtube.com/channel/UCa", "Harbour", limit=3),
            Source("/srv/recordings"),
            Source("https://site.example/x", "Site", cookies="/home/me/cookies.txt"),
        ]
    )
    assert 'xmlUrl="https://www.youtube.com/feeds/videos.xml?channel_id=UCa"' in outlines.text
    assert 'htmlUrl="https://www.youtube.com/channel/UCa"' in outlines.text
    assert 'talksearch:limit="3"' in outlines.text
    assert "recordings" not in outlines.text
    assert "cookies" not in outlines.text
    assert [note.split()[0] for note in outlines.notes] == ["/srv/recordings", "The"]


def test_lists_of_other_programs_are_read_however_they_group(tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="utf-8"?><opml version="1.1"><body>
    <outline text="Science"><outline text=" The  tide
      &#x9b;31mhour" type="rss" XMLURL="feed://pod.example/rss"/><outline text="Deeper">
        <outline title="Harbour" text="x" xmlUrl="https://www.youtube.com/feeds/videos.xml?channel_id=UCa"/></outline>
    </outline><outline text="a note without an address"/><outline type="link" url="https://site.example/c"/>
    </body></opml>"""
    sources = [make_source(options, tmp_path) for options in read_list(text.encode(), "list.opml")]
    assert [(source.url, source.title) for source in sources] == [
        ("https://pod.example/rss", "The tide 31mhour"),
        ("https://www.youtube.com/channel/UCa", "Harbour"),
        ("https://site.example/c", ""),
    ]


def test_the_table_of_takeout_is_read_in_any_language(tmp_path: Path) -> None:
    text = '\ufeffKanal-ID,Kanal-URL,Kanaltitel\r\nUCa,http://www.youtube.com/channel/UCa,"Wind, Wetter"\r\n\r\n'
    assert read_list(text.encode(), "Abos.csv") == [
        {"url": "https://www.youtube.com/channel/UCa", "title": "Wind, Wetter"}
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "lists no channel"),
        (b"<opml><body>", "cannot be read as OPML"),
        (b"<html><body/></html>", "begins with <html>"),
        (b"<opml><body/></opml>", "lists no channel"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml><body/></opml>', "entities of its own"),
        (b"\x89PNG\r\n", "neither OPML nor a table"),
        (b"start,end,text\n0,1,hello\n", "lists no channel"),
        (b" " * 10_000_001, "larger than 10 MB"),
    ],
)
def test_a_list_that_is_none_is_a_sentence(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableError, match=told):
        read_list(content, "list.opml")


@pytest.mark.parametrize(
    ("content", "hint"), [(b"<opml><body/></opml>", "xmlUrl"), (b"Id,Url,Title\n", "second column")]
)
def test_a_list_of_nothing_says_where_such_a_list_has_its_addresses(content: bytes, hint: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_list(content, "list")
    assert hint in raised.value.hint


def test_a_title_of_a_books_length_does_not_keep_an_expression_busy() -> None:
    assert Source(HARBOUR, match=r"\w*\w*!").why_unwanted("a" * 100_000, None)


@pytest.mark.parametrize(
    ("title", "day", "unwanted"),
    [
        ("Opening KEYNOTE", date(2024, 5, 24), ""),
        ("Closing words", date(2024, 5, 24), "Its title is not among those wanted."),
        ("Opening keynote", date(2024, 5, 23), "It is from 2024-05-23, older than wanted."),
        ("", None, ""),
    ],
)
def test_what_is_wanted_is_told_by_title_and_day(title: str, day: date | None, unwanted: str) -> None:
    source = Source(HARBOUR, since=date(2024, 5, 24), match="keynote")
    assert source.why_unwanted(title, day) == unwanted
