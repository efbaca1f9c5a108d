"""Names before words (`Ann: Hello`, `**Ann** Hello`) to speakers of cues; what is a name `readers.names` decides.

Finding the names (`find_names`) and taking them (`take_names`) are two functions, so that what was found can be noted
down and taken again without looking at the whole file anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from talksearch.indexer.records import Cue, Json, Transcript
from talksearch.indexer.text.speaker_labels import bold_names_in, label_of, names_in, split_bold

from .turns import share


def find_names(cues: Sequence[Cue], transcript: Transcript) -> dict[str, Json]:
    """Find the names that stand before colons where the file as a whole says that they are names of speakers.

    Returns what `take_names` needs: `labels`, `bold` (names in bold letters) and `carried_on`; nothing where there are
    none, or where speakers are known already.
    """
    if any(cue.speaker for cue in cues):
        return {}
    bold = bold_names_in(cue.text for cue in cues)
    if bold:
        cues = list(_by_bold(cues, bold, transcript.timed))
    labels = names_in([cue.text for cue in cues if cue.speaker is None])
    if not (labels or bold):
        return {}
    return {
        "labels": sorted(labels),
        "bold": sorted(bold),
        "carried_on": transcript.format in ("text", "markdown", "record"),
    }


def take_names(cues: Sequence[Cue], found: dict[str, Json], timed: bool, counts: Counter[str]) -> list[Cue]:
    """Take the names that `find_names` found for speakers, and mark where the speaker changes.

    `counts` is added to: `names` (different ones) and `cues_with_name`.
    """
    cues = list(cues)
    if found.get("bold"):
        cues = list(_by_bold(cues, frozenset(found["bold"]), timed))
    if found.get("labels"):
        labels = frozenset(found["labels"])
        cues = [_named(cue, labels) for cue in cues]
    if found.get("carried_on"):
        cues = _carry_on(cues)
    named = [cue.speaker for cue in cues if cue.speaker]
    if named:
        counts["names"] = len(set(named))
        counts["cues_with_name"] = len(named)
    out = []
    last: str | None = None
    for cue in cues:
        if cue.speaker and last is not None and cue.speaker != last and not cue.turn:
            cue = replace(cue, turn=True)
        last = cue.speaker or last
        out.append(cue)
    return out


def _by_bold(cues: Sequence[Cue], names: frozenset[str], timed: bool) -> Iterator[Cue]:
    pending: str | None = None  # a name at the end of a cue, whose words begin the next
    for cue in cues:
        pieces: list[tuple[str | None, str]] = [(None, cue.text)]
        if "**" in cue.text:
            pieces = split_bold(cue.text, names)
        if pending and pieces and pieces[0][0] is None:
            pieces[0] = (pending, pieces[0][1])
        pending = pieces[-1][0] if pieces and not pieces[-1][1] else None
        groups = [([(word, None) for word in text.split(" ")], name, False) for name, text in pieces if text]
        if len(groups) == 1:
            text = next(text for _, text in pieces if text)
            yield replace(cue, text=text, speaker=groups[0][1], words=cue.words if text == cue.text else ())
            continue
        for part in share(cue.start_ms, cue.end_ms, groups, cue.turn, timed) if groups else ():
            yield Cue(part.start_ms, part.end_ms, " ".join(word for word, _ in part.tokens), part.speaker, part.turn)


def _named(cue: Cue, names: frozenset[str]) -> Cue:
    found = label_of(cue.text) if cue.speaker is None else None
    if not found or found[0] not in names:
        return cue
    name, at = found
    text = cue.text[at:]
    if not text.strip():
        return cue
    gone = len(cue.text[:at].split())
    words = cue.words[gone:] if cue.words else ()
    if words and " ".join(word.text for word in words) != text:
        words = ()
    return replace(cue, text=text, speaker=name, words=words)


def _carry_on(cues: list[Cue]) -> list[Cue]:
    """In written transcripts a name stands once a turn: the lines up to the next name are of the same speaker."""
    out = []
    name: str | None = None
    for cue in cues:
        name = cue.speaker or name
        out.append(cue if cue.speaker or name is None else replace(cue, speaker=name))
    return out
