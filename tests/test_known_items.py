"""Queries drawn from an index: right by construction, the same every time, and never over a file that exists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import CountingEncoder

from talksearch.cli.main import cli
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.text.terms import terms
from talksearch.search.evaluation import measure
from talksearch.search.evaluation.known_items import known_items


@pytest.fixture
def index(tmp_path: Path) -> Path:
    archive = tmp_path / "talks"
    archive.mkdir()
    for talk in range(3):
        lines = "".join(
            f"[{at // 6}:{at % 6 * 10:02}] In part {at} of talk {talk} one names topic{talk}x{at} and thing{at}.\n"
            for at in range(30)
        )
        (archive / f"talk{talk}.txt").write_text(lines, encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    return tmp_path / "index"


def test_an_item_is_said_where_it_says(index: Path, tmp_path: Path) -> None:
    db = catalog.open_catalog(index)
    made = list(known_items(db, 20))
    assert {item["kind"] for item in made} == {"words", "quote"}
    assert len({item["query"] for item in made}) == len(made) == 20
    for item in made:
        talk_id = db.execute("SELECT id FROM talks WHERE source = ?", (item["talk"],)).fetchone()[0]
        said = " ".join(
            cue.text
            for cue in catalog_talks.read_cues(db, talk_id)
            if cue.end_ms > item["start_s"] * 1000 and cue.start_ms < item["end_s"] * 1000
        )
        assert set(terms(item["query"])) <= set(terms(said))
    file = tmp_path / "gold.jsonl"
    file.write_text("".join(json.dumps(item) + "\n" for item in made), encoding="utf-8")
    assert len(measure.read_gold(file)) == 20


def test_the_same_index_gives_the_same_items(index: Path) -> None:
    db = catalog.open_catalog(index)
    assert list(known_items(db, 8)) == list(known_items(db, 8))
    assert list(known_items(db, 8)) != list(known_items(db, 8, seed=1))


def test_an_archive_with_too_little_in_it_gives_fewer_and_ends(index: Path) -> None:
    assert len(list(known_items(catalog.open_catalog(index), 300))) < 300


def test_the_command_writes_a_new_file_only(index: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    made = CliRunner().invoke(cli, ["eval", str(file), "--make", "6", "--index", str(index)])
    assert made.exit_code == 0, made.output
    assert len(file.read_text(encoding="utf-8").splitlines()) == 6
    again = CliRunner().invoke(cli, ["eval", str(file), "--make", "6", "--index", str(index)])
    assert again.exit_code == 1
    assert "is there already" in again.output


def test_queries_come_from_no_talk_that_others_are_of(index: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold"
    gold.mkdir()
    for name, talk in (("one", "talks/talk0.txt"), ("two", "talk2.txt")):
        row = json.dumps({"query": "a", "talk": talk, "start_s": 1})
        (gold / f"{name}.jsonl").write_text(row, encoding="utf-8")
    made = tmp_path / "mine.jsonl"

    def make(*without: Path) -> str:
        named = [option for path in without for option in ("--without-talks-of", str(path))]
        result = CliRunner().invoke(cli, ["eval", str(made), "--make", "9", *named, "--index", str(index)])
        talks = {gold.talk for gold in measure.read_gold(made)} if made.exists() else set()
        made.unlink(missing_ok=True)
        return f"{result.output} {' '.join(sorted(talks))}"

    assert make(gold).endswith(" talk1.txt")
    assert make(gold / "one.jsonl").endswith(" talk1.txt talk2.txt")
    assert "has no *.jsonl in it" in make(tmp_path / "talks")
    rest = tmp_path / "rest.jsonl"
    rest.write_text('{"query": "a", "talk": "talk1.txt", "start_s": 1}', encoding="utf-8")
    assert "There is nothing to draw from" in make(gold, rest)


def test_talks_are_left_out_only_where_queries_are_made(index: Path, tmp_path: Path) -> None:
    asked = CliRunner().invoke(cli, ["eval", "a.jsonl", "--without-talks-of", str(tmp_path), "--index", str(index)])
    assert asked.exit_code == 2
    assert "needs --make" in asked.output
