"""The plain hybrid, computed by hand, and what is said of an index beside it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.cli.main import cli
from talksearch.cli.render import reports
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.terms import terms
from talksearch.search.evaluation import beside, measure, plain_hybrid
from talksearch.search.evaluation.beside import Pair
from talksearch.search.evaluation.measure import GoldQuery, Interval, Outcome
from talksearch.search.reader import open_reader

SAID = {
    "ships": "the ship keeps its own time whatever the harbour says",
    "bees": "every bee knows when rain is near and flies home",
    "bridges": "a bridge in the rain is a bridge that sings in stone",
    "bread": "nobody weighs flour for bread in the village any more",
    "songs": "what the song means depends on whoever sings it",
}
QUERY = "rain bridge"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    for name, line in SAID.items():
        write_talk(tmp_path / "talks", name, [line], title="bridge" if name == "songs" else name)
    run.build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    return tmp_path / "index"


def outcome(rank: int | None, talk_rank: int | None, gold: GoldQuery) -> Outcome:
    return Outcome(gold, rank, talk_rank, 0 if rank else None, 1.0, "")


def pairs_of(ranks: list[tuple[int | None, int | None, int | None]], kind: str = "") -> list[Pair]:
    """Make pairs from the ranks of ours, of ours opened at the start, and of the plain hybrid."""
    golds = [GoldQuery(str(at), "q", f"{at}.vtt", ((0, 1),), kind, "mine") for at in range(len(ranks))]
    return [Pair(*(outcome(rank, rank, gold) for rank in three)) for gold, three in zip(golds, ranks, strict=True)]


def test_the_score_is_the_standard_score_of_the_cosine_and_six_tenths_of_bm25(index: Path) -> None:
    encoder = CountingEncoder()
    with open_reader(index, encoder=encoder) as reader, catalog.snapshot(reader.db):
        ranked = plain_hybrid.ranked(reader, QUERY)
        rows = reader.db.execute("SELECT number, text, field FROM passages ORDER BY number").fetchall()
        lengths = dict(
            reader.db.execute("SELECT rowid, length(terms) - length(replace(terms, ' ', '')) + 1 FROM words")
        )
    cosines = {
        number: float(encoder.encode_query(QUERY) @ vector)
        for (number, _, _), vector in zip(rows, encoder.encode_passages([text for _, text, _ in rows]), strict=True)
    }
    values = np.array(list(cosines.values()))
    mean_length = sum(lengths.values()) / len(rows)

    def bm25(number: int, text: str) -> float:
        score = 0.0
        for term in terms(QUERY):
            holding = sum(term in terms(other) for _, other, _ in rows)
            idf = max(math.log((len(rows) - holding + 0.5) / (holding + 0.5)), 1e-6)
            times = terms(text).count(term)
            score += idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * lengths[number] / mean_length))
        return score

    by_hand = {
        number: (cosines[number] - values.mean()) / values.std() + 0.6 * bm25(number, text)
        for number, text, field in rows
        if field == "speech"
    }
    assert dict(ranked) == pytest.approx(by_hand, abs=1e-3)
    assert [number for number, _ in ranked] == sorted(by_hand, key=lambda number: -by_hand[number])


def test_titles_say_nothing_to_it_and_hits_open_at_the_start_of_what_is_said(index: Path) -> None:
    with open_reader(index, encoder=CountingEncoder()) as reader:
        hits = plain_hybrid.search(reader, QUERY, 10)
    assert {hit.text for hit in hits} == set(SAID.values())
    assert hits[0].text == SAID["bridges"]
    assert all(hit.jump_ms == hit.start_ms and hit.note is None and hit.grade is None for hit in hits)


def test_before_the_first_vector_words_decide(index: Path) -> None:
    (index / "vectors.bin").unlink()
    with open_reader(index, encoder=CountingEncoder()) as reader:
        assert [hit.text for hit in plain_hybrid.search(reader, "rain", 10)] == [SAID["bees"], SAID["bridges"]]


def test_the_gain_is_of_the_order_and_of_the_second() -> None:
    (one,) = beside.compare(pairs_of([(1, 2, 4), (1, 1, 1), (None, None, 2)]))
    assert one.gain["mrr@10"].value == pytest.approx((0.75 + 0 - 0.5) / 3)
    assert one.gain_of_jump["mrr@10"].value == pytest.approx(0.5 / 3)
    assert one.gain["success@1"].value == pytest.approx(1 / 3)
    assert one.ours.metrics["talk@1"].value == pytest.approx(2 / 3)
    assert one.plain["talk@1"].value == pytest.approx(1 / 3)


def test_each_kind_is_compared_by_itself_where_there_are_several() -> None:
    compared = beside.compare([*pairs_of([(1, 1, 1)], "quote"), *pairs_of([(1, 1, None)], "words")])
    assert [(one.ours.kind, one.ours.queries, one.gain["mrr@10"].value) for one in compared] == [
        ("", 2, 0.5),
        ("quote", 1, 0.0),
        ("words", 1, 1.0),
    ]


def test_the_sentences_say_what_may_be_chance() -> None:
    compared = beside.compare(pairs_of([(1, 1, 2)] * 6 + [(2, 2, 2)] * 4))
    text = reports.eval_text([], 0, compared)
    assert "The first hit is right in 60 of 100, a plain hybrid's in 0 of 100: 60 more (" in text
    assert "may be chance" not in text
    same = reports.eval_text(
        [], 0, [replace(compared[0], gain=dict.fromkeys(compared[0].gain, Interval(0, -0.1, 0.1)))]
    )
    assert "as many, which may be chance (in 95 of 100 such archives between 10 fewer and 10 more)" in same


def test_the_command_says_it_in_text_and_in_json(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talksearch.search.reader._load_encoder", lambda *_: CountingEncoder())
    gold = tmp_path / "mine.jsonl"
    rows = [
        {"query": "rain on a bridge", "talk": "bridges.vtt", "start_s": 60, "end_s": 65},
        {"query": "the song", "talk": "songs.vtt", "start_s": 60, "end_s": 65},
    ]
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def evaluate(*options: str) -> str:
        result = CliRunner().invoke(cli, ["eval", str(gold), "--index", str(index), *options])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "a plain hybrid's in 100 of 100: as many" in evaluate("--beside", "plain")
    assert "plain" not in evaluate()
    alone = [json.loads(line) for line in evaluate("--format", "jsonl").splitlines()]
    both = [json.loads(line) for line in evaluate("--beside", "plain", "--format", "jsonl").splitlines()]
    assert [{key: row[key] for key in row if key != "beside"} for row in both] == alone
    assert both[0]["beside"]["system"] == "plain"
    assert both[0]["beside"]["mrr@10"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert both[0]["beside"]["gain"].keys() == both[0]["beside"]["gain_of_jump"].keys() == set(beside.COMPARED)
    assert both[1]["beside"] == {
        "system": "plain",
        "rank": 1,
        "talk_rank": 1,
        "jump_error_s": 0.0,
        "first": "bridges.vtt@60",
    }
    assert measure.read_gold(gold)[0].query == "rain on a bridge"
