"""What must hold for every real transcript, on a slice of them; benchmarks/archive.py checks them all."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from conftest import SHARED

from talksearch.indexer.encoders.default_model import model_token_counter
from talksearch.indexer.passages.split import split
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file

PROBLEMS = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "archive.py"))["problems"]
SLICE = [
    path
    for folder, step in (("rolling", 12), ("bitcoin", 20), ("nyu", 8), ("ethereum", 12), ("zoom", 15), ("qmsum", 40))
    for path in sorted((SHARED / "archive" / folder).glob("*.vtt"))[::step]
]


@pytest.mark.realdata
@pytest.mark.parametrize("path", SLICE, ids=lambda path: path.name[:40])
def test_no_word_is_lost_and_no_time_runs_backwards(path: Path) -> None:
    talk = load_talk(open_file(path, path.read_bytes()), path.name)
    count_tokens, max_tokens = model_token_counter(None)
    passages = split(talk, count_tokens, max_tokens)
    assert PROBLEMS(path.read_text(encoding="utf-8"), talk, passages) == []
    assert all(sum(map(count_tokens, passage.text.split())) <= max_tokens for passage in passages)


@pytest.mark.realdata
def test_the_slice_is_not_empty() -> None:
    assert len(SLICE) > 25
