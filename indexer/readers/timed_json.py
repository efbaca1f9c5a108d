"""What recognition services, podcasts, players and editors give: things that have a text and a time, anywhere in JSON.

No service is known here. Every list in the value is looked at (`json_lists`), those that can be what is said in a talk
are read (`json_layout`), and the fullest of them is the transcript (`json_choice`). Where single words are timed, cues
are made of them (`spoken_words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from talksearch.indexer.records import Origin, Step, Transcript

from .cue_times import RawCue, mend
from .finish import finish
from .json_choice import Chosen, choose
from .json_embedded import embedded_in, read_embedded
from .json_keys import Path, roles_of, words_of
from .json_layout import flat
from .json_lists import opened, strings_in
from .json_moments import moment_of
from .json_source import parsed_json
from .json_speakers import Turn, speakers_of, speaking_at, table_of, turns_in
from .json_talks import holds_several, names_several
from .json_times import Said, TimedList, letters
from .json_untimed import untimed_in
from .json_values import string
from .segments import put_after, start_after
from .source_text import SourceText
from .spoken_words import Group, Piece, cues_of, joined

_SERVICE_KEY = re.compile(
    r'"(?:utterances|results?|response|chunks|monologues|words|tokens|[a-z_]*confidence|nBest)"\s*:', re.IGNORECASE
)
"""Keys of recognition services; segments by themselves may be anybody's."""
_ONE_CONVERSATION = frozenset((
    "channel", "channels", "participant", "participants", "speaker", "speakers", "track", "tracks", "tiers", "streams",
    "attendees",
))  # fmt: skip
"""Words of the keys of lists whose entries speak in turn, each with a transcript of its own."""
_LANGUAGES = ("language", "languagecode", "lang", "locale", "detectedlanguage", "languageid", "sourcelanguage",
              "languagetag", "audiolanguage")  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*|[A-Z][a-z]{3,11}|[a-z]{4,12}")
_TITLES = ("title", "meetingtitle", "meetingname", "talktitle", "videotitle", "episodetitle")
_OTHER_UNIT = 5.0
_EVEN = 1.1
"""How many times later than their first words sentences begin, where they count in another unit; all nearly alike."""
_AT_ZERO_MS = 1_000
"""The first word of a sentence is said within this time of its beginning."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A transcript that lies in a value."""

    groups: tuple[Group, ...]
    leading: TimedList
    chosen: Chosen


def matches(source: SourceText) -> bool:
    """Say whether a file in JSON holds a list of things that have texts and times, and can be one talk."""
    return source.once(_found) is not None or source.once(_embedded) is not None


def origin(source: SourceText) -> Origin:
    """Tell who wrote the words: a machine, where the keys are those of a recognition service."""
    return "automatic" if _SERVICE_KEY.search(source.text) else "unknown"


