"""A store is asked as an index is: the same answers, of talks that are fetched once; and what is said of faults."""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from embedded_engine import EmbeddedEngine, EmbeddedVersion
from fakes import CountingEncoder
from tiny import TALKS, make_index, serving, write_talk

from talksearch.cli.assistants import resources, tools
from talksearch.cli.main import cli
from talksearch.indexer import build_index
from talksearch.indexer.errors import QueryError, StoreError, TalksearchError
from talksearch.indexer.pipeline.publish import publish
from talksearch.indexer.stores.remote import address
from talksearch.indexer.stores.remote.engine import FoundPassage, PassageFilter, StoredTalk, StoreFiles, Version
from talksearch.indexer.stores.remote.talk_bytes import pack, unpack
from talksearch.search import Filters, Query, engine, open_index
from talksearch.search.answer import Answer
from talksearch.search.hit import Hit
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.remote import asking
from talksearch.search.remote.candidates import best_talks
from talksearch.search.remote.current_store import CurrentStore
from talksearch.search.remote.listing import listed_talks, overview_of, store_of, talk_list
from talksearch.search.remote.store import Store

ABOUT: dict[str, dict[str, Any]] = {
    "ships": {"channel": "Harbour Talks", "upload_date": "20230501", "language": "en", "uploader": "Harbour Talks"},
    "bees": {"channel": "Field Days", "upload_date": "20240612", "language": "en"},
    "bridges": {"channel": "Field Days", "upload_date": "20220101", "language": "en", "creator": "Ada Pell"},
}
QUESTIONS = ("bee rain", "the ship keeps time", "a song in stone", "bread", "bridge fell")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("store"))


def make_archive(below: Path) -> Path:
    for name, lines in TALKS.items():
        write_talk(below / "talks", name, lines, **ABOUT[name])
    build_index(below / "index", [below / "talks"], encoder=CountingEncoder())
    return below / "index"


@pytest.fixture
def store(folder: Path) -> Iterator[CurrentStore]:
    with current(EmbeddedEngine(folder)) as opened:
        yield opened


def current(opened: Any, **options: Any) -> CurrentStore:
    return CurrentStore(opened, encoder=lambda _: CountingEncoder(), **{"poll_s": 0.0, **options})


def ask(store: CurrentStore, query: Query) -> Answer:
    return store.ask(lambda reader: engine.search(reader, query))


def ask_index(folder: Path, query: Query) -> Answer:
    with open_reader(folder, encoder=CountingEncoder()) as reader:
        return engine.search(reader, query)


