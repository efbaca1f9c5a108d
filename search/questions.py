"""Questions worth asking: what an archive's own titles and chapters name, and its talks surely speak of.

Whoever opens an archive for the first time does not know what to ask. The best that can be offered stands in it: the
title of a talk or of a chapter, where it reads like a topic or a question, and words of it are said together.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from talksearch.indexer.stores.seals import holds_sql
from talksearch.indexer.text.letters import folded
from talksearch.indexer.text.terms import has_unspaced, terms

from .overview import Question
from .ranking.encoded_query import EncodedQuery, query_postings
from .ranking.passage_table import PassageTable
from .results.grade import STRONG, evidence_table, grades, log_odds, term_evidence

QUESTIONS = 3
"""How many questions are offered."""

_MOST_TEXTS = 3_000
"""How many titles and chapters are looked at; of more, as many at even distances."""

_MOST_TRIED = 40
"""How many of the best by their form are looked for in the talks."""

_WORDS = range(3, 10)
"""How many words a question may have."""

_CHARACTERS = range(14, 71)
"""How many characters a question may have."""

_UNSPACED_CHARACTERS = range(5, 26)
"""The same in scripts without spaces."""

_TELLING_IDF = 3.0
"""From this idf on, a term tells something: about one passage in twenty holds it."""

_FEWEST_TELLING = 2
"""How many terms of a question must tell something."""

_OFTEN = 3
"""A part of a title that stands in so many is the name of a series."""

_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|（[^（）]*）|［[^［］]*］|#\w+")
_PARTING = re.compile(r"\s*[|｜•·]\s*|\s+[-–—]+\s+|\s*[:：]\s+|\s*：\s*|\s*//\s*")
"""What stands between the parts of a title."""

_ASKING = re.compile(
    r"(?:why|how|what|when|where|who|which|is|are|can|do|does|should|warum|wieso|wie|was|wann|wo|wer|welche[rs]?|"
    r"pourquoi|comment|quand|qui|que|quel(?:le)?s?|por qu[eé]|c[oó]mo|qu[eé]|cu[aá]ndo|d[oó]nde|qui[eé]n|perch[eé]|"
    r"come|cosa|quando|como|porque|onde|quem|waarom|hoe|wat|varför|hur|vad|hvorfor|hvordan|hva|dlaczego|jak|co|"
    r"почему|как|что|зачем|когда|где|кто)\b",
    re.IGNORECASE,
)
"""How questions begin."""

_EDGES = " \t.,;:!-–—_/\\|\"'“”„«»「」『』*~"


class _Written(NamedTuple):
    """What may be a question."""

    text: str
    talk: int
    """The talk's number in the catalog."""
    talk_id: str
    start_ms: int
    form: float
    """How much it reads like one."""


class _TalkRow(NamedTuple):
    number: int
    id: str
    title: str
    chapters: str
    """JSON: [milliseconds, title] of each."""


def questions(table: PassageTable, language: str | None) -> tuple[Question, ...]:
    """Return questions worth asking, each from another talk, the same ones for the same archive.

    Every word of them stands in a title or a chapter, and a passage of that talk says so much of it that a search by
    words calls it a strong match. There are fewer, or none, where titles name no topics.

    Args:
        table: The passages of the index.
        language: The language that the questions are in; None for talks of unknown language.
    """
    db = table.db
    rows = [
        _TalkRow._make(row)
        for row in db.execute(
            f"SELECT number, id, title, chapters FROM talks t WHERE language IS ? AND {holds_sql('talks', 't')}"  # noqa: S608
            " ORDER BY id",
            (language,),
        )
    ]
    chosen: list[Question] = []
    talks: set[int] = set()
    used: set[str] = set()
    # Those that read most like questions come first; among equals an arbitrary order that is always the same.
    best = sorted(_readable(rows, _names(db)), key=lambda one: (-one.form, blake2b(one.text.encode()).digest()))
    for written in best[:_MOST_TRIED]:
        telling = _telling(table, written.text)
        if written.talk in talks or used & set(telling) or len(telling) < _FEWEST_TELLING:
            continue
        if _is_said(table, written, telling):
            chosen.append(Question(written.text, written.talk_id, written.start_ms))
            talks.add(written.talk)
            used |= set(telling)
            if len(chosen) == QUESTIONS:
                break
    return tuple(chosen)


