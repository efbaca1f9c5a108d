"""Which file of a talk speaks for it, worked out from what was found out about each."""

from __future__ import annotations

from talksearch.indexer.pipeline.plan import make_plan
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.identify import Identity


def first_of(**files: Identity) -> str:
    rows = {name: FileRow(name, name, "", name, "{}", None, "") for name in files}
    (group,) = make_plan({}, rows, lambda row: files[row.path]).read
    return group.files[0].path


def identity(form: str, words: int) -> Identity:
    return Identity(form, None, "tides", None, True, "unknown" if form == "text" else "automatic", True, words)


def test_few_words_do_not_speak_for_a_talk_of_many() -> None:
    assert first_of(text=identity("text", 100), vtt=identity("vtt", 1000)) == "vtt"
    assert first_of(text=identity("text", 300), vtt=identity("vtt", 1000)) == "text"


def test_words_that_an_index_of_before_did_not_count_are_not_few() -> None:
    assert first_of(text=identity("text", 0), vtt=identity("vtt", 1000)) == "text"