def read(source: SourceText) -> Transcript:
    """Read JSON that `matches`.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    found = source.once(_found)
    if found is None and (embedded := source.once(_embedded)) is not None:
        return embedded
    groups = found.groups if found else ()
    raw: list[RawCue] = []
    notes: list[str] = []
    untimed = 0
    for group in groups:
        cues = list(cues_of(group, notes))
        if not cues:
            start = group.start_ms
            if start is None:
                untimed += 1
                start = start_after(raw)
            text = group.text or "".join(text for text, _ in joined(group.pieces))
            cues = [RawCue(start, group.end_ms, text, speaker=group.speaker)]
        raw += cues
    known = Transcript(format="json", cues=(), origin=origin(source))
    if found is not None:
        if _speak_in_turn(found.leading.path):
            raw.sort(key=lambda cue: cue.start_ms)
        known = replace(_about(found, known), steps=(*found.chosen.steps, *_time_steps(found)))
        notes += [*found.chosen.notes, *_time_notes(found)]
    return finish(mend(raw, "JSON file"), known, [*notes, *put_after(untimed)])


def _embedded(source: SourceText) -> Transcript | None:
    value = parsed_json(source)
    found = embedded_in(value)
    return read_embedded(*found) if found else untimed_in(value)


def _speak_in_turn(path: Path) -> bool:
    return any(word in _ONE_CONVERSATION for key in path[:-1] for word in words_of(key))


def _time_steps(found: _Found) -> Iterator[Step]:
    leading = found.leading
    if leading.ms_a_word is not None and leading.unit == 1.0:
        yield Step("read-milliseconds", "cues", {"ms_a_word": round(leading.ms_a_word)})
    elif leading.ms_a_word is not None:
        yield Step("read-units", "cues", {"ms": leading.unit, "ms_a_word": round(leading.ms_a_word)})
    if leading.of_a_day:
        yield Step("mend-times", "cues", {"offset_ms": -_first_ms(leading)})


def _time_notes(found: _Found) -> Iterator[str]:
    if found.leading.of_a_day:
        yield "The times are those of a day; they were counted from the first."
    if found.leading.frames:
        yield f"The times count frames; {1000 / found.leading.unit:g} were taken for a second."


def _first_ms(timed: TimedList) -> int:
    return round(min((said.start for said in timed.said if said.start is not None), default=0))


# --- lists to groups ------------------------------------------------------------------------------------------------


def _found(source: SourceText) -> _Found | None:
    value = opened(parsed_json(source))
    chosen = choose(value)
    if chosen is None or holds_several(value):
        return None
    sentences, words = _in_recording(chosen.sentences), _in_recording(chosen.words)
    if sentences is not chosen.sentences or words is not chosen.words:
        chosen = replace(chosen, steps=(*chosen.steps, Step("mend-times", "cues", {"parts": True})))
    chosen = replace(chosen, sentences=sentences, words=words)
    leading = sentences or words
    if leading is None:
        return None
    holders = {id(holder): holder for said in leading.said for holder in (said.entry.value, *said.entry.around)}
    if names_several(iter(holders.values())):
        return None
    names = table_of(value)
    if chosen.sentences is None:
        groups = _groups_of_words(leading, names, value)
    else:
        groups = _groups_of_sentences(leading, chosen.words, names)
    if not any(piece.speaker for group in groups for piece in group.pieces) and not any(g.speaker for g in groups):
        turns = turns_in(chosen.lists, names)
        groups = [_with_turns(group, turns) for group in groups] if turns else groups
    return _Found(tuple(groups), leading, chosen)


def _in_recording(timed: TimedList | None) -> TimedList | None:
    """Add where each part of a recording begins to the times of a list, where these begin again in every part."""
    if timed is None:
        return None
    begins: dict[int, float] = {}
    lasts: dict[int, float] = {}
    firsts: dict[int, float] = {}
    for said in timed.said:
        holder = said.entry.around[-1] if said.entry.around else {}
        if id(holder) not in begins:
            keys = (key for key in holder if "start" in {role.role for role in roles_of((key,))})
            moment = moment_of(holder.get(next(keys, "")))
            if moment is None or moment.of_a_day:
                return timed
            begins[id(holder)] = moment.number * (moment.unit or timed.unit)
        if said.start is None:
            return timed
        firsts.setdefault(id(holder), said.start)
        lasts[id(holder)] = max(lasts.get(id(holder), 0.0), said.start)
    later = [holder for holder, begin in begins.items() if begin > 0]
    if _rate([(begins[holder], firsts[holder]) for holder in begins]) is not None:
        return timed
    if len(begins) < 2 or not later or any(lasts[holder] >= begins[holder] for holder in later):
        return timed
    moved = tuple(
        replace(
            each,
            start=(each.start or 0) + begins[id(each.entry.around[-1])],
            end=None if each.end is None else each.end + begins[id(each.entry.around[-1])],
        )
        for each in timed.said
    )
    return replace(timed, said=moved)


def _ms(time: float | None, shift: int) -> int | None:
    return None if time is None else round(time) - shift


def _pieces(said: Sequence[Said], speakers: Sequence[str | None], shift: int) -> list[Piece]:
    return [
        Piece(entry.text, _ms(entry.start, shift), _ms(entry.end, shift), speaker)
        for entry, speaker in zip(said, speakers, strict=True)
        if entry.text
    ]


def _groups_of_sentences(timed: TimedList, words: TimedList | None, names: dict[str, str]) -> list[Group]:
    """Make a group of every sentence, with the words that are its own: inside it, or of the same letters beside it."""
    shift = _first_ms(timed) if timed.of_a_day else 0
    speakers = speakers_of(timed, names)
    inside: dict[int, list[Piece]] = {}
    beside: list[Piece] = []
    if words is not None:
        by_word = speakers_of(words, names)
        pieces = [
            Piece(s.text, _ms(s.start, shift), _ms(s.end, shift), w) for s, w in zip(words.said, by_word, strict=True)
        ]
        if words.path[: len(timed.path)] == timed.path:
            places = {id(said.entry.value): i for i, said in enumerate(timed.said)}
            for said, piece in zip(words.said, pieces, strict=True):
                for holder in reversed(said.entry.around):
                    if id(holder) in places and piece.text:
                        inside.setdefault(places[id(holder)], []).append(piece)
                        break
        else:
            beside = [piece for piece in pieces if letters(piece.text)]
    timed = _in_unit_of_words(inside, timed)
    if _are_relative(inside, timed):
        inside = {i: _moved(pieces, round(timed.said[i].start or 0)) for i, pieces in inside.items()}
    groups = []
    at = 0
    for i, (said, speaker) in enumerate(zip(timed.said, speakers, strict=True)):
        if not said.text:
            continue
        own = inside.get(i, [])
        if beside:
            own, at = _next_words(beside, at, said.text)
        spoken_by = [piece if piece.speaker else replace(piece, speaker=speaker) for piece in own]
        groups.append(Group(said.text.strip(), tuple(spoken_by), _ms(said.start, shift), _ms(said.end, shift), speaker))
    return groups


def _in_unit_of_words(inside: dict[int, list[Piece]], timed: TimedList) -> TimedList:
    """Return sentences with the times of their words, where theirs count something else at an even rate.

    Otter counts sentences in samples of the sound, 16,000 a second, and their words in seconds.
    """
    firsts = [(timed.said[i].start or 0.0, pieces[0].start_ms or 0.0) for i, pieces in inside.items() if pieces]
    rate = _rate(firsts)
    if rate is None:
        return timed
    said = tuple(
        replace(
            each,
            start=None if each.start is None else each.start / rate,
            end=None if each.end is None else each.end / rate,
        )
        for each in timed.said
    )
    return replace(timed, said=said)


def _rate(firsts: Sequence[tuple[float, float]]) -> float | None:
    """Return how many times later than their first words sentences begin, where that is the same for all of them."""
    rates = [start / first for start, first in firsts if start and first]
    even = len(rates) > 1 and min(rates) >= _OTHER_UNIT and max(rates) <= min(rates) * _EVEN
    return median(rates) if even else None


def _are_relative(inside: dict[int, list[Piece]], timed: TimedList) -> bool:
    """Whether the times of words count from the beginning of their sentence: they end before it begins."""
    later = [
        (timed.said[i].start or 0, pieces) for i, pieces in inside.items() if (timed.said[i].start or 0) > 0 and pieces
    ]
    before = sum(all((piece.start_ms or 0) < start for piece in pieces) for start, pieces in later)
    at_zero = sum(min(piece.start_ms or 0 for piece in pieces) < _AT_ZERO_MS for _, pieces in later)
    return bool(later) and before * 2 > len(later) and at_zero * 2 > len(later)


def _moved(pieces: Sequence[Piece], by_ms: int) -> list[Piece]:
    return [
        replace(
            piece,
            start_ms=None if piece.start_ms is None else piece.start_ms + by_ms,
            end_ms=None if piece.end_ms is None else piece.end_ms + by_ms,
        )
        for piece in pieces
    ]


def _next_words(words: Sequence[Piece], at: int, text: str) -> tuple[list[Piece], int]:
    """Return the words, from a place on, that have the letters of a text, and the place behind them."""
    wanted = letters(text)
    for begin in range(at, min(at + 8, len(words))):
        have, end = "", begin
        while end < len(words) and len(have) < len(wanted):
            have += letters(words[end].text)
            end += 1
        if have == wanted and wanted:
            return list(words[begin:end]), end
    return [], at


def _groups_of_words(timed: TimedList, names: dict[str, str], value: object) -> list[Group]:
    """Make a group of the words of every object that holds some, with its text, or the text of the same letters."""
    shift = _first_ms(timed) if timed.of_a_day else 0
    speakers = speakers_of(timed, names)
    held: dict[int, list[int]] = {}
    for i, said in enumerate(timed.said):
        held.setdefault(id(said.entry.around[-1]) if said.entry.around else 0, []).append(i)
    groups = []
    texts: dict[str, str] | None = None
    for places in held.values():
        pieces = _pieces([timed.said[i] for i in places], [speakers[i] for i in places], shift)
        around = timed.said[places[0]].entry.around
        holder = around[-1] if around else {}
        spelled = "".join(letters(piece.text) for piece in pieces)
        text = next((s for s in holder.values() if isinstance(s, str) and letters(s) == spelled), None)
        if text is None:
            texts = {letters(s): s for s in strings_in(value) if " " in s.strip()} if texts is None else texts
            text = texts.get(spelled) or _text_of(holder, timed.path)
        groups.append(Group(text.strip() if text else None, tuple(pieces)))
    if len(groups) > 1 and _repeats(groups):
        return groups[-1:]
    return groups


def _text_of(holder: dict[str, Any], path: Path) -> str | None:
    """Return the text that stands beside a list of words."""
    beside = [
        (role.rank, text)
        for key, text in holder.items()
        if string(text) and key not in path
        for role in roles_of((key,))
        if role.role == "text"
    ]
    return min(beside)[1] if beside else None


def _repeats(groups: Sequence[Group]) -> bool:
    """Whether the last group says all the words once more, with who says them, as Google's does."""
    starts = [next((p.start_ms for p in group.pieces if p.start_ms is not None), 0) for group in groups]
    words_before = sum(len(group.pieces) for group in groups[:-1])
    return starts[-1] <= starts[0] and len(groups[-1].pieces) >= words_before


