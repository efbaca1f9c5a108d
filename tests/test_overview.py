"""What an archive holds at a glance, and which questions it offers: those that it names itself and surely speaks of."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.cli.main import cli
from talksearch.indexer import doctor, layout
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog
from talksearch.search import make_overview, overview
from talksearch.search.facets import FacetValue
from talksearch.search.overview import Overview
from talksearch.search.reader import open_reader

FILLER = ["well good evening to all of you here", "and so on it goes for quite a while", "that is all thank you"]
CHAPTERS = [
    {"start_time": 0, "title": "Introduction"},
    {"start_time": 60, "title": "Why wooden rudders rot"},
    {"start_time": 120, "title": "Part 2 of the evening"},
]
TALKS = {
    "rudders": (
        [*FILLER, "why wooden rudders rot", "wooden rudders rot in winter", "and rudders rot"], "Harbour Talks",
    ),
    "Storing clover honey | Garden Radio": (
        ["storing clover honey", "clover honey keeps for storing", *FILLER], "Garden Radio",
    ),
    "🎙 Episode 31: How granite arches carry (live)": (
        ["how granite arches carry", "granite arches carry and carry", *FILLER], "Garden Radio",
    ),
    "A title about purple elephants": (FILLER, "Garden Radio"),
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overview")
    for number, (title, (lines, channel)) in enumerate(TALKS.items()):
        write_talk(
            folder / "talks", f"talk{number}", [*lines, f"number {number}"], title=title, channel=channel,
            language="en", upload_date=f"202{number}0301", chapters=CHAPTERS * (not number),
        )  # fmt: skip
    # What everybody says tells nothing, so there are more talks, without dates, in another language.
    for number in range(30):
        write_talk(folder / "talks", f"mehr{number}", [f"noch ein abend {number}", "und noch einer"], language="de")
    for number in range(31):
        write_talk(
            folder / "talks", f"more{number}", [*FILLER, f"the evening {number}"], language="en", title="Evening"
        )
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return folder / "index"


def look(index: Path) -> Overview:
    with open_reader(index, encoder=CountingEncoder()) as reader:
        return make_overview.make_overview(reader)


def test_an_overview_counts_what_is_there(index: Path) -> None:
    found = look(index)
    assert found.talks == 65
    assert (found.first_year, found.last_year) == (2020, 2023)
    assert found.length_ms == sum(length for length in lengths(found))
    assert found.facets.language.values == (FacetValue("en", 35), FacetValue("de", 30))
    assert found.facets.channel.values == (FacetValue("Garden Radio", 3), FacetValue("Harbour Talks", 1))
    assert found.facets.timing.values == (FacetValue("exact", 65),)
    assert [one.value for one in found.facets.year.values] == ["2020", "2021", "2022", "2023"]


def lengths(found: Overview) -> list[int]:
    """The lengths of all talks: a line a minute, from the first minute on, each of five seconds."""
    english = [(len(lines) + 1) * 60_000 + 5_000 for lines, _ in TALKS.values()]
    assert found.longest[0].length_ms == max(english)
    return [*english, *[2 * 60_000 + 5_000] * 30, *[4 * 60_000 + 5_000] * 31]


def test_the_newest_talks_come_by_date_and_the_longest_by_length(index: Path) -> None:
    found = look(index)
    assert [talk.date for talk in found.newest] == ["2023-03-01", "2022-03-01", "2021-03-01", "2020-03-01"]
    assert [talk.length_ms for talk in found.longest] == sorted(
        (talk.length_ms for talk in found.longest), reverse=True
    )
    assert found.longest[0].title == "rudders"


def test_questions_are_what_titles_and_chapters_name_and_talks_speak_of(index: Path) -> None:
    found = look(index)
    assert {question.text for question in found.questions} == {
        "Why wooden rudders rot",
        "Storing clover honey",
        "How granite arches carry",
    }
    assert len({question.talk_id for question in found.questions}) == 3
    (chapter,) = (question for question in found.questions if "rudders" in question.text)
    assert chapter.start_ms == 60_000
    assert look(index).questions == found.questions


def test_an_overview_is_the_same_where_the_columns_are_missing(index: Path, tmp_path: Path) -> None:
    found = look(index)
    columns = layout.COLUMNS.within(index)
    columns.rename(tmp_path / "columns")
    try:
        assert look(index) == found
    finally:
        (tmp_path / "columns").rename(columns)


def test_an_index_keeps_its_overview(index: Path, tmp_path: Path) -> None:
    version = version_of(index)
    assert overview.read(index, version) is None
    make_overview.keep(index)
    assert overview.read(index, version) == look(index)
    assert overview.read(index, (version[0] + 1, version[1])) is None
    layout.OVERVIEW.within(index).unlink()


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"version": 1}', '{"version": VERSION, "overview": {"talks": 3}}'])
def test_an_overview_that_is_damaged_is_made_anew(index: Path, damage: str) -> None:
    version = version_of(index)
    file = layout.OVERVIEW.within(index)
    try:
        file.write_text(damage.replace("VERSION", json.dumps(version)), encoding="utf-8")
        assert overview.read(index, version) is None
        assert make_overview.is_outdated(index)
        make_overview.keep(index)
        assert not make_overview.is_outdated(index)
        assert overview.read(index, version) == look(index)
    finally:
        file.unlink()


def version_of(index: Path) -> tuple[int, int]:
    with closing(catalog.open_catalog(index)) as db:
        return catalog.version(db)


def test_the_command_line_has_the_index_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_talk(tmp_path / "talks", "ship", ["the ship keeps its own time"], title="Ships")
    write_talk(tmp_path / "talks", "bees", ["every bee knows the rain"], title="Bees")
    folder = tmp_path / "index"
    build_index(folder, [tmp_path / "talks"], encoder=CountingEncoder())

    def run(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(cli, [*args, "--index", str(folder)])
        assert result.exit_code == code, result.output
        return result.output

    run("index")
    kept = overview.read(folder, version_of(folder))
    assert kept is not None
    assert {talk.title for talk in kept.longest} == {"Ships", "Bees"}
    run("remove", "ship")
    kept = overview.read(folder, version_of(folder))
    assert kept is not None
    assert [talk.title for talk in kept.longest] == ["Bees"]
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: [])  # it would load the index's own encoder
    layout.OVERVIEW.within(folder).write_text("{", encoding="utf-8")
    assert "Found: What the first page tells of the archive was old or damaged." in run("doctor", "--check", code=1)
    assert overview.read(folder, version_of(folder)) is None
    assert "Mended: What the first page tells of the archive was old or damaged." in run("doctor")
    assert overview.read(folder, version_of(folder)) == kept
    assert "The index is sound." in run("doctor", "--check")


def test_an_archive_without_talks_has_an_overview(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    found = look(tmp_path / "index")
    assert (found.talks, found.length_ms, found.first_year, found.questions, found.newest) == (0, 0, None, (), ())
