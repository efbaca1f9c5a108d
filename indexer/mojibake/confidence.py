"""How sure each damaged character is, and the edits that come of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .chinese_words import word_likelihood, words_likelihood
from .decode_paths import Found
from .edits import Edit
from .lattice import WIDE, Piece, decode
from .letter_model import Style, gain, literal, spelling
from .ngrams import chinese, load, lower, script
from .quotation import MARKS, pairing

SURE = 0.97
"""The share of a candidate, all other characters as they were read, from which it counts as certain, ..."""
SURE_TOGETHER = 0.8
"""... and its share of all readings together, which show where neighbours are wrong with it, ..."""
LEFT = 0.1
"""... but where candidates are many, all others together may be left this much divided by their number at most, ..."""
LEFT_TOGETHER = 1.0
"""... and so much in all readings: the more there are, the better the chance that a wrong one looks right."""
POSSIBLE = 0.03
"""The share from which a candidate is named as an alternative."""
TOO_CLOSE = 0.20
"""Below this share the best candidate is not written down."""
BEYOND_QUESTION = 0.9999
"""The share from which letters alone decide."""
WORDS = 0.5
"""The weight of words beside letters, which are two views of the same characters and so share one vote."""
WINDOW = 8
"""Characters to each side in which words are looked for."""
CONSIDERED = 6
"""Candidates that words are asked about."""
PAIRS = 4
"""Words that two damaged neighbours may make together."""
HABIT = 6
"""How many places a text must show before its habits count, and how many the statistics count for beside them."""
UNSETTLED = 0.99
"""The share below which a place tells of habits, and is judged by them."""
ROUNDS = 3
"""How often neighbours that depend on each other are asked again."""


Ranking = list[tuple[float, str]]
"""Candidates with their shares of the probability, likeliest first."""


def _ranking(scores: list[tuple[float, str]]) -> Ranking:
    top = max(score for score, _ in scores)
    whole = sum(math.exp(score - top) for score, _ in scores)
    return sorted(((math.exp(score - top) / whole, char) for score, char in scores), reverse=True)


def by_letters(pieces: Sequence[Piece], at: int, context: str, style: Style) -> Ranking:
    """How the candidates of one damaged character share the probability, all other characters as they were read."""
    piece = pieces[at]
    before = (context + "".join(p.char for p in pieces[max(0, at - 60) : at]))[-60:]
    after = "".join(p.char for p in pieces[at + 1 : at + 5])
    scores = []
    marks = any(char in MARKS for char, _ in piece.others)
    opened = pairing(context + "".join(p.char for p in pieces[:at]))[0] if marks else ""
    rest = "".join(p.char for p in pieces[at + 1 :]) if marks else ""
    for char, cost in piece.others:
        score = gain(before, char, style) - cost + literal(after, before + char, style)
        scores.append((score + pairing(char + rest, opened)[1], char))
    return _ranking(scores)


def _in_words(ranking: Ranking) -> bool:
    """Whether words decide between the candidates that count: all of them are Han characters."""
    return all(script(char) == "hani" for share, char in ranking[:CONSIDERED] if share > POSSIBLE)


def _made_words(left: Piece, right: Piece) -> list[tuple[str, str]]:
    """The commonest words that two damaged characters may make together."""
    words = []
    for first, _ in left.others:
        for second, _ in right.others:
            share = word_likelihood(first + second)
            if share is not None:
                words.append((share, first, second))
    return [(first, second) for _, first, second in sorted(words, reverse=True)[:PAIRS]]


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A doubtful damaged character: how its candidates stand by letters, and what it makes with its neighbours."""

    ranking: Ranking
    costs: dict[str, float]
    """What it costs that a candidate looks as it does."""
    together: tuple[tuple[str, int, str], ...]
    """Candidates that make a word with a neighbour's: the candidate, the neighbour's place, its candidate."""

    @property
    def considered(self) -> list[str]:
        """The candidates that words are asked about."""
        return list(dict.fromkeys([*(c for _, c in self.ranking[:CONSIDERED]), *(c for c, _, _ in self.together)]))


