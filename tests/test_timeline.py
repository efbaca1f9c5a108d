"""The heat of a talk is a timeline: stretches above chance, each with the second to jump to and the words there."""

from __future__ import annotations

import pytest
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.indexer.pipeline.run import build_index
from talksearch.search import engine
from talksearch.search.hit import Hit, TimelinePart
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader

FILLER = "nothing much is going on in this long and quiet part of the evening and so we go on and on about it"
MINUTES = 40


def line(minute: int) -> str:
    return {5: "now the ship leaves the harbour", 30: "and the ship comes home"}.get(minute, f"{FILLER} {minute}")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    folder = tmp_path_factory.mktemp("timeline")
    write_talk(folder / "talks", "voyage", [line(minute) for minute in range(1, MINUTES + 1)])
    write_talk(folder / "talks", "evening", [f"{FILLER} {minute} again" for minute in range(1, MINUTES + 1)])
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return open_reader(folder / "index", encoder=CountingEncoder())


def first_hit(index: IndexReader, **options: bool) -> Hit:
    (hit, *_) = engine.search(index, Query("ship", mode="lexical", **options)).hits  # type: ignore[arg-type]
    return hit


def test_a_part_leads_to_the_second_and_tells_the_words_there(index: IndexReader) -> None:
    first, second = first_hit(index, timeline=True).timeline
    length_ms = (MINUTES * 60 + 5) * 1000
    for part, minute in ((first, 5), (second, 30)):
        assert part.jump_ms == minute * 60_000
        assert part.start_ms <= part.jump_ms + length_ms // 40
        assert part.start_ms * 40 % length_ms < 40
        assert part.level > 0
    assert "ship leaves the harbour" in first.text
    assert "ship comes home" in second.text
    assert first.end_ms <= second.start_ms


def test_the_parts_are_those_of_the_heat(index: IndexReader) -> None:
    hit = first_hit(index, timeline=True, heat=True)
    assert hit.heat == first_hit(index, heat=True).heat
    length_ms = (MINUTES * 60 + 5) * 1000
    warm = {position for position, level in enumerate(hit.heat) if level > 0}
    told = {
        position
        for part in hit.timeline
        for position in range(40)
        if part.start_ms <= position * length_ms // 40 < part.end_ms
    }
    assert told == warm
    assert max(part.level for part in hit.timeline) == max(hit.heat) == 1.0


def test_a_timeline_is_told_only_where_it_is_asked_for(index: IndexReader) -> None:
    plain = first_hit(index, heat=True)
    assert plain.timeline == ()
    assert "timeline" not in plain.to_dict()
    assert first_hit(index, timeline=True).heat == ()
    part: TimelinePart = first_hit(index, timeline=True).timeline[0]
    assert first_hit(index, timeline=True).to_dict()["timeline"][0] == {
        "start_s": part.start_ms / 1000,
        "end_s": part.end_ms / 1000,
        "level": part.level,
        "jump_s": 300.0,
        "text": part.text,
    }


def test_where_a_hit_opens_its_part_leads_as_well(index: IndexReader) -> None:
    answer = engine.search(index, Query("ship", mode="lexical", timeline=True))
    assert {hit.jump_ms for hit in answer.hits} == {part.jump_ms for part in answer.hits[0].timeline}
