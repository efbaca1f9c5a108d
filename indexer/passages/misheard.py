"""Names that a transcript mishears, found by what is written about the talk: "Cloud 4" for the title's "Claude 4".

Nothing here changes a transcript. It only says which words of a talk sound like a name in its title, its description,
its channel or its chapters, so that a search for the one also finds the other.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain, pairwise, product

import numpy as np
import wordfreq
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from talksearch.indexer.records import Mishearing, RareWord, Talk
from talksearch.indexer.text.phonetics import LOOKS, alike, plain, sound
from talksearch.indexer.text.terms import terms

ODD = 3.5
"""Words rarer than this (Zipf scale of wordfreq: 3 is once in a million words) may be names, or what a name was heard
as; above it lie the words that people use."""

_STRANGE = 2.0
"""Words rarer than this are hardly ever what was meant, where a name that sounds alike is at hand."""

_ALIKE = 0.72
"""How alike a strange word and a name must be: "sheffler" stands for "Schaeffler", "smaller" not for "Schuller"."""

_ALIKE_IN_RUN = 0.6
"""How alike each word must be where several in a row are: "mark tierman" for "Marc Theermann"."""

_SAME_RUN = 0.75
"""How alike words in a row must be on the whole."""

_ORDINARY = 4.6
"""Words more frequent than this are no names: "light", "build", "where"."""

_EVERYWHERE = 6.0
"""Words more frequent than this ("the", "at", "new") stand beside any other."""

_SHORTEST = 4
_TWICE = 2
"""How often a run must be heard before one of its ordinary words alone is taken for the name, in that talk."""

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_DIGITS = re.compile(r"\d+")
_LINK = re.compile(r"\S*(?:://|www\.|@)\S*")
_POSSESSIVE = re.compile(r"['’]s?$")


def misheard(talk: Talk) -> tuple[tuple[Mishearing, ...], tuple[RareWord, ...]]:
    """Return the words of a talk that stand for names in what is written about it, and all of its words that may be
    names.
    """
    language = _language(talk)
    if language is None:
        return (), ()
    said = _words(" ".join([cue.text for cue in talk.cues]))
    return _stand_for_names(talk, said, language), _odd_words(talk, said, language)


def _stand_for_names(talk: Talk, said: Sequence[str], language: str) -> tuple[Mishearing, ...]:
    runs = set(_names(talk))
    names = sorted({name for run in runs for name in run if not name.isdigit()})
    times = Counter(said)
    pairs = Counter(pairwise(said))
    near = _near(names, sorted(times.keys() - set(names)))
    found: dict[Mishearing, None] = {}
    for name in names:
        for word, likeness in near[name].items():
            if likeness >= _ALIKE and _may_stand_for(word, name, language):
                found.update(_pair((word,), name, strange=True))
    for name in names:  # one word heard as two: "next gear" for "NextGear"
        for cut in range(2, len(name) - 1):
            if (name[:cut], name[cut:]) in pairs:
                found.update(_pair((name[:cut], name[cut:]), name, strange=False))
    alone: dict[tuple[str, str], int] = defaultdict(int)
    for one, other in sorted({pair for run in runs for pair in pairwise(run)}):
        # Sorted, because a set's order is another in each process.
        for heard in product(sorted({one, *near.get(one, ())}), sorted({other, *near.get(other, ())})):
            if heard not in pairs or not _same_run(heard, (one, other)):
                continue
            for word, name, beside in ((heard[0], one, other), (heard[1], other, one)):
                # "the covector" beside "the vector" is no evidence: everything stands beside "the".
                if word == name or name in word or _zipf(beside, language) > _EVERYWHERE:
                    continue
                likely = _zipf(word, language) < _STRANGE or alike(word, name) >= _ALIKE
                if likely and _zipf(name, language) < _ORDINARY:
                    found.update(_pair(heard, name, strange=False))
                    alone[word, name] += pairs[heard]
    for (word, name), count in sorted(alone.items()):
        if count >= _TWICE and len(word) >= _SHORTEST and times[word] > times[name]:
            found.update(_pair((word,), name, strange=False))
    return tuple(found)


def _odd_words(talk: Talk, said: Iterable[str], language: str) -> tuple[RareWord, ...]:
    every = {*said, *(word for text in _written(talk) for word in _words(text))}
    odd = (found for word in every if (found := _odd(word, language)))
    return tuple(sorted(odd, key=lambda one: one.word))


@lru_cache(maxsize=200_000)
def _odd(word: str, language: str) -> RareWord | None:
    """Return a word as one that few people use; None for every other."""
    if len(word) < _SHORTEST or _zipf(word, language) >= ODD or not _is_latin(word):
        return None
    made = terms(word)
    return RareWord(sound(word), word, made[0], _zipf(word, language) < _STRANGE) if len(made) == 1 else None


def _names(talk: Talk) -> Iterator[tuple[str, ...]]:
    """Yield what is written with capitals about a talk: runs of words, each in small letters."""
    for text in [*_written(talk), *(_LINK.sub(" ", chapter.title) for chapter in talk.chapters)]:
        for row in text.split("\n"):
            yield from _runs(row)


def _written(talk: Talk) -> list[str]:
    """Return what is written about a talk as a whole, without links."""
    return [_LINK.sub(" ", text or "") for text in (talk.title, talk.channel, talk.speaker, talk.description)]


def _runs(row: str) -> Iterator[tuple[str, ...]]:
    """Yield the names of a row of text.

    >>> list(_runs("Or Lenchner (Bright Data) on Claude 4 and NextGear's work"))
    [('or', 'lenchner'), ('bright', 'data'), ('claude', '4'), ('nextgear',)]
    """
    run: list[str] = []
    end = 0
    for match in _TOKEN.finditer(row):
        word = _POSSESSIVE.sub("", match.group())
        named = any(character.isupper() for character in word) and _is_latin(word)
        if run and not (row[end : match.start()].strip(" .-") == "" and (named or word.isdigit())):
            yield tuple(run)
            run = []
        if named or (run and word.isdigit()):
            run.append(plain(word))
            if word != match.group():  # what follows "NextGear's" is no part of the name
                yield tuple(run)
                run = []
        end = match.end()
    if run:
        yield tuple(run)


def _near(names: Sequence[str], words: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return, for each name, the words somewhat like it, with how alike they are."""
    near: dict[str, dict[str, float]] = {name: {} for name in names}
    looks = process.cdist(names, words, scorer=Levenshtein.normalized_similarity, score_cutoff=LOOKS, dtype=np.float32)
    for row, column in zip(*np.nonzero(looks), strict=True):
        likeness = alike(words[column], names[row])
        if likeness >= _ALIKE_IN_RUN:
            near[names[row]][words[column]] = likeness
    return near


