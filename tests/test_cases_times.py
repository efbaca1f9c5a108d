"""The small inputs that came out wrong: times that cannot be, and lines that are said twice."""

from __future__ import annotations

from itertools import pairwise

import pytest
from conftest import SHARED

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.replay import replay

pytestmark = pytest.mark.realdata
CASES = SHARED / "cases"


def read(name: str) -> Talk:
    path = CASES / name
    talk = read_talk(path)
    assert replay(path.read_bytes(), path.name, talk.receipt) == talk.cues
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(talk.cues))
    return talk


def words_of(talk: Talk) -> list[str]:
    return " ".join(cue.text for cue in talk.cues).split()


def starts_of(talk: Talk) -> list[float]:
    return [cue.start_ms / 1000 for cue in talk.cues]


def test_an_editors_hour_is_taken_off() -> None:
    talk = read("timecode-one-hour/inspector.srt")
    assert starts_of(talk) == [1, 5, 9]
    assert "shift-times" in {step.name for step in talk.receipt.steps}


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("meeting-text/meeting_saved_closed_caption.txt", [0, 6, 11, 42]),
        ("name-line/zoom-cc.txt", [7 * turn for turn in range(12)]),
    ],
)
def test_clock_times_count_from_the_first(name: str, starts: list[float]) -> None:
    talk = read(name)
    assert starts_of(talk) == starts
    assert any("clock" in note for note in talk.receipt.uncertain)


def test_words_crammed_into_no_time_are_estimated_over_the_duration() -> None:
    talk = read("crammed-many/Listening to cables.en.vtt")
    assert (talk.timing, len(words_of(talk))) == ("estimated", 1032)
    assert 500_000 < talk.cues[-1].start_ms < 600_000
    assert any("times say nothing" in note for note in talk.receipt.uncertain)


def test_lyrics_that_come_later() -> None:
    assert starts_of(read("lrc-offset/hymn.lrc")) == [8.64, 13.39, 18.93, 23.1]


def test_a_table_that_counts_frames() -> None:
    talk = read("premiere-csv/interview.csv")
    assert starts_of(talk) == [0.48, 5.72, 15.08, 19.8]
    assert [cue.speaker for cue in talk.cues] == ["Speaker 1", "Speaker 2", "Speaker 1", "Speaker 2"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "live-growing/revised.vtt",
            "So the second pump failed again. And nobody heard the alarm. Then we need a louder alarm.",
        ),
        (
            "live-growing/growing.vtt",
            "so the second pump failed again during the night and nobody heard the alarm because the window was shut",
        ),
    ],
)
def test_live_captions_that_grow_and_are_corrected(name: str, said: str) -> None:
    talk = read(name)
    assert (words_of(talk), len(talk.cues)) == (said.split(), 3)
    assert all(cue.words for cue in talk.cues)
    step = next(step for step in talk.receipt.steps if step.name == "merge-revisions")
    assert ("bump" in step.detail.get("corrected", ())) == ("revised" in name)


@pytest.mark.parametrize(
    ("name", "cues", "words"),
    [("contiguous.vtt", 5, 58), ("inspector.srt", 3, 34), ("realistic.srt", 5, 58), ("stable-ts-colour.srt", 3, 34)],
)
def test_words_that_are_marked_one_after_the_other(name: str, cues: int, words: int) -> None:
    talk = read(f"whisper-highlight-words/{name}")
    assert (len(talk.cues), len(words_of(talk))) == (cues, words)
    times = [word.start_ms for cue in talk.cues for word in cue.words]
    assert len(times) == words
    assert all(a < b for a, b in pairwise(times))


def test_three_rows_of_2016() -> None:
    talk = read("old-yt-colours/talk.en.vtt")
    assert len(words_of(talk)) == 23
    assert " ".join(words_of(talk)).count("good evening") == 1


@pytest.mark.parametrize(("name", "cues"), [("all.vtt", 5), ("two-at-boundary.vtt", 4)])
def test_cues_doubled_at_the_borders_of_segments(name: str, cues: int) -> None:
    talk = read(f"hls-concatenated/{name}")
    texts = [cue.text for cue in talk.cues]
    assert len(texts) == len(set(texts)) == cues


def test_every_word_is_accounted_for() -> None:
    names = (
        "timecode-one-hour/inspector.srt", "crammed-many/Listening to cables.en.vtt", "live-growing/revised.vtt",
        "live-growing/growing.vtt", "whisper-highlight-words/contiguous.vtt", "hls-concatenated/all.vtt",
        "old-yt-colours/talk.en.vtt", "lrc-offset/hymn.lrc", "premiere-csv/interview.csv",
    )  # fmt: skip
    assert {name: talk.receipt.words_lost for name in names if (talk := read(name)).receipt.words_lost} == {}
