"""Which file of a talk speaks for it, worked out from what was found out about each."""

from __future__ import annotations

from dataclasses import replace

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


def test_a_forced_track_speaks_for_no_talk_where_another_does() -> None:
    whole, forced = identity("vtt", 900), replace(identity("vtt", 1000), forced=True, origin="human")
    assert first_of(a=forced, b=whole) == "b"
    assert first_of(a=forced) == "a"


def test_names_that_differ_in_form_or_case_are_one_talk() -> None:
    bases = ("talks/Br\u00fccke", "talks/Bru\u0308cke", "talks/BRU\u0308CKE")
    rows = {base: FileRow(base, base, "", base, "{}", None, "") for base in bases}
    plan = make_plan({}, rows, lambda row: replace(identity("vtt", 9), base=row.path))
    assert [len(group.files) for group in plan.read] == [3]


def test_a_talk_with_a_file_that_cannot_be_read_now_stays_as_it_is() -> None:
    before = {name: FileRow(name, name, "", name, "{}", "tides", "") for name in ("a", "b")}
    now = {"a": before["a"], "b": replace(before["b"], digest="changed", talk_id=None)}
    kept = make_plan(before, now, lambda _: identity("vtt", 9), {"a"})
    assert (len(kept.keep), kept.read) == (1, ())
    read = make_plan(before, now, lambda _: identity("vtt", 9))
    assert (read.keep, len(read.read)) == ((), 1)
