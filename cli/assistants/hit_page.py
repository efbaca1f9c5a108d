"""A page of hits for an assistant: how good the best is, then each hit as one compact block, in few tokens."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from talksearch.cli.render.common import counted
from talksearch.cli.render.hits import why
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.untrusted import safe
from talksearch.search.answer import Answer
from talksearch.search.hit import Hit, more_places, when
from talksearch.search.results.grade import NOTHING_GOOD, verdict

from .cue_lines import Line, fitting, lines_of
from .quoting import Quotation, fenced, field, literal

PAGE_TOKENS = 3_800
"""Tokens of a page, as `quoting.tokens` estimates them: no more than 4,000 by any tokenizer."""

_USUAL_HITS = 10
"""Hits among which the tokens of a page are shared."""

_LEAST_TOKENS = 60
"""Tokens that what is said in a hit may take in any case."""

_LONGEST_BESIDE = 300
"""Characters of what a track in another language says: the hit itself has what is to be quoted."""

_REST_TOKENS = 200
"""Tokens of a page that are no hits: the verdict, the label of the fences, what is to be done next."""

_CUES = (
    "SELECT min(number), max(number) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)"
    " AND end_ms > ? AND start_ms < ?"
)

_READ_ON = "What is said around a hit: read_talk with its talk and from_s. Give the user the url, which opens there."


def hit_page(db: sqlite3.Connection, answer: Answer, offset: int, k: int, found: str = "") -> str:
    """Return hits from an offset on, as many as were asked for and fit.

    Args:
        db: The catalog.
        answer: All hits from the first on, and one more than the page may have, if there is one.
        offset: How many hits are passed over.
        k: How many are wanted.
        found: What the hits are, where that is not that they answer a query.
    """
    wanted = answer.hits[offset : offset + k]
    share = (PAGE_TOKENS - _REST_TOKENS) // max(1, min(len(wanted), _USUAL_HITS))
    shown: list[Quotation] = []
    room: float = PAGE_TOKENS - _REST_TOKENS
    for hit in wanted:
        block = _block(db, hit, share)
        room -= block.tokens()
        if shown and room < 0:
            break
        shown.append(block)
    until = offset + len(shown)
    note = safe(answer.note.replace(NOTHING_GOOD, "").strip())
    if not answer.hits:
        return fenced([found or "Nothing found.", note], ())
    if not shown:
        return fenced([f"There are only {len(answer.hits)} hits: none from offset {offset} on.", note], ())
    more = f"There are more: the same call with offset {until}." if until < len(answer.hits) else ""
    return fenced([_verdict(answer.hits, offset, until, found), note], shown, [more, _READ_ON])


def _verdict(hits: Sequence[Hit], offset: int, until: int, found: str) -> str:
    """Return how good what was found is, in a sentence."""
    shown = hits[offset:until]
    page = f"Hits {offset + 1} to {until}. " if offset else ""
    if verdict(hits):
        return f"{page}Nothing in the archive answers this well; the nearest are:"
    if all(hit.quote for hit in shown):
        exact = sum(1 for hit in shown if hit.quote and hit.quote.score == 1)
        nearly = len(shown) - exact
        said = [f"word for word in {counted('place', exact)}"] * bool(exact)
        said += [f"nearly so in {counted('place', nearly)}"] * bool(nearly)
        return f"{page}Said {', '.join(said)}:"
    kinds = [hit.grade for hit in shown]
    if found or not all(kinds):
        return f"{page}{found or 'How good these are is not known'}: {len(shown)} in {_talks(shown)}, best first."
    counts = Counter(kinds).most_common()
    counts.sort(key=lambda pair: ("strong", "fair", "weak").index(pair[0] or "weak"))
    (best, count), *others = counts
    talks = _talks([hit for hit in shown if hit.grade == best])
    rest = "".join(f", {number} {grade}" for grade, number in others)
    return f"{page}{count} {best} {'match' if count == 1 else 'matches'} in {talks}{rest}:"


def _talks(hits: Sequence[Hit]) -> str:
    count = len({hit.talk_id for hit in hits})
    return counted("talk", count)


def _block(db: sqlite3.Connection, hit: Hit, most_tokens: float) -> Quotation:
    """Return a hit: what is known of it, its talk, and its cues, in about as many tokens as it may have."""
    about: dict[str, Json] = {
        "talk": hit.talk_id,
        "title": field(hit.title),
        "speaker": field(hit.speaker),
        "channel": field(hit.channel) if hit.channel != hit.speaker else None,
        "date": hit.date,
        "language": hit.language,
        "url": hit.url,
    }
    if hit.note and hit.note[0] != "title":
        about[f"found_by_{hit.note[0]}"] = field(hit.note[1])
    if hit.quote and hit.quote.score < 1:
        about["asked_but_said"] = [
            [field(edit.asked) or "", field(edit.said) or ""] for edit in hit.quote.difference if edit.op != "same"
        ]
    if hit.beside:
        about["beside"] = {"language": hit.beside.language, "by": hit.beside.origin, "text": _short(hit.beside.text)}
    if hit.copies:
        about["same_in_talks"] = [copy.talk_id for copy in hit.copies[:3]]
    if hit.explain is not None:
        about["why"] = why(hit.explain)
    head = literal({key: value for key, value in about.items() if value})
    parts = [f"{hit.rank}. {f'{hit.grade} match at ' if hit.grade else ''}{when(hit)}"]
    parts += [more_places(len(hit.also_at))] * bool(hit.also_at)
    parts += [f"{hit.more_in_talk} more hits in this talk"] * bool(hit.more_in_talk)
    without_cues = Quotation(", ".join(parts), (head,))
    cues = fitting(_said(db, hit), hit.jump_ms, max(_LEAST_TOKENS, most_tokens - without_cues.tokens()))
    return Quotation(without_cues.heading, (head, *(line.literal() for line in cues)))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_BESIDE else f"{text[:_LONGEST_BESIDE].rstrip()}…"


def _said(db: sqlite3.Connection, hit: Hit) -> list[Line]:
    """Return what is said in a hit, in lines.

    Where a cue is much longer than the hit, as a paragraph of a text without times is, the line is the hit's own words.
    """
    first, last = db.execute(_CUES, (hit.talk_id, hit.start_ms, hit.end_ms)).fetchone()
    cues = () if first is None else catalog_talks.read_cues(db, hit.talk_id, first, last)
    if not cues or sum(len(cue.text) for cue in cues) > 2 * len(hit.text):
        return [Line(hit.start_ms, hit.said_by, hit.text)]
    return lines_of(cues, hit.jump_ms)
