"""What was done to a transcript, in sentences for people: the steps of a receipt, and what became of its words."""

from __future__ import annotations

from collections.abc import Iterator

from talksearch.indexer.records import Receipt, Step, Talk
from talksearch.indexer.text.untrusted import safe

from .common import counted
from .receipts import times_found

_DONE: dict[str, tuple[str, dict[str, str]]] = {
    "break-lines": ("Line ends that had been lost were found again", {"cues": "line"}),
    "collapse-rolling": (
        "Rolling captions show each line several times; it was kept once",
        {"lines_before": "line before", "lines_after": "line behind", "lines": "line"},
    ),
    "drop-boilerplate": ("Lines that are a service's own were left out", {"rows": "line"}),
    "drop-copies": ("Captions that stand there twice were kept once", {"cues": "caption"}),
    "drop-invisible": ("Characters that nobody sees were taken out", {"invisible": "character"}),
    "drop-sounds": ("Descriptions of sounds were left out", {"sounds": "sound", "notes": "sign of music"}),
    "drop-times": ("The times that stand there cannot be true and were not used", {"cues": "caption"}),
    "drop-track": ("A second track that says the same was left out", {"cues": "caption"}),
    "follow-highlights": ("Lines that light up word by word were read as lines", {"lines": "line"}),
    "join-cut-cues": ("Captions that were cut in two were joined", {"cues": "caption"}),
    "join-documents": ("Several documents in one file were joined", {"documents": "document"}),
    "join-recordings": ("Recordings that follow each other were put on one clock", {"cues": "caption"}),
    "join-rows": ("Rows that belong together were joined", {"rows": "row"}),
    "join-segments": ("Segments, each with its own clock, were put on one clock", {"segments": "segment"}),
    "join-time-lines": ("Times and words that stand on lines of their own were joined", {"cues": "caption"}),
    "leave-out-comments": ("Comments were left out", {"lines": "line"}),
    "leave-out-days": ("Lines that say only the day were left out", {"lines": "line"}),
    "leave-out-drafts": ("Drafts of what was recognised were left out", {"drafts": "draft"}),
    "leave-out-drawings": ("Captions that draw and say nothing were left out", {"cues": "caption"}),
    "leave-out-identifiers": ("Names of captions were left out", {"identifiers": "name"}),
    "leave-out-readings": ("Words that the file holds in another form as well were left out", {}),
    "leave-out-tokens": ("Signs of the speech recognition were left out", {"tokens": "sign"}),
    "mark-turns": ("Marks of a new speaker were read as such", {"turns": "turn"}),
    "mend-times": (
        "Times that cannot be so were mended",
        {
            "backwards": "time that ran backwards",
            "ends": "end",
            "absurd": "time beyond reason",
            "negative": "time below zero",
        },
    ),
    "merge-revisions": ("Live captions that correct themselves were read in their last version", {"cues": "caption"}),
    "name-by-identifiers": ("Speakers are named by the names of the captions", {"cues_with_name": "line"}),
    "order-times": ("Times that ran backwards were put in order", {"cues": "line"}),
    "read-damaged-times": ("Times were read that are written wrongly", {"lines": "time"}),
    "read-damaged-vtt": ("The file is not quite WebVTT and was read all the same", {"cues": "caption"}),
    "read-data-cues": ("Captions that are data were read for what is said in them", {"cues": "caption"}),
    "read-frames": ("Frames were read as times", {}),
    "read-milliseconds": ("Times were read as milliseconds", {}),
    "read-turn-heads": ("Heads of turns were read as times and names", {"turns": "turn"}),
    "read-units": ("Times were read in the unit that fits the words", {}),
    "repair-text": ("Letters that had been read in the wrong code page were put back", {"count": "place"}),
    "scale-times": ("Times that were off a thousandfold were put right", {}),
    "shift-times": ("All times were moved to where the recording begins", {}),
    "sort-cues": ("Captions were put in the order of their times", {"out_of_order": "caption out of order"}),
    "strip-markup": (
        "Markup was taken out",
        {"tags": "tag", "comments": "comment", "entities": "character as a code"},
    ),
    "take-name-rows": ("Names that stand in rows of their own were put to what they say", {"cues_with_name": "line"}),
    "take-names": (
        "Names were taken out of the text and put to what they say",
        {"names": "name", "cues_with_name": "line"},
    ),
    "tidy": ("Odd spaces and controls were taken out", {"cues": "line"}),
    "unfold-rolling": (
        "The words stand there several times over, as rolling captions were pasted; they were kept once",
        {"copies": "repetition", "lines": "line"},
    ),
}
"""What each step did, where `_sentence` does not know it better, and the counts of its detail that say how much, with
their nouns."""

_REASONS = {
    "markup": "as markup",
    "metadata": "since they are about the talk",
    "names": "as names of speakers",
    "sounds": "as sounds",
    "boilerplate": "as a service's own",
    "repair-text": "since a repair joined them",
    "drop-track": "with a second track",
}
"""Why words were left out, by the reason that a receipt has."""


def step_sentences(talk: Talk) -> Iterator[str]:
    """Yield what was done to a talk, a sentence for each step that changed something; plain reading changes nothing."""
    for step in talk.receipt.steps:
        if sentence := _sentence(step, talk):
            yield safe(sentence)


def _sentence(step: Step, talk: Talk) -> str:
    detail = step.detail
    match step.name:
        case "read":
            return ""
        case "decode":
            encoding = str(detail.get("encoding", ""))
            how = "" if encoding in ("", "utf-8", "docx") else f" as {encoding}"
            without = f" without {counted('zero byte', zeros)}" if (zeros := detail.get("zeros")) else ""
            return f"The file was decoded{how}{without}." if how or without else ""
        case "take-from":
            return f"The {step.field} was taken from {detail['from']}."
        case "detect-language":
            return f"The language was told from the words: {detail['language']}."
        case "estimate-times" | "align-times":
            return f"Times are {times_found(talk)}."
    done, nouns = _DONE.get(step.name, (step.name.replace("-", " ").capitalize(), {}))
    where = f" in the {step.field}" if step.field not in ("cues", "file") else ""
    counts = [
        counted(noun, count) for key, noun in nouns.items() if isinstance(count := detail.get(key), int) and count
    ]
    if unsure := detail.get("uncertain"):
        counts.append(f"{unsure:,} not certain")
    return f"{done}{where}{': ' if counts else ''}{', '.join(counts)}."


def words_sentence(receipt: Receipt) -> str:
    """Say what became of every word of a file.

    >>> words_sentence(Receipt(words_before=12, words_after=5, words_folded=4, words_left_out={"markup": 3}))
    'The file holds 12 words: 5 are said here, 4 stand there again, folded, 3 left out as markup.'
    """
    fates = [f"{receipt.words_after:,} are said here"]
    if receipt.words_folded:
        fates.append(f"{receipt.words_folded:,} stand there again, folded")
    fates += [
        f"{count:,} left out {_REASONS.get(reason, f'by {reason}')}"
        for reason, count in sorted(receipt.words_left_out.items(), key=lambda each: -each[1])
        if count > 0
    ]
    if receipt.words_lost:
        fates.append(f"{receipt.words_lost:,} lost")
    return f"The file holds {receipt.words_before:,} words: {', '.join(fates)}."
