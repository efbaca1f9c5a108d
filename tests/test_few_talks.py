"""The map of few talks: their distances are kept, and clusters are Ward's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering

from talksearch.indexer.pipeline.few_talks import gather, place


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points, axis=2)


def test_what_lies_in_a_plane_keeps_its_distances() -> None:
    points = np.random.default_rng(0).normal(size=(12, 2))
    in_space = np.hstack([points, np.zeros((12, 5))])[:, ::-1]
    start = np.random.default_rng(1).normal(size=(12, 2))
    near_start = place(in_space, points + 0.1 * start)
    assert distances(near_start) == pytest.approx(distances(points), abs=1e-6)


def test_places_fit_the_vectors_better_than_their_two_main_directions_do() -> None:
    vectors = np.random.default_rng(2).normal(size=(20, 10))
    start = vectors[:, :2]

    def stress(places: np.ndarray) -> float:
        return float(((distances(places) - distances(vectors)) ** 2).sum())

    assert stress(place(vectors, start)) < 0.5 * stress(start)


def test_talks_that_say_the_same_stand_in_one_place() -> None:
    vectors = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    places = place(vectors, vectors[:, :2])
    assert np.isfinite(places).all()
    assert places[0] == pytest.approx(places[1], abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5, 29])
def test_clusters_are_those_of_ward(count: int) -> None:
    places = np.random.default_rng(count).normal(size=(29, 2))
    found = gather(places, count)
    expected = AgglomerativeClustering(count).fit_predict(places)
    assert {tuple(np.flatnonzero(found == one)) for one in range(count)} == {
        tuple(np.flatnonzero(expected == one)) for one in range(count)
    }
