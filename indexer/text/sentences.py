"""Where sentences end: the one place that knows which characters end one.

The characters are those that Unicode gives the property Sentence_Terminal (PropList.txt of the Unicode Character
Database), for the scripts that talks are written down in today, and the ellipsis. Full-width `．` is left out, because
it is a decimal point too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SPACED_STOPS = ".!?…։؟۔।॥።፧။។‼‽⁇⁈⁉"
"""Characters that end a sentence in scripts that put spaces between words: Latin, Greek and Cyrillic, then Armenian,
Arabic, Urdu, Devanagari (and others of India), Ethiopic, Burmese and Khmer. Without a space behind it, such a character
may stand inside a figure or an address."""

UNSPACED_STOPS = "。！？｡"
"""Characters that end a sentence wherever they stand: those of Chinese and Japanese."""

_CLOSING = "\"'”’»」』)\\]"
"""Characters that may stand between the end of a sentence and the space behind it, for a regular expression's set."""

_STOP_AT_END = re.compile(rf"[{SPACED_STOPS}{UNSPACED_STOPS}][{_CLOSING}]*$")
_STOP = re.compile(rf"[{SPACED_STOPS}](?=[{_CLOSING}]*(?:\s|$))|[{UNSPACED_STOPS}]")
_BREAK = re.compile(rf"(?<=[{SPACED_STOPS}])[{_CLOSING}]*\s+|(?<=[{UNSPACED_STOPS}])")
_ABBREVIATION = re.compile(r"^(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|No|Fig)\.$")


def ends_sentence(word: str) -> bool:
    """Say whether a sentence ends with a word, as far as its punctuation tells. An abbreviation ends none.

    >>> [ends_sentence(word) for word in ("done.", "Dr.", "了。", "كذلك؟", "है।")]
    [True, False, True, True, True]
    """
    return ends_with_stop(word) and not _ABBREVIATION.match(word)


def ends_with_stop(word: str) -> bool:
    """Say whether a word ends with a character that ends sentences, closing quotes and brackets apart.

    For uses where an abbreviation does little harm, and a sentence that is not seen does more.

    >>> [ends_with_stop(word) for word in ("done.”", "Dr.", "done", "है।")]
    [True, True, False, True]
    """
    return not word[-1:].isalnum() and _STOP_AT_END.search(word) is not None


def count_stops(text: str) -> int:
    """Count the characters of a text that end sentences; a point inside a figure or an address is none.

    >>> count_stops("So it is 3.5. 是吗？是。")
    3
    """
    return len(_STOP.findall(text))


def sentence_breaks(text: str) -> Iterator[int]:
    """Yield the positions in a text behind which another sentence may begin; the spaces between count to the first.

    >>> list(sentence_breaks("Is it? 是。是的。"))
    [7, 9, 12]
    """
    return (match.end() for match in _BREAK.finditer(text))
