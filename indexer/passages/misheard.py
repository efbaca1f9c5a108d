"""Names that a transcript mishears, found by what is written about the talk: "Cloud 4" for the title's "Claude 4".

Nothing here changes a transcript. It only says which words of a talk sound like a name in its title, its description,
its channel or its chapters, so that a search for the one also finds the other. How frequent a word is, is given on
wordfreq's Zipf scale: 3 is once in a million words, 4 once in a hundred thousand.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise, product

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from talksearch.indexer.records import Mishearing, RareWord, Talk
from talksearch.indexer.text.phonetics import LOOKS, alike, plain, sound
from talksearch.indexer.text.terms import terms
from talksearch.indexer.text.word_frequencies import known_languages, word_frequency

from .joined_words import joined_words

_RARE = 3.5
"""Words less frequent than this may be names, or what a name was heard as; the others are words that people use."""

_STRANGE = 2.0
"""Words less frequent than this are hardly ever what was meant, where a name that sounds alike is at hand."""

_NO_NAME = 4.6
"""Words at least as frequent as this are no names: "light", "build", "where"."""

_EVERYWHERE = 6.0
"""Words more frequent than this ("the", "at", "new") stand beside any other."""

_ALIKE = 0.72
"""How alike a strange word and a name must be: "sheffler" stands for "Schaeffler", "smaller" not for "Schuller"."""

_ALIKE_IN_RUN = 0.6
"""How alike each word must be where several in a row are: "mark tierman" for "Marc Theermann"."""

_ALIKE_RUN = 0.75
"""How alike words in a row must be on the whole."""

_SHORTEST = 4
"""Letters of a word or a name; shorter ones sound like too many others."""

_SHORTEST_IN_RUN = 3
"""Letters of a word among several in a row."""

_TWICE = 2
"""How often words in a row must be heard before an ordinary one of them alone is taken for the name, in that talk."""

_SHORTEST_PART = 2
"""Letters of each part of a name that was heard as two words."""

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_DIGITS = re.compile(r"\d+")
_LINK = re.compile(r"(?<!\S)\S*(?:://|www\.|@)\S*")
_POSSESSIVE = re.compile(r"['’]s?$")

_Words = tuple[str, ...]
"""Words in a row, in small letters."""


def misheard(talk: Talk) -> tuple[tuple[Mishearing, ...], tuple[RareWord, ...]]:
    """Return the words of a talk that stand for names in what is written about it, and all of its words that may be
    names. Words that signs join ("e-mail") are among the first: their parts stand for the whole.
    """
    joined = joined_words(talk)
    language = _language(talk)
    if language is None:
        return joined, ()
    spoken = _words(" ".join([cue.text for cue in talk.cues]))
    mishearings = _mishearings(talk, spoken, language)
    return tuple(dict.fromkeys((*mishearings, *joined))), _rare_words(talk, spoken, language)


def _mishearings(talk: Talk, spoken: Sequence[str], language: str) -> tuple[Mishearing, ...]:
    """Return which of the spoken words stand for names."""
    runs = set(_names(talk))
    names = sorted({name for run in runs for name in run if not name.isdigit()})
    word_counts = Counter(spoken)
    pair_counts = Counter(pairwise(spoken))
    alike_words = _alike_words(names, sorted(word_counts.keys() - set(names)))
    mishearings: dict[Mishearing, None] = {}  # an ordered set
    for name in names:
        for word, likeness in alike_words[name].items():
            if likeness >= _ALIKE and _may_stand_for(word, name, language):
                mishearings.update(_mishearing((word,), name, strange=True))
    for name in names:  # one word heard as two: "next gear" for "NextGear"
        for cut in range(_SHORTEST_PART, len(name) - 1):
            parts = (name[:cut], name[cut:])
            if parts in pair_counts:
                mishearings.update(_mishearing(parts, name, strange=False))
    counts_in_pairs: dict[tuple[str, str], int] = defaultdict(int)
    for first, second in sorted({pair for run in runs for pair in pairwise(run)}):
        # Sorted, because a set's order is another in each process.
        first_heard = sorted({first, *alike_words.get(first, ())})
        second_heard = sorted({second, *alike_words.get(second, ())})
        for heard in product(first_heard, second_heard):
            if heard not in pair_counts or not _are_alike_runs(heard, (first, second)):
                continue
            for word, name, beside in ((heard[0], first, second), (heard[1], second, first)):
                # "the covector" beside "the vector" is no evidence: everything stands beside "the".
                if word == name or name in word or _zipf(beside, language) > _EVERYWHERE:
                    continue
                is_likely = _zipf(word, language) < _STRANGE or alike(word, name) >= _ALIKE
                if is_likely and _zipf(name, language) < _NO_NAME:
                    mishearings.update(_mishearing(heard, name, strange=False))
                    counts_in_pairs[word, name] += pair_counts[heard]
    for (word, name), count in sorted(counts_in_pairs.items()):
        if count >= _TWICE and len(word) >= _SHORTEST and word_counts[word] > word_counts[name]:
            mishearings.update(_mishearing((word,), name, strange=False))
    return tuple(mishearings)


def _rare_words(talk: Talk, spoken: Iterable[str], language: str) -> tuple[RareWord, ...]:
    words = {*spoken, *(word for text in _written(talk) for word in _words(text))}
    rare_words = (rare for word in words if (rare := _as_rare_word(word, language)))
    return tuple(sorted(rare_words, key=lambda rare: rare.word))


@lru_cache(maxsize=200_000)
def _as_rare_word(word: str, language: str) -> RareWord | None:
    """Return a word as one that few people use; None for every other."""
    if len(word) < _SHORTEST or _zipf(word, language) >= _RARE or not _is_latin(word):
        return None
    word_terms = terms(word)
    if len(word_terms) != 1:
        return None
    return RareWord(sound(word), word, word_terms[0], _zipf(word, language) < _STRANGE)


def _names(talk: Talk) -> Iterator[_Words]:
    """Yield what is written with capitals about a talk: words in a row."""
    for text in [*_written(talk), *(_LINK.sub(" ", chapter.title) for chapter in talk.chapters)]:
        for line in text.split("\n"):
            yield from _runs(line)


def _written(talk: Talk) -> list[str]:
    """Return what is written about a talk as a whole, without links."""
    return [_LINK.sub(" ", text or "") for text in (talk.title, talk.channel, talk.speaker, talk.description)]


def _runs(line: str) -> Iterator[_Words]:
    """Yield the names of a line of text.

    >>> list(_runs("Or Lenchner (Bright Data) on Claude 4 and NextGear's work"))
    [('or', 'lenchner'), ('bright', 'data'), ('claude', '4'), ('nextgear',)]
    """
    run: list[str] = []
    end = 0
    for match in _TOKEN.finditer(line):
        word = _POSSESSIVE.sub("", match.group())
        is_name = any(character.isupper() for character in word) and _is_latin(word)
        if run and not (line[end : match.start()].strip(" .-") == "" and (is_name or word.isdigit())):
            yield tuple(run)
            run = []
        if is_name or (run and word.isdigit()):
            run.append(plain(word))
            if word != match.group():  # what follows "NextGear's" is no part of the name
                yield tuple(run)
                run = []
        end = match.end()
    if run:
        yield tuple(run)


def _alike_words(names: Sequence[str], words: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return, for each name, the words somewhat like it, with how alike they are."""
    alike_words: dict[str, dict[str, float]] = {name: {} for name in names}
    similarities = process.cdist(
        names, words, scorer=Levenshtein.normalized_similarity, score_cutoff=LOOKS, dtype=np.float32
    )
    for row, column in zip(*np.nonzero(similarities), strict=True):
        likeness = alike(words[column], names[row])
        if likeness >= _ALIKE_IN_RUN:
            alike_words[names[row]][words[column]] = likeness
    return alike_words


