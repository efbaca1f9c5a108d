"""Words that stand many times in a row stay in the transcript, and the receipt says where and how often."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.records import Cue
from talksearch.indexer.restore.loops import find_loops, loop_notes
from talksearch.indexer.talks.read import read_talk


def cues(*lines: str) -> list[Cue]:
    return [Cue(at * 2000, at * 2000 + 2000, line) for at, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("lines", "phrase", "times"),
    [
        (["Mind the gap."] * 40, "Mind the gap.", 40),
        (["mind the gap"] * 40, "mind the gap", 40),
        (["MIND THE GAP", "mind the gap!"] * 10, "MIND THE GAP", 20),
        (["before", *["you"] * 60, "after"], "you", 60),
        (["Right.", "Thank you very much."] * 9, "Right. Thank you very much.", 9),
        (
            ["I will show you how it is done in just a moment."] * 7,
            "I will show you how it is done in just a moment.",
            7,
        ),
        (["ha " * 50], "ha", 50),
        (["so we said and then the " + "and then the " * 12 + "end"], "and then the", 13),
        # Told from where a sentence begins, unless too few times are left from there.
        (["say " + "we go on. so then " * 6 + "end"], "we go on. so then", 6),
        (["say " + "we go on. so then " * 7 + "end"], "so then we go on.", 6),
        (["謝謝觀看"] * 30, "謝謝觀看", 30),
        (["謝謝觀看。" * 10], "謝謝觀看。", 10),
        (["ขอบคุณ" * 10], "ขอบคุณ", 10),
        (["감사합니다."] * 30, "감사합니다.", 30),
        (["Merci à tous."] * 12, "Merci à tous.", 12),
    ],
)
def test_what_loops(lines: list[str], phrase: str, times: int) -> None:
    (loop,) = find_loops(cues(*lines))
    assert (loop.phrase, loop.times) == (phrase, times)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["one"],
        ["no no no no no no no no no no"],
        ["very very very well"],
        [f"line {at} of a talk that goes on" for at in range(80)],
        ["la la la", "the sun is up", "la la la", "the moon is down"] * 2,
        ["♪"] * 60,
        ["Thank you."] * 8,
        [f"{at}" for at in range(200)],
    ],
)
def test_what_people_do_say_is_no_loop(lines: list[str]) -> None:
    assert find_loops(cues(*lines)) == []


def test_the_sentence_says_from_when_on() -> None:
    (note,) = loop_notes(cues(*[f"Words {at} of it." for at in range(20)], *["See you."] * 212))
    assert note == "“See you.” stands 212 times in a row from 0:40 on; recognition may have looped in silence."
    (note,) = loop_notes(cues(*["See you."] * 212), estimated=True)
    assert "from ~0:00 on" in note


def test_the_words_stay_and_the_receipt_tells(tmp_path: Path) -> None:
    lines = ["The pump failed.", *["Thanks for watching!"] * 30, "Then we went home."]
    text = "".join(
        f"{at}\n00:{at // 30:02}:{at % 30 * 2:02},000 --> 00:{at // 30:02}:{at % 30 * 2 + 1:02},900\n{line}\n\n"
        for at, line in enumerate(lines)
    )
    path = tmp_path / "pump.srt"
    path.write_text(text, encoding="utf-8")
    talk = read_talk(path)
    assert [cue.text for cue in talk.cues] == lines
    told = [sentence for sentence in talk.receipt.uncertain if "in a row" in sentence]
    assert told == [
        "“Thanks for watching!” stands 30 times in a row from 0:02 on; recognition may have looped in silence."
    ]


@given(st.lists(st.sampled_from(["a", "b", "A.", "b b", "", "謝謝", "、"]), max_size=120))
def test_loops_lie_within_the_words_and_apart(lines: list[str]) -> None:
    talk = [cue for cue in cues(*lines) if cue.text]
    loops = find_loops(talk)
    assert all(loop.times >= 6 and loop.words >= 24 for loop in loops)
    assert sum(loop.words for loop in loops) <= sum(len(cue.text) for cue in talk)
    assert len(loop_notes(talk)) <= 5


@pytest.mark.parametrize(
    ("lines", "loops"),
    [
        (["no"] * 23, 0),
        (["no"] * 24, 1),
        (["we do say so"] * 5, 0),
        (["we do say so"] * 6, 1),
        (["we do say so now then"] * 5, 0),  # enough words, not often enough
        ([" ".join(f"w{at}" for at in range(30))] * 6, 1),
        ([" ".join(f"w{at}" for at in range(31))] * 6, 0),
        (["no"] * 24 + ["yes"] + ["no"] * 24, 2),
        (["no"] * 24 + ["yes"] * 24, 2),
    ],
)
def test_how_long_and_how_often_a_loop_is(lines: list[str], loops: int) -> None:
    assert len(find_loops(cues(*lines))) == loops


def test_a_loop_says_how_many_words_it_has_and_when_it_begins() -> None:
    (loop,) = find_loops(cues("and so", *["mind the gap"] * 10, "bye"))
    assert loop == ("mind the gap", 10, 2_000, 30)
    (loop,) = find_loops([Cue(0, 30_000, "well then " + "go on " * 14)])
    assert (loop.phrase, loop.times, loop.words) == ("go on", 14, 28)
    assert loop.start_ms == pytest.approx(30_000 * 10 / 94, abs=2)


def test_the_five_longest_are_told_in_order_of_time_and_a_long_phrase_is_cut() -> None:
    lines = [line for at in range(6) for line in [f"word{at}"] * (30 - at) + [f"between {at}"]]
    told = loop_notes(cues(*lines))
    assert [note.split("”")[0] for note in told] == [f"“word{at}" for at in range(5)]
    (note,) = loop_notes(cues(*["x" * 60] * 24))
    assert note.startswith(f"“{'x' * 60}” stands 24 times in a row from 0:00 on")
    (note,) = loop_notes(cues(*[f"{'x' * 59} {'y' * 9}"] * 24))
    assert note.startswith(f"“{'x' * 59}…” stands 24 times")
