"""The language of a talk: as it is stated, but for where its words are surely in another; else as its words tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.indexer.records import Cue, Json, Step
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
    """Set where the words told it, also against what is stated."""
    note: str | None = None


def spoken_language(stated: str | None, cues: Sequence[Cue]) -> SpokenLanguage:
    """Return the language of a talk.

    Args:
        stated: the BCP 47 tag that its file, its name or its metadata gives. It stays where nobody can be sure that the
            words are in another language.
        cues: the talk's.
    """
    found = detect_language([cue.text for cue in cues])
    if found is None:
        return SpokenLanguage(stated)
    if found.language is None:
        return SpokenLanguage(stated, note=_mixed(found))
    if stated is not None and not _contradicts(found, stated):
        return SpokenLanguage(stated)
    detail: dict[str, Json] = {
        "language": found.language,
        "share": found.shares[0][1],
        "certainty": found.certainty,
        "detector": DETECTOR,
    }
    note = None
    if stated is not None:
        detail["stated"] = stated
        note = f"The language is said to be {stated}, but the words are in {found.language}; they count."
    return SpokenLanguage(found.language, Step("detect-language", "language", detail), note)


def _mixed(found: Detected) -> str | None:
    shares = [(language, share) for language, share in found.shares if share >= 1 - _ALMOST_ALL]
    if len(shares) < 2:
        return None
    how_many = "two" if len(shares) == 2 else "several"
    said = ", ".join(f"{language} {share:.0%}" for language, share in shares)
    return f"The words are in {how_many} languages: {said}."


def _contradicts(found: Detected, stated: str) -> bool:
    """Say whether words are surely in another language than is stated."""
    one, other = language_code(stated), found.shares[0][0]
    if one == other or found.certainty < _CERTAIN or found.shares[0][1] < _ALMOST_ALL:
        return False
    return not any({one, other} <= close for close in _CLOSE)
