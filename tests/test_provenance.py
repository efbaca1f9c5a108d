"""The untouched source behind a stretch of a talk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import DATA, SHARED
from fakes import CountingEncoder

from talksearch.cli.main import cli
from talksearch.cli.render import talks
from talksearch.cli.terminal import Style
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.provenance import Source, locate_cues
from talksearch.indexer.talks.walk import may_be_transcript
from talksearch.search.moments import cues_between, split_moment

SAID = ("So to close out the show, I'd like to", "dive a little bit deeper into", "very, very long and", "good talks")
FLAT = " ".join(f"{line} {line} {line}" for line in SAID)
HEADER = "Title: {}\nURL: https://youtu.be/DTcRLlMv4_o\nStatus: success\nDuration: 0:09\nContent:\n"
ROLLING = (
    "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:00.000 --> 00:00:02.990\n \nThis<00:00:00.600><c> program</c>\n\n"
    "00:00:02.990 --> 00:00:03.000\nThis program\n \n\n00:00:03.000 --> 00:00:05.000\nThis program\n"
    "is<00:00:03.200><c> made</c><00:00:03.500><c> possible</c>\n\n00:00:05.000 --> 00:00:05.010\nis made possible\n"
    " \n\n00:00:05.010 --> 00:00:07.000\nis made possible\nby<00:00:05.200><c> you</c>\n"
)


def found(folder: Path, name: str, data: bytes) -> tuple[Talk, Source]:
    path = folder / name
    path.write_bytes(data)
    talk = load_talk(open_file(path, data), name)
    return talk, locate_cues(data, name, talk)


def behind(folder: Path, name: str, data: bytes | str, first: int, last: int | None = None) -> str:
    _, source = found(folder, name, data if isinstance(data, bytes) else data.encode())
    start, end = source.span_of(first, first if last is None else last)
    return source.text[start:end]


def test_a_rolling_caption_shows_every_time_its_line_was_shown(tmp_path: Path) -> None:
    shown = behind(tmp_path, "a.en.vtt", ROLLING, 1)
    assert shown == ROLLING[ROLLING.index("00:00:03.000 --> 00:00:05.000") : ROLLING.index("00:00:05.010 --> ")]
    assert shown.count("possible") == 2
    assert behind(tmp_path, "a.en.vtt", ROLLING, 0, 2) == ROLLING[ROLLING.index("00:00:00.000 -->") :]


def test_of_an_enormous_line_the_very_characters_are_shown(tmp_path: Path) -> None:
    long = f"{FLAT} " * 12
    data = HEADER.format("T") + long
    assert behind(tmp_path, "r.txt", data, 1) == f"{SAID[1]} " * 3
    assert behind(tmp_path, "r.txt", data, 4, 5) == f"{SAID[0]} " * 3 + f"{SAID[1]} " * 3


def test_damaged_letters_stay_as_the_file_has_them(tmp_path: Path) -> None:
    lines = ["Ein schöner Morgen für größere Dinge.", "Die Bäume über uns wären müde.", "Also los, höher hinauf!"]
    misread = [line.encode().decode("cp1252") for line in lines]
    srt = "".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n{line}\n\n" for i, line in enumerate(misread, 1))
    talk, source = found(tmp_path, "a.srt", srt.encode())
    assert talk.cues[1].text == lines[1]
    start, end = source.span_of(1, 1)
    assert source.text[start:end] == f"2\n00:00:02,000 --> 00:00:02,900\n{misread[1]}\n\n"


def test_json_shows_its_objects_although_letters_are_escaped(tmp_path: Path) -> None:
    rows = [
        {"text": text, "start": float(i), "duration": 1.0} for i, text in enumerate(("時光飛逝", "我們走吧", "再見"))
    ]
    data = json.dumps(rows)
    assert "\\u" in data
    assert json.loads(behind(tmp_path, "a.json", data, 1)) == rows[1]


def test_line_ends_stay(tmp_path: Path) -> None:
    data = b"WEBVTT\r\n\r\n1\r\n00:01.000 --> 00:02.000\r\nOne is.\r\n\r\n2\r\n00:02.000 --> 00:03.000\r\nTwo is.\r\n"
    assert behind(tmp_path, "a.vtt", data, 1) == "2\r\n00:02.000 --> 00:03.000\r\nTwo is.\r\n"


def test_a_time_above_its_line_belongs_to_it(tmp_path: Path) -> None:
    data = "0:00\nHello to all of you.\n0:05\nTime flies like an arrow.\n0:09\nSo it does.\n"
    assert behind(tmp_path, "a.txt", data, 1) == "0:05\nTime flies like an arrow.\n"


def sample_files() -> list[Path]:
    return [p for p in sorted(DATA.rglob("*")) if p.is_file() and may_be_transcript(p) and p.parent.name != "broken"]


def check(path: Path) -> None:
    """Every cue's source comes in order, and nearly every cue's words stand in it."""
    data = path.read_bytes()
    talk = load_talk(open_file(path, data), path.name)
    source = locate_cues(data, path.name, talk)
    assert list(source.starts) == sorted(source.starts)
    assert len(source.starts) == len(talk.cues)
    plain = [(i, cue) for i, cue in enumerate(talk.cues) if cue.text.isascii() and '"' not in cue.text]
    within = 0
    for i, cue in plain:
        start, end = source.span_of(i, i)
        within += all(word in source.text[start:end] for word in cue.text.replace("&", " ").split())
    # In a meeting cues of one word ("Okay .") follow each other, and some are found a line too early or too late.
    assert within >= 0.9 * len(plain), f"{path.name}: {within} of {len(plain)}"


@pytest.mark.parametrize("path", sample_files(), ids=lambda path: path.name[:30])
def test_the_words_of_a_cue_stand_in_its_source(path: Path) -> None:
    if path.parent != DATA:
        check(path)


@pytest.mark.realdata
def test_the_words_of_real_cues_stand_in_their_sources() -> None:
    folders = (("seed", 1), ("rolling", 40), ("records/flat_text", 7), ("records/flat_timed", 7), ("bitcoin", 40),
               ("nyu", 9), ("ethereum", 30), ("zoom", 25), ("qmsum", 120))  # fmt: skip
    for folder, step in folders:
        paths = [p for p in sorted((SHARED / "archive" / folder).iterdir()) if may_be_transcript(p)]
        assert paths
        for path in paths[::step]:
            # lecture11 holds two tracks of the talk, of which the second was kept: they cannot be told apart by words.
            if path.name != "lecture11.vtt":
                check(path)


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "On time [DTcRLlMv4_o].en.vtt").write_text(ROLLING, encoding="utf-8")
    escape = "WEBVTT\n\n00:01.000 --> 00:02.000\nRed \x1b[31malert\x1b[0m and more.\n"
    (folder / "escape.vtt").write_text(escape, encoding="utf-8")
    build_index(tmp_path / "index", [folder], encoder=CountingEncoder())
    return folder


def run(*args: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, args, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_raw_prints_the_whole_file(archive: Path) -> None:
    assert run("show", "DTcRLlMv4_o", "--raw").stdout == ROLLING


@pytest.mark.parametrize(
    "args",
    [
        ("DTcRLlMv4_o", "--from", "3", "--to", "4"),
        ("https://www.youtube.com/watch?v=DTcRLlMv4_o", "--from", "3", "--to", "4"),
        ("DTcRLlMv4_o@3", "--to", "4"),
        ("https://youtu.be/DTcRLlMv4_o?t=3", "--to", "4"),
    ],
)
def test_raw_prints_a_stretch(archive: Path, args: tuple[str, ...]) -> None:
    shown = run("show", *args, "--raw").stdout
    assert shown == ROLLING[ROLLING.index("00:00:03.000 --> 00:00:05.000") : ROLLING.index("00:00:05.010 --> ")]


def test_raw_at_a_moment_prints_the_passage(archive: Path) -> None:
    assert run("show", "DTcRLlMv4_o@3", "--raw").stdout.rstrip("\n") == ROLLING[
        ROLLING.index("00:00:03.000 -->") :
    ].rstrip("\n")


def test_show_begins_at_the_moment(archive: Path) -> None:
    assert "program" in run("show", "DTcRLlMv4_o").stdout
    shown = run("show", "DTcRLlMv4_o@5.5").stdout
    assert "by you" in shown
    assert "program" not in shown
    assert "by you" not in run("show", "DTcRLlMv4_o", "--to", "4").stdout
    rows = [json.loads(line) for line in run("show", "DTcRLlMv4_o@3", "--format", "jsonl").stdout.splitlines()]
    assert [row["text"] for row in rows] == ["is made possible", "by you"]


SPOKEN = [
    Cue(1000, 9000, "a"),
    Cue(2000, 3000, "b"),
    Cue(2000, 3100, "c"),
    Cue(10_000, 11_000, "d"),
    Cue(12_000, 12_000, "e"),
]


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "said"),
    [
        (0, None, "abcde"),
        (0, 1000, ""),
        (0, 1001, "a"),
        (1500, 1500, "a"),
        (2000, None, "bcde"),
        (2000, 2000, "bc"),
        (2500, 2600, "abc"),
        (3050, 10_001, "cd"),
        (5000, 6000, "a"),  # though others began and ended meanwhile
        (9000, 10_000, ""),
        (9000, None, "de"),
        (11_500, 11_600, ""),
        (12_000, None, "e"),
        (12_001, None, ""),
        (10**12, None, ""),
    ],
)
def test_only_what_is_said_in_a_stretch_is_of_it(from_ms: int, to_ms: int | None, said: str) -> None:
    assert "".join(SPOKEN[at].text for at in cues_between(SPOKEN, from_ms, to_ms)) == said


@pytest.mark.parametrize(
    ("name", "at_ms"),
    [
        ("a@5", 5000),
        ("a@99999999999999999999999", 10**12),
        ("a@" + "9" * 500, 10**12),
        ("a@" + "9" * 200 + ":" + "9" * 200, 10**12),
        ("https://youtu.be/a?t=" + "9" * 5000, 10**12),
        ("https://youtu.be/a?t=1h1m1s", 3_661_000),
    ],
)
def test_moments_have_a_bound(name: str, at_ms: int) -> None:
    assert split_moment(name)[1] == at_ms


def test_a_stretch_in_which_nothing_is_said_shows_no_other(archive: Path) -> None:
    for form in ("text", "jsonl"):
        for raw in ([], ["--raw"]):
            result = run("show", "escape", "--from", "0", "--to", "0.5", "--format", form, *raw)
            assert "alert" not in result.stdout
            assert "Nothing is said in that stretch" in result.stderr
            assert "begin at 0:01." in result.stderr
    assert run("show", "escape", "--from", "1.5").stderr == ""


def test_raw_for_programs_names_the_characters(archive: Path) -> None:
    lines = run("show", "DTcRLlMv4_o", "--raw", "--format", "jsonl").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["text"] for row in rows] == ["This program", "is made possible", "by you"]
    assert all(row["raw"] == ROLLING[row["raw_start"] : row["raw_end"]] for row in rows)
    assert {"start_s", "end_s", "url", "timing"} <= set(rows[0])


def test_no_control_character_reaches_a_terminal(archive: Path) -> None:
    data = (archive / "escape.vtt").read_bytes()
    talk = load_talk(open_file(archive / "escape.vtt", data), "escape.vtt")
    for positions in (None, range(1)):
        terminal = talks.source_text(talk, data, positions, Style(color=True, links=True, width=80))
        assert "\x1b" not in terminal
        assert "alert" in terminal
        piped = talks.source_text(talk, data, positions, Style(color=False, links=False, width=80))
        assert "\x1b[31malert" in piped


def test_a_file_that_changed_or_is_gone_is_not_shown_as_the_source(archive: Path) -> None:
    path = archive / "On time [DTcRLlMv4_o].en.vtt"
    path.write_text(ROLLING + "\n", encoding="utf-8")
    assert "has changed since it was indexed" in run("show", "DTcRLlMv4_o", "--raw", code=1).stderr
    path.unlink()
    assert "is not there any more" in run("show", "DTcRLlMv4_o@3", "--raw", code=1).stderr
    assert "possible" in run("show", "DTcRLlMv4_o").stdout


def test_the_receipt_is_shown_to_people_and_programs(archive: Path) -> None:
    shown = run("show", "DTcRLlMv4_o", "--receipt").stdout
    assert "86 in the file: 64 markup, 10 said there again, 7 indexed, 5 about the talk" in shown
    assert "exact, as they stand in the file" in shown
    assert "collapse-rolling" in shown
    (row,) = (
        json.loads(line) for line in run("show", "DTcRLlMv4_o", "--receipt", "--format", "jsonl").stdout.splitlines()
    )
    assert (row["talk_id"], row["words_before"], row["words_after"], row["words_lost"]) == ("DTcRLlMv4_o", 86, 7, 0)
    assert [step["name"] for step in row["steps"]][:2] == ["decode", "read"]
    assert run("show", "DTcRLlMv4_o", "--receipt", "--raw", code=2)


def test_inspect_shows_what_was_repaired_by_which_rule(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_text(HEADER.format("CafÃ© au lait dâ€™hier") + FLAT, encoding="utf-8")
    shown = run("inspect", str(path)).stdout
    for part in ("words     ", "unfold-rolling", "characters read as windows-1252", "estimated from the duration"):
        assert part in shown
    rows = [json.loads(line) for line in run("inspect", str(path), "--format", "jsonl").stdout.splitlines()]
    receipt = rows[0]["receipt"]
    assert {"rank", "talk_id", "text", "jump_s"} <= set(rows[0])
    assert [step["name"] for step in receipt["steps"]][:3] == ["decode", "read", "unfold-rolling"]
    repaired = next(step["detail"] for step in receipt["steps"] if step["field"] == "title")
    assert repaired["repaired"] == {"windows-1252": 2}
    assert all("receipt" not in row for row in rows[1:])