def by_words(chars: list[str], at: int, doubts: dict[int, _Doubt], context: str, style: Style) -> Ranking:
    """The same by letters and words together; a doubtful neighbour may be read otherwise too."""
    first, last = max(0, at - WINDOW), min(len(chars), at + WINDOW + 1)
    while any(script(c) != "hani" for c in chars[first:at]):
        first += 1
    while any(script(c) != "hani" for c in chars[at + 1 : last]):
        last -= 1
    near = max(0, at - 2)
    before = (context + "".join(chars[max(0, near - 60) : near]))[-60:]
    beside = [j for j in range(max(first, at - 2), min(last, at + 3)) if j != at and j in doubts]
    swaps = {(at, ""), *((j, c) for j in beside for _, c in doubts[j].ranking[:3] if script(c) == "hani")}
    weight = WORDS if last - first > 2 else 0.0  # a character or two by themselves are words of every kind
    scores = []
    for char in doubts[at].considered:
        best = -math.inf
        for j, other in swaps | {(j, c) for mine, j, c in doubts[at].together if mine == char and first <= j < last}:
            read, run = chars[near : at + 7], chars[first:last]
            cost = doubts[at].costs[char]
            if j != at:
                read[j - near] = run[j - first] = other
                cost += doubts[j].costs[other]
            read[at - near] = run[at - first] = char
            letters = literal("".join(read), before, style) - cost
            words = words_likelihood("".join(run)) + spelling(char, style.traditional)[1]
            best = max(best, (1 - weight) * letters + weight * words)
        scores.append((best, char))
    return _ranking(scores)


def _doubts(pieces: Sequence[Piece], context: str, style: Style) -> dict[int, _Doubt]:
    """The damaged characters that letters do not settle, by their places."""
    doubts = {}
    open_ones = [at for at, piece in enumerate(pieces) if piece.damaged and len(piece.others) > 1]
    for at in open_ones:
        piece = pieces[at]
        together: list[tuple[str, int, str]] = []
        if style.han == "hani" and script(piece.char) == "hani":
            if at + 1 < len(pieces) and len(pieces[at + 1].others) > 1:
                together += [(a, at + 1, b) for a, b in _made_words(piece, pieces[at + 1])]
            if at and len(pieces[at - 1].others) > 1:
                together += [(b, at - 1, a) for a, b in _made_words(pieces[at - 1], piece)]
        ranking = by_letters(pieces, at, context, style)
        if together or ranking[0][0] < BEYOND_QUESTION or ranking[0][1] != piece.char:
            doubts[at] = _Doubt(ranking, dict(piece.others), tuple(together))
    return doubts


Settled = tuple[tuple[Piece, ...], dict[int, Ranking]]


def settle(found: Found) -> Settled:
    """(the pieces of a reading as letters and words together have them, how sure each of the doubtful ones is).

    The ranking stands by the piece's place; a piece without one is certain.
    """
    pieces = found.reading.pieces
    doubts = _doubts(pieces, found.context, found.style)
    rankings = {at: doubt.ranking for at, doubt in doubts.items()}
    worded = [at for at, ranking in rankings.items() if found.style.han == "hani" and _in_words(ranking)]
    chars = [piece.char for piece in pieces]
    for _ in range(ROUNDS if worded else 0):
        before = list(chars)
        for at in worded:
            rankings[at] = by_words(chars, at, doubts, found.context, found.style)
            chars[at] = rankings[at][0][1]
        if chars == before:
            break
    return tuple(
        replace(piece, char=char) if piece.char != char else piece for piece, char in zip(pieces, chars, strict=True)
    ), rankings


def _alone(char: str) -> float:
    """Log probability of a character by itself; spelling and case are not looked at."""
    name = script(char)
    simple = chinese()[0].get(char, char) if name == "hani" else lower(char)
    return load(name).score("", simple) if name else -12.0


