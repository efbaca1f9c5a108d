"""Which file of a talk speaks for it, worked out from what was found out about each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.pipeline.plan import Group, make_plan
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.identify import Identity


def first_of(**files: Identity) -> str:
    rows = {name: FileRow(name, name, "", "same", "{}", None, "") for name in files}
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


# Which runs read a talk again


def row(path: str, *, digest: str = "", talk: str | None = "tides", note: str = "") -> FileRow:
    return FileRow(path, path, "", f"{digest or path}:1", "{}", talk, note)


def of_its_own(row: FileRow) -> Identity:
    return replace(identity("vtt", 100), base=f"talks/{row.path}")


def paths_of(groups: tuple[Group, ...]) -> list[list[str]]:
    return [[file.path for file in group.files] for group in groups]


@pytest.mark.parametrize(
    ("before", "now", "is_read"),
    [
        (row("a"), row("a"), False),
        (None, row("a"), True),
        (row("a"), replace(row("a"), digest="other"), True),
        (row("a"), replace(row("a"), source="moved/a"), True),
        (row("a"), replace(row("a"), stamp="touched"), False),
        (row("a", talk=None), row("a", talk=None), True),  # a run that was ended came to nothing
        (row("a", talk=None, note="no words"), row("a", talk=None, note="no words"), False),
    ],
)
def test_a_talk_is_read_where_its_file_is_new_or_changed_or_came_to_nothing(
    before: FileRow | None, now: FileRow, is_read: bool
) -> None:
    plan = make_plan({"a": before} if before else {}, {"a": now}, of_its_own)
    assert (paths_of(plan.read), paths_of(plan.keep)) == (([["a"]], []) if is_read else ([], [["a"]]))


def test_a_talk_is_read_where_one_of_its_files_changed_and_no_other_talk_is() -> None:
    before = {path: row(path, talk=talk) for path, talk in [("a", "one"), ("b", "one"), ("c", "two")]}
    now = {**before, "b": replace(before["b"], digest="changed")}
    same_talk = {"a": "talks/one", "b": "talks/one", "c": "talks/two"}
    plan = make_plan(before, now, lambda row: replace(identity("vtt", 9), base=same_talk[row.path]))
    assert (paths_of(plan.read), paths_of(plan.keep)) == ([["a", "b"]], [["c"]])


def test_a_talk_is_read_where_one_of_its_files_left_and_no_other_talk_is() -> None:
    before = {"a": row("a", talk="one"), "gone": row("gone", talk="one"), "c": row("c", talk="two")}
    now = {path: before[path] for path in ("a", "c")}
    plan = make_plan(before, now, of_its_own)
    assert (paths_of(plan.read), paths_of(plan.keep), plan.gone) == ([["a"]], [["c"]], ("gone",))


def test_a_talk_is_read_where_a_file_left_though_another_of_its_files_came_to_nothing() -> None:
    before = {"a": row("a"), "notes": row("notes", talk=None, note="no words"), "gone": row("gone")}
    now = {path: before[path] for path in ("a", "notes")}
    plan = make_plan(before, now, lambda _: identity("vtt", 9))
    assert (paths_of(plan.read), plan.keep) == ([["a", "notes"]], ())


def test_a_file_that_came_to_nothing_is_not_read_because_another_that_came_to_nothing_left() -> None:
    before = {path: row(path, talk=None, note="no words") for path in ("a", "gone")}
    plan = make_plan(before, {"a": before["a"]}, of_its_own)
    assert (plan.read, paths_of(plan.keep), plan.gone) == ((), [["a"]], ("gone",))


def test_what_is_no_transcript_is_unreadable_and_in_no_talk() -> None:
    now = {"notes": row("notes"), "talk": row("talk")}
    plan = make_plan({}, now, lambda row: None if row.path == "notes" else of_its_own(row))
    assert (plan.unreadable, paths_of(plan.read), plan.gone) == ((now["notes"],), [["talk"]], ())


# Which files are one talk


def groups_of(**files: Identity) -> list[list[str]]:
    """Files named alike have the same content: what stands before "_" is its digest."""
    rows = {name: FileRow(name, name, "", f"{name.partition('_')[0]}:{name}", "{}", None) for name in files}
    return [sorted(file.path for file in group.files) for group in make_plan({}, rows, lambda r: files[r.path]).read]


def named(base: str, youtube_id: str | None = None) -> Identity:
    return replace(identity("vtt", 100), base=base, youtube_id=youtube_id)


def test_files_of_one_video_are_one_talk_whatever_they_are_called() -> None:
    assert groups_of(a=named("x/a", "id1"), b=named("y/b", "id1"), c=named("x/a", "id2")) == [["a", "b"], ["c"]]


def test_the_same_name_in_another_folder_is_another_talk() -> None:
    assert groups_of(a=named("x/tides"), b=named("y/tides"), c=named("x/TIDES")) == [["a", "c"], ["b"]]
    assert groups_of(a=named("tides"), b=named("Tides")) == [["a", "b"]]
    assert groups_of(a=named("x/tides"), b=named("X/tides")) == [["a"], ["b"]]


def test_a_copy_of_a_file_under_another_name_is_the_same_talk_unless_both_are_videos() -> None:
    assert groups_of(same_1=named("a"), same_2=named("b"), other=named("c")) == [["other"], ["same_1", "same_2"]]
    assert groups_of(same_1=named("a", "id1"), same_2=named("b")) == [["same_1", "same_2"]]
    assert groups_of(same_1=named("a", "id1"), same_2=named("b", "id2")) == [["same_1"], ["same_2"]]


def test_copies_are_found_whatever_the_files_are_called() -> None:
    """A video whose name sorts behind that of its copy, and a copy that has a further file beside it."""
    assert groups_of(same_1=named("a"), same_2=named("z", "id1")) == [["same_1", "same_2"]]
    assert groups_of(same_1=named("a"), other=named("b"), same_2=named("b")) == [["other", "same_1", "same_2"]]
    assert groups_of(same_2=named("a"), other=named("b"), same_1=named("b")) == [["other", "same_1", "same_2"]]


def test_a_copy_belongs_to_a_video_before_a_name_and_then_to_the_talk_that_has_most_of_its_files() -> None:
    assert groups_of(same_1=named("a"), same_2=named("b"), more_1=named("b"), same_3=named("c", "id1")) == [
        ["more_1", "same_2"],
        ["same_1", "same_3"],
    ]
    assert groups_of(
        x_1=named("a"), x_2=named("b"), y_2=named("b"), x_3=named("c"), y_3=named("c"), z_3=named("c")
    ) == [["x_1", "x_2", "x_3", "y_2", "y_3", "z_3"]]


def test_two_talks_that_share_a_file_are_two() -> None:
    """The same notes lie beside both."""
    assert groups_of(a=named("a"), notes_1=named("a"), b=named("b"), notes_2=named("b")) == [
        ["a", "notes_1"],
        ["b", "notes_2"],
    ]
    assert groups_of(a=named("a", "id1"), notes_1=named("a", "id1"), b=named("b"), notes_2=named("b")) == [
        ["a", "notes_1"],
        ["b", "notes_2"],
    ]


def test_files_that_the_doctor_wants_to_be_read_again_are_copies_of_nothing() -> None:
    rows = {path: replace(row(path, talk=path), digest="") for path in ("a", "b")}
    assert paths_of(make_plan(rows, rows, of_its_own).keep) == [["a"], ["b"]]


def test_a_talk_is_read_where_one_of_its_files_is_another_talks_now_or_no_transcript() -> None:
    """The file may have been the one that spoke for the talk."""
    before = {"a": row("a", digest="same"), "b": row("b", digest="same")}
    now = {"a": before["a"], "b": row("b", digest="changed", talk=None)}
    assert paths_of(make_plan(before, now, of_its_own).read) == [["a"], ["b"]]
    gone = make_plan(before, now, lambda row: None if row.path == "b" else of_its_own(row))
    assert paths_of(gone.read) == [["a"]]


def test_talks_that_are_one_now_are_read_though_no_file_changed() -> None:
    rows = {"a": row("a", digest="same", talk="one"), "b": row("b", digest="same", talk="two")}
    plan = make_plan(rows, rows, of_its_own)
    assert (paths_of(plan.read), plan.keep) == ([["a", "b"]], ())


NAMES = st.sampled_from(["tides", "Tides", "bees", "x/bees"])
FILES = st.lists(st.tuples(NAMES, st.sampled_from([None, "id1", "id2"]), st.integers(0, 3)), max_size=7)
STATES = st.lists(st.sampled_from(["same", "changed", "new", "gone", "unreadable", "held"]), min_size=7, max_size=7)


@given(FILES, STATES)
@settings(deadline=None)
def test_every_file_has_one_place_in_the_plan(files: list[tuple[str, str | None, int]], states: list[str]) -> None:
    """A file that is there is in one talk, which is read or kept and never both, or is unreadable."""
    identities = {f"f{at}": named(base, youtube_id) for at, (base, youtube_id, _) in enumerate(files)}
    state = dict(zip(identities, states, strict=False))
    rows = {path: row(path, digest=str(digest)) for path, (_, _, digest) in zip(identities, files, strict=True)}
    before = {
        path: replace(of_path, digest="old") if state[path] == "changed" else of_path
        for path, of_path in rows.items()
        if state[path] != "new"
    }
    now = {path: of_path for path, of_path in rows.items() if state[path] != "gone"}
    held = {path for path in now if state[path] == "held"}
    plan = make_plan(before, now, lambda row: None if state[row.path] == "unreadable" else identities[row.path], held)
    read, keep = ([path for group in paths_of(groups) for path in group] for groups in (plan.read, plan.keep))
    unreadable = [file.path for file in plan.unreadable]
    assert sorted([*read, *keep, *unreadable]) == sorted(now)
    assert unreadable == [path for path in now if state[path] == "unreadable"]
    assert set(plan.gone) == before.keys() - now.keys()
    assert not {path for path in read if state[path] == "held"}
    assert not {path for path in keep if state[path] in ("new", "changed") and not held}


# Which file speaks for its talk

BEST = Identity("json3", None, "tides", "en", True, "human", True, 1000)
"""Best by everything that files are told apart by."""


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        # Each pair differs in what decides, and in all that is asked later the worse one is the better.
        (replace(BEST, words=199, format="text", timed=False, origin="automatic"), replace(BEST, forced=True)),
        (replace(BEST, format="sbv", timed=False, origin="automatic"), replace(BEST, format="text", words=199)),
        (replace(BEST, timed=False, origin="automatic"), replace(BEST, timed=True, origin="unknown", original=False)),
        (replace(BEST, origin="automatic"), replace(BEST, timed=False)),
        (replace(BEST, origin="unknown", format="sbv"), replace(BEST, origin="automatic")),
        (replace(BEST, origin="human", format="sbv"), replace(BEST, origin="unknown")),
        (replace(BEST, format="sbv"), replace(BEST, original=False)),
        (replace(BEST, format="vtt"), replace(BEST, format="srt")),
        (replace(BEST, format="table"), replace(BEST, format="a format that is no more")),
    ],
)
def test_what_decides_first_decides_whatever_comes_later(better: Identity, worse: Identity) -> None:
    tag = "de" if not worse.original else worse.language_tag
    files = {"longer path": better, "p": replace(worse, language_tag=tag)}
    assert first_of(**files) == "longer path"


def test_of_a_video_and_its_copy_the_video_speaks() -> None:
    """The copy does not say where the talk can be seen."""
    video = replace(BEST, youtube_id="id1")
    assert first_of(longer=video, a=BEST) == "longer"
    assert first_of(longer=replace(video, format="vtt"), a=BEST) == "a"


def test_of_equal_files_that_with_the_shorter_path_and_then_the_earlier_one_speaks() -> None:
    assert first_of(aa=BEST, b=BEST) == "b"
    assert first_of(b=BEST, a=BEST) == "a"


def test_a_translation_by_a_person_goes_before_what_a_machine_heard_and_a_machines_translation_does_not() -> None:
    heard = replace(BEST, origin="automatic")
    assert first_of(a=heard, bb=replace(BEST, language_tag="de", original=False)) == "bb"
    assert first_of(a=replace(BEST, language_tag="de", original=False, origin="automatic"), bb=heard) == "bb"
    assert first_of(a=replace(BEST, language_tag="de", original=False, origin="unknown", timed=True),
                    bb=replace(heard, timed=False)) == "bb"  # fmt: skip


def test_a_person_in_the_spoken_language_goes_before_one_who_translated() -> None:
    assert first_of(a=replace(BEST, language_tag="de", original=False), bb=BEST) == "bb"
    # The same language, whose name does not call it the original, is no translation.
    assert first_of(aa=replace(BEST, original=False, origin="unknown"), b=replace(BEST, timed=False)) == "aa"
    assert first_of(a=replace(BEST, original=False), bb=replace(BEST, language_tag=None)) == "bb"


def test_what_is_no_translation() -> None:
    """An original, whatever its tag; a file without a tag; and any file where nothing tells what is spoken."""
    unknown, untimed = replace(BEST, origin="unknown"), replace(BEST, origin="unknown", timed=False)
    assert first_of(a=untimed, bb=replace(unknown, language_tag="de")) == "bb"
    assert first_of(a=replace(unknown, original=False), bb=replace(untimed, language_tag=None)) == "a"
    assert first_of(a=replace(unknown, original=False, language_tag=None), bb=untimed) == "a"


def test_what_the_title_tells_counts_only_where_the_tracks_leave_open_what_is_spoken() -> None:
    assert first_of(a=replace(BEST, language_tag=None), bb=replace(BEST, format="vtt")) == "a"
    assert first_of(a=BEST, bb=replace(BEST, format="vtt", language_tag=None)) == "a"


def test_a_format_that_is_no_more_is_no_prose_and_none_of_whispers() -> None:
    strange = replace(BEST, format="a format that is no more")
    assert first_of(a=strange, bb=replace(BEST, format="whisper-json", origin="automatic")) == "a"
    assert first_of(a=replace(strange, words=1), bb=replace(BEST, format="sbv", origin="automatic")) == "a"


def test_captions_beside_whispers_json_are_whispers_too() -> None:
    captions, whisper = replace(BEST, format="vtt"), replace(BEST, format="whisper-json", origin="automatic")
    assert first_of(a=captions, bb=whisper) == "bb"
    assert first_of(a=captions, bb=replace(whisper, format="json")) == "a"
    assert first_of(a=replace(captions, format="json3", original=False), bb=whisper) == "a"


@pytest.mark.parametrize(("words", "speaks"), [(199, False), (1, False), (200, True), (0, True)])
def test_notes_have_less_than_a_fifth_of_the_words(words: int, speaks: bool) -> None:
    notes, captions = replace(BEST, format="text", words=words), replace(BEST, format="sbv", origin="automatic")
    assert (first_of(notes=notes, captions=captions) == "notes") is speaks
    assert first_of(notes=replace(notes, format="json3"), captions=captions) == "notes"


def test_a_talk_says_whether_its_language_is_open() -> None:
    tracks = {"a": track("talks/bread", "en"), "b": track("talks/bread", "fr"), "c": track("talks/other", "fr")}
    rows = {path: row(path, talk=file.base) for path, file in tracks.items()}
    asked = make_plan({}, rows, lambda row: tracks[row.path])
    kept = make_plan(rows, rows, lambda row: tracks[row.path])
    assert [group.is_open for group in asked.read] == [group.is_open for group in kept.keep] == [True, False]
