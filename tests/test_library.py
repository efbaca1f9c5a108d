"""The library: what docs/python.md says is true, the faces are enough for it, and importing them costs little."""

from __future__ import annotations

import ast
import doctest
import importlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import CountingEncoder
from tiny import make_index

from talksearch.indexer import remove_talks
from talksearch.indexer.errors import BadIndexError, QueryError, TalksearchError
from talksearch.search import Answer, Filters, Hit, Index, Query, open_index
from talksearch.search import reader as reader_module
from talksearch.search.options import checked

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "python.md"
PUBLIC = ("talksearch.indexer", "talksearch.search")
OPEN_MODULES = ("talksearch.indexer.records", "talksearch.indexer.errors")
"""Modules whose every public name may be used beside the faces."""


def hit(**changes: object) -> Hit:
    given: dict[str, object] = {
        "rank": 1, "score": 2.0, "passage_id": "p", "talk_id": "t", "title": "On <bees>\x1b[31m", "source": "a.vtt",
        "youtube_id": None, "channel": "Apiary & Sons", "speaker": "Ann", "date": None, "language": "en",
        "start_ms": 120_000, "end_ms": 140_000, "jump_ms": 134_000, "url": "https://example.org/?v=1&t=134",
        "timing": "estimated", "margin_ms": 18_000, "text": "bees <b>keep</b> warm", "matches": ((0, 4), (2, 6)),
        "grade": "strong",
    }  # fmt: skip
    return Hit(**(given | changes))  # type: ignore[arg-type]


def test_what_the_page_says_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "talks").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0


def test_the_page_uses_the_faces_only() -> None:
    parser = doctest.DocTestParser()
    code = "".join(example.source for example in parser.get_examples(PAGE.read_text(encoding="utf-8")))
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports
    for node in imports:
        assert isinstance(node, ast.ImportFrom)
        assert node.module in (*PUBLIC, *OPEN_MODULES)
        if node.module in PUBLIC:
            assert {alias.name for alias in node.names} <= set(importlib.import_module(node.module).__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_of_a_face_is_there_and_no_other(name: str) -> None:
    face = importlib.import_module(name)
    assert all(getattr(face, public) is not None for public in face.__all__)
    assert sorted(dir(face)) == sorted(face.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = face.nothing


def test_importing_the_faces_is_light() -> None:
    heavy = ("numpy", "sqlite3", "onnxruntime", "torch", "chromadb", "openvino", "rich", "click")
    code = f"""
import sys
import talksearch.indexer, talksearch.search
from talksearch.search import Answer, Filters, Hit, Index, Query, open_index
Query("bees", filters=Filters(channel="apiary"))
print([name for name in {heavy} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reader_module, "load_encoder", lambda *_: CountingEncoder())
    return make_index(tmp_path)


def test_an_index_is_asked_and_closed(index: Path) -> None:
    with open_index(str(index)) as opened:
        assert isinstance(opened, Index)
        assert opened.folder == index
        answer = opened.search("ship")
        assert isinstance(answer, Answer)
        assert answer.hits == opened.search(Query("ship")).hits
        assert answer.hits[0].rank == 1
        talk_id = answer.hits[0].talk_id
        assert opened.talk(talk_id).cues
        assert talk_id in {talk.id for talk in opened.talks()}
        assert opened.stats()["talks"] == len(opened.talks())
        moment = f"{talk_id}@{answer.hits[0].start_ms / 1000}"
        assert all(found.talk_id != "" for found in opened.similar(moment).hits)
        with pytest.raises(QueryError, match="Say which moment"):
            opened.similar(talk_id)
        with pytest.raises(QueryError):
            opened.search(Query("ship", filters=Filters(talks=("nobody",))))
    opened.close()  # a second time


def test_a_folder_without_an_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadIndexError, match="There is no index"):
        open_index(tmp_path / "none")


def test_opening_changes_nothing_in_the_process(index: Path) -> None:
    code = f"""
import gc
import numpy
from threadpoolctl import threadpool_info
from talksearch.search import open_index
before = gc.get_freeze_count(), [pool["num_threads"] for pool in threadpool_info()]
with open_index({str(index)!r}) as opened:
    opened.talks()
assert (gc.get_freeze_count(), [pool["num_threads"] for pool in threadpool_info()]) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_shows_a_hit_and_nothing_of_it_is_markup() -> None:
    assert hit()._repr_html_() == (
        "<div><b>1. On &lt;bees&gt;[31m</b>"
        ' <a href="https://example.org/?v=1&amp;t=134" rel="noreferrer">~2:14 (±18 s)</a>'
        " · Ann · Apiary &amp; Sons · strong match"
        "<blockquote><mark>bees</mark><mark> &lt;</mark>b&gt;keep&lt;/b&gt; warm</blockquote></div>"
    )
    assert "<a " not in hit(url="javascript:alert(1)")._repr_html_()
    assert hit(title="</b><script>")._repr_html_().count("<script") == 0


def test_a_terminal_shows_a_hit_in_a_line() -> None:
    assert repr(hit()) == ("<Hit 1: 'On <bees>\\x1b[31m' ~2:14 (±18 s), strong, https://example.org/?v=1&t=134>")


def test_an_answer_shows_its_hits() -> None:
    answer = Answer((hit(), hit(rank=2, grade=None)), ("bee",), "Nothing <good> was found.")
    assert repr(answer).splitlines() == [
        "<2 hits: Nothing <good> was found.>", repr(answer.hits[0]), repr(answer.hits[1]),
    ]  # fmt: skip
    shown = answer._repr_html_()
    assert shown.startswith("<div><p>Nothing &lt;good&gt; was found.</p><div><b>1. ")
    assert "Nothing found." in Answer((), ())._repr_html_()
    assert answer.to_dict() == {"hits": [one.to_dict() for one in answer.hits], "note": answer.note}


def test_an_answer_as_a_table() -> None:
    table = Answer((hit(), hit(rank=2)), ()).to_pandas()
    assert list(table["rank"]) == [1, 2]
    assert list(table.columns) == list(hit().to_dict())


def test_without_pandas_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        Answer((), ()).to_pandas()


def test_a_script_without_a_main_guard_is_run_once(tmp_path: Path) -> None:
    """Worker processes must not begin by running the caller's script again, as those of `multiprocessing` do."""
    script = tmp_path / "script.py"
    script.write_text(
        """
print("the script runs")
from talksearch.indexer.worker import start_worker
worker = start_worker(repr)
print(worker is not None)
worker.kill()
""",
        encoding="utf-8",
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["the script runs", "True"]
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Query("ship", k=0), "k is 0"),
        (Query("ship", k="3"), "k is '3'"),  # type: ignore[arg-type]
        (Query("ship", k=2.5), "k is 2.5"),  # type: ignore[arg-type]
        (Query("ship", mode="psychic"), "mode is 'psychic'"),  # type: ignore[arg-type]
        (Query("ship", per_talk=0), "per_talk is 0"),
        (Query("ship", context_ms=-1), "context is -0.001"),
        (Query("ship", filters=Filters(after="tomorrow")), "not a date"),
        (Query("ship", filters=Filters(talks="ships")), "talk is 'ships'"),  # type: ignore[arg-type]
        (Query(None), "no query"),  # type: ignore[arg-type]
        (Query(" "), "empty"),
        (3, "no query"),
    ],
)
def test_a_query_that_cannot_be_is_told(index: Path, query: Query, said: str) -> None:
    with open_index(index) as opened, pytest.raises(QueryError, match=said):
        opened.search(query)


