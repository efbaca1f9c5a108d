"""Where somebody speaks in a recording, cut at pauses into pieces that recognition takes one by one.

Voice activity is found first (Silero VAD, which faster-whisper carries), so that nothing is asked of Whisper about
silence, where it invents words. No piece depends on another: a run that was ended goes on with the next piece, and what
comes out is what an undisturbed run gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Floats

from .sound import RATE

_BLOCK = 300 * RATE
"""Samples in which voices are looked for at once: five minutes take some 100 MB."""
_LONGEST = 30 * RATE
"""Samples of a piece: what Whisper hears at once."""
_LONGEST_PAUSE = 5 * RATE
"""Pauses in a piece are left out where they are longer than the VAD's padding, and a longer one than this ends it."""
_VAD = {"min_silence_duration_ms": 500, "max_speech_duration_s": 29}
"""Speech ends where nobody speaks for so long; who speaks without a pause for longer is cut at the last short one."""


@dataclass(frozen=True, slots=True)
class SpeechPiece:
    """A stretch of a recording that is recognised at once."""

    block: int
    """The sample at which the block begins that it was found in."""
    speech: tuple[tuple[int, int], ...]
    """Where somebody speaks: first sample, and the one behind the last."""
    sound: Floats
    """The speech without the pauses (samples,)."""


def pieces(sound: Iterable[Floats], first: int = 0) -> Iterator[SpeechPiece]:
    """Yield what is spoken in a recording.

    Args:
        sound: Its samples from its beginning.
        first: The `block` of the last piece that is known already; pieces are found from there on.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    parts = iter(sound)
    held = np.zeros(0, np.float32)
    block, passed = first, 0
    while passed < first and (part := next(parts, None)) is not None:
        passed += len(part)
        held = part[max(0, len(part) - (passed - first)) :]
    while True:
        held, is_last = _filled(held, parts)
        here = held[:_BLOCK]
        found = get_speech_timestamps(here, VadOptions(**_VAD)) if len(here) else []
        speech = [(int(each["start"]), int(each["end"])) for each in found]
        following = len(here) - RATE
        if not is_last and speech and speech[-1][1] > following:
            following = speech.pop()[0]  # who still speaks at the end of the block is heard whole in the next one
        for stretches in _joined(speech):
            yield SpeechPiece(
                block,
                tuple((block + start, block + end) for start, end in stretches),
                np.concatenate([here[start:end] for start, end in stretches]),
            )
        if is_last:
            return
        held, block = held[following:], block + following


def _filled(held: Floats, parts: Iterator[Floats]) -> tuple[Floats, bool]:
    """Return samples with as many behind them as a block needs, and whether the sound ends within the block."""
    waiting, length = [held], len(held)
    while length <= _BLOCK:
        part = next(parts, None)
        if part is None:
            return np.concatenate(waiting), True
        waiting.append(part)
        length += len(part)
    return np.concatenate(waiting), False


def _joined(speech: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Yield stretches of speech, as many together as recognition takes at once."""
    piece: list[tuple[int, int]] = []
    length = 0
    for start, end in speech:
        if piece and (length + end - start > _LONGEST or start - piece[-1][1] > _LONGEST_PAUSE):
            yield piece
            piece, length = [], 0
        piece.append((start, end))
        length += end - start
    if piece:
        yield piece