class Kept(EmbeddedEngine):
    """A store whose version stays the same object, so that a test sees what was asked of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.version = EmbeddedVersion(folder)

    def open(self) -> EmbeddedVersion:
        return self.version


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical", "quote"])
@pytest.mark.parametrize("text", QUESTIONS)
def test_a_store_answers_as_the_index_does_that_it_holds(
    folder: Path, store: CurrentStore, text: str, mode: Any
) -> None:
    expected, found = ask_index(folder, Query(text, mode=mode)), ask(store, Query(text, mode=mode))
    assert sorted(map(shown, found.hits)) == sorted(map(shown, expected.hits))
    # How long passages are in the mean, BM25 takes from those that are held.
    off = 0.05 if mode == "lexical" else 1e-3
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits], rel=off)
    assert found.terms == expected.terms


def shown(hit: Hit) -> tuple[str, int, str, str, str]:
    return hit.passage_id, hit.jump_ms, hit.grade or "", hit.text, hit.quote.text if hit.quote else ""


def test_hits_come_from_candidate_talks_alone_and_score_as_in_the_whole(folder: Path) -> None:
    query = Query("the bee and the rain", k=1)
    with current(EmbeddedEngine(folder), most_talks=1) as store:
        found = ask(store, query)
    expected = ask_index(folder, query)
    assert [hit.talk_id for hit in found.hits] == [hit.talk_id for hit in expected.hits]
    assert found.hits[0].passage_id == expected.hits[0].passage_id
    assert found.hits[0].score == pytest.approx(expected.hits[0].score, abs=1e-3)


def test_a_talk_is_fetched_once(folder: Path) -> None:
    opened = Kept(folder)
    with current(opened, most_talks=1) as store:
        ask(store, Query("bee", k=1))
        ask(store, Query("bee rain", k=1))
        ask(store, Query("ship", k=1))
    assert len(opened.version.fetched) == len(set(opened.version.fetched)) == 2


def test_talks_that_were_held_before_give_no_hits(folder: Path) -> None:
    """An answer does not depend on what was asked before."""
    with current(EmbeddedEngine(folder), most_talks=1) as store:
        alone = ask(store, Query("ship", k=1))
        ask(store, Query("bee", k=1))
        again = ask(store, Query("ship", k=1))
    assert [hit.passage_id for hit in again.hits] == [hit.passage_id for hit in alone.hits]


def test_equally_good_quotes_come_in_one_order_whatever_was_asked_before(folder: Path) -> None:
    query = Query("rain", mode="quote")
    orders = []
    for before in ("bridge", "bee"):
        with current(EmbeddedEngine(folder), most_talks=1) as store:
            ask(store, Query(before, k=1))
            orders.append([hit.passage_id for hit in ask(store, query).hits])
    assert orders[0] == orders[1]
    assert len(orders[0]) == 2


def test_a_quote_is_found_within_a_query(folder: Path, store: CurrentStore) -> None:
    query = Query('"every bee knows" rain')
    assert [hit.passage_id for hit in ask(store, query).hits] == [
        hit.passage_id for hit in ask_index(folder, query).hits
    ]


@pytest.mark.parametrize("typed", ["brige", "brid ge", "bridgefell"])
def test_a_word_that_nobody_says_finds_what_may_be_meant(folder: Path, typed: str) -> None:
    with current(EmbeddedEngine(folder), most_talks=1) as store:
        found = ask(store, Query(typed, mode="lexical"))
        gathered = store.ask(lambda reader: store_of(reader).gathered)
    assert any("bridge" in talk_id for talk_id in gathered)
    expected = ask_index(folder, Query(typed, mode="lexical"))
    assert [hit.passage_id for hit in found.hits] == [hit.passage_id for hit in expected.hits]


def test_passages_like_one_are_found_in_other_talks(folder: Path, store: CurrentStore) -> None:
    def similar(reader: IndexReader) -> Answer:
        (talk_id,) = (talk.id for talk in listed_talks(reader) if "bees" in talk.source)
        return engine.similar(reader, Query(""), talk_id, 60_000)

    found = store.ask(similar)
    with open_reader(folder, encoder=CountingEncoder()) as reader:
        expected = similar(reader)
    assert found.like == expected.like
    assert [hit.passage_id for hit in found.hits] == [hit.passage_id for hit in expected.hits]


def test_candidates_are_fused_by_their_ranks() -> None:
    near = [FoundPassage("a", "a1", 0.9), FoundPassage("a", "a2", 0.8), FoundPassage("b", "b1", 0.7)]
    said = [FoundPassage("b", "b2", 12.0), FoundPassage("c", "c1", 3.0)]
    assert best_talks([near, said], 2) == ["b", "a"]
    assert best_talks([], 2) == []


# --- filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filters",
    [
        Filters(channel="field"),
        Filters(language="en"),
        Filters(after="2024-01-01"),
        Filters(before="2022-12-31"),
        Filters(timing="exact"),
        Filters(talks=("bees",)),
        Filters(speaker="nobody at all"),
        Filters(channel="field", after="2024-01-01"),
    ],
    ids=str,
)
@pytest.mark.parametrize("most", [1, 64])
def test_filters_let_the_same_talks_through(folder: Path, filters: Filters, most: int) -> None:
    query = Query("rain on the bridge", filters=filters)
    expected = ask_index(folder, query)
    with current(EmbeddedEngine(folder), most_talks=most) as store:
        found = ask(store, query)
    passing = {hit.talk_id for hit in expected.hits}
    assert {hit.talk_id for hit in found.hits} <= passing
    assert bool(found.hits) == bool(expected.hits)
    assert (found.emptied, found.note) == (expected.emptied, expected.note)


def test_a_filter_that_leaves_nothing_of_an_answer_is_named(folder: Path, store: CurrentStore) -> None:
    query = Query("bee", mode="lexical", filters=Filters(channel="harbour"))
    found, expected = ask(store, query), ask_index(folder, query)
    assert (found.hits, found.emptied, found.note) == ((), expected.emptied, expected.note)
    assert found.emptied == ("channel",)


def test_a_talk_that_is_not_in_the_store_is_told(store: CurrentStore) -> None:
    with pytest.raises(QueryError, match="There is no talk 'nowhere'"):
        ask(store, Query("bee", filters=Filters(talks=("nowhere",))))


def test_what_must_be_filtered_is_asked_of_the_engine_too(folder: Path) -> None:
    seen: list[PassageFilter] = []

    class Watched(Kept):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            find = self.version.saying

            def saying(terms: Sequence[str], wanted: PassageFilter, count: int) -> list[FoundPassage]:
                seen.append(wanted)
                return find(terms, wanted, count)

            self.version.saying = saying  # type: ignore[method-assign]

    with current(Watched(folder), most_talks=1) as store:
        ask(store, Query("rain", mode="lexical", filters=Filters(channel="field", after="2022-01-01")))
        ask(store, Query("rain", mode="lexical", filters=Filters(talks=("bees", "bridges"))))
    assert seen[0] == PassageFilter(channels=("Field Days",), after="2022-01-01")
    assert len(seen[1].talk_ids) == 2


# --- versions -------------------------------------------------------------------------------------------------------


def test_a_new_version_is_seen_and_only_what_changed_is_fetched_again(tmp_path: Path) -> None:
    folder = make_archive(tmp_path)
    fetched: list[str] = []

    class Watched(EmbeddedEngine):
        def open(self) -> EmbeddedVersion:
            version = super().open()
            version.fetched = fetched
            return version

    with current(Watched(folder)) as store:
        ask(store, Query("bee"))
        assert len(fetched) == 3
        write_talk(tmp_path / "talks", "bread", ["bread needs time", "and the bread needs rain"])
        write_talk(tmp_path / "talks", "bees", [*TALKS["bees"], "no bee likes bread"], **ABOUT["bees"])
        build_index(folder, encoder=CountingEncoder())
        found = ask(store, Query("bread"))
        assert found.hits[0].text.startswith("bread needs time")
        assert ask(store, Query("no bee likes bread", mode="quote")).hits
    assert len(fetched) == 5  # the new one, and the one that changed


def test_within_seconds_nobody_asks_for_a_new_version(folder: Path) -> None:
    opens = []

    class Counted(EmbeddedEngine):
        def open(self) -> EmbeddedVersion:
            opens.append(1)
            return super().open()

    with current(Counted(folder), poll_s=60.0) as store:
        for _ in range(3):
            ask(store, Query("bee"))
    assert len(opens) == 1


def test_a_version_that_is_gone_is_replaced_by_the_newest(folder: Path) -> None:
    class Passing(EmbeddedEngine):
        count = 0

        def open(self) -> EmbeddedVersion:
            version = super().open()
            version.name += f"-{self.count}"
            if self.count == 0:
                version.saying = _gone  # type: ignore[method-assign]
            self.count += 1
            return version

    def _gone(*_: object) -> list[FoundPassage]:
        raise StoreError("This version of the store is gone.", "Ask again.")

    with current(Passing(folder), poll_s=60.0) as store:
        assert ask(store, Query("bee")).hits


def test_the_terms_of_a_version_are_fetched_once_for_all_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    opened = Kept(folder)
    for _ in range(2):
        with current(opened) as store:
            ask(store, Query("bee"))
        monkeypatch.setattr(opened.version, "term_counts", None)  # the second time it would fail
        monkeypatch.setattr(opened.version, "corpus", None)
    of_store = next((tmp_path / "cache" / "stores").iterdir())
    for number in range(5):
        opened.version = EmbeddedVersion(folder)
        opened.version.name = f"version {number}"
        with current(opened) as store:
            ask(store, Query("bee"))
    assert 1 < len(list(of_store.iterdir())) <= 4  # old versions are deleted


def test_too_many_talks_are_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talksearch.search.remote.store_talks._MOST_HELD", 3)
    opened = Kept(folder)
    with current(opened, most_talks=1) as store:
        for text in ("bee", "ship", "bridge", "bee"):
            assert ask(store, Query(text, k=1)).hits[0].text.count(text)
        held = store.ask(lambda reader: len(store_of(reader).held.revisions))
    assert held < 3


# --- faults ---------------------------------------------------------------------------------------------------------


def test_a_store_that_does_not_answer_is_told_in_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ANSWER_S", 0.2)
    released = threading.Event()
    opened = Kept(folder)
    opened.version.saying = lambda *_: [FoundPassage("a", "b", float(released.wait(30)))]  # type: ignore[method-assign]
    with current(opened, poll_s=60.0) as store:
        with pytest.raises(StoreError, match=r"has not answered for 0\.2 seconds"):
            ask(store, Query("bee"))
        released.set()


def test_what_an_engine_says_is_wrong_is_told(folder: Path) -> None:
    class Down(EmbeddedEngine):
        def open(self) -> EmbeddedVersion:
            raise StoreError("The store embedded://index cannot be reached.", "Start it.")

    with current(Down(folder)) as store, pytest.raises(StoreError, match="cannot be reached"):
        ask(store, Query("bee"))


@pytest.mark.parametrize(
    "change",
    [
        lambda talk: replace(talk, rows=b"\x01 torn"),
        lambda talk: replace(talk, vectors=talk.vectors[:, :3]),
        lambda talk: replace(talk, facts=replace(talk.facts, id="another")),
    ],
    ids=["rows", "dimension", "another talk"],
)
def test_a_damaged_talk_is_told_and_the_next_question_answered(folder: Path, change: Any) -> None:
    opened = Kept(folder)
    whole = opened.version.talks

    def talks(ids: Sequence[str]) -> list[StoredTalk]:
        return [change(talk) for talk in whole(ids)]

    opened.version.talks = talks  # type: ignore[method-assign]
    with current(opened, poll_s=60.0) as store:
        with pytest.raises(StoreError, match="damaged"):
            ask(store, Query("bee"))
        opened.version.talks = whole  # type: ignore[method-assign]
        assert ask(store, Query("bee")).hits


def test_one_damaged_talk_is_left_out_of_an_answer(folder: Path) -> None:
    opened = Kept(folder)
    whole = opened.version.talks

    def talks(ids: Sequence[str]) -> list[StoredTalk]:
        opened.version.fetched.append("asked")
        return [replace(talk, rows=b"") if "bees" in talk.facts.id else talk for talk in whole(ids)]

    opened.version.talks = talks  # type: ignore[method-assign]
    with current(opened, poll_s=60.0) as store:
        for _ in range(2):  # what is damaged is not asked for again
            found = ask(store, Query("rain"))
            assert {hit.title for hit in found.hits} == {"Bridges", "Ships"}
            assert found.note.startswith("1 talk is left out, because what the store holds of it is damaged.")
    assert opened.version.fetched.count("asked") == 1


def test_talks_that_cannot_stand_beside_each_other_are_damaged(folder: Path) -> None:
    """Others write to a store: what they write may be no catalog's."""
    opened = Kept(folder)
    whole = opened.version.talks

    def talks(ids: Sequence[str]) -> list[StoredTalk]:
        changed = []
        for talk in whole(ids):
            unpacked = unpack(talk.rows)
            rows = unpacked.talk.rows
            twice = replace(rows, passages=[rows.passages[0]] * 2)
            data = pack(replace(unpacked.talk, rows=twice), unpacked.codes[:2], unpacked.directions)
            changed.append(replace(talk, rows=data, vectors=talk.vectors[:2]))
        return changed

    opened.version.talks = talks  # type: ignore[method-assign]
    with current(opened, poll_s=60.0) as store, pytest.raises(StoreError, match="damaged"):
        ask(store, Query("bee"))


