"""The second inside a passage."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from talksearch.indexer.records import Cue, Word
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.results.jump import Spoken, known_start, pinpoint, spoken


def say(text: str, step_ms: int = 500) -> Spoken:
    words = text.split()
    starts = [at * step_ms for at in range(len(words))]
    return Spoken(words, starts, [start + step_ms - 50 for start in starts])


def word_at(text: str, weights: dict[str, float], step_ms: int = 500) -> str | None:
    ms = pinpoint(say(text, step_ms), weights)
    return None if ms is None else text.split()[ms // step_ms]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Welcome back. Today the clock slows down.", "Today"),
        ("Welcome back. The clock slows. It does, the clock.", "The"),
        ("The clock slows. That is all.", "The"),
        ("He said, well, a clock.", "He"),
        ("Dr. Clock came. He left.", "Dr."),
        ("前言。 這裡有 clock 呢。", "這裡有"),
    ],
)
def test_opens_where_the_sentence_begins(text: str, first: str) -> None:
    assert word_at(text, {"clock": 5.0}) == first


@pytest.mark.parametrize("text", ["", "Nothing of the sort.", "Clockwork oranges."])
def test_says_nothing_where_no_word_is_said(text: str) -> None:
    assert pinpoint(say(text), {"clock": 5.0}) is None
    assert pinpoint(say(text), {}) is None


def test_where_most_is_said_and_not_where_a_word_is_repeated() -> None:
    filler = " ".join(["and"] * 20)
    text = f"Time and time and time again. {filler}. Then dilation of time came."
    assert word_at(text, {"time": 2.0, "dilat": 6.0}) == "Then"


def test_the_same_said_twice_opens_at_the_first() -> None:
    text = f"One. Time dilation. {' '.join(['and'] * 20)}. Again. Time dilation."
    assert pinpoint(say(text), {"time": 2.0, "dilat": 6.0}) == 500


def test_without_punctuation_only_a_breath_back() -> None:
    text = " ".join([*(f"w{n}" for n in range(40)), "clock", "w41"])
    assert pinpoint(say(text), {"clock": 5.0}) == 40 * 500 - 2_000


def test_a_pause_or_a_turn_begins_a_thought() -> None:
    words = say(" ".join([*(f"w{n}" for n in range(40)), "clock"]))
    starts, ends = ([ms + 900 * (at >= 35) for at, ms in enumerate(times)] for times in (words.starts, words.ends))
    assert pinpoint(Spoken(words.texts, starts, ends), {"clock": 5.0}) == starts[35]
    assert pinpoint(replace(words, turns={33}), {"clock": 5.0}) == words.starts[33]


def test_never_before_the_passage_nor_behind_the_word() -> None:
    words = say("so the clock is slow and the clock is late")
    for weights in ({"clock": 1.0}, {"late": 1.0}, {"so": 1.0}, {"slow": 3.0, "late": 1.0}):
        at = pinpoint(words, weights)
        assert at is not None
        assert words.starts[0] <= at <= words.starts[-1]


TURNS = [Cue(0, 12_000, "one"), Cue(12_000, 30_000, "two", turn=True), Cue(30_000, 31_000, "three", turn=True)]
CAPTIONS = [Cue(0, 4_900, "one"), Cue(5_000, 19_000, "two", turn=True), Cue(19_100, 25_000, "three")]


@pytest.mark.parametrize(
    ("cues", "at_ms", "opened_ms"),
    [
        (TURNS, 25_000, 12_000),  # nobody noted when the turn ends: it lasts until the next
        (TURNS, 12_000, 12_000),
        (TURNS[1:], 25_000, 12_000),
        (TURNS[:2], 25_000, 12_000),
        ([Cue(0, 50_000, "a paragraph")], 40_000, 0),
        ([Cue(0, 200_000, "a paragraph", turn=True)], 60_000, 0),
    ],
)
def test_a_turn_opens_at_its_start(cues: list[Cue], at_ms: int, opened_ms: int) -> None:
    assert known_start(cues, at_ms) == opened_ms


@pytest.mark.parametrize(
    ("cues", "at_ms"),
    [
        (TURNS, 8_000),  # the same speaker goes on, in a cue as short as a sentence
        (CAPTIONS, 15_000),  # what ends when the speaker stops is timed well enough
        ([Cue(0, 200_000, "a paragraph", turn=True)], 60_001),
        ([Cue(0, 60_000, "so long", turn=True, words=(Word("so", 0), Word("long", 30_000)))], 30_000),
        (TURNS, 31_000),
        ([], 5_000),
    ],
)
def test_opens_where_it_is_said(cues: list[Cue], at_ms: int) -> None:
    assert known_start(cues, at_ms) == at_ms


def test_of_the_same_said_twice_the_one_that_is_not_opened_long_before() -> None:
    talk = [
        Cue(0, 40_000, f"Well. {' '.join(['and'] * 60)}. Then a clock."),
        Cue(40_000, 60_000, "The clock is slow.", turn=True),
    ]
    words = spoken(talk, 0, 60_000)
    said_ms = words.starts[words.texts.index("Then")]
    assert pinpoint(words, {"clock": 5.0}) == said_ms
    assert pinpoint(words, {"clock": 5.0}, talk) == 40_000
    assert pinpoint(words, {"clock": 5.0, "then": 1.0}, talk) == 0, "more is said there"
    assert pinpoint(spoken(talk[:1], 0, 40_000), {"clock": 5.0}, talk[:1]) == 0
    assert pinpoint(words, {"ship": 5.0}, talk) is None


def test_words_of_cues_within_the_passage() -> None:
    cues = [
        Cue(0, 1_000, "so long"),
        Cue(1_000, 2_000, "and thanks", turn=True, words=(Word("and", 1_000), Word("thanks", 1_600))),
    ]
    assert spoken(cues, 300, 1_600) == Spoken(["long", "and"], [375, 1_000], [1_000, 1_600], {1})
    assert spoken(cues, 5_000, 6_000) == Spoken([], [], [], set())


def test_words_are_timed_as_everywhere_else() -> None:
    drawn = random.Random(0)
    for _ in range(50):
        text = " ".join("w" * drawn.randrange(1, 12) for _ in range(drawn.randrange(400)))
        cue = Cue(drawn.randrange(5_000), drawn.randrange(5_000, 200_000), text, turn=True)
        start_ms, end_ms = sorted(drawn.randrange(200_000) for _ in range(2))
        every = words_with_times(cue)
        inside = [word for word in every if start_ms <= word[1] < end_ms]
        found = spoken([cue], start_ms, end_ms)
        assert list(zip(found.texts, found.starts, found.ends, strict=True)) == inside
        assert found.turns == ({0} if inside and inside[0] == every[0] else set())


def test_opens_at_the_turn_that_says_most_of_it() -> None:
    """Whoever merely asked with one of the words is not who said it."""
    text = "Was the tower painted then? It was painted by my uncle. He painted it with lime since paint was dear."
    words = replace(say(text), turns={5, 11})
    weights = {"paint": 3.0, "lime": 5.0, "dear": 4.0, "tower": 3.0}
    assert pinpoint(words, weights) == 11 * 500
    assert pinpoint(words, {"tower": 3.0, "paint": 3.0}) == 0
    assert pinpoint(words, {"paint": 3.0}) == 0


def test_opens_at_the_line_of_a_script_without_spaces_that_says_most_of_it() -> None:
    lines = ["玻璃是谁付的钱呢", "我不太记得这件事", "一个商人付了玻璃的钱"]
    words = Spoken(lines, [0, 5_000, 10_000], [4_500, 9_500, 14_500], glued={1, 2})
    weights = {"商人": 4.0, "付了": 3.0, "玻璃": 4.0}
    assert pinpoint(words, weights) == 10_000
    assert pinpoint(words, {"玻璃": 4.0}) == 0
