"""Which language a tag means, whatever region and writing system it names."""

from __future__ import annotations

_SAME = ({"no", "nb", "nn"}, {"hr", "sr", "bs", "sh"}, {"id", "ms"}, {"zh", "yue", "cmn"}, {"fil", "tl"})
"""Languages with several codes, or so near one another that a query does not tell them apart."""


def language_code(tag: str) -> str:
    """Return the language of a BCP 47 tag without its region and its writing system.

    >>> language_code("pt-BR"), language_code("zh-Hant")
    ('pt', 'zh')
    """
    return tag.partition("-")[0].lower()


def is_same_language(one: str, other: str) -> bool:
    """Say whether two tags mean one language, whatever its region and writing system.

    >>> is_same_language("en-GB", "en"), is_same_language("nb", "no"), is_same_language("de", "nl")
    (True, True, False)
    """
    first, second = language_code(one), language_code(other)
    return first == second or any({first, second} <= same for same in _SAME)
