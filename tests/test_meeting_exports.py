"""Further shapes in which meetings are exported: where names and times stand, and what is no speech around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import talks_under

IDA, TOM = "Ida Lund", "Tom Weir"
SAID = (
    "We lost the eastern dike on Sunday.",
    "Who had the keys to the sluice?",
    "They were in my coat, in the car.",
    "Then we need a second set.",
)
SECONDS = (3, 71, 640, 1805)
Turn = tuple[int | None, str | None, str]
TURNS: list[Turn] = [(at, (IDA, TOM)[i % 2], text) for i, (at, text) in enumerate(zip(SECONDS, SAID, strict=True))]


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def rows(form: str, *, names: tuple[str, str] = (IDA, TOM), between: str = "\n\n") -> str:
    return between.join(
        form.format(name=names[i % 2], time=clock(at), until=clock(at + 4), text=text, number=i + 1)
        for i, (at, text) in enumerate(zip(SECONDS, SAID, strict=True))
    )


def read(tmp_path: Path, text: str, name: str = "review.txt") -> Talk:
    (tmp_path / name).write_text(text, encoding="utf-8")
    ((_, talk),) = talks_under(tmp_path)
    assert isinstance(talk, Talk), talk
    assert talk.receipt.words_lost == 0
    return talk


def turns(talk: Talk) -> list[Turn]:
    return [(cue.start_ms // 1000, cue.speaker, cue.text) for cue in talk.cues]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("descript.txt", "{name}: [{time}] {text}"),
        ("descript.md", "**{name}:** [{time}] {text}"),
        ("temi.txt", "{name}: ({time})\n{text}"),
        ("captions.txt", "[{name}] {time}\n{text}"),
        ("bars.txt", "{name} | {time} | {text}"),
        ("ticks.md", "**{name}** `{time}` {text}"),
        ("box.md", "> [!quote] {name} {time}\n> {text}"),
        ("hyphen.txt", "{name} \u2010 {time}\n{text}"),
    ],
)
def test_names_beside_times_however_far_apart_the_turns_are(tmp_path: Path, name: str, form: str) -> None:
    assert turns(read(tmp_path, rows(form), name)) == TURNS


def test_lengths_behind_titles_that_do_not_come_back_are_no_times_of_turns(tmp_path: Path) -> None:
    text = "\n".join(f"{name}: (0{i}:30)" for i, name in enumerate(("Overture", "Waltz", "March", "Lament"), 1))
    (tmp_path / "record.txt").write_text(f"{text}\nWe played them all, one after the other, on a wet night.\n")
    assert not any(isinstance(talk, Talk) and talk.timing == "exact" for _, talk in talks_under(tmp_path))


@pytest.mark.parametrize("number", ["14155550123", "+49 170 5550123", "1 (415) 555-0123"])
def test_who_came_in_by_telephone_has_a_number_for_a_name(tmp_path: Path, number: str) -> None:
    body = rows("{number}\n{time}.000 --> {until}.000\n{name}: {text}", names=(IDA, number))
    talk = read(tmp_path, f"WEBVTT\n\n{body}\n", "call.vtt")
    assert [cue.text for cue in talk.cues] == list(SAID)
    assert {cue.speaker for cue in talk.cues} == {IDA, number.removeprefix("+")}


def test_a_telephone_in_the_identifiers_of_webex(tmp_path: Path) -> None:
    body = rows('{number} "{name}" (39)\n{time}.000 --> {until}.000\n{text}', names=(IDA, "14155550123"))
    assert {cue.speaker for cue in read(tmp_path, f"WEBVTT\n\n{body}\n", "call.vtt").cues} == {IDA, "14155550123"}


def test_years_and_days_before_a_colon_are_no_telephones(tmp_path: Path) -> None:
    said = ("2019-03-04 10: the first flood.", "2020-03-04 11: the second flood.", "1999: nothing at all.")
    blocks = (f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n{text}" for i, text in enumerate(said, 1))
    talk = read(tmp_path, "\n\n".join(blocks), "years.srt")
    assert " ".join(cue.text for cue in talk.cues) == " ".join(said)


MEET = f"""Dike review (2024-03-04 10:00 GMT+1) - Transcript
Attendees
{IDA}, {TOM}

