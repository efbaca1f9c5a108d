"""The ways in which programs and people write times into text, and texts that look alike and hold none."""

from __future__ import annotations

from itertools import pairwise

import pytest

from talksearch.indexer.readers import line_layout, plain_text, read, sniff, timed_text
from talksearch.indexer.readers.front_matter import Front, read_front_matter, read_keys
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Cue
from talksearch.indexer.restore.clean import clean

WORDS = tuple(
    a + b for b in ("ban", "dor", "kel", "lim", "mar", "nut") for a in ("ba", "di", "ko", "lu", "me", "na", "pe")
)


def said(count: int, begin: int = 0) -> str:
    """So many words, in an order that does not come back soon."""
    return " ".join(WORDS[(begin + i * i + i // 7) % len(WORDS)] for i in range(count))


def cues_of(text: str, name: str = "talk.txt") -> list[tuple[int, str | None, str]]:
    """Start in milliseconds, speaker and words of the restored cues of a text that is timed."""
    assert timed_text.matches(SourceText(text))
    found = read(text, name)
    assert found.timed
    cues, _ = clean(found)
    return [(cue.start_ms, cue.speaker, cue.text) for cue in cues]


def untimed(text: str, name: str = "talk.txt") -> str:
    """The words of a text that must not be timed."""
    assert not timed_text.matches(SourceText(text))
    found = read(text, name)
    assert not found.timed
    assert all(cue.start_ms == 0 for cue in found.cues)
    return " ".join(" ".join(cue.text for cue in found.cues).split())


HELLO = [(0, None, "Hello to all of you"), (2400, None, "and welcome to this"), (5000, None, "talk on rivers.")]


@pytest.mark.parametrize(
    "text",
    [
        "[0.00s -> 2.40s] Hello to all of you\n[2.40s -> 5.00s] and welcome to this\n[5.00s -> 7.00s] talk on rivers.",
        "[0.0s] Hello to all of you\n[2.4s] and welcome to this\n[5.0s] talk on rivers.\n",
        "[0.0] Hello to all of you\n[2.4] and welcome to this\n[5.0] talk on rivers.\n",
        "[0.0 - 2.4] Hello to all of you\n[2.4 - 5.0] and welcome to this\n[5.0 - 7.0] talk on rivers.\n",
        "[0.00 --> 2.40] Hello to all of you\n[2.40 --> 5.00] and welcome to this\n[5.00 --> 7.00] talk on rivers.\n",
        "0.0s - 2.4s : Hello to all of you\n2.4s - 5s : and welcome to this\n5.0s - 7.0s : talk on rivers.\n",
        "0.000000\t2.400000\tHello to all of you\n2.400000\t5.000000\tand welcome to this\n5.0\t7.0\ttalk on rivers.\n",
        "0.00\t2.40\tHello to all of you\n\\\t80.0\t1200.0\n2.4\t5.0\tand welcome to this\n5.0\t7.0\ttalk on rivers.",
        "00:00:00:00 Hello to all of you\n00:00:02:10 and welcome to this\n00:00:05:00 talk on rivers.\n",
    ],
)
def test_seconds_labels_and_frames(text: str) -> None:
    assert cues_of(text) == HELLO


def test_ends_that_are_given_are_kept() -> None:
    found = read("[0.00s -> 1.50s] Hello\n[2.40s -> 4.00s] and welcome\n[5.00s -> 7.00s] to you\n", "a.txt")
    assert [(cue.start_ms, cue.end_ms) for cue in found.cues] == [(0, 1500), (2400, 4000), (5000, 7000)]


TURNS = [(5000, "Ana Ruiz", said(20)), (15_000, "Bob Ray", said(14, 3)), (25_000, "Ana Ruiz", "Yes, so it is.")]


@pytest.mark.parametrize(
    "form",
    [
        "[{name}] {time}\n{words}\n\n",
        "[{name}] {time} {words}\n",
        "{name}: {time}\n{words}\n\n",
        "{name}: {time} {words}\n",
        "{name}: [{time}] {words}\n",
        "{name} [{time} - 00:00:59]: {words}\n",
        "**{name}:** [{time}] {words}\n\n",
        "{name} ({time}): {words}\n",
    ],
)
def test_a_name_and_a_time_before_the_words(form: str) -> None:
    text = "".join(
        form.format(name=name, time=f"00:00:{start // 1000:02}", words=words) for start, name, words in TURNS
    )
    assert cues_of(text) == TURNS


def test_lines_without_a_name_stand_among_lines_with_one() -> None:
    text = f"Ana Ruiz: [00:00:05] {said(10)}\n[00:00:10] {said(9, 2)}\nBob Ray: [00:00:14] {said(9, 4)}\n"
    assert [(start, name) for start, name, _ in cues_of(text)] == [
        (5000, "Ana Ruiz"),
        (10_000, None),
        (14_000, "Bob Ray"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"Duration: 00:45:10\nStart: 10:30\nEnd: 11:15\n\n{said(60)}\n{said(40)}\n",
        f"Breakfast: 08:00 {said(3)}\nLunch: 12:30 {said(3)}\nDinner: 18:00 {said(3)}\n",
        f"Porridge: 08:00 with {said(4)}\nSoup: 12:30 with {said(4)}\nRice: 18:00 with {said(4)}\n",
        "Ana Ruiz: 12:30 (first of all)\nBob Ray: 12:45 (second place)\nCy Young: 13:02 (third place)\n",
    ],
)
def test_a_key_before_a_time_is_no_speaker(text: str) -> None:
    assert untimed(text)


@pytest.mark.parametrize(
    ("stamps", "starts"),
    [
        (("00:00:05:12 - 00:00:08:03", "00:00:08:03 - 00:00:12:24", "00:00:12:24 - 00:00:20:00"), (5480, 8120, 12_960)),
        (("00:00:05:12 - 00:00:08:03", "00:00:08:03 - 00:00:12:27", "00:00:12:27 - 00:00:20:00"), (5400, 8100, 12_900)),
        (("00;00;05;12 - 00;00;08;03", "00;00;08;03 - 00;00;12;24", "00;00;12;24 - 00;00;20;00"), (5400, 8100, 12_800)),
    ],
)
def test_frames_are_parts_of_a_second(stamps: tuple[str, ...], starts: tuple[int, ...]) -> None:
    names = ("Speaker 1", "Speaker 2", "Speaker 1")
    blocks = [
        f"{stamp}\n{name}\n{said(6, i)}\n{said(4, i)}\n"
        for i, (stamp, name) in enumerate(zip(stamps, names, strict=True))
    ]
    found = cues_of("\n".join(blocks))
    assert [(start, name) for start, name, _ in found] == list(zip(starts, names, strict=True))
    assert found[0][2] == f"{said(6)} {said(4)}"


def test_a_frame_is_no_word_behind_a_name() -> None:
    assert untimed("Or was it 12:30:45:10 by the clock?\nNobody knows.\nNobody asks.\n")
    assert [words for _, _, words in cues_of("Bob Ray (0:10):30 people came.\nBob Ray (0:20): Yes.\n")] == [
        "30 people came.", "Yes.",
    ]  # fmt: skip


def test_the_first_line_of_a_caption_is_no_speaker() -> None:
    text = (
        "@ This file written with the Avid Caption plugin, version 1\n\n<begin subtitles>\n\n"
        "00:00:05:12 00:00:08:03\nWelcome\nto all of you\n\n00:00:08:03 00:00:09:03\nThe river\nis long\n\n"
        "00:00:10:00 00:00:11:00\nYes\nit is\n\n<end subtitles>\n"
    )
    assert cues_of(text) == [
        (5480, None, "Welcome to all of you"), (8120, None, "The river is long"), (10_000, None, "Yes it is"),
    ]  # fmt: skip


def meeting(*clocks: str) -> str:
    """A transcript with 35 turns of 20 words behind each of the clocks."""
    parts = []
    for number, clock in enumerate(clocks):
        turns = [f"{('Ana Ruiz', 'Bob Ray')[i % 2]}: {said(20, number * 35 + i)}" for i in range(35)]
        parts += [f"{clock}\n" if clock else "", *turns]
    return "Weekly sync - Transcript\n\n" + "\n".join(parts) + "\n"


@pytest.mark.parametrize(
    "clocks", [("00:00:00", "00:05:00"), ("", "00:05:00", "00:10:00"), ("00:00:00", "05:00", "10:00")]
)
def test_clocks_alone_on_their_lines_minutes_apart(clocks: tuple[str, ...]) -> None:
    text = meeting(*clocks)
    found = cues_of(text)
    assert {name for _, name, _ in found if name} == {"Ana Ruiz", "Bob Ray"}
    at_five = next(i for i, (start, _, _) in enumerate(found) if start == 300_000)
    assert found[at_five][2] == said(20, 35)
    assert all(a[0] <= b[0] for a, b in pairwise(found))
    words = " ".join(words for _, _, words in found)
    assert all(said(20, turn) in words for turn in range(70)), "no turn is lost"
    assert "Ana Ruiz" not in words


@pytest.mark.parametrize(
    "text",
    [
        f"{said(30)}\nwe met at\n12:30\n{said(20)}\nand left at\n12:45\n" + "\n".join(said(12, i) for i in range(80)),
        f"{said(30)}\n10:05\n{said(40)}\n10:20\n{said(60)}\n11:00\n" + "\n".join(said(9, i) for i in range(120)),
        f"{said(200)}\n0:30\n{said(900)}\n0:45\n" + "\n".join(said(12, i) for i in range(80)),
        meeting("00:05:00", "00:00:00"),
        meeting("00:00:00", "01:05:00"),
    ],
)
def test_a_time_of_day_alone_on_its_line_is_no_time_of_the_talk(text: str) -> None:
    assert untimed(text)


@pytest.mark.parametrize("name", ["talk.txt", "talk.md"])
@pytest.mark.parametrize("brackets", ["[]", "()"])
def test_times_inside_paragraphs(brackets: str, name: str) -> None:
    text = f"{said(200)} and so on [00:01:30] then we {said(150, 5)}\n\n{said(40)} [00:03:00] {said(99, 9)}."
    text += "\n[00:04:10]End."
    found = cues_of(text.replace("[", brackets[0]).replace("]", brackets[1]), name)
    assert [start for start, _, _ in found] == [0, 90_000, 180_000, 250_000]
    assert [words for _, _, words in found] == [
        f"{said(200)} and so on", f"then we {said(150, 5)} {said(40)}", f"{said(99, 9)}.", "End.",
    ]  # fmt: skip


def test_a_broken_line_is_counted_once() -> None:
    text = f"{said(40)} [0:20] {said(40, 2)}\n{said(9)} [0:45] {said(50, 3)} [1:10] {said(9, 4)}\n"
    found = line_layout.find(text)
    assert found is not None
    assert [found.numbers[i] for i in found.stamps] == [1, 2, 2]


@pytest.mark.parametrize(
    "text",
    [
        f"{said(20)} (3:16) {said(30)} (4:12) {said(30, 2)} (5:10) {said(40, 4)} (2:1)",
        f"{said(20)} (1:10) {said(30)} (1:12) {said(30, 2)} (1:14) {said(40, 4)}",
        f"{said(100)} (10:30) {said(30)} (11:15) {said(30, 2)} (12:10) {said(40, 4)}",
        f"Mix one part of flour with two of water (2:1), or (3:1), or (4:1). {said(40)}",
        f"Ana beat Bob 3:2 today, {said(9)}.\nCy drew 1:1 with Di, {said(9)}.\nEd lost 0:4 to Flo, {said(9)}.\n",
        f"Read {said(100)} (0:30) and {said(10)} (0:10).",
        f"[1] Ana says {said(9)}.\n[2] Bob says no.\n[3] Cy says {said(8)}.\n",
        f"1.5 cups of {said(4)}\n2.5 spoons of {said(4)}\n3.5 grams of {said(4)}\n",
        f"[1.1] {said(30)}\n[1.2] {said(30, 2)}\n[1.3] {said(40, 4)}\n",
        "[2.0] Changed the reader of files\n[2.1] Fixed the reader again\n[2.2] Added some more\n",
        "[0.0 - 0.3] weak correlation\n[0.3 - 0.7] moderate correlation\n[0.7 - 1.0] strong correlation\n",
        "[30s] hold the plank\n[60s] do squats\n[90s] have a rest\n",
        "0.52s call of the reader\n0.71s call of the writer\n0.90s setup of everything\n",
        "5.1\t3.5\tsetosa from the garden\n4.9\t3.0\tsetosa from the meadow\n7.0\t3.2\tversicolor by the river\n",
        "1.0\t2.0\n3.0\t4.0\n5.0\t6.0\nThese are words that stand below some figures, more than there are figures.\n",
        "The key is 00:1B:44:11:3A:B7 here.\nOr was it 12:30:45:10 by the clock?\nNobody knows which it was.\n",
        f"{said(9)}\n5 seconds\n{said(9)}\n1 minute, 5 seconds\n{said(9)}\n",
    ],
)
def test_what_looks_like_times_and_is_none(text: str) -> None:
    assert untimed(text).split() == text.split(), "and no word is lost"


def test_schedules_are_read_as_before() -> None:
    assert [cue.start_ms for cue in read("09:00 Opening\n10:30 Coffee\n11:00 Talks\n", "a.txt").cues] == [
        540_000, 630_000, 660_000,
    ]  # fmt: skip


@pytest.mark.parametrize("between", ["\n", ""])
def test_the_time_in_words_is_dropped_where_it_is_the_clock(between: str) -> None:
    panel = ["0:00|0 seconds|hello there", "0:05|5 seconds|5 seconds is long", "1:05|1 minute, 5 seconds|bye",
             "1:02:05|1 hour, 2 minutes, 5 seconds|end"]  # fmt: skip
    text = "\n".join(f"{clock}\n{words}{between}{rest}" for clock, words, rest in (entry.split("|") for entry in panel))
    assert [(start, words) for start, _, words in cues_of(text)] == [
        (0, "hello there"), (5000, "5 seconds is long"), (65_000, "bye"), (3_725_000, "end"),
    ]  # fmt: skip
    glued = "\n".join(entry.replace("|", "") for entry in panel)
    assert cues_of(glued) == cues_of(text)


def test_a_length_of_time_that_is_said_stays() -> None:
    text = "0:00\nhow long is it\n0:05\n5 seconds\n0:09\n10 seconds\n0:15\nno more\n"
    assert [words for _, _, words in cues_of(text)] == ["how long is it", "5 seconds", "10 seconds", "no more"]


def test_lyrics() -> None:
    text = (
        "[ar: Ana Ruiz]\n[ti:The River]\n[al:Songs]\n[la:en]\n[offset:+500]\n[length:03:10]\n\n"
        "[01:10.00][00:12.00]La la\n[00:15.00]<00:15.00>Oh <00:15.50>the <00:16.00>river\n[00:20.00]\n"
        "[00:30.10] Still\n"
    )
    assert sniff(text, "song.txt") == "text"
    found = read(text, "song.txt")
    assert (found.title, found.speaker, found.language, found.description) == ("The River", "Ana Ruiz", "en", "")
    cues, _ = clean(found)
    assert [(cue.start_ms, cue.text) for cue in cues] == [
        (11_500, "La la"), (14_500, "Oh the river"), (29_600, "Still"), (69_500, "La la"),
    ]  # fmt: skip
    assert [word.start_ms for word in cues[1].words] == [14_500, 15_000, 15_500]


def test_a_line_sung_again_has_no_word_times_of_the_first_time() -> None:
    found = read("[00:01.00][01:01.00]<00:01.00>Oh <00:02.00>no\n[00:05.00]Yes\n[00:09.00]Yes\n", "a.txt")
    assert [(cue.start_ms, cue.text) for cue in found.cues][-1] == (61_000, "Oh no")


BODY = f"{said(50)}\n{said(40, 3)}\n"


@pytest.mark.parametrize("end", ["\n", "---\n", "## One\n"])
def test_keys_above_text_without_times(end: str) -> None:
    keys = "Title: On rivers\nSpeaker: Ana Ruiz\nDate: 2024-05-01\nVenue: Hall 3\nURL: https://youtu.be/DTcRLlMv4_o\n"
    found = plain_text.read(SourceText(f"{keys}{end}{BODY}", "talk.txt"))
    assert (found.title, found.speaker, found.date, found.url) == (
        "On rivers", "Ana Ruiz", "2024-05-01", "https://youtu.be/DTcRLlMv4_o",
    )  # fmt: skip
    assert found.description == "Venue: Hall 3", "a key that nobody knows is not lost"
    assert " ".join(cue.text for cue in found.cues).split() == [*end.split(), *BODY.split()]


def test_keys_under_the_heading_of_markdown() -> None:
    found = plain_text.read(
        SourceText(f"# On rivers\n\n**Speakers:** Ana Ruiz and Bob Ray\n**Date:** 2024-05-01\n\n{BODY}", "talk.md")
    )
    assert (found.title, found.speaker, found.date) == ("On rivers", "Ana Ruiz and Bob Ray", "2024-05-01")
    assert " ".join(cue.text for cue in found.cues).split() == BODY.split()


@pytest.mark.parametrize(
    "lines",
    [
        ["Question: what is a river?", "Answer: water.", "", "Words."],
        ["Speaker: Good morning to all of you.", "", "Words."],
        ["Speaker: Ana", "Speaker: Bob", "", "Words."],
        ["Speaker: Ana", "", "Words.", "Speaker: and so on"],
        ["Title: On rivers", "and these are words already"],
        ["Title: On rivers"],
        ["Date: today", "", "Words."],
        ["Source: of all rivers", "", "Words."],
    ],
)
def test_speech_with_a_colon_is_no_key(lines: list[str]) -> None:
    front = Front()
    assert read_keys(lines, front) == 0
    assert front == Front()


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        (["title: >-", "  On rivers", "  and seas", "date: 2024"], {"title": "On rivers and seas", "date": "2024"}),
        (["title: |", "  On rivers", "", "  and seas", "about: >", "  Speaker: I"], {"title": "On rivers and seas"}),
        (["speakers:", "  - Ana Ruiz", "  - name: Bob Ray", "    title: Professor"], {"speaker": "Ana Ruiz, Bob Ray"}),
        (["speakers:", "- Ana Ruiz", "- 'Bob Ray' # host", "title: T"], {"speaker": "Ana Ruiz, Bob Ray", "title": "T"}),
        (["speakers: [Ana Ruiz, \"Bob Ray\"]", "tags: [a, b]"], {"speaker": "Ana Ruiz, Bob Ray"}),
        (["tags:", "  - a", "  - title", "video:", "  url: https://x.org/a"], {"url": "https://x.org/a"}),
    ],
)  # fmt: skip
def test_yaml_front_matter(lines: list[str], values: dict[str, str]) -> None:
    front = Front()
    assert read_front_matter(["---", *lines, "---", "words"], front) == len(lines) + 2
    assert front.values == values


def test_toml_front_matter() -> None:
    front = Front()
    lines = ["+++", 'title = "On rivers"', "date = 2024-05-01", "[extra]", 'speakers = ["Ana Ruiz", "Bob Ray"]', "+++"]
    assert read_front_matter(lines, front) == 6
    assert front.values == {"title": "On rivers", "date": "2024-05-01", "speaker": "Ana Ruiz, Bob Ray"}


@pytest.mark.parametrize("lines", [["+++", "Ana: hello", "+++"], ["---", "title: T"], ["+++", "title = 'T'"], ["", ""]])
def test_what_opens_no_front_matter(lines: list[str]) -> None:
    front = Front()
    assert read_front_matter(lines, front) == 0
    assert front == Front()


def test_front_matter_stands_above_text_of_every_kind() -> None:
    text = "---\ntitle: >-\n  On rivers\n  and seas\nspeakers: [Ana Ruiz]\n---\n"
    timed = read(text + "[0.0s -> 2.0s] Hello all\n[2.0s -> 4.0s] of you\n[4.0s -> 5.0s] here\n", "talk.md")
    assert (timed.title, timed.speaker) == ("On rivers and seas", "Ana Ruiz")
    assert [cue.text for cue in timed.cues] == ["Hello all", "of you", "here"]
    found = read(text + BODY, "talk.md")
    assert (found.title, found.speaker, found.timed) == ("On rivers and seas", "Ana Ruiz", False)


def test_captions_that_say_every_line_twice_are_left_to_the_record() -> None:
    lines = [said(8, i * 5) for i in range(40)]
    text = "Before it begins there is this: " + " ".join(
        f"{a} {a}" if i % 10 else f"[{i // 10}:{(i * 6) % 60:02}] {a} {a}" for i, a in enumerate(lines)
    )
    found = read(text, "talk.txt")
    assert any(step.name in ("unfold-rolling", "collapse-rolling") for step in found.steps)
    assert isinstance(found.cues[0], Cue)
