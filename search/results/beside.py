"""What stands beside a hit: what a further track of its talk says at the same time, in the language of who asks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL
from talksearch.indexer.stores.languages import KNOWN_TO_DEFAULT
from talksearch.indexer.stores.tracks import track_cues, tracks_of
from talksearch.indexer.text.language_codes import is_same_language, language_code
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.lines import join_lines
from talksearch.search.asker import query_language
from talksearch.search.hit import Beside, Hit
from talksearch.search.query import Query
from talksearch.search.ranking.filters import languages_meant

from .describe import make_hit, widen
from .passage_view import read_passage

if TYPE_CHECKING:
    from talksearch.search.quotes.in_tracks import TrackQuote

_LANGUAGES = "SELECT DISTINCT language FROM talks WHERE language IS NOT NULL"
_TRACK_LANGUAGES = "SELECT DISTINCT language FROM tracks"
_NUMBERS = "SELECT id, number FROM talks WHERE id IN (SELECT value FROM json_each(?))"


def with_beside(db: sqlite3.Connection, query: Query, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return hits with what is said in the asker's language, where their talks are in another and have a track in it.

    The language is the one that the query names (`Query.beside`), else the one that it is in, else the first of those
    that the asker reads which a talk has a track in.
    """
    tracks = [language for (language,) in db.execute(_TRACK_LANGUAGES)] if hits else []
    if not tracks:
        return tuple(hits)
    wanted = _wanted(db, query, tracks)
    if not wanted:
        return tuple(hits)
    numbers = dict(db.execute(_NUMBERS, (json.dumps([hit.talk_id for hit in hits]),)))
    return tuple(replace(hit, beside=hit.beside or _beside(db, hit, numbers[hit.talk_id], wanted)) for hit in hits)


def beside_note(db: sqlite3.Connection, query: Query) -> str:
    """Return what is to be known where a query asks for tracks in a language that none is in; empty where one is, and
    where the index has no tracks at all.
    """
    tracks = [language for (language,) in db.execute(_TRACK_LANGUAGES)] if query.beside else []
    if not query.beside or not tracks or languages_meant(query.beside, tracks):
        return ""
    names = sorted({language_name(language_code(language)) for language in tracks})
    return f"No track is in “{query.beside}”; there are tracks in {', '.join(names)}."


def language_of_tracks_note(db: sqlite3.Connection, language: str) -> str:
    """Return what is to be known where no talk is in a language that was asked for, and tracks of talks are."""
    rows = db.execute("SELECT language, count(DISTINCT talk) FROM tracks GROUP BY language")
    counts = dict(rows.fetchall())
    talks = sum(counts[meant] for meant in languages_meant(language, counts))
    if not talks:
        return ""
    are = "1 talk in another language has" if talks == 1 else f"{talks:,} talks in other languages have"
    return f"The filter is of what was said; {are} a track in “{language}”, which is searched without it."


def hits_of_tracks(db: sqlite3.Connection, query: Query, quotes: Sequence[TrackQuote]) -> tuple[list[Hit], str]:
    """Return places where tracks say a quote as hits, with what the track says beside each, and what is to be known.

    They open where the original begins to say it. What was said is no quote, and has no marks.
    """
    hits: list[Hit] = []
    for quoted in quotes:
        row = read_passage(db, quoted.passage)
        in_talk = sum(hit.talk_id == row.talk_id for hit in hits)
        if len(hits) < query.k and (query.per_talk is None or in_talk < query.per_talk):
            hit = make_hit(row, rank=len(hits) + 1, score=1.0, answer_ms=quoted.answer_ms, query_id=query.id)
            hits.append(replace(widen(db, hit, query.context_ms) if query.context_ms else hit, beside=quoted.beside))
    return hits, _of_tracks_note(hits)


def _of_tracks_note(hits: Sequence[Hit]) -> str:
    languages = dict.fromkeys(language_name(hit.beside.language) for hit in hits if hit.beside)
    if not languages:
        return ""
    *others, last = languages
    tracks = f"the {', '.join(others)} and {last} tracks do" if others else f"the {last} track does"
    return f"Nobody says this in the original; {tracks}, word for word."


def _wanted(db: sqlite3.Connection, query: Query, tracks: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that may stand beside hits, the best first."""
    if query.beside:
        return tuple(languages_meant(query.beside, tracks))
    told = query_language(query.text, {*tracks, *(language for (language,) in db.execute(_LANGUAGES))})
    return (told,) if told else query.reads


def foreign_query_note(db: sqlite3.Connection, query: Query, model: str) -> str:
    """Return what is to be known where nothing good was found for a query in a language that the model does not know;
    empty where it may know it, or where nobody can tell.
    """
    if model != DEFAULT_MODEL or query.mode not in ("hybrid", "semantic"):
        return ""
    told = query_language(query.text, [language for (language,) in db.execute(_LANGUAGES)])
    if told is None or is_same_language(told, KNOWN_TO_DEFAULT):
        return ""
    return (
        f"The query seems to be in {language_name(told)}, and the model of this index knows English only."
        f" To find across languages: talksearch index --rebuild --model {MULTILINGUAL_MODEL}"
    )


def _beside(db: sqlite3.Connection, hit: Hit, talk_number: int, wanted: Sequence[str]) -> Beside | None:
    """Return what a track in one of some languages says while a hit goes on; None where none says anything then.

    A talk that is in a language that is wanted as much or more needs nothing beside it.
    """
    tracks = tracks_of(db, talk_number)
    for language in wanted:
        if hit.language and is_same_language(hit.language, language):
            return None
        same = [track for track in tracks if is_same_language(track.language, language)]
        for track in sorted(same, key=lambda one: one.language != language):  # pt-BR before pt, where it is wanted
            cues = track_cues(db, talk_number, track.number, hit.start_ms, hit.end_ms)
            text = join_lines(cue.text for cue in cues)
            if text.strip():
                return Beside(track.language, text, cues[0].start_ms, cues[-1].end_ms, track.origin)
    return None
