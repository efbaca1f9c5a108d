"""Which file of a talk speaks for it, worked out from what was found out about each."""

from __future__ import annotations

from dataclasses import replace

import pytest

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


def track(base: str, tag: str, **changes: object) -> Identity:
    return replace(identity("vtt", 100), base=base, language_tag=tag, origin="human", original=False, **changes)


def speaks(*talks: list[Identity]) -> dict[str, str]:
    """Return the tag of the track that speaks for each talk, by the talk's name."""
    files = {f"{file.base}.{file.language_tag}": file for talk in talks for file in talk}
    rows = {name: FileRow(name, name, "", name, "{}", None, "") for name in files}
    groups = make_plan({}, rows, lambda row: files[row.path]).read
    first = [files[group.files[0].path] for group in groups]
    return {file.base: str(file.language_tag) for file in first}


@pytest.mark.parametrize(
    ("title", "tags", "spoken"),
    [
        ("talks/Warum wir schlafen [j3PyPqV-e1s]", "ar de en fr ja", "de"),
        ("talks/why_we_sleep", "de en fr", "en"),
        ("talks/bread", "ar de en fr ja", "en"),
        ("talks/疫苗冷链", "ar en zh-Hans", "zh-Hans"),
    ],
)
def test_where_nothing_says_which_track_is_the_original_the_title_tells(title: str, tags: str, spoken: str) -> None:
    assert speaks([track(title, tag) for tag in tags.split()]) == {title: spoken}


def test_a_title_that_tells_nothing_is_in_the_language_of_the_talks_beside_it() -> None:
    unclear = [track("talks/rust", tag) for tag in ("en", "fr", "sv")]
    others = [[track(f"talks/{name}", "sv")] for name in ("ett", "tva")]
    elsewhere = [[track(f"others/{name}", "fr")] for name in ("un", "deux", "trois")]
    assert speaks(unclear, *others, *elsewhere)["talks/rust"] == "sv"
    assert speaks(unclear, *elsewhere)["talks/rust"] == "fr"


def test_what_a_file_states_goes_before_what_its_title_and_the_talks_beside_it_tell() -> None:
    stated = [track("talks/Why we sleep", "de"), track("talks/Why we sleep", "en")]
    assert speaks([replace(stated[0], original=True), stated[1]], [track("talks/other", "en")]) == {
        "talks/Why we sleep": "de",
        "talks/other": "en",
    }
