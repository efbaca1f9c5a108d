"""What topics are called: words that their talks say, and that hardly anybody else says.

A word tells a topic where its talks say it far more often than the other talks do, and than people do in general, which
wordfreq knows of many languages; so no list of stop words is needed. It counts by its term, and is written as it mostly
is (`text.terms`).
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import wordfreq

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import is_unspaced, marks

_WORDS = 3
"""How many words a label has."""

_PASSAGES = 40
"""Passages of each talk that are read, spread over its length."""

_TITLE = 2
"""How often a word counts more that stands in the title and is said."""

_SHORTEST = 3
"""Letters of a word in a label; two in scripts without spaces, where a term has no more."""

_COMMON = 4.9
"""Words that people use more often than this, on wordfreq's Zipf scale, are in no label: "time", "people", "system"."""

_LEAST = 1e-5
"""A rate that is lower than this is taken for it: once in a hundred thousand words."""

_SOUND = re.compile("[b-df-hj-np-tv-z]+|[aeiou]*(?:h+|m+)", re.IGNORECASE)
"""What has no vowel in Latin script is a sound ("hmm", "pfff") or an abbreviation, and so are "uhh" and "umm"."""

_TALK = "SELECT title, language FROM talks WHERE id = ?"
_NUMBERS = (
    "SELECT p.number FROM passages p JOIN talks t ON t.number = p.talk"
    " WHERE t.id = ? AND p.field = 'speech' ORDER BY p.number"
)
_TEXTS = "SELECT text FROM passages WHERE number IN (SELECT value FROM json_each(?))"

_Written = defaultdict[str, Counter[str]]
"""How often each term is written in which way."""


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
    written: _Written = defaultdict(Counter)
    usual: dict[str, float] = {}
    """How often people say each term in general, as a share of all words."""
    rates: list[defaultdict[str, float]] = [defaultdict(float) for _ in range(count)]
    """How often the talks of each topic say a term: the sum of its shares of their words."""
    talks_with: list[Counter[str]] = [Counter() for _ in range(count)]
    for talk_id, topic in zip(talk_ids, topics.tolist(), strict=True):
        words, language = _words_of(db, talk_id)
        for term, (rate, in_general) in _rates(words, language, written).items():
            rates[topic][term] += rate
            talks_with[topic][term] += 1
            usual[term] = max(in_general, usual.get(term, 0.0))
    sizes = np.bincount(topics, minlength=count).tolist()
    means = [{term: rate / size for term, rate in own.items()} for own, size in zip(rates, sizes, strict=True)]
    return tuple(
        _told(_most_telling(means, topic, usual, talks_with[topic], sizes[topic]), written) for topic in range(count)
    )


def _most_telling(
    means: Sequence[Mapping[str, float]], topic: int, usual: Mapping[str, float], talks_with: Counter[str], talks: int
) -> list[str]:
    """Return the terms of a topic, the most telling first.

    Args:
        means: How often a talk of each topic says a term.
        topic: The topic.
        usual: How often people say it in general.
        talks_with: How many talks of the topic say it.
        talks: How many it has.
    """
    others = [mean for other, mean in enumerate(means) if other != topic]

    def weight(term: str) -> float:
        own = max(means[topic][term], _LEAST)
        elsewhere = max((mean.get(term, 0.0) for mean in others), default=0.0)
        surprise = math.log(own / max(usual[term], elsewhere, _LEAST))
        return (talks_with[term] / talks) ** 2 * math.sqrt(own) * surprise

    weights = {term: weight(term) for term in means[topic]}
    return sorted(weights, key=lambda term: (-weights[term], term))


def _words_of(db: sqlite3.Connection, talk_id: str) -> tuple[Counter[str], str]:
    """Return the words of a sample of a talk, as they are written, and its language."""
    title, language = db.execute(_TALK, (talk_id,)).fetchone()
    numbers = [number for (number,) in db.execute(_NUMBERS, (talk_id,))]
    sample = json.dumps(numbers[:: -(-len(numbers) // _PASSAGES) or 1])
    words = Counter(word for (text,) in db.execute(_TEXTS, (sample,)) for word in text.split())
    for word in title.split():
        if word in words:  # what is only written is the name of a series
            words[word] += _TITLE
    return words, (language or "").split("-")[0].lower()


def _rates(words: Counter[str], language: str, written: _Written) -> dict[str, tuple[float, float]]:
    """Return how often each telling term of a talk is said, and how often people say it in general: shares of words.

    `written` counts how each term is written.
    """
    counts: Counter[str] = Counter()
    general: dict[str, float] = {}
    for word, count in words.items():
        for term, start, end in marks(word):
            form = word[start:end]
            if not _may_tell(term, form):
                continue
            usual = max(_usual(form.casefold(), language), _usual(term, language))
            if usual >= 10 ** (_COMMON - 9) or (not usual and is_unspaced(term[0])):  # two signs that are no word
                continue
            counts[term] += count
            written[term][form] += count
            general[term] = max(general.get(term, 0.0), usual)
    total = max(1, sum(words.values()))
    return {term: (count / total, general[term]) for term, count in counts.items() if count > 1}


def _may_tell(term: str, form: str) -> bool:
    if len(term) > 1 and is_unspaced(term[0]):
        return True
    return len(form) >= _SHORTEST and form.isalpha() and not _SOUND.fullmatch(form)


def _told(terms: Iterable[str], written: _Written) -> tuple[str, ...]:
    """Return the first of some terms as they are mostly written; one that is part of another says nothing new."""
    told: list[str] = []
    for term in terms:
        forms = written[term]
        form = min(forms, key=lambda one: (-forms[one], one))
        small = form.casefold()
        if not any(small in other.casefold() or other.casefold() in small for other in told):
            told.append(form)
        if len(told) == _WORDS:
            break
    return tuple(told)


def _usual(word: str, language: str) -> float:
    """Return how often people say a word: its share of all words; 0 in languages that wordfreq does not know."""
    return _frequencies(language).get(word, 0.0)


@cache
def _frequencies(language: str) -> dict[str, float]:
    return wordfreq.get_frequency_dict(language) if language in wordfreq.available_languages() else {}
