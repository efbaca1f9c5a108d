"""Who speaks when: a diariser's turns over the words of a transcript, as the reader then shows them."""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from speech import silence, write_wav

from talksearch.indexer.errors import ModelError
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.transcribe.result import whisper_json
from talksearch.indexer.transcribe.speakers import Turn, load_diariser, with_speakers


def segment(*words: tuple[str, float, float]) -> dict[str, Any]:
    return {
        "start": words[0][1],
        "end": words[-1][2],
        "text": "".join(word for word, *_ in words),
        "words": [{"word": word, "start": start, "end": end, "probability": 0.9} for word, start, end in words],
    }


TALK = [
    segment((" Do", 0.0, 0.2), (" you", 0.2, 0.4), (" hear", 0.4, 0.6), (" me?", 0.6, 1.0), (" Yes.", 1.4, 1.8)),
    segment((" Do", 5.0, 5.2), (" not", 5.2, 5.4), (" shout.", 5.4, 6.0)),
    segment((" Far", 30.0, 30.2), (" away.", 30.2, 30.6)),
]
TURNS = [Turn(0.0, 1.1, "A"), Turn(1.05, 2.0, "B"), Turn(4.5, 7.0, "B"), Turn(5.3, 5.35, "A")]


def test_words_take_the_speaker_of_their_turn_and_segments_are_cut_there(tmp_path: Path) -> None:
    parts = with_speakers(TALK, TURNS)
    assert [(part["text"], part.get("speaker")) for part in parts] == [
        (" Do you hear me?", "A"),
        (" Yes.", "B"),
        (" Do not shout.", "B"),
        (" Far away.", None),  # nobody is heard within a second of it
    ]
    assert [(part["start"], part["end"]) for part in parts] == [(0.0, 1.0), (1.4, 1.8), (5.0, 6.0), (30.0, 30.6)]
    assert [word.get("speaker") for word in parts[0]["words"]] == ["A"] * 4
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(whisper_json(parts, "en", {"model": "m"})))
    talk = read_talk(path)
    assert [(cue.text, cue.speaker) for cue in talk.cues] == [
        ("Do you hear me?", "A"),
        ("Yes.", "B"),
        ("Do not shout.", "B"),
        ("Far away.", None),
    ]
    assert talk.receipt.words_lost == 0


def test_a_word_in_a_gap_takes_the_nearest_speaker_and_without_turns_nobody_speaks() -> None:
    (part,) = with_speakers([segment((" So", 2.2, 2.4))], TURNS)
    assert part["speaker"] == "B"
    assert with_speakers(TALK, []) == TALK


def test_a_diariser_that_is_not_there_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyannote.audio", None)
    with pytest.raises(ModelError, match=r"pyannote\.audio, which is not installed"):
        load_diariser("somebody/pipeline")


def test_a_pipeline_is_asked_as_its_documentation_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pipeline of pyannote.audio could be had, so this stands in for one, with the interface that is documented."""
    asked: list[Any] = []

    class Annotation:
        def itertracks(self, yield_label: bool) -> Any:
            assert yield_label
            yield types.SimpleNamespace(start=0.5, end=1.5), "_", "SPEAKER_00"

    class Pipeline:
        @classmethod
        def from_pretrained(cls, name: str) -> Any:
            if name == "gated":
                return None
            return lambda sound: (
                asked.append(sound) or types.SimpleNamespace(exclusive_speaker_diarization=Annotation())
            )

    module = types.ModuleType("pyannote.audio")
    module.Pipeline = Pipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyannote", types.ModuleType("pyannote"))
    monkeypatch.setitem(sys.modules, "pyannote.audio", module)
    pytest.importorskip("av")
    turns = load_diariser("folder").turns(write_wav(tmp_path / "talk.wav", silence(2)))
    assert turns == [Turn(0.5, 1.5, "SPEAKER_00")]
    assert asked[0]["sample_rate"] == 16_000
    assert tuple(asked[0]["waveform"].shape) == (1, 32_000)
    assert os.environ["PYANNOTE_METRICS_ENABLED"] == "false"
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_diariser("gated")
