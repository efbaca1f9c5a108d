"""What is written about a talk: which sentences of a description count, and where a note leads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder, term_lookup

from talksearch.indexer.passages.metadata_passages import notes, sentences
from talksearch.indexer.pipeline import run
from talksearch.indexer.records import Chapter, Cue, Talk
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.align_description import align_description

# What says something about a talk stays, word for word but for its marks.
KEPT = [
    (
        "Clocks on a fast ship run slow. Nobody on board can tell.",
        ["Clocks on a fast ship run slow.", "Nobody on board can tell."],
    ),
    (
        "1. **Die Brücke:** warum sie hält, obwohl keiner daran glaubt",
        ["Die Brücke: warum sie hält, obwohl keiner daran glaubt"],
    ),
    (
        "* “相对论速度”的比喻，时间尺度正在压缩。标准的采纳速度也加快。",
        ["“相对论速度”的比喻，时间尺度正在压缩。", "标准的采纳速度也加快。"],
    ),
    ("A talk by Dr. Ada Long about bees in winter.", ["A talk by Dr. Ada Long about bees in winter."]),
    ('She asked "Who owns the sea?" and left the room.', ['She asked "Who owns the sea?" and left the room.']),
    (
        "The slides that she shows are at https://example.org/slides and they explain the whole bridge.",
        ["The slides that she shows are at and they explain the whole bridge."],
    ),
]

# What says nothing about it goes.
DROPPED = [
    "Website: http://example.org/",
    "X (Twitter): https://x.com/example",
    "Slides: example.org/talks/2024",
    "#physics #relativity #clocks #ships",
    "👍 Enjoyed this session? Like, share your thoughts in the comments, and subscribe for more conversations.",
    "Follow us on all the usual channels to hear more",
    "0:00 Intro to the whole thing\n1:00 The first clock on board\n2:00 The second clock on board",
    "```\nlet clocks run slow in fast ships\n```",
    "<Mermaid_Diagram>\ngraph TD\nA[Clocks run slow] --> B[Ships come home]\n</Mermaid_Diagram>",
    "graph LR\n  one[the ship leaves] --> two[the ship returns]\n  two --> three[nobody knows them]",
    "┌──────────┐\n│ the ship │\n└──────────┘",
    "----------------------------------------",
    "Contact: someone@example.org",
    "",
]


@pytest.mark.parametrize(("description", "expected"), KEPT)
def test_sentences_stay(description: str, expected: list[str]) -> None:
    assert sentences(description) == expected


@pytest.mark.parametrize("description", DROPPED)
def test_links_diagrams_and_calls_go(description: str) -> None:
    assert sentences(description) == []


def test_prose_goes_on_behind_a_diagram() -> None:
    drawn = "Clocks on a ship run slow.\n\ngraph TD\nA --> B\n\nThe bridge is still standing today."
    assert sentences(drawn) == ["Clocks on a ship run slow.", "The bridge is still standing today."]


def test_a_sentence_longer_than_a_passage_is_cut_and_nothing_lost() -> None:
    long = " ".join(f"word{at}" for at in range(150))
    assert [len(part.split()) for part in sentences(long)] == [60, 60, 30]
    assert " ".join(sentences(long)) == long


def test_chapters_know_their_times_also_from_the_description() -> None:
    cues = (Cue(0, 200_000, "words"),)
    listed = Talk("a", "a.vtt", "Ships", cues, description="0:00 Intro\n1:00 The clock\n2:00 The ship")
    given = Talk("a", "a.vtt", "Ships", cues, chapters=(Chapter(5_000, "Harbour"),))
    places = [(note.field, note.text, note.start_ms, note.end_ms) for note in notes(listed)]
    assert places == [
        ("title", "Ships", 0, 0),
        ("chapter", "Intro", 0, 60_000),
        ("chapter", "The clock", 60_000, 120_000),
        ("chapter", "The ship", 120_000, 200_000),
    ]
    assert [(note.text, note.end_ms) for note in notes(given)] == [("Ships", 0), ("Harbour", 200_000)]


def test_ties_follow_the_order_of_the_talk() -> None:
    said = ["nothing in particular is said here"] * 60
    said[3], said[40] = "the bridge of Harrow stood", "the bridge of Harrow stood"
    said[30] = "varnish dries slowly on old violins"
    meaning, unlike = np.eye(60, 99, dtype=np.float32), np.eye(3, 99, k=70, dtype=np.float32)
    violins, harrow = "old violins and their slow varnish that dries", "the Harrow bridge stood"
    assert align_description([violins, harrow, "unheard of"], unlike, term_lookup(said), meaning, 0.4) == [30, 40, None]
    assert align_description([harrow, violins], unlike[:2], term_lookup(said), meaning, 0.4) == [3, 30]


def test_nothing_shared_and_nothing_near_is_not_tied() -> None:
    said = [f"passage {at} speaks of number {at}" for at in range(20)]
    noise = np.random.default_rng(1).normal(size=(24, 64)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    foreign = ["关于时间", "关于速度", "über Zeit", "о времени"]
    assert align_description(foreign, noise[:4], term_lookup(said), noise[4:], 0.4) == [None] * 4
    assert align_description([], noise[:0], term_lookup(said), noise[4:], 0.4) == []
    assert align_description(["alone"], noise[:1], term_lookup([]), noise[:0], 0.4) == [None]


def test_how_near_is_near_enough_is_not_the_same_for_every_model() -> None:
    said = [f"passage {at}" for at in range(40)]
    meaning = np.eye(40, 41, dtype=np.float32)
    # All cosines of this model lie high up, and one passage is a little nearer than the others.
    narrow = np.hstack([0.4 * meaning, np.full((40, 1), np.sqrt(0.84))]).astype(np.float32)
    asked = narrow[7:8]
    assert align_description(["anders gesagt"], asked, term_lookup(said), narrow, 0.9) == [7]
    assert align_description(["anders gesagt"], asked, term_lookup(said), narrow, 1.1) == [None]


@pytest.fixture
def index(tmp_path: Path) -> IndexReader:
    archive = tmp_path / "talks"
    archive.mkdir()
    words = [f"line{at} of the long talk that goes on about {'copper' if at == 40 else 'things'}" for at in range(60)]
    about = {
        "ships": {
            "title": "Ships and clocks",
            "description": "Warum der Kupferdraht im Hafen so teuer war.\nSubscribe to everything we do here",
            "chapters": [{"start_time": 0, "title": "Greetings"}, {"start_time": 200, "title": "Zanzibar"}],
        },
        "bees": {"title": "Bees", "description": "Every year this channel shows the newest lectures."},
        "rain": {"title": "Rain", "description": "Every year this channel shows the newest lectures."},
        "code": {"title": "Code", "description": "Every year this channel shows the newest lectures."},
    }
    for name, info in about.items():
        cues = "".join(
            f"00:{at // 6:02}:{at % 6 * 10:02}.000 --> 00:{at // 6:02}:{at % 6 * 10 + 9:02}.000\n{name} {line}\n\n"
            for at, line in enumerate(words)
        )
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        (archive / f"{name}.info.json").write_text(json.dumps(info), encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    return open_reader(tmp_path / "index", encoder=CountingEncoder())


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_a_chapter_opens_at_its_second(index: IndexReader, mode: str) -> None:
    hit = engine.search(index, Query("Zanzibar", mode=mode)).hits[0]  # type: ignore[arg-type]
    assert (hit.source, hit.jump_ms, hit.note) == ("ships.vtt", 200_000, ("chapter", "Zanzibar"))
    assert hit.start_ms <= 200_000 < hit.end_ms
    assert hit.to_dict()["note"] == {"field": "chapter", "text": "Zanzibar"}


def test_a_description_in_another_language_leads_to_its_talk(index: IndexReader) -> None:
    hit = engine.search(index, Query("Kupferdraht")).hits[0]
    assert hit.source == "ships.vtt"
    assert hit.note == ("description", "Warum der Kupferdraht im Hafen so teuer war.")
    assert (hit.start_ms, hit.jump_ms) == (0, 0)  # nothing says where


def test_the_text_of_a_hit_is_always_what_is_said(index: IndexReader) -> None:
    said = " ".join(row[0] for row in index.db.execute("SELECT text FROM cues ORDER BY talk, number"))
    for query in ("Zanzibar", "Kupferdraht", "Ships and clocks"):
        for hit in engine.search(index, Query(query)).hits:
            assert hit.text in said


def test_what_every_description_says_is_about_none(index: IndexReader) -> None:
    assert all(hit.note is None for hit in engine.search(index, Query("newest lectures channel year")).hits)


def test_a_note_that_is_left_out_finds_nothing(index: IndexReader) -> None:
    asked = Query("Zanzibar", mode="lexical", leave_out=("chapter",))
    assert engine.search(index, asked).hits == ()
    hidden = engine.search(index, Query("Zanzibar", leave_out=("chapter",))).hits
    assert all(hit.note is None and hit.source for hit in hidden if hit.score > 1)


def test_notes_are_not_counted_as_passages(index: IndexReader) -> None:
    from talksearch.indexer.stores import catalog, catalog_talks

    counts = catalog.counts(index.db)
    speech = index.db.execute("SELECT count(*) FROM passages WHERE field = 'speech'").fetchone()[0]
    assert counts.passages == counts.embedded == speech
    assert sum(size for size, _ in catalog_talks.talk_sizes(index.db).values()) == speech