def _names(db: sqlite3.Connection) -> set[str]:
    """Return the names of channels and of who gives talks, folded: a part of a title that is one is no topic."""
    rows = db.execute("SELECT channel FROM talks WHERE channel IS NOT NULL UNION SELECT speaker FROM talks")
    return {folded(name) for (name,) in rows if name}


def _readable(rows: Sequence[_TalkRow], names: Collection[str]) -> Iterator[_Written]:
    """Yield the parts of titles and chapters that read like a topic or a question."""
    parts = [
        (row, start_ms, part)
        for row in rows
        for start_ms, text in [(-1, row.title), *json.loads(row.chapters)]
        for part in _parts(text)
    ]
    parts = parts[:: 1 + len(parts) // _MOST_TEXTS]
    often = Counter(folded(part) for _, _, part in parts)
    for row, start_ms, part in parts:
        small = folded(part)
        if often[small] >= _OFTEN or small in names or not _has_the_length(part) or _has_figures(part):
            continue
        yield _Written(part, row.number, row.id, max(0, start_ms), _form(part, is_chapter=start_ms >= 0))


def _parts(title: str) -> list[str]:
    """Return the parts of a title, without what stands in brackets and without signs that are no letters.

    >>> _parts("🎙 The Dawn Desk, episode 31: Why Wrens Have Accents (live) | Radio")
    ['The Dawn Desk, episode 31', 'Why Wrens Have Accents', 'Radio']
    """
    plain = _BRACKETED.sub(" ", title)
    if not plain.isascii():
        plain = "".join(" " if unicodedata.category(sign) in ("So", "Sk", "Cf", "Co", "Cn") else sign for sign in plain)
    parts = (part.strip(_EDGES) for part in _PARTING.split(" ".join(plain.split())))
    return [" ".join(part.split()) for part in parts if part]


def _has_the_length(text: str) -> bool:
    if has_unspaced(text):
        return len(text) in _UNSPACED_CHARACTERS
    return len(text) in _CHARACTERS and len(text.split()) in _WORDS


def _has_figures(text: str) -> bool:
    """Say whether a text has a number: of an episode, a part, a year, a version."""
    return any(any(sign.isdigit() for sign in word) for word in text.split())


def _form(text: str, *, is_chapter: bool) -> float:
    """Return how much a text reads like a question: one that asks most, one in capitals least.

    A title that begins with a small letter is mostly the name of a file.
    """
    asks = 2.0 if text.endswith(("?", "？")) or _ASKING.match(text) else 0.0
    words = text.split()
    of_one_case = text.upper() == text and text.lower() != text
    plain_words = sum(word[:1].islower() for word in words) / max(1, len(words))  # names have none
    from_a_file = text[:1].islower()
    return asks + 0.5 * is_chapter + plain_words - 2.0 * of_one_case - 0.75 * from_a_file


def _telling(table: PassageTable, text: str) -> list[str]:
    """Return the terms of a text that tell something."""
    weights = table.term_weights(dict.fromkeys(terms(text)))
    return [term for term, weight in weights.items() if weight >= _TELLING_IDF]


def _is_said(table: PassageTable, written: _Written, telling: Iterable[str]) -> bool:
    """Say whether a passage of the talk of a text says so much of it that it is a strong match by its words."""
    spoken = ~table.layout.notes
    held = (table.in_talk(table.postings(term), written.talk) for term in telling)
    places = np.unique(np.concatenate([own[spoken[own]] for own in held]))
    if not len(places):
        return False
    wanted = tuple(dict.fromkeys(terms(written.text)))
    evidence = term_evidence(query_postings(table, EncodedQuery(wanted)))
    unknown = np.full(len(places), np.nan)
    found = evidence_table(table.layout, np.column_stack([places, places]), evidence, unknown, None)
    return max(grade.probability for grade in grades(log_odds(found))) >= STRONG
