"""What topics are called: words, or two together, that their talks say, and that hardly anybody else says.

A word tells a topic where most of its talks say it, far more often than the other talks do, and than people do in
general, which wordfreq knows of many languages; so no list of stop words is needed. A word of content comes where its
matter is spoken of, and then several times; a filler ("cuz") comes anywhere, and so do names that people call each
other by (Church and Gale, "Poisson mixtures", 1995). A word counts by its term, and is written as it mostly is
(`text.terms`).
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import is_unspaced, marks, terms
from talksearch.indexer.text.word_frequencies import word_frequency

_WORDS = 3
"""How many words, or pairs of words, a label has."""

_PASSAGES = 40
"""Passages of each talk that are read, spread over its length."""

_FEWEST_PASSAGES = 10
"""Passages of a talk from which on it shows whether a word comes anywhere or in some places."""

_TITLE = 2
"""How often a word counts more that stands in the title and is said more than once; others are the name of a series."""

_SHORTEST = 3
"""Letters of a word in a label; two in scripts without spaces, where a term has no more."""

_COMMON, _COMMON_IN_PAIR = 10 ** (4.9 - 9), 10 ** (5.6 - 9)
"""Words that people use more often than this are in no label: "time", "people", "system". Next to a rarer one they may
be more common: "fee rate". They are 4.9 and 5.6 on wordfreq's Zipf scale."""

_LEAST = 1e-5
"""A rate that is lower than this is taken for it: once in a hundred thousand words."""

_SCATTERED, _CLUSTERED = 0.98, 0.92
"""In how many passages a word is, as a share of those where chance would put it: a filler, and a word of content."""

_PAIR = 0.25
"""The share of the times a word is said that it must be next to another one for the two to stand for it."""

_TOGETHER = 0.13
"""How often two words must be said together for a pair: the square of that, as a share of the product of how often each
is said."""

_SAME_BEGINNING = 6
"""Words that share so many letters at their beginning tell the same: "transcribers" and "transcription"."""

_SOUND = re.compile("[b-df-hj-np-tv-z]+|h?[aeiou]*h+|[aeiou]*m+", re.IGNORECASE)
"""What has no vowel in Latin script is a sound ("hmm", "pfff") or an abbreviation; so are "uhh", "huh" and "umm"."""

_TALK = "SELECT title, language FROM talks WHERE id = ?"
_PASSAGES_OF = (
    "SELECT p.number, p.speakers FROM passages p JOIN talks t ON t.number = p.talk"
    " WHERE t.id = ? AND p.field = 'speech' ORDER BY p.number"
)
_TEXTS = "SELECT text FROM passages WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number"


class _Word(NamedTuple):
    """A word of a text that may be in a label."""

    term: str
    form: str
    usual: float
    """How often people say it in general, as a share of all words."""


@dataclass(slots=True)
class _Topic:
    """What the talks of a topic say: how often each term, or two that are said together, joined by a space."""

    size: int = 0
    """How many talks it has."""
    rates: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """The sum of its shares of the words of each talk."""
    talks: Counter[str] = field(default_factory=Counter)
    """How many talks say it."""
    passages: Counter[str] = field(default_factory=Counter)
    """How many of their passages do."""
    by_chance: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """How many would, were it said anywhere."""


@dataclass(frozen=True, slots=True)
class _Archive:
    """What is known of terms, whichever talk says them."""

    written: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """How often each is written in which way."""
    usual: dict[str, float] = field(default_factory=dict)
    """How often people say it in general."""


def topic_labels(
    db: sqlite3.Connection, talk_ids: Sequence[str], topics: Ints, count: int
) -> tuple[tuple[str, ...], ...]:
    """Return the words that tell each of some topics from the others, the most telling first; fewer where few do.

    Args:
        db: The catalog.
        talk_ids: The talks.
        topics: The topic of each, counted from 0 (talks,).
        count: How many topics there are.
    """
    archive = _Archive()
    found = [_Topic() for _ in range(count)]
    for talk_id, topic in zip(talk_ids, topics.tolist(), strict=True):
        _add_talk(db, talk_id, found[topic], archive)
    return tuple(_label(one, [other for other in found if other is not one], archive) for one in found)


