"""What Whisper writes into silence, music and noise, told by the figures that stand in its files.

Nothing is taken out: the words stay, and a talk's receipt says where they stand and why they may not have been said.
Any program's file will do, with as many of the figures as it has: openai-whisper and faster-whisper write all of them,
WhisperX and whisper.cpp hardly more than times. The bounds were chosen on what the model tiny.en writes into silence,
noise, hum and chords, and so that clean speech stays free of notes (docs/transcribing.md has the figures).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.counting import count_words

_NO_SPEECH, _SURELY_NO_SPEECH = 0.8, 0.9
"""The model's share for there being no speech. In the last seconds of clean speech it goes up to 0.84, so that from the
first bound on words must be unlikely or repeat, and from the second on anything else must be odd."""
_WHISPERS_OWN = (0.6, -1.0)
"""Above this share and below this logarithm of the probability Whisper's own programs take a window for silent
(openai/whisper, `transcribe.py`)."""
_UNLIKELY_LOG, _UNLIKELY_WORD, _REPEATING = -0.5, 0.5, 2.4
"""What else is odd: the mean logarithm of the probability of a segment's tokens, the mean probability of its words, how
well its text is compressed."""
_FASTEST, _FEWEST_WORDS = 9.0, 8
"""Words a second that nobody speaks, and how many there must be. Speakers in a hurry reach six."""
_LONG_MS = 10_000
"""A few known words that last so long were not said."""
_OFTEN = 3
"""Known words that stand alone so often were not said either, at least not each time."""
_MOST_TOLD = 5
_SHOWN = 40

_KNOWN_TEXT = """
thanks for watching|thank you for watching|thank you so much for watching|thanks for listening|thank you
you|bye|bye bye|please subscribe|please subscribe to my channel|like and subscribe|see you in the next video
i'll see you in the next video|see you next time|subscribe to the channel
vielen dank|vielen dank fürs zuschauen|danke fürs zuschauen|bis zum nächsten mal|tschüss
merci d'avoir regardé cette vidéo|merci d'avoir regardé|merci|abonnez-vous
gracias por ver el video|gracias por ver|gracias|suscríbete|muchas gracias
obrigado por assistir|obrigado|grazie per la visione|grazie|grazie per aver guardato il video
dank je wel voor het kijken|bedankt voor het kijken|dziękuję za uwagę|dziękuję
спасибо за просмотр|продолжение следует|подписывайтесь на канал|до новых встреч
izlediğiniz için teşekkürler|teşekkürler|abone olmayı unutmayın
ご視聴ありがとうございました|ありがとうございました|チャンネル登録お願いします|お疲れ様でした
感谢观看|谢谢观看|謝謝觀看|謝謝大家|谢谢大家|谢谢|請訂閱|请订阅
시청해주셔서 감사합니다|구독과 좋아요 부탁드립니다|감사합니다|구독 부탁드립니다
شكرا للمشاهدة|شكرا|धन्यवाद
"""
"""Ends of videos, with which Whisper was trained. Sources: openai/whisper, discussions 928 and 1783, and Barański et
al. 2025 (arXiv 2501.11378). People say them as well, so one alone is no sign. Credits of subtitlers, which nobody says,
are in `text.boilerplate`."""
_KNOWN = frozenset(filter(None, re.split(r"[|\n]", _KNOWN_TEXT)))
_EDGE = re.compile(r"^\W+|\W+$")


class Segment(NamedTuple):
    """A segment of a Whisper file, with its times in milliseconds."""

    text: str
    start_ms: int
    end_ms: int | None
    figures: dict[str, Any]
    """As the file has it: `no_speech_prob`, `avg_logprob`, `compression_ratio`, `words` with `probability`."""


def invention_notes(segments: Sequence[Segment]) -> list[str]:
    """Return a sentence for each reason for which segments may be invented; of each reason the first are named.

    >>> figures = {"no_speech_prob": 0.95, "avg_logprob": -0.67}
    >>> invention_notes([Segment(" You", 21_500, 22_900, figures)])
    ['Whisper itself heard hardly any speech at 0:21 (“You”), and may have invented what stands there.']
    """
    often = Counter(_plain(segment.text) for segment in segments)
    silent = [segment for segment in segments if _is_silent(segment.figures)]
    rest = [segment for segment in segments if not _is_silent(segment.figures)]
    fast = [segment for segment in rest if _is_too_fast(segment)]
    known = [segment for segment in rest if _is_known(segment, often)]
    notes = []
    if silent:
        notes.append(
            f"Whisper itself heard hardly any speech at {_named(silent)}, and may have invented what stands there."
        )
    if fast:
        notes.append(f"More words stand at {_named(fast)} than anybody says in that time; Whisper may have looped.")
    if known:
        notes.append(f"What stands at {_named(known)} is what Whisper is known to write into silence.")
    return notes


def _is_silent(figures: dict[str, Any]) -> bool:
    no_speech = _number(figures.get("no_speech_prob"))
    if no_speech is None:
        return False
    log = _number(figures.get("avg_logprob"))
    if no_speech > _WHISPERS_OWN[0] and log is not None and log < _WHISPERS_OWN[1]:
        return True
    if no_speech < _NO_SPEECH:
        return False
    probability, ratio = _word_probability(figures), _number(figures.get("compression_ratio"))
    if (probability is not None and probability < _UNLIKELY_WORD) or (ratio is not None and ratio > _REPEATING):
        return True
    return no_speech >= _SURELY_NO_SPEECH and (log is None or log < _UNLIKELY_LOG)


def _is_too_fast(segment: Segment) -> bool:
    if segment.end_ms is None:
        return False
    words = min(len(segment.text.split()), count_words(segment.text))  # scripts without spaces have fewer of the first
    return words >= _FEWEST_WORDS and words * 1000 > _FASTEST * max(segment.end_ms - segment.start_ms, 1)


def _is_known(segment: Segment, often: Counter[str]) -> bool:
    plain = _plain(segment.text)
    if plain not in _KNOWN:
        return False
    no_speech, log = _number(segment.figures.get("no_speech_prob")), _number(segment.figures.get("avg_logprob"))
    probability = _word_probability(segment.figures)
    return (
        often[plain] >= _OFTEN
        or (segment.end_ms is not None and segment.end_ms - segment.start_ms >= _LONG_MS)
        or (no_speech is not None and no_speech > _WHISPERS_OWN[0])
        or (log is not None and log < _WHISPERS_OWN[1])
        or (probability is not None and probability < _UNLIKELY_WORD / 2)
    )


def _word_probability(figures: dict[str, Any]) -> float | None:
    """Return the mean probability of a segment's words, None where the file has none."""
    words = figures.get("words")
    if not isinstance(words, list):
        return None
    found = [_number(word.get("probability")) for word in words if isinstance(word, dict)]
    known = [probability for probability in found if probability is not None]
    return sum(known) / len(known) if known else None


def _named(segments: Sequence[Segment]) -> str:
    places = [f"{show_clock(one.start_ms)} (“{_short(one.text)}”)" for one in segments[:_MOST_TOLD]]
    if len(segments) > _MOST_TOLD:
        places.append(f"{len(segments) - _MOST_TOLD:,} more places")
    return " and ".join([", ".join(places[:-1]), places[-1]]) if len(places) > 1 else places[0]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()}…"


def _plain(text: str) -> str:
    return _EDGE.sub("", " ".join(text.split())).casefold()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e308:
        return None
    return float(value)
