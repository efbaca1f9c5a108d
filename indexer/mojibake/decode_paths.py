"""Which spans of a text went through which code pages, decided by odds against the text as it stands."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from .budget import RepairBudget
from .codepages import (
    CODECS,
    RARITY_COST,
    DecodePath,
    damage_pattern,
    encoding_table,
    question_mark_pattern,
    undo_decoding,
)
from .detect import (
    LONE_LEAD,
    Span,
    count_explained,
    count_truncated,
    damaged_spans,
    has_question_marks_for_bytes,
    non_ascii_lines,
)
from .lattice import CONTEXT_REACH, Decoding, decode, whole_sequence_at
from .letter_model import Orthography, characters_with_traditional_forms, text_log_probability
from .ngrams import chinese_variants, latin_language, script
from .quotation import pair_marks

# Margins are in nats (natural logarithms of odds): how much likelier a repaired span must be than the original. They
# are priors, set before any measurement.

MARGIN_SEVERAL = 9.0
"""The margin for several damaged characters that stand together."""

MARGIN_SINGLE = 12.0
"""The margin for a single damaged character."""

MARGIN_GUESS = 20.0
"""The margin for at most three damaged characters, all of which lost a byte."""

MARGIN_UNUSUAL = 30.0
"""The margin for a single character that ftfy's list of unlikely neighbours does not know."""

MARGIN_TWICE = 30.0
"""The margin for anything that went through two code pages, which can explain much. Guesses are never accepted."""

MARGIN_CONFIRMED = 3.0
"""The margin where the rest of the text went through the same code pages beyond doubt."""

MARGIN_LONE_LEAD = 5.0
"""The margin for a word whose only damage is a lone lead byte, in a text that went through a code page beyond doubt."""

BEYOND_DOUBT = 40.0
"""From this sum of margins on, the text went through a code page beyond doubt."""

ROUNDS = 6
"""How many decode paths the lines of one text may have."""

SAMPLE_CHARACTERS = 300
"""How many damaged characters are enough to tell the code page by."""

LONGEST_PIECE = 1_000
"""Characters of a line that are sampled together."""

SINGLE_CODEPAGES_TRIED = 5
"""How many code pages are tried by themselves."""

OUTER_CODEPAGES_TRIED = 2
"""How many code pages are tried as the second of two."""

INNER_CODEPAGES_TRIED = 3
"""How many code pages are tried as the first of two."""

_C1_CONTROL = re.compile("[\x80-\x9f]")

_LATIN1_DECODED = re.compile(
    "[\xc2-\xdf][\x80-\x9f]|[\xe0-\xef](?:[\x80-\x9f][\x80-\xbf]|[\x80-\xbf][\x80-\x9f])"
    "|[\xf0-\xf4](?=[\x80-\xbf]{0,2}[\x80-\x9f])[\x80-\xbf]{3}"
)
"""UTF-8 that was decoded as latin-1, with at least one C1 control among its characters."""


@dataclass(frozen=True, slots=True)
class DecodedSpan:
    """A span of a text decoded by one path. `start` and `end` count the text's characters."""

    start: int
    end: int
    decoding: Decoding
    orthography: Orthography
    path: DecodePath
    margin: float
    """How much likelier the decoding is than the original, in nats."""
    context: str
    """What stands before the span in its line."""
    damaged_text: str
    """The text that was decoded: the span and a little more, to the end of a word."""


def decode_damaged_spans(text: str, lines: list[Span], work: RepairBudget) -> list[DecodedSpan]:
    """The spans to put back, among suspicious lines.

    The code page that explains most is taken first. The lines that it leaves suspicious are examined again, since a
    file may be put together from lines that went through different code pages.
    """
    chosen: list[DecodedSpan] = []
    for _ in range(ROUNDS):
        spans = _decode_by_best_path(text, lines, work)
        if not spans:
            break
        chosen += spans
        if sum(span.margin for span in spans) > BEYOND_DOUBT:
            rest = _decode_spans(text, spans[0].path.codepages, non_ascii_lines(text), work, taken=chosen)
            chosen += [span for span in rest if span.margin >= MARGIN_LONE_LEAD]
        starts = sorted(span.start for span in chosen)
        lines = [line for line in lines if bisect_left(starts, line.start) == bisect_left(starts, line.end)]
        if not lines:
            break
    return chosen


