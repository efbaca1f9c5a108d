"""Times and cues as strangers' files have them: times in odd writing, marks without tags, cues cut at borders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.replay import replay

SAID = (
    "The ferry left the quay at dawn.",
    "Nobody had counted the sheep aboard.",
    "Halfway over, the engine fell silent.",
    "We rowed the rest with planks.",
)
STARTS = (1.0, 4.0, 7.0, 10.0)
WORDS = ["The", "pilot", "taps", "the", "old", "compass", "twice"]
OTHERS = ["Then", "a", "deep", "bell", "rings", "below"]


def clock(seconds: float, point: str = ",") -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def srt(cues: list[tuple[float, float, str]]) -> str:
    return "".join(f"{i}\n{clock(a)} --> {clock(b)}\n{text}\n\n" for i, (a, b, text) in enumerate(cues, 1))


FERRY = [(start, start + 2.0, text) for start, text in zip(STARTS, SAID, strict=True)]


def talk_of(folder: Path, name: str, text: str) -> Talk:
    """Read a file; every word of it must be accounted for, and the receipt must give the same cues again."""
    path = folder / name
    path.write_bytes(text.encode())
    talk = read_talk(path)
    assert talk.receipt.words_lost == 0, talk.receipt.uncertain
    assert replay(path.read_bytes(), name, talk.receipt) == talk.cues
    return talk


def cues_of(talk: Talk) -> list[tuple[float, str]]:
    return [(cue.start_ms / 1000, cue.text) for cue in talk.cues]


def steps_of(talk: Talk) -> list[str]:
    return [step.name for step in talk.receipt.steps]


@pytest.mark.parametrize(
    "text",
    [
        "".join(
            f"{i}\n0 days {clock(a, '.')}000 --> 0 days {clock(b, '.')}000\n{text}\n\n"
            for i, (a, b, text) in enumerate(FERRY, 1)
        ),
        "".join(f"**{i}**\n**{clock(a)} --> {clock(b)}**\n{text}\n\n" for i, (a, b, text) in enumerate(FERRY, 1)),
        "".join(f"#{i}\n{clock(a)} -->\n{clock(b)}\n{text}\n\n" for i, (a, b, text) in enumerate(FERRY, 1)),
        "".join(f"{i}\n{clock(a)}\n--> {clock(b)}\n{text}\n\n" for i, (a, b, text) in enumerate(FERRY, 1)),
        "".join(
            f"{i}\n{clock(a, chr(39))} --> {clock(b, chr(39))}\n{text}\n\n" for i, (a, b, text) in enumerate(FERRY, 1)
        ),
        "".join(f"{i}\n{clock(a)} --> {clock(b)}align:start\n{text}\n\n" for i, (a, b, text) in enumerate(FERRY, 1)),
        "".join(
            f"{i}<br>\n{clock(a)} --&gt; {clock(b)}<br>\n{text}<br>\n<br>\n" for i, (a, b, text) in enumerate(FERRY, 1)
        ),
        srt(FERRY).replace("\n", "\u2028"),
        f"```srt\n{srt(FERRY)}```\n",
    ],
    ids=["days", "bold", "two-lines", "arrow-below", "apostrophe", "glued", "breaks", "separators", "fence"],
)
def test_times_in_odd_writing(tmp_path: Path, text: str) -> None:
    assert cues_of(talk_of(tmp_path, "ferry.srt", text)) == list(zip(STARTS, SAID, strict=True))


def test_a_fence_around_webvtt_and_what_is_said_about_fences(tmp_path: Path) -> None:
    text = "WEBVTT\n\n" + "".join(f"{clock(a, '.')} --> {clock(b, '.')}\n{said}\n\n" for a, b, said in FERRY)
    assert cues_of(talk_of(tmp_path, "ferry.vtt", f"```vtt\n{text}```")) == list(zip(STARTS, SAID, strict=True))
    marked = [(0.0, 2.0, "Write `git add` first"), (3.0, 5.0, "then `git push`"), (6.0, 8.0, "and **bold** is bold")]
    assert [text for _, text in cues_of(talk_of(tmp_path, "git.srt", srt(marked)))] == [text for *_, text in marked]


def test_minutes_that_were_never_carried_over(tmp_path: Path) -> None:
    cues = "".join(f"{i}\n00:{74 + i}:00,000 --> 00:{74 + i}:03,000\n{text}\n\n" for i, text in enumerate(SAID, 1))
    assert [start for start, _ in cues_of(talk_of(tmp_path, "long.srt", cues))] == [4500.0, 4560.0, 4620.0, 4680.0]


def test_a_sentence_before_a_time_is_no_name(tmp_path: Path) -> None:
    text = "\n".join(f"{said} [0:{int(start) + 2:02}]" for start, said in zip(STARTS, SAID, strict=True))
    talk = talk_of(tmp_path, "ends.txt", text)
    assert [text for _, text in cues_of(talk)] == list(SAID)
    assert {cue.speaker for cue in talk.cues} == {None}


def test_substation_with_commas_in_its_times_and_drawings(tmp_path: Path) -> None:
    rows = "".join(
        f"Dialogue: 0,{clock(a)[1:11]},{clock(b)[1:11]},Default,,0,0,0,,{text}, {{\\i1}}so{{\\i0}}\\Nit\\hgoes\n"
        for a, b, text in FERRY
    )
    drawing = "Dialogue: 0,0:00:20.00,0:00:21.00,Default,,0,0,0,,{\\p1}m 0 0 l 90 0 90 90{\\p0}\n"
    talk = talk_of(tmp_path, "ferry.ass", f"[Events]\n{rows}{drawing}")
    assert cues_of(talk) == [(start, f"{text}, so it goes") for start, text in zip(STARTS, SAID, strict=True)]
    assert "leave-out-drawings" in steps_of(talk)


def test_several_ttml_documents_in_one_file(tmp_path: Path) -> None:
    def document(cues: list[tuple[float, float, str]]) -> str:
        rows = "".join(f'<p begin="{clock(a, ".")}" end="{clock(b, ".")}">{text}</p>' for a, b, text in cues)
        return f'<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body><div>{rows}</div></body></tt>\n'

    talk = talk_of(tmp_path, "ferry.ttml", document(FERRY[:2]) + "\ufeff" + document(FERRY[1:]))
    assert cues_of(talk) == list(zip(STARTS, SAID, strict=True))
    assert {"join-documents", "drop-copies"} <= set(steps_of(talk))


@pytest.mark.parametrize(("begin", "end"), [("**", "**"), ("_", "_"), ("[", "]"), ("*", "*"), ("【", "】"), ("", "")])
def test_a_mark_without_tags_that_moves(tmp_path: Path, begin: str, end: str) -> None:
    cues = []
    for first, words in ((1.0, WORDS), (6.0, OTHERS)):
        for i, word in enumerate(words):
            marked = f"{begin}{word}{end}" if begin else word.upper()
            line = " ".join([*words[:i], marked, *words[i + 1 :]])
            cues.append((first + 0.4 * i, first + 0.4 * i + 0.4, line))
    talk = talk_of(tmp_path, "sung.srt", srt(cues))
    assert cues_of(talk) == [(1.0, " ".join(WORDS)), (6.0, " ".join(OTHERS))]
    assert "follow-highlights" in steps_of(talk)


def test_a_chant_with_other_stress_stays(tmp_path: Path) -> None:
    chant = ["We want MORE", "We WANT more", "WE want more", "and then the hall went quiet"]
    cues = [(3.0 * i, 3.0 * i + 2.8, text) for i, text in enumerate(chant)]
    assert [text for _, text in cues_of(talk_of(tmp_path, "chant.srt", srt(cues)))] == chant


def many(count: int) -> list[tuple[float, float, str]]:
    return [(4.0 * i, 4.0 * i + 3.6, f"{SAID[i % 4][:-1]} on day {i + 100}.") for i in range(count)]


def cut(cues: list[tuple[float, float, str]], every: int) -> list[tuple[float, float, str]]:
    out = []
    for i, (a, b, text) in enumerate(cues):
        halves = [(a, a + 1.5, text), (a + 1.5, b, text)] if i and i % every == 0 else [(a, b, text)]
        out += halves
    return out


def test_cues_cut_at_the_borders_of_segments_are_whole(tmp_path: Path) -> None:
    cues = many(26)
    assert cues_of(talk_of(tmp_path, "grid.srt", srt(cut(cues, 5)))) == [(a, text) for a, _, text in cues]
    halves = cut(cues, 5)
    blocks = [f"{clock(a, '.')} --> {clock(b, '.')}\n{text}\n\n" for a, b, text in halves]
    again = [i for i in range(1, len(halves)) if halves[i][2] == halves[i - 1][2]][:2]
    text = "".join(("WEBVTT\n\n" if i in (0, *again) else "") + block for i, block in enumerate(blocks[:14]))
    assert cues_of(talk_of(tmp_path, "headed.vtt", text)) == [(a, text) for a, _, text in cues[:12]]


def test_lines_that_are_sung_twice_stay(tmp_path: Path) -> None:
    lines = ["Row, row, row the boat", "gently down the stream", "merrily we go along", "and home again we come"]
    twice = [line for line in lines for _ in range(2)]
    apart = [twice[0], twice[0], lines[1], lines[2], lines[2], lines[3], twice[0], twice[0]]
    for sung in (twice, apart):
        cues = [(4.0 * i, 4.0 * i + 4, text) for i, text in enumerate(sung)]
        assert [text for _, text in cues_of(talk_of(tmp_path, "song.srt", srt(cues)))] == sung


def test_files_with_their_own_marks_joined_into_one(tmp_path: Path) -> None:
    cues = [f"{clock(a, '.')} --> {clock(b, '.')}\n{text}\n\n" for a, b, text in FERRY]
    text = "\ufeffWEBVTT\n\n" + "".join(cues[:2]) + "\ufeffWEBVTT\n\n" + "".join(cues[1:])
    talk = talk_of(tmp_path, "all.vtt", text.replace("\n", "\r\n"))
    assert cues_of(talk) == list(zip(STARTS, SAID, strict=True))


def test_days_before_times_and_signs_of_another_width(tmp_path: Path) -> None:
    cues = many(12)
    dated = "\n".join(f"[2025-11-03 {clock(50_000 + a, '.')[:8]}] {text}" for a, _, text in cues)
    iso = "\n".join(f"[2025-11-03T{clock(50_000 + a, '.')}Z] {text}" for a, _, text in cues)
    wide = "\n".join(f"［{clock(a)[3:8].replace(':', '：')}］{text}" for a, _, text in cues)
    for text in (dated, iso, wide):
        assert cues_of(talk_of(tmp_path, "log.txt", text)) == [(a, text) for a, _, text in cues]
    log = "\n".join(
        f"[2025-11-03 14:23:{i:02}] app.ERROR: the host of room {i} refused the connection of the other side again"
        for i in range(30)
    )
    assert read_talk_timing(tmp_path, log) == "estimated"


def read_talk_timing(folder: Path, text: str) -> str:
    return talk_of(folder, "app.txt", text).timing


def test_a_table_with_halves_of_the_day(tmp_path: Path) -> None:
    rows = [f"2:{23 + i}:10 PM,2:{23 + i}:50 PM,Ana,{said}" for i, said in enumerate(SAID)]
    talk = talk_of(tmp_path, "table.csv", "Start,End,Speaker,Text\n" + "\n".join(rows))
    assert cues_of(talk) == [(60.0 * i, said) for i, said in enumerate(SAID)]


def test_rows_of_labels_and_the_first_line_of_microdvd_are_accounted_for(tmp_path: Path) -> None:
    labels = "\n".join(f"{a:.6f}\t{b:.6f}\t{text}" for a, b, text in FERRY)
    frames = "{1}{1}25.000\n" + "\n".join(f"{{{int(25 * a)}}}{{{int(25 * b)}}}{text}" for a, b, text in FERRY)
    ruby = "00:01.000 --> 00:03.000\nThe <ruby>橋<rt>はし</rt></ruby> is old\n\n00:04.000 --> 00:06.000\nand long\n"
    for name, text in (("ferry.txt", labels), ("ferry.sub", frames)):
        assert cues_of(talk_of(tmp_path, name, text)) == list(zip(STARTS, SAID, strict=True))
    assert cues_of(talk_of(tmp_path, "ruby.vtt", f"WEBVTT\n\n{ruby}")) == [(1.0, "The 橋 is old"), (4.0, "and long")]


def test_an_hour_with_a_sidecar_in_joined_documents(tmp_path: Path) -> None:
    (tmp_path / "late.info.json").write_text(json.dumps({"id": "late", "title": "Late", "duration": 14}))
    late = [(a + 3600, b + 3600, text) for a, b, text in FERRY]
    assert cues_of(talk_of(tmp_path, "late.srt", f"```\n{srt(late)}```")) == list(zip(STARTS, SAID, strict=True))


def test_captions_whose_line_ends_were_lost(tmp_path: Path) -> None:
    numbered = " ".join(f"{i} {clock(a)} --> {clock(b)} {text}" for i, (a, b, text) in enumerate(FERRY, 1))
    headed = "WEBVTT " + " ".join(f"{clock(a, '.')} --> {clock(b, '.')} {text}" for a, b, text in FERRY)
    for name, text in (("flat.srt", numbered), ("flat.vtt", headed)):
        talk = talk_of(tmp_path, name, text)
        assert cues_of(talk) == list(zip(STARTS, SAID, strict=True))
        assert "break-lines" in steps_of(talk)
    counted = [(5.0 * i, 5.0 * i + 4, f"we counted to {i * 7}") for i in range(1, 5)]
    said = " ".join(f"{clock(a)} --> {clock(b)} {text}" for a, b, text in counted)
    assert [text for _, text in cues_of(talk_of(tmp_path, "said.srt", said))] == [text for *_, text in counted]
