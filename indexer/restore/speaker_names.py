"""Names before words (`Ann: Hello`, `**Ann** Hello`) become speakers; `text.speaker_labels` decides what is a name.

To find the names (`find_names`) and to take them (`take_names`) are two functions, so that a receipt can hold the names
and they can be taken again without another look at the whole file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from talksearch.indexer.readers.registry import format_named
from talksearch.indexer.records import Cue, Json, Transcript
from talksearch.indexer.text.speaker_labels import bold_names_in, label_of, names_in, split_bold

from .turns import Voice, share


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
    known = format_named(transcript.format)
    return {
        "labels": sorted(labels),
        "bold": sorted(bold),
        "carried_on": known is not None and known.names_carry_on,
    }


def take_names(cues: Sequence[Cue], names: dict[str, Json], timed: bool, counts: Counter[str]) -> list[Cue]:
    """Take the names that `find_names` found for speakers, and mark where the speaker changes.

    Args:
        cues: in order, with names before their words.
        names: what `find_names` returned.
        timed: whether the cues have times, which are divided where a cue is cut.
        counts: is added to: `names` (different ones) and `cues_with_name`.
    """
    cues = list(cues)
    if names.get("bold"):
        cues = list(_by_bold(cues, frozenset(names["bold"]), timed))
    if names.get("labels"):
        labels = frozenset(names["labels"])
        cues = [_by_label(cue, labels) for cue in cues]
    if names.get("carried_on"):
        cues = _carry_on(cues)
    speakers = [cue.speaker for cue in cues if cue.speaker]
    if speakers:
        counts["names"] = len(set(speakers))
        counts["cues_with_name"] = len(speakers)
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
        spoken = [(name, text) for name, text in pieces if text]
        if len(spoken) == 1:
            ((name, text),) = spoken
            yield replace(cue, text=text, speaker=name, words=cue.words if text == cue.text else ())
            continue
        voices = [Voice([(word, None) for word in text.split(" ")], name, False) for name, text in spoken]
        for part in share(cue, voices, timed):
            text = " ".join(word for word, _ in part.tokens)
            yield Cue(part.start_ms, part.end_ms, text, part.speaker, part.turn, pause_after=part.pause_after)


def _by_label(cue: Cue, names: frozenset[str]) -> Cue:
    label = label_of(cue.text) if cue.speaker is None else None
    if not label or label[0] not in names:
        return cue
    name, label_end = label
    text = cue.text[label_end:]
    if not text.strip():
        return cue
    label_words = len(cue.text[:label_end].split())
    words = cue.words[label_words:] if cue.words else ()
    if words and " ".join(word.text for word in words) != text:
        words = ()
    return replace(cue, text=text, speaker=name, words=words)


def _carry_on(cues: list[Cue]) -> list[Cue]:
    """Give the lines up to the next name to the speaker of the last one."""
    out = []
    name: str | None = None
    for cue in cues:
        name = cue.speaker or name
        out.append(cue if cue.speaker or name is None else replace(cue, speaker=name))
    return out
