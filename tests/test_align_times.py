"""Exact times for an untimed text from a timed track of the same talk."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.readers import scraped_record
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Cue, Receipt, Step, Talk, Word
from talksearch.indexer.restore.align_times import exact_times, is_punctuated, matching, may_be_bettered, with_times_of

SHARED = Path(__file__).parents[1] / ".." / "shared" / "archive"
TIMED = [
    Cue(1000, 3000, "So, good morning and welcome"),
    Cue(3000, 6000, "to the lecture about, um, gravity"),
    Cue(9000, 12_000, "and light. Mass tells space how"),
    Cue(12_000, 15_000, "to curve, and space tells mass"),
    Cue(15_000, 18_000, "how to move along the shortest"),
]


def untimed(*texts: str) -> list[Cue]:
    return [Cue(0, 0, text) for text in texts]


def test_an_edited_text_gets_the_times_of_its_words() -> None:
    edited = untimed(
        "Good morning, and welcome to the lecture about gravity and light.",
        "“Mass tells space how to curve,",
        "and space tells mass how to move along the shortest path.”",
    )
    times = exact_times(edited, TIMED)
    assert times is not None
    assert [cue.text for cue in times] == [cue.text for cue in edited]
    assert times[0].start_ms == pytest.approx(1350, abs=200)
    assert times[1].start_ms == pytest.approx(10_050, abs=200)
    assert times[2].start_ms == pytest.approx(13_100, abs=200)


def test_one_word_among_many_says_nothing_of_where() -> None:
    assert matching(["so"], ["so", "then", "so"]) == [(0, 0)]
    assert matching(["so"], ["so"] * 1000) == matching(["so"] * 1000, ["so"]) == []


def test_word_times_are_used_and_handed_on() -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    timed = [Cue(0, 60_000, " ".join(words), words=tuple(Word(w, 100 * i * i) for i, w in enumerate(words)))]
    times = exact_times(untimed("One two three FOUR", "five six, seven", "eight nine ten"), timed)
    assert times is not None
    assert [cue.start_ms for cue in times] == [0, 1600, 4900]
    assert times[1].words == (Word("five", 1600), Word("six,", 2500), Word("seven", 3600))


EDITED = untimed(
    "Good morning, and welcome to the lecture about gravity and light.",
    "“Mass tells space how to curve,",
    "and space tells mass how to move along the shortest path.”",
)
TEXT = Talk(
    "t", "t.txt", "T", tuple(EDITED), timing="estimated", margin_ms=9000,
    receipt=Receipt(steps=(Step("read", "file", {}), Step("estimate-times", "cues", {}))),
)  # fmt: skip
TRACK = Talk("t", "t.vtt", "T", tuple(replace(cue, text=cue.text.replace(".", "")) for cue in TIMED))


def test_a_better_text_takes_the_times_of_the_track() -> None:
    joined = with_times_of(TEXT, TRACK)
    assert joined is not None
    assert (joined.timing, joined.margin_ms, joined.source) == ("exact", 0, "t.txt")
    assert [cue.text for cue in joined.cues] == [cue.text for cue in EDITED]
    assert [step.name for step in joined.receipt.steps] == ["read", "align-times"]
    detail = joined.receipt.steps[-1].detail
    assert (detail["from"], detail["words"], detail["matched"]) == ("t.vtt", 28, 27)


@pytest.mark.parametrize(
    ("text", "track"),
    [
        (replace(TEXT, origin="automatic"), TRACK),
        (TEXT, replace(TRACK, origin="human")),
        (TEXT, replace(TRACK, timing="estimated")),
        (TEXT, replace(TRACK, cues=tuple(TIMED))),  # punctuated, and nobody knows that a machine wrote it
        (
            replace(TEXT, cues=tuple(untimed("so mass tells space how to curve and space tells mass how to move"))),
            TRACK,
        ),
        (replace(TEXT, cues=tuple(EDITED[:1])), TRACK),  # half of it is missing
        (
            replace(TEXT, cues=tuple(untimed(*[cue.text for cue in TIMED]))),
            replace(TRACK, origin="automatic", cues=tuple(TIMED)),
        ),
    ],
)
def test_a_text_that_is_no_better_does_not(text: Talk, track: Talk) -> None:
    assert with_times_of(text, track) is None


def test_whose_words_may_be_bettered() -> None:
    assert may_be_bettered(TRACK)
    assert may_be_bettered(replace(TRACK, cues=tuple(TIMED), origin="automatic"))
    assert not may_be_bettered(replace(TRACK, cues=tuple(TIMED)))


def test_sentences_end_in_many_scripts() -> None:
    for text in ("时间过得很快。我们走吧！", "समय तेज़ है। चलो।", "هل تفهم؟", "He said: “Go.”"):
        assert is_punctuated(untimed(text))
    assert not is_punctuated(untimed("version 2.0 of the file a.txt " * 20))
    assert not is_punctuated([])


def test_another_talk_is_none() -> None:
    other = untimed("Bread is made of flour and water and salt", "and then it rises for as long as the baker sleeps")
    assert exact_times(other, TIMED) is None
    assert exact_times([], TIMED) is None
    assert exact_times(other, []) is None
    assert exact_times(untimed("... --"), TIMED) is None


def test_scripts_without_spaces() -> None:
    timed = [
        Cue(0, 4000, "各位观众大家好"),
        Cue(4000, 8000, "欢迎来到今天的节目"),
        Cue(8000, 12_000, "我们来谈一谈时间"),
    ]
    times = exact_times(untimed("大家好，欢迎来到今天的节目。", "今天我们来谈谈时间。"), timed)
    assert times is not None
    assert times[1].start_ms == pytest.approx(8000, abs=1000)


WORD = st.sampled_from(["a", "b", "c", "d", "e"])


@given(st.lists(WORD, max_size=60), st.lists(WORD, max_size=60))
def test_matches_are_equal_and_rise(a: list[str], b: list[str]) -> None:
    """A match is a pair of equal words, and both positions rise: nothing is matched twice or crosswise."""
    pairs = matching(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))


@given(st.lists(WORD, max_size=200))
def test_a_text_matches_itself(a: list[str]) -> None:
    assert matching(a, a) == [(i, i) for i in range(len(a))]


@given(st.lists(st.lists(WORD, min_size=1, max_size=9), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_times_never_run_backwards(lines: list[list[str]], chance: random.Random) -> None:
    """Whatever differs, the cues keep their text and number, and start <= end, starts never decreasing."""
    timed = [Cue(i * 1000, i * 1000 + 900, " ".join(line)) for i, line in enumerate(lines)]
    ours = untimed(*(" ".join(w for w in line if chance.random() < 0.8) or "x" for line in lines))
    times = exact_times(ours, timed)
    if times is not None:
        assert [cue.text for cue in times] == [cue.text for cue in ours]
        assert all(a.start_ms <= b.start_ms for a, b in pairwise(times))
        assert all(0 <= cue.start_ms <= cue.end_ms for cue in times)


@pytest.mark.realdata
def test_perturbed_records_get_their_times_back() -> None:
    """A third of all words dropped, replaced or added: still nine lines in ten are right to half a second."""
    chance = random.Random(1)
    errors: list[float] = []
    others: list[tuple[Cue, ...]] = []
    for path in sorted((SHARED / "records" / "flat_timed").iterdir())[::3]:
        timed = scraped_record.read(SourceText(path.read_text("utf-8"))).cues
        vocabulary = [word for cue in timed for word in cue.text.split()]
        ours: list[Cue] = []
        for cue in timed:
            words: list[str] = []
            for word in cue.text.split():
                luck = chance.random()
                if luck >= 0.11:
                    words.append(chance.choice(vocabulary) if luck < 0.22 else word.upper().strip(".,"))
                if luck >= 0.89:
                    words.append(chance.choice(vocabulary))
            ours.append(replace(cue, text=" ".join(words) or "um"))
        times = exact_times([Cue(0, 0, cue.text) for cue in ours], timed)
        assert times is not None, path.name
        errors += [abs(a.start_ms - b.start_ms) / 1000 for a, b in zip(times, timed, strict=True)]
        others.append(timed)
    print(f"{len(errors)} lines, errors in s: {np.percentile(errors, [50, 90, 99, 99.9]).round(2)}")
    assert np.percentile(errors, 90) < 0.5
    assert np.percentile(errors, 99) < 4
    assert all(exact_times(a, b) is None for a, b in pairwise(others))


# Where each border lies


@given(st.permutations(list(range(24))))
@settings(deadline=None)
def test_of_words_that_stand_once_the_longest_rising_chain_is_matched(order: list[int]) -> None:
    a, b = [f"w{at}" for at in range(24)], [f"w{at}" for at in order]
    if any(second == first + 1 for first, second in pairwise(order)):
        return  # runs of words are anchors before single words are
    longest = [1] * 24
    for at in range(24):
        longest[at] = 1 + max((longest[before] for before in range(at) if order[before] < order[at]), default=0)
    assert len(matching(a, b)) == max(longest)


def test_a_long_run_is_an_anchor_before_single_words() -> None:
    ours = ["x", "a", "b", "c", "d", "e", "f"]
    theirs = ["a", "b", "c", "d", "e", "f", "x"]
    assert matching(ours, theirs) == [(at + 1, at) for at in range(6)]


def test_what_lies_far_apart_without_an_anchor_is_not_compared() -> None:
    def matched(words: int) -> int:
        return len(matching(["a", "b"] * (words // 2), ["b", "a"] * (words // 2)))

    assert matched(160) > 100
    assert matched(162) == 0


@pytest.mark.parametrize(("same", "is_same_talk"), [(2, False), (3, True)])
def test_another_talk_shares_few_runs_of_three_words(same: int, is_same_talk: bool) -> None:
    ours = untimed(" ".join(f"w{at}" if at < same else f"x{at}" for at in range(10)))
    theirs = [Cue(0, 10_000, " ".join(f"w{at}" for at in range(10)))]
    assert (exact_times(ours, theirs) is not None) is is_same_talk


def test_words_without_a_partner_lie_between_their_neighbours_by_characters() -> None:
    timed = [Cue(0, 4_000, "aaa bbb ccc ddd"), Cue(10_000, 14_000, "eee fff ggg hhh")]
    times = exact_times(untimed("aaa bbb ccc ddd", "xxx", "yyy", "eee fff ggg hhh"), timed)
    assert times is not None
    starts = [cue.start_ms for cue in times]
    assert (starts[0], starts[3]) == (0, 10_000)
    # ddd begins at 3,200 ms, four fifths into its line, which takes 16 characters with the blank behind it.
    assert starts[1:3] == [3_200 + round(6_800 * behind / 11.2) for behind in (3.2, 7.2)]
    assert [cue.end_ms for cue in times] == [*starts[1:], 14_000]


def test_before_the_first_match_and_behind_the_last_the_speed_is_the_usual_one() -> None:
    timed = [Cue(10_000, 14_000, "aaa bbb ccc ddd"), Cue(14_000, 60_000, "")]
    times = exact_times(untimed("xxxxxxxxx", "aaa bbb ccc ddd", "yyyyyyyyy"), timed)
    assert times is not None
    assert times[0].start_ms == pytest.approx(10_000 - 10 * 65, abs=70)
    assert times[1].start_ms == 10_000
    early = [Cue(100, 4_000, "aaa bbb ccc ddd")]
    times = exact_times(untimed("x" * 99, "aaa bbb ccc ddd"), early)
    assert times is not None
    assert 0 <= times[0].start_ms <= 100


@pytest.mark.parametrize(("letters", "punctuated"), [(1, True), (250, True), (251, False)])
def test_a_sentence_ends_in_250_letters(letters: int, punctuated: bool) -> None:
    assert is_punctuated(untimed("a" * letters + ".")) is punctuated
    assert not is_punctuated(untimed("..."))


def words(first: int, last: int) -> str:
    return " ".join(f"w{at}" for at in range(first, last))


LONG = replace(TRACK, cues=tuple(Cue(at * 1000, at * 1000 + 900, words(at * 10, at * 10 + 10)) for at in range(10)))


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (words(0, 100), True),
        (words(0, 85), True),  # fifteen in a hundred may be missing in one piece
        (words(0, 84), False),
        (words(0, 40) + " " + words(55, 100), True),
        (words(0, 40) + " " + words(56, 100), False),
        (words(0, 100) + " " + " ".join(f"x{at}" for at in range(100)), True),  # half of either is the other's
        (words(0, 100) + " " + " ".join(f"x{at}" for at in range(101)), False),
    ],
)
def test_how_much_a_text_may_leave_out_and_add(said: str, taken: bool) -> None:
    text = replace(TEXT, cues=tuple(untimed(said.replace(" ", ". ") + ".")))
    assert (with_times_of(text, LONG) is not None) is taken


@pytest.mark.parametrize(("changed", "taken"), [(2, False), (3, True)])
def test_a_punctuated_track_is_bettered_by_other_words_only(changed: int, taken: bool) -> None:
    track = replace(
        LONG, origin="automatic", cues=tuple(replace(cue, text=cue.text.replace(" ", ". ")) for cue in LONG.cues)
    )
    said = [f"x{at}" if at % 40 == 7 and at < 40 * changed else f"w{at}" for at in range(100)]
    text = replace(TEXT, cues=tuple(untimed(". ".join(said))))
    assert (with_times_of(text, track) is not None) is taken