def test_values_of_a_query_mean_what_they_mean_elsewhere() -> None:
    query = checked(Query("bees \udcff", filters=Filters(before="2025", after="2024-02", channel="", speaker="\udcff")))
    assert query.text == "bees \ufffd"
    assert query.filters == Filters(before="2025-12-31", after="2024-02-01", speaker="\ufffd")
    assert checked(query) == query


def test_a_closed_index_and_one_of_another_thread_say_so(index: Path) -> None:
    opened = open_index(index)
    told: list[str] = []

    def elsewhere() -> None:
        for use in (opened.talks, opened.close):
            try:
                use()
            except TalksearchError as error:
                told.append(error.message)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert told == ["The index was opened by another thread."] * 2
    assert opened.search("ship").hits
    opened.close()
    for use in (opened.talks, opened.stats, opened.__enter__, lambda: opened.search("ship")):
        with pytest.raises(TalksearchError, match="The index is closed"):
            use()


def test_talks_are_removed(index: Path) -> None:
    with open_index(index) as opened:
        before = [talk.id for talk in opened.talks()]
    assert remove_talks(str(index), before[0]) == [before[0]]
    assert remove_talks(index, [before[0], "nobody"]) == []
    with open_index(index) as opened:
        assert [talk.id for talk in opened.talks()] == before[1:]


def test_where_there_is_no_index_nothing_is_removed_and_nothing_made(tmp_path: Path) -> None:
    with pytest.raises(BadIndexError, match="There is no index"):
        remove_talks(tmp_path / "none", ["a"])
    assert not (tmp_path / "none").exists()


def test_a_table_of_no_hits_has_the_columns_of_hits() -> None:
    assert list(Answer((), ()).to_pandas().columns) == list(hit().to_dict())


def test_a_notebook_shows_the_note_that_made_it_a_hit() -> None:
    assert "<br>[chapter: On &lt;i&gt;]<blockquote>" in hit(note=("chapter", "On <i>"))._repr_html_()
