"""The cases of services' JSON, as the README beside them says what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import read
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

pytestmark = pytest.mark.realdata
CASES = Path(__file__).resolve().parents[2] / "shared" / "cases" / "json-services"
NAMES = ("aws-audio-segments", "azure-batch", "clarify", "edx.srt.sjson", "fireflies-api", "fireflies", "happyscribe",
         "insanely-fast", "kaltura-serve", "soniox", "sonix", "video-indexer", "whispercpp-full")  # fmt: skip
SENTENCES = [
    "The first pump failed at three in the morning.",
    "Who was on call when the alarm came in?",
    "I was, and I drove out in the rain.",
]


@pytest.mark.parametrize("name", NAMES)
def test_three_sentences_at_their_times(name: str) -> None:
    path = CASES / (name if "." in name else f"{name}.json")
    data = path.read_bytes()
    talk = load_talk(open_file(path, data), path.name)
    assert [(cue.start_ms, cue.text) for cue in talk.cues] == list(zip([1000, 5000, 9000], SENTENCES, strict=True))
    assert replay(data, path.name, talk.receipt) == talk.cues
    if name == "azure-batch":
        assert [cue.speaker for cue in talk.cues] == ["Speaker 1", "Speaker 2", "Speaker 1"]
    if name == "insanely-fast":
        assert [cue.speaker for cue in talk.cues] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]


def test_words_without_times_stay_between_those_that_have_some() -> None:
    path = CASES / "whisperx-numbers.json"
    first, second = read(path.read_text(encoding="utf-8"), path.name).cues
    assert (first.start_ms, first.text.strip()) == (500, "Here are the numbers 1, 2 and 250 from 2014.")
    assert [word.text for word in first.words] == first.text.split()
    assert (second.start_ms, second.text.strip()) == (4000, SENTENCES[0])


def test_chapters_are_no_transcript() -> None:
    path = CASES / "chapters.json"
    with pytest.raises(UnreadableError) as caught:
        read(path.read_text(encoding="utf-8"), path.name)
    assert "no kind of transcript" in caught.value.message
