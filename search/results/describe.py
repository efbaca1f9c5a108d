"""What a hit tells its reader: the passage, its link, the words around it, and why it is a hit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from talksearch.indexer.records import Field, Json
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import terms
from talksearch.indexer.text.word_times import words_with_times
from talksearch.search.hit import GradeWord, Hit, MarkKind
from talksearch.search.links import jump_to, link
from talksearch.search.ranking.fusion import Candidate

from .passage_view import PassageRow, Spans

_WORDS_TO_SENTENCE = 40
"""By how many words context may grow at each end to begin and end with a sentence."""


def make_hit(
    row: PassageRow,
    *,
    rank: int,
    score: float,
    answer_ms: int,
    query_id: str | None,
    note: tuple[Field, str] | None = None,
    matches: Spans = (),
    mark_kind: MarkKind = "said",
    said_by: str | None = None,
    grade: GradeWord | None = None,
) -> Hit:
    """Return a passage as a hit.

    Args:
        row: The passage and its talk.
        rank: From 1.
        score: What the hit is ranked by.
        answer_ms: When the answer begins, in milliseconds of the talk.
        query_id: What the query is called in a file of queries.
        note: The field and the text of the note that led to the passage.
        matches: The characters of the passage's text that are marked.
        mark_kind: What they are.
        said_by: Who speaks when the answer begins.
        grade: How good the hit is.
    """
    jump_ms = jump_to(answer_ms, row.timing, row.margin_ms)
    return Hit(
        rank=rank,
        score=score,
        passage_id=row.passage_id,
        talk_id=row.talk_id,
        title=row.title,
        source=row.source,
        youtube_id=row.youtube_id,
        channel=row.channel,
        speaker=row.speaker or ", ".join(json.loads(row.speakers)) or None,
        date=row.date,
        language=row.language,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        jump_ms=jump_ms,
        url=link(row.url, row.path, jump_ms),
        timing=row.timing,
        margin_ms=row.margin_ms,
        text=row.text,
        matches=matches,
        mark_kind=mark_kind,
        said_by=said_by,
        query_id=query_id,
        note=note,
        grade=grade,
    )


_CUES_BETWEEN = (
    "SELECT min(number), max(number) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)"
    " AND end_ms > ? AND start_ms < ?"
)


def widen(db: sqlite3.Connection, hit: Hit, context_ms: int) -> Hit:
    """Return a hit with the words of its talk from `context_ms` before it to as much behind it.

    Each edge moves on to the next end of a sentence, if there is one within a few words. The jump stays where it was.
    """
    from_ms, to_ms = hit.start_ms - context_ms, hit.end_ms + context_ms
    first_cue, last_cue = db.execute(_CUES_BETWEEN, (hit.talk_id, from_ms, to_ms)).fetchone()
    if first_cue is None:
        return hit
    # A cue has a word at least, so that is enough to look for the end of a sentence in. A talk of hours has many more.
    edge = _WORDS_TO_SENTENCE + 1
    cues = catalog_talks.read_cues(db, hit.talk_id, max(0, first_cue - edge), last_cue + edge)
    words: list[tuple[str, int, int]] = []
    glued: set[int] = set()  # positions of words that no blank parts from the line before
    for cue in cues:
        cue_words = words_with_times(cue)
        if words and cue_words and not between_lines(words[-1][0], cue_words[0][0]):
            glued.add(len(words))
        words += cue_words
    inside = [position for position, (_, start_ms, end_ms) in enumerate(words) if start_ms < to_ms and end_ms > from_ms]
    if not inside:
        return hit
    first, last = inside[0], inside[-1]
    backward = range(first, max(first - _WORDS_TO_SENTENCE, -1), -1)
    forward = range(last, min(last + _WORDS_TO_SENTENCE, len(words)))
    first = next((i for i in backward if i == 0 or ends_sentence(words[i - 1][0])), first)
    last = next((i for i in forward if ends_sentence(words[i][0])), last)
    return replace(
        hit,
        start_ms=words[first][1],
        end_ms=words[last][2],
        text="".join(
            word if position in glued or position == first else f" {word}"
            for position, (word, _, _) in enumerate(words[first : last + 1], first)
        ),
    )


def explain(
    candidates: Sequence[Candidate], candidate: Candidate, hit: Hit, weights: Mapping[str, float]
) -> dict[str, Json]:
    """Return why a passage is a hit, in the terms of docs/how-it-works.md.

    Args:
        candidates: All candidates of the ranking.
        candidate: The one that led to the hit.
        hit: The hit, with its note and the text that is shown.
        weights: How much each term of the query tells, and each term that stands for one in this talk.
    """
    said = set(terms(hit.text))
    return {
        "score": candidate.score,
        "cosine": candidate.meaning,
        "rank_by_meaning": _rank(candidate.meaning, [other.meaning for other in candidates]),
        "words": candidate.words,
        "rank_by_words": _rank(candidate.words, [other.words for other in candidates]),
        "talk": candidate.talk,
        "tokens": candidate.tokens,
        "terms": {term: round(weight, 2) for term, weight in sorted(weights.items()) if term in said},
        "terms_not_said": sorted(term for term in weights if term not in said),
        "found_by": hit.note[0] if hit.note else "speech",
        "jump_from_start_s": (hit.jump_ms - hit.start_ms) / 1000,
    }


def _rank(value: float | None, values: Sequence[float | None]) -> int | None:
    """Return the rank of a value among all, from 1; None where it has none."""
    return None if value is None else 1 + sum((other or 0.0) > value for other in values)
