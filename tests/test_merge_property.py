"""An archive that is split gives the answers of the whole: merged, and asked at once, whichever way it was split."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fakes import WORDS, WordEncoder
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from test_merge import AXES, built_along
from tiny import write_talk

from talksearch.indexer import merge_indexes
from talksearch.indexer.pipeline.merged_copy import merged_copy
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Filters, Query
from talksearch.search.reader import open_reader

QUERIES = (
    Query("time ship", 30),
    Query("rain bee", 30, mode="semantic"),
    Query("bridge code", 30, mode="lexical"),
    Query("song bread", 30, per_talk=1),
    Query('"bee rain ship"', 30),
    Query("bee", 30, filters=Filters(channel="north")),
)
"""Of every way of asking one."""

lines = st.lists(st.sampled_from([*WORDS, "the", "of", "and"]), min_size=3, max_size=12).map(" ".join)
talks = st.lists(lines, min_size=1, max_size=4)
archives = st.lists(st.tuples(talks, st.integers(0, 2), st.sampled_from(["north", "south"])), min_size=2, max_size=7)
"""Talks by their lines; each with the part that it goes into, and with its channel."""


def answers(folder: Path) -> list[list[Hit]]:
    """Return the hits to every query, in order."""
    with open_reader(folder, encoder=WordEncoder()) as index:
        return [list(engine.search(index, query).hits) for query in QUERIES]


@pytest.mark.usefixtures("_own_cache")
@given(archive=archives)
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_the_answers_of_parts_are_those_of_the_whole(archive: list[tuple[list[str], int, str]]) -> None:
    """However many parts, whatever is asked: the same hits in the same order, with all that is told of them."""
    with TemporaryDirectory() as name:
        root = Path(name)
        for number, (said, part, channel) in enumerate(archive):
            write_talk(root / f"part-{part}", f"talk-{number}", said, channel=channel)
        folders = sorted(root.glob("part-*"))
        parts = [built_along(AXES, root / f"index-{folder.name}", folder) for folder in folders]
        whole = answers(built_along(AXES, root / "whole", *folders))
        merge_indexes(parts, root / "merged")
        assert answers(root / "merged") == whole
        if len(parts) > 1:
            assert answers(merged_copy(parts, note=lambda _: None)) == whole


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