Transcript

{{first}}{IDA}: {SAID[0]}

{TOM}: {SAID[1]}

{IDA}: {SAID[2]}

{{second}}{TOM}: {SAID[3]}

Meeting ended after 00:06:22 👋
"""


def test_meets_clocks_count_however_little_was_said_between(tmp_path: Path) -> None:
    talk = read(tmp_path, MEET.format(first="00:00:00\n\n", second="00:05:00\n\n"))
    assert [(cue.speaker, cue.text) for cue in talk.cues] == [(name, text) for _, name, text in TURNS]
    assert talk.cues[0].start_ms == 0
    assert talk.cues[-1].start_ms == 300_000


def test_who_was_there_is_no_speech_in_a_text_without_times(tmp_path: Path) -> None:
    talk = read(tmp_path, MEET.format(first="", second=""))
    assert [(cue.speaker, cue.text) for cue in talk.cues] == [(name, text) for _, name, text in TURNS]
    assert talk.date == "2024-03-04"


def test_a_text_that_speaks_of_speakers_and_transcripts_keeps_every_line(tmp_path: Path) -> None:
    text = "We open at nine.\nSpeakers\nWe sell speakers, cables and lamps.\nTranscript\nis a word of Latin.\n"
    assert " ".join(cue.text for cue in read(tmp_path, text).cues).split() == text.split()


def test_firms_and_people_above_a_call_are_no_speech(tmp_path: Path) -> None:
    head = (
        f"Dike review\nRecorded on Mar 4, 2024 via Zoom, 61m\n\nParticipants\n\nWaterworks\n{IDA}, Engineer\n{TOM}\n\n"
    )
    assert turns(read(tmp_path, head + "Transcript\n\n" + rows("{time} | {name}\n{text}"))) == TURNS


def test_the_rule_below_the_head_of_a_table_in_markdown_is_no_row(tmp_path: Path) -> None:
    text = f"| Time | Speaker | Text |\n|:---|---|---:|\n{rows('| {time} | {name} | {text} |', between=chr(10))}\n"
    assert turns(read(tmp_path, text, "table.md")) == TURNS


@pytest.mark.parametrize(
    "notice",
    [
        "Chat with meeting transcript: https://notes.granola.ai/t/abc",
        "AI-generated content may be incorrect",
        "clovanote.naver.com",
    ],
)
def test_notices_below_the_last_turn(tmp_path: Path, notice: str) -> None:
    assert turns(read(tmp_path, rows("{name}  {time}\n{text}") + f"\n\n{notice}\n")) == TURNS


def test_a_notice_takes_no_sentence_with_it(tmp_path: Path) -> None:
    notice = "[Auto-generated transcript. Edits may have been applied for clarity.]"
    text = f"1\n00:00:00,000 --> 00:00:02,000\n{notice}\nWe begin.\n"
    assert [cue.text for cue in read(tmp_path, text, "lecture.srt").cues] == ["We begin."]


@pytest.mark.parametrize(
    "sentence",
    [
        "This transcript was generated by a machine, the judge said.",
        "AI-generated content may be wrong, and I told them so.",
    ],
)
def test_who_speaks_of_transcripts_is_heard(tmp_path: Path, sentence: str) -> None:
    talk = read(tmp_path, rows("{number}\n{time},000 --> {until},000\n{text}").replace(SAID[1], sentence), "court.srt")
    assert sentence in [cue.text for cue in talk.cues]


def test_objects_with_what_was_said_in_the_cues_of_teams(tmp_path: Path) -> None:
    body = rows(
        '{time}.000 --> {until}.000\n{{"speakerName": "{name}", "spokenText": "{text}", "spokenLanguage": "en-us"}}'
    )
    assert turns(read(tmp_path, f"WEBVTT\n\n{body}\n", "metadata.vtt")) == TURNS
