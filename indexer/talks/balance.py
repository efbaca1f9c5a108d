"""Every word of a file accounted for: indexed, said again and folded, or left out for a reason that is named.

The words of the file come from a counter that knows no cues (`readers.file_words`), those that were indexed from the
restored cues. What lies between the two must be explained by the steps of the receipt and by the form of the file; what
is not is lost, and the receipt says so. Nothing is believed because a step says it: a word that was folded must still
stand among those that were indexed, and a word that was left out as markup must stand where the file has markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from talksearch.indexer.readers.file_words import Bag, FileWords, labels_in, markup_in
from talksearch.indexer.records import Cue, Step, Transcript
from talksearch.indexer.restore.sound_labels import is_sound
from talksearch.indexer.text.counting import bag_of, words_in

_SPEECH_SHARE = 10
"""A field that holds one in so many of the indexed words, or more, holds what is said."""
_FOUND_PERCENT = 50
"""Of the words of such a field that were indexed, at least."""
_COUNTED = ("words_left_out", "words_corrected")
"""Keys of steps that say how many words they left out that stand nowhere else."""
_LINES = "lines_left_out"
"""Key of steps that leave whole lines out: which."""
_LONGEST_PART = 20
"""Letters of a part of a word that is looked for."""
_LONGEST_WHOLE = 60
"""Letters of a word of which every way to cut it is tried, which takes the square of them, in memory as well."""
_TOLD_BY_WORDS = ("names", "sounds", "boilerplate")
"""Reasons that are told by the words themselves; the steps that took them out count them as well."""
_EXAMPLES = 5
UNBALANCED = "The words do not balance"
"""How the sentence of a receipt begins that says so."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of the words of a file: `before` = indexed + folded + left out + lost."""

    before: int
    """Words of the file."""
    indexed: int
    """Words of the restored cues."""
    folded: int = 0
    """Words that stand there again, as rolling captions and copies have them."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Words by the reason for which they were not indexed."""
    lost: int = 0
    """Words that nothing explains."""
    invented: int = 0
    """Words that were indexed and do not stand in the file."""
    examples: tuple[str, ...] = ()
    """Some of those that were lost or invented."""

    def left_out_with(self, reason: str, count: int) -> dict[str, int]:
        """Return the words left out and, where there are any, so many for another reason: below zero where a step made
        several words of one.
        """
        return {**self.left_out, reason: count} if count else dict(self.left_out)

    @property
    def problem(self) -> str | None:
        """A sentence that says what does not close; None where every word is accounted for."""
        if not (self.lost or self.invented):
            return None
        what = [
            f"{count:,} words {fate}"
            for count, fate in (
                (self.lost, "of the file are neither indexed nor left out for a reason"),
                (self.invented, "are indexed that the file does not hold"),
            )
            if count
        ]
        return f"{UNBALANCED}: {' and '.join(what)}, such as {', '.join(map(repr, self.examples))}."


def balance(file: FileWords, said: Sequence[Cue], transcript: Transcript, steps: Sequence[Step]) -> Balance:
    """Account for the words of a file.

    Args:
        file: its words.
        said: its cues, restored; their text as it was before misread letters were repaired.
        transcript: what its reader found beside the cues.
        steps: what the reader and `clean` did.
    """
    indexed = bag_of("\n".join(cue.text for cue in said))
    invented = indexed - file.words
    unexplained = file.words - indexed
    left_out = Counter({"markup": file.count - file.words.total()})
    if invented:  # what looks like a tag may be said
        tags = invented & bag_of("\n".join(file.taken))
        invented -= tags
        left_out["markup"] -= tags.total()
        left_out["joined"] = _join(unexplained, invented)
    if file.fields:
        missing = _missing_in_fields(file, indexed)
        left_out["metadata"] = unexplained.total() - missing.total()
        unexplained = missing
    room = _folded_by(steps)
    for reason, words in _reasons(file, said, transcript, steps):
        # To look for markup takes longest, and most files have none left.
        if not unexplained or (
            reason == "markup" and unexplained.total() <= room and unexplained.keys() <= indexed.keys()
        ):
            break
        taken = unexplained & words()
        left_out[reason] += taken.total()
        unexplained -= taken
    folded = 0
    for word in [word for word in unexplained if word in indexed] if room else ():
        folded += unexplained.pop(word)
    if folded > room:  # said elsewhere as well, but no step says that it folded so many
        unexplained["…"] = folded - room
        folded = room
    lost = unexplained.total()
    told = sum(left_out[reason] for reason in _TOLD_BY_WORDS)
    for step in steps:
        count, corrected = (int(step.detail.get(key, 0)) for key in _COUNTED)
        told, count = max(told - count, 0), max(count - told, 0) + corrected
        left_out[step.name] += min(count, lost)
        lost -= min(count, lost)
    return Balance(
        before=file.count,
        indexed=indexed.total(),
        folded=folded,
        left_out={reason: count for reason, count in left_out.items() if count},
        lost=lost,
        invented=invented.total(),
        examples=tuple([*(unexplained if lost else ()), *invented][:_EXAMPLES]),
    )


