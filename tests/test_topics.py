"""The map of topics: made at the end of a run that changed something, and kept while little changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder
from tiny import make_index, write_talk

from talksearch.indexer import doctor, layout
from talksearch.indexer.pipeline import topic_map
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.pipeline.topic_labels import topic_labels
from talksearch.indexer.stores import catalog, topics
from talksearch.indexer.stores.topics import TopicMap

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


def read(index: Path) -> TopicMap:
    found = topics.read(index)
    assert found is not None
    return found


def talks_of(found: TopicMap, topic: int) -> list[str]:
    return [talk_id for talk_id, point in found.points.items() if point.topic == topic]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("topics")
    write_archive(folder / "talks")
    return build(folder)


def test_talks_of_one_subject_lie_together_under_its_words(index: Path) -> None:
    found = read(index)
    assert [len(talks_of(found, topic)) for topic in range(len(found.labels))] == [TALKS_A_SUBJECT] * 2
    middles = []
    for topic, words in enumerate(found.labels):
        (subject,) = {talk_id.split("-")[0] for talk_id in talks_of(found, topic)}
        telling = {"bee": {"nectar", "clover"}, "ship": {"rudder", "anchor"}}[subject]
        single = {word for one in words for word in one.split()}
        assert telling <= single
        assert not {"the", "and", "number"} & single
        places = [found.points[talk_id][:2] for talk_id in talks_of(found, topic)]
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places)
        middles.append(np.median(places, axis=0))
    assert np.hypot(*(middles[0] - middles[1])) > 0.5  # a half of the map's width


def test_the_same_archive_has_the_same_map(index: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "talks")
    again = build(tmp_path)
    assert read(index) == read(again)


def test_a_run_that_changes_nothing_leaves_the_map(index: Path) -> None:
    path = layout.TOPICS.within(index)
    before = path.stat().st_mtime_ns
    build(index.parent)
    assert path.stat().st_mtime_ns == before


def test_a_few_new_talks_are_put_between_their_neighbours_and_the_others_stay(tmp_path: Path) -> None:
    write_archive(tmp_path / "talks", talks=10)
    index = build(tmp_path)
    known = read(index)
    write_talk(tmp_path / "talks", "bee-new", [*SUBJECTS["bee"], "a new one"], language="en")
    build(tmp_path)
    now = read(index)
    (new,) = now.points.keys() - known.points.keys()
    assert {talk_id: now.points[talk_id] for talk_id in known.points} == known.points
    assert now.labels == known.labels
    assert not now.points[new].projected
    assert any("nectar" in words for words in now.labels[now.points[new].topic])


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
    known = read(build(tmp_path))
    assert all(point.projected for point in known.points.values())
    assert len(known.points) == 14


@pytest.mark.parametrize("damage", ["", "[]", '{"topics": [], "talks": {"a": [0, 0, 3, true]}}', '{"talks": 3}'])
def test_a_damaged_map_is_no_map_and_the_doctor_makes_it_again(tmp_path: Path, damage: str) -> None:
    write_archive(tmp_path / "talks", talks=4)
    index = build(tmp_path)
    path = layout.TOPICS.within(index)
    whole = path.read_text(encoding="utf-8")
    path.write_text(damage, encoding="utf-8")
    assert topics.read(index) is None
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
    assert topics.read(index) is None
    build(tmp_path)
    assert {talk_id.split("-")[0] for talk_id in read(index).points} == {"ships", "bees", "bridges"}


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
    found = read(tmp_path / "index")
    assert len(found.labels) == 1
    assert len({(point.x, point.y) for point in found.points.values()}) == 3


def test_talks_that_say_the_same_stand_in_one_place(tmp_path: Path) -> None:
    for number in range(20):
        write_talk(tmp_path / "talks", f"talk-{number}", [f"nothing that the model knows {number}"])
    assert {point[:3] for point in read(build(tmp_path)).points.values()} == {(0.5, 0.5, 0)}


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
    assert "clover nectar" in labels[1]


def labels_of(folder: Path, subjects: Sequence[str]) -> list[tuple[str, ...]]:
    """Index the talks below a folder; returns what each subject is called, with whose name those of its files begin."""
    with closing(catalog.open_catalog(build(folder))) as db:
        rows = db.execute("SELECT id, title FROM talks ORDER BY id").fetchall()
        found = [subjects.index(title.split("-")[0].casefold()) for _, title in rows]
        return list(topic_labels(db, [talk_id for talk_id, _ in rows], np.array(found), len(subjects)))


def write_ships(folder: Path) -> None:
    write_talk(folder / "talks", "ship", SUBJECTS["ship"], language="en")


def test_words_that_are_said_together_are_a_label_together(tmp_path: Path) -> None:
    write_talk(tmp_path / "talks", "bee", ["a nectar gland and one more nectar gland"] * 3, language="en")
    write_talk(tmp_path / "talks", "ship", ["a rudder, anchor and one more rudder, anchor."] * 3, language="en")
    assert labels_of(tmp_path, ["bee", "ship"]) == [("nectar gland",), ("rudder", "anchor")]


def test_one_word_of_a_stem_and_of_a_beginning_is_in_a_label(tmp_path: Path) -> None:
    lines = ["the hives, and a hive, and the hives", "the transcribers, transcribers, transcription", "transcription"]
    lines += ["transcription and hives", "hives"]
    write_talk(tmp_path / "talks", "bee", lines, language="en")
    write_ships(tmp_path)
    assert set(labels_of(tmp_path, ["bee", "ship"])[0]) == {"hives", "transcription"}


def test_names_of_speakers_are_in_no_label(tmp_path: Path) -> None:
    lines = ["<v Clover>thank you, Clover, for nectar", "<v Clover>Clover here, the nectar of Clover", "<v Bo>nectar"]
    write_talk(tmp_path / "talks", "bee", lines, language="en")
    write_ships(tmp_path)
    assert labels_of(tmp_path, ["bee", "ship"])[0] == ("nectar",)


def test_a_word_that_comes_anywhere_is_in_no_label(tmp_path: Path) -> None:
    """Nobody says "nectar", "clover" or "hive" as often as "cuz", which is once in every line."""
    filling = "and then we go on with what we said to you and what they said to us before that"
    spoken_of = {5: "nectar", 15: "clover", 25: "hive"}
    lines = [
        f"{filling} cuz {filling} {f'{spoken_of.get(at)} and ' * 8 if at in spoken_of else ''}" for at in range(30)
    ]
    write_talk(tmp_path / "talks", "bee", lines, language="en")
    write_ships(tmp_path)
    assert set(labels_of(tmp_path, ["bee", "ship"])[0]) == {"nectar", "clover", "hive"}
