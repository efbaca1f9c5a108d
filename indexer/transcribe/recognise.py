"""One piece of a recording through Whisper: what is said in it, and when each word is, as Whisper's JSON has it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from talksearch.indexer.records import Json

from .models import LoadedModel
from .pieces import SpeechPiece
from .sound import RATE

LISTENED_PIECES = 4
"""Pieces that are listened to, at most, to find out which language is spoken."""
_SURE = 0.8
"""The share of a language from which on no further piece is listened to."""


def find_language(pieces: Sequence[SpeechPiece], model: LoadedModel) -> tuple[str, float]:
    """Find out which language is spoken at the beginning of a recording.

    Returns:
        Its code, and the model's share for it, between 0 and 1; 1 for a model that knows one language.
    """
    if len(model.languages) == 1:
        return model.languages[0], 1.0
    sound = np.concatenate([piece.sound for piece in pieces[:LISTENED_PIECES]])
    language, share, _ = model.whisper.detect_language(
        sound, language_detection_segments=LISTENED_PIECES, language_detection_threshold=_SURE
    )
    return str(language), float(share)


def recognise(piece: SpeechPiece, model: LoadedModel, language: str) -> list[dict[str, Json]]:
    """Return the segments of a piece, in Whisper's form: times in seconds from the beginning of the recording.

    The same piece gives the same segments, whatever was recognised before: no text of another piece is handed on, and
    where Whisper tries at random, it begins with the same number.
    """
    import ctranslate2
    from faster_whisper.transcribe import restore_speech_timestamps

    ctranslate2.set_random_seed(0)
    found, _ = model.whisper.transcribe(
        piece.sound, language=language, word_timestamps=True, condition_on_previous_text=False
    )
    speech = [{"start": start, "end": end} for start, end in piece.speech]
    frame = piece.speech[0][0] * 100 // RATE
    return [_segment(asdict(segment), frame) for segment in restore_speech_timestamps(found, speech, RATE)]


def _segment(given: dict[str, Any], frame: int) -> dict[str, Json]:
    """Return a segment with plain numbers, rounded to what they are worth. `seek` is in hundredths of a second."""
    return {
        "id": 0,
        "seek": frame + int(given["seek"]),
        "start": _rounded(given["start"], 3),
        "end": _rounded(given["end"], 3),
        "text": given["text"],
        "tokens": [int(token) for token in given["tokens"]],
        "temperature": _rounded(given["temperature"], 2),
        "avg_logprob": _rounded(given["avg_logprob"], 4),
        "compression_ratio": _rounded(given["compression_ratio"], 3),
        "no_speech_prob": _rounded(given["no_speech_prob"], 4),
        "words": [_word(word) for word in _words(given["words"])],
    }


def _words(given: object) -> Iterable[dict[str, Any]]:
    return given if isinstance(given, list) else ()


def _word(given: dict[str, Any]) -> dict[str, Json]:
    return {
        "word": given["word"],
        "start": _rounded(given["start"], 3),
        "end": _rounded(given["end"], 3),
        "probability": _rounded(given["probability"], 3),
    }


def _rounded(value: float | None, digits: int) -> float:
    """Return a plain number; JSON has none for what is not finite."""
    return round(float(value), digits) if value is not None and math.isfinite(value) else 0.0
