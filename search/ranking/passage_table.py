"""The passages of an index as ranking reads them: their layout, their postings, their times and their vectors.

All of it comes from the columns (`indexer.stores.columns`), which answer in milliseconds. Where those are missing or
older than the catalog, it comes from the catalog and the vectors themselves, which say the same and take longer.

A table may hold only some of the talks of a store (`search.remote`). What is told of the whole then comes from the
statistics of the store (`corpus`).
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.records import Field
from talksearch.indexer.settings import MULTILINGUAL_MODEL
from talksearch.indexer.stores.columns import reader as columns
from talksearch.indexer.stores.columns.reader import FIELDS, Columns
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.text.language_codes import language_code
from talksearch.indexer.text.letters import holds_name
from talksearch.search.asker import written_language

from .corpus import CorpusStatistics, TermHolding
from .language_means import means_of
from .layout import PassageLayout, make_layout, read_layout
from .postings import MAX_WORDS_BETWEEN, cooccurrences, notes_of, only_in_tracks, postings
from .term_weight import LanguageGroups, TermWeight, read_groups, term_weight

FEW = 5_000
"""Up to this many vectors, the exact product with all of them takes no more than a millisecond."""

_MOST_REMEMBERED = 50_000
"""How many lists of speakers are remembered at once."""

Mask = npt.NDArray[np.bool_]
"""Which passages something holds for (n,)."""


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """What is said in one talk, in the order of passages."""

    places: Ints
    """The places of the passages, rising (n,)."""
    starts: Ints
    """When each begins, in milliseconds (n,)."""
    ends: Ints
    """When each ends, in milliseconds (n,)."""

    def place_at(self, start_ms: int) -> int | None:
        """Return the place of the passage said at a time or next after it; behind the end of the talk, the last one.

        None where nothing is said in the talk.
        """
        if not len(self.places):
            return None
        later = np.flatnonzero(self.ends > start_ms)
        if len(later):
            return int(self.places[later[self.starts[later].argmin()]])
        return int(self.places[len(self.starts) - 1 - self.starts[::-1].argmax()])


@dataclass(frozen=True, slots=True, eq=False)
class WrittenLanguages:
    """Which languages passages are in, and what the model gives all texts of each."""

    of_passages: Ints
    """The language of each passage, counted from 0 (n,)."""
    means: Floats
    """The mean vector of texts in each language (languages, dimension)."""


@dataclass(slots=True, eq=False)
class PassageTable:
    """All passages of one state of an index. The place of a passage is its position in the arrays.

    A table belongs to the thread that its connection belongs to; its arrays may be shared. What it remembers from query
    to query is of its own state, since another state is read as another table.
    """

    layout: PassageLayout
    vector_rows: Ints
    """The row of each passage in `vectors`, -1 where it has none (n,)."""
    vectors: Vectors
    columns: Columns | None
    """None where they are missing or of another state."""
    db: sqlite3.Connection
    model: str = ""
    """The name of the model that made the vectors; empty where that is not known."""
    corpus: CorpusStatistics | None = None
    """Statistics of all passages of the store that these are some of; None where there are no others."""
    aligned_descriptions: dict[int, dict[int, int | None]] = field(default_factory=dict, init=False)
    """Cache, by talk: for each sentence of the description (its note's number), the number of the passage that it
    speaks of, None where there is none (`results.metadata_hits`)."""
    _weights: dict[str, float] = field(default_factory=dict, init=False)
    """Cache, by term that is said: how much it tells."""
    _groups: list[LanguageGroups | None] = field(default_factory=list, init=False)
    """Cache: what `read_groups` returns."""
    _written: list[WrittenLanguages | None] = field(default_factory=list, init=False)
    """Cache: what `written_languages` returns."""
    _languages: list[str | None] = field(default_factory=list, init=False)
    """Cache: what `languages` returns."""

    @property
    def passage_count(self) -> int:
        """How many passages there are, in the whole store."""
        return self.corpus.passages if self.corpus else len(self.vector_rows)

    @property
    def vector_count(self) -> int:
        """How many of them have a vector."""
        return self.corpus.vectors if self.corpus else int(np.count_nonzero(self.vector_rows >= 0))

    def place(self, number: int) -> int:
        """Return the place of a passage number, -1 where no passage has that number."""
        return int(self.layout.places_of[number]) if number < len(self.layout.places_of) else -1

    def places(self, numbers: Ints) -> Ints:
        """Return the places of passage numbers (n,), -1 where no passage has that number."""
        within = np.minimum(numbers, len(self.layout.places_of) - 1)
        places: Ints = np.where(numbers == within, self.layout.places_of[within], -1)
        return places

    def speech_in(self, talk: int) -> SpeechSpan:
        """Return what is said in a talk, which is counted as in `layout`."""
        first, end = self._places_in(talk)
        places = first + np.flatnonzero(~self.layout.notes[first:end])
        if self.columns:
            starts, ends = self.columns.starts[places], self.columns.ends[places]
            return SpeechSpan(places, starts.astype(np.int64), ends.astype(np.int64))
        rows = self.db.execute(
            "SELECT start_ms, end_ms FROM passages WHERE talk = ? AND field = 'speech' ORDER BY number",
            (int(self.layout.talk_numbers[talk]),),
        ).fetchall()
        times = np.array(rows, np.int64).reshape(-1, 2)
        return SpeechSpan(places, times[:, 0], times[:, 1])

    def times(self, place: int) -> tuple[int, int]:
        """Return when a passage begins and ends, in milliseconds."""
        if self.columns:
            return int(self.columns.starts[place]), int(self.columns.ends[place])
        number = int(self.layout.numbers[place])
        start, end = self.db.execute("SELECT start_ms, end_ms FROM passages WHERE number = ?", (number,)).fetchone()
        return int(start), int(end)

    def vector(self, place: int) -> Floats | None:
        """Return the vector of a passage (dimension,), None where it has none."""
        row = self.vector_rows[place : place + 1]
        return self.vectors.take(row)[0] if row[0] >= 0 else None

    def postings(self, term: str) -> Ints:
        """Return the places of the passages that hold a term, or terms in a row with spaces between."""
        if self.columns:
            return self.columns.postings(term)
        return self.layout.places(postings(self.db, term))

    def postings_in(self, talk: int, term: str) -> Mask:
        """Return which passages of a talk, which is counted as in `layout`, hold a term; no other talk is read."""
        first, end = self._places_in(talk)
        holding = np.zeros(end - first, bool)
        if self.columns:
            positions, shift = self.columns.positions_of(term), self.columns.shift
            low, high = np.searchsorted(positions, np.array((first, end), positions.dtype) << shift)
            holding[(positions[low:high] >> shift).astype(np.int64) - first] = True
        else:
            places = self.postings(term)
            holding[places[(places >= first) & (places < end)] - first] = True
        return holding

    def cooccurrences(self, first: str, second: str) -> Ints:
        """Return the places of the passages that say two terms side by side, or nearly so."""
        if self.columns:
            return self.columns.cooccurrences(first, second, MAX_WORDS_BETWEEN)
        return self.layout.places(cooccurrences(self.db, first, second))

    def language_groups(self) -> LanguageGroups | None:
        """Return the languages of the talks; None where there is one, and no track in another."""
        if not self._groups:
            self._groups = [read_groups(self.db, self.layout.talk_numbers)]
        return self._groups[0]

    def by_language(self, vector: Floats) -> Floats | None:
        """Return how much nearer to a vector each passage is for its language alone: (n,), 0 in the mean.

        None where all is in one language, or that is not known of the model.
        """
        written = self.written_languages()
        if written is None:
            return None
        nearer: Floats = (written.means @ vector)[written.of_passages]
        nearer -= nearer.mean() if self.corpus is None else np.float32(_mean_nearness(self.corpus, vector))
        return nearer

    def written_languages(self) -> WrittenLanguages | None:
        """Return which language each passage is in; None where there is one, or the model is none of many languages.

        A talk may have a title in other letters than those of its language.
        """
        if not self._written:
            self._written = [self._read_written_languages() if self.model == MULTILINGUAL_MODEL else None]
        return self._written[0]

    def _read_written_languages(self) -> WrittenLanguages | None:
        talks = [language_code(tag) if tag else None for tag in self.languages()]
        usual = Counter(filter(None, talks)).most_common(1)
        of_talks = [code or (usual[0][0] if usual else "en") for code in talks]
        found: dict[str, int] = {}
        of_passages = np.array([found.setdefault(code, len(found)) for code in of_talks], np.int64)[self.layout.talks]
        for number, text in self.db.execute("SELECT number, text FROM passages WHERE field != 'speech'"):
            place = self.place(number)
            code = written_language(text, of_talks[int(self.layout.talks[place])])
            of_passages[place] = found.setdefault(code, len(found))
        are_several = len(found) > 1 or (self.corpus is not None and len(self.corpus.languages) > 1)
        return WrittenLanguages(of_passages, means_of(list(found))) if are_several else None

    def term_weight(self, term: str, places: Ints, variants: Sequence[str] = ()) -> TermWeight:
        """Return how much a term tells.

        Args:
            term: The term.
            places: The places of the passages that hold it, in whatever way it is written.
            variants: The other ways, as they stand in the index.
        """
        if self.corpus is not None:
            return self.corpus.term_weight(self._holding(self.corpus, term, places, variants))
        groups = self.language_groups()
        in_tracks = np.empty(0, np.int64)
        if groups is not None and groups.tracks and len(places):
            in_tracks = np.intersect1d(places, self.layout.places(only_in_tracks(self.db, term)), assume_unique=True)
        return term_weight(self.layout, groups, places, in_tracks)

    def _holding(
        self, corpus: CorpusStatistics, term: str, places: Ints, variants: Sequence[str]
    ) -> dict[str, TermHolding]:
        """Return how much of the whole store holds a term in any way; arguments as of `term_weight`.

        The store has counted single terms. How many passages hold several of them, or terms in a row, is told by these
        passages: there are few of them, or they are among the candidates.
        """
        words = [term, *(variant for variant in variants if " " not in variant)]
        counted = sum(len(self.postings(word)) for word in words) if variants else 0
        holding = corpus.holding(words, len(places) / counted if counted else 1.0)
        if not holding and len(places):  # in a row, or of signs that the word index parts: "1⁄2"
            talks = len(np.unique(self.layout.talks[places]))
            return {next(iter(corpus.languages)): TermHolding(len(places), talks)}
        return holding

    def term_weights(self, terms: Iterable[str]) -> dict[str, float]:
        """Return how much each of some terms tells."""
        weights: dict[str, float] = {}
        for term in terms:
            if term not in self._weights:
                places = self.postings(term)
                weights[term] = self.term_weight(term, places).passage
                if len(places):  # terms that nobody says are not remembered: there is no end of them
                    self._weights[term] = weights[term]
            else:
                weights[term] = self._weights[term]
        return weights

    def in_talk(self, places: Ints, number: int) -> Ints:
        """Return those of some places that lie in the talk with a number of the catalog."""
        inside: Ints = places[self.layout.talk_numbers[self.layout.talks[places]] == number]
        return inside

    def spoken_by(self, name: str) -> Mask:
        """Return which passages are spoken by somebody who is meant by a name (`holds_name`) (n,)."""

        def meaning(lists: Iterable[str]) -> list[bool]:
            # Each name is looked at once: an index has thousands of lists and few names.
            named = [_names(speakers) for speakers in lists]
            meant = {one for one in {one for own in named for one in own} if holds_name(one, name)}
            return [not meant.isdisjoint(own) for own in named]

        if self.columns:
            spoken: Mask = np.array(meaning(self.columns.speakers), bool)[self.columns.voices]
            return spoken
        rows = self.db.execute("SELECT number, speakers FROM passages WHERE speakers != '[]'").fetchall()
        numbers = np.array([number for number, _ in rows], np.int64)
        return self._mask(numbers[np.array(meaning(speakers for _, speakers in rows), bool)])

    def speakers_at(self, places: Ints) -> list[tuple[str, ...]]:
        """Return who is named as speaking in the passages at some places."""
        if self.columns:
            speakers = self.columns.speakers
            return [_names(speakers[voice]) for voice in self.columns.voices[places].tolist()]
        numbers = self.layout.numbers[places].tolist()
        rows = self.db.execute(
            "SELECT number, speakers FROM passages WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers),),
        )
        names = {number: _names(speakers) for number, speakers in rows}
        return [names.get(number, ()) for number in numbers]

    def speakers_of_talks(self) -> list[tuple[int, str]]:
        """Return the number of each talk in the catalog with each who is named as speaking in it."""
        if not self.columns:
            rows = self.db.execute("SELECT DISTINCT talk, speakers FROM passages WHERE speakers != '[]'")
            return list(dict.fromkeys((number, name) for number, speakers in rows for name in _names(speakers)))
        names: dict[str, int] = {}
        lists = [[names.setdefault(name, len(names)) for name in _names(who)] for who in self.columns.speakers]
        spoken = np.unique(self.layout.talks * len(lists) + self.columns.voices)
        pairs = {
            talk * len(names) + name
            for talk, voice in zip((spoken // len(lists)).tolist(), (spoken % len(lists)).tolist(), strict=True)
            for name in lists[voice]
        }
        known = list(names)
        numbers = self.layout.talk_numbers.tolist()
        return [(numbers[pair // len(known)], known[pair % len(known)]) for pair in sorted(pairs)]

    def languages(self) -> list[str | None]:
        """Return the language of each talk, counted as in `layout`: a BCP 47 tag, None where it is not known."""
        if not self._languages:
            known = dict(self.db.execute("SELECT number, language FROM talks"))
            self._languages = [known.get(number) for number in self.layout.talk_numbers.tolist()]
        return self._languages

    def notes_in(self, fields: Sequence[Field]) -> Mask | None:
        """Return which passages are notes of some fields (n,); None where no fields are given."""
        if not fields:
            return None
        if self.columns:
            kinds = [FIELDS.index(name) for name in fields if name != "speech"]
            notes: Mask = np.isin(self.columns.fields, np.array(kinds, np.uint8))
            return notes
        return self._mask(notes_of(self.db, fields))

    def _places_in(self, talk: int) -> tuple[int, int]:
        """Return the first place of a talk and the one behind its last."""
        first, end = np.searchsorted(self.layout.talks, (talk, talk + 1)).tolist()
        return first, end

    def _mask(self, numbers: Ints) -> Mask:
        mask = np.zeros(len(self.vector_rows), bool)
        mask[self.layout.places(numbers)] = True
        return mask


def read_passage_table(
    folder: Path, db: sqlite3.Connection, vectors: Vectors, model: str = "", *, with_columns: bool = True
) -> PassageTable:
    """Return the passages of the state that `db` shows, with the vectors that a model of this name made of them.

    Without columns it takes longer and finds the same. Call it inside a transaction that only reads.
    """
    mapped = columns.read(folder, db) if with_columns else None
    if mapped is None or mapped.codes.shape[1] != vectors.rows.shape[1]:
        layout = read_layout(db)
        return PassageTable(layout, vectors.find(layout.numbers), vectors, None, db, model)
    numbers = mapped.numbers.astype(np.int64)
    layout = make_layout(numbers, mapped.talks.astype(np.int64), numbers[mapped.fields != 0], mapped.talk_numbers)
    return PassageTable(layout, mapped.rows.astype(np.int64), vectors, mapped, db, model)


def _mean_nearness(corpus: CorpusStatistics, vector: Floats) -> float:
    """Return how near to a vector the passages of a store are for their languages alone, in the mean."""
    nearness = means_of(list(corpus.languages)) @ vector
    return float(np.average(nearness, weights=[count.passages for count in corpus.languages.values()]))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _names(speakers: str) -> tuple[str, ...]:
    """Return the names in the JSON list of a passage's speakers."""
    return tuple(json.loads(speakers)) if speakers else ()
