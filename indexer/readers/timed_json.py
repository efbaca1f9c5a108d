"""What speech recognition services and podcasts give: segments, or single words, somewhere inside a JSON value.

A form is where its segments or its words lie, and nothing else: keys of times, speakers and texts are shared by all
(`segments`). Where words are timed, cues are made of them; how these are spelled, spaced and punctuated is taken from
the full text beside them where that has the same letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from talksearch.indexer.records import Origin, Transcript, Word
from talksearch.indexer.text.sentences import ends_with_stop

from .cue_times import RawCue, mend
from .finish import finish
from .json_source import parsed_json
from .json_values import string, timed_words
from .segments import TEXTS, put_after, speaker_of, start_after, text_of, times_of, unit_of
from .source_text import SourceText

_SEGMENTS = (
    "segments",  # podcast namespace (`body`)
    "utterances",  # AssemblyAI
    "result.transcription.utterances",  # Gladia
    "results.utterances",  # Deepgram
    "chunks",  # Hugging Face
    "timeline",  # Zoom
    "paragraphs.*.cues",  # TED
    "monologues",  # Rev, whose segments have no time but that of their words
    "",
)
"""Lists of segments, by a path of keys; `*` stands for every entry of a list, `0` for the first."""

_WORDS = (
    ("results.channels.*.alternatives.0", "words"),  # Deepgram
    ("results.*.alternatives.0", "words"),  # Google
    ("response.results.*.alternatives.0", "words"),  # Google, as an operation
    ("results", "items"),  # Amazon Transcribe
    ("", "words"),  # OpenAI, AssemblyAI, ElevenLabs
    ("", "result"),  # Vosk
    ("*", "result"),  # Vosk, one result after the other
    ("", "results"),  # Speechmatics
)
"""Where objects lie that hold a list of words, and its key."""

_SERVICES = ("utterances", "result", "results", "response", "chunks", "monologues", "words")
"""Keys of recognition services; segments by themselves may be anybody's."""
_SERVICE_KEY = re.compile(r'"(?:utterances|results?|response|chunks|monologues|words)"\s*:')
"""The same in the text of a file; nested ones count too."""
_WORD_LISTS = ("words", "elements")
"""Keys of the words inside a segment."""
_PIECES = ("punctuated_word", "word", "text", "content", "value")
_PAUSE_MS = 1_500
_MOST_WORDS = 30
"""A cue made of words ends where its sentence does, at a pause, and at the latest after so many words."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word with what is said of it, in the unit of the file."""

    text: str
    entry: dict[str, Any]
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    """Text that belongs together, its words where they are timed, and the object that holds its times."""

    text: str | None
    pieces: tuple[_Piece, ...]
    entry: dict[str, Any]


def matches(source: SourceText) -> bool:
    """Say whether a file in JSON holds segments or words of which most have a time."""
    timed = [times_of(entry)[0] is not None for group in source.once(_groups_of) for _, entry in _timed_parts(group)]
    return sum(timed) * 2 > len(timed)


def origin(source: SourceText) -> Origin:
    """Tell who wrote the words: a machine, where the keys are those of a recognition service."""
    return "automatic" if _SERVICE_KEY.search(source.text) else "unknown"


def _timed_parts(group: _Group) -> list[tuple[str, dict[str, Any]]]:
    """Return what carries times in a group, each with its text: its words, else the whole."""
    words = [(piece.text, piece.entry) for piece in group.pieces if _letters(piece.text)]
    return words or [(group.text or "", group.entry)]