def test_a_store_without_a_recipe_or_of_another_format_is_told(folder: Path) -> None:
    opened = Kept(folder)
    files = opened.version.files().by_name
    recipe = json.loads(files["recipe.json"])
    for number, (held, message) in enumerate(
        [
            ({}, "holds no recipe"),
            ({"recipe.json": json.dumps({**recipe, "format": 99}).encode()}, "cannot be read: .*has format 99"),
        ]
    ):
        opened.version.files = lambda held=held: StoreFiles(held)  # type: ignore[method-assign]
        opened.version.name = f"broken {number}"
        with current(opened) as store, pytest.raises(StoreError, match=message):
            ask(store, Query("bee"))


def test_readers_that_clear_old_versions_away_at_the_same_time_do_not_disturb_each_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    real = Path.stat

    def stat(path: Path, **options: Any) -> Any:
        if path.parent.name == stores.name and path.name.startswith(("new-", "old")):
            shutil.rmtree(path, ignore_errors=True)  # another reader was quicker
        return real(path, **options)

    with current(EmbeddedEngine(folder)) as store:
        ask(store, Query("bee"))
    (stores,) = (tmp_path / "cache" / "stores").iterdir()
    for number in range(5):
        (stores / f"old{number}").mkdir()
        (stores / f"new-{number}").mkdir()
    opened = Kept(folder)
    opened.version.name = "another"
    with monkeypatch.context() as patch, current(opened) as store:
        patch.setattr(Path, "stat", stat)
        assert ask(store, Query("bee")).hits