def _with_turns(group: Group, turns: Sequence[Turn]) -> Group:
    pieces = tuple(
        piece if piece.start_ms is None else replace(piece, speaker=speaking_at(turns, piece.start_ms))
        for piece in group.pieces
    )
    speaker = None if group.start_ms is None else speaking_at(turns, group.start_ms)
    return replace(group, pieces=pieces, speaker=speaker)


# --- what the value says about the talk -----------------------------------------------------------------------------


def _about(found: _Found, known: Transcript) -> Transcript:
    """Add title and language, where the value says them of the list and not of something else."""
    first = found.leading.said[0].entry
    around = [holder for holder in first.around if len({id(said.entry.around[0]) for said in found.leading.said}) == 1]
    shared = [holder for i, holder in enumerate(around) if all(_shares(said, i, holder) for said in found.leading.said)]
    title = next(
        (text for holder in shared for key in holder if _is_title(key, holder) and (text := string(holder[key]))), None
    )
    own = {name for said in found.leading.said for name in _languages(said.entry.value)}
    language = next(iter(own)) if len(own) == 1 else None
    if language is None and not own:
        language = next((name for holder in reversed(shared) for name in _languages(holder, depth=2)), None)
    return replace(known, title=title, language=language)


def _shares(said: Said, place: int, holder: dict[str, Any]) -> bool:
    return len(said.entry.around) > place and said.entry.around[place] is holder


def _is_title(key: str, holder: dict[str, Any]) -> bool:
    name = "".join(words_of(key))
    if name in _TITLES:
        return True
    # A name is a title where it reads like one.
    return name == "name" and isinstance(holder[key], str) and " " in holder[key].strip() and "speaker" not in holder


def _languages(holder: dict[str, Any], depth: int = 1) -> Iterator[str]:
    for path, text in flat(holder):
        name = "".join(words_of(path[-1])) if path else ""
        is_code = name == "code" and len(path) == 1 and isinstance(text, str) and len(text) in (2, 5)
        if (
            len(path) <= depth
            and (name in _LANGUAGES or is_code)
            and isinstance(text, str)
            and _LANGUAGE.fullmatch(text)
        ):
            yield text
