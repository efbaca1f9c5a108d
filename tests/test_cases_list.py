"""The case of a loop, as the README beside the cases says what is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED
from fakes import CountingEncoder

from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.talks.read import read_talk
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

CASE = SHARED / "cases" / "whisper-loop"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CASE.is_dir(), reason="the cases in ../shared are not here"),
]


@pytest.mark.parametrize("encoder", [CountingEncoder(), None])
def test_a_loop_is_one_hit_of_its_talk(tmp_path: Path, encoder: CountingEncoder | None) -> None:
    """One hit of this talk, with "and N more places"."""
    build_index(tmp_path / "index", [CASE], encoder=encoder)
    reader = open_reader(tmp_path / "index", encoder=encoder)
    for text in ("thank you", "Thank you.", '"thank you"'):
        (hit,) = engine.search(reader, Query(text, k=10)).hits
        assert hit.to_dict()["more_places"] >= 4


def test_in_the_transcript_the_loop_stays_and_its_receipt_says_how_often() -> None:
    talk = read_talk(CASE / "loop.srt")
    times = sum(cue.text == "Thank you." for cue in talk.cues)
    assert times == 200
    assert any(f"“Thank you.” stands {times} times in a row from 0:31 on" in note for note in talk.receipt.uncertain)
