"""The list that people see: what is said again is one hit, grades never rise on the way down, marks and names fit."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import WORDS, CountingEncoder
from hypothesis import given
from hypothesis import strategies as st

from talksearch.cli.main import cli
from talksearch.cli.render.hits import hits_csv, hits_jsonl, hits_markdown, hits_text
from talksearch.cli.terminal import Style, wrap
from talksearch.indexer.arrays import Floats
from talksearch.indexer.pipeline.run import build_index
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.hit import HIT_KEYS, pieces
from talksearch.search.query import Query
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.grade import Grade, grades
from talksearch.search.results.metadata_hits import Target
from talksearch.search.results.order import in_order
from talksearch.search.results.passage_view import merged
from talksearch.search.results.repeats import common_words

FILLER = "nothing much happened here all afternoon while somebody looked everywhere in search of another left shoe"
PLAIN, RICH = Style(color=False, links=False, width=100), Style(color=True, links=False, width=100)


class BagEncoder(CountingEncoder):
    """A vector is the sum of one drawn by lot for each word: texts are alike as far as they share words."""

    def encode_query(self, text: str) -> Floats:
        words = [word.strip(".,!?").lower() for word in text.split()] or [""]
        rows = [np.random.default_rng(crc32(word.encode())).normal(size=len(WORDS)) for word in words]
        total = np.sum(rows, axis=0) + 1e-6
        vector: Floats = (total / np.linalg.norm(total)).astype(np.float32)
        return vector


def write(folder: Path, name: str, lines: list[str], seconds: int = 5) -> None:
    folder.mkdir(exist_ok=True)

    def clock(second: int) -> str:
        return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000"

    cues = "".join(
        f"{clock(at * seconds)} --> {clock((at + 1) * seconds)}\n{line}\n\n" for at, line in enumerate(lines)
    )
    (folder / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    about = {"title": name.title(), "webpage_url": f"https://example.org/{name}.mp4"}
    (folder / f"{name}.info.json").write_text(json.dumps(about), encoding="utf-8")


def index_of(folder: Path, encoder: CountingEncoder | None = None) -> IndexReader:
    encoder = encoder or CountingEncoder()
    build_index(folder / "index", [folder / "talks"], encoder=encoder)
    return open_reader(folder / "index", encoder=encoder)


def ask(index: IndexReader, text: str, **options: Any) -> Answer:
    return engine.search(index, Query(text, **options))


def around(said: list[str]) -> list[str]:
    """What is said, between ten sentences of something else on both sides."""
    return [f"{word} {at} {FILLER}." for at, word in enumerate("abcdefghij")] + said + [
        f"{word} {at} {FILLER}." for at, word in enumerate("klmnopqrst")
    ]  # fmt: skip


LOOPS = {
    "a sentence": ["See you by the bridge."] * 90,
    "without punctuation": ["see you by the bridge"] * 90,
    "two sentences in turn": ["See you by the bridge.", "Good song, everybody."] * 50,
    "in long cues": ["See you by the bridge. " * 12] * 8,
    "in another case": ["See you by the bridge.", "SEE YOU BY THE BRIDGE!"] * 45,
    "in Chinese": ["謝謝觀看這座橋。"] * 120,
    "in Chinese without punctuation": ["謝謝觀看這座橋"] * 120,
}


OTHERS = {
    "first": ["Engineers opened a bridge made of copper wire last week, 這座橋 is what people call it."],
    "second": ["My grandmother crossed the bridge with two goats and a clock. 這座橋很老。"],
    "third": ["Nobody paints an iron bridge in winter, said the mayor, and sat down. 這座橋很長。"],
}


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
@pytest.mark.parametrize("kind", LOOPS)
def test_a_loop_is_one_hit_that_counts_its_places(tmp_path: Path, kind: str, mode: str) -> None:
    write(tmp_path / "talks", "loop", around(LOOPS[kind]))
    for name in ("first", "second", "third"):
        write(tmp_path / "talks", name, OTHERS[name])
    text = "這座橋" if "Chinese" in kind else "by the bridge"
    hits = ask(index_of(tmp_path), text, mode=mode, k=10).hits
    loops = [hit for hit in hits if hit.title == "Loop" and ("ridge" in hit.text.lower() or "橋" in hit.text)]
    assert len(loops) == 1 or mode == "semantic"  # by meaning alone, the edges of the loop say something else
    best = max(loops, key=lambda hit: len(hit.also_at))
    assert len(best.also_at) >= 4
    assert list(best.also_at) == sorted(set(best.also_at))
    assert best.jump_ms not in [place.jump_ms for place in best.also_at]
    assert {hit.title for hit in hits} >= {"First", "Second", "Third"}
    row = best.to_dict()
    assert row["more_places"] == len(row["also_at"]) == len(best.also_at)
    assert row["also_at"][0]["url"] == f"https://example.org/loop.mp4#t={int(row['also_at'][0]['jump_s'])}"


def test_a_loop_is_one_hit_where_a_little_word_stands_beside_it(tmp_path: Path) -> None:
    lines = [f"line {at} {FILLER}." for at in "abcdef"]
    lines[4] = "My aunt kept the ferry for eleven winters."
    write(tmp_path / "talks", "loop", lines + ["Thanks for watching!"] * 60 + lines[:4])
    for name in OTHERS:
        write(tmp_path / "talks", name, [f"{name} {FILLER} for ever."])
    hits = ask(index_of(tmp_path), "thanks for watching", mode="lexical", k=10).hits
    assert sum("Thanks" in hit.text for hit in hits) == 1
    (quoted,) = ask(index_of(tmp_path), '"thanks for watching"').hits
    assert len(quoted.also_at) == 59


def test_a_refrain_is_one_hit_and_other_words_about_the_same_are_not(tmp_path: Path) -> None:
    verses = [[f"verse {at} {FILLER}."] * 8 for at in range(4)]
    lines = [line for verse in verses for line in [*verse, "And the rain came down on the harbour wall."]]
    lines += [f"tail {FILLER}."] * 8 + ["The rain is why we built the wall higher that year."] + [f"end {FILLER}."] * 8
    write(tmp_path / "talks", "song", lines)
    hits = ask(index_of(tmp_path), "rain wall", mode="lexical", k=10).hits
    assert sorted(len(hit.also_at) for hit in hits) == [0, 3]


def test_the_count_does_not_depend_on_how_many_hits_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "talks", "loop", around(["See you by the bridge."] * 200))
    index = index_of(tmp_path)
    counts = {k: len(ask(index, "by the bridge", k=k).hits[0].also_at) for k in (1, 2, 5)}
    assert min(counts.values()) >= 10
    assert max(counts.values()) - min(counts.values()) <= 2  # the edges are seen only when they come to be looked at
    assert [len(ask(index, "by the bridge", k=3, per_talk=1).hits[0].also_at) >= 10] == [True]


def test_copies_in_another_talk_that_loops_too_are_one_copy(tmp_path: Path) -> None:
    for name in ("one", "two"):
        lines = around(["See you by the bridge, and bring the ship."] * 60)
        write(tmp_path / "talks", name, [f"{name} {line}" if FILLER in line else line for line in lines])
    hits = [hit for hit in ask(index_of(tmp_path), "bring the ship bridge", k=10).hits if "ridge" in hit.text]
    assert len(hits) == 1
    (copy,) = hits[0].copies
    assert copy.more_places >= 3
    assert hits[0].to_dict()["copies"][0]["more_places"] == copy.more_places


def test_a_quote_that_a_talk_says_over_and_over_leaves_room_for_others(tmp_path: Path) -> None:
    write(tmp_path / "talks", "loop", around(["Thank you."] * 200))
    write(tmp_path / "talks", "polite", around(["I wanted to thank you for the bread."]))
    index = index_of(tmp_path)
    for k in (2, 10):
        hits = ask(index, '"thank you"', k=k).hits
        assert sorted(hit.title for hit in hits) == ["Loop", "Polite"]
        assert max(len(hit.also_at) for hit in hits) == 199
    assert len(ask(index, '"thank you"', k=1).hits) == 1


def test_the_same_quote_in_other_sentences_stays_apart(tmp_path: Path) -> None:
    lines = around(["We shall row to the bridge."]) + around(["And then we shall row home for the bread."])
    write(tmp_path / "talks", "rowing", lines)
    assert [len(hit.also_at) for hit in ask(index_of(tmp_path), '"we shall row"').hits] == [0, 0]


# ------------------------------------------------------------------------------------------------------------ order


class _Resolver:
    """Every candidate leads to itself."""

    def are_known(self, candidates: list[Candidate]) -> list[bool]:
        return [candidate.number >= 0 for candidate in candidates]

    def resolve(self, candidate: Candidate) -> Target | None:
        return Target(candidate.number) if candidate.number >= 0 else None


@given(st.lists(st.floats(-12, 12), max_size=30))
def test_a_better_grade_goes_first_and_scores_decide_within_one(log_odds: list[float]) -> None:
    candidates = [Candidate(number, 30.0 - number) for number in range(len(log_odds))]

    def grader(given: list[Candidate], numbers: list[int]) -> list[Grade]:
        assert [candidate.number for candidate in given] == numbers
        return grades(np.array(log_odds))

    leads = list(in_order(candidates, _Resolver(), grader))  # type: ignore[arg-type]
    ranks = [("strong", "fair", "weak").index(lead.grade.word) for lead in leads if lead.grade]
    assert ranks == sorted(ranks)
    assert sorted(lead.candidate.number for lead in leads) == list(range(len(log_odds)))
    for word in ("strong", "fair", "weak"):
        same = [lead.candidate.number for lead in leads if lead.grade and lead.grade.word == word]
        assert same == sorted(same)
    assert [lead.candidate for lead in in_order(candidates, _Resolver(), None)] == candidates  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    """Ninety passages and more, so that hits have grades."""
    folder = tmp_path_factory.mktemp("graded")
    for at, word in enumerate(WORDS):
        other = WORDS[(at + 3) % len(WORDS)]
        lines = around([f"The {word} of the {other}, {word} {line} {FILLER}." for line in range(9)])
        write(folder / "talks", f"talk-{word}", lines)
    return index_of(folder, BagEncoder())


QUERIES = ("time ship", "bee", "bridge of bread", "rain code song", "another shoe", "harbour", "song song bee")


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
@pytest.mark.parametrize("options", [{}, {"per_talk": 1}, {"k": 40}, {"avoid": "bread"}])
def test_no_hit_is_better_than_one_above_it(graded: IndexReader, mode: str, options: dict[str, Any]) -> None:
    seen = set()
    for text in QUERIES:
        words = [hit.grade for hit in ask(graded, text, mode=mode, **options).hits]
        seen |= set(words)
        ranks = [("strong", "fair", "weak").index(word) for word in words if word]
        assert len(ranks) == len(words)
        assert ranks == sorted(ranks), text
    assert len(seen) > 1 or mode == "semantic"


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_the_first_ten_are_the_same_however_many_are_asked_for(graded: IndexReader, mode: str) -> None:
    for text in QUERIES:
        lists = [[hit.passage_id for hit in ask(graded, text, mode=mode, k=k).hits] for k in (3, 10, 50)]
        assert lists[0] == lists[1][:3]
        assert lists[1] == lists[2][:10]


# ------------------------------------------------------------------------------------------------------------ marks


@given(st.text("ab 為什麼，", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_marks_never_overlap_and_the_text_stays(text: str, marks: list[tuple[int, int]]) -> None:
    marks = [(start, min(end, len(text))) for start, end in marks if start < min(end, len(text))]
    spans = merged(marks)
    assert all(end < start for (_, end), (start, _) in pairwise(spans))
    covered = {at for start, end in marks for at in range(start, end)}
    assert {at for start, end in spans for at in range(start, end)} == covered
    parts = list(pieces(text, spans))
    assert "".join(part for part, _ in parts) == text
    assert all(part for part, _ in parts)
    for kind in ("said", "near"):
        shown = wrap(text, spans, PLAIN, "", kind)  # type: ignore[arg-type]
        assert shown.replace("«", "").replace("»", "").split() == text.split()
        assert (shown.count("«") > 0) == bool(spans and kind == "said" and any(text[a:b].strip() for a, b in spans))


def test_characters_of_chinese_are_marked_once(tmp_path: Path) -> None:
    write(tmp_path / "talks", "creek", ["大家問我，為什麼要回來？ " + "那條溪" * 3] * 2)
    hit = ask(index_of(tmp_path), "為什麼", mode="lexical").hits[0]
    assert [hit.text[start:end] for start, end in hit.matches] == ["為什麼", "為什麼"]
    assert hit.to_dict()["marks"][0] == {"start": 5, "end": 8, "kind": "said"}
    assert "«為什麼»" in hits_text([hit], PLAIN)
    assert "".join(part for part, _ in pieces(hit.text, hit.matches)) == hit.text


def test_what_is_said_and_what_is_near_look_different() -> None:
    text, spans = "the rain came back", [(4, 8), (9, 13)]
    assert wrap(text, spans, PLAIN, "") == "the «rain came» back"
    assert wrap(text, spans, PLAIN, "", "near") == text
    said, near = wrap(text, spans, RICH, ""), wrap(text, spans, RICH, "", "near")
    assert "\x1b[" in said
    assert "\x1b[" in near
    assert said != near


def test_an_answer_that_found_nothing_marks_nothing(graded: IndexReader) -> None:
    answer = ask(graded, "zzyzx quux shoe")
    assert answer.note.startswith("Nothing in the archive answers this well")
    assert answer.hits
    assert all(hit.matches == () and hit.to_dict()["marks"] == [] for hit in answer.hits)


# ---------------------------------------------------------------------------------------------------------- speakers


@pytest.fixture
def meeting(tmp_path: Path) -> IndexReader:
    lines = [
        "<v Ana Ruiz>The river is up again and the ship cannot leave.",
        "<v Ben Okafor>Then we take the bridge, if the song holds.",
        "<v Ana Ruiz>The bridge is closed until the rain stops.",
        "<v Ben Okafor>Who wrote the code for the gate?",
    ]
    write(tmp_path / "talks", "meeting", lines, seconds=8)
    return index_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "who", "second"),
    [("ship leave", "Ana Ruiz", 0), ("song holds", "Ben Okafor", 8), ("code gate", "Ben Okafor", 24)],
)
def test_a_hit_says_who_speaks_where_it_opens(meeting: IndexReader, text: str, who: str, second: int) -> None:
    hit = ask(meeting, text, mode="lexical").hits[0]
    assert (hit.said_by, hit.jump_ms // 1000) == (who, second)
    assert hit.speaker == "Ana Ruiz, Ben Okafor"
    assert hit.to_dict()["said_by"] == who
    for shown in (hits_text([hit], PLAIN), hits_markdown([hit])):
        assert f"— {who}\n" in shown


def test_a_quotation_names_its_speaker(meeting: IndexReader) -> None:
    hit = ask(meeting, '"we take the bridge"').hits[0]
    assert hit.quote is not None
    assert hit.quote.speaker == hit.said_by == "Ben Okafor"
    assert hit.to_dict()["quote"]["speaker"] == "Ben Okafor"
    both = ask(meeting, "the song holds the bridge is closed", mode="quote").hits[0]
    assert both.quote is not None
    assert both.quote.speaker == "Ben Okafor, Ana Ruiz"


def test_nobody_is_named_twice_and_nobody_is_made_up(tmp_path: Path) -> None:
    write(tmp_path / "talks", "alone", ["<v Ana Ruiz>The ship is late.", "<v Ana Ruiz>And so is the bread."])
    write(tmp_path / "talks", "unnamed", ["A song about a bee.", "And a bridge of code."])
    index = index_of(tmp_path)
    (alone,) = ask(index, "ship", mode="lexical").hits
    assert alone.said_by == alone.speaker == "Ana Ruiz"
    assert "— Ana" not in hits_text([alone], PLAIN)
    assert ask(index, "bee", mode="lexical").hits[0].said_by is None


# ---------------------------------------------------------------------------------------------------------- formats


def test_every_format_tells_of_the_other_places(tmp_path: Path) -> None:
    write(tmp_path / "talks", "loop", around(["See you by the bridge."] * 200))
    hit = ask(index_of(tmp_path), "by the bridge", k=1).hits[0]
    count = len(hit.also_at)
    assert f"and {count} more places: " in hits_text([hit], PLAIN)
    assert hits_text([hit], PLAIN).rstrip().endswith("…")
    assert f"and {count} more places: [" in hits_markdown([hit])
    assert json.loads(hits_jsonl([hit]))["more_places"] == count
    header, row = hits_csv([hit]).splitlines()
    assert header.endswith("said_by,more_places,also_at,beside")
    assert f',{count},"[{{' in row
    assert tuple(hit.to_dict()) == HIT_KEYS
    assert f"and {count} more places" in hit._repr_html_()


@pytest.mark.parametrize("start", ["=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_table_is_a_formula(tmp_path: Path, start: str) -> None:
    write(tmp_path / "talks", "loop", around(["See you by the bridge."]))
    hit = replace(ask(index_of(tmp_path), "by the bridge", k=1).hits[0], title=start)
    (row,) = csv.DictReader(io.StringIO(hits_csv([hit]), newline=""))
    assert row["title"] == f"'{start}".replace("\r", "\n")
    assert float(row["start_s"]) == hit.start_ms / 1000


def test_common_words_count_each_word_once() -> None:
    assert common_words("Thank you. " * 9, "thank you") == 1
    assert common_words("", "") == 0


@pytest.mark.parametrize("text", ["-foo", "-known", "--foo bar", "-5 degrees", "-k", "-x y"])
def test_a_query_that_begins_with_a_dash_is_told_how(text: str) -> None:
    result = CliRunner().invoke(cli, [text])
    assert result.exit_code == 2
    assert ("talksearch -- " in result.output) == (text != "-k")


@pytest.mark.parametrize(
    "words", [["show", "us"], ["similar"], ["stats", "of", "the", "game"], ["similar", "triangles"], ["remove", "all"]]
)
def test_a_query_that_is_a_commands_word_is_told_how(meeting: IndexReader, tmp_path: Path, words: list[str]) -> None:
    result = CliRunner().invoke(cli, words, env={"TALKSEARCH_INDEX": str(tmp_path / "index")})
    assert result.exit_code in (1, 2)
    assert f"To search for these words: talksearch search {' '.join(words)}" in result.output


@pytest.mark.parametrize(
    "words", [["bread", "-k", "zero"], ["show", "--raw", "nothing"], ["show", "https://example.org/a"]]
)
def test_other_mistakes_get_no_such_hint(meeting: IndexReader, tmp_path: Path, words: list[str]) -> None:
    result = CliRunner().invoke(cli, words, env={"TALKSEARCH_INDEX": str(tmp_path / "index")})
    assert result.exit_code != 0
    assert "talksearch -- " not in result.output
    assert "To search for these words" not in result.output
