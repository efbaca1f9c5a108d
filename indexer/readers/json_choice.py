"""Which of the lists in a JSON value is the transcript, and which of them are its words.

Services write the same words several times: as sentences, as single words, as turns, once more in small letters, and in
translation. The list that carries the most words is the transcript; of lists that carry the same, the one that tells
more. What holds other words than the chosen one is named, so that nothing is lost in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from talksearch.indexer.records import Step
from talksearch.indexer.text.counting import bag_of

from . import json_keys
from .json_keys import Path, words_of
from .json_layout import flat, layout_of
from .json_lists import Entry, FoundList, lists_in
from .json_times import TimedList, letters

_AS_MANY = 0.9
"""Share of the words of the longest list from which on a list is one that holds the same."""
_OTHER_WORDS = 0.5
"""Share of the words of a list that the chosen one lacks, from which on it is another."""
_FEWEST_OTHER = 8
_MARK = re.compile(
    r"\s*(?:\[_[A-Z]{2,}[A-Z_]*\d*_?\]|<\|[^<>|]{0,40}\|>|</?(?:s|eps|unk|pad|blank|end|fin|sil|silence)>|WEBVTT)\s*"
)
"""Tokens that are no words: whisper.cpp's `[_BEG_]` and `[_TT_50]`, Whisper's `<|en|>`, `<unk>`, the head of WebVTT."""
_MARK_INSIDE = re.compile(r"<\|[^<>|]{0,40}\|>|\[_[A-Z]{2,}[A-Z_]*\d*_?\]")
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_](?:[A-Z]{2}|[A-Z][a-z]{3}|\d{3}))?")
_FINAL = ("isfinal", "final", "finalized")
_DRAFT = ("ispartial", "partial", "isinterim", "interim", "isdraft")
_KINDS = ("messagetype", "type", "message", "event", "recognitionstatus", "status", "state", "resulttype")
_DRAFT_KIND = re.compile(r"(?:add)?(?:partial|interim|draft|recognizing|hypothes)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The lists of a value that are its transcript."""

    sentences: TimedList | None
    """None where there are single words alone."""
    words: TimedList | None
    lists: tuple[FoundList, ...]
    """Every list of the value."""
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


def choose(value: object) -> Chosen | None:
    """Return the transcript in a value; None where no list can be one."""
    lists = lists_in(value)
    steps: list[Step] = []
    read: list[TimedList] = []
    for found in lists:
        finals, drafts = _without_drafts(found)
        timed = layout_of(finals, lambda: frame_rate_in(value))
        if timed is not None:
            timed, tokens = _without_marks(timed)
            if timed.said:
                read.append(timed)
                steps += _noted(timed, drafts, tokens)
    usual = [timed for timed in read if not json_keys.stands_aside(timed.path)] or read
    usual = _in_one_language(usual, value)
    sentences = _best([timed for timed in usual if not timed.single])
    words = _best([timed for timed in usual if timed.single], sentences)
    if sentences is None and words is None:
        return None
    if sentences and words and _size(sentences) < _AS_MANY * _size(words):
        sentences = None
    kept = tuple(
        step for step in steps if step.detail["list"] in {_name(timed) for timed in (sentences, words) if timed}
    )
    notes = _others(read, sentences or words)
    return Chosen(sentences, words, tuple(lists), kept, tuple(notes))


def _best(lists: Sequence[TimedList], frame: TimedList | None = None) -> TimedList | None:
    """Return the list that carries the most; of those that carry as much, the one that tells more.

    Args:
        lists: to choose from.
        frame: sentences, whose own words are meant rather than others.
    """
    if not lists:
        return None
    most = max(map(_size, lists))
    near = [timed for timed in lists if _size(timed) >= _AS_MANY * most]
    return max(
        near,
        key=lambda timed: (
            bool(frame and timed.path[: len(frame.path)] == frame.path),
            len(timed.said),
            _tells_speakers(timed),
            timed.has_ends,
        ),
    )


def _in_one_language(lists: list[TimedList], value: object) -> list[TimedList]:
    """Leave out the lists that differ from one before them in a key that is a language: translations.

    The language that the value names is kept, else the first.
    """
    named = (
        [text for key, text in value.items() if isinstance(text, str) and len(text) < 12]
        if isinstance(value, dict)
        else []
    )
    kept: dict[Path, TimedList] = {}
    for timed in lists:
        keys = [key for key in timed.path if _LANGUAGE.fullmatch(key)]
        place = tuple("" if key in keys else key for key in timed.path)
        if place not in kept or (keys and keys[0] in named and not set(kept[place].path) & set(named)):
            kept[place] = timed
    return list(kept.values())