def by_habit(settled: list[Settled]) -> list[Settled]:
    """Readings corrected by the text's own habits: which of its candidates the same damage was elsewhere.

    What a text writes more often than the statistics expect (with 与 where others write 和) counts for more, as class
    shares are corrected by Saerens, Latinne and Decaestecker (2002), each place judged by all others.
    """
    seen: dict[frozenset[str], list[tuple[int, int]]] = defaultdict(list)
    for n, (pieces, rankings) in enumerate(settled):
        for at, ranking in rankings.items():
            if ranking[0][0] < UNSETTLED:  # elsewhere the neighbours decided, and would again
                seen[frozenset(char for char, _ in pieces[at].others)].append((n, at))
    changed = [(list(pieces), dict(rankings)) for pieces, rankings in settled]
    for chars, places in seen.items():
        if len(places) < HABIT:
            continue
        counts: dict[str, float] = dict.fromkeys(chars, 0.0)
        for n, at in places:
            for share, char in settled[n][1][at]:
                counts[char] += share
        expected = {char: share for share, char in _ranking([(_alone(char), char) for char in chars])}
        for n, at in places:
            ranking = settled[n][1][at]
            mine = {char: share for share, char in ranking}
            others = len(places) - 1
            scores = []
            for share, char in ranking:
                told = (counts[char] - mine[char] + HABIT * expected[char]) / (others + HABIT) / expected[char]
                scores.append((math.log(max(share, 1e-12)) + math.log(min(max(told, 0.1), 10.0)), char))
            changed[n][1][at] = _ranking(scores)
            best = changed[n][1][at][0][1]
            changed[n][0][at] = replace(changed[n][0][at], char=best)
    return [(tuple(pieces), rankings) for pieces, rankings in changed]


def _certain(piece: Piece, share: float, together: float) -> bool:
    """Whether a damaged character is beyond doubt, by its share where it stands and its share of all readings."""
    many = len(piece.others)
    if many < 2:
        return True
    return 1 - share <= min(1 - SURE, LEFT / many) and 1 - together <= min(1 - SURE_TOGETHER, LEFT_TOGETHER / many)


def _reread(found: Found) -> Found:
    """Read again with more readings side by side, where any character is open."""
    if all(len(piece.others) < 2 for piece in found.reading.pieces):
        return found
    reading = decode(found.piece, found.context, found.channel, found.style, WIDE)
    return replace(found, reading=reading) if reading else found


def edits_of(text: str, found: list[Found]) -> Iterator[Edit]:
    """The edits that make the readings of a text: runs of certain characters together, each doubtful one by itself."""
    found = [_reread(f) for f in found]
    settled = by_habit([settle(f) for f in found])
    for f, (pieces, rankings) in zip(found, settled, strict=True):
        yield from _edits(text, f, pieces, rankings)


def _edits(text: str, found: Found, pieces: tuple[Piece, ...], rankings: dict[int, Ranking]) -> Iterator[Edit]:
    rule = found.channel.name
    run: list[Piece] = []

    def flush() -> Iterator[Edit]:
        if run:
            start, end = run[0].start + found.start, run[-1].end + found.start
            yield Edit(start, end, text[start:end], "".join(p.char for p in run), rule, True)
            run.clear()

    for at, piece in enumerate(pieces):
        if not piece.damaged:
            yield from flush()
            continue
        ranking = rankings.get(at, [(1.0, piece.char)])
        share = next(s for s, c in ranking if c == piece.char)
        if _certain(piece, share, found.reading.shares.get((piece.start, piece.char), 0.0)):
            run.append(piece)
            continue
        yield from flush()
        start, end = piece.start + found.start, piece.end + found.start
        before = text[start:end]
        others = [(s, c) for s, c in ranking if c != piece.char]
        rest = tuple(c for n, (s, c) in enumerate(others) if s >= POSSIBLE or n == 0)[:8]
        if share < TOO_CLOSE:
            yield Edit(start, end, before, before, rule, False, (piece.char, *rest))
        else:
            yield Edit(start, end, before, piece.char, rule, False, rest)
    yield from flush()
