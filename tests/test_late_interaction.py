"""Late interaction: the first candidates compared token by token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import WORDS, WordEncoder

from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import QueryEncoding
from talksearch.indexer.pipeline import run
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.ranking import late_interaction
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.late_interaction import QueryTokens, TokenScorer
from talksearch.search.reader import open_reader

AXES = np.eye(8, dtype=np.float32)


def codes(*words: str) -> bytes:
    return token_codes.encode(AXES, np.array([[word == known for known in WORDS] for word in words], np.float32))


def asked(text: str) -> QueryEncoding:
    return WordEncoder().encode_query_by_token(text)


def wanted(text: str, **worth: float) -> QueryTokens:
    found = late_interaction.query_tokens(text, asked(text), AXES, worth)
    assert found is not None
    return found


def by_token(text: str, read: Callable[[Sequence[int]], dict[int, bytes]]) -> TokenScorer:
    return TokenScorer(wanted(text, **dict.fromkeys(text.split(), 1.0)), read, WordEncoder().count_tokens)


def test_a_token_counts_what_its_term_tells() -> None:
    found = wanted("the ship in time", ship=6.0, time=2.0)
    assert found.weights.tolist() == [0.75, 0.25]
    assert late_interaction.query_tokens("the ship", asked("the ship"), AXES, {}) is None
    assert late_interaction.query_tokens("the ship", QueryEncoding(AXES[0], AXES[:0], ()), AXES, {"ship": 1.0}) is None


def test_each_token_is_held_against_the_nearest() -> None:
    query = wanted("ship time", ship=3.0, time=1.0)
    both, ship, time, neither, nothing = late_interaction.maxsim(
        query, [codes("time", "bee", "ship"), codes("ship"), codes("time"), codes("bee"), b""]
    )
    assert both == pytest.approx(1.0)
    assert both > ship > time > neither
    assert nothing == 0


@pytest.mark.parametrize("count", [5, 40, 100])
def test_the_first_are_ordered_anew_and_the_rest_stays_behind_them_in_its_order(count: int) -> None:
    candidates = [Candidate(at, 1.0 - at / 1_000) for at in range(count)]
    held = {at: codes("ship") if at % 3 == 0 else codes("bee") for at in range(count)}
    read: list[int] = []

    def of(numbers: Sequence[int]) -> dict[int, bytes]:
        read.extend(numbers)
        return {number: held[number] for number in numbers}

    found = late_interaction.rerank(candidates, by_token("ship", of))
    first = min(count, late_interaction.FIRST)
    assert read == list(range(first))
    expected = sorted(range(first), key=lambda at: (at % 3 != 0, at)) + list(range(first, count))
    assert [one.number for one in found] == expected
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all((one.tokens is None) == (one.number >= first) for one in found)


def test_passages_that_are_alike_stay_in_their_order() -> None:
    candidates = [Candidate(at, 1.0 - at / 1_000) for at in range(30)]
    found = late_interaction.rerank(
        candidates, by_token("ship time", lambda numbers: dict.fromkeys(numbers, codes("ship", "bee")))
    )
    assert [one.number for one in found] == list(range(30))


def test_what_has_no_tokens_yet_counts_as_average() -> None:
    candidates = [Candidate(at, 1.0) for at in range(3)]
    found = late_interaction.rerank(candidates, by_token("ship", lambda _: {0: codes("bee"), 2: codes("ship")}))
    assert [one.number for one in found] == [2, 1, 0]
    assert late_interaction.rerank(candidates, by_token("ship", lambda _: {0: codes("bee")})) == candidates


def test_the_nearest_part_of_a_passage_is_the_one_with_the_nearest_tokens() -> None:
    said = ["rain", "and", "bread", "then", "a", "ship", "in", "time", "and", "rain"]
    parts = [(0, 3), (3, 6), (6, 10)]
    query = by_token("ship time", lambda _: {7: codes(*said)})
    assert late_interaction.nearest(query, 7, said, parts) == (3, 6)
    assert late_interaction.nearest(query, 7, said, [(6, 10), (0, 3)]) == (6, 10)
    assert late_interaction.nearest(query, 8, said, parts) is None
    prompted = by_token("ship time", lambda _: {7: codes("ship", "ship", *said)})
    assert late_interaction.nearest(prompted, 7, said, parts) == (3, 6), "the prompt's tokens are no word's"


@pytest.mark.parametrize(("mode", "compared"), [("hybrid", True), ("semantic", False), ("lexical", False)])
def test_a_search_says_what_the_tokens_said(tmp_path: Path, mode: str, compared: bool) -> None:
    index = tmp_path / "index"
    index.mkdir()
    token_codes.write(index, AXES)
    for name, text in (("one", "ship and time"), ("two", "ship and rain"), ("three", "bread and song")):
        (tmp_path / f"{name}.srt").write_text(f"1\n00:00:01,000 --> 00:00:09,000\n{text}\n")
    run.build_index(index, [tmp_path], encoder=WordEncoder())
    answer = engine.search(
        open_reader(index, encoder=WordEncoder()),
        Query("ship time", mode=mode, explain=True),  # type: ignore[arg-type]
    )
    assert answer.hits[0].text == "ship and time"
    said = answer.hits[0].to_dict()["explain"]["tokens"]  # type: ignore[index, call-overload]
    assert (said is not None) == compared
