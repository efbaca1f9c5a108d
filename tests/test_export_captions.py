"""What is written as captions or data of other programs is read back by this project's own readers to the same cues."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from talksearch.cli.export.registry import FORMATS, export, format_named
from talksearch.cli.export.selection import Selection
from talksearch.indexer.readers import registry
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Chapter, Cue, Talk, Transcript, Word
from talksearch.indexer.restore.clean import clean
from talksearch.indexer.talks.chapter_files import read_chapters
from talksearch.indexer.talks.read import read_talk, talks_under

ROOT = Path(__file__).parents[1]
DATA, SHARED = ROOT / "data", ROOT / ".." / "shared"
ODD = (
    "-->", "->", "&", "&&", "<", ">", "a<b", "<i>x</i>", "<v Ann>", "&amp", "&lt", "{x}", "\\N", "\\n", "C:\\new",
    "\\h", "17", "3", "-", "--", "- Yes", "NOTE", "STYLE", "WEBVTT", "REGION", "00:00:01.000", "0:01", "…", "♪", "%",
    "#", "“q”", "Ann:", "Dr. Lee:", "漢字かな交じり文", "שלום", "مرحبا", "การ", "e\u0301", "👩\u200d🔬", "word",
    "two words", "x" * 300,
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12),
)
IS_TIME_LINE = re.compile(r"[-=–—][>»›].*\d:\d|\d:\d.*[-=–—][>»›]")
"""What is said by nobody and is taken for the time of a cue wherever it stands: captions cannot hold it."""
TEXTS = st.lists(WORDS, min_size=1, max_size=30).map(" ".join).filter(lambda text: not IS_TIME_LINE.search(text))
NAMES = st.sampled_from((None, "Ann Lee", "José", "R&D <team>", "A > B", "李雷", "Ann: Lee", "Dr. X, PhD"))
ALIKE = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])


SPEECH = (
    "Good evening, and thank you all for coming out in this weather.",
    "Tonight I want to talk about the bridge, and about what ropes have taught us.",
    "A bridge is a slow machine: it moves every day, and nobody sees it.",
    "We listened to the cables for twenty years before we understood them.",
    "And then one winter, after the storm, they sounded different.",
    "So we closed the road for a night and went to look.",
)
"""What anybody might say: a file of nothing but oddities is no transcript, and rightly refused."""


def talk_of(*cues: Cue, **facts: object) -> Talk:
    return replace(Talk("t", "t.vtt", "A talk", cues), **facts)  # type: ignore[arg-type]


def said(lines: list[tuple[str, str | None]]) -> tuple[Cue, ...]:
    """Cues one after the other, slow enough to be believed, the last ones among those of ordinary speech."""
    cues, at = [], 1_234
    for text, name in [*((text, None) for text in SPEECH), *lines]:
        length = 1_000 + 500 * len(text.split()) + 60 * len(text)
        cues.append(Cue(at, at + length, text, name))
        at += length + 250
    return tuple(cues)


def written(name: str, talk: Talk) -> str:
    known = format_named(name)
    assert known
    content = export(known, Selection("talk", (talk,))).content
    assert isinstance(content, str)
    return content


def read_back(content: str, name: str) -> tuple[Cue, ...]:
    """Read a text under the name of a file, and restore it as indexing does."""
    source = SourceText(content, name)
    return clean(registry.sniff(source).read(source))[0]


def parts(cues: tuple[Cue, ...]) -> list[tuple[int, int, str, str | None]]:
    return [(cue.start_ms, cue.end_ms, cue.text, cue.speaker) for cue in cues]


@ALIKE
@given(st.lists(st.tuples(TEXTS, NAMES), min_size=1, max_size=6))
def test_webvtt_gives_back_every_cue_that_restoring_leaves_alone(lines: list[tuple[str, str | None]]) -> None:
    cues = said(lines)
    escaped = tuple(replace(cue, text=html.escape(cue.text, quote=False)) for cue in cues)
    assume(parts(clean(Transcript("vtt", escaped))[0]) == parts(cues))
    content = written("vtt", talk_of(*cues))
    assert parts(read_back(content, "t.vtt")) == parts(cues)


@ALIKE
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_subrip_gives_back_every_text_that_restoring_leaves_alone(texts: list[str]) -> None:
    cues = said([(text, None) for text in texts])
    assume(parts(clean(Transcript("srt", cues))[0]) == parts(cues))
    assert parts(read_back(written("srt", talk_of(*cues)), "t.srt")) == parts(cues)


@ALIKE
@given(st.lists(st.tuples(TEXTS, NAMES), min_size=1, max_size=6), st.sampled_from(("json", "podcast")))
def test_json_gives_back_every_cue_that_restoring_leaves_alone(lines: list[tuple[str, str | None]], name: str) -> None:
    cues = said(lines)
    assume(parts(clean(Transcript("json", cues))[0]) == parts(cues))
    assume(not any("WEBVTT" in cue.text for cue in cues))  # JSON may hold a whole file of captions in a text
    assert parts(read_back(written(name, talk_of(*cues)), "t.json")) == parts(cues)


def every_talk() -> list[Talk]:
    return [talk for _, talk in talks_under(DATA) if isinstance(talk, Talk)]


@pytest.fixture(scope="module", name="talks")
def talks_fixture() -> list[Talk]:
    talks = every_talk()
    assert len(talks) >= 14
    return talks


@pytest.mark.parametrize("name", ["vtt", "srt", "json", "podcast"])
def test_every_talk_of_the_small_archive_comes_back(talks: list[Talk], name: str, tmp_path: Path) -> None:
    known = format_named(name)
    assert known
    for talk in talks:
        path = tmp_path / f"{talk.id.lstrip('-')}.{known.ending}"
        path.write_text(written(name, talk), encoding="utf-8")
        again = read_talk(path)
        assert parts(again.cues) == parts(talk.cues), talk.id
        if name == "vtt":
            assert [cue.words for cue in again.cues] == [cue.words for cue in talk.cues], talk.id
        if name in ("vtt", "json"):
            assert again.language == talk.language
        if name == "json":
            assert again.title == talk.title


def test_voices_turns_and_times_of_words_are_in_webvtt() -> None:
    words = (Word("So", 1_000), Word("R&D", 1_500))
    cues = (
        Cue(1_000, 3_000, "So R&D", None, False, words),
        Cue(4_000, 6_000, "Yes.", None, True),
        Cue(7_000, 9_000, "a < b --> c", "Ann <1>"),
    )
    content = written("vtt", talk_of(*cues, language="en", title="One --> two", chapters=(Chapter(4_000, "Part"),)))
    assert "\nSo <00:00:01.500>R&amp;D\n" in content
    assert "\n&gt;&gt; Yes.\n" in content
    assert "\n<v Ann &lt;1&gt;>a &lt; b --&gt; c\n" in content
    assert content.startswith("WEBVTT\nKind: captions\nLanguage: en\n\nNOTE\nOne → two\n0:04 Part\n\n")
    assert read_back(content, "t.vtt")[0] == cues[0]


def test_names_in_subrip_come_back_where_the_file_shows_that_they_are_names() -> None:
    lines: list[tuple[str, str | None]] = [
        ("Good evening to all of you.", "Ann Lee"),
        ("Thank you for coming.", "Bo"),
        ("And now the bridge.", "Ann Lee"),
        ("It stood for years.", "Bo"),
        ("Until it did not.", "Ann Lee"),
    ]
    cues = said(lines)
    content = written("srt", talk_of(*cues))
    assert "Ann Lee: Good evening" in content
    assert parts(read_back(content, "t.srt")) == parts(cues)


def test_backslashes_and_braces_are_not_taken_for_tags_of_substation() -> None:
    cues = said([("C:\\new\\N and {\\p1} in braces {x}", None)])
    assert "\nC:\\new\\N and {\\p1} in braces {x}\n" in written("srt", talk_of(*cues))


def test_chapters_are_read_as_chapters(tmp_path: Path) -> None:
    chapters = (Chapter(0, "A – one"), Chapter(61_500, '"Two" <&>'))
    path = tmp_path / "t.chapters.json"
    path.write_text(written("chapters", talk_of(*said([("x y", None)]), chapters=chapters)), encoding="utf-8")
    assert read_chapters(path) == chapters
    assert json.loads(path.read_text())["version"] == "1.2.0"


def test_a_title_cannot_begin_a_cue_in_a_comment() -> None:
    cues = said([("Hello there.", None)])
    content = written("vtt", talk_of(*cues, title="x\n\n00:00:01.000 --> 00:00:02.000\nInjected"))
    assert parts(read_back(content, "t.vtt")) == parts(cues)


def test_a_name_cannot_end_a_cue() -> None:
    content = written("vtt", talk_of(*said([("Hello there.", "Ann --")])))
    assert "-->" not in content.partition("Hello")[0].rpartition("<v")[2]
    assert parts(read_back(content, "t.vtt")) == parts(said([("Hello there.", "Ann --")]))


def test_podcast_transcripts_have_the_keys_of_the_namespace() -> None:
    cues = (Cue(1_500, 2_000, "Hi", "Ann"), Cue(2_000, 3_000, "Ho"))
    assert json.loads(written("podcast", talk_of(*cues))) == {
        "version": "1.0.0",
        "segments": [
            {"speaker": "Ann", "startTime": 1.5, "endTime": 2.0, "body": "Hi"},
            {"startTime": 2.0, "endTime": 3.0, "body": "Ho"},
        ],
    }


def test_formats_have_different_names_and_endings_without_a_dot() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)
    assert not any(known.ending.startswith(".") for known in FORMATS)


@pytest.mark.realdata
@pytest.mark.parametrize("folder", ["bitcoin", "nyu", "rolling", "zoom"])
def test_real_talks_come_back(folder: str, tmp_path: Path) -> None:
    """Of each kind of talk one in sixty. A cue that begins with a dash is left out: it may be taken for a new voice."""
    files = sorted((SHARED / "archive" / folder).rglob("*.vtt"))[::60]
    assert files
    path = tmp_path / "t.vtt"
    for file in files:
        talk = read_talk(file)
        talk = replace(talk, cues=tuple(cue for cue in talk.cues if not cue.text.startswith("-")))
        path.write_text(written("vtt", talk), encoding="utf-8")
        assert parts(read_talk(path).cues) == parts(talk.cues), file.name
