"""How much a term tells, in archives of one language and of several."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer import build_index
from talksearch.search import Query, engine
from talksearch.search.ranking.layout import PassageLayout, make_layout
from talksearch.search.ranking.postings import idf
from talksearch.search.ranking.term_weight import LanguageGroups, read_groups, term_weight
from talksearch.search.reader import open_reader

NOWHERE = np.empty(0, np.int64)


def layout_of(*sizes: int) -> PassageLayout:
    talks = np.repeat(np.arange(len(sizes)), sizes)
    return make_layout(np.arange(len(talks)), talks, NOWHERE)


def at(*places: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(places, np.int64)


# Ten English talks of ten passages, and two German ones.
LAYOUT = layout_of(*[10] * 12)
GROUPS = LanguageGroups(np.array([0] * 10 + [1] * 2), ("en", "de"), ())


def test_in_one_language_a_term_tells_its_idf() -> None:
    told = term_weight(LAYOUT, None, at(3, 4, 25), NOWHERE)
    assert told == (idf(120, 3), idf(12, 2), math.log(121))


def test_a_function_word_of_a_rare_language_tells_as_little_as_one_of_the_commonest() -> None:
    german = term_weight(LAYOUT, GROUPS, np.arange(102, 120), NOWHERE)  # in 18 of 20
    english = term_weight(LAYOUT, GROUPS, np.arange(10, 100), NOWHERE)  # in 90 of 100
    assert german.passage == pytest.approx(english.passage, abs=0.05)
    assert german.talk < 0.3


def test_a_term_of_two_languages_tells_the_mean_over_where_it_is_said() -> None:
    told = term_weight(LAYOUT, GROUPS, at(0, 100, 101, 102), NOWHERE)
    assert told.passage == pytest.approx((idf(100, 1) + 3 * idf(20, 3)) / 4)


def test_a_term_that_nobody_says_tells_the_most() -> None:
    assert term_weight(LAYOUT, GROUPS, NOWHERE, NOWHERE).passage == idf(120, 0)


def test_what_only_tracks_say_is_held_against_talks_with_a_track_in_that_language() -> None:
    german, french = (np.isin(np.arange(12), talks) for talks in ([0, 1], [0, 2, 3, 4]))
    groups = LanguageGroups(np.zeros(12, np.int64), ("en",), (german, french))
    usual = np.arange(2, 20)  # in 18 of the 20 passages with a German track, 8 of which have a French one as well
    assert term_weight(LAYOUT, groups, usual, usual).passage == pytest.approx(idf(20, 18))
    own = term_weight(LAYOUT, groups, at(50), NOWHERE)  # what the talks say themselves tells what it always does
    assert own.passage == idf(120, 1)


def test_talks_of_an_unknown_language_are_taken_for_the_commonest() -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(
        "CREATE TABLE talks (number INTEGER, language TEXT); CREATE TABLE tracks (talk INTEGER, language TEXT);"
        "INSERT INTO talks VALUES (1, 'en-US'), (2, NULL), (3, 'en'), (4, 'de')"
    )
    groups = read_groups(db, at(1, 2, 3, 4))
    assert groups is not None
    assert groups.own.tolist() == [0, 0, 0, 1]
    assert groups.languages == ("en", "de")
    db.execute("DELETE FROM talks WHERE number = 4")
    assert read_groups(db, at(1, 2, 3)) is None


def test_function_words_do_not_lead_to_a_talk_because_it_is_in_the_askers_language(tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()

    def write(name: str, lines: list[str]) -> None:
        cues = "\n".join(f"00:{at:02}:00.000 --> 00:{at:02}:50.000\n{line}\n" for at, line in enumerate(lines))
        (folder / name).write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")

    for number in range(6):
        write(f"english {number}.en.vtt", [f"We talk about subject {number} and about the harbour today."] * 4)
    write("lighthouse.en.vtt", ["The lamp is called Fresnel and turns all night."] * 4)
    write(
        "bread.de.vtt", ["Die Kruste ist in der Wärme und die Hefe ist in dem Teig und die Luft ist in der Stube."] * 12
    )
    build_index(tmp_path / "index", [folder], encoder=CountingEncoder())
    with open_reader(tmp_path / "index", encoder=CountingEncoder()) as reader:
        hits = engine.search(reader, Query("die Fresnel in der Nacht", explain=True)).hits
    by_words = {hit.title: hit.explain["rank_by_words"] for hit in hits if hit.explain}
    assert by_words["lighthouse"] == 1
