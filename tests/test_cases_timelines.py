"""The kept-back inputs about lines that hold times: what the list of cases says of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Talk
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

CASES = SHARED / "cases"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here"),
]


def talk(name: str) -> Talk:
    path = CASES / name
    found = load_talk(open_file(path, path.read_bytes()), path.name)
    again = replay(path.read_bytes(), path.name, found.receipt)
    assert [(cue.start_ms, cue.text) for cue in again] == [(cue.start_ms, cue.text) for cue in found.cues]
    return found


def starts(found: Talk) -> list[int]:
    return [cue.start_ms for cue in found.cues]


def words(found: Talk) -> list[str]:
    return " ".join(cue.text for cue in found.cues).split()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("srt-digit-colon/autosub.srt", [1500, 3600, 5400, 8000]),
        ("srt-float-ms/x.srt", [1249, 3300, 6100]),
        ("vtt-first-lost/x.vtt", [1249, 3300, 6100]),
        ("srt-nan/vibe.srt", [0, 4160, 8500]),
        ("srt-mixed-arrows/translated.srt", [1000, 4500, 8500, 12500, 16500, 20500]),
        ("srt-fullwidth/punct.srt", [1000, 4500, 8500]),
        ("srt-negative/x.srt", [0, 2000, 5500]),
        ("srt-negative/allparts.srt", [0, 2760, 6360]),
    ],
)
def test_every_cue_has_its_time_and_no_time_is_a_word(name: str, expected: list[int]) -> None:
    found = talk(name)
    assert starts(found) == expected
    assert not any("-->" in word or "NaN" in word or ":" in word or word.isdigit() for word in words(found))
    assert not any("balance" in note for note in found.receipt.uncertain)


def test_the_first_words_of_a_file_are_not_lost() -> None:
    for name in ("srt-float-ms/x.srt", "vtt-first-lost/x.vtt", "srt-nan/vibe.srt"):
        assert talk(name).cues[0].text == "The first bridge was made of wood."
    assert talk("srt-digit-colon/autosub.srt").cues[0].text == "the first bridge"


def test_an_end_that_is_no_number_is_the_next_start() -> None:
    assert [cue.end_ms for cue in talk("srt-nan/vibe.srt").cues[:2]] == [4160, 8500]


def test_negative_times_are_said_to_be_uncertain() -> None:
    assert talk("srt-negative/allparts.srt").receipt.uncertain
    assert talk("srt-negative/x.srt").receipt.uncertain


def test_words_of_a_podcast_stand_apart_with_their_times() -> None:
    (path,) = (CASES / "apple-podcast-ttml").iterdir()
    found = talk(f"apple-podcast-ttml/{path.name}")
    assert len(words(found)) == 34
    assert sum(len(cue.words) for cue in found.cues) == 34
    assert len({cue.speaker for cue in found.cues}) == 2


def test_a_metadata_track_is_refused_and_notes_are_not_said() -> None:
    with pytest.raises(UnreadableError, match="JSON in 3 of 3 cues"):
        talk("vtt-notes/metadata-track.vtt")
    expected = {
        "note-in-cue": "NOTE well what he says STYLE is everything here.",
        "notes-json": "Tonight we talk about flour.",
        "stream-classic": "and nobody heard the alarm.",
        "teams": "I heard it. I was asleep in the van.",
    }
    for name, last in expected.items():
        found = talk(f"vtt-notes/{name}.vtt")
        assert found.cues[-1].text == last
        assert len(found.cues) == (3 if name == "teams" else 2)


def test_names_of_cues_and_headers_of_segments_are_not_said() -> None:
    found = talk("webex-vtt/standup.vtt")
    assert starts(found) == [5000, 9500, 14500, 19500]
    assert not any(char in " ".join(words(found)) for char in '"()')
    for name in sorted(path.name for path in (CASES / "hls-concatenated").iterdir()):
        assert "WEBVTT" not in words(talk(f"hls-concatenated/{name}"))


def test_styles_in_a_header_of_2016_are_not_said() -> None:
    (path,) = Path(CASES / "old-yt-colours").iterdir()
    assert not {"##", "Style:", "}"} & set(words(talk(f"old-yt-colours/{path.name}")))