def test_what_is_kept_of_a_version_is_fetched_again_where_it_is_damaged(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    for name in ("whole.sqlite3", "facts.sqlite3", "corpus.npz", "languages.json"):
        query = Query("bee", filters=Filters(channel="field"))
        with current(EmbeddedEngine(folder)) as store:
            expected = ask(store, query)
            (kept,) = (tmp_path / "cache" / "stores").glob("*/*")
        (kept / name).write_bytes(b"torn" * 300)
        with current(EmbeddedEngine(folder)) as store:
            found = ask(store, query)
        assert [hit.passage_id for hit in found.hits] == [hit.passage_id for hit in expected.hits]


@pytest.mark.parametrize("change", [{"vectors": -1}, {"vectors": 10**9}, {"vector_sum": np.full(8, np.nan)}], ids=str)
def test_statistics_that_cannot_be_are_told(folder: Path, change: dict[str, Any]) -> None:
    opened = Kept(folder)
    wrong = replace(opened.version.corpus(), **change)
    opened.version.corpus = lambda: wrong  # type: ignore[method-assign]
    opened.version.name = str(change)
    with current(opened) as store, pytest.raises(StoreError, match="The statistics that the store holds are damaged"):
        ask(store, Query("bee"))


def test_a_cache_that_cannot_be_written_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    with current(EmbeddedEngine(folder)) as store, pytest.raises(TalksearchError, match="cache"):
        ask(store, Query("bee"))


def test_passages_without_vectors_are_judged_by_their_words(tmp_path: Path) -> None:
    folder = make_archive(tmp_path)
    opened = Kept(folder)
    bare = opened.version.talks
    opened.version.talks = lambda ids: [  # type: ignore[method-assign]
        replace(talk, vectors=talk.vectors * float("nan")) for talk in bare(ids)
    ]
    corpus = opened.version.corpus()
    opened.version.corpus = lambda: replace(corpus, vectors=corpus.vectors - 1)  # type: ignore[method-assign]
    opened.version.name = "without"
    with current(opened) as store:
        found = ask(store, Query("bee rain"))
    assert found.hits
    assert "passages of the store have a vector" in found.note


# --- lists, and the fronts ------------------------------------------------------------------------------------------


def test_lists_and_counts_are_those_of_the_index(folder: Path, store: CurrentStore) -> None:
    with open_reader(folder, encoder=CountingEncoder()) as reader:
        expected = listed_talks(reader), talk_list(reader, Filters(channel="field")), overview_of(reader)
    talks, listed, seen = store.ask(
        lambda reader: (listed_talks(reader), talk_list(reader, Filters(channel="field")), overview_of(reader))
    )
    assert [talk.id for talk in talks] == [talk.id for talk in expected[0]]
    assert [talk.id for talk in listed.talks] == [talk.id for talk in expected[1].talks]
    assert listed.facets == expected[1].facets
    assert (seen.talks, seen.first_year, seen.last_year, seen.facets) == (
        expected[2].talks,
        expected[2].first_year,
        expected[2].last_year,
        expected[2].facets,
    )


def test_a_program_asks_a_store_as_it_asks_an_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talksearch.search.reader.load_encoder", lambda *_, **__: CountingEncoder())
    with Store(EmbeddedEngine(folder)) as store, open_index(folder) as index:
        assert [hit.passage_id for hit in store.search("bee").hits] == [h.passage_id for h in index.search("bee").hits]
        talk = store.talk("bees")
        assert talk == index.talk("bees")
        assert [one.id for one in store.talks()] == [one.id for one in index.talks()]
        assert store.similar(f"{talk.id}@60").like is not None
        assert store.stats()["talks"] == 3
        assert "embedded://index" in repr(store)


def test_an_assistant_reads_and_counts_a_store(folder: Path, store: CurrentStore) -> None:
    def asked(reader: IndexReader) -> tuple[Any, ...]:
        return (
            resources.complete(reader, "be").ids,
            [talk.uri for talk in resources.list_resources(reader, None)[0]],
            re.sub(r"speech \w+>", "", tools.stretch(reader, "bees@60", None, None, 1_000)),
        )

    with open_reader(folder, encoder=CountingEncoder()) as reader:
        assert store.ask(asked) == asked(reader)
    listing = next(tool for tool in tools.TOOLS if tool.name == "list_talks")
    assert "3 talks" in store.ask(lambda reader: listing.work(reader, {"title_contains": "", "offset": 0, "limit": 5}))
    counting = next(tool for tool in tools.TOOLS if "stats" in tool.name)
    assert "embedded://" in store.ask(lambda reader: counting.work(reader, {}))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a store that holds the index."""
    monkeypatch.setattr(address, "open_engine", lambda _: EmbeddedEngine(folder))
    monkeypatch.setattr("talksearch.search.reader.load_encoder", lambda *_, **__: CountingEncoder())
    monkeypatch.setenv("TALKSEARCH_NO_SERVER", "1")
    return "lance:///talks"


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "bee rain", "--format", "jsonl"),
        ("search", "bee rain"),
        ("similar", "bees@60", "--format", "csv"),
        ("show", "bees"),
        ("show", "bees@60", "--format", "jsonl"),
    ],
)
def test_the_command_line_prints_the_same(folder: Path, named: str, arguments: tuple[str, ...]) -> None:
    of_store, of_index = run(*arguments, "--store", named), run(*arguments, "--index", str(folder))
    assert of_store.exit_code == of_index.exit_code == 0, of_store.output
    assert without_scores(of_store.stdout) == without_scores(of_index.stdout)


def without_scores(out: str) -> list[Any]:
    """Return what is printed without the line of blocks and the scores, which sums in another order round."""
    lines = [line for line in out.splitlines() if not {*line.strip()} & set("·▁▂▃▄▅▆▇█")]
    return [
        {key: value for key, value in json.loads(line).items() if key not in ("score", "heat")}
        if line.startswith("{")
        else [part for part in line.split(",") if "." not in part]
        for line in lines
    ]


def test_the_command_line_lists_and_counts_a_store(named: str) -> None:
    listed = run("talks", "--store", named)
    assert [line.split("  ")[0] for line in listed.stdout.splitlines()] == sorted(
        line.split("  ")[0] for line in listed.stdout.splitlines()
    )
    assert "2024-06-12" in listed.stdout
    counted = json.loads(run("stats", "--store", named, "--format", "jsonl").stdout)
    assert (counted["talks"], counted["store"]) == (3, "embedded://index")
    assert "passages" in run("stats", "--store", named).stdout


@pytest.mark.parametrize("command", [("search", "bee"), ("talks",), ("stats",), ("show", "bees"), ("serve",), ("mcp",)])
def test_an_index_and_a_store_are_not_asked_at_once(tmp_path: Path, command: tuple[str, ...]) -> None:
    refused = run(*command, "--store", "lance:///x", "--index", str(tmp_path))
    assert refused.exit_code == 2
    assert "Give --index or --store, not both." in refused.stderr


def test_a_wrong_address_is_a_sentence() -> None:
    refused = run("search", "bee", "--store", "nonsense")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("talksearch: The address nonsense names no engine.")


def test_a_server_answers_from_a_store(folder: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "no index", store=EmbeddedEngine(folder)) as served:
        assert served.socket is not None
        found = json.loads(read(served.url + "api/search?q=bee+rain"))
        expected = ask_index(folder, Query("bee rain"))
        assert [hit["talk_id"] for hit in found["hits"]] == [hit.talk_id for hit in expected.hits]
        talk = json.loads(read(served.url + "api/talks/bees"))["talk"]
        assert talk["title"] == "Bees"
        assert json.loads(read(served.url + "api/talks?channel=field"))["total"] == 2
        assert json.loads(read(served.url + "api/stats"))["talks"] == 3
        listed = json.loads(read(served.url + "api/talks"))["talks"]
        assert {talk["source"] for talk in listed} == {f"{name}.vtt" for name in TALKS}, "no folder of the writer"
        assert "Bees" in read(served.url)
        assert "every bee knows" in read(f"{served.url}talk/{talk['talk_id']}")
        assert "every bee knows" in read(f"{served.url}talk/{talk['talk_id']}?q=bee")
        assert "Bridges" in read(served.url + "talks?channel=field")
        for path in ("api/talks/nowhere", f"media/{talk['talk_id']}"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                read(served.url + path)
            assert refused.value.code == 404


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def test_a_recording_that_a_store_names_is_not_read_from_this_machine(tmp_path: Path) -> None:
    """Others may write to a store, and a path that they name must not open a file of who serves it."""
    recording = tmp_path / "private.mp4"
    recording.write_bytes(b"private")
    folder = make_index(tmp_path)
    write_talk(tmp_path / "talks", "ships", TALKS["ships"], webpage_url=recording.as_uri())
    build_index(folder, encoder=CountingEncoder())
    shutil.rmtree(tmp_path / "talks")
    with serving(tmp_path / "none", store=EmbeddedEngine(folder)) as served:
        with pytest.raises(urllib.error.HTTPError) as refused:
            read(f"{served.url}media/ships")
        assert refused.value.code == 404


def _is_a_version(version: EmbeddedVersion) -> Version:
    return version  # mypy holds the two against each other


def test_what_two_indexes_put_into_one_store_is_answered_as_by_the_index_of_all(tmp_path: Path) -> None:
    """In a real store: each has its own writer, and statistics are added up."""
    for number, name in enumerate(TALKS):
        write_talk(tmp_path / f"part {number % 2}", name, TALKS[name], **ABOUT[name])
    url = f"lance://{(tmp_path / 'store').as_posix()}"
    for number in range(2):
        build_index(tmp_path / f"index {number}", [tmp_path / f"part {number}"], encoder=CountingEncoder())
        publish(tmp_path / f"index {number}", address.open_engine(url))
    whole = tmp_path / "whole"
    build_index(whole, [tmp_path / "part 0", tmp_path / "part 1"], encoder=CountingEncoder())
    with current(address.open_engine(url)) as store:
        for text in QUESTIONS:
            found, expected = ask(store, Query(text)), ask_index(whole, Query(text))
            assert [shown(hit)[1:] for hit in found.hits] == [shown(hit)[1:] for hit in expected.hits]
            assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in expected.hits], rel=1e-3)