def _decode_by_best_path(text: str, lines: list[Span], work: RepairBudget) -> list[DecodedSpan]:
    """The spans that the likeliest code page, or pair of code pages, explains."""
    counts = {codepage: count for codepage in CODECS if (count := count_explained(text, lines, codepage))[0] > 0}
    if not counts:
        return []
    most = max(explained - foreign for explained, foreign in counts.values())
    # Counts only rule out the hopeless; how likely the whole text is to read decides. A code page that contains every
    # character is tried even if it explains less, since characters that lost nothing count alike through all of them.
    near = [
        codepage
        for codepage, (explained, foreign) in counts.items()
        if explained - foreign >= most - max(3.0, 0.15 * explained) or (not foreign and 2 * explained >= most)
    ]
    codepages = sorted(near, key=lambda codepage: (counts[codepage][1] > 0, counts[codepage][1] - counts[codepage][0]))
    sample = _sample_lines(text, _in_pieces(text, lines), codepages)
    tries: list[tuple[str, ...]] = [(codepage,) for codepage in codepages[:SINGLE_CODEPAGES_TRIED]]
    tries += [
        (inner, outer) for outer in codepages[:OUTER_CODEPAGES_TRIED] for inner in _inner_codepages(text, sample, outer)
    ]
    best: list[DecodedSpan] = []
    best_total = 0.0
    for tried in tries:
        spans = _decode_spans(text, tried, sample, work)
        rarity = RARITY_COST * sum(map(tuple(CODECS).index, tried))
        total = sum(max(0.0, span.margin) for span in spans) - rarity
        if total > best_total:
            best_total, best = total, spans
    if not best:
        return []
    if sample is not lines:
        best = _decode_spans(text, best[0].path.codepages, lines, work)
        best_total = sum(max(0.0, span.margin) for span in best)
    return [span for span in best if span.margin >= _required_margin(text, span, best_total - max(0.0, span.margin))]


