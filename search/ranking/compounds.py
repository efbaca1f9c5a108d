"""Compounds: the words of the index that a query's word is part of, in languages that write compounds as one word."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from talksearch.indexer.text.terms import terms

from .vocabulary import languages_saying, open_vocabulary, stands_for_store, vocabulary_state

LANGUAGES = frozenset(["de", "gsw", "lb", "nl", "af", "fy", "sv", "da", "nb", "nn", "no", "is", "fo", "fi", "et"])
"""Languages, without their country, that write compounds as one word."""

MOST = 24
"""How many compounds of one word are looked for: those in the most passages."""

_SHORTEST = 5
"""Letters of the shortest term that compounds are looked for."""

_LONGEST = 80
"""And of the longest: every place of a term is tried to cut it at, and nobody says a longer one."""

_SHORTEST_REST = 3
"""Letters of the shortest word that can be left of a compound when a term is taken off."""

_SURE_REST = 5
"""What is left of a compound must be a word of the archive, or this long: "Signatur" is no compound of "Natur"."""

_SHORTEST_PART = 4
"""Letters that both parts of a term must have when it is itself taken apart."""

_ENDING = 3
"""How many letters the stemmer may take off a compound and leave on its last part alone: "quantenrechn", "rechner"."""

_LINKING_ELEMENTS = ("s", "es", "n", "en", "e", "er")
"""What may stand between the parts of a compound: the linking elements of German, Dutch and Scandinavian languages."""

_AFFIXES = frozenset(
    re.findall(
        r"\w+",
        """ver zer ent emp miss unter uber ober her hin auf aus ein vor nach bei mit durch wider wieder schaft schaften
        heit heiten keit keiten ung ungen lich liche lichen isch ische ischen bar sam haft inn innen chen lein ling tum
        het heden baar loos lijk ning""",
    )
)
"""Affixes, unaccented. A word with one of them is derived and no compound."""

_SAMPLED_PASSAGES = 20
"""How many passages with a compound are looked at to tell in which language it is used."""


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """The words of one state of an index that compounds are looked for among."""

    state: tuple[object, ...]
    """Tells one state of one index from all others."""
    languages: frozenset[str]
    """The language tags of its talks that name one of `LANGUAGES`."""
    lines: str
    """Its terms, the most frequent first, each between two line ends; empty where no talk has such a language."""
    words: frozenset[str]
    """The same terms."""


class CompoundFinder:
    """Finds compounds in an index. It remembers the vocabulary of the state that it was last asked about.

    One finder serves one index. Threads with connections of their own may share it.
    """

    def __init__(self) -> None:
        self._vocabulary: _Vocabulary | None = None

    def compounds_of(self, db: sqlite3.Connection, term: str) -> list[str]:
        """Return the compounds of the index that a term is the first or the last part of, the most frequent first.

        A term that nobody says and that is itself a compound gives its two parts in a row, as captions often write
        them. Returns nothing where no talk is in one of `LANGUAGES`; that is asked once for each state of the index.
        """
        if not _SHORTEST <= len(term) <= _LONGEST or not term.isalpha() or not term.isascii():
            return []
        vocabulary = self._of(db)
        if not vocabulary.languages:
            return []
        compounds = _compounds_with(db, term, vocabulary)
        return compounds if term in vocabulary.words else [*compounds, *_split(term, vocabulary)]

    def _of(self, db: sqlite3.Connection) -> _Vocabulary:
        state = vocabulary_state(db)
        vocabulary = self._vocabulary
        if vocabulary is None or vocabulary.state != state:
            vocabulary = self._vocabulary = _read_vocabulary(db, state)
        return vocabulary


def _compounds_with(db: sqlite3.Connection, term: str, vocabulary: _Vocabulary) -> list[str]:
    """Return the words of the vocabulary that begin or end with a term, and go on with a word."""
    compounds: list[str] = []
    pattern = rf"\n(?:{term}(\w+)|(\w+){term[:-_ENDING]}\w{{0,{_ENDING}}})\n"
    for match in re.finditer(pattern, vocabulary.lines):
        compound = match[0].strip()
        rest_first = match[2] is not None
        if rest_first and terms(match[2] + term) != [compound]:
            continue
        rest = match[2] if rest_first else match[1]
        if _is_word(rest, vocabulary.words, first=rest_first) and _mostly_in(db, compound, vocabulary.languages):
            compounds.append(compound)
            if len(compounds) == MOST:
                break
    return compounds


def _is_word(rest: str, words: frozenset[str], *, first: bool) -> bool:
    """Say whether what is left of a compound can be a word, but for a linking element.

    `first` says that it is the first part of the compound; otherwise it is the last.
    """
    if rest in _AFFIXES:
        return False
    candidates = {rest}
    for element in _LINKING_ELEMENTS:
        candidates.add(rest.removesuffix(element) if first else rest.removeprefix(element))
    return any(
        len(word) >= _SHORTEST_REST and word not in _AFFIXES and (len(word) >= _SURE_REST or word in words)
        for word in candidates
    )


def _split(term: str, vocabulary: _Vocabulary) -> Iterator[str]:
    """Yield the ways to cut a term into two words of the archive, each written as the index has it."""
    for length in range(_SHORTEST_PART, len(term) - _SHORTEST_PART + 1):
        start, end = term[:length], term[length:]
        first = terms(start)[0]
        if first not in vocabulary.words or first in _AFFIXES:
            continue
        for match in re.finditer(rf"\n({end}\w{{0,{_ENDING}}})\n", vocabulary.lines):
            if match[1] not in _AFFIXES and terms(start + match[1]) == [term]:
                yield f"{first} {match[1]}"


def _mostly_in(db: sqlite3.Connection, term: str, languages: frozenset[str]) -> bool:
    """Say whether most passages that themselves hold a term, of the first few, are of talks in some languages."""
    if stands_for_store(db):
        counts = languages_saying(db, term)
        return 2 * sum(counts.get(language, 0) for language in languages) > sum(counts.values())
    rows = db.execute(
        "SELECT talks.language FROM words JOIN passages ON passages.number = words.rowid"
        " JOIN talks ON talks.number = passages.talk WHERE words MATCH ? LIMIT ?",
        (f'terms : "{term}"', _SAMPLED_PASSAGES),
    ).fetchall()
    return 2 * sum(language in languages for (language,) in rows) > len(rows)


def _read_vocabulary(db: sqlite3.Connection, state: tuple[object, ...]) -> _Vocabulary:
    if stands_for_store(db):
        tags = db.execute("SELECT DISTINCT language FROM whole.terms").fetchall()
    else:
        tags = db.execute("SELECT DISTINCT language FROM talks WHERE language IS NOT NULL").fetchall()
    languages = frozenset(tag for (tag,) in tags if re.split("[-_]", tag.lower())[0] in LANGUAGES)
    if not languages:
        return _Vocabulary(state, languages, "", frozenset())
    open_vocabulary(db)
    rows = db.execute("SELECT term FROM vocabulary WHERE term GLOB '[a-z]*' ORDER BY doc DESC, term").fetchall()
    words = [term for (term,) in rows if len(term) >= _SHORTEST_REST and term.isascii() and term.isalpha()]
    return _Vocabulary(state, languages, "\n\n".join(["", *words, ""]), frozenset(words))
