"""What a command says of a store is what it says of the index that was put there, or a sentence tells why not."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import CountingEncoder
from tiny import make_index, serving, short_runtime_folder, write_talk

from talksearch.cli.main import cli
from talksearch.cli.server import client, protocol
from talksearch.cli.web import filters_view
from talksearch.cli.web.addresses import PageAddress
from talksearch.indexer import build_index
from talksearch.indexer.pipeline.publish import publish
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.search import Filters, Query, engine
from talksearch.search.answer import Answer
from talksearch.search.remote.current_store import CurrentStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of talks, one of which lies in a folder of its own, that is in a store beside it as well."""
    below = tmp_path_factory.mktemp("commands")
    (below / "talks" / "autumn").mkdir(parents=True)
    write_talk(below / "talks" / "autumn", "leaves", ["the leaves fall in the rain", "and the rain is late"])
    index = make_index(below)
    publish(index, open_engine(store_of(index)))
    return index


def store_of(index: Path) -> str:
    return f"lance://{index.parent / 'store'}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    "name", ["autumn/leaves.vtt", "talks/autumn/leaves.vtt", "./talks/autumn/leaves.vtt", "leaves"]
)
def test_a_talk_is_named_by_its_path_as_in_the_index(folder: Path, name: str) -> None:
    there, here = run("show", name, "--store", store_of(folder)), run("show", name, "--index", str(folder))
    assert here.exit_code == there.exit_code == 0, there.output
    assert "the leaves fall" in there.stdout
    assert there.stdout == here.stdout


@pytest.mark.parametrize("name", ["eaves.vtt", "winter/leaves.vtt", "/leaves.vtt/", "../leaves.vtt"])
def test_a_path_that_ends_otherwise_is_no_talk_s(folder: Path, name: str) -> None:
    for asked in (("--store", store_of(folder)), ("--index", str(folder))):
        refused = run("show", name, *asked)
        assert refused.exit_code == 1
        assert f"List them: talksearch talks {' '.join(asked)}" in refused.stderr


def test_lengths_of_talks_are_those_of_the_index(folder: Path) -> None:
    there, here = (
        {row["title"]: row for row in map(json.loads, run("talks", *asked, "--format", "jsonl").stdout.splitlines())}
        for asked in (("--store", store_of(folder)), ("--index", str(folder)))
    )
    assert there.keys() == here.keys() == {"Bees", "Bridges", "Leaves", "Ships"}
    assert {row["duration_s"] for row in there.values()} == {125.0}
    stats = json.loads(run("stats", "--store", store_of(folder), "--format", "jsonl").stdout)
    assert stats["hours"] == pytest.approx(4 * 125 / 3600, abs=0.01)
    assert "2:05" in run("talks", "--store", store_of(folder)).stdout


def test_where_the_untouched_source_lies_is_said(folder: Path) -> None:
    refused = run("show", "bees", "--raw", "--store", store_of(folder))
    assert refused.exit_code == 2
    assert "A store does not hold the files" in refused.stderr
    assert "--index" in refused.stderr


@pytest.fixture
def runtime() -> Iterator[Path]:
    with short_runtime_folder() as made:
        yield made


def test_a_running_server_of_a_store_answers_the_command_line(
    folder: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(folder)
    asked = ("search", "bee rain", "--store", store, "--format", "jsonl")
    monkeypatch.delenv("TALKSEARCH_NO_SERVER", raising=False)
    with serving(folder.parent / "none", store=open_engine(store)) as served:
        assert served.socket == protocol.socket_path(store)
        assert client.greet(store) == {"ready": True, "url": served.url}
        monkeypatch.setattr("talksearch.cli.sources.open_source", None)  # nothing is opened here
        found = run(*asked)
        assert found.exit_code == 0, found.output
        assert json.loads(found.stdout.splitlines()[0])["title"] == "Bees"
        with serving(folder.parent / "none", store=open_engine(store)) as second:
            assert second.socket is None, "the command line asks the first"
        assert client.greet(store) is not None
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        assert client.greet(store) is None, "another service may have a store of that name"
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert client.greet(store) is None


def test_the_map_of_topics_of_a_store_is_drawn(folder: Path, runtime: Path, tmp_path: Path) -> None:
    def page(url: str) -> str:
        with urllib.request.urlopen(f"{url}map", timeout=30) as answer:
            return str(answer.read().decode())

    with serving(folder.parent / "none", store=open_engine(store_of(folder))) as served:
        drawn = page(served.url)
        assert "Map of topics: talks that speak of the same" in drawn
        assert all(title in drawn for title in ("Bees", "Leaves", "Ships"))
    write_talk(tmp_path / "talks", "bees", ["every bee knows when rain is near"])
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    (tmp_path / "index" / "topics.json").unlink(missing_ok=True)
    publish(tmp_path / "index", open_engine(store_of(tmp_path / "index")))
    with serving(tmp_path / "none", store=open_engine(store_of(tmp_path / "index"))) as served:
        assert "The store has no map of topics." in page(served.url)


def test_what_was_counted_is_said_where_more_talks_may_answer(folder: Path) -> None:
    def counted(most_talks: int, query: Query) -> Answer:
        opened = open_engine(store_of(folder))
        with CurrentStore(opened, encoder=lambda _: CountingEncoder(), most_talks=most_talks) as store:
            return store.ask(lambda reader: engine.search(reader, query))

    answer = counted(2, Query("rain", k=1, facets=True))
    assert answer.counted_talks == answer.to_dict()["counted_talks"] == 2
    (menu, *_) = filters_view.menus(PageAddress("/", {"q": ["rain"], "language": ["en"]}), answer.facets, 2)
    assert menu.of == 2
    assert counted(2, Query("rain", k=1)).counted_talks is None, "nothing was counted"
    assert counted(32, Query("rain", facets=True)).counted_talks is None, "all of them were fetched"
    one = Filters(talks=("bees",))
    assert counted(2, Query("rain", facets=True, filters=one)).counted_talks is None, "no other passes the filter"
