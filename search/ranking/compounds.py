"""Words that are written together: what a query's word is part of, in languages that write compounds as one word."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.stores import catalog
from talksearch.indexer.text.terms import terms

LANGUAGES = frozenset(["de", "gsw", "lb", "nl", "af", "fy", "sv", "da", "nb", "nn", "no", "is", "fo", "fi", "et"])
"""Languages, without their country, that write compounds as one word."""

MOST = 24
"""How many compounds of one word are looked for: those in the most passages."""

_SHORTEST = 5
_SHORTEST_REST = 3
_SURE_REST = 5
"""What is left of a compound must be a word of the archive, or this long: "Signatur" is no compound of "Natur"."""

_SHORTEST_PART = 4
"""How long both parts of a word must be that is taken apart."""

_ENDING = 3
"""How many letters the stemmer may take off a compound and leave on its last part alone: "quantenrechn", "rechner"."""

_JOINTS = ("s", "es", "n", "en", "e", "er")
_AFFIXES = frozenset(
    re.findall(
        r"\w+",
        """ver zer ent emp miss unter uber ober her hin auf aus ein vor nach bei mit durch wider wieder schaft schaften
        heit heiten keit keiten ung ungen lich liche lichen isch ische ischen bar sam haft inn innen chen lein ling tum
        het heden baar loos lijk ning""",
    )
)
"""What makes a derived word and not a compound, unaccented."""

_SAMPLE = 20


def compounds_of(db: sqlite3.Connection, term: str) -> list[str]:
    """Return the compounds of the index that a term is the first or the last part of, the most frequent first.

    A term that nobody says and that is itself a compound gives its two parts in a row, as captions often write them.
    Returns nothing where no talk is in one of `LANGUAGES`; that question is asked once for each state of the index.

    The source of the joints: the linking elements of German, Dutch and the Scandinavian languages.
    """
    if len(term) < _SHORTEST or not term.isalpha() or not term.isascii():
        return []
    kept = _vocabulary(db)
    if not kept.languages:
        return []
    found = []
    for match in re.finditer(rf"\n(?:{term}(\w+)|(\w+){term[:-_ENDING]}\w{{0,{_ENDING}}})\n", kept.lines):
        other = match[0].strip()
        first = match[2] is not None
        if first and terms(match[2] + term) != [other]:
            continue
        if _is_word(match[2] if first else match[1], kept.known, first=first) and _mostly_in(db, other, kept.languages):
            found.append(other)
            if len(found) == MOST:
                break
    return found if term in kept.known else [*found, *_apart(term, kept)]


def _is_word(rest: str, known: frozenset[str], *, first: bool) -> bool:
    """Say whether what is left of a compound, its first part or its last, can be a word, but for a joint."""
    if rest in _AFFIXES:
        return False
    words = {rest}
    for joint in _JOINTS:
        if first:
            words.add(rest.removesuffix(joint))
        else:
            words.add(rest.removeprefix(joint))
    return any(
        len(word) >= _SHORTEST_REST and word not in _AFFIXES and (len(word) >= _SURE_REST or word in known)
        for word in words
    )


def _apart(term: str, kept: _Vocabulary) -> Iterator[str]:
    """Yield the ways to cut a term into two words of the archive, each written as the index has it."""
    for at in range(_SHORTEST_PART, len(term) - _SHORTEST_PART + 1):
        left = terms(term[:at])
        if left[0] not in kept.known or left[0] in _AFFIXES:
            continue
        for match in re.finditer(rf"\n({term[at:]}\w{{0,{_ENDING}}})\n", kept.lines):
            if match[1] not in _AFFIXES and terms(term[:at] + match[1]) == [term]:
                yield f"{left[0]} {match[1]}"


def _mostly_in(db: sqlite3.Connection, term: str, languages: frozenset[str]) -> bool:
    """Say whether most passages that hold a term, of the first few, are of talks in some languages."""
    rows = db.execute(
        "SELECT talks.language FROM words JOIN passages ON passages.number = words.rowid"
        " JOIN talks ON talks.number = passages.talk WHERE words MATCH ? LIMIT ?",
        (f'"{term}"', _SAMPLE),
    ).fetchall()
    return 2 * sum(language in languages for (language,) in rows) > len(rows)


# ------------------------------------------------------------------------------- what one state of an index answers


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What is kept of the last state of an index that was seen."""

    state: tuple[object, ...]
    languages: frozenset[str]
    """The language tags of its talks that name one of `LANGUAGES`."""
    lines: str
    """Its terms, the most frequent first, each between two line ends; empty where no such talk is."""
    known: frozenset[str]


_kept: dict[str, _Vocabulary] = {}


def _vocabulary(db: sqlite3.Connection) -> _Vocabulary:
    path = str(db.execute("PRAGMA database_list").fetchone()[2])
    state = (Path(path).stat().st_ino if path else id(db), *catalog.version(db))
    kept = _kept.get(path)
    if kept is None or kept.state != state:
        kept = _kept[path] = _read(db, state)
    return kept


def _read(db: sqlite3.Connection, state: tuple[object, ...]) -> _Vocabulary:
    tags = db.execute("SELECT DISTINCT language FROM talks WHERE language IS NOT NULL").fetchall()
    languages = frozenset(tag for (tag,) in tags if re.split("[-_]", tag.lower())[0] in LANGUAGES)
    if not languages:
        return _Vocabulary(state, languages, "", frozenset())
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)")
    rows = db.execute("SELECT term FROM vocabulary WHERE term GLOB '[a-z]*' ORDER BY doc DESC, term").fetchall()
    found = [term for (term,) in rows if len(term) >= _SHORTEST_REST and term.isascii() and term.isalpha()]
    return _Vocabulary(state, languages, "\n\n".join(["", *found, ""]), frozenset(found))
