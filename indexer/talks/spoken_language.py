"""The language of a talk: as it is stated, else as its words tell it; and what the words say against what is stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.indexer.records import Cue, Step
from talksearch.indexer.text.language_codes import language_code
from talksearch.indexer.text.languages import DETECTOR, Detected, detect_language

_CERTAIN = 0.999
"""How sure the detector must be to say that what is stated is wrong."""
_ALMOST_ALL = 0.9
_CLOSE = (
    frozenset(("no", "nb", "nn", "da")),
    frozenset(("hr", "sr", "bs", "sh")),
    frozenset(("id", "ms")),
    frozenset(("zh", "yue", "wuu", "cmn", "nan")),
    frozenset(("tl", "fil")),
    frozenset(("cs", "sk")),
    frozenset(("pt", "gl")),
    frozenset(("af", "nl")),
)
"""Languages that the detector takes for one another, or that have two names."""


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """The language of a talk, and what is to be said about it."""

    language: str | None
    step: Step | None = None
    """Set where the words told it."""
    note: str | None = None


def spoken_language(stated: str | None, cues: Sequence[Cue]) -> SpokenLanguage:
    """Return the language of a talk.

    Args:
        stated: the BCP 47 tag that its file, its name or its metadata gives; it stays, whatever the words are.
        cues: the talk's.
    """
    found = detect_language([cue.text for cue in cues])
    if found is None:
        return SpokenLanguage(stated)
    if found.language is None:
        return SpokenLanguage(stated, note=_mixed(found))
    if stated is not None:
        return SpokenLanguage(stated, note=_against(stated, found))
    detail = {
        "language": found.language,
        "share": found.shares[0][1],
        "certainty": found.certainty,
        "detector": DETECTOR,
    }
    return SpokenLanguage(found.language, Step("detect-language", "language", detail))


def _mixed(found: Detected) -> str | None:
    shares = [(language, share) for language, share in found.shares if share >= 1 - _ALMOST_ALL]
    if len(shares) < 2:
        return None
    how_many = "two" if len(shares) == 2 else "several"
    said = ", ".join(f"{language} {share:.0%}" for language, share in shares)
    return f"The words are in {how_many} languages: {said}."


def _against(stated: str, found: Detected) -> str | None:
    one, other = language_code(stated), found.shares[0][0]
    if one == other or found.certainty < _CERTAIN or found.shares[0][1] < _ALMOST_ALL:
        return None
    if any({one, other} <= close for close in _CLOSE):
        return None
    return f"The language is said to be {stated}, but the words are in {other}."
