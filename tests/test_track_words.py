"""What a further track says while a passage is said: which of its cues count with which passages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.passages.track_words import shares_most, short_cues, words_meanwhile
from talksearch.indexer.records import Cue, Field, Passage, Track, Word


def passage(start_ms: int, end_ms: int, field: Field = "speech") -> Passage:
    return Passage(f"t:{start_ms}", "t", start_ms, end_ms, 0, 0, "said", field=field)


def track(*cues: Cue, number: int = 1) -> Track:
    return Track(number, "de", "human", "t.de.vtt", cues)


def meanwhile(passages: list[Passage], *cues: Cue) -> list[str]:
    return words_meanwhile(passages, [track(*cues)])


TWO = [passage(0, 10_000), passage(10_000, 20_000)]


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        (Cue(1_000, 4_000, "eins"), ["eins", ""]),
        (Cue(12_000, 14_000, "eins"), ["", "eins"]),
        (Cue(8_000, 12_000, "eins"), ["eins", "eins"]),  # half of it with either
        (Cue(8_001, 12_000, "eins"), ["", "eins"]),
        (Cue(8_000, 11_999, "eins"), ["eins", ""]),
        (Cue(2_000, 18_000, "eins"), ["eins", "eins"]),  # most of both passages
        (Cue(25_000, 26_000, "eins"), ["", "eins"]),  # behind the last: the nearest
        (Cue(10_000, 10_000, "eins"), ["eins", "eins"]),
    ],
)
def test_a_cue_counts_with_the_passages_that_it_shares_half_of_the_time_with(cue: Cue, said: list[str]) -> None:
    assert meanwhile(TWO, cue) == said


@pytest.mark.parametrize(("start_ms", "end_ms", "said"), [
    (12_000, 13_000, ["eins", "", ""]),
    (18_000, 19_000, ["", "eins", ""]),
    (31_000, 32_000, ["", "eins", ""]),
    (39_000, 39_500, ["", "", "eins"]),
])  # fmt: skip
def test_a_cue_between_passages_counts_with_the_one_whose_middle_is_nearest(
    start_ms: int, end_ms: int, said: list[str]
) -> None:
    apart = [passage(0, 10_000), passage(20_000, 30_000), passage(40_000, 50_000)]
    assert meanwhile(apart, Cue(start_ms, end_ms, "eins")) == said


def test_notes_take_no_words_and_keep_their_place() -> None:
    notes = [passage(0, 0, "title"), *TWO, passage(0, 0, "description")]
    assert meanwhile(notes, Cue(0, 5_000, "eins"), Cue(11_000, 12_000, "zwei")) == ["", "eins", "zwei", ""]
    assert meanwhile(notes[:1], Cue(0, 5_000, "eins")) == [""]
    assert meanwhile([], Cue(0, 5_000, "eins")) == []


def test_tracks_stand_below_each_other_and_their_cues_are_one_line() -> None:
    german = track(Cue(0, 2_000, "eins"), Cue(2_000, 4_000, "zwei"))
    chinese = track(Cue(0, 2_000, "一二"), Cue(2_000, 4_000, "三"), number=2)
    assert words_meanwhile(TWO, [german, track(), chinese]) == ["eins zwei\n一二三", ""]


def test_a_passage_that_ends_late_hides_none_behind_it() -> None:
    damaged = [passage(0, 30_000), passage(5_000, 10_000), passage(12_000, 20_000)]
    assert meanwhile(damaged, Cue(13_000, 14_000, "eins")) == ["eins", "", "eins"]


@pytest.mark.parametrize(
    ("cue", "start_ms", "end_ms", "most"),
    [
        (Cue(0, 4_000, ""), 2_000, 9_000, True),
        (Cue(0, 4_000, ""), 2_001, 9_000, False),
        (Cue(5_000, 9_000, ""), 0, 7_000, True),
        (Cue(5_001, 9_001, ""), 0, 7_000, False),
        (Cue(0, 100_000, ""), 99_000, 101_000, True),  # half of the stretch
        (Cue(0, 100_000, ""), 99_001, 101_001, False),
        (Cue(0, 100, ""), 100, 100, True),  # a moment at the end
        (Cue(0, 100, ""), 101, 101, False),
    ],
)
def test_half_of_the_shorter_is_most(cue: Cue, start_ms: int, end_ms: int, most: bool) -> None:
    assert shares_most(cue, start_ms, end_ms) is most


def test_only_what_is_longer_than_half_a_minute_is_cut_into_pieces_of_ten_seconds() -> None:
    assert short_cues([Cue(0, 30_000, "one two")]) == (Cue(0, 30_000, "one two"),)
    words = [Word(f"w{at}", at * 4_000) for at in range(10)]
    long = Cue(0, 40_000, " ".join(word.text for word in words), words=tuple(words))
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in short_cues([long])] == [
        (0, 12_000, "w0 w1 w2"),
        (12_000, 24_000, "w3 w4 w5"),
        (24_000, 36_000, "w6 w7 w8"),
        (36_000, 40_000, "w9"),
    ]
    exact = [Word(f"w{at}", at * 10_000) for at in range(4)]
    assert len(short_cues([Cue(0, 40_000, "w0 w1 w2 w3", words=tuple(exact))])) == 4
    assert short_cues([Cue(0, 40_000, "")]) == (Cue(0, 40_000, ""),)


TIMES = st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 9_000)), max_size=12)


@given(TIMES.filter(bool), TIMES)
@settings(deadline=None)
def test_no_word_of_a_track_is_lost(passages: list[tuple[int, int]], cues: list[tuple[int, int]]) -> None:
    ours = [passage(start, start + length) for start, length in sorted(passages)]
    theirs = [Cue(start, start + length, f"w{at}") for at, (start, length) in enumerate(sorted(cues))]
    said = " ".join(meanwhile(ours, *theirs)).split()
    assert set(said) == {cue.text for cue in theirs}
