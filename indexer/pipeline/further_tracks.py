"""The further tracks of a talk: which of its other files say the same in another language, at the same times."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.passages.track_words import short_cues
from talksearch.indexer.records import Cue, Talk, Track, TrackOrigin
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.identify import Identity
from talksearch.indexer.talks.language_tags import language_of, translated_from
from talksearch.indexer.talks.spoken_language import spoken_language
from talksearch.indexer.talks.track_names import TrackName
from talksearch.indexer.text.language_codes import language_code
from talksearch.indexer.text.language_names import language_name

from .group_files import GroupFiles
from .scan import identity_of

MOST = 8
"""Further tracks that a talk has at most, the best first. Machines translate into a hundred languages, and each makes
the word index larger by as much as the talk itself."""

_PAST_THE_END_MS, _PAST_THE_END_SHARE = 30_000, 0.05
"""How far behind the talk's end a track of it may go on: so long, or such a share of the talk."""

_NEAR_MS = 5_000
"""How far from what is said a cue of a translation may lie, in milliseconds."""

_FEWEST_NEAR = 0.5
"""The share of a track's cues that must lie near what is said."""


@dataclass(frozen=True, slots=True)
class TrackFile:
    """What became of a file that may be a further track of a talk."""

    row: FileRow
    track: Track | None = None
    """None where it is none."""
    talk: Talk | None = None
    """As it was read from the file."""
    reason: str = ""
    """Why it is none; empty where it is one, or just another copy."""
    failed: bool = False
    """Whether that is because it could not be read."""
    is_apart: bool = False
    """Whether that is because its times, which are exact, are of another recording."""


def further_tracks(talk: Talk, rows: Sequence[FileRow], files: GroupFiles) -> list[TrackFile]:
    """Read the further tracks of a talk.

    Where no name says a language, no file is read: the copies that a recogniser writes in five formats are in one. One
    track is kept for each language, the best; a language is the same in every region and script.

    Args:
        talk: The talk.
        rows: Its other files that were not needed for it, the best first.
        files: What reads them.

    Returns:
        What became of each file, in order.
    """
    identities = {row.path: identity for row in rows if (identity := identity_of(row)) is not None}
    if not any(identity.language_tag for identity in identities.values()) or (own := _by_words(talk)) is None:
        return [TrackFile(row) for row in rows]
    taken = {language_code(own)}
    results: list[TrackFile] = []
    number = 1
    for row in rows:
        identity = identities.get(row.path)
        stated = language_code(language_of(identity.language_tag) or "") if identity else ""
        if identity is None or identity.forced or stated in taken:
            results.append(TrackFile(row))
            continue
        name = f"the {language_name(stated)} track" if stated else "another track"
        if not identity.timed:
            results.append(TrackFile(row, reason=f"it has no times, so that it cannot be {name}"))
            continue
        if number > MOST:
            results.append(TrackFile(row, reason=f"the talk has {MOST} tracks in other languages already"))
            continue
        try:
            read = files.read(row)
        except UnreadableError as error:
            results.append(TrackFile(row, reason=error.message, failed=True))
            continue
        language = _by_words(read)
        if language is None or language_code(language) in taken:
            results.append(TrackFile(row))
            continue
        problem = _misaligned(talk, read)
        if problem:
            is_apart = talk.timing == read.timing == "exact"
            results.append(TrackFile(row, reason=f"{problem}, so that it cannot be {name}", is_apart=is_apart))
            continue
        track = Track(number, language, _origin(read, files.track_of(row), identity), row.source, short_cues(read.cues))
        results.append(TrackFile(row, track, read))
        taken.add(language_code(language))
        number += 1
    return results


def _by_words(talk: Talk) -> str | None:
    """Return the language of what was read: as it is stated, but for where the words are surely in another one."""
    if talk.language is not None and spoken_language(talk.language, talk.cues).note:
        return spoken_language(None, talk.cues).language or talk.language
    return talk.language


def _origin(read: Talk, name: TrackName, identity: Identity) -> TrackOrigin:
    """Return who wrote a track. What a machine wrote in another language than is spoken, it translated."""
    tag = identity.language_tag
    is_translated = "translated" in name.kinds or (tag is not None and translated_from(tag) is not None)
    is_translated |= read.origin == "automatic" and not identity.original
    return "translated" if is_translated else read.origin


def _misaligned(talk: Talk, track: Talk) -> str:
    """Say why the times of a track are not those of a talk; empty where they are."""
    if talk.timing != "exact":
        return "the times of the talk are estimated"
    if track.timing != "exact":
        return "its times are estimated"
    end_ms = max(talk.length_ms, talk.cues[-1].end_ms)
    if track.cues[-1].end_ms > end_ms + max(_PAST_THE_END_MS, _PAST_THE_END_SHARE * end_ms):
        return "its times run past the talk's end"
    near = sum(_is_near(talk.cues, cue) for cue in track.cues)
    if near < _FEWEST_NEAR * len(track.cues):
        return "it speaks where the talk is silent"
    return ""


def _is_near(cues: Sequence[Cue], cue: Cue) -> bool:
    """Say whether anything is said within five seconds of a cue. The cues of a talk rise by their starts."""
    behind = bisect_left(cues, cue.end_ms + _NEAR_MS, key=lambda other: other.start_ms)
    return any(other.end_ms >= cue.start_ms - _NEAR_MS for other in cues[max(0, behind - 50) : behind])
