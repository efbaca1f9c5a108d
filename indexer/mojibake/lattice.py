"""Decoding of damaged text: the candidates for every character, and the likeliest path through them.

For every stretch of text, a decode path gives the characters that it may have been. They form a lattice, and a beam
search keeps the hypotheses that the letters before make likely.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache

from .budget import RepairBudget
from .codepages import DecodePath, encoding_table, lead_bytes_by_first_character, path_outcomes, text_outcomes
from .letter_model import CONTEXT_LENGTH, Orthography, letter_log_probability, log_probability
from .ngrams import chinese_variants, load_ngrams
from .quotation import pair_mark, pair_marks

# All costs are in nats (natural logarithms of odds).

HEALTHY_COST = 6.0
"""The cost of taking a character for healthy in the middle of damage, although the damage could have made it."""

DECODED_ONCE_COST = 6.0
"""The cost of taking a character for decoded once in the middle of what was decoded twice."""

DECODED_ONCE_REACH = 16
"""How many characters to each side decide whether something was decoded only once."""

BEAM = 12
"""How many hypotheses are kept side by side while code pages are compared."""

WIDE_BEAM = 64
"""How many hypotheses are kept once the code page is known. Where characters have dozens of candidates, fewer would
hide how uncertain they are."""

HOPELESS = 10.0
"""A hypothesis that has fallen behind the best one by so much is dropped."""

UNCERTAIN = 7.0
"""A hypothesis beyond the first `BEAM` is kept while it has fallen behind by less, because it tells of uncertainty."""

SCORE_SCALE = 0.7
"""How much of a difference in score counts when hypotheses are weighed against each other."""

CONTEXT_REACH = 80
"""How many characters before damaged text are searched for the marks that are open there."""

MOST_CANDIDATES = 80
"""How many candidates are considered for one damaged character."""

_CANDIDATES_KEPT = 1_024
"""Lead bytes of paths whose candidates are remembered: a path has some fifty, and a text tries about ten paths. There
are thousands of paths, whose candidates would fill the memory of a process that reads all day."""

_STATISTICS_BY_LEAD = {
    0xC2: ["signs"], 0xCD: ["grek", "latn"], 0xCE: ["grek"], 0xCF: ["grek"], 0xE0: ["deva", "thai"],
    0xE1: ["latn", "grek"], 0xE2: ["signs"], 0xE3: ["jpan", "signs"], 0xEF: ["signs"], 0xF0: ["signs", "hani"],
}  # fmt: skip
"""Statistics that hold the characters with a certain lead byte; `_statistics_for` has the other lead bytes."""

_SIGN_BLOCKS = (
    (0xA0, 0xC0), (0x2010, 0x2060), (0x2190, 0x2200), (0x2600, 0x27C0), (0xFE0F, 0xFE10), (0xFF00, 0xFFF0),
    (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FA00), (0x1FA70, 0x1FB00),
)  # fmt: skip
"""Blocks of Unicode whose signs are candidates even where the statistics have not seen them."""


@dataclass(frozen=True, slots=True)
class DecodedCharacter:
    """One character of a decoding. `start` and `end` count characters of the damaged text."""

    start: int
    end: int
    char: str
    damaged: bool
    """Whether it was put back, rather than taken as it stood."""
    candidates: tuple[tuple[str, float], ...] = ()
    """For a damaged character, every candidate with the cost of its having become what stands there."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """The likeliest decoding of a whole span."""

    characters: tuple[DecodedCharacter, ...]
    score: float
    """Its log probability, less its costs."""
    shares: dict[tuple[int, str], float]
    """By position and candidate, which share of the probability of all decodings has this candidate there."""


def _statistics_for(lead: int) -> list[str]:
    """The names of the statistics that hold the characters with a lead byte."""
    if lead in _STATISTICS_BY_LEAD:
        return _STATISTICS_BY_LEAD[lead]
    for end, names in (
        (0xCE, ["latn"]),
        (0xD5, ["cyrl"]),
        (0xD8, ["hebr"]),
        (0xE0, ["arab"]),
        (0xEA, ["hani", "jpan"]),
    ):
        if lead < end:
            return names
    return ["kore"] if lead < 0xEE else []


@cache
def _repertoires(names: tuple[str, ...]) -> dict[int, list[str]]:
    """By lead byte: the letters beyond ASCII that some statistics know, and signs where these are among them."""
    chars: set[str] = set()
    for name in names:
        for char in load_ngrams(name).lines:
            if char > "\x7f":
                chars |= {char, char.upper()} if len(char.upper()) == 1 else {char}
        if name == "hani":
            chars |= set(chinese_variants()[0])
    if "signs" in names:
        chars |= {chr(code) for first, end in _SIGN_BLOCKS for code in range(first, end) if chr(code).isprintable()}
    by_lead: defaultdict[int, list[str]] = defaultdict(list)
    for char in sorted(chars):
        by_lead[char.encode("utf-8")[0]].append(char)
    return by_lead


@lru_cache(maxsize=_CANDIDATES_KEPT)
def _candidates(path: DecodePath, lead: int) -> dict[str, tuple[tuple[str, float], ...]]:
    """By what stands in the damaged text: the characters with this lead byte that may have become it, with costs."""
    table = path_outcomes(path)
    candidates: dict[str, list[tuple[str, float]]] = defaultdict(list)
    # Characters that a damaged one with this lead byte may have been.
    for char in _repertoires(tuple(_statistics_for(lead))).get(lead, ()):
        for output, cost in text_outcomes(char, table):
            if output:
                candidates[output].append((char, cost))
    return {output: tuple(chars) for output, chars in candidates.items()}


@lru_cache(maxsize=_CANDIDATES_KEPT)
def _longest(path: DecodePath, lead: int) -> int:
    return max(map(len, _candidates(path, lead)), default=0)


def whole_sequence_at(text: str, position: int, path: DecodePath) -> tuple[int, str] | None:
    """(end, character) of a UTF-8 sequence at a position that lost no byte, whatever its character is."""
    if len(path.codepages) > 1:
        return None
    table = encoding_table(path.codepages[0])
    lead = table.get(text[position], 0)
    length = 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if 0xF0 <= lead < 0xF5 else 0
    end = position + length
    if not length or end > len(text):
        return None
    try:
        char = bytes(table.get(c, 0) for c in text[position:end]).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return (end, char) if len(char) == 1 and unicodedata.category(char) not in ("Cn", "Co", "Cs") else None


def _is_decoded_once(text: str, position: int, codepage: str) -> bool:
    """Whether the run of characters that are not ASCII around a position is whole UTF-8 that was decoded once."""
    start, end = position, position + 1
    while start > max(0, position - DECODED_ONCE_REACH) and text[start - 1] > "\x7f":
        start -= 1
    while end < min(len(text), position + DECODED_ONCE_REACH) and text[end] > "\x7f":
        end += 1
    table = encoding_table(codepage)
    try:
        undone = bytes(table.get(char, 0) for char in text[start:end]).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(char < "\xa0" for char in undone)


def _damaged_arcs(text: str, position: int, path: DecodePath) -> dict[int, list[tuple[str, float]]]:
    """The damaged characters that may begin at a position: by their end, the candidates with their costs."""
    arcs: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for lead in lead_bytes_by_first_character(path).get(text[position], ()):
        candidates = _candidates(path, lead)
        for length in range(1, min(_longest(path, lead), len(text) - position) + 1):
            end = position + length
            for char, cost in candidates.get(text[position:end], ()):
                arcs[end].append((char, cost))
    whole = whole_sequence_at(text, position, path)
    if whole and whole[1] not in {char for char, _ in arcs.get(whole[0], ())}:
        arcs[whole[0]].append((whole[1], 0.0))
    if len(path.codepages) > 1:
        # Without this, what was decoded once is taken for what lost bytes twice, and characters are invented.
        last = path.codepages[-1]
        once = whole_sequence_at(text, position, DecodePath((last,)))
        if once and not arcs.get(once[0]) and _is_decoded_once(text, position, last):
            arcs[once[0]].append((once[1], DECODED_ONCE_COST))
    return arcs


@dataclass(slots=True, eq=False)
class _Hypothesis:
    """The likeliest way to decode the text up to a position so that it ends in certain letters, and all other ways."""

    score: float
    before: str
    """The decoded text before the position, no more than the letters and marks after it may depend on."""
    opened: str
    """The brackets and quotation marks that are open."""
    best_arc: tuple[_Hypothesis, DecodedCharacter] | None
    """The last character of the likeliest way, and the hypothesis before it."""
    arcs: list[tuple[_Hypothesis, DecodedCharacter, float]]
    """The last character of every way, with the hypothesis before it and what the character adds to the score."""


@lru_cache(maxsize=64)
def _output_characters(path: DecodePath) -> frozenset[str]:
    """The characters that decoding along a path may leave in a text."""
    return frozenset("".join(output for outcomes in path_outcomes(path) for output, _ in outcomes))


def decode(
    text: str, context: str, path: DecodePath, orthography: Orthography, work: RepairBudget, beam: int = BEAM
) -> Decoding | None:
    """The likeliest decoding of damaged text; None where it has none.

    Args:
        text: The damaged text.
        context: What stands before it in the same line.
        path: The code pages through which it went.
        orthography: How to score its letters.
        work: How much of it there may be.
        beam: How many hypotheses to keep side by side. `shares` are worked out only where these are more than `BEAM`.
    """
    output_chars = _output_characters(path)
    # By position, then by the last letters and the open marks: the hypotheses that end there.
    beams: list[dict[tuple[str, str], _Hypothesis]] = [{} for _ in range(len(text) + 1)]
    beams[0]["", ""] = _Hypothesis(0.0, context, pair_marks(context)[0], None, [])
    expanded: list[_Hypothesis] = []
    for position, here in enumerate(text):
        hypotheses = beams[position]
        if not hypotheses:
            continue
        beams[position] = {}
        best = _prune(list(hypotheses.values()), beam)
        expanded += best
        arcs = _damaged_arcs(text, position, path) if here > "\x7f" else {}
        healthy_cost = HEALTHY_COST if here > "\x7f" and here in output_chars else 0.0
        steps: list[tuple[int, list[tuple[str, float]], bool]] = [(position + 1, [(here, healthy_cost)], False)]
        for end, chars in arcs.items():
            steps.append((end, _likeliest(chars, best[0].before, orthography), True))
        work.spend(len(best) * sum(len(chars) for _, chars, _ in steps))
        for end, chars, damaged in steps:
            onward = beams[end]
            candidates = tuple(chars) if damaged else ()
            for char, cost in chars:
                character = DecodedCharacter(position, end, char, damaged, candidates)
                for hypothesis in best:
                    before = hypothesis.before
                    opened, pairing_score = pair_mark(hypothesis.opened, char)
                    added = log_probability(before, char, orthography, hypothesis.opened) - cost + pairing_score
                    total = hypothesis.score + added
                    key = before[-4:] + char, opened
                    known = onward.get(key)
                    if known is None:
                        after, arcs_here = before[-CONTEXT_LENGTH:] + char, [(hypothesis, character, added)]
                        onward[key] = _Hypothesis(total, after, opened, (hypothesis, character), arcs_here)
                        continue
                    known.arcs.append((hypothesis, character, added))
                    if total > known.score:
                        known.score, known.before = total, before[-CONTEXT_LENGTH:] + char
                        known.best_arc = hypothesis, character
    if not beams[-1]:
        return None
    ends = list(beams[-1].values())
    hypothesis = max(ends, key=lambda hypothesis: hypothesis.score)
    score = hypothesis.score
    characters = []
    while hypothesis.best_arc is not None:
        hypothesis, character = hypothesis.best_arc
        characters.append(character)
    return Decoding(tuple(reversed(characters)), score, _shares(expanded, ends) if beam > BEAM else {})


def _prune(hypotheses: list[_Hypothesis], beam: int) -> list[_Hypothesis]:
    """The hypotheses at one position that are worth going on with."""
    top = max(hypothesis.score for hypothesis in hypotheses)
    best = [hypothesis for hypothesis in hypotheses if hypothesis.score > top - HOPELESS]
    if len(best) > BEAM:
        best = sorted(best, key=lambda hypothesis: -hypothesis.score)[:beam]
        best = [hypothesis for rank, hypothesis in enumerate(best) if rank < BEAM or hypothesis.score > top - UNCERTAIN]
    return best


def _shares(expanded: list[_Hypothesis], ends: list[_Hypothesis]) -> dict[tuple[int, str], float]:
    """By position and candidate, which share of the probability of all decodings has this candidate there.

    Forward and backward sums over all ways (Wessel, Schlueter, Macherey and Ney 2001, for words of recognised speech).
    Letters that depend on each other make one another likely; only all of them read otherwise shows the uncertainty. As
    there, scores are scaled down, because a model's odds are too sure of themselves.
    """
    forward: dict[int, float] = {}
    for hypothesis in [*expanded, *ends]:
        incoming = [forward[id(previous)] + added * SCORE_SCALE for previous, _, added in hypothesis.arcs]
        forward[id(hypothesis)] = _log_sum(incoming) if incoming else 0.0
    total = _log_sum([forward[id(hypothesis)] for hypothesis in ends])
    backward = {id(hypothesis): 0.0 for hypothesis in ends}
    shares: dict[tuple[int, str], float] = defaultdict(float)
    for hypothesis in reversed([*expanded, *ends]):
        onward = backward.get(id(hypothesis))
        if onward is None:  # no way leads on from here
            continue
        for previous, character, added in hypothesis.arcs:
            score = onward + added * SCORE_SCALE
            known = backward.get(id(previous))
            backward[id(previous)] = score if known is None else _log_sum([known, score])
            if len(character.candidates) > 1:
                shares[character.start, character.char] += math.exp(forward[id(previous)] + score - total)
    return shares


def _log_sum(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs))


def _likeliest(candidates: list[tuple[str, float]], before: str, orthography: Orthography) -> list[tuple[str, float]]:
    """The `MOST_CANDIDATES` candidates that cost least and go best with the letters before."""
    if len(candidates) <= MOST_CANDIDATES:
        return candidates
    context = before[-CONTEXT_LENGTH:]
    ranked = sorted(candidates, key=lambda item: item[1] - letter_log_probability(context, item[0], orthography))
    return ranked[:MOST_CANDIDATES]
