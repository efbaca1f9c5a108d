"""Times that cannot be those of the recording: told by its length, else by their shape, and left where unsure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Talk
from talksearch.indexer.talks.identify import identify
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.replay import replay

SAID = (
    "Good evening to everybody in the old mill.",
    "Tonight we talk about flour and stones.",
    "The upper stone turns and the lower lies still.",
    "Between them there is room for a sheet of paper.",
    "And in the morning the baker comes for his bags.",
)
HOUR = 3600.0


def clock(seconds: float, point: str = ",") -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def srt(starts: Sequence[float], length: float = 3.9, said: Sequence[str] = SAID) -> str:
    return "".join(
        f"{number + 1}\n{clock(start)} --> {clock(start + length)}\n{said[number % len(said)]}\n\n"
        for number, start in enumerate(starts)
    )


def vtt(first: float) -> str:
    cues = (f"{clock(first + 4 * i, '.')} --> {clock(first + 4 * i + 3, '.')}\n{text}" for i, text in enumerate(SAID))
    return "WEBVTT\n\n" + "\n\n".join(cues) + "\n"


def every(step: float, count: int = 5, first: float = 0) -> list[float]:
    return [first + step * number for number in range(count)]


def talk_of(folder: Path, name: str, text: str, **sidecar: object) -> Talk:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    if sidecar:
        path.with_suffix(".info.json").write_text(json.dumps({"id": "mill", "title": "The mill", **sidecar}))
    talk = read_talk(path)
    assert replay(path.read_bytes(), name, talk.receipt) == talk.cues
    return talk


def starts_of(talk: Talk) -> list[float]:
    return [cue.start_ms / 1000 for cue in talk.cues]


def steps_of(talk: Talk) -> set[str]:
    return {step.name for step in talk.receipt.steps}


def rows(form: str, first: float) -> str:
    """The same talk in many formats, from a second on."""
    at = [(clock(first + 4 * i, "."), clock(first + 4 * i + 3, "."), text) for i, text in enumerate(SAID)]
    if form == "sbv":
        return "\n\n".join(f"{a.removeprefix('0')},{b.removeprefix('0')}\n{text}" for a, b, text in at)
    if form == "ass":
        head = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        times = [(a.removeprefix("0")[:-1], b.removeprefix("0")[:-1], text) for a, b, text in at]
        return head + "".join(f"Dialogue: 0,{a},{b},Default,,0,0,0,,{text}\n" for a, b, text in times)
    if form == "ttml":
        body = "".join(f'<p begin="{a}" end="{b}">{text}</p>' for a, b, text in at)
        return f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>{body}</div></body></tt>'
    if form == "csv":
        return "start,end,text\n" + "".join(f'{a},{b},"{text}"\n' for a, b, text in at)
    if form == "json":
        segments = [{"start": first + 4 * i, "end": first + 4 * i + 3, "text": text} for i, text in enumerate(SAID)]
        return json.dumps({"text": " ".join(SAID), "segments": segments, "language": "en"})
    return "".join(f"[{a[:8]}] {text}\n" for a, _, text in at)


@pytest.mark.parametrize("form", ["srt", "vtt", "sbv", "ass", "ttml", "csv", "json", "txt"])
@pytest.mark.parametrize("hours", [1, 10])
def test_hours_of_an_editor_are_taken_off_in_every_format(tmp_path: Path, form: str, hours: int) -> None:
    first = hours * HOUR + 2
    text = srt(every(4, first=first), 3) if form == "srt" else vtt(first) if form == "vtt" else rows(form, first)
    talk = talk_of(tmp_path, f"a.{form}", text, duration=25)
    assert starts_of(talk) == every(4, first=2)
    step = next(step for step in talk.receipt.steps if step.name == "shift-times")
    assert step.detail["offset_ms"] == -hours * 3_600_000
    assert talk.timing == "exact"
    assert not any("hour" in note or "times" in note for note in talk.receipt.uncertain)


OFFSETS: list[tuple[str, str, float, dict[str, object], float, str]] = [
    # the name, and where the first words stand; what the sidecar says; where they come to stand, and what is said of it
    ("no length is known", "a.srt", HOUR + 1, {}, 1, "1 hour was taken off"),
    ("ten hours, as in broadcasting", "a.srt", 10 * HOUR + 7.5, {}, 7.5, "10 hours were taken off"),
    ("silence of two minutes before", "a.srt", 10 * HOUR + 130.2, {"duration": 5400}, 130.2, "10 hours were"),
    ("another hour that fits", "a.srt", 3 * HOUR + 1.5, {"duration": 60}, 1.5, ""),
    ("the second reel", "reel 2.srt", 2 * HOUR + 3, {}, 3, "2 hours were taken off"),
    ("a clock in the morning", "a.srt", 9 * HOUR + 902, {}, 0, "those of a clock"),
    ("a clock, and its length fits", "a.srt", 15 * HOUR + 203, {"duration": 60}, 0, "those of a clock"),
    ("captions of an uncut recording", "a.srt", 2000, {"duration": 30}, 0, "not those of the recording"),
]
STAYING: list[tuple[str, str, float, dict[str, object], str]] = [
    ("an hour of silence", "a.srt", HOUR + 1, {"duration": 7200}, ""),
    ("the second part of a stream", "stream part 2.srt", HOUR + 1, {}, "part of a longer one"),
    ("its third part", "stream_3.srt", 2 * HOUR + 1, {}, "part of a longer one"),
    ("a first hour that nobody wrote down", "a.srt", HOUR + 133, {}, "times stay"),
    ("two hours, and no length", "a.srt", 2 * HOUR + 3, {}, "times stay"),
    ("chapters beyond the first words", "a.srt", HOUR + 1,
     {"chapters": [{"start_time": 0, "title": "One"}, {"start_time": 5400, "title": "Two"}]}, ""),
    ("nothing fits", "a.srt", 15 * HOUR + 203, {"duration": 3}, "after the end of the recording"),
    ("a little longer than the recording", "a.srt", 1, {"duration": 14}, ""),
    ("an ordinary talk", "a.srt", 1, {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "first", "sidecar", "start", "note"), [row[1:] for row in OFFSETS],
                         ids=[row[0] for row in OFFSETS])  # fmt: skip
def test_times_that_are_moved(
    tmp_path: Path, name: str, first: float, sidecar: dict[str, object], start: float, note: str
) -> None:
    talk = talk_of(tmp_path, name, srt(every(4, first=first)), **sidecar)
    assert starts_of(talk) == pytest.approx(every(4, first=start))
    assert note in " ".join(talk.receipt.uncertain)
    assert bool(talk.receipt.uncertain) == bool(note)


@pytest.mark.parametrize(("name", "first", "sidecar", "note"), [row[1:] for row in STAYING],
                         ids=[row[0] for row in STAYING])  # fmt: skip
def test_times_that_stay(tmp_path: Path, name: str, first: float, sidecar: dict[str, object], note: str) -> None:
    talk = talk_of(tmp_path, name, srt(every(4, first=first)), **sidecar)
    assert starts_of(talk) == every(4, first=first)
    assert note in " ".join(talk.receipt.uncertain)
    assert bool(talk.receipt.uncertain) == bool(note)


def test_a_part_that_begins_within_a_sentence_stays(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, "a.srt", srt(every(4, first=HOUR + 1), said=("and so they went.", "Nobody knows why.")))
    assert starts_of(talk)[0] == HOUR + 1


def test_word_times_and_the_files_own_chapters_move_too(tmp_path: Path) -> None:
    text = (
        "WEBVTT\n\n01:00:01.000 --> 01:00:03.000\nGood<01:00:01.500><c> evening</c><01:00:02.000><c> all</c>\n\n"
        "01:00:03.000 --> 01:00:05.000\nin<01:00:03.400><c> the</c><01:00:04.100><c> mill</c>\n"
    )
    talk = talk_of(tmp_path, "a.vtt", text, duration=9)
    assert [word.start_ms for cue in talk.cues for word in cue.words] == [1000, 1500, 2000, 3000, 3400, 4100]
    headed = "".join(f"## Part {i}\n\n[01:00:0{1 + 2 * i}] {said}\n\n" for i, said in enumerate(SAID[:4]))
    talk = talk_of(tmp_path, "b.md", f"# The mill\n\n{headed}", duration=20)
    assert [(chapter.title, chapter.start_ms) for chapter in talk.chapters][-2:] == [("Part 2", 5000), ("Part 3", 7000)]


def test_a_clock_past_midnight_goes_on(tmp_path: Path) -> None:
    first = 24 * HOUR - 20
    texts = [f"[{clock((first + 4 * i) % (24 * HOUR), '.')[:8]}] {SAID[i % 5]}\n" for i in range(12)]
    talk = talk_of(tmp_path, "a.txt", "".join(texts))
    assert starts_of(talk) == every(4, 12)


def numbered(count: int, step: float, length: float) -> str:
    return srt(every(step, count), length, [f"{SAID[i % 5]} Number {i}." for i in range(count)])


def test_crammed_words_have_no_times(tmp_path: Path) -> None:
    for text in (numbered(100, 0.02, 0.02), numbered(100, 0.1, 0.09), numbered(100, 0.3, 0.3), numbered(100, 0, 1)):
        talk = talk_of(tmp_path, "a.srt", text, duration=600)
        assert talk.timing == "estimated"
        assert talk.margin_ms > 0
        assert talk.cues[-1].start_ms > 400_000
        assert "times say nothing" in talk.receipt.uncertain[0]


def test_a_few_crammed_cues_among_good_ones_are_not_enough(tmp_path: Path) -> None:
    good, bad = every(4, 90), [400 + 0.02 * i for i in range(10)]
    talk = talk_of(tmp_path, "a.srt", srt([*good, *bad], 0.02))
    assert talk.timing == "exact"
    assert starts_of(talk)[:90] == good
    texts = [f"{SAID[i % 5]} Number {i}." for i in range(80)]
    talk = talk_of(tmp_path, "a.srt", srt([*good[:20], *(100 + 0.02 * i for i in range(60))], 0.02, texts))
    assert talk.timing == "estimated"


def test_a_crammed_track_does_not_speak_for_a_talk(tmp_path: Path) -> None:
    assert not identify(open_file(tmp_path / "a.srt", numbered(100, 0.02, 0.02).encode())).timed
    assert identify(open_file(tmp_path / "a.srt", numbered(100, 4, 3).encode())).timed


def test_times_in_another_unit(tmp_path: Path) -> None:
    thousandth = talk_of(tmp_path, "a.srt", numbered(100, 0.004, 0.004))
    assert (starts_of(thousandth), thousandth.timing) == (every(4, 100), "estimated")
    assert thousandth.margin_ms == 1000
    told = talk_of(tmp_path, "a.srt", numbered(100, 0.004, 0.004), duration=405)
    assert starts_of(told) == every(4, 100)
    (tmp_path / "a.info.json").unlink()
    days = talk_of(tmp_path, "b.srt", numbered(60, 4000, 3900))
    assert (starts_of(days), days.timing) == (every(4, 60), "exact")
    more_days = talk_of(tmp_path, "c.srt", numbered(160, 4000, 3900))
    assert starts_of(more_days) == every(4, 160)
    short = talk_of(tmp_path, "d.srt", numbered(10, 4000, 3900), duration=40)
    assert starts_of(short) == every(4, 10)
    for talk in (thousandth, told, days, more_days, short):
        assert "scale-times" in steps_of(talk)
        assert talk.receipt.uncertain


def test_long_times_that_are_right_stay(tmp_path: Path) -> None:
    assert "scale-times" not in steps_of(talk_of(tmp_path, "a.srt", srt(every(900, 40), 60)))
    with pytest.raises(UnreadableError, match="100 hours"):
        talk_of(tmp_path, "b.srt", srt([400_000 + 4 * i for i in range(5)]))


LYRICS = "[ti:The mill]\n{}\n[00:05.64]<00:05.64>Out <00:06.10>of the mill\n[00:10.39][00:20.00]came the sound\n"


@pytest.mark.parametrize(
    ("offset", "starts"),
    [
        ("[offset:-3000]", [8.64, 13.39, 23]),
        ("[offset:+500]", [5.14, 9.89, 19.5]),
        ("[offset: 500 ]", [5.14, 9.89, 19.5]),
        ("[OFFSET:500ms]", [5.14, 9.89, 19.5]),
        ("[offset:0]", [5.64, 10.39, 20]),
        ("[offset:soon]", [5.64, 10.39, 20]),
        ("[offset:99999999]", [5.64, 10.39, 20]),
        ("[offset:\u2212250]", [5.89, 10.64, 20.25]),
    ],
)
def test_the_offset_of_lyrics(tmp_path: Path, offset: str, starts: list[float]) -> None:
    talk = talk_of(tmp_path, "a.lrc", LYRICS.format(offset))
    assert starts_of(talk) == starts
    assert [word.start_ms / 1000 for word in talk.cues[0].words][:2] == pytest.approx([starts[0], starts[0] + 0.46])
    assert "offset" not in " ".join(cue.text for cue in talk.cues)
    below = LYRICS.format("") + offset + "\n"
    assert starts_of(talk_of(tmp_path, "b.lrc", below)) == starts


# The first rows of tables, whose texts are put in; and where these begin.
TABLES: dict[str, tuple[str, list[float]]] = {
    "frames, 25 by their numbers": (
        "start,end,text\n00:00:00:12,00:00:04:24,{}\n00:00:05:18,00:00:09:00,{}\n", [0.48, 5.72]
    ),
    "frames, 30 by their numbers": (
        "start,end,text\n00:00:00:12,00:00:04:29,{}\n00:00:05:15,00:00:09:00,{}\n", [0.4, 5.5]
    ),
    "dropped frames": (
        'In;Out;Text\n"00;00;00;15";"00;00;04;29";{}\n"00;01;00;02";"00;01;09;00";{}\n', [0.5, 60.067]
    ),
    "the rate in a column": ("start\ttext\tfps\n00:00:10:12\t{}\t24\n00:00:15:06\t{}\t24\n", [10.5, 15.25]),
    "a rate behind the clock": (
        "start\ttext\tFrame Rate\n00:10:00:00\t{}\t23.976\n00:10:10:00\t{}\t23.976\n", [600.6, 610.61]
    ),
    "hundredths": ("start,end,text\n00:00:00:12,00:00:04:96,{}\n00:00:05:23,00:00:09:00,{}\n", [0.12, 5.23]),
    "milliseconds behind a colon": (
        "start,end,text\n00:00:00:120,00:00:04:960,{}\n00:00:05:230,00:00:09:000,{}\n", [0.12, 5.23]
    ),
    "both times in one column": (
        "Timecode,Transcript\n00:00:01:00 - 00:00:04:12,{}\n00:00:05:05 - 00:00:09:00,{}\n", [1, 5.2]
    ),
    "German columns": (
        "Sprecher;Startzeit;Endzeit;Text\nA;00:00:01:00;00:00:04:12;{}\nB;00:00:05:05;00:00:09:00;{}\n", [1, 5.2]
    ),
    "blank rows between": (
        "Start Time,End Time,Text\n\n00:00:00:12,00:00:04:24,{}\n\n00:00:05:18,00:00:09:00,{}\n\n", [0.48, 5.72]
    ),
    "plain seconds": ("start,end,text\n0.5,4,{}\n5,9,{}\n", [0.5, 5]),
    "plain clocks": ("start,end,text\n0:05,0:09,{}\n0:10,0:12,{}\n", [5, 10]),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_times_in_tables(tmp_path: Path, table: str) -> None:
    text, starts = TABLES[table]
    talk = talk_of(tmp_path, "a.csv", text.format("Good evening to you all", "Tonight we talk about flour"))
    assert starts_of(talk) == starts
    assert [cue.text for cue in talk.cues] == ["Good evening to you all", "Tonight we talk about flour"]
