"""Words of scripts without spaces, where a segmenter is installed: which pairs of a query's characters count.

The index holds every pair of neighbouring characters, whoever made it and whatever was installed there. A segmenter
only tells which pairs of a query stand across two words and mean nothing, so that index and query cannot disagree, and
a query without a segmenter finds all that one with it finds. `pip install "talksearch[cjk]"` installs BudouX for
Japanese and Thai, and rjieba for Chinese.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources, util
from itertools import pairwise

from talksearch.indexer.text.han import simplified
from talksearch.indexer.text.terms import has_unspaced, is_unspaced, spans

Segmenter = Callable[[str], list[str]]
"""Cuts a text of one script into its words, in order and without loss."""

_KANA = re.compile("[\u3040-\u30ff\uff66-\uff9d]")
_THAI = re.compile("[\u0e00-\u0e7f]")
_LITTLE = frozenset("的了是在和与及之不这那我你他她它们有为也就都而着过吗呢吧啊把被让从到对跟个座")
"""Chinese words of one character that say little by themselves."""


def telling_terms(text: str) -> list[str]:
    """Return the terms of a query, without the pairs that stand across two words where a segmenter tells them.

    A pair stays where it is the only one that holds a word of one character which says something.
    """
    every = [(term.text, term.start, term.end) for term in spans(text)]
    if not has_unspaced(text):
        return [term for term, _, _ in every]
    for run, first, end in _runs(text):
        segmenter = _segmenter_for(run)
        if segmenter is None:
            continue
        words = segmenter(run)
        if "".join(words) == run:
            across = set(_across_words(words))
            every = [
                (term, start, behind)
                for term, start, behind in every
                if not (first <= start and behind <= end and behind - start == 2 and start - first in across)
            ]
    kept = [term for term, _, _ in every]
    return kept or [term.text for term in spans(text)]


def _runs(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the runs of scripts without spaces in a text: (the run, its first character, the one behind its last)."""
    start = None
    for position, character in enumerate([*text, " "]):
        if is_unspaced(character):
            start = position if start is None else start
        elif start is not None:
            yield text[start:position], start, position
            start = None


def _across_words(words: list[str]) -> Iterator[int]:
    """Yield where pairs of characters begin that stand across two words and that are not needed for either.

    >>> list(_across_words(["相对论", "难懂"])), list(_across_words(["黑", "猫"]))
    ([2], [])
    >>> list(_across_words(["时间", "的", "比喻"]))
    [1, 2]
    """
    end = 0
    for word, following in pairwise(words):
        end += len(word)
        if not (_needs_pairs(word) or _needs_pairs(following)):
            yield end - 1


def _needs_pairs(word: str) -> bool:
    """Say whether a word has no pair of its own and says something: one character that is no particle."""
    return len(word) == 1 and word not in _LITTLE and not "\u3040" <= word <= "\u309f"


def _segmenter_for(run: str) -> Segmenter | None:
    """Return what cuts a run into words; None where nothing that does is installed."""
    if _KANA.search(run):
        return _japanese()
    if _THAI.search(run):
        return _thai()
    return _chinese() if all("\u3400" <= character <= "\u9fff" for character in run) else None


@cache
def _japanese() -> Segmenter | None:
    if util.find_spec("budoux") is None:
        return None
    import budoux

    # Its model of words is newer than its model of phrases, which the library loads by itself.
    model = resources.files("budoux") / "models" / "ja_word.json"
    try:
        parser = budoux.Parser(json.loads(model.read_text(encoding="utf-8")))
    except FileNotFoundError:
        parser = budoux.load_default_japanese_parser()
    return _in_usual_width(parser.parse)


@cache
def _thai() -> Segmenter | None:
    if util.find_spec("budoux") is None:
        return None
    import budoux

    parse: Segmenter = budoux.load_default_thai_parser().parse
    return parse


@cache
def _chinese() -> Segmenter | None:
    if util.find_spec("rjieba") is None:
        return None
    import rjieba

    def words_of(run: str) -> list[str]:
        # Its dictionary is of simplified characters.
        return _cut_like(run, rjieba.cut(simplified(run)))

    return words_of


def _in_usual_width(parse: Segmenter) -> Segmenter:
    """Return a segmenter that sees half-wide kana as the usual ones."""

    def words_of(run: str) -> list[str]:
        usual = unicodedata.normalize("NFKC", run)
        return _cut_like(run, parse(usual)) if len(usual) == len(run) else [run]

    return words_of


def _cut_like(run: str, words: list[str]) -> list[str]:
    """Return a run, cut where another way to write it is cut."""
    cut: list[str] = []
    start = 0
    for word in words:
        cut.append(run[start : start + len(word)])
        start += len(word)
    return cut
