"""Raw cues to restored cues: two tables in cases/, properties of random rolling captions, and the real archive."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.readers import read
from talksearch.indexer.records import Cue, Transcript, Word
from talksearch.indexer.restore.clean import clean
from talksearch.indexer.restore.normalize import normalize_text
from talksearch.indexer.restore.sound_labels import is_sound

HERE = Path(__file__).parent
SHARED = HERE / ".." / ".." / "shared"
KEEP: list[dict[str, Any]] = json.loads((HERE / "cases" / "clean_keep.json").read_text(encoding="utf-8"))
CHANGE: list[dict[str, Any]] = json.loads((HERE / "cases" / "clean_change.json").read_text(encoding="utf-8"))


def transcript(rows: Sequence[Sequence[Any]], **about: Any) -> Transcript:
    return Transcript("vtt", tuple(Cue(start, end, text) for start, end, text in rows), **about)


@pytest.mark.parametrize("case", KEEP, ids=lambda case: case["label"])
def test_what_is_speech_stays(case: dict[str, Any]) -> None:
    cues, _ = clean(transcript(case["original"]))
    assert [[cue.start_ms, cue.end_ms, cue.text] for cue in cues] == case["expected"], case["comment"]
    assert not any(cue.speaker or cue.turn for cue in cues)


@pytest.mark.parametrize("case", CHANGE, ids=lambda case: case["label"])
def test_what_is_not_speech_goes(case: dict[str, Any]) -> None:
    cues, steps = clean(transcript(case["original"]))
    got = [[cue.start_ms, cue.end_ms, cue.text, cue.speaker, cue.turn] for cue in cues]
    assert got == case["expected"], case["comment"]
    assert steps, "whatever was done is told"


def test_words_keep_their_times() -> None:
    text = (
        " \nThis<00:00:00.600><c> pro</c><00:00:00.700><c>gram</c><00:00:01.400><c> [music]</c><00:00:02.000><c> is</c>"
    )
    cues, _ = clean(transcript([[100, 2990, text]]))
    assert cues[0].words == (Word("This", 100), Word("program", 600), Word("is", 2000))
    assert cues[0].text == "This program is"


def test_a_turn_inside_a_timed_line_begins_with_its_word() -> None:
    text = "&gt;&gt; Yes.<00:00:01.000><c> &gt;&gt;</c><00:00:01.500><c> No.</c>"
    cues, _ = clean(transcript([[0, 3000, text]]))
    assert [(cue.start_ms, cue.end_ms, cue.text, cue.turn) for cue in cues] == [
        (0, 1500, "Yes.", True),
        (1500, 3000, "No.", True),
    ]


def test_a_turn_mark_at_the_end_of_a_line_belongs_to_the_next() -> None:
    cues, _ = clean(transcript([[0, 1000, ">> One."], [1000, 2000, "two >>"], [2000, 3000, "Three."]]))
    assert [(cue.text, cue.turn) for cue in cues] == [("One.", True), ("two", False), ("Three.", True)]


def test_times_of_untimed_cues_are_left_alone() -> None:
    untimed = Transcript("record", (Cue(0, 1, "one"), Cue(0, 0, ">> two [Music]")), timed=False)
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in clean(untimed)[0]] == [(0, 1, "one"), (0, 0, "two")]


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("<i>Well</i> &gt;&gt; no &amp; yes", 1),
        (">> Well. >> No.", 2),
        ("- Well.\n- No.", 2),
        ("<v Ann>Well. <v Bob>No.", 2),
        ("Ann: Well.", 1),
        ("Well. [music]", 1),
        ("W\u00e9ll\u00a0\u00adthen", 1),
    ],
)
def test_the_pause_after_a_cue_is_known_after_its_last_words(text: str, cues: int) -> None:
    """Whatever is done to an untimed cue: cut where the voice changes, freed of labels and names, tidied."""
    before, after = Cue(0, 0, "Ann: Hello there."), Cue(0, 0, "Ann: Good bye, Bob.")
    cleaned, _ = clean(Transcript("text", (before, Cue(0, 0, text, pause_after=True), after, after), timed=False))
    assert [cue.pause_after for cue in cleaned] == [False] * cues + [True, False, False]
    assert not any(cue.start_ms or cue.end_ms for cue in cleaned)


def test_the_receipt_counts_how_often_lines_were_shown() -> None:
    case = next(case for case in CHANGE if case["label"] == "said again after a pause")
    _, steps = clean(transcript(case["original"]))
    detail = next(step for step in steps if step.name == "collapse-rolling").detail
    assert detail["lines_shown_times"] == {"1": 2, "3": 2}
    assert (detail["lines_before"], detail["lines_after"]) == (8, 4)
    assert (detail["words_before"], detail["words_after"]) == (12, 6)
    json.dumps(detail)


def test_suspect_characters_wait_for_the_repair() -> None:
    misread = transcript([[0, 1000, "cafÃ\xa9 â\x80\x99n"]])
    assert clean(misread, final=False)[0][0].text == "cafÃ\xa9 â\x80\x99n"
    assert clean(transcript([[0, 1000, "a\x92b\xadc\xa0d"]]))[0][0].text == "abc d"


@pytest.mark.parametrize(
    ("label", "sound"),
    [
        ("Music", True), ("MUSIC PLAYING", True), ("sighs and gasps", True), ("Gelächter", True), ("смех", True),
        ("vỗ tay", True), ("Laughter.", True), ("points to slide", False), (" __ ", False), ("inaudible", False),
        ("Ishan", False), ("x,y", False), ("the", False), ("Amiti's laughter", False), ("background", False),
    ],
)  # fmt: skip
def test_sound_labels(label: str, sound: bool) -> None:
    assert is_sound(label) is sound


def test_colours_of_a_terminal_are_no_words() -> None:
    assert normalize_text("\x1b[1;31mWelcome\x1b[0m home [31 of us]") == "Welcome home [31 of us]"


def test_tidy_text_is_done_once_and_for_all() -> None:
    text = "a\u200b b\xa0\x85c\u200dd"
    assert normalize_text(text) == normalize_text(normalize_text(text)) == "a b cd"


# --- properties -----------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["yes", "no", "very,", "the", "time", "is", "long", "I", "Yes.", "ok"])
LINES = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), st.booleans()), min_size=3, max_size=25
)


def roll(lines: Sequence[tuple[str, bool]], tags: bool) -> tuple[list[tuple[int, int, str]], list[tuple[int, str]]]:
    """Write lines down as YouTube does: (cues, lines with the time of the cue where each is first shown).

    A line with True is followed by a pause, after which the screen is empty.
    """
    cues = []
    said = []
    above = " "
    now = 0
    for line, pause in lines:
        shown = line
        if tags:
            words = line.split(" ")
            tail = "".join(
                f"<00:{now // 60000:02d}:{now // 1000 % 60:02d}.{now % 1000:03d}><c> {w}</c>" for w in words[1:]
            )
            shown = words[0] + tail
        cues.append((now, now + 1990, f"{above}\n{shown}"))
        said.append((now, line))
        held = " \n " if pause else f"{line}\n "
        cues.append((now + 1990, now + 2000, held))
        above = " " if pause else line
        now += 2000
    return cues, said


@given(LINES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_random_rolling_captions_come_back_as_the_lines_that_were_said(
    lines: list[tuple[str, bool]], tags: bool
) -> None:
    """Genuine repetition, inside a line, as two lines and after a pause, survives; each line has its first time."""
    cues, said = roll(lines, tags)
    if not any(text.strip() for _, _, text in cues[1:]):
        return
    restored, _ = clean(transcript(cues))
    assert [(cue.start_ms, cue.text) for cue in restored] == said
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(restored))


TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=8).map(" ".join), min_size=1, max_size=12)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_one_row_captions_never_lose_a_word(texts: list[str]) -> None:
    """Captions that do not roll come back as they are, whatever their words; starts never decrease."""
    rows = [[i * 3000, i * 3000 + 2500, f"{text} n{i}"] for i, text in enumerate(texts)]
    restored, steps = clean(transcript(rows))
    assert [[cue.start_ms, cue.end_ms, cue.text] for cue in restored] == rows
    assert not steps


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.text(max_size=40)), max_size=12))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_in_what_goes_out_is_sound(rows: list[tuple[int, int, str]]) -> None:
    """Times never run backwards, no cue is empty, words joined by spaces are the text, nothing invisible is left."""
    cues, steps = clean(transcript(sorted(rows)))
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(cues))
    for cue in cues:
        assert cue.start_ms <= cue.end_ms
        assert cue.text
        assert cue.text == " ".join(cue.text.split())
        assert not re.search("[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", cue.text)
        assert not cue.words or " ".join(word.text for word in cue.words) == cue.text
    json.dumps([step.detail for step in steps])


# --- the real archive -----------------------------------------------------------------------------------------------

LABEL = re.compile(r"\[(?:music|laughter|applause|snorts|gasps|clears throat|sighs and gasps)\]", re.IGNORECASE)
CUE = re.compile(r"(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})[^\n]*\n((?:[^\n]+\n?)*)")


def milliseconds(clock: str) -> int:
    return ((int(clock[:2]) * 60 + int(clock[3:5])) * 60 + int(clock[6:8])) * 1000 + int(clock[9:])


def reference(text: str) -> tuple[list[str], int]:
    """What was said, by other means than the product's: rows with word tags, and lower rows of cues that last."""
    words: list[str] = []
    first = -1
    for start, end, body in CUE.findall(text):
        rows = body.rstrip("\n").split("\n")
        if milliseconds(end) - milliseconds(start) <= 10:
            continue
        new = [row for row in rows if "<c>" in row] or [row for row in rows[1:] if row.strip()]
        for row in new:
            line = LABEL.sub(" ", html.unescape(re.sub(r"<[^>]*>", "", row)).replace("\u200b", ""))
            words += line.replace(">>", " ").split()
            if first < 0 and words:
                first = milliseconds(start)
    return words, first


