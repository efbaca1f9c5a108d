"""Quotes: what was said word for word, and nearly so."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fakes import put_talk
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.passages.split import Splitting, split
from talksearch.indexer.records import Cue, Mishearing, Talk, Word
from talksearch.indexer.stores import catalog, catalog_names
from talksearch.search.hit import QuoteMatch
from talksearch.search.quotes import align
from talksearch.search.quotes.costs import CostTables
from talksearch.search.quotes.find import find_quotes, saying_surely
from talksearch.search.quotes.quote import Quote
from talksearch.search.quotes.units import Unit

Traced = tuple[tuple[align.Step, ...], float]

LONG = Splitting()
SHORT = Splitting(length=12, slack=3, overlap=3)


def timed(*lines: str, step_ms: int = 500) -> tuple[Cue, ...]:
    """Cues with word times: a word each `step_ms`."""
    cues, at = [], 0
    for line in lines:
        words = tuple(Word(word, step_ms * (at + n)) for n, word in enumerate(line.split()))
        at += len(words)
        cues.append(Cue(words[0].start_ms, step_ms * at, line, words=words))
    return tuple(cues)


def put(folder: Path, *talks: Sequence[Cue], splitting: Splitting = LONG) -> sqlite3.Connection:
    db = catalog.open_catalog(folder, write=True)
    with catalog.transaction(db):
        for number, cues in enumerate(talks, 1):
            talk = Talk(f"t{number}", f"{number}.vtt", f"Talk {number}", tuple(cues))
            put_talk(db, talk.source, talk, split(talk, lambda word: 1, 200, splitting))
    return db


def ask(db: sqlite3.Connection, text: str, count: int = 5) -> list[QuoteMatch]:
    return find_quotes(db, text, None, count)


def changes(quoted: QuoteMatch) -> list[tuple[str, str, str]]:
    return [(one.op, one.asked, one.said) for one in quoted.difference if one.op != "same"]


FIRST = (
    "Good evening and welcome, everybody.",
    "The river never asks the mill",
    "what the corn was for, and that is why",
    "it's still running after two hundred years.",
    "My grandmother told me: listen to the stones.",
    "We measured twenty-one thousand litres with a block chain",
    "that Theermann built.",
)
SECOND = ("Nobody asks the corn.", "The mill was sold; the river was not.", "Listen to the wind, she said.")


@pytest.fixture
def mill(tmp_path: Path) -> sqlite3.Connection:
    return put(tmp_path, timed(*FIRST), timed(*SECOND), splitting=SHORT)


@pytest.mark.parametrize(
    ("text", "said", "word"),
    [
        (
            "The river never asks the mill what the corn was for",
            "The river never asks the mill what the corn was for",
            5,
        ),
        ("NEVER ASKS... the mill?", "never asks the mill", 7),
        ("its still running", "it's still running", 20),
        ("and that is why it's still running after two hundred years my grandmother told me", None, 16),
        ("evening and welcome everybody the river", "evening and welcome, everybody. The river", 1),
        ("stones", "stones", 34),
        ("the stones", "the stones", 33),
    ],
)
def test_word_for_word_to_the_word(mill: sqlite3.Connection, text: str, said: str | None, word: int) -> None:
    best = ask(mill, text)[0]
    assert (best.talk, best.start_ms, best.score) == (1, 500 * word, 1.0)
    assert [one.op for one in best.difference] == ["same"]
    assert said is None or best.text == said
    assert best.end_ms == best.start_ms + 500 * len(text.split())


@pytest.mark.parametrize(
    ("text", "word", "differences"),
    [
        ("the river never asked the mill what the corn was for", 5, [("changed", "asked", "asks")]),
        ("the river asks the mill what the corn was for", 5, [("said", "", "never")]),
        ("the old river never asks the mill what corn is for", 5, None),
        ("what the corn for was and that is why", 11, [("swapped", "for was", "was for")]),
        ("my grandmother once told me listen to the stones", 27, [("asked", "once", "")]),
        ("my grandmother told me listen to the trees", 27, [("asked", "trees", "")]),
        ("listen to the stoness we measured", 31, [("changed", "stoness", "stones")]),
        ("we measured 21 thousand litres", 35, [("changed", "21", "twenty-one")]),
        ("thousand litres with a blockchain that", 38, [("changed", "blockchain", "block chain")]),
        ("after 2 hundred years", 23, [("changed", "2", "two")]),
    ],
)
def test_nearly_so_with_the_difference(
    mill: sqlite3.Connection, text: str, word: int, differences: list[tuple[str, str, str]] | None
) -> None:
    best = ask(mill, text)[0]
    assert best.talk == 1
    assert best.start_ms == 500 * word
    assert 0.6 <= best.score < 1
    assert differences is None or changes(best) == differences
    assert " ".join(one.asked for one in best.difference if one.asked) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "zebra",
        "river mill",
        "the stone",
        "Listen wind",
        "penguins rarely knit woollen socks",
        "相对论",
        "光",
    ],
)
def test_nothing_of_the_kind(mill: sqlite3.Connection, text: str) -> None:
    assert ask(mill, text) == []


def test_more_differences_score_less_and_come_later(mill: sqlite3.Connection) -> None:
    found = ask(mill, "listen to the stones")
    assert [(one.talk, one.score == 1) for one in found] == [(1, True), (2, False)]
    assert changes(found[1]) == [("asked", "stones", "")]


def test_every_time_it_was_said_and_what_overlaps_once(tmp_path: Path) -> None:
    db = put(tmp_path, timed("bread and salt and bread", "and salt and bread and salt"), splitting=SHORT)
    found = ask(db, "bread and salt")
    assert sorted(one.start_ms for one in found if one.score == 1) == [0, 2_000, 4_000]
    for one, other in pairwise(found):
        assert one.end_ms <= other.start_ms or other.end_ms <= one.start_ms
    assert len(ask(db, "bread and salt", 2)) == 2
    assert ask(db, "bread and salt", 0) == []


def test_filters(mill: sqlite3.Connection) -> None:
    numbers = {
        talk: [row[0] for row in mill.execute("SELECT number FROM passages WHERE talk = ?", (talk,))] for talk in (1, 2)
    }
    for talk in (1, 2):
        found = find_quotes(mill, "listen to the stones", np.array(numbers[talk], np.int64), 5)
        assert [one.talk for one in found] == [talk]
    assert find_quotes(mill, "listen to the stones", np.empty(0, np.int64), 5) == []
    for one in ask(mill, "asks the mill what the corn"):
        assert set(one.passages) <= set(numbers[one.talk])
        assert one.passages


def test_the_passage_that_holds_all_of_it_comes_first(mill: sqlite3.Connection) -> None:
    best = ask(mill, "never asks the mill")[0]
    text = mill.execute("SELECT text FROM passages WHERE number = ?", best.passages[:1]).fetchone()[0]
    assert "never asks the mill" in text


def test_the_cues_it_lies_in_and_their_share_without_word_times(tmp_path: Path) -> None:
    db = put(tmp_path, (Cue(0, 1_000, "so long"), Cue(1_000, 2_000, "and thanks"), Cue(2_000, 3_000, "for all")))
    best = ask(db, "long and thanks for")[0]
    assert (best.first_cue, best.last_cue, best.start_ms, best.end_ms) == (0, 2, 375, 2_500)


def test_scripts_without_spaces(tmp_path: Path) -> None:
    db = put(
        tmp_path, (Cue(0, 4_000, "今天我們談相對"), Cue(4_000, 8_000, "論和時間的關係。"), Cue(9_000, 9_500, "X光機"))
    )
    best = ask(db, "談相對論和時間")[0]
    assert (best.score, best.first_cue, best.last_cue, best.start_ms) == (1.0, 0, 1, 2_285)
    assert ask(db, "時間的關係")[0].start_ms == 5_000
    assert ask(db, "我們談相反論和時間")[0].score == pytest.approx(8 / 9, abs=0.03)
    assert ask(db, "我们谈相对论和时间")[0].score == 1.0
    assert [one.text for one in ask(db, "光")] == ["光"]
    assert [one.text for one in ask(db, "機")] == [one.text for one in ask(db, "机")] == ["機"]
    assert [one.text for one in ask(db, "x光機")] == ["X光機"]
    assert ask(db, "關時") == []


def test_a_name_that_the_captions_misheard(tmp_path: Path) -> None:
    db = put(tmp_path, timed("Today we ask cloud to write a poem"), timed("Dark cloud over the sea today"))
    with catalog.transaction(db):
        catalog_names.put_names(db, "t1", [Mishearing("cloud", "claud", False)], [])
    best = ask(db, "we ask Claude to write")[0]
    assert (best.talk, best.start_ms) == (1, 500)
    assert changes(best) == [("changed", "Claude", "cloud")]
    assert best.score > 0.94


def test_notes_are_not_said(tmp_path: Path) -> None:
    db = put(tmp_path, timed("nothing of the sort"))
    db.execute(
        "INSERT INTO passages (id, talk, start_ms, end_ms, first_cue, last_cue, text, speakers, digest, field)"
        " VALUES ('n', 1, 0, 0, 0, -1, 'a fine title here', '[]', x'00', 'title')"
    )
    db.execute("INSERT INTO words (rowid, terms) VALUES (2, 'a fine titl here')")
    assert ask(db, "a fine title here") == ask(db, "fine title") == ask(db, "title") == []


def test_a_long_quote_crosses_many_passages(tmp_path: Path) -> None:
    words = [f"w{n}x" for n in range(400)]
    db = put(tmp_path, timed(*(" ".join(words[at : at + 7]) for at in range(0, 400, 7))), splitting=SHORT)
    best = ask(db, " ".join(words[50:150]))[0]
    assert (best.start_ms, best.end_ms, best.score) == (25_000, 75_000, 1.0)
    assert len(best.passages) > 5
    wrong = [*words[50:80], "other", *words[81:120], *words[121:150]]
    best = ask(db, " ".join(wrong))[0]
    assert (best.start_ms, best.end_ms) == (25_000, 75_000)
    assert changes(best) == [("changed", "other", "w80x"), ("said", "", "w120x")]


def test_a_long_quote_of_words_that_are_said_all_the_time_is_followed_back_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = []
    trace_back = align._trace_back

    def traced(quote: Quote, spoken: Sequence[Unit], tables: CostTables, row: int, end: int) -> Traced:
        followed.append(end)
        return trace_back(quote, spoken, tables, row, end)

    monkeypatch.setattr(align, "_trace_back", traced)
    db = put(tmp_path, timed(*["ship and sea"] * 400))
    found = ask(db, " ".join(["ship and sea"] * 60))
    assert [(one.start_ms, one.end_ms, one.score) for one in found] == [
        (at, at + 90_000, 1.0) for at in range(0, 360_000, 90_000)
    ]
    assert len(followed) < 100


def test_one_cue_that_is_much_longer_than_its_passages(tmp_path: Path) -> None:
    words = [f"w{n}x" for n in range(300)]
    db = put(tmp_path, (Cue(0, 300_000, " ".join(words)),), splitting=SHORT)
    best = ask(db, " ".join(words[200:206]))[0]
    assert best.text == " ".join(words[200:206])
    before, whole = (len(" ".join(some)) + 1 for some in (words[:200], words))
    assert best.start_ms == 300_000 * before // whole


def test_words_without_time(tmp_path: Path) -> None:
    db = put(
        tmp_path, (Cue(0, 0, "one fine day we went to sea"), Cue(0, 0, "and never came back again")), splitting=SHORT
    )
    assert ask(db, "to sea and never came")[0].score == 1.0


def test_a_talk_that_was_changed_keeps_its_quotes(tmp_path: Path) -> None:
    """New passages get numbers behind those that were kept, so neighbours in time are none by number."""
    lines = [" ".join(f"w{n}x" for n in range(at, at + 8)) for at in range(0, 160, 8)]
    db = put(tmp_path, timed(*lines), splitting=SHORT)
    lines[10] = " ".join(f"v{n}x" for n in range(8))
    db = put(tmp_path, timed(*lines), splitting=SHORT)
    words = " ".join(lines).split()
    for at in range(0, 150):
        best = ask(db, " ".join(words[at : at + 6]), 1)[0]
        assert (best.start_ms, best.score) == (500 * at, 1.0)


# --- the same by trying everything ----------------------------------------------------------------------------------

WORDS = st.sampled_from(["ba", "be", "bi", "bo", "bu", "da"])
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=9), min_size=1, max_size=8)
TALKS = st.lists(LINES, min_size=1, max_size=3)


def build(folder: str, talks: list[list[list[str]]]) -> sqlite3.Connection:
    return put(Path(folder), *(timed(*map(" ".join, lines)) for lines in talks), splitting=SHORT)


@settings(max_examples=60, deadline=None)
@given(TALKS, st.data())
def test_twin_word_for_word(talks: list[list[list[str]]], data: st.DataObject) -> None:
    """What is found word for word is what a scan of all words finds."""
    spoken = [[word for line in lines for word in line] for lines in talks]
    source = data.draw(st.sampled_from(spoken))
    at = data.draw(st.integers(0, len(source) - 1))
    quote = source[at : at + data.draw(st.integers(1, 12))]
    true = {
        (talk, start)
        for talk, words in enumerate(spoken, 1)
        for start in range(len(words) - len(quote) + 1)
        if words[start : start + len(quote)] == quote
    }
    with tempfile.TemporaryDirectory() as folder:
        db = build(folder, talks)
        found = ask(db, " ".join(quote), 1_000)
        db.close()
    verbatim = {(one.talk, one.start_ms // 500) for one in found if one.score == 1}
    assert verbatim <= true
    assert found[0].score == 1
    for talk, start in true:  # each is found, or one that overlaps it
        assert any(talk == other and abs(start - place) < len(quote) for other, place in verbatim)


def least_cost(quote: list[str], words: list[str]) -> float:
    """The least cost of saying a quote amid words, one step after another."""
    before: list[float] = []
    row = [0.0] * (len(words) + 1)
    for i, asked in enumerate(quote):
        following = [row[0] + 0.8]
        for j, said in enumerate(words):
            steps = [row[j] + (asked != said), row[j + 1] + 0.8, following[j] + 0.4]
            if i and j and asked == words[j - 1] and quote[i - 1] == said:
                steps.append(before[j - 1] + 0.5)
            following.append(min(steps))
        before, row = row, following
    return min(row)


@settings(max_examples=60, deadline=None)
@given(TALKS, st.lists(WORDS, min_size=3, max_size=10))
def test_twin_nearly_so(talks: list[list[list[str]]], quote: list[str]) -> None:
    """The best score is the best of all stretches of all talks."""
    spoken = [[word for line in lines for word in line] for lines in talks]
    with tempfile.TemporaryDirectory() as folder:
        db = build(folder, talks)
        found = ask(db, " ".join(quote), 10)
        db.close()
    best = max(1 - least_cost(quote, words) / len(quote) for words in spoken)
    if abs(best - 0.6) < 1e-6:
        return  # on the threshold; rounding decides
    if best > 0.6:
        assert found[0].score == pytest.approx(best, abs=1e-4)
    else:
        assert found == []
    for one in found:
        said = [word for part in one.difference for word in part.said.split()]
        first = one.start_ms // 500
        assert said == spoken[one.talk - 1][first : first + len(said)]
        assert said == one.text.split()


def test_passages_that_surely_say_a_quote_are_those_that_an_alignment_finds(mill: sqlite3.Connection) -> None:
    every = {row[0] for row in mill.execute("SELECT number FROM passages WHERE field = 'speech'")}
    words = sorted({word for row in mill.execute("SELECT text FROM passages") for word in row[0].lower().split()})
    for text in words[:: max(1, len(words) // 40)]:
        sure = set(saying_surely(mill, text, None).tolist())
        assert sure <= every
        assert sure <= {number for one in find_quotes(mill, text, None, 1_000) for number in one.passages}


def test_a_part_of_a_word_is_not_surely_said(mill: sqlite3.Connection) -> None:
    text = mill.execute("SELECT text FROM passages WHERE field = 'speech' AND text LIKE '%stones%'").fetchone()[0]
    assert "stones" in text
    assert len(saying_surely(mill, "stones", None)) > 0
    assert len(saying_surely(mill, "stone", None)) == 0
    assert len(saying_surely(mill, "listen to the stones", None)) > 0
    assert len(saying_surely(mill, "listen to those stones", None)) == 0
    assert len(saying_surely(mill, "stones", np.empty(0, np.int64))) == 0


@pytest.mark.parametrize("splitting", [SHORT, LONG])
def test_a_quote_across_cues_that_overlap_lies_in_a_passage(tmp_path: Path, splitting: Splitting) -> None:
    """The second cue begins, and ends, long before the word that the first one ends with."""
    cues = (
        Cue(0, 60_000, "I was told by everybody who had been there that we would have a long chat"),
        Cue(5_000, 6_000, "around the table in the kitchen of the mill, where it is warm"),
        Cue(61_000, 70_000, "and so we did until the river rose and took the lower meadow with it"),
    )
    db = put(tmp_path, cues, splitting=splitting)
    (quoted, *_) = ask(db, "chat around the table")
    assert quoted.score == 1
    assert quoted.passages
