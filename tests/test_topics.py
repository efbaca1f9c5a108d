"""The map of topics: made at the end of a run that changed something, and kept while little changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder
from tiny import make_index, write_talk

from talksearch.indexer import doctor, layout
from talksearch.indexer.pipeline import topic_map
from talksearch.indexer.pipeline.run import build_index, remove_talks
from talksearch.indexer.pipeline.topic_labels import topic_labels
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores import topics as stored
from talksearch.search import topics
from talksearch.search.reader import open_reader
from talksearch.search.topics import ArchiveMap

SUBJECTS = {
    "bee": ["the bee finds nectar in clover", "nectar feeds the bee and the hive", "clover nectar again"],
    "ship": ["the ship lost its rudder", "a rudder steers the ship at anchor", "the anchor and the rudder"],
}
TALKS_A_SUBJECT = 6
FRENCH = ["le pain et la farine du moulin", "la farine fait le pain du moulin", "et le moulin du village"]


def write_archive(folder: Path, talks: int = TALKS_A_SUBJECT) -> None:
    for word, lines in SUBJECTS.items():
        for number in range(talks):
            write_talk(folder, f"{word}-{number}", [*lines, f"{word} talk number {number}"], language="en")


def build(folder: Path) -> Path:
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return folder / "index"


@contextmanager
def reading(index: Path) -> Iterator[ArchiveMap]:
    with open_reader(index, encoder=CountingEncoder()) as reader:
        found = topics.read(reader)
    assert found is not None
    yield found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("topics")
    write_archive(folder / "talks")
    return build(folder)


def test_talks_of_one_subject_lie_together_under_its_words(index: Path) -> None:
    with reading(index) as found:
        assert found.unplaced == 0
        assert [len(topic.talks) for topic in found.topics] == [TALKS_A_SUBJECT] * 2
        for topic in found.topics:
            (subject,) = {talk.title.split("-")[0] for talk in topic.talks}
            telling = {"Bee": {"nectar", "clover"}, "Ship": {"rudder", "anchor"}}[subject]
            assert telling <= set(topic.words)
            assert not {"the", "and", "number"} & set(topic.words)
            assert all(0 <= talk.x <= 1 and 0 <= talk.y <= 1 for talk in topic.talks)
        one, other = found.topics
        assert np.hypot(one.x - other.x, one.y - other.y) > 0.5  # a half of the map's width


def test_the_same_archive_has_the_same_map(index: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "talks")
    again = build(tmp_path)
    with reading(index) as one, reading(again) as other:
        assert one == other


def test_a_run_that_changes_nothing_leaves_the_map(index: Path) -> None:
    path = layout.TOPICS.within(index)
    before = path.stat().st_mtime_ns
    build(index.parent)
    assert path.stat().st_mtime_ns == before


def test_a_few_new_talks_are_put_between_their_neighbours_and_the_others_stay(tmp_path: Path) -> None:
    write_archive(tmp_path / "talks", talks=10)
    index = build(tmp_path)
    known = stored.read(index)
    assert known is not None
    write_talk(tmp_path / "talks", "bee-new", [*SUBJECTS["bee"], "a new one"], language="en")
    build(tmp_path)
    now = stored.read(index)
    assert now is not None
    (new,) = now.points.keys() - known.points.keys()
    assert {talk_id: now.points[talk_id] for talk_id in known.points} == known.points
    assert now.labels == known.labels
    assert not now.points[new].projected
    assert "nectar" in now.labels[now.points[new].topic]


def test_many_new_talks_make_another_map(tmp_path: Path) -> None:
    write_archive(tmp_path / "talks", talks=5)
    build(tmp_path)
    for number in range(4):
        write_talk(
            tmp_path / "talks",
            f"bread-{number}",
            ["bread and yeast", f"yeast makes bread rise {number}"],
            language="en",
        )
    known = stored.read(build(tmp_path))
    assert known is not None
    assert all(point.projected for point in known.points.values())
    assert len(known.points) == 14


def test_talks_that_are_gone_are_not_shown_and_new_ones_are_counted(tmp_path: Path) -> None:
    write_archive(tmp_path / "talks")
    index = build(tmp_path)
    old_map = layout.TOPICS.within(index).read_text(encoding="utf-8")
    write_talk(tmp_path / "talks", "song", ["a song of the rain"])
    build(tmp_path)
    remove_talks(index, next(iter(stored.read(index).points)))  # type: ignore[union-attr]
    layout.TOPICS.within(index).write_text(old_map, encoding="utf-8")  # as if the run had not come to the map
    with reading(index) as found:
        assert sum(len(topic.talks) for topic in found.topics) == 2 * TALKS_A_SUBJECT - 1
        assert found.unplaced == 1


@pytest.mark.parametrize("damage", ["", "[]", '{"topics": [], "talks": {"a": [0, 0, 3, true]}}', '{"talks": 3}'])
def test_a_damaged_map_is_no_map_and_the_doctor_makes_it_again(tmp_path: Path, damage: str) -> None:
    write_archive(tmp_path / "talks", talks=4)
    index = build(tmp_path)
    path = layout.TOPICS.within(index)
    whole = path.read_text(encoding="utf-8")
    path.write_text(damage, encoding="utf-8")
    with open_reader(index, encoder=CountingEncoder()) as reader:
        assert topics.read(reader) is None
    (finding,) = doctor.examine(index, mend=False, encoder=CountingEncoder())
    assert (finding.what, finding.mended) == ("The map of topics was missing, old or damaged.", False)
    assert path.read_text(encoding="utf-8") == damage
    (finding,) = doctor.examine(index, encoder=CountingEncoder())
    assert finding.mended
    assert path.read_text(encoding="utf-8") == whole
    assert doctor.examine(index, encoder=CountingEncoder()) == []


def test_an_index_of_an_earlier_version_has_no_map_until_the_next_run(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    layout.TOPICS.within(index).unlink()
    with open_reader(index, encoder=CountingEncoder()) as reader:
        assert topics.read(reader) is None
    build(tmp_path)
    with reading(index) as found:
        assert {talk.title for topic in found.topics for talk in topic.talks} == {"Ships", "Bees", "Bridges"}


def test_few_talks_are_one_topic_and_need_no_sklearn(tmp_path: Path) -> None:
    make_index(tmp_path)
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\n"
        "from fakes import CountingEncoder\n"
        "from talksearch.indexer import layout\n"
        "from talksearch.indexer.pipeline.run import build_index\n"
        f"index = Path({str(tmp_path / 'index')!r})\n"
        "layout.TOPICS.within(index).unlink()\n"
        "build_index(index, encoder=CountingEncoder())\n"
        "assert layout.TOPICS.within(index).exists()\n"
        "assert 'sklearn' not in sys.modules, 'sklearn'\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=True)
    with reading(tmp_path / "index") as found:
        (topic,) = found.topics
        assert len(topic.talks) == 3
        assert len({(talk.x, talk.y) for talk in topic.talks}) == 3


def test_an_index_without_talks_has_no_map(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    index = build(tmp_path)
    assert not layout.TOPICS.within(index).exists()
    with closing(catalog.open_catalog(index)) as db:
        assert topic_map.check(index, db, CountingEncoder().card.dimension)


def test_words_of_other_languages_are_labels_but_not_their_common_ones(tmp_path: Path) -> None:
    write_talk(tmp_path / "talks", "pain", FRENCH, language="fr")
    write_talk(tmp_path / "talks", "bees", SUBJECTS["bee"], language="en")
    index = build(tmp_path)
    with closing(catalog.open_catalog(index)) as db:
        ids = [talk_id for (talk_id,) in db.execute("SELECT id FROM talks ORDER BY id")]
        french = next(place for place, talk_id in enumerate(ids) if talk_id.startswith("pain"))
        where = np.array([0 if place == french else 1 for place in range(2)])
        labels = topic_labels(db, ids, where, 2)
    assert {"moulin", "farine"} <= set(labels[0])
    assert not {"le", "la", "du", "et"} & set(labels[0])
    assert {"nectar", "clover"} <= set(labels[1])


def test_a_map_is_plain_json(index: Path) -> None:
    with reading(index) as found:
        row = found.to_dict()
    assert row["unplaced"] == 0
    assert {"words", "x", "y", "talks"} == row["topics"][0].keys()
    assert {"id", "title", "x", "y"} == row["topics"][0]["talks"][0].keys()
