"""The scraped record: headers in every variant, contents in every variant, and the real ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import plain_text
from talksearch.indexer.readers.durations import parse_duration
from talksearch.indexer.readers.scraped_record import matches, read, read_content, read_header
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Word

SHARED = Path(__file__).parents[1] / ".." / "shared" / "archive"
LINES = [
    "So to close out the show, I'd like to",
    "dive a little bit deeper into time, a",
    "very, very long and and winding subject",
    "that all of us I I think know from our",
    "own lives.",
]
FLAT = " ".join(f"{line} {line} {line}" for line in LINES[:-1]) + " " + LINES[-1]
HEAD = "Timestamp: 2025-05-24T12:03:27\nTitle: On time\nURL: https://youtu.be/x\nStatus: success\nDuration: 20:54\n"


def record(content: str, description: str = "About it.") -> str:
    return f"{HEAD}\nDescription:\n{description}\n\nContent:\n{content}"


RECORDS = [
    record(FLAT),
    record(FLAT).replace("\n", "\r\n"),
    "\ufeff\n" + record(FLAT),
    record(FLAT).replace("Content:\n", "Content: "),
    record(FLAT).replace("Content:", "Transcript:"),
    record(FLAT).replace("Title: ", "Title:\n\n  ").replace("Duration: ", "Duration:\n"),
    record(FLAT).replace("Timestamp:", "timestamp:").replace("Title:", "TITLE :"),
    record("WEBVTT Kind: captions Language: en " + FLAT),
]


@pytest.mark.parametrize("text", RECORDS)
def test_header_variants(text: str) -> None:
    assert matches(SourceText(text))
    found = read(SourceText(text))
    assert (found.format, found.timed, found.origin) == ("record", False, "automatic")
    assert (found.title, found.url, found.duration_ms) == ("On time", "https://youtu.be/x", 1_254_000)
    assert found.description == "About it."
    assert found.date is None
    assert [cue.text for cue in found.cues] == LINES


NOT_RECORDS = [
    "",
    "WEBVTT\n\n00:00.000 --> 00:01.000\nTitle: x\nURL: y\nContent: z",
    "---\ntitle: A talk\ndate: 2020-01-01\n---\nText",
    "Title: a word before a colon\n\nAnd prose that mentions URL: and Content: somewhere.",
    "Speaker: so\nTitle: x\nContent: y",
    "Anna: Hello\nBob: URL: x",
]


@pytest.mark.parametrize("text", NOT_RECORDS)
def test_what_is_no_record(text: str) -> None:
    assert not matches(SourceText(text))


def test_a_description_may_look_like_anything() -> None:
    description = (
        "Title: not the title\nURL: https://sponsor.example\nContent: what it holds\nContent:\n0:00 Intro\n"
        "1:00 More\n\nStatus: great\nDuration: 3 days"
    )
    found = read(SourceText(record(FLAT, description)))
    assert found.title == "On time"
    assert found.url == "https://youtu.be/x"
    assert found.duration_ms == 1_254_000
    assert found.description == description
    assert [cue.text for cue in found.cues] == LINES


def test_missing_and_late_keys() -> None:
    found = read(
        SourceText(
            f"Title: On time\nDescription: About it.\nMore.\nURL: https://youtu.be/x\nStatus: success\nContent:\n{FLAT}"
        )
    )
    assert found.url == "https://youtu.be/x"
    assert found.description == "About it.\nMore."
    assert found.duration_ms is None


def test_broken_encodings_are_handed_over_as_they_are() -> None:
    title = "ä½ å\xa0å\x85ƒ Ã\xa0 la\x85"
    found = read(
        SourceText(f"Title: {title}\nURL: x\nStatus: success\nDescription: {title}\n\nContent:\n{FLAT} Ã\xa0 la")
    )
    assert found.title == title
    assert found.description == title
    assert found.cues[-1].text == "own lives. Ã\xa0 la"


@pytest.mark.parametrize("status", ["error: video unavailable", "failed"])
@pytest.mark.parametrize("content", ["", "\n \n", "No transcript available", "WEBVTT Kind: captions Language: en"])
def test_a_record_without_a_transcript_says_why(status: str, content: str) -> None:
    text = record(content).replace("success", status)
    assert matches(SourceText(text))
    with pytest.raises(UnreadableError, match=status):
        read(SourceText(text))


@pytest.mark.parametrize("content", [FLAT, "WEBVTT Kind: captions Language: en " + FLAT, "Hello there. " * 9])
def test_the_header_alone_says_what_the_whole_record_says(content: str) -> None:
    alone, whole = read_header(SourceText(record(content))), read(SourceText(record(content)))
    assert alone.cues == ()
    for name in ("title", "url", "language", "duration_ms", "description"):
        assert getattr(alone, name) == getattr(whole, name)


def test_no_content_key_at_all() -> None:
    with pytest.raises(UnreadableError):
        read(SourceText(HEAD))


def test_another_status_with_a_transcript_is_read_and_noted() -> None:
    found = read(SourceText(record(" ".join([FLAT] * 3)).replace("success", "partial")))
    assert found.cues
    assert "partial" in found.uncertain[0]


def test_pauses_and_music_go_with_the_cues() -> None:
    other = [line.upper() for line in LINES]
    second = " ".join(f"{line} {line} {line}" for line in other[:-1]) + " " + other[-1]
    found = read(SourceText(record(f"[music] {FLAT} {second}")))
    assert [cue.text for cue in found.cues] == ["[music]", *LINES, *other]
    assert [position for position, cue in enumerate(found.cues) if cue.pause_after] == [0, 5]
    assert found.starts_with_sound
    assert not any(cue.start_ms or cue.end_ms for cue in found.cues), "an untimed cue has no times"
    assert found.steps[0].name == "unfold-rolling"
    assert found.steps[0].detail["copies"] == 3


ROLLING = (
    "WEBVTT Kind: captions Language: de "
    "00:00:01.000 --> 00:00:03.000 align:start position:0% So<00:00:01.500><c> to</c><00:00:02.000><c> close</c> "
    "00:00:03.000 --> 00:00:03.010 align:start position:0% So to close "
    "00:00:03.010 --> 00:00:05.000 align:start position:0% So to close it<00:00:03.500><c> all</c> "
    "00:00:05.000 --> 00:00:05.010 align:start position:0% it all "
    "00:00:05.010 --> 00:00:07.000 align:start position:0% it all it<00:00:05.500><c> all</c> "
    "00:00:07.000 --> 00:00:07.010 align:start position:0% it all "
    "00:00:07.010 --> 00:00:09.000 align:start position:0% it all ends. "
    "00:00:09.000 --> 00:00:09.010 align:start position:0% "
    "00:00:09.010 --> 00:00:12.000 align:start position:0% Again<00:00:10.000><c> we</c><00:00:11.000><c> go.</c>"
)


def test_times_and_tags_left_in() -> None:
    found = read(SourceText(record(ROLLING)))
    assert found.timed
    assert found.language == "de"
    assert [(cue.start_ms, cue.text) for cue in found.cues] == [
        (1000, "So to close"),
        (3010, "it all"),
        (5010, "it all"),
        (7010, "ends."),
        (9010, "Again we go."),
    ]
    assert found.cues[0].words == (Word("So", 1000), Word("to", 1500), Word("close", 2000))
    assert found.steps[0].name == "collapse-rolling"


def test_an_ordinary_caption_file_in_a_record() -> None:
    srt = "1\n00:00:01,000 --> 00:00:02,000\nYes.\n\n2\n00:00:02,000 --> 00:00:04,000\nYes. Two lines\nof it, 3\n\n"
    found = read(SourceText(record(srt + "3\n00:00:05,000 --> 00:00:06,000\nYes.\n")))
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in found.cues] == [
        (1000, 2000, "Yes."),
        (2000, 4000, "Yes. Two lines of it, 3"),
        (5000, 6000, "Yes."),
    ]
    vtt = "WEBVTT\n\nNOTE by hand\n\n00:01.000 --> 00:02.000\nOne.\n\nNOTE\nno speech\n\n00:02.000 --> 00:03.000\nTwo."
    assert [cue.text for cue in read(SourceText(record(vtt))).cues] == ["One.", "Two."]


def test_marks_between() -> None:
    found = read(SourceText(record("[00:00] Good morning. [00:07] So this is it. [01:05] And that was that.")))
    assert found.timed
    assert [(cue.start_ms, cue.text) for cue in found.cues] == [
        (0, "Good morning."),
        (7000, "So this is it."),
        (65_000, "And that was that."),
    ]
    at_line_starts = read(SourceText(record("0:00 Good morning.\n0:07 So this is it.\n1:05 And that was that.")))
    assert [cue.start_ms for cue in at_line_starts.cues] == [0, 7000, 65_000]


def test_marks_between_flattened_lines() -> None:
    marked = FLAT.replace("very, very", "[00:10] very, very", 1).replace("that all", "[00:14] that all", 1)
    found = read(SourceText(record(f"[00:00] {marked}")))
    assert found.timed
    assert [cue.text for cue in found.cues] == LINES
    assert [cue.start_ms for cue in found.cues][2:4] == [10_000, 14_000]
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(found.cues))


def test_rolling_between_marks() -> None:
    blocks = [f"[00:0{i}] {before} {line}" for i, (before, line) in enumerate(pairwise(["", *LINES]))]
    found = read(SourceText(record(" ".join(blocks))))
    assert [cue.text for cue in found.cues] == LINES


def test_clock_times_in_speech_are_no_marks() -> None:
    found = read(SourceText(record("We meet at (10:30). Then [9:15] was wrong and (8:00) too.")))
    assert not found.timed
    assert len(found.cues) == 2


def test_repeats_removed_already() -> None:
    found = read(SourceText(record(" ".join(LINES))))
    assert not found.timed
    assert " ".join(cue.text for cue in found.cues) == " ".join(LINES)
    assert found.steps == ()


@pytest.mark.parametrize("text", ["", "N/A", "unknown", "0:00", "-5", "a 5 b"])
def test_no_duration(text: str) -> None:
    assert parse_duration(text) is None


def test_content_without_a_record_above_it() -> None:
    captions = "WEBVTT Kind: captions Language: en 00:00:01.000 --> 00:00:03.000 Hello there."
    found = read_content(captions)
    assert [(cue.start_ms, cue.text) for cue in found.cues] == [(1000, "Hello there.")]
    assert (found.language, found.title, found.uncertain) == ("en", None, ())
    assert read_content(f"Duration: 20:54\nTranscript:\n{captions}").duration_ms == 1_254_000
    with pytest.raises(UnreadableError, match=r"^The record holds no transcript\.$"):
        read_content("WEBVTT Kind: captions Language: en")


def test_a_line_that_looks_like_a_key_hides_no_prose() -> None:
    found = plain_text.read(SourceText("We speak of forms.\nContent: a short one."))
    assert [cue.text for cue in found.cues] == ["We speak of forms.", "Content: a short one."]


@pytest.mark.realdata
def test_the_archive_of_records() -> None:
    """Flattened with times left in, the lines and their times come back as the caption file has them."""
    captions = {path.name[4:15]: path for path in (SHARED / "rolling").glob("*.vtt")}
    for path in sorted((SHARED / "records" / "flat_timed").iterdir())[::2]:
        found = read(SourceText(path.read_text("utf-8")))
        truth = read(SourceText(record(captions[path.stem[-11:]].read_text("utf-8"))))
        assert found.timed
        assert found.language == "en"
        assert found.cues == truth.cues
        assert found.url is not None
        assert found.url.endswith(path.stem[-11:])
        assert any(cue.words for cue in found.cues)
