"""The shared cases of names, heads and notices: each as its README says."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.replay import replay

CASES = SHARED / "cases"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here"),
]
NAMES = {"Ana Ruiz", "Ben Okafor"}


def talk_of(path: str) -> Talk:
    file = CASES / path
    talk = read_talk(file)
    assert replay(file.read_bytes(), file.name, talk.receipt) == talk.cues
    assert not [note for note in talk.receipt.uncertain if "balance" in note]
    return talk


def files_in(folder: str) -> list[str]:
    return sorted(str(path.relative_to(CASES)) for path in (CASES / folder).glob("*.*")) if CASES.is_dir() else []


@pytest.mark.parametrize("path", files_in("name-line"))
def test_no_name_is_left_among_the_words(path: str) -> None:
    talk = talk_of(path)
    words = " ".join(cue.text for cue in talk.cues)
    assert {cue.speaker for cue in talk.cues} == NAMES
    assert words.startswith("So the second pump failed again during the night. And nobody heard the alarm")
    assert len(words.split()) == 104, "the last sentence speaks of Ana"
    assert "Ruiz" not in words
    assert "Okafor" not in words
    assert talk.timing == "exact"
    assert {cue.speaker: cue.turn for cue in talk.cues[1:2]} == {"Ben Okafor": True}


@pytest.mark.parametrize("name", ["teams-copy", "teams-spoken"])
def test_spoken_times_are_kept(name: str) -> None:
    assert [cue.start_ms for cue in talk_of(f"name-line/{name}.txt").cues] == [7_000 * number for number in range(12)]


@pytest.mark.parametrize("path", files_in("meeting-text"))
def test_names_in_meetings_are_speakers(path: str) -> None:
    talk = talk_of(path)
    names = {"Speaker 1", "Speaker 2"} if "plaud" in path else NAMES
    assert {cue.speaker for cue in talk.cues} == names
    words = " ".join(cue.text for cue in talk.cues)
    assert words.startswith("So the second pump failed again. And nobody heard the alarm. I was asleep in the van.")
    assert "00:" not in words


def test_names_of_cues_are_speakers() -> None:
    assert [cue.speaker for cue in talk_of("webex-vtt/standup.vtt").cues] == ["Ana Ruiz", "Ben Okafor"] * 2


@pytest.mark.parametrize("name", ["arrow-old", "five-line"])
def test_word_exports_of_teams(name: str) -> None:
    talk = talk_of(f"teams-docx/{name}.docx")
    assert [cue.start_ms // 1000 for cue in talk.cues] == [3, 44, 85, 126, 167, 208]
    assert {cue.speaker for cue in talk.cues} == {"Ruiz, Ana", "Okafor, Ben"}
    words = " ".join(cue.text for cue in talk.cues)
    assert words.startswith("So the second pump")
    assert "Recording" not in words


def test_a_middle_dot_behind_a_time_separates() -> None:
    talk = talk_of("clipper/talk.md")
    assert [cue.start_ms for cue in talk.cues] == [0, 7_000, 62_000, 3_661_000]
    assert not any("·" in cue.text for cue in talk.cues)
    assert talk.cues[0].text == "So the first thing a bridge inspector learns is to listen."


def test_the_folder_is_whole() -> None:
    assert len(files_in("name-line")) == 14
    assert len(files_in("meeting-text")) == 5
    assert Path(CASES / "README.md").is_file()
