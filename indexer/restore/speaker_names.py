"""Names before words (`Ann: Hello`, `**Ann** Hello`) become speakers; `text.speaker_labels` decides what is a name.

To find the names (`find_names`) and to take them (`take_names`) are two functions, so that a receipt can hold the names
and they can be taken again without another look at the whole file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from talksearch.indexer.readers.registry import format_named
from talksearch.indexer.records import Cue, Json, Transcript
from talksearch.indexer.text.lone_names import may_be_a_lone_name
from talksearch.indexer.text.speaker_labels import bold_names_in, label_of, names_in, split_bold

from .markup import Token
from .turns import Voice, share

_SENTENCE_END = re.compile(r"(?<=[.!?…\"”»)\]–—-]) (?=[\[(*_]*[^\W_])|(?<=[。！？」])(?=\w)")
_DASHES = ("-", "‐", "–", "—", ">>")
_FEWEST_TURNS = 4
"""Turns that are marked, below which names at them say nothing of the others."""


def find_names(cues: Sequence[Cue], transcript: Transcript) -> dict[str, Json]:
    """Find the names that stand before colons where the file as a whole says that they are names of speakers.

    Where some speakers are known already, a label of another cue counts if it comes back, is in capitals, or is known.

    Returns what `take_names` needs: `labels`, `bold` (names in bold letters) and `carried_on`; nothing where there are
    none.
    """
    known_names = {cue.speaker for cue in cues if cue.speaker}
    bold = frozenset[str]() if known_names else bold_names_in(cue.text for cue in cues)
    if bold:
        cues = list(_by_bold(cues, bold, transcript.timed))
    unnamed = [cue for cue in cues if cue.speaker is None]
    labels = names_in(cue.text for cue in unnamed) | _names_at_turns(unnamed)
    if known_names:
        counts = Counter(label[0] for cue in unnamed if (label := label_of(cue.text)))
        labels = frozenset(name for name in labels if counts[name] > 1 or name.isupper() or name in known_names)
        if len(unnamed) * 2 < len(cues):
            labels |= {name for name in counts if may_be_a_lone_name(name)}
    if labels:
        labels |= _names_behind_sentences(unnamed, labels)
    if not (labels or bold):
        return {}
    known = format_named(transcript.format)
    return {
        "labels": sorted(labels),
        "bold": sorted(bold),
        "carried_on": known is not None and known.names_carry_on and not known_names,
    }


def _names_behind_sentences(cues: Sequence[Cue], labels: frozenset[str]) -> frozenset[str]:
    """Return names that stand before a colon inside cues only, and come back; `labels` are those at beginnings."""
    counts: Counter[str] = Counter()
    for cue in cues:
        if cue.text.count(":") + cue.text.count("：") > 1:
            for match in _SENTENCE_END.finditer(cue.text):
                label = label_of(cue.text[match.end() :])
                if label and label[0] not in labels and may_be_a_lone_name(label[0]):
                    counts[label[0]] += 1
    return frozenset(name for name, count in counts.items() if count > 1 and (len(name.split()) > 1 or count > 2))


def _names_at_turns(cues: Sequence[Cue]) -> frozenset[str]:
    """Return names before colons where turns are marked (`>>`) and names stand at these, not at every cue."""
    turns = [cue.text for cue in cues if cue.turn]
    return names_in(turns) if len(turns) >= _FEWEST_TURNS else frozenset()


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
        cues = [part for cue in cues for part in _by_label(cue, labels, timed)]
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


def _by_label(cue: Cue, names: frozenset[str], timed: bool) -> Iterator[Cue]:
    """Take a name before a colon at the beginning of a cue, and cut the cue where another stands behind a sentence."""
    label = label_of(cue.text) if cue.speaker is None else None
    name: str | None = None
    start = 0
    if label and label[0] in names and cue.text[label[1] :].strip():
        name, start = label
    cuts: list[tuple[str | None, int, int]] = [(name, 0, start)] if name else []
    if ":" in cue.text[start:] or "：" in cue.text[start:]:
        cuts += _labels_behind_sentences(cue.text, start, names)
    if not cuts:
        yield cue
        return
    if len(cuts) == 1 and name:
        text = cue.text[start:]
        words = cue.words[len(cue.text[:start].split()) :] if cue.words else ()
        if words and " ".join(word.text for word in words) != text:
            words = ()
        yield replace(cue, text=text, speaker=name, words=words)
        return
    if not name:
        cuts.insert(0, (cue.speaker, 0, 0))
    ends = [*(cut[1] for cut in cuts[1:]), len(cue.text)]
    voices = [
        Voice(_tokens(cue, begin, end, is_last=number + 1 == len(ends)), who, number > 0)
        for number, ((who, _, begin), end) in enumerate(zip(cuts, ends, strict=True))
    ]
    for part in share(cue, [voice for voice in voices if voice.tokens], timed):
        text = " ".join(word for word, _ in part.tokens)
        yield Cue(part.start_ms, part.end_ms, text, part.speaker, part.turn, pause_after=part.pause_after)


def _labels_behind_sentences(text: str, start: int, names: frozenset[str]) -> list[tuple[str | None, int, int]]:
    """Return the names that stand behind the end of a sentence: name, its place, and where its words begin."""
    found: list[tuple[str | None, int, int]] = []
    for match in _SENTENCE_END.finditer(text, start):
        begin = match.end()
        label = label_of(text[begin:])
        if label and label[0] in names and text[begin + label[1] :].strip():
            found.append((label[0], begin, begin + label[1]))
    return found


def _tokens(cue: Cue, begin: int, end: int, *, is_last: bool) -> list[Token]:
    """Return the words of a cue between two characters, with their times where it has some.

    A dash of dialogue before the next name (`is_last` is false) is none.
    """
    words = cue.text[begin:end].split()
    if not is_last and words and words[-1] in _DASHES:
        words.pop()
    skipped = len(cue.text[:begin].split())
    if not cue.words or len(cue.words) != len(cue.text.split()):
        return [(word, None) for word in words]
    return [(word, cue.words[skipped + number].start_ms) for number, word in enumerate(words)]


def _carry_on(cues: list[Cue]) -> list[Cue]:
    """Give the lines up to the next name to the speaker of the last one."""
    out = []
    name: str | None = None
    for cue in cues:
        name = cue.speaker or name
        out.append(cue if cue.speaker or name is None else replace(cue, speaker=name))
    return out
