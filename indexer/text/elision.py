"""Words with an apostrophe inside: which of them are two words, and what an ending behind one is.

In French, Italian and Catalan an article or a pronoun loses its vowel before a word that begins with one, and is
written onto it: "l'église", "dell'acqua". Whoever looks for the word looks for it without. Turkish writes the ending of
a name behind an apostrophe: "İstanbul'da". Contractions and names ("don't", "O'Brien", "aujourd'hui") are one word.
"""

from __future__ import annotations

import re

from .letters import unaccented

APOSTROPHES = "'’‘ʼʻ‛＇`´"
"""What is written for an apostrophe between letters: straight, curled, as a letter, wide, and as an accent."""

_DROPPED = frozenset(
    re.findall(r"\w+", "l d j m t s n c qu un dell all nell sull dall coll gl degl agl negl dagl sugl")
)
"""Articles, pronouns and prepositions that say nothing by themselves, without their vowel."""

_KEPT = frozenset(
    re.findall(
        r"\w+",
        """jusqu lorsqu puisqu quoiqu quell quest sant mezz vent trent quarant cinquant sessant settant ottant novant
        cent tutt senz anch bell buon nessun qualcun ciascun alcun altr pover brav""",
    )
)
"""Words without their vowel that are looked for as well."""

_ONE_WORD = re.compile(r"[tk]'(?:a[ino]?|ang|eng|i|iao|ieh|ien|ing|iu|o|ou|u|uan|ui|un|ung)|.*'(?:ai|as|\D)")
"""Chinese in the spelling of Wade and Giles ("T'ang"), and forms of the French "have", which would be other words."""

_BEGINS_WITH_VOWEL = re.compile(r"[aeiouh\d]|y[^aeiou]")
"""How what an article lost its vowel before begins: with a vowel, an h, or a figure that is said with one."""

_ENDING = re.compile(
    r"n?[dt][ae]n?(?:ki)?|y?l[ae]|n?[iu]n|y[aeiu]|n[aeiu]|s[iu]|l[iu]|l[ae]r\w{0,4}|c[ae]|[dt][iu]r",
)
"""Endings of Turkish names, without accents. Those of one letter are left out: "Hawai'i" is no form of a "Hawai"."""

_ENCLITIC = re.compile("(?<=[aeiou])'(?:l|ls|m|n|ns)")
"""Catalan pronouns behind a verb: "agafa'l"."""

_SPELLED_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def words_in(token: str) -> tuple[tuple[int, int], ...]:
    """Return the words that a token with an apostrophe inside is looked for by, as (start, end) in it.

    >>> [token[start:end] for token in ("l'eau", "jusqu'à", "Sant'Agata", "don't") for start, end in words_in(token)]
    ['eau', "jusqu'à", 'Sant', 'Agata', "don't"]
    >>> [token[start:end] for token in ("O'Brien", "j'ai", "İzmir'den", "L’IA") for start, end in words_in(token)]
    ["O'Brien", "j'ai", 'İzmir', 'IA']
    """
    spelled = token.translate(_SPELLED_APOSTROPHE)
    cut = spelled.find("'")
    before, behind = unaccented(spelled[:cut]), unaccented(spelled[cut + 1 :])
    is_elided = before in _DROPPED or before in _KEPT
    if is_elided and _BEGINS_WITH_VOWEL.match(behind) and not _ONE_WORD.fullmatch(f"{before}'{behind}"):
        rest = (cut + 1, len(token))
        return (rest,) if before in _DROPPED else ((0, cut), rest)
    if len(before) > 2 and (
        (token[0].isupper() and _ENDING.fullmatch(behind)) or _ENCLITIC.search(f"{before}'{behind}")
    ):
        return ((0, cut),)
    return ((0, len(token)),)
