"""What is said again: passages of one talk that answer with the same words, and copies in other talks.

Recognition that loops in silence, a refrain, a jingle or a prayer would fill an answer with one hit many times.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from talksearch.indexer.arrays import Floats
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.sentences import sentence_breaks
from talksearch.indexer.text.terms import has_unspaced, terms

from .passage_view import PassageRow, PassageView

SAME_MEANING, _SAME_WORDS = 0.93, 0.7
"""The cosine and the share of common terms (Jaccard) from which on two passages say the same: a talk uploaded twice, a
clip of it, the words that open every episode."""

_SAME_WORDS_ALONE = 0.9
"""The share of common terms from which on they do where no vector tells."""

_FEW_TIMES = 3
"""How often a passage says a sentence at least that repeats itself."""

_LONGEST_GAP = 3
"""Signs and blanks between what is said twice in a row."""

_SHORTEST_LINE = 5
"""Terms of the shortest line of a script without spaces that stands for a sentence where it is not said twice."""

_LONGEST_SENTENCE = 25
"""Terms of the longest sentence that is compared as one; what is longer has no punctuation."""


def says_the_same(vector: Floats | None, text: str, other_vector: Floats | None, other_text: str) -> bool:
    """Say whether two passages say the same in the same words but for a few; without vectors they do not."""
    # The vectors come first: they differ for nearly all passages, and are quicker to compare than words.
    if vector is None or other_vector is None or not may_say_the_same(vector, other_vector):
        return False
    return common_words(text, other_text) >= _SAME_WORDS


def is_said_again(vector: Floats | None, text: str, other_vector: Floats | None, other_text: str) -> bool:
    """Say whether two passages of one talk say the same; where one has no vector, by their words alone."""
    if vector is None or other_vector is None:
        return common_words(text, other_text) >= _SAME_WORDS_ALONE
    return says_the_same(vector, text, other_vector, other_text)


def may_say_the_same(vector: Floats | None, other: Floats | None) -> bool:
    """Say whether the vectors of two passages let them say the same; where one has none, only words can tell."""
    return vector is None or other is None or float(vector @ other) >= SAME_MEANING


def common_words(text: str, other: str) -> float:
    """Return the share of the terms of two texts that both have (Jaccard), each counted once.

    >>> common_words("Thank you. Thank you.", "thank you"), common_words("a bee", "a bridge")
    (1.0, 0.3333333333333333)
    """
    own, others = set(terms(text)), set(terms(other))
    return len(own & others) / max(1, len(own | others))


def answers(db: sqlite3.Connection, view: PassageView) -> frozenset[tuple[str, ...]]:
    """Return the sentences of a passage in which the query's words are said, as terms.

    Sentences that say less than half as much of the query as another do not count: a "for" is no answer. Where there is
    no punctuation, cues stand for sentences, if any is said twice, as in a loop. Empty where nothing tells one sentence
    from the next.
    """
    said = {once(sentence) for sentence in _marked_sentences(view)}
    # Lines of scripts without spaces are written on end: where they are joined, a pair arises that none of them has.
    is_run_on = has_unspaced(view.row.text)
    if not is_run_on and all(len(sentence) <= _LONGEST_SENTENCE for sentence in said):
        return _telling(said, view.weights)
    if not is_run_on and (len(marked_words(view)) == len(view.matches) or not _may_loop(view.row.text.split(" "))):
        return frozenset()
    cues = catalog_talks.read_cues(db, view.row.talk_id, view.row.first_cue, view.row.last_cue)
    lines = [once(words) for words in (terms(cue.text) for cue in cues) if view.weights.keys() & set(words)]
    if is_run_on and len(set(lines)) == len(lines) and any(len(line) < _SHORTEST_LINE for line in lines):
        return _telling(said, view.weights) if max(map(len, said), default=0) <= _LONGEST_SENTENCE else frozenset()
    is_told = all(len(line) <= _LONGEST_SENTENCE for line in lines)
    return _telling(set(lines), view.weights) if is_told else frozenset()


def _telling(said: AbstractSet[tuple[str, ...]], weights: Mapping[str, float]) -> frozenset[tuple[str, ...]]:
    """Return the sentences that say at least half as much of a query as the one that says most of it."""
    weighed = {sentence: sum(weights.get(term, 0.0) for term in set(sentence)) for sentence in said}
    most = max(weighed.values(), default=0.0)
    return frozenset(sentence for sentence, weight in weighed.items() if weight >= most / 2)


def marked_words(view: PassageView) -> set[str]:
    """Return what is marked in a passage, without regard to case; its terms in scripts without spaces: marks touch."""
    text = view.row.text
    marked = {text[start:end].casefold() for start, end in view.matches}
    if not any(map(has_unspaced, marked)):
        return marked
    return {term for words in marked for term in terms(words) if term in view.weights}


def once(words: Sequence[str]) -> tuple[str, ...]:
    """Return words in a form that is the same however often they stand in a row, and wherever the row begins.

    >>> once("you thank you thank you thank".split()), once("thank you".split())
    (('thank', 'you'), ('thank', 'you'))
    """
    words = tuple(words)
    period = len(words)
    if _may_loop(words):
        periods = (period for period in range(1, len(words) // 2 + 1) if words[period:] == words[:-period])
        period = next(periods, period)
    if not 0 < period <= _LONGEST_SENTENCE:
        return words
    return min(words[shift:period] + words[:shift] for shift in range(period))


def _may_loop(words: Sequence[str]) -> bool:
    """Say whether some words may be the same few again and again: half of them at least were there before."""
    return len(set(words)) * 2 <= len(words)


def repeats_itself(view: PassageView) -> bool:
    """Say whether a passage says what it was found by again and again, as the beginning of a loop does."""
    if not has_unspaced(view.row.text) and len(view.matches) < _FEW_TIMES * len(marked_words(view)):
        return False
    sentences = _marked_sentences(view)
    if len(sentences) >= _FEW_TIMES and 2 * len(set(map(once, sentences))) <= len(sentences):
        return True
    return any(len(sentence) >= _FEW_TIMES * len(once(sentence)) > 0 for sentence in sentences)


def _marked_sentences(view: PassageView) -> list[tuple[str, ...]]:
    """Return the terms of each sentence of a passage in which the query's words are said."""
    text, marks = view.row.text, view.matches
    spans = _between([0, *sentence_breaks(text), len(text)])
    marked = (span for span in spans if any(span[0] < last and first < span[1] for first, last in marks))
    return [tuple(terms(text[start:end])) for start, end in marked]


