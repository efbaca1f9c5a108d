from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.errors import BadIndexError, LockedError, TalksearchError
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index, find_root, remove_talks
from talksearch.indexer.pipeline.update_index import RunOptions, update_index
from talksearch.indexer.records import Talk
from talksearch.indexer.stores import catalog, catalog_talks, recipe, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.chroma.client import open_store
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.talks import read
from talksearch.indexer.talks.load import TalkMetadata
from talksearch.indexer.talks.opened_file import OpenedFile
from talksearch.indexer.talks.replay import replay


def vtt(*lines: str, start: int = 0) -> str:
    cues = [f"00:00:{start + at:02}.000 --> 00:00:{start + at:02}.900\n{line}\n" for at, line in enumerate(lines)]
    return "WEBVTT\n\n" + "\n".join(cues)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    (folder / "sub").mkdir(parents=True)
    (folder / "ships.vtt").write_text(vtt("the ship keeps its own time", "and the ship comes home"))
    (folder / "sub" / "bees.vtt").write_text(vtt("every bee knows the rain", "said the bee"))
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def run(index: Path, *paths: Path, rebuild: bool = False) -> tuple[Report, CountingEncoder]:
    encoder = CountingEncoder()
    return build_index(index, paths, encoder=encoder, rebuild=rebuild), encoder


def sources(index: Path) -> list[str]:
    return sorted(talk.source for talk in catalog_talks.read_talks(catalog.open_catalog(index)))


def stored(index: Path) -> dict[str, list[float]]:
    client, collection = open_store(index)
    found = collection.get(include=["embeddings", "documents", "metadatas"])
    client.close()
    return dict(zip(found["ids"], np.asarray(found["embeddings"], float).round(5).tolist(), strict=True))


def test_a_new_archive_is_indexed(archive: Path, index: Path) -> None:
    report, encoder = run(index, archive)
    assert (len(report.added), report.kept, report.replaced, report.dropped) == (2, [], [], [])
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]
    assert len(encoder.seen) == report.embedded == 4, "two passages and two titles"


def test_paths_may_be_text_and_a_single_one_is_one(archive: Path, index: Path) -> None:
    report = build_index(str(index), str(archive), encoder=CountingEncoder())
    assert len(report.added) == 2
    assert len(remove_talks(str(index), [], [str(archive)])) == 2


def test_an_unchanged_archive_embeds_nothing(archive: Path, index: Path) -> None:
    run(index, archive)
    before = stored(index)
    report, encoder = run(index, archive)
    assert (len(report.kept), report.added, report.replaced, report.embedded) == (2, [], [], 0)
    assert encoder.seen == []
    assert stored(index) == before


