"""How sure each damaged character is, and the edits that follow from it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .budget import RepairBudget
from .chinese_words import segmentation_log_probability, word_log_probability
from .decode_paths import DecodedSpan
from .edits import Edit
from .lattice import WIDE_BEAM, DecodedCharacter, decode
from .letter_model import Orthography, log_probability, simplify, text_log_probability
from .ngrams import chinese_variants, load_ngrams, lowercase, script
from .quotation import PAIRED_MARKS, pair_marks

CERTAIN = 0.97
"""The share of the probability from which a character counts as certain, all other characters as they were decoded."""

CERTAIN_TOGETHER = 0.8
"""The share of all decodings that a certain character needs as well: it shows where neighbours are wrong with it."""

LEFT = 0.1
"""The share that other candidates may have beside a certain character, all other characters as they were decoded, is at
most this much divided by their number: the more there are, the better the chance that a wrong one looks right."""

LEFT_TOGETHER = 1.0
"""The share that other candidates may have beside a certain character in all decodings is at most this much divided by
their number."""

POSSIBLE = 0.03
"""The share from which a candidate is named as an alternative."""

TOO_UNCERTAIN = 0.20
"""Below this share the best candidate does not replace the original."""

SETTLED_BY_LETTERS = 0.9999
"""The share from which letters alone decide."""

WORD_WEIGHT = 0.5
"""The weight of words. Letters have the rest, because both are views of the same characters and share one vote."""

WORD_WINDOW = 8
"""How many characters to each side are searched for words."""

CANDIDATES_IN_WORDS = 6
"""How many candidates of one character are tried in words."""

NEIGHBOUR_WORDS = 4
"""How many words two damaged neighbours may form together."""

HABIT_PLACES = 6
"""How many places a text must show before its habits count. The statistics count as so many places beside them."""

UNSETTLED = 0.99
"""The share below which a place tells of habits and is judged by them."""

ROUNDS = 3
"""How often neighbours that depend on each other are ranked again."""

_CONTEXT = 60
"""How many characters before a damaged one its score takes into account."""

_MOST_ALTERNATIVES = 8
"""How many alternatives an edit names."""

_ALONE_UNKNOWN = -12.0
"""The log probability, by itself, of a character that is no letter."""


Ranking = list[tuple[float, str]]
"""Candidates with their shares of the probability, likeliest first."""

RankedSpan = tuple[tuple[DecodedCharacter, ...], dict[int, Ranking]]
"""The characters of a span, and by index the rankings of those that letters do not settle. The others are certain."""


def make_edits(text: str, spans: list[DecodedSpan], work: RepairBudget) -> Iterator[Edit]:
    """The edits of a text: certain characters that stand together in one, and one for each uncertain character."""
    spans = [_decode_with_wide_beam(span, work) for span in spans]
    ranked_spans = adapt_to_habits([rank_span(span, work) for span in spans])
    for span, (characters, rankings) in zip(spans, ranked_spans, strict=True):
        yield from _span_edits(text, span, characters, rankings)


def _decode_with_wide_beam(span: DecodedSpan, work: RepairBudget) -> DecodedSpan:
    """A span with more hypotheses side by side, where any of its characters has several candidates."""
    if all(len(character.candidates) < 2 for character in span.decoding.characters):
        return span
    decoding = decode(span.damaged_text, span.context, span.path, span.orthography, work, WIDE_BEAM)
    return replace(span, decoding=decoding) if decoding else span


def rank_span(span: DecodedSpan, work: RepairBudget) -> RankedSpan:
    """The candidates of a span ranked by letters and words together, and its characters replaced by the best ones."""
    characters = span.decoding.characters
    uncertain = _uncertain_characters(characters, span.context, span.orthography, work)
    rankings = {index: character.ranking for index, character in uncertain.items()}
    chinese = [index for index, ranking in rankings.items() if span.orthography.han == "hani" and _is_han(ranking)]
    chars = [character.char for character in characters]
    for _ in range(ROUNDS if chinese else 0):
        previous_chars = list(chars)
        for index in chinese:
            rankings[index] = rank_by_words(chars, index, uncertain, span.context, span.orthography, work)
            chars[index] = rankings[index][0][1]
        if chars == previous_chars:
            break
    return tuple(
        replace(character, char=char) if character.char != char else character
        for character, char in zip(characters, chars, strict=True)
    ), rankings


@dataclass(frozen=True, slots=True)
class _UncertainCharacter:
    """A damaged character that letters do not settle."""

    ranking: Ranking
    """Its candidates, ranked by letters."""
    costs: dict[str, float]
    """By candidate, the cost of its having become what stands there."""
    neighbour_words: tuple[tuple[str, int, str], ...]
    """Candidates that form a word with one of a neighbour's: the candidate, the neighbour's index, its candidate."""

    @property
    def candidates_in_words(self) -> list[str]:
        """The candidates that are tried in words."""
        by_letters = (char for _, char in self.ranking[:CANDIDATES_IN_WORDS])
        return list(dict.fromkeys([*by_letters, *(char for char, _, _ in self.neighbour_words)]))


def _uncertain_characters(
    characters: Sequence[DecodedCharacter], context: str, orthography: Orthography, work: RepairBudget
) -> dict[int, _UncertainCharacter]:
    """The damaged characters that letters do not settle, by index."""
    uncertain = {}
    for index, character in enumerate(characters):
        if not character.damaged or len(character.candidates) < 2:
            continue
        words: list[tuple[str, int, str]] = []
        if orthography.han == "hani" and script(character.char) == "hani":
            if index + 1 < len(characters) and len(characters[index + 1].candidates) > 1:
                pairs = _neighbour_words(character, characters[index + 1], work)
                words += [(first, index + 1, second) for first, second in pairs]
            if index and len(characters[index - 1].candidates) > 1:
                pairs = _neighbour_words(characters[index - 1], character, work)
                words += [(second, index - 1, first) for first, second in pairs]
        ranking = rank_by_letters(characters, index, context, orthography)
        if words or ranking[0][0] < SETTLED_BY_LETTERS or ranking[0][1] != character.char:
            uncertain[index] = _UncertainCharacter(ranking, dict(character.candidates), tuple(words))
    return uncertain


def _neighbour_words(left: DecodedCharacter, right: DecodedCharacter, work: RepairBudget) -> list[tuple[str, str]]:
    """The commonest words that two damaged characters may form together."""
    if not work.spend_on_words(len(left.candidates) * len(right.candidates) // 2):
        return []
    words = []
    for first, _ in left.candidates:
        for second, _ in right.candidates:
            score = word_log_probability(first + second)
            if score is not None:
                words.append((score, first, second))
    return [(first, second) for _, first, second in sorted(words, reverse=True)[:NEIGHBOUR_WORDS]]


def _ranking(scores: list[tuple[float, str]]) -> Ranking:
    """Candidates with their shares of the probability, from their log scores."""
    top = max(score for score, _ in scores)
    total = sum(math.exp(score - top) for score, _ in scores)
    return sorted(((math.exp(score - top) / total, char) for score, char in scores), reverse=True)


def rank_by_letters(
    characters: Sequence[DecodedCharacter], index: int, context: str, orthography: Orthography
) -> Ranking:
    """Rank the candidates of one damaged character by letters, all other characters as they were decoded.

    Args:
        characters: All characters of the span.
        index: Which of them to rank.
        context: What stands before the span in its line.
        orthography: How to score letters.
    """
    candidates = characters[index].candidates
    before = (context + "".join(c.char for c in characters[max(0, index - _CONTEXT) : index]))[-_CONTEXT:]
    after = "".join(c.char for c in characters[index + 1 : index + 5])
    scores = []
    has_marks = any(char in PAIRED_MARKS for char, _ in candidates)
    before_marks = characters[max(0, index - _MARKS_REACH) : index]
    opened = pair_marks(context + "".join(c.char for c in before_marks))[0] if has_marks else ""
    rest = "".join(c.char for c in characters[index + 1 : index + 1 + _MARKS_REACH]) if has_marks else ""
    for char, cost in candidates:
        score = log_probability(before, char, orthography, opened) - cost
        score += text_log_probability(after, before + char, orthography)
        scores.append((score + pair_marks(char + rest, opened)[1], char))
    return _ranking(scores)


def _is_han(ranking: Ranking) -> bool:
    """Whether words can decide between the candidates that count: all of them are Han characters."""
    return all(script(char) == "hani" for share, char in ranking[:CANDIDATES_IN_WORDS] if share > POSSIBLE)


def rank_by_words(
    chars: list[str],
    index: int,
    uncertain: dict[int, _UncertainCharacter],
    context: str,
    orthography: Orthography,
    work: RepairBudget,
) -> Ranking:
    """Rank the candidates of one damaged character by letters and words; an uncertain neighbour may change with it.

    Args:
        chars: All characters of the span.
        index: Which of them to rank.
        uncertain: The uncertain characters of the span, by index.
        context: What stands before the span in its line.
        orthography: How to score letters.
    """
    first, end = max(0, index - WORD_WINDOW), min(len(chars), index + WORD_WINDOW + 1)
    while any(script(char) != "hani" for char in chars[first:index]):
        first += 1
    while any(script(char) != "hani" for char in chars[index + 1 : end]):
        end -= 1
    near = max(0, index - 2)
    before = (context + "".join(chars[max(0, near - _CONTEXT) : near]))[-_CONTEXT:]
    neighbours = [i for i in range(max(first, index - 2), min(end, index + 3)) if i != index and i in uncertain]
    # Which other candidate of a neighbour to try beside each candidate; the character's own index stands for none.
    changes = {(index, "")}
    changes |= {(i, char) for i in neighbours for _, char in uncertain[i].ranking[:3] if script(char) == "hani"}
    weight = WORD_WEIGHT if end - first > 2 else 0.0  # a character or two by themselves are words of every kind
    scores = []
    character = uncertain[index]
    for candidate in character.candidates_in_words:
        best = -math.inf
        words = {(i, char) for own, i, char in character.neighbour_words if own == candidate and first <= i < end}
        if not work.spend_on_words(len(changes | words) * (WORD_WINDOW + 1)):
            return character.ranking
        for changed, replacement in changes | words:
            nearby, run = chars[near : index + 7], chars[first:end]
            cost = character.costs[candidate]
            if changed != index:
                nearby[changed - near] = run[changed - first] = replacement
                cost += uncertain[changed].costs[replacement]
            nearby[index - near] = run[index - first] = candidate
            letter_score = text_log_probability("".join(nearby), before, orthography) - cost
            word_score = segmentation_log_probability("".join(run))
            word_score += simplify(candidate, orthography.traditional)[1]
            best = max(best, (1 - weight) * letter_score + weight * word_score)
        scores.append((best, candidate))
    return _ranking(scores)


def _alone_log_probability(char: str) -> float:
    """Log probability of a character by itself, whatever its spelling and case."""
    name = script(char)
    simple = chinese_variants()[0].get(char, char) if name == "hani" else lowercase(char)
    return load_ngrams(name).score("", simple) if name else _ALONE_UNKNOWN


def adapt_to_habits(spans: list[RankedSpan]) -> list[RankedSpan]:
    """Correct rankings by the text's own habits: which of its candidates the same damage was elsewhere.

    What a text writes more often than the statistics expect (with 与 where others write 和) counts for more, as class
    shares are corrected by Saerens, Latinne and Decaestecker (2002). Each place is judged by all others.
    """
    places_by_candidates: dict[frozenset[str], list[tuple[int, int]]] = defaultdict(list)
    for span_index, (characters, rankings) in enumerate(spans):
        for index, ranking in rankings.items():
            if ranking[0][0] < UNSETTLED:  # elsewhere the neighbours decided, and would again
                candidates = frozenset(char for char, _ in characters[index].candidates)
                places_by_candidates[candidates].append((span_index, index))
    adapted = [(list(characters), dict(rankings)) for characters, rankings in spans]
    for candidates, places in places_by_candidates.items():
        if len(places) < HABIT_PLACES:
            continue
        counts: dict[str, float] = dict.fromkeys(candidates, 0.0)
        for span_index, index in places:
            for share, char in spans[span_index][1][index]:
                counts[char] += share
        expected = {char: share for share, char in _ranking([(_alone_log_probability(c), c) for c in candidates])}
        for span_index, index in places:
            ranking = spans[span_index][1][index]
            shares_here = {char: share for share, char in ranking}
            others = len(places) - 1
            scores = []
            for share, char in ranking:
                observed = (counts[char] - shares_here[char] + HABIT_PLACES * expected[char]) / (others + HABIT_PLACES)
                ratio = observed / expected[char]
                scores.append((math.log(max(share, 1e-12)) + math.log(min(max(ratio, 0.1), 10.0)), char))
            characters_here, rankings_here = adapted[span_index]
            rankings_here[index] = _ranking(scores)
            characters_here[index] = replace(characters_here[index], char=rankings_here[index][0][1])
    return [(tuple(characters), rankings) for characters, rankings in adapted]


def _is_certain(character: DecodedCharacter, share: float, share_together: float) -> bool:
    """Whether a character is certain, by its share where it stands and its share of all decodings."""
    count = len(character.candidates)
    if count < 2:
        return True
    alone = 1 - share <= min(1 - CERTAIN, LEFT / count)
    return alone and 1 - share_together <= min(1 - CERTAIN_TOGETHER, LEFT_TOGETHER / count)


def _span_edits(
    text: str, span: DecodedSpan, characters: tuple[DecodedCharacter, ...], rankings: dict[int, Ranking]
) -> Iterator[Edit]:
    """The edits of one span.

    Args:
        text: The whole text, whose characters the edits count.
        span: The span, with the probabilities of all its decodings together.
        characters: Its characters as they are to be written.
        rankings: The rankings of those that letters do not settle, by index.
    """
    rule = span.path.name
    run: list[DecodedCharacter] = []

    def end_run() -> Iterator[Edit]:
        if run:
            start, end = run[0].start + span.start, run[-1].end + span.start
            yield Edit(start, end, text[start:end], "".join(c.char for c in run), rule, True)
            run.clear()

    for index, character in enumerate(characters):
        if not character.damaged:
            yield from end_run()
            continue
        ranking = rankings.get(index, [(1.0, character.char)])
        share = next(share for share, char in ranking if char == character.char)
        share_together = span.decoding.shares.get((character.start, character.char), 0.0)
        if _is_certain(character, share, share_together):
            run.append(character)
            continue
        yield from end_run()
        start, end = character.start + span.start, character.end + span.start
        before = text[start:end]
        others = [(other_share, char) for other_share, char in ranking if char != character.char]
        alternatives = tuple(
            char for rank, (other_share, char) in enumerate(others) if other_share >= POSSIBLE or rank == 0
        )[:_MOST_ALTERNATIVES]
        if share < TOO_UNCERTAIN:
            yield Edit(start, end, before, before, rule, False, (character.char, *alternatives))
        else:
            yield Edit(start, end, before, character.char, rule, False, alternatives)
    yield from end_run()


_MARKS_REACH = 400
"""How many characters to each side may hold the other mark of a pair."""