def _add_talk(db: sqlite3.Connection, talk_id: str, topic: _Topic, archive: _Archive) -> None:
    """Add what a sample of a talk says to its topic, and how that is written to what is known of the archive."""
    title, language = db.execute(_TALK, (talk_id,)).fetchone()
    rows = db.execute(_PASSAGES_OF, (talk_id,)).fetchall()
    speakers = {name for names in {names for _, names in rows} for name in json.loads(names)}
    names = frozenset(terms(" ".join(speakers)))
    sample = json.dumps([number for number, _ in rows[:: -(-len(rows) // _PASSAGES) or 1]])
    texts = [text.split() for (text,) in db.execute(_TEXTS, (sample,))]
    spoken = (language or "").split("-")[0].lower()
    known = {written: _words_in(written, spoken) for written in set(chain.from_iterable(texts))}
    written: Counter[_Word] = Counter()
    passages: Counter[str] = Counter()
    for text in texts:
        said = _said(chain.from_iterable(map(known.__getitem__, text)), names)
        written.update(said)
        passages.update({word.term for word in said})
    counts: Counter[str] = Counter()
    for word, count in written.items():
        counts[word.term] += count
        archive.written[word.term][word.form] += count
        archive.usual[word.term] = max(word.usual, archive.usual.get(word.term, 0.0))
    in_title = set(terms(title))
    total = sum(map(len, texts))
    topic.size += 1
    for term, count in counts.items():
        if count > 1:
            topic.rates[term] += (count + _TITLE * (term in in_title)) / total
            topic.talks[term] += 1
            if len(texts) >= _FEWEST_PASSAGES:
                topic.passages[term] += passages[term]
                topic.by_chance[term] += len(texts) * (1 - (1 - 1 / len(texts)) ** count)


@lru_cache(maxsize=100_000)
def _words_in(written: str, language: str) -> Sequence[_Word | None]:
    """Return the words between two spaces; None for each that can be in no label, and for what parts words."""
    words: list[_Word | None] = []
    end_before = 0
    for term, start, end in marks(written):
        form = written[start:end]
        usual = max(_usual(form.casefold(), language), _usual(term, language))
        if is_unspaced(term[0]):
            may_tell = len(term) > 1 and usual > 0  # else it is two signs that are no word
        else:
            may_tell = len(form) >= _SHORTEST and form.isalpha() and not _SOUND.fullmatch(form)
        if start > end_before:
            words.append(None)
        words.append(_Word(term, form, usual) if may_tell and usual < _COMMON_IN_PAIR else None)
        end_before = end
    return words if end_before == len(written) else [*words, None]


def _said(words: Iterable[_Word | None], names: Collection[str]) -> list[_Word]:
    """Return the words of a passage but the names of its speakers, and each two together of which one may tell."""
    said: list[_Word] = []
    before: _Word | None = None
    for word in words:
        if word is not None and word.term in names and not word.form.islower():
            word = None
        if word is not None:
            said.append(word)
            if before is not None and (word.usual < _COMMON or before.usual < _COMMON) and word.term != before.term:
                said.append(_together(before, word))
        before = None if word is None or is_unspaced(word.term[0]) else word
    return said


@lru_cache(maxsize=100_000)
def _together(first: _Word, second: _Word) -> _Word:
    usual = min(first.usual, second.usual)
    return _Word(f"{first.term} {second.term}", f"{first.form} {second.form}", usual)


def _label(topic: _Topic, others: Sequence[_Topic], archive: _Archive) -> tuple[str, ...]:
    """Return the words of a topic that tell it from others, the most telling first, as they are mostly written."""
    size, rates = topic.size, topic.rates

    def weight(term: str) -> float:
        own = max(rates[term] / size, _LEAST)
        elsewhere = max((other.rates.get(term, 0.0) / other.size for other in others), default=0.0)
        surprise = math.log(own / max(archive.usual[term], elsewhere, _LEAST))
        return (topic.talks[term] / size) ** 2 * math.sqrt(own) * surprise * _clustering(topic, term)

    def belongs_together(first: str, second: str) -> bool:
        return rates[f"{first} {second}"] ** 2 >= _TOGETHER * rates[first] * rates[second]

    may_tell = [term for term in rates if archive.usual[term] < _COMMON]
    weights = {term: weight(term) for term in may_tell if " " not in term or belongs_together(*term.split(" "))}
    ranked = sorted(weights, key=lambda term: (-weights[term], term))
    pairs = [term.split(" ") for term in ranked if " " in term and weights[term] > 0]
    told: list[str] = []
    for ranked_term in ranked:
        within = (" ".join(pair) for pair in pairs if ranked_term in pair)
        term = next((pair for pair in within if rates[pair] >= _PAIR * rates[ranked_term]), ranked_term)
        told_words = " ".join(told).split()
        if not any(_tell_the_same(one, other) for one in term.split(" ") for other in told_words):
            told.append(term)
        if len(told) == _WORDS:
            break
    return tuple(min(archive.written[term].items(), key=lambda one: (-one[1], one[0]))[0] for term in told)


def _clustering(topic: _Topic, term: str) -> float:
    """Return 1 for a term that comes where its matter is spoken of, 0 for one that comes anywhere."""
    if not topic.by_chance[term]:
        return 1.0
    return min(1.0, max(0.0, (_SCATTERED - topic.passages[term] / topic.by_chance[term]) / (_SCATTERED - _CLUSTERED)))


def _tell_the_same(one: str, other: str) -> bool:
    return one in other or other in one or one[:_SAME_BEGINNING] == other[:_SAME_BEGINNING]


def _usual(word: str, language: str) -> float:
    """Return how often people say a word: its share of all words; 0 in languages that wordfreq does not know."""
    return word_frequency(word, language)
