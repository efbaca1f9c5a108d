"""What was done to a transcript, in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from talksearch.cli.render.step_sentences import step_sentences, words_sentence
from talksearch.indexer.records import Receipt, Step, Talk
from talksearch.indexer.restore.clean import CLEANING_STEPS

ROOT = Path(__file__).parents[1] / "indexer"


def told(*steps: Step) -> list[str]:
    return list(step_sentences(Talk("x", "x.vtt", "X", (), receipt=Receipt(steps=steps))))


def every_step() -> set[str]:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py")))
    return {*re.findall(r'Step\(\s*"([a-z-]+)"', sources), *CLEANING_STEPS}


@pytest.mark.parametrize("name", sorted(every_step() - {"read", "decode"}))
def test_every_step_has_a_sentence(name: str) -> None:
    detail = {"from": "a.vtt", "language": "en", "matched": 1, "words": 2}
    (sentence,) = told(Step(name, "cues", detail))
    assert re.fullmatch(r"[A-Z].*\.", sentence)
    assert not sentence.startswith(name.replace("-", " ").capitalize()), "it only repeats the step's name"


def test_counts_stand_behind_what_was_done() -> None:
    assert told(
        Step("decode", "file", {"encoding": "utf-8"}),
        Step("read", "file", {"reader": "vtt"}),
        Step("strip-markup", "cues", {"tags": 1_200, "comments": 1}),
        Step("repair-text", "title", {"count": 15, "uncertain": 6}),
        Step("take-from", "title", {"from": "b.txt"}),
    ) == [
        "Markup was taken out: 1,200 tags, 1 comment.",
        "Letters that had been read in the wrong code page were put back in the title: 15 places, 6 not certain.",
        "The title was taken from b.txt.",
    ]


def test_a_file_in_another_encoding_is_told() -> None:
    assert told(Step("decode", "file", {"encoding": "windows-1252"})) == ["The file was decoded as windows-1252."]


def test_what_a_receipt_quotes_is_made_safe() -> None:
    assert told(Step("take-from", "title", {"from": "b\x1b[31m.txt"})) == ["The title was taken from b[31m.txt."]


def test_words_that_are_lost_are_said_to_be() -> None:
    assert words_sentence(Receipt(10, 8, words_lost=2)) == "The file holds 10 words: 8 are said here, 2 lost."
