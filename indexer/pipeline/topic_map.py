"""Making the map of topics: talks are projected from the space of their vectors onto a plane, and gathered in topics.

It is made once, at the end of an indexing run that changed something. While few talks come or go, those that are there
stay where they are, so that whoever knows the map finds them again, and new ones are put between their neighbours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.stores import catalog, topics, vectors
from talksearch.indexer.stores.topics import Point, TopicMap

from . import few_talks
from .few_talks import Plane
from .topic_labels import topic_labels

_FEWEST = 8
"""Talks from which on there are topics; fewer are put along the two directions in which they differ most, and are one
topic."""

_MANY = 30
"""Talks from which on they are projected by their neighbours; fewer are put so that their distances are kept, which
spares importing scikit-learn. Of fewer, those that are most alike then stand together nearly as often; of more, not."""

_MOST_PROJECTED = 3_000
"""Talks that are projected at once; of more, as many at even distances, and the others stand between those."""

_DIMENSIONS = 50
"""Dimensions that are left of the vectors before the neighbours of talks are looked for: the rest is noise."""

_PERPLEXITY = 30.0
"""About how many neighbours a talk is kept near to."""

_ALIKE = 1e-5
"""How little talks differ at most that say the same: what rounding leaves of vectors of length 1."""

_STEPS = 500
"""Steps in which talks find their places; after so many they hardly move."""

_MOST_TOPICS = 14
"""More of them no map can name."""

_NEIGHBOURS = 3
"""Talks between which one is put that the map was not projected with."""

_AT_ONCE = 1_000
"""Talks that are compared with all others at once."""

_KEPT = 0.9
"""The share of the talks that a map must have been projected with to be kept."""

_SEED = 0


def update(folder: Path, db: sqlite3.Connection, dimension: int) -> bool:
    """Make the map where it is missing, damaged or of another state. Returns whether it was made.

    There is none while no talk has vectors.
    """
    if topics.is_current(folder, db):
        return False
    with catalog.snapshot(db):
        talk_ids, means = _talk_vectors(folder, db, dimension)
        if not talk_ids:
            return False
        known = topics.read(folder)
        topic_map = known and _kept(known, talk_ids, means)
        topics.write(folder, db, topic_map or _projected(db, talk_ids, means))
    return True


def check(folder: Path, db: sqlite3.Connection, dimension: int) -> bool:
    """Say whether the map is whole and of the present state, or no talk has vectors yet."""
    return topics.is_current(folder, db) or not _talk_vectors(folder, db, dimension)[0]


def _talk_vectors(folder: Path, db: sqlite3.Connection, dimension: int) -> tuple[list[str], Floats]:
    """Return the ids of the talks that have vectors, sorted, and for each the mean of its speech, of length 1."""
    rows = db.execute(
        "SELECT p.number, t.id FROM passages p JOIN talks t ON t.number = p.talk"
        " WHERE p.field = 'speech' ORDER BY t.id, p.number"
    ).fetchall()
    copy = vectors.read(folder, dimension)
    positions = copy.find(np.fromiter((number for number, _ in rows), np.int64, len(rows)))
    talk_ids = sorted({talk_id for (_, talk_id), row in zip(rows, positions.tolist(), strict=True) if row >= 0})
    place_of = {talk_id: place for place, talk_id in enumerate(talk_ids)}
    talks = np.fromiter((place_of.get(talk_id, -1) for _, talk_id in rows), np.int64, len(rows))[positions >= 0]
    sums = np.zeros((len(talk_ids), dimension), np.float32)
    first = 0
    for block in vectors.blocks(copy.rows, positions[positions >= 0]):
        own, starts = np.unique(talks[first : first + len(block)], return_index=True)  # talks rise
        sums[own] += np.add.reduceat(block, starts)
        first += len(block)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means: Floats = (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return talk_ids, means


def _kept(known: TopicMap, talk_ids: Sequence[str], means: Floats) -> TopicMap | None:
    """Return a map with the talks that are new put in and those that are gone left out; None where too much changed."""
    projected = [place for place, talk_id in enumerate(talk_ids) if _is_projected(known, talk_id)]
    of_old = sum(point.projected for point in known.points.values())
    if len(projected) < _KEPT * max(len(talk_ids), of_old) or len(projected) < _FEWEST:
        return None
    there = np.array([known.points[talk_ids[place]][:2] for place in projected])
    own_topics = np.array([known.points[talk_ids[place]].topic for place in projected])
    places, found = _between(means[projected], there, own_topics, means)
    points = {
        talk_id: known.points.get(talk_id) or Point(x, y, topic, projected=False)
        for talk_id, (x, y), topic in zip(talk_ids, places.round(4).tolist(), found.tolist(), strict=True)
    }
    return TopicMap(known.labels, points)


def _is_projected(known: TopicMap, talk_id: str) -> bool:
    point = known.points.get(talk_id)
    return point is not None and point.projected


def _projected(db: sqlite3.Connection, talk_ids: Sequence[str], means: Floats) -> TopicMap:
    """Return a new map of all talks."""
    step = -(-len(talk_ids) // _MOST_PROJECTED)
    chosen = np.arange(0, len(talk_ids), step)
    if len(chosen) < _FEWEST:
        plane, found = _principal(means[chosen], 2).astype(np.float64), np.zeros(len(chosen), np.int64)
    else:
        plane, found = _project(means[chosen])
    plane = _fitted(plane)
    places, all_topics = _between(means[chosen], plane, found, means)
    places[chosen], all_topics[chosen] = plane, found
    known, numbered = np.unique(all_topics, return_inverse=True)
    labels = topic_labels(db, talk_ids, numbered, len(known))
    is_chosen = set(chosen.tolist())
    points = {
        talk_id: Point(x, y, topic, place in is_chosen)
        for place, (talk_id, (x, y), topic) in enumerate(
            zip(talk_ids, places.round(4).tolist(), numbered.tolist(), strict=True)
        )
    }
    return TopicMap(labels, points)


def _project(means: Floats) -> tuple[Plane, Ints]:
    """Return places and topics for some talks: t-SNE (van der Maaten and Hinton, 2008), and Ward's clusters of places.

    Topics are gathered on the plane and not among the vectors, so that each lies together on the map.
    """
    reduced = _principal(means, min(_DIMENSIONS, len(means)))
    if np.ptp(reduced) < _ALIKE:  # where talks do not differ, scikit-learn would divide by nothing, and crash
        return np.zeros((len(means), 2)), np.zeros(len(means), np.int64)
    count = min(_MOST_TOPICS, max(2, round((len(means) / 2) ** 0.5)))
    if len(means) < _MANY:
        plane = few_talks.place(reduced, reduced[:, :2].astype(np.float64))
        return plane, few_talks.gather(plane, count)
    # Imported late: only a run that changed something needs it, and it takes a second.
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(means) - 1) / 3)
    # Several threads stand in each other's way here, and add up in another order each time.
    with threadpool_limits(1):
        tsne = TSNE(perplexity=perplexity, init="pca", max_iter=_STEPS, random_state=_SEED)
        plane = np.asarray(tsne.fit_transform(reduced), np.float64)
        found = AgglomerativeClustering(count).fit_predict(plane)
    return plane, np.asarray(found, np.int64)


def _principal(values: Floats, count: int) -> Floats:
    """Return where some vectors stand along the directions in which they differ most (n, count)."""
    centred = values - values.mean(axis=0)
    left, lengths, right = np.linalg.svd(centred, full_matrices=False)
    # The sign of a direction is arbitrary; it is the one that makes its largest component positive.
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    found = np.zeros((len(values), count), np.float32)
    kept = min(count, len(lengths))
    found[:, :kept] = (left * lengths * signs)[:, :kept]
    return found


def _fitted(plane: Plane) -> Plane:
    """Return places spread from 0 to 1 each way; in the middle where all are the same."""
    low, high = plane.min(axis=0), plane.max(axis=0)
    width = np.where(high - low > 1e-6, high - low, 1)
    fitted: Plane = np.where(high - low > 1e-6, (plane - low) / width, 0.5)
    return fitted


def _between(known: Floats, places: Plane, found: Ints, means: Floats) -> tuple[Plane, Ints]:
    """Return where some talks belong on a map, and their topics: between those that are most like them.

    Args:
        known: The vectors of the talks on the map (n, dimension).
        places: Where these stand (n, 2).
        found: Their topics (n,).
        means: The vectors of the talks to be placed (m, dimension).
    """
    nearest = np.empty((len(means), min(_NEIGHBOURS, len(known))), np.int64)
    for first in range(0, len(means), _AT_ONCE):
        likeness = means[first : first + _AT_ONCE] @ known.T
        nearest[first : first + _AT_ONCE] = np.argsort(-likeness, axis=1, kind="stable")[:, :_NEIGHBOURS]
    return places[nearest].mean(axis=1), found[nearest[:, 0]]
