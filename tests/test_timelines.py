"""Lines that hold the times of a cue, whole and damaged, in every format; and what looks like one and is speech."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import read
from talksearch.indexer.records import Receipt, Step, Talk, Transcript
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay
from talksearch.indexer.text.damaged_clock import plain_signs, read_damaged_clock

SAID = ("The harbour froze in one week.", "Nobody had chained the boats.", "By spring three were gone.")
TIMES = (("00:00:01,000", "00:00:04,000"), ("00:00:04,500", "00:00:08,000"), ("00:00:08,500", "00:00:12,000"))
STARTS = [1000, 4500, 8500]


def srt(heads: list[str], *, numbered: bool = True) -> str:
    return "\n\n".join(
        (f"{n}\n" if numbered else "") + f"{head}\n{said}"
        for n, (head, said) in enumerate(zip(heads, SAID, strict=True), 1)
    )


def vtt(heads: list[str]) -> str:
    return "WEBVTT\n\n" + srt(heads, numbered=False).replace(",", ".")


def heads(form: str = "{} --> {}") -> list[str]:
    return [form.format(*pair) for pair in TIMES]


def talk(text: str, name: str) -> Talk:
    data = text.encode()
    found = load_talk(open_file(Path(name), data), name)
    again = replay(data, name, found.receipt)
    assert [(cue.start_ms, cue.text) for cue in again] == [(cue.start_ms, cue.text) for cue in found.cues]
    return found


def said(found: Talk) -> list[tuple[int, str]]:
    return [(cue.start_ms, cue.text) for cue in found.cues]


def step(found: Talk | Transcript, name: str) -> Step:
    steps = found.receipt.steps if isinstance(found, Talk) else found.steps
    return next(step for step in steps if step.name == name)


EXPECTED = list(zip(STARTS, SAID, strict=True))
WIDE = str.maketrans("0123456789:,", "０１２３４５６７８９：，")
ARABIC = str.maketrans("0123456789,", "٠١٢٣٤٥٦٧٨٩٫")
DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")
ARROWS = (
    "->",
    "—>",
    "–>",
    "- ->",
    "-- >",
    "→",
    "=>",
    "==>",
    "--->",
    "-->>",
    "--&gt;",
    "⇒",
    "−−>",
    "ー>",
    "--»",
    "-- 》",
)
SIDES = {
    "another width": lambda time: time.translate(WIDE),
    "Arabic digits": lambda time: time.translate(ARABIC),
    "Devanagari digits": lambda time: time.translate(DEVANAGARI),
    "points for colons": lambda time: time.replace(":", "."),
    "points everywhere": lambda time: time.replace(":", ".").replace(",", "."),
    "semicolons": lambda time: time.replace(":", ";"),
    "a colon before the fraction": lambda time: time.replace(",", ":"),
    "spaces inside": lambda time: time.replace(":", ": ").replace(",", ", "),
    "spaces on both sides": lambda time: time.replace(":", " : ").replace(",", " , "),
    "a space for the comma": lambda time: time.replace(",", " "),
    "six digits": lambda time: f"{time}999",
    "a second point": lambda time: f"{time}.0999999",
    "a colon at the end": lambda time: f"{time[:-2]}:",
    "a unit": lambda time: f"{time}ms",
    "a zone": lambda time: f"{time}Z",
    "an hour too many": lambda time: f"00:{time}",
    "a scanned zero": lambda time: time.replace("0", "O"),
    "a scanned one": lambda time: time.replace("1", "l"),
    "no hour": lambda time: time[3:],
    "letters for signs": lambda time: time.replace(":", "h", 1).replace(":", "m", 1).replace(",", "s"),
}
NO_TIME = ("NaN:NaN:NaN,NaN", "--:--:--,---", "undefined", "Infinity", "null", "??:??:??", "", "-", "xx:xx:xx,xxx",
           "00:NaN:NaN", "-1:-1:-1,-1")  # fmt: skip


@pytest.mark.parametrize("arrow", ARROWS)
@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_every_arrow_is_one(name: str, arrow: str) -> None:
    all_of_it = heads(f"{{}} {arrow} {{}}")
    one_of_it = [heads()[0], all_of_it[1], heads()[2]]
    for lines in (all_of_it, one_of_it):
        assert said(talk(srt(lines) if name == "a.srt" else vtt(lines), name)) == EXPECTED


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("form", SIDES)
def test_a_damaged_time_is_read_as_far_as_it_is_certain(form: str, numbered: bool) -> None:
    lines = [f"{SIDES[form](start)} --> {SIDES[form](end)}" for start, end in TIMES]
    for heads_tried in (lines, [lines[0], *heads()[1:]], [*heads()[:2], lines[2]]):
        assert said(talk(srt(heads_tried, numbered=numbered), "a.srt")) == EXPECTED
    assert said(talk("WEBVTT\n\n" + srt(lines, numbered=False), "a.vtt")) == EXPECTED


@pytest.mark.parametrize("sign", ["-", "—", "~", "到", "to", ",", " ", "--", "|"])
def test_two_whole_times_below_a_number_need_no_arrow(sign: str) -> None:
    lines = heads()
    lines[1] = lines[1].replace("-->", sign)
    assert said(talk(srt(lines), "a.srt")) == EXPECTED
    assert said(talk(srt(heads(f"{{}} {sign} {{}}")), "a.srt")) == EXPECTED


@pytest.mark.parametrize("unknown", NO_TIME)
def test_a_time_that_is_none_is_taken_from_its_neighbours(unknown: str) -> None:
    ends = srt([f"{start} --> {unknown}".rstrip() for start, _ in TIMES])
    found = talk(ends, "a.srt")
    assert said(found) == EXPECTED
    assert [cue.end_ms for cue in found.cues[:2]] == STARTS[1:]
    lines = heads()
    lines[1] = f"{unknown} --> {TIMES[1][1]}".lstrip()
    found = talk(srt(lines), "a.srt")
    assert [cue.text for cue in found.cues] == list(SAID)
    assert found.cues[0].start_ms <= found.cues[1].start_ms <= found.cues[2].start_ms
    assert any("line 6" in note for note in found.receipt.uncertain)


@pytest.mark.parametrize("line", ["0x:#z:@@,000 --> 0x:zz:@@,000", "▓▓:▓▓:01 --> ▓▓", "--:--:-- --> --:--:--", "-->"])
@pytest.mark.parametrize("place", range(3))
def test_a_line_of_which_nothing_can_be_read_begins_a_cue(line: str, place: int) -> None:
    lines = heads()
    lines[place] = line
    found = talk(srt(lines), "a.srt")
    assert [cue.text for cue in found.cues] == list(SAID)
    assert [ms for i, ms in enumerate(STARTS) if i != place] == [
        cue.start_ms for i, cue in enumerate(found.cues) if i != place
    ]
    assert any(f"line {2 + 4 * place}" in note for note in found.receipt.uncertain)


def test_frames_are_counted_by_the_largest_of_them() -> None:
    lines = ["00:00:01:00 --> 00:00:04:00", "00:00:04:12 --> 00:00:08:24", "00:00:08:12 --> 00:00:12:00"]
    assert [cue.start_ms for cue in talk(srt(lines), "a.srt").cues] == [1000, 4480, 8480]
    assert [cue.start_ms for cue in talk(srt([line.replace(":12 ", ";12 ") for line in lines]), "a.srt").cues] == [
        1000,
        4480,
        8480,
    ]


def test_words_behind_the_times_are_said_and_settings_are_not() -> None:
    lines = [f"{head} {words}" for head, words in zip(heads(), SAID, strict=True)]
    for text, name in (("\n\n".join(lines), "a.srt"), ("WEBVTT\n\n" + "\n\n".join(lines).replace(",", "."), "a.vtt")):
        assert said(talk(text, name)) == EXPECTED
    for setting in (
        "align:start position:0%",
        "line:-1",
        "X1:10 X2:20 Y1:5 Y2:6",
        "region:fred align: end",
        "size:50%",
    ):
        assert said(talk(srt(heads(f"{{}} --> {{}} {setting}")), "a.srt")) == EXPECTED
        assert said(talk(vtt(heads(f"{{}} --> {{}} {setting}")), "a.vtt")) == EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (srt(heads()).replace("\n00:", "\n\n00:"), EXPECTED),
        (srt(heads()).replace("\n\n", "\n"), EXPECTED),
        (srt(heads()).replace("1\n", "١\n").replace("2\n", "٢\n").replace("3\n", "٣\n"), EXPECTED),
        (srt([f"{n} {head}" for n, head in enumerate(heads(), 1)], numbered=False), EXPECTED),
        (srt(heads()).replace("1\n", "\ufeff1\n"), EXPECTED),
        (f"Harbour talks, part one\n\n{srt(heads())}", [(0, "Harbour talks, part one"), *EXPECTED]),
        (srt(heads()).replace(f"{heads()[1]}\n", ""), [EXPECTED[0], (4000, SAID[1]), EXPECTED[2]]),
        (srt(heads()).replace(f"{heads()[0]}\n", ""), [(0, SAID[0]), *EXPECTED[1:]]),
        (srt(heads()).replace(f"{heads()[2]}\n", ""), [*EXPECTED[:2], (8000, SAID[2])]),
    ],
)
def test_numbers_never_become_words_and_words_without_a_time_stay(text: str, expected: list[tuple[int, str]]) -> None:
    assert said(talk(text, "a.srt")) == expected


@pytest.mark.parametrize(
    "speech",
    [
        "a --> b is the map",
        "the pointer -> next",
        "x => y",
        "10:30 -> 11:15",
        "10:30 - 11:15",
        "1:00 -> 2:00 is a long time",
        "at 10:30 --> we begin",
        "We counted\n\n42\n\nin the end.",
        "the hall was open\n\n10:30 -> 11:15",
        "p->next = q; // 0x10 --> 0x20",
    ],
)
def test_an_arrow_a_number_or_a_time_in_speech_stays_speech(speech: str) -> None:
    for text, name in ((srt(heads()), "a.srt"), (vtt(heads()), "a.vtt")):
        found = talk(text.replace(SAID[1], speech), name)
        assert said(found) == [EXPECTED[0], (4500, " ".join(speech.split())), EXPECTED[2]]


def test_times_that_are_all_negative_count_from_the_first_cue() -> None:
    lines = ["-112:-7:-40,-860 --> -112:-7:-38,-100", "-112:07:38,100 --> -112:07:35,0", "-112:-7:-34 --> -112:-7:-31"]
    found = talk(srt(lines), "a.srt")
    assert said(found) == list(zip((0, 2760, 6860), SAID, strict=True))
    assert any("before the beginning" in note for note in found.receipt.uncertain)


NOISE = st.lists(st.tuples(st.integers(0, 28), st.sampled_from("dri"), st.sampled_from("Ol:;.,-> 9#?")), max_size=3)


@given(st.lists(NOISE, min_size=3, max_size=3), st.booleans())
def test_no_damage_to_time_lines_costs_a_word_of_speech(noise: list[list[tuple[int, str, str]]], webvtt: bool) -> None:
    lines = []
    for head, changes in zip(heads(), noise, strict=True):
        characters = list(head)
        for place, how, sign in changes:
            at = min(place, len(characters) - 1)
            characters[at : at + (how != "i")] = [] if how == "d" else [sign]
        lines.append("".join(characters))
    try:
        found = read(vtt(lines) if webvtt else srt(lines), "a.vtt" if webvtt else "a.srt")
    except UnreadableError as error:
        refused = error.message
    else:
        refused = ""
    if refused:
        assert "100 hours" in refused
        return
    spoken = " ".join(cue.text for cue in found.cues).split()
    assert all(spoken.count(word) >= " ".join(SAID).split().count(word) for word in " ".join(SAID).split())


@given(st.lists(st.sampled_from([
    "10:30", "->", "-->", "1,000,000", "555-1234", "a", "b:", "12:30:45", "3.5", "we", "=>", "9:15-10:00", "NaN",
]), min_size=2, max_size=6))  # fmt: skip
def test_speech_with_numbers_signs_and_times_keeps_every_word(words: list[str]) -> None:
    speech = " ".join(["so", *words, "then"])
    for text, name in ((srt(heads()), "a.srt"), (vtt(heads()), "a.vtt")):
        found = read(text.replace(SAID[1], f"{speech}\nand {speech}"), name)
        assert [cue.text.split() for cue in found.cues] == [
            SAID[0].split(), f"{speech} and {speech}".split(), SAID[2].split()
        ]  # fmt: skip


# --- WebVTT -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "WEBVTT\nRegion: id=fred width=50% lines=3\n\n",
        "WEBVTT\n\nRegion: id=fred width=50%\nRegion: id=bill\n\n",
        "WEBVTT\n\nKind: captions\nLanguage: en\n\n",
        "WEBVTT - a harbour\n\nNOTE\n{\n  \"a\": 1,\n\n  \"b\": \"words\"\n}\n\n",
        "WEBVTT\nStyle:\n::cue(c.colorE5E5E5) { color: rgb(1,2,3);\n }\n##\n\n",
        "WEBVTT\nStyle:\n::cue(c.colorE5E5E5) { color: rgb(1,2,3);\n }\n\n##\n\n",
        "WEBVTT\n\nSTYLE\n::cue {\n  background: black;\n\n  color: white;\n}\n\n",
        "WEBVTT\n\nNOTE of two\nlines\n\nREGION\nid:fred\n\n",
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n",
    ],
)  # fmt: skip
def test_headers_comments_and_styles_are_not_said(header: str) -> None:
    assert said(talk(vtt(heads()).replace("WEBVTT\n\n", header), "a.vtt")) == EXPECTED
    damaged = vtt(heads("{} -> {}")).replace("WEBVTT\n\n", header)
    assert said(talk(damaged, "a.vtt")) == EXPECTED


def test_text_above_the_first_cue_is_kept() -> None:
    found = talk(vtt(heads()).replace("WEBVTT\n\n", "WEBVTT\n\nWelcome to the harbour.\n\n"), "a.vtt")
    assert said(found) == [(0, "Welcome to the harbour."), *EXPECTED]


def test_a_blank_line_inside_a_cue_costs_no_words_and_names_of_cues_are_none() -> None:
    rows = [*heads(), "00:00:12,500 --> 00:00:14,000", "00:00:14,500 --> 00:00:16,000", "00:00:17,000 --> 00:00:18,000"]
    torn = "\n\n".join(f"{row}\n{words}" for row, words in zip(rows, [*SAID, "So", "it", "went."], strict=True))
    torn = torn.replace("the boats.", "the\n\nboats of it.").replace(",", ".")
    assert said(talk(f"WEBVTT\n\n{torn}", "a.vtt"))[1] == (4500, "Nobody had chained the boats of it.")
    named = "WEBVTT\n\n" + "\n\n".join(
        f"part {n} of it\n{head}\n{words}" for n, (head, words) in enumerate(zip(heads(), SAID, strict=True))
    )
    found = talk(named.replace(",", "."), "a.vtt")
    assert said(found) == EXPECTED
    assert step(found, "leave-out-identifiers").detail["identifiers"] == 3


def segment(mpegts: int, local: str, start: int, words: str) -> str:
    return (
        f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:{local}\n\n"
        f"00:00:{start:02}.000 --> 00:00:{start + 3:02}.000\n{words}\n\n"
    )


@pytest.mark.parametrize(
    ("maps", "starts"),
    [
        ([(900_000, "00:00:00.000", 1), (1_440_000, "00:00:00.000", 1), (1_980_000, "00:00:00.000", 1)], [1, 7, 13]),
        ([(900_000, "00:00:00.000", 1), (1_440_000, "00:00:06.000", 7), (1_980_000, "00:00:12.000", 13)], [1, 7, 13]),
        ([(900_000, "00:00:00.000", 1), (1_440_000, "00:00:00.000", 7), (1_980_000, "00:00:00.000", 13)], [1, 7, 13]),
        ([(900_000, "00:00:00.000", 1), (900_000, "00:00:00.000", 7), (900_000, "00:00:00.000", 13)], [1, 7, 13]),
        ([(2**33 - 540_000, "00:00:00.000", 1), (0, "00:00:00.000", 1), (540_000, "00:00:00.000", 1)], [1, 7, 13]),
    ],
)
def test_segments_are_counted_on_the_clock_of_the_first(maps: list[tuple[int, str, int]], starts: list[int]) -> None:
    text = "".join(segment(*each, words) for each, words in zip(maps, SAID, strict=True))
    assert [cue.start_ms // 1000 for cue in talk(text, "a.vtt").cues] == starts


# --- tracks of data ---------------------------------------------------------------------------------------------------

DATA = {
    "JSON": ['{"slide": 1, "title": "Pumps"}', '[{"x": 1}]', "[1, 2, 3]", '{\n "type": "ad"\n}'],
    "XML": ['<marker time="1"/>', "<?xml version='1.0'?><a/>", "<event><id>3</id></event>", '<x:y a="1">z</x:y>'],
    "addresses": ["https://example.org/1.png", "thumbs/0004.jpg", "data:image/png;base64,iVBO", "a.webp?x=1"],
    "encoded bytes": ["SUQzBAAAAAAAI1RTU0UAAAAPAAADTGF2ZjU4Ljc2LjEwMAAAAAAAAAAAAAAA", "4944330400000000002354" * 2] * 2,
    "numbers": ["52.5201, 13.4050", "52.5202, 13.4051", "52.5203 13.4052", "-1.5, 2.5"],
    "readings of instruments": ["[iso : 100] [fnum : 280] [ev : 0.7] [altitude: 34.2]", "lat=52.5 lon=13.4 alt=3",
                                "F/2.8, SS 206.06, ISO 100, EV 0, H 6.00m", "id=1;type=3;len=20"],
}  # fmt: skip
SHOWN = (
    ["So this is JSON, look.", '{"slide": 1}', '{"slide": 2}', "and a value, right."],
    ["<v Ana>Good evening</v>", "<i>So</i>", "<c.yellow>welcome</c>", '<FONT COLOR="red">Hi</FONT>'],
    ["<narrator>It was cold.</narrator>", "<narrator>Very.</narrator>", "<ana>Yes.</ana>", "<ana>So.</ana>"],
    ["10", "9", "8", "7"],
    ["It was 3.50", "or 4.20, 5.10", "x = 3, y = 4", "example.org"],
    ["[Music]", "(laughs)", "{\\an8}Hello", "yes"],
)


def four(cues: list[str]) -> str:
    return "\n\n".join(
        f"{n}\n00:00:{n * 5:02},000 --> 00:00:{n * 5 + 4:02},000\n{cue}" for n, cue in enumerate(cues, 1)
    )


@pytest.mark.parametrize("kind", DATA)
def test_a_track_of_data_is_refused_with_the_reason(kind: str) -> None:
    for text, name in (
        (four(DATA[kind]), "a.srt"),
        ("WEBVTT\n\n" + four(DATA[kind]).replace(",000", ".000"), "a.vtt"),
    ):
        with pytest.raises(UnreadableError, match=rf"data for programs \({kind} in \d of 4 cues\)"):
            read(text, name)


@pytest.mark.parametrize("cues", SHOWN)
def test_speech_that_shows_some_data_is_read(cues: list[str]) -> None:
    assert len(read(four(cues), "a.srt").cues) == 4


# --- other formats ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "0:00:04.500，0:00:08.000",
        "０：００：０４．５００，０：００：０８．０００",
        "0:00:04.500.25,0:00:08.000.75",
        "0:00:04.500;0:00:08.000",
        "0:00:04.500,NaN:NaN:NaN",
        "0:00:04.500,",
        "0: 00: 04.500, 0: 00: 08.000",
        "0.00.04.500,0.00.08.000",
        "0:00:04.500",
    ],
)
def test_sbv_is_damaged_in_the_same_ways(line: str) -> None:
    lines = ["0:00:01.000,0:00:04.000", "0:00:04.500,0:00:08.000", "0:00:08.500,0:00:12.000"]
    for place in (1,):
        assert said(talk(srt([*lines[:place], line, *lines[place + 1 :]], numbered=False), "a.sbv")) == EXPECTED
    first = talk(srt([line, lines[2], "0:00:12.500,0:00:15.000"], numbered=False), "a.sbv")
    assert [cue.text for cue in first.cues] == list(SAID)
    assert first.cues[0].start_ms == 4500


def test_a_schedule_said_in_sbv_stays_speech() -> None:
    found = talk("0:00:01.000,0:00:04.000\nopen\n\n10:30,11:15\n\n0:00:04.500,0:00:08.000\ndaily\n", "a.sbv")
    assert said(found) == [(1000, "open 10:30,11:15"), (4500, "daily")]


def ass(times: list[tuple[str, str]]) -> str:
    return "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n" + "".join(
        f"Dialogue: 0,{start},{end},Default,,0,0,0,,{words}\n" for (start, end), words in zip(times, SAID, strict=True)
    )


@pytest.mark.parametrize(
    "time",
    [
        "0:00:04.500000",
        "０：００：０４．５０",
        "0:00:04:50",
        "000:00:04.50",
        "0: 00: 04.50",
        "0.00.04.50",
        "0:00:04.5:",
    ],
)
def test_times_of_substation_are_damaged_in_the_same_ways(time: str) -> None:
    text = ass([("0:00:01.00", "0:00:04.00"), (time, "NaN"), ("0:00:08.50", "0:00:12.00")])
    assert said(talk(text, "a.ass")) == EXPECTED


@pytest.mark.parametrize("starts", [
    ("1000", "4500", "8500"), ('"1,000"', '"4,500"', '"8,500"'), ("1000.5", "4500.5", "8500.5"),
    ("00:00:01.000", "00:00:04.500", "00:00:08.500"), ("1000ms", "4500ms", "8500ms"),
    ("１０００", "４５００", "８５００"),
])  # fmt: skip
def test_starts_of_sami_are_written_in_many_ways(starts: tuple[str, ...]) -> None:
    body = "".join(f"<SYNC Start={start}><P Class=EN>{words}\n" for start, words in zip(starts, SAID, strict=True))
    assert said(talk(f"<SAMI><BODY>{body}</BODY></SAMI>", "a.smi")) == EXPECTED


@pytest.mark.parametrize("start", ["NaN", '""', "soon"])
def test_a_cue_of_sami_without_a_start_is_kept(start: str) -> None:
    for place in range(3):
        starts = ["1000", "4500", "8500"]
        starts[place] = start
        body = "".join(f"<SYNC Start={each}><P Class=EN>{words}\n" for each, words in zip(starts, SAID, strict=True))
        found = talk(f"<SAMI><BODY>{body}</BODY></SAMI>", "a.smi")
        assert [cue.text for cue in found.cues] == list(SAID)
        assert any("had no start" in note for note in found.receipt.uncertain)


@pytest.mark.parametrize(
    "frames", ["{NaN}{NaN}", "{}{200}", "{112.5}{200.0}", "｛１１２｝｛２００｝", "[112][200]", "{-5}{3}"]
)
def test_no_cue_of_microdvd_is_lost(frames: str) -> None:
    for place in range(3):
        rows = ["{25}{100}", "{112}{200}", "{212}{300}"]
        rows[place] = frames
        text = "{1}{1}25.000\n" + "\n".join(f"{row}{words}" for row, words in zip(rows, SAID, strict=True))
        assert {cue.text for cue in talk(text, "a.sub").cues} == set(SAID)


@pytest.mark.parametrize("start", ["NaN", "", "4,5", "soon"])
@pytest.mark.parametrize("ending", ["srv1", "srv2", "srv3"])
def test_no_cue_of_youtubes_xml_is_lost(ending: str, start: str) -> None:
    tag, key, scale = {"srv1": ("text", "start", 1), "srv2": ("text", "t", 1000), "srv3": ("p", "t", 1000)}[ending]
    root = {"srv1": "transcript", "srv2": "timedtext", "srv3": "timedtext"}[ending]
    starts = [str(scale), start.replace("4,5", "4500,5") if scale > 1 else start, str(9 * scale)]
    body = "".join(f'<{tag} {key}="{each}">{words}</{tag}>' for each, words in zip(starts, SAID, strict=True))
    body = f"<body>{body}</body>" if ending == "srv3" else body
    found = talk(f"<{root}>{body}</{root}>", f"a.{ending}")
    assert [cue.text for cue in found.cues] == list(SAID)
    assert [found.cues[0].start_ms, found.cues[2].start_ms] == [1000, 9000]


@pytest.mark.parametrize("stamps", [
    ("[00:01:00]", "[00:04:50]", "[00:08:50]"),
    ("［００：０１．００］", "［００：０４．５０］", "［００：０８．５０］"),
    ("[00: 01.00]", "[00: 04.50]", "[00: 08.50]"), ("[00.01.00]", "[00.04.50]", "[00.08.50]"),
    ("【00:01.00】", "【00:04.50】", "【00:08.50】"), ("[00:00:01.00]", "[00:00:04.50]", "[00:00:08.50]"),
])  # fmt: skip
def test_lyrics_are_damaged_in_the_same_ways(stamps: tuple[str, ...]) -> None:
    text = "[ti:Harbour]\n" + "\n".join(f"{stamp}{words}" for stamp, words in zip(stamps, SAID, strict=True))
    assert said(talk(text, "a.lrc")) == EXPECTED


def test_a_line_of_lyrics_without_a_time_stands_between_its_neighbours() -> None:
    found = talk("\n".join(map("".join, zip(("[00:01.00]", "[NaN:NaN]", "[00:08.50]"), SAID, strict=True))), "a.lrc")
    assert said(found) == [EXPECTED[0], (4750, SAID[1]), EXPECTED[2]]


# --- TTML -------------------------------------------------------------------------------------------------------------


def ttml(body: str, head: str = "") -> str:
    names = "".join(f' xmlns:{name}="urn:{name}"' for name in ("ttm", "tts", "ttp", "podcasts", "itunes"))
    return f'<tt xmlns="http://www.w3.org/ns/ttml"{names}><head>{head}</head><body><div>{body}</div></body></tt>'


def span(word: str, begin: float, extra: str = "") -> str:
    return f'<span begin="{begin:.1f}" end="{begin + 0.3:.1f}"{extra}>{word}</span>'


AGENTS = '<metadata><ttm:agent type="person" xml:id="{}"/><ttm:agent type="person" xml:id="{}"/></metadata>'


def words_of(found: Talk) -> list[list[tuple[str, int]]]:
    return [[(word.text, word.start_ms) for word in cue.words] for cue in found.cues]


def test_a_span_of_a_word_is_a_word() -> None:
    unit = ' podcasts:unit="word"'
    first = span("Good", 1.0, unit) + span("evening", 1.5, unit) + span(".", 1.9, unit)
    sentence = '<span begin="{}" end="{}" podcasts:unit="sentence">{}</span>'
    body = f'<p begin="1.0" end="3.0" ttm:agent="A">{sentence.format("1.0", "2.0", first)}'
    body += f"{sentence.format('2.1', '3.0', span('Welcome', 2.1, unit))}</p>"
    body += f'<p begin="4.0" end="5.0" ttm:agent="B">{span("Thanks", 4.0, unit)}{span("Ana", 4.5, unit)}</p>'
    found = talk(ttml(body, AGENTS.format("A", "B")), "a.ttml")
    assert [(cue.speaker, cue.text) for cue in found.cues] == [("A", "Good evening. Welcome"), ("B", "Thanks Ana")]
    assert words_of(found)[0] == [("Good", 1000), ("evening.", 1500), ("Welcome", 2100)]


def test_spans_that_never_have_a_space_between_them_are_words_and_others_may_be_parts_of_words() -> None:
    words = "".join(span(word, 1 + i / 2) for i, word in enumerate(("Good", "evening", "all", "of")))
    assert talk(ttml(f'<p begin="1.0" end="4.0">{words}</p>'), "a.ttml").cues[0].text == "Good evening all of"
    parts = f"{span('riv', 1.0)}{span('er', 1.4)} {span('banks', 1.9)} {span('rise', 2.4)}"
    assert [cue.text for cue in read(ttml(f'<p begin="1.0" end="4.0">{parts}</p>'), "a.ttml").cues] == [
        "river banks rise"
    ]
    kana = "".join(span(word, 1 + i / 2, ' podcasts:unit="word"') for i, word in enumerate(("橋", "は", "古い")))
    assert talk(ttml(f'<p begin="1.0" end="4.0">{kana}</p>'), "a.ttml").cues[0].text == "橋は古い"


def test_lyrics_of_apple_have_voices_in_the_background_and_what_is_said_anew() -> None:
    body = (
        f'<p begin="1.0" end="4.0" ttm:agent="v1">{span("Down", 1.0)} {span("there", 1.5)}'
        f'<span ttm:role="x-bg">{span("(oh", 3.0)} {span("yes)", 3.2)}</span>'
        '<span ttm:role="x-translation" xml:lang="de">Da unten</span><span ttm:role="x-roman">daun</span></p>'
        f'<p begin="5.0" end="6.0" ttm:agent="v2">{span("We", 5.0)} {span("go", 5.4)}</p>'
    )
    found = talk(ttml(body, AGENTS.format("v1", "v2")), "a.ttml")
    assert [(cue.speaker, cue.text) for cue in found.cues] == [
        ("Speaker 1", "Down there (oh yes)"),
        ("Speaker 2", "We go"),
    ]
    assert step(found, "leave-out-readings").detail == {"by": "read", "words_left_out": 3}


def test_readings_above_words_are_left_out_of_ttml_and_webvtt() -> None:
    ruby = '<span tts:ruby="container"><span tts:ruby="base">橋</span><span tts:ruby="text">はし</span></span>です'
    found = talk(ttml(f'<p begin="1s" end="3s">{ruby}</p>'), "a.ttml")
    assert said(found) == [(1000, "橋です")]
    assert step(found, "leave-out-readings").detail["words_left_out"] == 2
    assert (
        talk("WEBVTT\n\n00:01.000 --> 00:03.000\n<ruby>橋<rt>はし</rt></ruby>です\n", "a.vtt").cues[0].text == "橋です"
    )


def test_a_paragraph_whose_time_is_none_follows_the_one_before() -> None:
    body = (
        '<p begin="１.5s" end="3s">One</p><p begin="NaN" end="5s">two</p><p begin="00：00：06，5" end="NaN">three</p>'
    )
    assert said(talk(ttml(body), "a.ttml")) == [(1500, "One"), (3000, "two"), (6500, "three")]


# --- the clock --------------------------------------------------------------------------------------------------------


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999), st.sampled_from(list(SIDES)))
def test_every_damage_leaves_the_time(hours: int, minutes: int, seconds: int, ms: int, form: str) -> None:
    if form in ("no hour", "a colon at the end", "a unit"):
        return
    time = SIDES[form](f"{hours:02}:{minutes:02}:{seconds:02},{ms:03}")
    if form == "a space for the comma":
        time = time.replace(" ", ",")
    assert read_damaged_clock(plain_signs(time)) == ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms


@pytest.mark.parametrize(
    "text", ["", "12", "3.5", "word", "00:75:00", "00:00:61,000", "1 2", "1:2:3:4:5:6", "12:3x4", "v1.2.3.4.5"]
)
def test_what_is_not_certain_is_no_time(text: str) -> None:
    assert read_damaged_clock(text) is None


def test_a_receipt_names_the_damage() -> None:
    found = talk(srt([heads()[0], heads("{} -> NaN")[1], heads()[2]]), "a.srt")
    assert isinstance(found.receipt, Receipt)
    detail = step(found, "read-damaged-times").detail
    assert (detail["lines"], detail["first_line"], detail["times_of_neighbours"]) == (1, 6, 0)
