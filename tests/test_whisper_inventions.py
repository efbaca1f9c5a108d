"""What Whisper writes into silence is noted, in the files of every program that runs it; what is said is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import read_talk

SAID = "And so the tide turns, and the whole harbour empties in about six hours."


def read(tmp_path: Path, data: object) -> Talk:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return read_talk(path)


def segment(text: str, start: float, end: float, **figures: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "text": f" {text}", **figures}


def told(tmp_path: Path, *segments: dict[str, Any]) -> list[str]:
    clean = {"no_speech_prob": 0.1, "avg_logprob": -0.2, "compression_ratio": 1.5}
    around = [segment(SAID, 0, 6, **clean), *segments, segment(SAID + " Twice.", 290, 296, **clean)]
    talk = read(tmp_path, {"text": "", "language": "en", "segments": around})
    words = " ".join(cue.text for cue in talk.cues)
    assert all(one["text"].strip() in words for one in segments)  # nothing is taken out
    return [note for note in talk.receipt.uncertain if "Whisper" in note]


@pytest.mark.parametrize(
    "invented",
    [
        segment("You", 21.5, 22.9, no_speech_prob=0.95, avg_logprob=-0.67, compression_ratio=0.27),
        segment("I'm not sure", 20, 22, no_speech_prob=0.65, avg_logprob=-1.3),
        segment("So, let's go", 20, 22, no_speech_prob=0.97, avg_logprob=-0.59),
        segment("going going", 20, 22, no_speech_prob=0.82, avg_logprob=-0.15, compression_ratio=3.7),
        segment("So", 20, 22, no_speech_prob=0.81, avg_logprob=-0.25, words=[{"word": " So", "probability": 0.05}]),
    ],
)
def test_a_segment_in_which_whisper_itself_heard_no_speech_is_noted(tmp_path: Path, invented: dict[str, Any]) -> None:
    (note,) = told(tmp_path, invented)
    assert note.startswith("Whisper itself heard hardly any speech at 0:2")
    assert f"“{invented['text'].strip()}”" in note


@pytest.mark.parametrize(
    "said",
    [
        segment("Thank you.", 20, 20.8, no_speech_prob=0.02, avg_logprob=-0.2),
        segment("Thank you for watching.", 20, 21, no_speech_prob=0.3, avg_logprob=-0.3),
        segment("Right.", 20, 20.4, no_speech_prob=0.74, avg_logprob=-0.6),
        segment("in the superlative degree of comparison only.", 20, 24, no_speech_prob=0.84, avg_logprob=-0.67),
        segment("It is loud in here.", 20, 22, no_speech_prob=0.85, avg_logprob=-0.2, compression_ratio=0.9),
        segment("It was the best of times, it was the worst of times", 20, 24, compression_ratio=2.36),
        segment("one two three four five six seven eight nine ten eleven", 20, 22),
    ],
)
def test_what_is_likely_said_is_not_noted(tmp_path: Path, said: dict[str, Any]) -> None:
    assert told(tmp_path, said) == []


def test_files_without_figures_are_told_by_times_and_by_what_whisper_is_known_to_write(tmp_path: Path) -> None:
    (note,) = told(tmp_path, segment("Thanks for watching!", 30, 58))
    assert note == "What stands at 0:30 (“Thanks for watching!”) is what Whisper is known to write into silence."
    (note,) = told(tmp_path, *(segment("ご視聴ありがとうございました", at, at + 2) for at in (30, 60, 90)))
    assert note.startswith("What stands at 0:30 (“ご視聴ありがとうございました”), 1:00 (")
    (note,) = told(tmp_path, segment("a little bit of a little bit of a little bit of it", 29.7, 30.0))
    assert "than anybody says in that time" in note


def test_many_places_are_counted_and_long_texts_cut(tmp_path: Path) -> None:
    silent = [
        segment(f"Line {at} of what nobody said in this room, ever", at, at + 1, no_speech_prob=0.97, avg_logprob=-1.2)
        for at in range(20, 60, 2)
    ]
    (note,) = told(tmp_path, *silent)
    assert "and 15 more places, and may have invented" in note
    assert len(note) < 500


def test_whisper_cpp_and_openais_answers_are_told_likewise(tmp_path: Path) -> None:
    rows = [
        {"offsets": {"from": 0, "to": 6000}, "text": f" {SAID}"},
        {"offsets": {"from": 30_000, "to": 60_000}, "text": " Thank you."},
    ]
    talk = read(tmp_path, {"result": {"language": "en"}, "transcription": rows})
    assert any("known to write into silence" in note for note in talk.receipt.uncertain)


@pytest.mark.parametrize("odd", ["0.9", None, True, [], {"a": 1}, float("inf")])
def test_figures_that_are_no_numbers_say_nothing(tmp_path: Path, odd: object) -> None:
    told(tmp_path, segment("Hello there", 20, 21, no_speech_prob=odd, avg_logprob=odd, compression_ratio=odd))


def test_what_a_real_model_writes_into_silence_is_noted_and_real_speech_is_not(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    from speech import RATE, model_folder, samples_of, silence

    from talksearch.indexer.transcribe.models import load_model

    model = load_model(model_folder())
    seconds = np.arange(30 * RATE) / RATE
    hum = 0.1 * np.sin(2 * np.pi * 50 * seconds) + np.random.default_rng(0).normal(0, 0.01, 30 * RATE)
    sounds = {
        "silence": silence(40),
        "hum": hum.astype(np.float32),
        "speech": samples_of("two_cities.wav"),
    }
    noted = {}
    for name, sound in sounds.items():
        # As other programs run it: voices are not looked for, and nothing is thought twice about.
        found, _ = model.whisper.transcribe(
            sound, language="en", word_timestamps=True, vad_filter=False, temperature=0.0,
            no_speech_threshold=None, log_prob_threshold=None, compression_ratio_threshold=None,
        )  # fmt: skip
        rows = [
            {
                "start": float(one.start),
                "end": float(one.end),
                "text": one.text,
                "avg_logprob": one.avg_logprob,
                "no_speech_prob": one.no_speech_prob,
                "compression_ratio": one.compression_ratio,
            }
            for one in found
        ]
        assert rows, name
        talk = read(tmp_path, {"text": "", "segments": rows, "language": "en"})
        noted[name] = any("Whisper" in note or "looped" in note for note in talk.receipt.uncertain)
    assert noted == {"silence": True, "hum": True, "speech": False}