def as_subrip(text: str) -> str:
    """Write WebVTT as ffmpeg writes SubRip: tags gone, rows kept, the padding gone."""
    out = []
    for n, (start, end, body) in enumerate(CUE.findall(text), 1):
        rows = [re.sub(r"<[^>]*>", "", row).strip() for row in body.rstrip("\n").split("\n")]
        out.append("\n".join([str(n), f"{start.replace('.', ',')} --> {end.replace('.', ',')}", *rows, "", ""]))
    return "".join(out)


def joined(found: Transcript) -> Transcript:
    """Put spaces for line breaks and drop tags and empty cues, as simple converters do."""
    texts = [" ".join(re.sub(r"<[^>]*>", "", cue.text).split("\n")).strip() for cue in found.cues]
    cues = [replace(cue, text=text) for cue, text in zip(found.cues, texts, strict=True) if text]
    return replace(found, cues=tuple(cues))


def without_held(found: Transcript) -> Transcript:
    return replace(found, cues=tuple(cue for cue in found.cues if cue.end_ms - cue.start_ms > 10))


@pytest.mark.realdata
def test_no_word_of_real_rolling_captions_is_lost_or_doubled() -> None:
    files = sorted((SHARED / "archive" / "rolling").glob("*.vtt"))
    if not files:
        pytest.skip("the archive of real talks is not here")
    for path in files[::9]:
        text = path.read_text(encoding="utf-8")
        words, first = reference(text)
        found = read(text, path.name)
        subrip = read(as_subrip(text), "talk.srt")
        for shape in (found, subrip, without_held(subrip), joined(found)):
            cues, _ = clean(shape)
            assert " ".join(cue.text for cue in cues).split() == words, path.name
            assert cues[0].start_ms == first