def read(source: SourceText) -> Transcript:
    """Read JSON that `matches`.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    data = parsed_json(source)
    groups = source.once(_groups_of)
    per_unit, steps = unit_of([part for group in groups for part in _timed_parts(group)])
    raw: list[RawCue] = []
    notes: list[str] = []
    untimed = 0
    for group in groups:
        cues = list(_cues(group, per_unit, notes))
        if not cues:
            start, end = times_of(group.entry, per_unit)
            if start is None:
                untimed += 1
                start = start_after(raw)
            text = group.text or "".join(text for text, _ in _joined(group.pieces))
            cues = [RawCue(start, end, text, speaker=speaker_of(group.entry))]
        raw += cues
    if _at(data, "results.channels"):  # one list of words a channel
        raw.sort(key=lambda cue: cue.start_ms)
    about: dict[str, Any] = data if isinstance(data, dict) else {}
    by_service = not about.keys().isdisjoint(_SERVICES) or any(group.pieces for group in groups)
    known = Transcript(
        format="json",
        cues=(),
        origin="automatic" if by_service else "unknown",
        title=string(about.get("title")),
        language=string(about.get("language_code")) or string(about.get("language")),
        steps=steps,
    )
    return finish(raw, mend(raw, "JSON file"), known, [*notes, *put_after(untimed)])


# --- where things lie -----------------------------------------------------------------------------------------------


def _at(data: object, path: str) -> list[Any]:
    """Return what lies at a path, every time it does.

    >>> _at({"a": [{"b": 1}, {"b": 2}]}, "a.*.b"), _at({"a": [1, 2]}, "a.0"), _at([], "a.b"), _at(1, "")
    ([1, 2], [1], [], [1])
    """
    values = [data]
    for key in path.split(".") if path else []:
        if key == "*":
            values = [each for value in values if isinstance(value, list) for each in value]
        elif key == "0":
            values = [value[0] for value in values if isinstance(value, list) and value]
        else:
            values = [value[key] for value in values if isinstance(value, dict) and key in value]
    return values


def _groups_of(source: SourceText) -> list[_Group]:
    return _groups(parsed_json(source))


def _groups(data: object) -> list[_Group]:
    """Return the segments of the first form that fits."""
    for path in _SEGMENTS:
        entries = [entry for value in _at(data, path) if isinstance(value, list) for entry in value]
        groups = [_group(entry, _words_in(entry)) for entry in entries if isinstance(entry, dict)]
        if sum(bool(group.text or group.pieces) and _is_timed(group) for group in groups) * 2 > len(entries):
            return _of_single_words([group for group in groups if group.text or group.pieces], data)
    for path, key in _WORDS:
        holders = [value for value in _at(data, path) if isinstance(value, dict) and isinstance(value.get(key), list)]
        groups = [_group(holder, holder[key]) for holder in holders]
        groups = [group for group in groups if group.pieces]
        if not groups:
            continue
        if path.endswith("results.*.alternatives.0") and len(groups) > 1 and _repeats(groups):
            return groups[-1:]
        if key == "items":
            return [_of_amazon(groups[0], holders[0])]
        return groups
    return []


def _is_timed(group: _Group) -> bool:
    return times_of(group.entry)[0] is not None or any(times_of(piece.entry)[0] is not None for piece in group.pieces)


def _words_in(entry: dict[str, Any]) -> list[Any]:
    return next((entry[key] for key in _WORD_LISTS if isinstance(entry.get(key), list)), [])


def _group(entry: dict[str, Any], words: Sequence[object]) -> _Group:
    pieces = []
    for word in words:
        if not isinstance(word, dict):
            continue
        alternatives = word.get("alternatives")  # Amazon's
        holder = alternatives[0] if isinstance(alternatives, list) and alternatives else word
        if not isinstance(holder, dict):
            continue
        text = next((holder[key] for key in _PIECES if isinstance(holder.get(key), str)), None)
        if text:
            # Rev calls the times of a word by names of its own.
            times = {"start": word["ts"], "end": word.get("end_ts")} if "ts" in word else word
            pieces.append(_Piece(text, times, speaker_of(word) or speaker_of(holder) or speaker_of(entry)))
    return _Group(text_of(entry), tuple(pieces), entry)


def _of_single_words(groups: list[_Group], data: object) -> list[_Group]:
    """Make one group of segments that are one word each, as Hugging Face writes times of words."""
    if len(groups) < 2 or any(group.pieces or len((group.text or "").split()) > 1 for group in groups):
        return groups
    pieces = tuple(_Piece(_spaced(group.entry), group.entry, speaker_of(group.entry)) for group in groups)
    entry = data if isinstance(data, dict) else {}
    return [_Group(text_of(entry), pieces, entry)]


def _spaced(entry: dict[str, Any]) -> str:
    """Return the text of a segment with the spaces around it."""
    return next((entry[key] for key in TEXTS if string(entry.get(key))), "")


def _repeats(groups: Sequence[_Group]) -> bool:
    """Whether the last result says all the words once more, with who says them, as Google's does."""
    starts = [
        next((ms for piece in group.pieces if (ms := times_of(piece.entry)[0]) is not None), 0) for group in groups
    ]
    words_before = sum(len(group.pieces) for group in groups[:-1])
    return starts[-1] <= starts[0] and len(groups[-1].pieces) >= words_before