def _size(timed: TimedList) -> int:
    return sum(len(letters(said.text)) for said in timed.said)


def _tells_speakers(timed: TimedList) -> bool:
    return any("speaker" in words_of(key) for said in timed.said[:3] for key in said.entry.value)


def _others(read: Sequence[TimedList], chosen: TimedList | None) -> Iterator[str]:
    """Yield a sentence for every list that holds words which the chosen one lacks."""
    if chosen is None:
        return
    have = _bag(chosen)
    for timed in read:
        if timed is chosen or json_keys.stands_aside(timed.path):
            continue
        words = _bag(timed)
        missing = (words - have).total()
        if missing >= max(words.total() * _OTHER_WORDS, _FEWEST_OTHER):
            yield f"The JSON has another list of {words.total()} words with times ({_name(timed)}), which was not read."


def _bag(timed: TimedList) -> Counter[str]:
    return bag_of("\n".join(said.text for said in timed.said).casefold())


def _name(timed: TimedList) -> str:
    return ".".join(timed.path)


# --- what is not said -----------------------------------------------------------------------------------------------


def is_mark(text: str) -> bool:
    """Say whether a token of a recogniser is no word.

    >>> is_mark("[_BEG_]"), is_mark(" <|en|>"), is_mark("[Music]")
    (True, True, False)
    """
    return bool(_MARK.fullmatch(text))


def without_marks(text: str) -> str:
    """Take the tokens of a recogniser that are no words out of a text."""
    return _MARK_INSIDE.sub("", text) if "<|" in text or "[_" in text else text


def _without_marks(timed: TimedList) -> tuple[TimedList, list[str]]:
    marks = [said.text for said in timed.said if is_mark(said.text)]
    said = [said for said in timed.said if not is_mark(said.text)] if marks else list(timed.said)
    for i, entry in enumerate(said):
        inside = _MARK_INSIDE.findall(entry.text) if "<|" in entry.text or "[_" in entry.text else []
        if inside:
            marks += inside
            said[i] = replace(entry, text=without_marks(entry.text))
    return (replace(timed, said=tuple(said)) if marks else timed), marks


def _without_drafts(found: FoundList) -> tuple[FoundList, list[Entry]]:
    """Take out what a service that writes while people speak says again later; all stays where nothing is final."""
    said: dict[int, bool] = {}  # what many entries lie in is asked once
    drafts = []
    for entry in found.entries:
        for holder in (entry.value, *entry.around):
            if id(holder) not in said:
                said[id(holder)] = _says_draft(holder)
        if any(said[id(holder)] for holder in (entry.value, *entry.around)):
            drafts.append(entry)
    if not drafts or len(drafts) == len(found.entries):
        return found, []
    gone = set(map(id, drafts))
    return replace(found, entries=[entry for entry in found.entries if id(entry) not in gone]), drafts


def _says_draft(holder: dict[str, Any]) -> bool:
    for key, value in holder.items():
        if not isinstance(value, (bool, str)):
            continue
        name = "".join(words_of(key))
        if (name in _FINAL and value is False) or (name in _DRAFT and value is True):
            return True
        if name in _KINDS and isinstance(value, str) and _DRAFT_KIND.match(value):
            return True
    return False


def _noted(timed: TimedList, drafts: Sequence[Entry], marks: Sequence[str]) -> Iterator[Step]:
    if drafts:
        texts = [text for entry in drafts for text in _texts_in(entry.value)]
        lost = bag_of("\n".join(texts)).total()
        yield Step("leave-out-drafts", "cues", {"list": _name(timed), "drafts": len(drafts), "words_left_out": lost})
    if marks:
        detail = {"list": _name(timed), "tokens": len(marks), "words_left_out": bag_of("\n".join(marks)).total()}
        yield Step("leave-out-tokens", "cues", detail)


def _texts_in(value: Any) -> Iterator[str]:
    for path, text in flat(value):
        if isinstance(text, str) and any(found.role == "text" for found in json_keys.roles_of(path)):
            yield text


def frame_rate_in(value: object) -> float | None:
    """Return how many frames a second a value says that there are."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                name = "".join(words_of(key))
                if (
                    name in ("fps", "framerate", "framespersecond")
                    and isinstance(inner, (int, float))
                    and 1 <= inner <= 240
                ):
                    return float(inner)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value[:20]
    return None
