"""Spellings: the other ways in which people write a word of the query, where the index has one of them.

"Groesse" is "Größe", "nodejs" is "Node.js", "GPT4" is "GPT-4" and "1000000" is "1,000,000". Each way is looked up in
the index, so that a query costs next to nothing more and finds nothing that nobody wrote. What a talk writes with a
hyphen or a point is known from the index too (`passages.joined_words`).
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from talksearch.indexer.passages.joined_words import LITTLE_WORDS
from talksearch.indexer.text.elision import APOSTROPHES
from talksearch.indexer.text.letters import unaccented
from talksearch.indexer.text.terms import Term, is_unspaced, spans, terms

from .inflections import forms_of
from .vocabulary import is_said, said_among, texts_holding

_SAMPLED = 20
"""How many passages are looked at to tell whether a word is written with an umlaut there."""

_LETTERS_AND_FIGURES = re.compile(r"\d+|[^\W\d_]+")
_UMLAUTS = {"ae": "äæ", "oe": "öøœ", "ue": "ü", "aa": "å"}
"""How people write these letters who have no key for them."""
_WRITTEN_OUT = re.compile(r"ae|oe|aa|(?<![aeq])ue")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_ACRONYM = re.compile("[A-Z]{2,5}")
_ELIDED = re.compile("(?:qu|[ldjmnsc])(?=[aeiouh]..)")
_HANGUL = re.compile("[\uac00-\ud7a3]+")
_GROUPED = re.compile(r"\d{1,3}(?:[,.'’ \u00a0\u202f]\d{2,3})*[,.'’ \u00a0\u202f]\d{3}")
"""A number whose figures stand in groups."""
_JOINING = re.compile(r"[-‐‑–.,&/_'’\u200c]")
"""What may stand between parts of one word."""
_SHORTEST_WITH_UMLAUT = 4
"""Letters of the shortest word that may stand for one with an umlaut."""
_SHORTEST = 5
"""Letters of the shortest word that is taken apart where nobody says it."""
_LONGEST = 64
"""Letters or figures of the longest word that is looked for in other spellings. There are few longer ones that people
write, and all the places to cut a word cost the square of its length."""
_SHORTEST_NOUN = 2
"""Syllables that either part of a Korean word has that is taken apart where nobody says it."""
_CALLED = {
    "cplusplus": ("c plus plus", "cpp"),
    "csharp": ("c sharp",),
    "fsharp": ("f sharp",),
    "dotnet": ("dot net",),
    "cpp": ("cplusplus",),
}
"""What people say and write for names with signs (`text.terms`)."""


def spellings_of(db: sqlite3.Connection, term: str, word: str) -> list[str]:
    """Return the other ways in which a word may stand in the index, as terms or as terms in a row.

    Args:
        db: the catalog.
        term: a term of the query.
        word: the word of the query that it is the term of.
    """
    if len(word) > _LONGEST:
        return []
    others = [*_CALLED.get(term, ()), *forms_of(db, term)]
    plain = unaccented(word)
    if _ACRONYM.fullmatch(word):
        others += _if_said(db, " ".join(plain))
    if plain.isdigit() and len(plain) > 3 and not plain.startswith("0"):
        others += _if_said(db, f"{int(plain):,}".replace(",", " "))
    parts = _LETTERS_AND_FIGURES.findall(plain)
    if 2 <= len(parts) <= 3 and "".join(parts) == plain:
        others += _if_said(db, " ".join(terms(" ".join(parts))))
    if plain.isalpha() and plain.isascii():
        others += _umlauts(db, word, plain) if len(plain) >= _SHORTEST_WITH_UMLAUT else []
        if len(plain) >= _SHORTEST and not is_said(db, term):
            others += _apart(db, plain)
    elif _HANGUL.fullmatch(word) and len(word) >= 2 * _SHORTEST_NOUN and not is_said(db, term):
        cuts = range(_SHORTEST_NOUN, len(word) - _SHORTEST_NOUN + 1)
        phrases = ((word[:cut], form) for cut in cuts for form in (word[cut:], *forms_of(db, word[cut:])))
        others += [phrase for phrase in map(" ".join, phrases) if is_said(db, phrase)]
    return others


def joined_spellings(db: sqlite3.Connection, text: str, words: Sequence[Term]) -> Iterator[tuple[list[str], str]]:
    """Yield words of a query that passages write as one: (their terms, the term of the joined word).

    Words that stand apart count where nobody says them in a row: "node js" is "nodejs" then. What a hyphen or a point
    joins counts always.

    Args:
        db: the catalog.
        text: the query.
        words: its terms with their places.
    """
    in_a_row = f" {' '.join([word.text for word in words])} "
    for name, called in _CALLED.items():
        if f" {called[0]} " in in_a_row and is_said(db, name):
            yield called[0].split(), name
    run: list[Term] = []
    for word, following in pairwise([*words, None]):
        assert word is not None
        run.append(word)
        between_them = text[word.end : following.start] if following else " "
        if following and (_JOINING.fullmatch(between_them) or _GROUPED.fullmatch(text[run[0].start : following.end])):
            continue
        if len(run) > 1 or text[run[0].start - 1 : run[0].start] in tuple(APOSTROPHES):
            yield from _joined(db, text, run)
        run = []
    candidates: dict[str, list[str]] = {}
    for first, second in pairwise(words):
        is_apart = text[first.end : second.start] == " "
        if is_apart and not (is_unspaced(first.text[0]) or is_unspaced(second.text[0])):
            joined = _joined_term(text, first.start, second.end)
            if joined:
                candidates[joined] = [first.text, second.text]
    # Korean is written with blanks between nouns and without; its particles stand behind the last one.
    for joined in [name for name in candidates if _HANGUL.fullmatch(name)]:
        for form in () if is_said(db, " ".join(candidates[joined])) else forms_of(db, joined):
            yield candidates[joined], form
    for joined in said_among(db, candidates) if candidates else ():
        if not is_said(db, " ".join(candidates[joined])):
            yield candidates[joined], joined


def _joined(db: sqlite3.Connection, text: str, run: Sequence[Term]) -> Iterator[tuple[list[str], str]]:
    """Yield the word that a run of words is, which signs join, where it is said."""
    start = run[0].start
    while start and not text[start - 1].isspace():  # what a term has lost: "l'"
        start -= 1
    joined = _joined_term(text, start, run[-1].end)
    is_number = all(word.text.isdigit() for word in run)
    if joined and (not is_number or _GROUPED.fullmatch(text[start : run[-1].end])) and is_said(db, joined):
        yield [word.text for word in run], joined


def _joined_term(text: str, start: int, end: int) -> str | None:
    """Return the term of a piece of text without what stands between its words; None where that is no good word."""
    joined = terms("".join(character for character in text[start:end] if character.isalnum()))
    return joined[0] if len(joined) == 1 and len(joined[0]) > 1 and joined[0] not in LITTLE_WORDS else None


def _if_said(db: sqlite3.Connection, phrase: str) -> list[str]:
    return [phrase] if phrase and is_said(db, phrase) else []


def _umlauts(db: sqlite3.Connection, word: str, plain: str) -> list[str]:
    """Return a word with the umlauts that its letters may stand for, and one with umlauts in plain letters.

    That letters stand for an umlaut is seen in the passages: "poet" is no "pot", where nobody writes "pöt".
    """
    spelled = unaccented(word.casefold().translate(_SPELLED))
    others = said_among(db, terms(spelled)) if spelled != plain else []
    places = list(_WRITTEN_OUT.finditer(plain))
    if not places or len(places) > 3:
        return others
    for chosen in product(*((match[0], *_UMLAUTS[match[0]]) for match in places)):
        pieces, done = [], 0
        for match, letters in zip(places, chosen, strict=True):
            pieces += [plain[done : match.start()], letters]
            done = match.end()
        accented = "".join([*pieces, plain[done:]])
        term = "".join(terms(accented))
        if accented == plain or unaccented(accented) == plain or not is_said(db, term):
            continue
        if any(_writes(text, term, accented) for text in texts_holding(db, term, _SAMPLED)):
            others.append(term)
    return others


def _writes(text: str, term: str, accented: str) -> bool:
    """Say whether a text writes a term with the accents of a word, whatever its ending."""
    for span in spans(text):
        if span.text == term:
            # Each accent as one character with its letter, and "ss" for "ß".
            written = unicodedata.normalize("NFC", text[span.start : span.end]).casefold()
            if written.startswith(accented[:-1]):
                return True
    return False


def _apart(db: sqlite3.Connection, plain: str) -> list[str]:
    """Return a word that nobody says as two words in a row, or without an article that may be written onto it."""
    stop_terms = {term for (term,) in db.execute("SELECT term FROM common")}
    cuts = [(plain[:cut], plain[cut:]) for cut in range(1, len(plain))]
    term_of = {part: "".join(terms(part)) for pair in cuts for part in pair}
    said = set(said_among(db, term_of.values())) - stop_terms
    phrases = [
        f"{term_of[first]} {term_of[second]}"
        for first, second in cuts
        if len(second) > 1 and {term_of[first], term_of[second]} <= said
    ]
    others = [phrase for phrase in phrases if is_said(db, phrase)]
    elided = _ELIDED.match(plain)
    if elided:
        others += said_among(db, [term_of[plain[elided.end() :]]])
    return others