def _join(unexplained: Bag, invented: Bag) -> int:
    """Take words out of both bags that are the same letters, cut otherwise: `over` and `lap` of a file are `overlap`.

    A tag may cut a word of a file, and a line may end inside one. Returns how many words fewer there are for it, below
    zero where there are more.
    """
    fewer = 0
    for whole_bag, part_bag, sign in ((invented, unexplained, 1), (unexplained, invented, -1)):
        for whole in [word for word in whole_bag if len(word) > 1]:
            while whole_bag[whole] > 0 and (parts := _parts(whole, part_bag)):
                whole_bag[whole] -= 1
                for part in parts:  # to subtract a bag looks at every word of the other
                    part_bag[part] -= 1
                fewer += sign * (len(parts) - 1)
    for bag in (unexplained, invented):
        for word in [word for word, count in bag.items() if count <= 0]:
            del bag[word]
    return fewer


def _parts(whole: str, bag: Bag) -> list[str]:
    """Return words of a bag that make up a word when they are joined; none where there are not any."""
    if len(whole) > _LONGEST_WHOLE:
        return _parts_of_long(whole, bag)
    reached: dict[int, list[str]] = {0: []}
    for end in range(1, len(whole) + 1):
        for start in range(max(0, end - _LONGEST_PART), end):
            part = whole[start:end]
            if start in reached and bag[part] > reached[start].count(part):
                reached.setdefault(end, [*reached[start], part])
    return reached.get(len(whole), [])


def _parts_of_long(whole: str, bag: Bag) -> list[str]:
    """Return what `_parts` does, in a time that grows with the word: at each place the longest part that is left.

    What is longer than a word can be is what tags stood in, again and again. Not every way to cut it is tried.
    """
    parts: list[str] = []
    taken: Bag = Counter()
    start = 0
    while start < len(whole):
        lengths = range(min(_LONGEST_PART, len(whole) - start), 0, -1)
        options = (whole[start : start + length] for length in lengths)
        part = next((one for one in options if bag[one] > taken[one]), None)
        if part is None:
            return []
        taken[part] += 1
        parts.append(part)
        start += len(part)
    return parts


def _missing_in_fields(file: FileWords, indexed: Bag) -> Bag:
    """Return the words of the fields that hold what is said, as far as they were not indexed.

    Those fields are told by what was indexed, of which they hold much. Several may hold the same words: whole sentences
    and single words, or one text with capitals and one without. A field that has the letters of another is a copy.
    """
    total = indexed.total()
    missing: Bag = Counter()
    said = []
    for words in file.fields.values():
        found = (words & indexed).total()
        if found * _SPEECH_SHARE >= total and found * 100 >= words.total() * _FOUND_PERCENT:
            said.append(words)
    if any(not words - indexed for words in said):
        whole = [words for words in said if words.total() >= total]
        said = [] if whole else said
    for words in said:
        missing |= words - indexed
    return missing


def _reasons(
    file: FileWords, said: Sequence[Cue], transcript: Transcript, steps: Sequence[Step]
) -> Iterator[tuple[str, Callable[[], Bag]]]:
    """Yield the reasons for which words are left out, each with what finds the words that it explains."""
    yield "metadata", lambda: file.metadata
    described = (transcript.title, transcript.url, transcript.channel, transcript.speaker, transcript.language)
    chapters = [chapter.title for chapter in transcript.chapters]
    yield "metadata", lambda: bag_of("\n".join(filter(None, [*described, transcript.description, *chapters])))
    yield "names", lambda: _any_number(" ".join({cue.speaker for cue in [*transcript.cues, *said] if cue.speaker}))
    yield "sounds", lambda: bag_of("\n".join(label for label in labels_in(file.text) if is_sound(label[1:-1])))
    yield "boilerplate", lambda: bag_of("\n".join(str(line) for step in steps for line in step.detail.get(_LINES, ())))
    yield "markup", lambda: Counter() if file.fields else markup_in(file.text)


def _any_number(text: str) -> Bag:
    """Return the words of a text as if each stood there any number of times."""
    return Counter(dict.fromkeys(words_in(text), 10**9))


def _folded_by(steps: Sequence[Step]) -> int:
    """Return how many words the steps say that they folded; what counts as a word differs a little among them."""
    folded = 0
    for step in steps:
        before, after = step.detail.get("words_before", 0), step.detail.get("words_after", 0)
        folded += int(step.detail.get("words_folded", max(int(before) - int(after), 0)))
    return folded + folded // 10 + 5 if folded else 0