def _may_stand_for(word: str, name: str, language: str) -> bool:
    """Say whether a word is so rare that it hardly was meant, and is no other form of the name."""
    return (
        min(len(word), len(name)) >= _SHORTEST
        and _is_latin(word)
        and _zipf(word, language) < _STRANGE
        and _zipf(name, language) < _ORDINARY
        and not word.startswith(tuple(terms(name)))
        and not word.endswith(name)
        and _DIGITS.findall(word) == _DIGITS.findall(name)
    )


def _same_run(heard: tuple[str, ...], name: tuple[str, ...]) -> bool:
    """Say whether words in a row sound like a name: all of them somewhat, together well, and one of them surely."""
    if heard == name or sum(map(len, name)) <= _SHORTEST:
        return False
    likeness = []
    for one, other in zip(heard, name, strict=True):
        if one == other:
            likeness.append(1.0)
        elif one.isdigit() or other.isdigit() or min(len(one), len(other)) < 3:
            return False
        else:
            likeness.append(alike(one, other))
        if likeness[-1] < _ALIKE_IN_RUN:
            return False
    return sum(likeness) / len(likeness) >= _SAME_RUN


def _pair(heard: Sequence[str], meant: str, *, strange: bool) -> dict[Mishearing, None]:
    ours, theirs = terms(" ".join(heard)), terms(meant)
    if len(theirs) != 1 or theirs[0] in ours:
        return {}
    return {Mishearing(" ".join(ours), theirs[0], strange): None}


def _words(text: str) -> list[str]:
    return list(chain.from_iterable(map(_words_in, text.split(" "))))  # no word has a space in it


@lru_cache(maxsize=100_000)
def _words_in(stretch: str) -> tuple[str, ...]:
    words = (plain(_POSSESSIVE.sub("", token)) for token in _TOKEN.findall(stretch))
    return tuple(word for word in words if word)


@lru_cache(maxsize=100_000)
def _is_latin(word: str) -> bool:
    return any(character.isalpha() for character in word) and all(
        character.isdigit() or unicodedata.name(character, "").startswith("LATIN") for character in plain(word)
    )


def _zipf(word: str, language: str) -> float:
    frequency = _frequencies(language).get(word, 0.0)
    return math.log10(frequency) + 9 if frequency else 0.0


@cache
def _frequencies(language: str) -> dict[str, float]:
    return wordfreq.get_frequency_dict(language)


def _language(talk: Talk) -> str | None:
    """The language whose ordinary words are known; None where the talk's are not."""
    language = (talk.language or "en").split("-")[0]
    return language if language in _known_languages() else None


@cache
def _known_languages() -> frozenset[str]:
    return frozenset(wordfreq.available_languages())