def _may_stand_for(word: str, name: str, language: str) -> bool:
    """Say whether a word is so rare that it hardly was meant, and is no other form of the name."""
    return (
        min(len(word), len(name)) >= _SHORTEST
        and _is_latin(word)
        and _zipf(word, language) < _STRANGE
        and _zipf(name, language) < _NO_NAME
        and not word.startswith(tuple(terms(name)))
        and not word.endswith(name)
        and _DIGITS.findall(word) == _DIGITS.findall(name)
    )


def _are_alike_runs(heard: _Words, name: _Words) -> bool:
    """Say whether words in a row sound like a name: all of them somewhat, and together well."""
    if heard == name or sum(map(len, name)) <= _SHORTEST:
        return False
    likenesses = []
    for word, name_word in zip(heard, name, strict=True):
        if word == name_word:
            likenesses.append(1.0)
        elif word.isdigit() or name_word.isdigit() or min(len(word), len(name_word)) < _SHORTEST_IN_RUN:
            return False
        else:
            likenesses.append(alike(word, name_word))
        if likenesses[-1] < _ALIKE_IN_RUN:
            return False
    return sum(likenesses) / len(likenesses) >= _ALIKE_RUN


def _mishearing(heard: Sequence[str], meant: str, *, strange: bool) -> dict[Mishearing, None]:
    """Return that some words stand for a name, as terms; nothing where the words hold its term already."""
    heard_terms, meant_terms = terms(" ".join(heard)), terms(meant)
    if len(meant_terms) != 1 or meant_terms[0] in heard_terms:
        return {}
    return {Mishearing(" ".join(heard_terms), meant_terms[0], strange): None}


def _words(text: str) -> list[str]:
    return list(chain.from_iterable(map(_words_in, text.split(" "))))  # no word has a space in it


@lru_cache(maxsize=100_000)
def _words_in(token: str) -> _Words:
    words = (plain(_POSSESSIVE.sub("", word)) for word in _TOKEN.findall(token))
    return tuple(word for word in words if word)


@lru_cache(maxsize=100_000)
def _is_latin(word: str) -> bool:
    return any(character.isalpha() for character in word) and all(
        character.isdigit() or unicodedata.name(character, "").startswith("LATIN") for character in plain(word)
    )


def _zipf(word: str, language: str) -> float:
    frequency = word_frequency(word, language)
    return math.log10(frequency) + 9 if frequency else 0.0


def _language(talk: Talk) -> str | None:
    """Return the language of a talk, for wordfreq; None where it does not know that language."""
    language = (talk.language or "en").split("-")[0]
    return language if language in known_languages() else None
