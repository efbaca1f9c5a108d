"""Which language words are in, told by the words alone: for talks of which nobody says it.

The detector is `py3langid`, a naive Bayes classifier over byte sequences: it needs no network, gives the same answer
every time, and is loaded when the first talk asks for it. It always answers, so what it says counts only where it is
sure and where samples from all over a talk agree. Writing systems are looked at first: a talk in Chinese and English is
in two languages, whatever its bytes resemble.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Protocol

from talksearch.indexer import disk
from talksearch.indexer.errors import DiskError

DETECTOR = "py3langid"
FEWEST_WORDS = 10
"""Words below which no language is told."""
_MANY_WORDS = 20
"""From here on the detector need not be quite as sure."""

_VARIETIES = frozenset((
    "ace", "an", "ary", "arz", "bcl", "crh", "dz", "eo", "ext", "fuv", "gcf", "gcr", "gom", "grc", "gug", "guw", "hbo",
    "kab", "kik", "la", "lij", "ltg", "nn", "nso", "pcm", "sdh", "se", "uzs", "vec", "vo", "wa", "wuu", "yue", "zxx",
))  # fmt: skip
"""Languages that the detector knows, and that talks are taken for rather than held in: small varieties of others, dead
ones. The larger one beside them is meant (`pcm` is what hesitations in English look like)."""
_SAMPLES = 10
_SAMPLE_CHARACTERS = (50, 240)
"""A sample has as many at least, where a talk has them, and at most."""
_SURE_WHOLE = 0.95
_SURE_OF_FEW = 0.98
"""Certainty of the detector over all samples at once, of many words and of few."""
_SURE_SAMPLE = 0.8
_MOST_OTHERS = 0.25
"""Share of the words that other languages may have in a talk that is in one."""
_FEWEST_OF_ANOTHER = 3
"""Samples that are in another language before a talk is in two."""
_CHARACTERS_A_WORD = 1.6
"""Of scripts that write no spaces."""
_UNSPACED = ("cjk", "thai", "lao", "khmer", "myanmar")
_SCRIPTS: dict[str, str] = {
    "latin": "A-Za-zªºÀ-ÖØ-öø-ʯḀ-ỿ",
    "greek": "Ͱ-Ͽἀ-῿",
    "cyrillic": "Ѐ-ԯ",
    "armenian": "԰-֏",
    "hebrew": "֐-׿",
    "arabic": "؀-ۿݐ-ݿࢠ-ࣿﭐ-﷿ﹰ-ﻼ",
    "devanagari": "ऀ-ॿ",
    "bengali": "ঀ-৿",
    "gurmukhi": "਀-੿",
    "gujarati": "઀-૿",
    "oriya": "଀-୿",
    "tamil": "஀-௿",
    "telugu": "ఀ-౿",
    "kannada": "ಀ-೿",
    "malayalam": "ഀ-ൿ",
    "sinhala": "඀-෿",
    "thai": "฀-๿",
    "lao": "຀-໿",
    "tibetan": "ༀ-࿿",
    "myanmar": "က-႟",
    "georgian": "Ⴀ-ჿ",
    "hangul": "ᄀ-ᇿ가-힣",
    "ethiopic": "ሀ-፿",
    "khmer": "ក-៿",
    "cjk": "぀-ヿ㐀-䶿一-鿿豈-﫿",
}
"""Ranges of letters by writing system; Han and kana are one, as Japanese mixes them."""
_RUN = re.compile(
    "|".join(f"(?P<{name}>[{chars}](?:(?:[{chars}]|[^\\w\\n]|[\\d_])*[{chars}])?)" for name, chars in _SCRIPTS.items())
)
"""Letters of one writing system, with figures and signs between them."""


class _Identifier(Protocol):
    def rank(self, text: str) -> list[tuple[str, float]]: ...


@dataclass(frozen=True, slots=True)
class Detected:
    """What the words of a talk say about its language."""

    language: str | None
    """A BCP 47 tag; None where the words are in several languages, or nothing is sure."""
    certainty: float
    """How sure the detector is, from 0 to 1."""
    shares: tuple[tuple[str, float], ...]
    """The languages by their share of the words, the largest first; what is not sure is in none of them."""


_loading = Lock()
"""Held while the detector is loaded."""


def load_detector() -> None:
    """Load what tells languages. Half of that is unpacking, beside which another thread of Python runs.

    Where it cannot be loaded, whoever needs it is told.
    """
    with suppress(DiskError, MemoryError, OSError):
        _identifier()


def _identifier() -> _Identifier:
    with _loading:
        return _load_identifier()


@lru_cache(maxsize=1)
def _load_identifier() -> _Identifier:
    # Takes most of a second: only who needs it pays.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    with disk.refusals_told(Path(tempfile.gettempdir())):  # where it unpacks its model
        found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages([str(label) for label in found.labels if str(label) not in _VARIETIES])
    identifier: _Identifier = found
    return identifier


def _best(text: str) -> tuple[str, float]:
    # Capital letters are other bytes than those that the detector learned.
    language, certainty = _identifier().rank(text.lower() if text.isupper() else text)[0]
    return str(language), float(certainty)


def detect_language(texts: Sequence[str]) -> Detected | None:
    """Tell the language of a talk by its words.

    Args:
        texts: its cues, in order.

    Returns:
        The language, where one has nearly all of the words; their shares where several have; None where there are too
        few words to tell (`FEWEST_WORDS`), or none of them is sure.

    >>> detect_language(["Guten Morgen."]) is None
    True
    """
    by_script = _by_script(texts)
    total = sum(words for _, words in by_script.values())
    if total < FEWEST_WORDS:
        return None
    shares: dict[str, float] = {}
    certainty = 1.0
    for runs, words in by_script.values():
        if words < FEWEST_WORDS / 2 or words < total * _MOST_OTHERS / 2:
            continue
        told, sure = _told(runs)
        certainty = min(certainty, sure) if words > total / 2 else certainty
        for language, share in told.items():
            shares[language] = shares.get(language, 0.0) + share * words / total
    if not shares:
        return None
    largest = sorted(shares.items(), key=lambda pair: -pair[1])
    ordered = tuple((language, round(share, 3)) for language, share in largest)
    others = sum(share for _, share in ordered[1:])
    is_sure = certainty >= (_SURE_WHOLE if total >= _MANY_WORDS else _SURE_OF_FEW)
    sure_of_one = is_sure and others <= _MOST_OTHERS and ordered[0][1] >= 1 - 2 * _MOST_OTHERS
    if not sure_of_one and others <= _MOST_OTHERS:
        return None
    return Detected(ordered[0][0] if sure_of_one else None, round(certainty, 3), ordered)


def shares_of_languages(text: str, languages: Sequence[str]) -> dict[str, float]:
    """Return how likely a title is in each of some languages, where it is in one of them; they sum up to 1.

    A title is too short to tell its language among all there are; among two or three a word may do. Empty where it has
    no letters, or the detector knows one of the languages not.

    Args:
        text: the title.
        languages: BCP 47 tags without region.

    >>> shares = shares_of_languages("Warum wir schlafen", ["de", "en"])
    >>> shares["de"] > 0.95, shares_of_languages("1984", ["de", "en"])
    (True, {})
    """
    scores = {str(found): float(score) for found, score in _identifier().rank(text.lower())}
    known = {language: scores[language] for language in languages if language in scores}
    whole = sum(known.values())
    if len(known) < len(languages) or not whole or not any(map(str.isalpha, text)):
        return {}
    return {language: score / whole for language, score in known.items()}


def _by_script(texts: Sequence[str]) -> dict[str, tuple[list[str], float]]:
    """Return what is written in each writing system, in order, with the words that it has, of samples of the texts."""
    found: dict[str, tuple[list[str], float]] = {}
    for text in _spread(texts):
        for match in _RUN.finditer(text):
            script = match.lastgroup or ""
            run = match[0]
            runs, words = found.get(script, ([], 0.0))
            letters = len(run) / _CHARACTERS_A_WORD if script in _UNSPACED else len(run.split())
            runs.append(run)
            found[script] = runs, words + letters
    return found


def _spread(texts: Sequence[str]) -> Iterator[str]:
    """Yield stretches of texts from all over them: enough for `_SAMPLES`, and no more than needed."""
    wanted = _SAMPLES * _SAMPLE_CHARACTERS[0] * 4
    if sum(map(len, texts)) <= wanted:
        yield from texts
        return
    parts = _SAMPLES
    for part in range(parts):
        have = 0
        for text in texts[len(texts) * part // parts : len(texts) * (part + 1) // parts]:
            yield text[: wanted // parts]
            have += len(text)
            if have >= wanted // parts:
                break


def _told(runs: Sequence[str]) -> tuple[dict[str, float], float]:
    """Return the languages of one writing system by their share of the words, and how sure the detector is of all."""
    language, certainty = _best("\n".join(runs))
    weights: Counter[str] = Counter()
    samples: Counter[str] = Counter()
    for sample in _samples(runs):
        guess, sure = _best(sample)
        if sure >= _SURE_SAMPLE:
            weights[guess] += len(sample)
            samples[guess] += 1
    # One sample that is taken for another language is an error of the detector, or a quotation.
    kept = {
        guess: weight for guess, weight in weights.items() if guess == language or samples[guess] >= _FEWEST_OF_ANOTHER
    }
    if not kept:
        return {language: 1.0}, certainty
    whole = sum(kept.values())
    return {guess: weight / whole for guess, weight in kept.items()}, certainty


def _samples(runs: Sequence[str]) -> Iterator[str]:
    """Yield single cues where they are long enough, else several: so that languages that take turns stay apart."""
    least, most = _SAMPLE_CHARACTERS
    waiting = ""
    given = 0
    step = max(len(runs) // (_SAMPLES * 4), 1)
    for run in runs[::step] if len(runs) > _SAMPLES * 8 else runs:
        waiting = f"{waiting} {run}".strip()
        size = len(waiting.encode()) if not waiting.isascii() else len(waiting)
        if size >= least:
            yield waiting[:most]
            given += 1
            waiting = ""
        if given >= _SAMPLES:
            return
    if waiting and not given:
        yield waiting
