"""Where sentences end."""

from __future__ import annotations

import re

_SENTENCE_END = re.compile(r"[.?!…。？！।؟]+[\"'”’»」』)\]]*$")


_ABBREVIATION = re.compile(r"^(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|No|Fig)\.$")


def ends_sentence(word: str) -> bool:
    """Say whether a sentence ends with a word, as far as its punctuation tells.

    >>> ends_sentence("done."), ends_sentence("Dr."), ends_sentence("了。")
    (True, False, True)
    """
    return bool(_SENTENCE_END.search(word)) and not _ABBREVIATION.match(word)