def test_a_touched_file_with_the_same_content_embeds_nothing(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.vtt").touch()
    report, encoder = run(index, archive)
    assert (len(report.kept), encoder.seen) == (2, [])


def test_a_changed_file_replaces_its_talk_and_embeds_what_is_new(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.vtt").write_text(vtt("the ship sings a song"))
    report, encoder = run(index, archive)
    assert (len(report.replaced), len(report.kept)) == (1, 1)
    assert encoder.seen == ["the ship sings a song"]
    assert len(stored(index)) == 4


def test_a_new_title_embeds_itself_alone_and_reaches_the_store(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.info.json").write_text(json.dumps({"title": "Slow Ships", "id": "x"}))
    report, encoder = run(index, archive)
    assert (len(report.replaced), encoder.seen) == (1, ["Slow Ships"])
    client, collection = open_store(index)
    titles = {row["title"] for row in collection.get(include=["metadatas"])["metadatas"]}
    client.close()
    assert "Slow Ships" in titles


def test_a_vanished_file_drops_its_talk_everywhere(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.vtt").unlink()
    report, _ = run(index, archive)
    assert len(report.dropped) == 1
    assert sources(index) == ["sub/bees.vtt"]
    assert len(stored(index)) == 2


def test_the_store_of_a_large_archive_follows_its_changes(
    archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a part has room for three numbers of passages."""
    monkeypatch.setattr(store, "PARTITION", 3)
    run(index, archive)
    (archive / "ships.vtt").write_text(vtt("the ship sings a song"))
    (archive / "new.vtt").write_text(vtt("rain on the roof"))
    run(index, archive)
    (archive / "sub" / "bees.vtt").unlink()
    (archive / "ships.info.json").write_text(json.dumps({"title": "Slow Ships", "id": "x"}))
    run(index, archive)
    known = {(row[0] // 3, row[1]) for row in catalog.open_catalog(index).execute("SELECT number, id FROM passages")}
    there = set()
    for part in store.partitions(index):
        with store.open_partition(index, part) as collection:
            there |= {(part, id_) for id_ in passages.all_ids(collection)}
    assert there == known
    assert len(store.partitions(index)) > 1


def test_a_vanished_folder_drops_nothing(archive: Path, index: Path) -> None:
    run(index, archive)
    archive.rename(archive.with_name("elsewhere"))
    with pytest.raises(TalksearchError, match="not there"):
        run(index, archive)
    assert len(sources(index)) == 2


def test_another_path_is_added_and_a_part_is_refreshed_alone(archive: Path, index: Path, tmp_path: Path) -> None:
    run(index, archive)
    other = tmp_path / "more"
    other.mkdir()
    (other / "bread.vtt").write_text(vtt("bread and code"))
    run(index, other)
    assert sources(index) == ["bread.vtt", "ships.vtt", "sub/bees.vtt"]
    (archive / "sub" / "song.vtt").write_text(vtt("a song of rain"))
    report, _ = run(index, archive / "sub")
    assert (len(report.added), len(report.dropped)) == (1, 0)
    assert sources(index) == ["bread.vtt", "ships.vtt", "sub/bees.vtt", "sub/song.vtt"]


def test_two_paths_may_each_hold_a_file_of_the_same_name(tmp_path: Path, index: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "talk.vtt").write_text(vtt(f"time in place {name}"))
        run(index, tmp_path / name)
    run(index, tmp_path / "one", tmp_path / "two")
    talks = list(catalog_talks.read_talks(catalog.open_catalog(index)))
    assert [talk.source for talk in talks] == ["talk.vtt", "talk.vtt"]
    assert len({talk.id for talk in talks}) == 2


def test_one_talk_in_two_shapes_is_one_talk_from_the_better_file(archive: Path, index: Path) -> None:
    (archive / "ships.txt").write_text("the ship keeps its own time and the ship comes home")
    report, _ = run(index, archive)
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]
    assert [Path(copy.path).name for copy in report.duplicates] == ["ships.txt"]
    # When the better file goes, the other speaks for the talk.
    (archive / "ships.vtt").unlink()
    run(index, archive)
    assert sources(index) == ["ships.txt", "sub/bees.vtt"]


def test_a_bad_file_is_a_line_in_the_report_and_the_next_best_file_speaks(archive: Path, index: Path) -> None:
    (archive / "ships.vtt").write_text("WEBVTT\n\nnothing here\n")
    (archive / "ships.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nthe ship in time\n")
    (archive / "empty.vtt").write_bytes(b"")
    report, _ = run(index, archive)
    assert sources(index) == ["ships.srt", "sub/bees.vtt"]
    assert {Path(skipped.path).name for skipped in report.skipped} == {"ships.vtt", "empty.vtt"}
    again, _ = run(index, archive)
    assert {Path(skipped.path).name for skipped in again.skipped} == {"ships.vtt", "empty.vtt"}


def test_a_name_that_is_not_utf8_is_reported(archive: Path, index: Path) -> None:
    (archive / "caf\udce9.vtt").write_text(vtt("rain"))
    report, _ = run(index, archive)
    assert [skipped.reason for skipped in report.skipped] == ["Its name is not valid UTF-8; rename it."]
    assert len(report.added) == 2


def test_the_copy_holds_what_chroma_holds_and_is_mended_from_it(archive: Path, index: Path) -> None:
    run(index, archive)

    def copied() -> dict[str, list[float]]:
        copy = vectors.read(index, 8)
        names = dict(catalog.open_catalog(index).execute("SELECT number, id FROM passages"))
        rows = copy.rows.astype(float).round(5).tolist()
        return {names[number]: row for number, row in zip(copy.numbers.tolist(), rows, strict=True)}

    assert copied() == stored(index)
    layout.VECTORS.within(index).unlink()
    _, encoder = run(index, archive)
    assert encoder.seen == []
    assert copied() == stored(index)


def test_an_interrupted_run_goes_on_where_it_stopped(
    archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(CountingEncoder):
        def encode_passages(self, texts: object) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(index, [archive], encoder=Dying())
    db = catalog.open_catalog(index)
    assert catalog.counts(db).talks == 2  # their words can be searched
    assert catalog.counts(db).embedded == 0
    report, encoder = run(index, archive)
    assert (len(report.kept), len(encoder.seen)) == (2, 4)
    assert catalog.counts(catalog.open_catalog(index)).embedded == 2


def test_an_interrupted_first_run_loses_nothing_to_the_next_path(archive: Path, index: Path, tmp_path: Path) -> None:
    class Dying(CountingEncoder):
        def encode_passages(self, texts: object) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(index, [archive], encoder=Dying())
    other = tmp_path / "other"
    other.mkdir()
    (other / "bread.vtt").write_text(vtt("bread and code"))
    report, _ = run(index, other)
    assert report.dropped == []
    assert sources(index) == ["bread.vtt", "ships.vtt", "sub/bees.vtt"]


def test_a_defect_in_a_reader_costs_one_file(archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read.load_talk

    def failing(opened: OpenedFile, source: str, others: Iterable[TalkMetadata]) -> Talk:
        if opened.path.name == "ships.vtt":
            raise IndexError("list index out of range")
        return whole(opened, source, others)

    monkeypatch.setattr(read, "load_talk", failing)
    report, _ = run(index, archive)
    assert sources(index) == ["sub/bees.vtt"]
    assert "IndexError" in report.skipped[0].reason


def test_rebuilding_mends_a_damaged_index(archive: Path, index: Path) -> None:
    run(index, archive)
    layout.CATALOG.within(index).write_bytes(b"damaged" * 1000)
    with pytest.raises(BadIndexError) as error:
        run(index, archive)
    assert "--rebuild" in error.value.hint
    run(index, archive, rebuild=True)
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]


def test_only_one_writer(archive: Path, index: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with index_write_lock(index):
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    with pytest.raises(LockedError, match="process"):
        run(index, archive)
    done.set()
    thread.join()
    run(index, archive)


def test_another_model_is_refused_with_the_command_that_rebuilds(archive: Path, index: Path) -> None:
    run(index, archive)
    with pytest.raises(BadIndexError) as error:
        build_index(index, [archive], model="another", encoder=CountingEncoder())
    assert "--rebuild --model another" in error.value.hint


def test_another_format_is_refused(archive: Path, index: Path) -> None:
    run(index, archive)
    written = json.loads(layout.RECIPE.within(index).read_text())
    layout.RECIPE.within(index).write_text(json.dumps({**written, "format": 999}))
    with pytest.raises(BadIndexError, match="format 999"):
        run(index, archive)


def test_a_rebuild_leaves_to_its_owner_who_may_read_an_index(index: Path, archive: Path) -> None:
    run(index, archive)
    assert index.stat().st_mode & 0o777 == 0o700
    index.chmod(0o750)
    run(index, rebuild=True)
    assert index.stat().st_mode & 0o777 == 0o750


def test_rebuilding_reads_everything_again(archive: Path, index: Path) -> None:
    run(index, archive)
    report, encoder = run(index, rebuild=True)
    assert (len(report.added), len(encoder.seen)) == (2, 4)
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]
    assert sorted(path.name for path in index.parent.iterdir() if "index" in path.name) == ["index"]


def test_removing_takes_a_talk_out_until_its_folder_is_indexed_again(archive: Path, index: Path) -> None:
    run(index, archive)
    talk = next(catalog_talks.read_talks(catalog.open_catalog(index)))
    assert remove_talks(index, [talk.id]) == [talk.id]
    assert len(sources(index)) == 1
    assert len(stored(index)) == 2
    report, _ = run(index, archive)
    assert report.added == [talk.id]


def test_a_reader_sees_a_talk_whole_or_not_at_all(archive: Path, index: Path) -> None:
    run(index, archive)
    reader = catalog.open_catalog(index)
    reader.execute("BEGIN")
    before = reader.execute("SELECT text FROM passages ORDER BY number").fetchall()
    (archive / "ships.vtt").write_text(vtt("the ship sings a song"))
    run(index, archive)
    assert reader.execute("SELECT text FROM passages ORDER BY number").fetchall() == before
    reader.execute("COMMIT")
    assert reader.execute("SELECT text FROM passages ORDER BY number").fetchall() != before
    assert isinstance(reader, sqlite3.Connection)


# --- several files of one talk --------------------------------------------------------------------------------------

SPOKEN_TEXT = """
so uh good morning everybody and welcome to this talk about slow ships um a slow ship keeps its own time and that is
the first thing you need to know about it when my grandmother went to sea there was no clock on board that anyone would
trust so the cook rang a bell whenever the bread was done and that was that you could set your watch by the bread she
said if you had a watch and nobody had one now people ask me is that not dangerous and i tell them yes of course it was
dangerous but the sea is dangerous with a clock too and at least there was bread so let us look at how they found their
way home they counted waves they watched the birds and they argued a lot about both of these things all night long
"""
SPOKEN = SPOKEN_TEXT.split()
TYPED = """Good morning, everybody, and welcome to this talk about slow ships.

A slow ship keeps its own time, and that is the first thing you need to know about it.

When my grandmother went to sea, there was no clock on board that anyone would trust. So the cook rang a bell whenever
the bread was done, and that was that. You could set your watch by the bread, she said, if you had a watch. And nobody
had one.

Now people ask me: is that not dangerous? I tell them: yes, of course it was dangerous. But the sea is dangerous with a
clock too, and at least there was bread.

So let us look at how they found their way home. They counted waves, they watched the birds, and they argued a lot about
both of these things, all night long.
"""


def automatic(words: list[str], word_ms: int = 500) -> str:
    """Captions as YouTube makes them, six words a line, each with its time."""

    def clock(ms: int) -> str:
        return f"00:{ms // 60_000:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"

    out = ["WEBVTT\nKind: captions\nLanguage: en"]
    above = " "
    for at in range(0, len(words), 6):
        line = words[at : at + 6]
        start, end = at * word_ms, (at + len(line)) * word_ms
        timed = line[0] + "".join(f"<{clock(start + k * word_ms)}><c> {word}</c>" for k, word in enumerate(line) if k)
        out.append(f"{clock(start)} --> {clock(end - 10)}\n{above}\n{timed}")
        above = " ".join(line)
        out.append(f"{clock(end - 10)} --> {clock(end)}\n{above}\n ")
    return "\n\n".join(out) + "\n"


def the_talk(index: Path) -> Talk:
    db = catalog.open_catalog(index)
    (row,) = catalog_talks.read_talks(db)
    found = catalog_talks.read_talk(db, row.id)
    assert found is not None
    return found


def test_a_timed_track_that_turns_up_later_gives_its_times_to_the_better_text(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "slow ships.txt").write_text(TYPED)
    run(index, folder)
    before = the_talk(index)
    assert (before.timing, before.source) == ("estimated", "slow ships.txt")

    (folder / "slow ships.en.vtt").write_text(automatic(SPOKEN))
    report, _ = run(index, folder)
    after = the_talk(index)
    assert (after.timing, after.margin_ms, after.source) == ("exact", 0, "slow ships.txt")
    assert (report.replaced, report.added, report.dropped) == ([before.id], [], [])
    assert [cue.text for cue in after.cues] == [cue.text for cue in before.cues]
    for words in ("When my grandmother", "So let us look"):
        cue = next(cue for cue in after.cues if cue.text.startswith(words))
        spoken = " ".join(SPOKEN)
        said = len(spoken[: spoken.index(words.lower())].split())
        assert abs(cue.start_ms - said * 500) <= 500
    step = after.receipt.steps[-1]
    assert (step.name, step.detail["from"]) == ("align-times", "slow ships.en.vtt")
    assert 0.95 < step.detail["share"] <= 1
    assert "gave its times" in report.duplicates[0].reason
    texts = [cue.text for cue in replay((folder / "slow ships.txt").read_bytes(), "slow ships.txt", after.receipt)]
    assert texts == [cue.text for cue in after.cues]
    report, _ = run(index, folder)
    assert (report.kept, report.replaced) == ([before.id], [])

    (folder / "slow ships.en.vtt").write_text(automatic(SPOKEN, word_ms=700))
    report, _ = run(index, folder)
    assert report.replaced == [before.id]
    assert the_talk(index).cues[-1].start_ms > after.cues[-1].start_ms

    (folder / "slow ships.en.vtt").unlink()
    report, _ = run(index, folder)
    assert report.replaced == [before.id]
    assert the_talk(index) == before


UNPUNCTUATED = " ".join(SPOKEN)
LINES = [" ".join(SPOKEN[at : at + 6]) for at in range(0, len(SPOKEN), 6)]
STAY: dict[str, tuple[str, str]] = {
    # what the text beside the captions is, and why the captions' own words stay
    "the same captions flattened": ("f.txt", " ".join(f"{line} {line} {line}" for line in LINES)),
    "typed without a stop": ("f.txt", UNPUNCTUATED),
    "another talk": ("f.txt", "Bread is made of flour. And of water. Then it rises for as long as we sleep. " * 9),
    "an excerpt": ("f.txt", TYPED.partition("When my")[0] + "That is all I wrote down."),
    "the beginning, cut off": ("f.txt", TYPED.partition("Now people")[0]),
}  # fmt: skip


@pytest.mark.parametrize("case", STAY)
def test_a_text_that_is_no_better_does_not_replace_the_track(tmp_path: Path, index: Path, case: str) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "f.en.vtt").write_text(automatic(SPOKEN))
    name, content = STAY[case]
    (folder / name).write_text(content)
    report, _ = run(index, folder)
    talk = the_talk(index)
    assert (talk.source, talk.timing) == ("f.en.vtt", "exact")
    assert [copy.path.rpartition("/")[2] for copy in report.duplicates] == [name]


def test_a_track_that_a_person_wrote_keeps_its_words(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "f.en.vtt").write_text(vtt(*LINES))
    (folder / "f.txt").write_text(TYPED)
    run(index, folder)
    assert (the_talk(index).source, the_talk(index).timing) == ("f.txt", "exact")
    about = {"id": "DTcRLlMv4_o", "extractor": "youtube", "language": "en", "subtitles": {"en": []}}
    (folder / "f.info.json").write_text(json.dumps(about))
    run(index, folder)
    assert (the_talk(index).source, the_talk(index).origin) == ("f.en.vtt", "human")


def test_what_a_file_leaves_open_is_taken_from_the_others(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "slow [DTcRLlMv4_o].en.vtt").write_text(automatic(SPOKEN))
    run(index, folder)
    assert (the_talk(index).title, the_talk(index).description) == ("slow", "")
    record = (
        "Timestamp: 2025\nTitle: CafÃ© ships\nURL: https://youtu.be/DTcRLlMv4_o\nStatus: success\nDuration: 1:30\n"
        f"Description: How they came home.\nContent:\n{UNPUNCTUATED}\n"
    )
    (folder / "record.txt").write_text(record)
    report, _ = run(index, folder)
    talk = the_talk(index)
    assert report.replaced == ["DTcRLlMv4_o"]
    assert (talk.source, talk.timing) == ("slow [DTcRLlMv4_o].en.vtt", "exact")
    assert (talk.title, talk.description, talk.duration_ms) == ("Café ships", "How they came home.", 90_000)
    taken = {step.field: step.detail["from"] for step in talk.receipt.steps if step.name == "take-from"}
    assert taken == {"title": "record.txt", "description": "record.txt", "duration": "record.txt"}
    assert any((step.name, step.field) == ("repair-text", "title") for step in talk.receipt.steps)
    data = (folder / talk.source).read_bytes()
    assert replay(data, talk.source, talk.receipt) == talk.cues
    (folder / "record.txt").unlink()
    run(index, folder)
    assert (the_talk(index).title, the_talk(index).description) == ("slow", "")


def test_an_estimate_uses_the_duration_that_another_file_knows(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "slow [DTcRLlMv4_o].txt").write_text(TYPED)
    record = f"Title: T\nURL: https://youtu.be/DTcRLlMv4_o\nStatus: success\nDuration: 1:30\nContent:\n{UNPUNCTUATED}\n"
    (folder / "z record that comes later.txt").write_text(record)
    run(index, folder)
    talk = the_talk(index)
    assert talk.duration_ms == 90_000
    estimated = next(step for step in talk.receipt.steps if step.name == "estimate-times")
    assert estimated.detail["given"]["duration_ms"] == 90_000


def test_an_archive_that_was_moved_is_found_where_it_is_now(archive: Path, index: Path) -> None:
    run(index, archive)
    moved = archive.with_name("moved")
    archive.rename(moved)
    report, encoder = run(index, moved)
    assert (len(report.added) + len(report.replaced), report.skipped, encoder.seen) == (2, [], [])
    assert catalog.roots(catalog.open_catalog(index)) == [str(moved)]
    assert report.notes == [f"{archive} is not there, and nothing lies only in it: it is no longer looked at."]
    assert run(index)[0].dropped == []


def test_what_lies_nowhere_else_stays_while_its_disk_is_away(archive: Path, index: Path, tmp_path: Path) -> None:
    run(index, archive)
    archive.rename(tmp_path / "unplugged")
    other = tmp_path / "other"
    other.mkdir()
    (other / "moon.vtt").write_text(vtt("the moon pulls the water"))
    assert run(index, other)[0].dropped == []
    assert sources(index) == ["moon.vtt", "ships.vtt", "sub/bees.vtt"]
    report, encoder = run(index)
    assert (report.dropped, encoder.seen) == ([], [])
    assert {held.root for held in report.held} == {str(archive)}
    assert sources(index) == ["moon.vtt", "ships.vtt", "sub/bees.vtt"]
    assert len(remove_talks(index, [], [archive])) == 2
    assert sources(index) == ["moon.vtt"]
    assert run(index)[0].dropped == []


def test_a_path_is_the_same_however_it_is_written(archive: Path, index: Path) -> None:
    run(index, archive)
    report, _ = run(index, archive / "sub" / "..")
    assert (len(report.kept), report.duplicates) == (2, [])
    assert catalog.roots(catalog.open_catalog(index)) == [str(archive)]
    assert find_root(catalog.open_catalog(index), f"{archive}/sub/..") == archive


def test_what_was_moved_inside_its_archive_keeps_its_vectors(archive: Path, index: Path) -> None:
    run(index, archive)
    before = len(stored(index))
    (archive / "ships.vtt").rename(archive / "sub" / "ships.vtt")
    report, encoder = run(index, archive)
    assert (len(report.added), len(report.dropped), encoder.seen) == (1, 1, [])
    assert len(stored(index)) == before


def test_a_rebuild_keeps_model_and_prompts(archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(index, archive)
    made = recipe.read(index)
    assert made is not None
    card = replace(made.model, name="other/model", query_prompt="query: ", passage_prompt="passage: ")
    recipe.write(index, replace(made, model=card))
    seen: list[object] = []

    def watched(options: RunOptions) -> Report:
        seen.append((options.model, options.prompts))
        return update_index(options)

    monkeypatch.setattr("talksearch.indexer.pipeline.run.update_index", watched)
    build_index(index, [], rebuild=True, prompts=(None, "text: "), encoder=CountingEncoder())
    assert seen == [("other/model", ("query: ", "text: "))]


def test_a_rebuild_says_which_model_it_takes_where_the_recipe_is_damaged(archive: Path, index: Path) -> None:
    run(index, archive)
    layout.RECIPE.within(index).write_text("{")
    assert "default model" in run(index, archive, rebuild=True)[0].notes[-1]


def test_a_rebuild_leaves_out_paths_that_are_gone_where_others_are_named(archive: Path, index: Path) -> None:
    run(index, archive)
    moved = archive.with_name("moved")
    archive.rename(moved)
    report, _ = run(index, moved, rebuild=True)
    assert "is not there any more" in report.notes[-1]
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]


def test_a_rebuild_works_through_a_link_and_over_what_an_ended_one_left(archive: Path, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    run(real, archive)
    link.symlink_to(real)
    for left in (".real.old", ".real.rebuild"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "something").write_text("left")
    run(link, rebuild=True)
    assert link.is_symlink()
    assert sources(link) == ["ships.vtt", "sub/bees.vtt"]
    assert not list(tmp_path.glob(".real.*"))


@pytest.mark.parametrize(
    "met",
    [None, sqlite3.DatabaseError("database disk image is malformed"), BadIndexError("There is no finished index.", "")],
    ids=["nothing", "malformed", "empty"],
)
def test_who_opens_a_catalog_while_another_index_takes_its_place_reads_one_of_them(
    archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch, met: Exception | None
) -> None:
    other = index.with_name("other")
    run(index, archive)
    run(other, archive / "ships.vtt")
    opened = catalog._open_to_read
    swaps = [other]

    def open_and_swap(path: Path) -> sqlite3.Connection:
        db = opened(path)  # of the one, and its log perhaps already of the other
        if swaps:
            assert layout.swap_folders(index, swaps.pop())
            if met:
                db.close()
                raise met
        return db

    monkeypatch.setattr(catalog, "_open_to_read", open_and_swap)
    with closing(catalog.open_catalog(index)) as db:
        assert catalog.counts(db).talks == len(catalog.files(db)) == 1


def test_where_folders_cannot_be_swapped_at_once_they_are_renamed(
    archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "swap_folders", lambda *_: False)
    run(index, archive)
    (archive / "ships.vtt").unlink()
    run(index, rebuild=True)
    assert sources(index) == ["sub/bees.vtt"]
    assert [path.name for path in index.parent.iterdir() if "index" in path.name] == ["index"]


def test_what_an_ended_rebuild_left_is_cleared_by_the_next_run(archive: Path, index: Path) -> None:
    run(index, archive)
    for name in (".index.rebuild", ".index.old"):
        index.with_name(name).mkdir()
        (index.with_name(name) / "large").write_text("left")
    run(index)
    assert sorted(path.name for path in index.parent.iterdir() if "index" in path.name) == ["index"]


def test_an_index_that_was_moved_aside_comes_back(archive: Path, index: Path) -> None:
    run(index, archive)
    index.rename(index.with_name(f".{index.name}.old"))
    assert len(run(index)[0].kept) == 2