def _between(positions: list[int]) -> Iterator[tuple[int, int]]:
    return ((start, end) for start, end in pairwise(positions) if start < end)


def quote_is_said_again(row: PassageRow, text: str, other: PassageRow, other_text: str) -> bool:
    """Say whether two places of a talk in which a quote is said are in the same words, in one sentence, or in a loop.

    Args:
        row: the passage of the one place.
        text: the quote as it was said there.
        other: the passage of the other place.
        other_text: the quote as it was said there.
    """
    if row.passage_id == other.passage_id or common_words(row.text, other.text) >= _SAME_WORDS_ALONE:
        return True
    if terms(text) == terms(other_text) and _is_looped(row.text, text) and _is_looped(other.text, other_text):
        return True  # passages are cut anywhere in a loop
    sentence = _sentence_around(row.text, text)
    return bool(sentence) and sentence == _sentence_around(other.text, other_text)


def _is_looped(passage: str, text: str) -> bool:
    """Say whether a text is said again right behind itself.

    >>> _is_looped("Well. Thank you! Thank you.", "Thank you"), _is_looped("Thank you. Well. Thank you.", "Thank you")
    (True, False)
    """
    return re.search(rf"{re.escape(text)}\W{{0,{_LONGEST_GAP}}}{re.escape(text)}", passage) is not None


def _sentence_around(passage: str, text: str) -> tuple[str, ...]:
    """Return the terms of the sentences that a text stands in; none where it is not there, or there is no punctuation.

    >>> _sentence_around("Sit down. Thank you! Now the rain.", "Thank you")
    ('thank', 'you')
    """
    first = passage.find(text)
    last = first + len(text)
    spans = list(_between([0, *sentence_breaks(passage), len(passage)]))
    around = "".join(passage[start:end] for start, end in spans if start < last and first < end)
    is_sentence = first >= 0 and len(spans) > 1 and len(around.split()) <= _LONGEST_SENTENCE
    return tuple(terms(around)) if is_sentence else ()
