"""Ranked passages as hits: overlapping ones folded, the second to jump to, and what a reader wants to know beside."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from talksearch.indexer.arrays import Floats
from talksearch.indexer.records import Field, Json
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import marks_among, matched_terms, terms
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.hit import Copy, Hit, Quoted
from talksearch.search.links import jump_to, link
from talksearch.search.query import Query
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.late_interaction import TokenScorer
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import EncodedQuery, Ranking

from .grade import Grade
from .heat import heat
from .metadata_hits import Found, resolve
from .passage_view import _PASSAGE, PassageView, _answer_ms, _nearest

_REACH = 40
"""Words that context may grow by to begin and end with a sentence."""

_SAME_MEANING, _SAME_WORDS = 0.93, 0.7
"""Cosine and share of common terms (Jaccard) from which two passages say the same: a talk uploaded twice, a clip of it,
the words that open every episode."""


@dataclass(slots=True)
class HitList:
    """The hits so far, and what they take up. Talks are counted as `Layout` does."""

    hits: list[Hit] = field(default_factory=list)
    talks: list[int] = field(default_factory=list)
    """The talk of each hit."""
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """Stretches of each talk that are taken, shown or held back, as (start, end) in milliseconds."""
    held_back: Counter[int] = field(default_factory=Counter)
    """Hits of each talk that `per_talk` keeps from being shown."""
    said: list[tuple[Floats | None, str]] = field(default_factory=list)
    """Vector and text of each hit."""


def to_hits(
    db: sqlite3.Connection,
    query: Query,
    ranking: Ranking,
    asked: EncodedQuery,
    opened: Callable[[int], PassageView],
    itself: tuple[int, int, int] | None = None,
    graded: Callable[[Candidate, int], Grade] | None = None,
    by_token: TokenScorer | None = None,
) -> list[Hit]:
    """Return the candidates of a ranking as hits, best first.

    Of passages of a talk that overlap, the best one stands for all; passages of several talks that say the same are
    folded under the best (`Hit.copies`). `opened` gives what the passage with a number shows (`look`). `itself` (number
    of a passage, start, end) is a stretch of its talk that is no hit. `graded` says how good the candidate is that led
    to the passage with a number. Only candidates that become hits, or nearly, are read from the catalog.

    With `by_token`, a hit that says none of the query's words is opened, and marked, at the stretch that is nearest to
    the query token by token.
    """
    if not ranking.candidates:
        return []
    table = ranking.table()
    resolved = resolve(db, table, ranking.candidates, asked.terms, query.leave_out)
    done = HitList()
    if itself:
        done.spans[int(table.layout.talks[table.place(itself[0])])] = [itself[1:]]
    for candidate in ranking.candidates:
        if len(done.hits) == query.k:
            break
        found = resolved(candidate)
        if found is None:  # no note that counts; a talk that left the index, its vectors still about
            continue
        place = table.place(found.number)
        talk = int(table.layout.talks[place])
        if _is_taken(done, talk, *table.times(place), query.per_talk):
            continue
        shown = opened(found.number)
        row, weights, matches = shown.row, shown.weights, shown.matches
        if _is_copy(done, table.vector(place), talk, row):
            continue
        answer_ms, nearest = found.start_ms, None
        if by_token and not matches and found.note is None:
            nearest = _nearest(db, row, by_token, found.number)
        if nearest:
            answer_ms, matches = nearest
        elif answer_ms is None and found.terms:
            answer_ms = _answer_ms(db, row, table.term_weights(found.terms))
        elif answer_ms is None:
            answer_ms = _answer_ms(db, row, weights) if shown.answer_ms is None else shown.answer_ms
        given = graded(candidate, found.number) if graded else None
        hit = _hit(row, candidate.score, query, answer_ms, len(done.hits) + 1, found.note, matches, given)
        if query.context_ms:
            hit = _widened(db, hit, query.context_ms)
            shift = hit.text.find(row[3]) if nearest else -1
            if not nearest:
                words = hit.text.split(" ")
                matches = tuple(marks_among(words, matched_terms(words, weights), weights))
            else:
                matches = tuple((start + shift, end + shift) for start, end in matches if shift >= 0)
            hit = replace(hit, matches=matches)
        if query.explain:
            hit = replace(hit, explain=_explained(ranking, candidate, found, hit, weights, given))
        done.hits.append(hit)
        done.talks.append(talk)
    return _beside(table, query, ranking, done)


def quote_hits(db: sqlite3.Connection, query: Query, found: Sequence[Quoted]) -> list[Hit]:
    """Return stretches in which a quote was said as hits that open at its first word."""
    hits: list[Hit] = []
    shown: Counter[str] = Counter()
    for quoted in found:
        row = db.execute(_PASSAGE, (quoted.passages[0],)).fetchone()
        shown[row[5]] += 1
        if len(hits) == query.k or shown[row[5]] > (query.per_talk or shown[row[5]]):
            continue
        hit = replace(_hit(row, quoted.score, query, quoted.start_ms, len(hits) + 1), quote=quoted)
        at = hit.text.find(quoted.text)
        if at < 0:  # it runs on into the next passage
            hit = replace(hit, start_ms=quoted.start_ms, end_ms=quoted.end_ms, text=quoted.text)
        if query.context_ms:
            hit = _widened(db, hit, query.context_ms)
        at = hit.text.find(quoted.text)
        hits.append(replace(hit, matches=((at, at + len(quoted.text)),) if at >= 0 else ()))
    last = {hit.talk_id: at for at, hit in enumerate(hits)}
    for talk_id, at in last.items():
        held_back = shown[talk_id] - (query.per_talk or shown[talk_id])
        hits[at] = replace(hits[at], more_in_talk=max(0, held_back))
    return hits


def _is_taken(done: HitList, talk: int, start_ms: int, end_ms: int, per_talk: int | None) -> bool:
    """Say whether a better hit covers a passage or its talk has enough of them; if not, it is taken from now on."""
    taken = done.spans.setdefault(talk, [])
    if any(start_ms < end and start < end_ms for start, end in taken):
        return True
    taken.append((start_ms, end_ms))
    if per_talk is not None and done.talks.count(talk) >= per_talk:
        done.held_back[talk] += 1
        return True
    return False


def _is_copy(done: HitList, vector: Floats | None, talk: int, row: Any) -> bool:
    """Say whether a passage says what a hit of another talk says; then the hit names it from now on."""
    for at, (other, text) in enumerate(done.said):
        # The vectors first: they differ for nearly all, and are quicker to compare than words.
        if done.talks[at] == talk or vector is None or other is None or float(vector @ other) < _SAME_MEANING:
            continue
        one, two = set(terms(row[3])), set(terms(text))
        if len(one & two) >= _SAME_WORDS * len(one | two):
            jump_ms = jump_to(row[1], row[15], row[16])
            copy = Copy(row[5], row[6], jump_ms, link(row[10], row[8], jump_ms), row[15], row[16])
            done.hits[at] = replace(done.hits[at], copies=(*done.hits[at].copies, copy))
            return True
    done.said.append((vector, row[3]))
    return False


def _beside(table: PassageTable, query: Query, ranking: Ranking, done: HitList) -> list[Hit]:
    """Return the hits with what belongs to a talk as a whole: its heat at the first, what was held back at the last."""
    hits = list(done.hits)
    first = {talk: at for at, talk in reversed(list(enumerate(done.talks)))}
    last = {talk: at for at, talk in enumerate(done.talks)}
    for talk, at in last.items():
        if done.held_back[talk]:
            hits[at] = replace(hits[at], more_in_talk=done.held_back[talk])
    if query.heat and hits:
        for at, strip in zip(first.values(), heat(table, list(first), ranking), strict=True):
            hits[at] = replace(hits[at], heat=strip)
    return hits


def _explained(
    ranking: Ranking,
    candidate: Candidate,
    found: Found,
    hit: Hit,
    weights: Mapping[str, float],
    given: Grade | None,
) -> dict[str, Json]:
    """Return why a passage is a hit, in the terms of docs/how-it-works.md."""
    ranks: dict[str, int | None] = {}
    for name in ("meaning", "words"):
        value = getattr(candidate, name)
        better = [other for other in ranking.candidates if (getattr(other, name) or 0.0) > (value or 0.0)]
        ranks[name] = None if value is None else 1 + len(better)
    said = set(terms(hit.text))
    return {
        "score": candidate.score,
        "cosine": candidate.meaning,
        "rank_by_meaning": ranks["meaning"],
        "words": candidate.words,
        "rank_by_words": ranks["words"],
        "talk": candidate.talk,
        "tokens": candidate.tokens,
        "terms": {term: round(weight, 2) for term, weight in sorted(weights.items()) if term in said},
        "terms_not_said": sorted(term for term in weights if term not in said),
        "found_by": found.note[0] if found.note else "speech",
        "jump_from_start_s": (hit.jump_ms - hit.start_ms) / 1000,
        **({"grade_probability": round(given.probability, 3)} if given else {}),
    }


def _hit(
    row: Any,
    score: float,
    query: Query,
    answer_ms: int,
    rank: int,
    note: tuple[Field, str] | None = None,
    matches: tuple[tuple[int, int], ...] = (),
    given: Grade | None = None,
) -> Hit:
    (
        passage_id, start_ms, end_ms, text, speakers, talk_id, title, source, path, youtube_id, url, channel, speaker,
        language, date, timing, margin_ms, _, _, _,
    ) = row  # fmt: skip
    jump_ms = jump_to(answer_ms, timing, margin_ms)
    return Hit(
        rank=rank,
        score=score,
        passage_id=passage_id,
        talk_id=talk_id,
        title=title,
        source=source,
        youtube_id=youtube_id,
        channel=channel,
        speaker=speaker or ", ".join(json.loads(speakers)) or None,
        date=date,
        language=language,
        start_ms=start_ms,
        end_ms=end_ms,
        jump_ms=jump_ms,
        url=link(url, path, jump_ms),
        timing=timing,
        margin_ms=margin_ms,
        text=text,
        matches=matches,
        query_id=query.id,
        note=note,
        grade=given.word if given else None,
    )


def _widened(db: sqlite3.Connection, hit: Hit, context_ms: int) -> Hit:
    """Return the hit with the words of its talk from `context_ms` before it to as much behind it.

    The edges move on to the next sentence border, if there is one within a few words. The jump stays where it was.
    """
    first_ms, last_ms = hit.start_ms - context_ms, hit.end_ms + context_ms
    cues = catalog.read_cues(db, hit.talk_id)
    words = [word for cue in cues for word in words_with_times(cue)]
    inside = [at for at, (_, start_ms, end_ms) in enumerate(words) if start_ms < last_ms and end_ms > first_ms]
    if not inside:
        return hit
    first, last = inside[0], inside[-1]
    first = next(
        (at for at in range(first, max(first - _REACH, -1), -1) if at == 0 or ends_sentence(words[at - 1][0])), first
    )
    last = next((at for at in range(last, min(last + _REACH, len(words))) if ends_sentence(words[at][0])), last)
    return replace(
        hit,
        start_ms=words[first][1],
        end_ms=words[last][2],
        text=" ".join(word for word, _, _ in words[first : last + 1]),
    )