def _of_amazon(group: _Group, results: dict[str, Any]) -> _Group:
    """Add the full text, and who speaks where only a list beside the words says it, by the time of the word."""
    speakers = {
        str(item.get("start_time")): speaker_of(item)
        for item in _at(results, "speaker_labels.segments.*.items.*")
        if isinstance(item, dict)
    }
    pieces = [
        replace(piece, speaker=piece.speaker or speakers.get(str(piece.entry.get("start_time"))))
        for piece in group.pieces
    ]
    full = " ".join(text for value in _at(results, "transcripts.*.transcript") if (text := string(value)))
    return replace(group, text=full or None, pieces=tuple(pieces))


# --- words to cues --------------------------------------------------------------------------------------------------


def _cues(group: _Group, per_unit: int, notes: list[str]) -> Iterator[RawCue]:
    """Make cues of timed words; none where these have no times, or are not the words of a text that has one itself."""
    words = [piece for piece in group.pieces if _letters(piece.text)]
    if sum(times_of(piece.entry)[0] is not None for piece in words) * 2 <= len(words):
        return
    spelled = _spelled(group)
    if spelled is None:
        if group.text and times_of(group.entry)[0] is not None:
            return
        spelled = _joined(group.pieces)
        missing = len((group.text or "").split()) - len(words)
        if missing * 20 > len(words):
            notes.append(f"The full text has {missing} words more than those with times; only these were read.")
    pieces = [(text, *times_of(piece.entry, per_unit), piece.speaker) for text, piece in spelled]
    waiting: list[tuple[str, int | None]] = []
    begin = last = times_of(group.entry, per_unit)[0] or 0
    end: int | None = None
    speaker, tail = None, ""
    for (text, start, until, says), following in zip(pieces, [*pieces[1:], None], strict=True):
        if not waiting and not text.strip():
            continue
        last = last if start is None else start
        if not waiting:
            begin, end, speaker = last, None, says
        waiting.append((text, start))
        if _letters(text):
            end = until if until is not None and until >= last else None
        tail = text.strip() or tail
        if following is not None:
            if not _letters(following[0]):
                continue
            pause = following[1] is not None and following[1] - (last if end is None else end) >= _PAUSE_MS
            if not (pause or ends_with_stop(tail) or following[3] != speaker or len(waiting) >= _MOST_WORDS):
                continue
        text, words_of_cue = timed_words(waiting, begin)
        kept = tuple(Word(word.text, max(word.start_ms, 0)) for word in words_of_cue)
        yield RawCue(begin, end, text, speaker=speaker, words=kept)
        waiting = []


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _spelled(group: _Group) -> list[tuple[str, _Piece]] | None:
    """Return the timed words as the full text writes them: cut from it, so that together they are the text.

    None where there is no text, or its letters are not those of the words.
    """
    pieces = [piece for piece in group.pieces if _letters(piece.text)]
    text = group.text or ""
    places = [place for place, char in enumerate(text) for _ in _letters(char)]
    if not pieces or "".join(_letters(piece.text) for piece in pieces) != _letters(text):
        return None
    if len(places) != len(_letters(text)):
        return None
    cuts = [0]
    done = 0
    for piece, _ in pairwise(pieces):
        done += len(_letters(piece.text))
        between = text[places[done - 1] + 1 : places[done]]
        space = next((place for place in range(len(between) - 1, -1, -1) if between[place].isspace()), None)
        # What stands right before a word, as an opening quotation mark, is its; where there are no spaces, the word
        # before keeps it.
        cuts.append(places[done] if space is None else places[done - 1] + 1 + space)
    return [(text[a:b], piece) for (a, b), piece in zip(pairwise([*cuts, len(text)]), pieces, strict=True)]


def _joined(pieces: Sequence[_Piece]) -> list[tuple[str, _Piece]]:
    """Put spaces between words that come without them; punctuation that stands alone goes with the word before it."""
    bare = not any(piece.text[:1].isspace() or piece.text[-1:].isspace() for piece in pieces)
    return [
        (f" {piece.text}" if bare and (_letters(piece.text) or not i) else piece.text, piece)
        for i, piece in enumerate(pieces)
    ]