def _in_pieces(text: str, lines: list[Span]) -> list[Span]:
    """The same lines, the long ones cut between words, so that a sample of a text in one line is not all of it."""
    if all(line.end - line.start <= LONGEST_PIECE for line in lines):
        return lines
    pieces = []
    for line in lines:
        start = line.start
        while line.end - start > LONGEST_PIECE:
            space = text.rfind(" ", start + LONGEST_PIECE // 2, start + LONGEST_PIECE)
            end = start + LONGEST_PIECE if space < 0 else space + 1
            pieces.append(Span(start, end))
            start = end
        pieces.append(Span(start, line.end))
    return pieces


def _sample_lines(text: str, lines: list[Span], codepages: list[str]) -> list[Span]:
    """Lines to tell the code page by: the first ones, and those with most characters that any of them calls truncated.

    Code pages differ in the bytes that they lose, so characters that lost nothing do not tell them apart.
    """
    sizes = [sum(char > "\x7f" for char in text[line.start : line.end]) for line in lines]
    if sum(sizes) <= SAMPLE_CHARACTERS:
        return lines
    truncated = [
        max(count_truncated(text[line.start : line.end], codepage) for codepage in codepages[:SINGLE_CODEPAGES_TRIED])
        for line in lines
    ]
    chosen: set[int] = set()
    for order in (range(len(lines)), sorted(range(len(lines)), key=lambda index: -truncated[index])):
        size = 0
        for index in order:
            chosen.add(index)
            size += sizes[index]
            if size > SAMPLE_CHARACTERS / 2:
                break
    return [lines[index] for index in sorted(chosen)]


def _inner_codepages(text: str, lines: list[Span], outer: str) -> list[str]:
    """The code pages through which text may have gone before `outer`: undoing `outer` must show damage of theirs."""
    undone = "".join(undo_decoding(text[line.start : line.end], outer) for line in lines)
    non_ascii = [char for char in undone if char > "\x7f"]
    in_runs = sum(len(run) for run in re.findall("[^\x00-\x7f]{2,}", undone))
    if 2 * in_runs < len(non_ascii):
        return []
    codepages = [
        codepage
        for codepage in CODECS
        if 10 * sum(char in encoding_table(codepage) for char in non_ascii) > 9 * len(non_ascii)
    ]
    ranked = sorted(codepages, key=lambda codepage: (codepage != outer, -len(damage_pattern(codepage).findall(undone))))
    return ranked[:INNER_CODEPAGES_TRIED]


def _decode_spans(
    text: str, codepages: tuple[str, ...], lines: list[Span], work: RepairBudget, taken: list[DecodedSpan] | None = None
) -> list[DecodedSpan]:
    """Decode every damaged span of the lines by one path.

    Args:
        text: The whole text.
        codepages: The code pages of the path, first to last.
        lines: The lines to decode.
        work: How much of it there may be.
        taken: Spans that are decoded already. If given, lone lead bytes are decoded as well, outside these spans.
    """
    outer = codepages[-1]
    spans = []
    others = sorted((other.start, other.end) for other in taken or ())  # they do not overlap
    for line in lines:
        for span in damaged_spans(text[line.start : line.end], outer, include_lone_leads=taken is not None):
            start, end = line.start + span.start, line.start + span.end
            before = bisect_left(others, (end, 0)) - 1
            if before < 0 or others[before][1] <= start:
                spans.append(Span(start, end))
    if not spans:
        return []
    shown = "\n".join(text[span.start : span.end] for span in spans)
    inner_controls = len(codepages) > 1 and _C1_CONTROL.search(undo_decoding(shown, outer)) is not None
    path = DecodePath(codepages, _surviving(shown, outer), inner_controls)
    latin = latin_language("\n".join(text[line.start : line.end] for line in lines))
    counts = [_count_spellings(text[span.start : span.end], path) for span in spans]
    total: Counter[str] = Counter()
    for span_counts in counts:
        total.update(span_counts)
    decoded = []
    for span, span_counts in zip(spans, counts, strict=True):
        decoded_span = _decode_span(text, span, path, _orthography(span_counts, total, latin), work)
        if decoded_span:
            decoded.append(decoded_span)
    return decoded


def _decode_span(
    text: str, span: Span, path: DecodePath, orthography: Orthography, work: RepairBudget
) -> DecodedSpan | None:
    """Decode one span by one path; None where the path does not explain it."""
    line_start = text.rfind("\n", max(0, span.start - CONTEXT_REACH), span.start)
    context = text[max(line_start, span.start - CONTEXT_REACH, 0) : span.start] or "\n"
    end = span.end
    while end < len(text) and end < span.end + 4 and text[end] not in "\r\n" and text[end] < "\x80":
        end += 1
    damaged_text = text[span.start : end]
    if end == len(text) or text[end] in "\r\n":
        damaged_text += "\n"  # the end of a word tells what its last letter was
    decoding = decode(damaged_text, context, path, orthography, work)
    if decoding is None or not any(character.damaged for character in decoding.characters):
        return None
    if _LATIN1_DECODED.search("".join(character.char for character in decoding.characters)):
        return None  # one decoding too few was undone, since nobody writes C1 controls
    plain = max(text_log_probability(damaged_text, context, other) for other in {Orthography(), orthography})
    plain += pair_marks(damaged_text, pair_marks(context)[0])[1]
    margin = decoding.score - plain
    return DecodedSpan(span.start, end, decoding, orthography, path, margin, context, damaged_text)


def _surviving(text: str, codepage: str) -> str:
    """The fragile characters that the text still shows, as `codepages.byte_outcomes` takes them."""
    controls = "\x80" if _C1_CONTROL.search(text) else ""
    has_marks = question_mark_pattern(codepage).search(text) and has_question_marks_for_bytes(text, codepage)
    return controls + ("?" if has_marks else "") + "".join(char for char in "\xa0\xad\ufffd" if char in text)


def _count_spellings(text: str, path: DecodePath) -> Counter[str]:
    """How many kana, Han characters, and traditional and simplified ones are among the characters that lost nothing."""
    counts: Counter[str] = Counter()
    position = 0
    while position < len(text):
        whole = whole_sequence_at(text, position, path) if text[position] > "\x7f" else None
        if whole is None:
            position += 1
            continue
        position, char = whole
        name = script(char)
        if name == "jpan":
            counts["kana"] += 1
        elif name == "hani":
            counts["han"] += 1
            simplified, shares = chinese_variants()
            if simplified.get(char, char) != char:
                counts["traditional"] += 1
            elif char in characters_with_traditional_forms() and shares.get(char + char, -9.0) < -2.0:
                counts["simplified"] += 1
    return counts


def _orthography(counts: Counter[str], total: Counter[str], latin: str) -> Orthography:
    """How a span is written, by the counts of its own spellings or, where these do not decide, of all spans."""
    if counts["kana"] or (not counts["simplified"] and total["kana"] > total["han"] / 4):
        return Orthography("jpan", latin=latin)
    lead = counts["traditional"] - counts["simplified"]
    if abs(lead) < 2:
        lead = total["traditional"] - total["simplified"]
    return Orthography("hani", lead > 0 if lead else None, latin)


def _required_margin(text: str, span: DecodedSpan, elsewhere: float) -> float:
    """The margin that a span must reach, given the margin that its path has in the rest of the text."""
    damaged = [character for character in span.decoding.characters if character.damaged]
    is_guess = len(damaged) <= 3 and all(len(character.candidates) > 1 for character in damaged)
    if elsewhere > BEYOND_DOUBT * (5 if is_guess and len(span.path.codepages) > 1 else 1):
        return MARGIN_CONFIRMED
    if len(span.path.codepages) > 1:
        return math.inf if is_guess else MARGIN_TWICE
    if len(damaged) > 1:
        return MARGIN_GUESS if is_guess else MARGIN_SEVERAL
    from ftfy.badness import is_bad  # here, because few texts come this far and importing ftfy takes a while

    before = text[span.start : span.end]
    if not is_bad(before) and not LONE_LEAD.search(before):
        return MARGIN_UNUSUAL
    return MARGIN_GUESS if is_guess else MARGIN_SINGLE
