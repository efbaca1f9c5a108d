"""Names that stand alone: on a row of their own, in brackets or between dashes, without a colon that marks them.

Most short rows are no names, so this is stricter than what may stand before a colon. It judges a row by itself;
whether the rows of a file are names of speakers is decided by how they come back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from .speaker_labels import TITLES, is_no_name, is_particle

_ANYBODY = re.compile(
    r"(?:(?:unknown|unidentified|male|female|new)[ _]?)?"
    r"(?:speaker|sprecher(?:in)?|locut(?:or|ora|eur|rice)|hablante|orador|oradora|participante?|intervenante?"
    r"|interlocuteur|parlante|falante|spreker|talare|taler|puhuja|mówca|mluvčí|beszélő|vorbitor|konuşmacı|спикер"
    r"|диктор|говорящий|участник|мовець|ομιλητής|דובר|المتحدث|متحدث|वक्ता|ผู้พูด|pembicara|penutur|người nói"
    r"|スピーカー|話者|说话人|說話者|發言人|发言人|讲话人|화자|참석자|발언자"
    r"|guest|host|person|attendee|caller|interviewer(?:in)?|interviewee|moderator(?:in)?|respondent|befragter?"
    r"|facilitator|narrator|announcer|reporter|audience(?: member)?|operator|voice|channel|spk|user|s|p|r|i)"
    r"(?:[ _#-]{0,2}(?:\d{1,3}|[a-h]))?",
    re.IGNORECASE,
)
"""How programs call those whose names they do not know."""
_UNSURE_ANYBODY = re.compile(r"(?:voice|channel|user|s|p|r|i|spk|person|operator|participante?)", re.IGNORECASE)
"""Of these what says nothing without a number."""
_NOBODY = re.compile(r"unknown|unbekannt|unidentified|desconocid[oa]|inconnue?|sconosciut[oa]", re.IGNORECASE)
_ROLES_TEXT = """
man woman boy girl men women child narrator announcer reporter host interviewer moderator operator mann frau junge
mädchen erzähler erzählerin sprecher sprecherin homme femme hombre mujer niño niña narrador narradora uomo donna homem
mulher
"""
_ROLES = frozenset(_ROLES_TEXT.split())
"""How captions for the hard of hearing call voices, in small letters and brackets."""
_PARENS = re.compile(r"[ \t]*[(（][^()（）]*[)）]|[ \t]+[|@][ \t]*[^|@\n]{1,40}$")
"""A role, or after a bar the place where somebody works."""
_NEVER = re.compile(r"[!?\"“”…;|<>{}=*/\\^~@§%€$。、！？「」《》]|\.\.|\d[.,:]\d|:|：")
_UNSAID_TEXT = """
inaudible unintelligible indistinct unclear crosstalk overlapping silence pause break foreign redacted bleep recording
video audio playing speaking singing end start begin verse chorus bridge intro outro refrain hook interlude pre-chorus
prelude coda strophe couplet estribillo coro ritornello refrän refren припев куплет unverständlich undeutlich pausa
stille silencio ininteligible incomprensible incompréhensible неразборчиво пауза applause music laughter blank
"""
_UNSAID = frozenset(_UNSAID_TEXT.split())
"""Words that say what is heard or which part of a song it is, not who speaks."""
_MOST_WORDS = 5
_LONGEST = 60
_LONGEST_UNCASED = 20
"""Characters of a name in a script without capital letters."""


def is_anybody(text: str) -> bool:
    """Say whether a program calls somebody so whose name it does not know.

    >>> [is_anybody(text) for text in ("Speaker 1", "SPEAKER_00", "Sprecher 2", "发言人1", "Unknown", "S", "Ana")]
    [True, True, True, True, True, False, False]
    """
    text = text.strip()
    if _NOBODY.fullmatch(text):
        return True
    return _ANYBODY.fullmatch(text) is not None and not _UNSURE_ANYBODY.fullmatch(text)


def may_be_a_lone_name(text: str) -> bool:
    """Say whether a row or what stands in brackets is written as a name is, alone with a role in parentheses.

    >>> [may_be_a_lone_name(text) for text in ("Ana Ruiz", "Ruiz, Ana (Operations)", "Dr. A. Ruiz", "田中太郎")]
    [True, True, True, True]
    >>> [may_be_a_lone_name(text) for text in ("Welcome to", "Good evening.", "inaudible", "Chapter 1", "12:30")]
    [False, False, False, False, False]
    """
    text = text.strip()
    if len(text) > 2 * _LONGEST:
        return False
    bare = _PARENS.sub("", text).strip(" \t,")
    if not bare or len(bare) > _LONGEST:
        return False
    if is_anybody(bare):
        return True
    if _NEVER.search(bare) or bare.count(",") > 1 or not bare[0].isalnum() or not _ends_like_a_name(bare):
        return False
    words = bare.replace(",", " ").split()
    if any(word.lower().strip(".-") in _UNSAID for word in words):
        return False
    if len(words) > _MOST_WORDS or is_no_name(words) or any(char.isdigit() for char in bare):
        return False
    if not any(char.isupper() or char.islower() for char in bare):
        return len(bare) <= _LONGEST_UNCASED and len(bare) > 1
    return all(_like_a_name(word) for word in words) and not words[-1].islower()


def is_a_role(text: str) -> bool:
    """Say whether captions call a voice so: `man`, `narrator`."""
    return text.strip().lower() in _ROLES


def _ends_like_a_name(text: str) -> bool:
    last = text.split()[-1]
    return unicodedata.category(last[-1])[0] in "LMN" or (last[-1] == "." and _is_short(last)) or last[-1] in "'’"


def _is_short(word: str) -> bool:
    """Say whether a word with a point behind it is an initial or a title."""
    letters = word.replace(".", "")
    return len(letters) <= 2 or letters.lower() in TITLES


def _like_a_name(word: str) -> bool:
    if "." in word and not all(_is_short(part) for part in word.split(".") if part):
        return False
    first = next((char for char in word if char.isalpha()), "")
    return bool(first) and (not first.islower() or is_particle(word) or word[:2].lower() in ("d'", "d’", "o'", "al"))


def returning(counts: Mapping[str, int], *, least: int = 2) -> frozenset[str]:
    """Return those of the names that come back, where they are most of what looks like names, else none.

    A name that stands once is among them where the others make the file one with names.

    Args:
        counts: how often each name stands there.
        least: how often a name must stand there to be sure.
    """
    total = sum(counts.values())
    sure = {name for name, count in counts.items() if count >= least or is_anybody(name)}
    said = sum(counts[name] for name in sure)
    if total < 2 or said * 2 < total or not sure or said < 2:
        return frozenset()
    return frozenset(counts)
