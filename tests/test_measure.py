"""Measuring on queries with known answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from talksearch.indexer.errors import QueryError
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.measure import GoldQuery
from talksearch.search.hit import Hit

HIT = Hit(
    1, 2.5, "p", "t1", "Title", "archive/seed/a.vtt", "abcdefghijk", None, None, None, "en", 60_000, 80_000, 60_000,
    "file:///a.vtt", "exact", 0, "text",
)  # fmt: skip
GOLD = GoldQuery("q", "what", "seed/a.vtt", ((60_000, 90_000),), "question", "mine")


def hit(rank: int, jump_s: float, source: str = "archive/seed/a.vtt") -> Hit:
    return replace(HIT, rank=rank, jump_ms=round(jump_s * 1000), source=source, talk_id=source, youtube_id=None)


@pytest.mark.parametrize(
    ("jump_s", "error_ms"),
    [(60, 0), (45, 15_000), (44.999, None), (89.999, 29_999), (90, None), (0, None)],
)
def test_right_from_fifteen_seconds_before_the_start_up_to_the_end(jump_s: float, error_ms: int | None) -> None:
    assert measure.jump_error(GOLD, round(jump_s * 1000)) == error_ms


def test_any_span_counts_and_the_nearest_start_gives_the_error() -> None:
    gold = replace(GOLD, spans=((0, 100_000), (300_000, 400_000), (90_000, 200_000)))
    assert measure.jump_error(gold, 95_000) == 5_000
    assert measure.jump_error(gold, 310_000) == 10_000
    assert measure.jump_error(gold, 250_000) is None


@pytest.mark.parametrize("talk", ["seed/a.vtt", "a.vtt", "home/archive/seed/a.vtt", "t1", "abcdefghijk"])
def test_a_talk_is_known_by_its_path_or_id(talk: str) -> None:
    assert measure.is_in_talk(HIT, talk)


@pytest.mark.parametrize("talk", ["eed/a.vtt", "other/a.vtt", "seed/a.vtt/b", "t", "", "seed"])
def test_another_talk_is_not_taken_for_it(talk: str) -> None:
    assert not measure.is_in_talk(HIT, talk)


def test_judged_by_the_first_right_hit() -> None:
    hits = [hit(1, 60, "other/b.vtt"), hit(2, 300), hit(3, 75), hit(4, 60)]
    outcome = measure.judge(GOLD, hits)
    assert (outcome.rank, outcome.talk_rank, outcome.jump_error_ms) == (3, 2, 15_000)
    assert outcome.first == "other/b.vtt@60"


def test_a_query_without_hits_scores_nothing_and_still_counts() -> None:
    outcomes = [measure.judge(GOLD, []), measure.judge(GOLD, [hit(1, 60)])]
    assert (outcomes[0].rank, outcomes[0].talk_rank, outcomes[0].first) == (None, None, "")
    assert measure.metrics(outcomes)["mrr@10"].value == 0.5


def test_figures_by_hand() -> None:
    right = hit(1, 60)
    wrong = [hit(rank, 300) for rank in range(1, 60)]
    ranks = [measure.judge(GOLD, [*wrong[:before], right]) for before in (0, 1, 9, 10)]
    figures = {name: figure.value for name, figure in measure.metrics(ranks).items()}
    assert figures["success@1"] == 0.25
    assert figures["success@5"] == 0.5
    assert figures["success@10"] == 0.75
    assert figures["mrr@10"] == pytest.approx((1 + 1 / 2 + 1 / 10) / 4)
    assert figures["ndcg@10"] == pytest.approx((1 + 0.6309298 + 0.2890648) / 4)
    assert figures["recall@100"] == 1
    assert figures["talk@1"] == 1


def test_jump_errors_are_those_of_right_hits_among_the_first_ten() -> None:
    late = [hit(rank, 300) for rank in range(1, 11)]
    outcomes = [measure.judge(GOLD, [hit(1, 60 + error)]) for error in (0, 2, 20)]
    outcomes.append(measure.judge(GOLD, [*late, hit(11, 89)]))
    assert measure.metrics(outcomes)["jump_error_s_median"].value == 2


def test_intervals_hold_the_figure_and_are_the_same_each_time() -> None:
    outcomes = [measure.judge(replace(GOLD, talk=f"{n}.vtt"), [hit(1, 60, f"{n % 2}.vtt")]) for n in range(40)]
    figure = measure.metrics(outcomes)["success@1"]
    assert figure.low <= figure.value <= figure.high
    assert figure.low < figure.high
    assert figure == measure.metrics(outcomes)["success@1"]


def test_queries_of_one_talk_are_drawn_together() -> None:
    def outcomes(talks: int) -> list[measure.Outcome]:
        golds = [replace(GOLD, talk=f"{n % talks}.vtt") for n in range(40)]
        return [measure.judge(gold, [hit(1, 60, "0.vtt")] * (int(gold.talk[:-4]) % 2 == 0)) for gold in golds]

    few, many = (measure.metrics(outcomes(talks))["talk@1"] for talks in (4, 40))
    assert few.high - few.low > 2 * (many.high - many.low)


def test_each_kind_by_itself_where_there_are_several() -> None:
    one = measure.judge(GOLD, [hit(1, 60)])
    other = measure.judge(replace(GOLD, kind="quote"), [])
    third = measure.judge(replace(GOLD, file="second"), [])
    assert [(row.file, row.kind, row.queries) for row in measure.summarise([one, other, third])] == [
        ("mine", "", 2),
        ("mine", "question", 1),
        ("mine", "quote", 1),
        ("second", "", 1),
    ]


def test_the_worst_are_the_missed_ones_with_the_highest_score() -> None:
    found = measure.judge(GOLD, [replace(hit(1, 300), score=9.0), hit(2, 60)])
    missed = [measure.judge(replace(GOLD, id=str(score)), [replace(hit(1, 300), score=score)]) for score in (1.0, 3.0)]
    right = measure.judge(GOLD, [hit(1, 60)])
    assert measure.worst_failures([right, found, *missed], 5) == [missed[1], missed[0], found]


def test_gold_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    rows = [
        {"query": "a", "talk": "a.vtt", "start_s": 10},
        {"id": 7, "query": "b", "talk": "a.vtt", "start_s": 1.5, "end_s": 2.25, "kind": "quote"},
        {"query": "c", "talk": "a.vtt", "start_s": 5, "end_s": 6, "spans": [[5, 6], [8, 9]]},
    ]
    file.write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8-sig")
    assert measure.read_gold(file) == (
        GoldQuery("1", "a", "a.vtt", ((10_000, 190_000),), "", "mine"),
        GoldQuery("7", "b", "a.vtt", ((1_500, 2_250),), "quote", "mine"),
        GoldQuery("5", "c", "a.vtt", ((5_000, 6_000), (8_000, 9_000)), "", "mine"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", '{"query": "a"}', '{"query": "a", "talk": "b", "start_s": "soon"}', "7",
        '{"query": "a", "talk": "b", "start_s": Infinity}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_line_that_is_no_gold_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_text('{"query": "a", "talk": "b", "start_s": 1}\n' + line, encoding="utf-8")
    with pytest.raises(QueryError, match="Line 2 of"):
        measure.read_gold(file)


def test_a_query_may_hold_any_character_and_half_a_one(tmp_path: Path) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_text('{"query": "a\u2028b\\ud800", "talk": "b", "start_s": 1}\n', encoding="utf-8")
    assert measure.read_gold(file)[0].query == "a\u2028b\ufffd"


def test_json_has_no_nan() -> None:
    summary = measure.summarise([measure.judge(GOLD, [])])[0]
    row = json.loads(json.dumps(measure.summary_json(summary), allow_nan=False))
    assert row["jump_error_s_median"] == {"value": None, "low": None, "high": None}
    assert row["success@1"]["value"] == 0
