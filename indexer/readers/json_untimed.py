"""JSON that says what was said and nothing of when: `{"text": "…"}` as recognisers answer, and turns without times.

Their times are estimated, as those of text are. Much other JSON holds texts, so all keys of these must be known.
"""

from __future__ import annotations

from typing import Any

from talksearch.indexer.records import Cue, Transcript
from talksearch.indexer.text.counting import count_words

from .cue_times import pieces
from .json_keys import words_of

_TEXTS = ("text", "transcript", "transcription")
_BESIDE_TEXT = frozenset((
    *_TEXTS, "language", "languagecode", "languageprobability", "duration", "task", "usage", "model", "title",
    "confidence", "processingtime", "logprobs",
))  # fmt: skip
"""Keys, without their signs, of what recognisers answer where they are asked for the text alone."""
_SPOKEN = (*_TEXTS, "sentence", "utterance")
_BESIDE_TURN = frozenset(("id", "index", "turn", "confidence", "language", "speakerid", "number"))
_FEWEST_WORDS = 5


def untimed_in(value: object) -> Transcript | None:
    """Return the transcript without times that a value is; None where it is anything else."""
    said = _text_of(value) or _turns_of(value)
    if not said or sum(count_words(text) for _, text in said) < _FEWEST_WORDS:
        return None
    cues = tuple(Cue(0, 0, piece, speaker) for speaker, text in said for piece in pieces(text))
    return Transcript(format="json", cues=cues, timed=False)


def _text_of(value: object) -> list[tuple[str | None, str]]:
    if not isinstance(value, dict):
        return []
    names = {"".join(words_of(key)): inner for key, inner in value.items()}
    texts = [names[key] for key in _TEXTS if key in names]
    if len(texts) != 1 or not isinstance(texts[0], str) or not names.keys() <= _BESIDE_TEXT:
        return []
    return [(None, texts[0])]


def _turns_of(value: object) -> list[tuple[str | None, str]]:
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if not isinstance(value, list) or len(value) < 2:
        return []
    turns = [_turn(entry) for entry in value if isinstance(entry, dict)]
    return [turn for turn in turns if turn] if len(turns) == len(value) and all(turns) else []


def _turn(entry: dict[str, Any]) -> tuple[str | None, str] | None:
    names = {"".join(words_of(key)): inner for key, inner in entry.items()}
    speakers = [names.pop(key) for key in ("speaker", "speakername", "speakerlabel") if key in names]
    texts = [names.pop(key) for key in _SPOKEN if key in names]
    if len(speakers) != 1 or len(texts) != 1 or not names.keys() <= _BESIDE_TURN:
        return None
    speaker, text = speakers[0], texts[0]
    if isinstance(speaker, int):
        speaker = f"Speaker {speaker}"
    return (speaker, text) if isinstance(speaker, str) and isinstance(text, str) and text.strip() else None
