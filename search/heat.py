"""Where along a talk a query lives: one number for each fortieth of it."""

from __future__ import annotations

import sqlite3

import numpy as np

from .rank import Ranking

BINS = 40


def heat(db: sqlite3.Connection, talk_id: str, ranking: Ranking, best: float) -> tuple[float, ...]:
    """Return how much each fortieth of a talk has to do with the query, from 0 to 1.

    1 is the best hit of the whole answer, so that talks can be compared; 0 is what any passage may score by chance.
    """
    rows = db.execute(
        "SELECT p.number, p.start_ms, p.end_ms FROM passages p JOIN talks t ON t.number = p.talk"
        " WHERE t.id = ? AND p.field = 'speech'",
        (talk_id,),
    ).fetchall()
    if not rows or best <= ranking.usual:
        return (0.0,) * BINS
    places = np.array(rows, np.int64)
    scores = (ranking.scores(places[:, 0]) - ranking.usual) / (best - ranking.usual)
    length = max(1, int(places[:, 2].max()))
    first = np.minimum(places[:, 1] * BINS // length, BINS - 1)
    last = np.minimum(np.maximum(places[:, 2] - 1, places[:, 1]) * BINS // length, BINS - 1)
    strip = np.zeros(BINS)
    for score, begin, end in zip(np.clip(scores, 0.0, 1.0), first, last, strict=True):
        strip[begin : end + 1] = np.maximum(strip[begin : end + 1], score)
    return tuple(round(float(value), 3) for value in strip)
