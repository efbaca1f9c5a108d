"""Receipts: what they say can be done again, and nothing else is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, SHARED
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.mojibake import replay as apply_edits
from talksearch.indexer.readers import registry
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Cue, Receipt, Step, Talk
from talksearch.indexer.restore.clean import CLEANING_STEPS, clean
from talksearch.indexer.talks import load, opened_file
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.receipt import changes, decode_with, edits_of, tidy_lines
from talksearch.indexer.talks.replay import replay
from talksearch.indexer.talks.walk import Root as ScanRoot
from talksearch.indexer.talks.walk import files_under, may_be_transcript

ROLLING = (
    "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:00.000 --> 00:00:02.990\n \nThis<00:00:00.600><c> program</c>\n\n"
    "00:00:02.990 --> 00:00:03.000\nThis program\n \n\n00:00:03.000 --> 00:00:05.000\nThis program\n"
    "&gt;&gt;<00:00:03.200><c> [music]</c><00:00:03.500><c> ends.</c>\n"
)
SAID = ("So to close out the show, I'd like to", "dive a little bit deeper into", "very, very long and", "good talks")
FLAT = " ".join(f"{line} {line} {line}" for line in SAID * 3)
RECORD = (
    "Timestamp: 2025\nTitle: CafÃ© talk\nURL: https://youtu.be/DTcRLlMv4_o\nStatus: success\nDuration: 1:30\n"
    f"Description: About it\n0:00 Opening\n0:30 Diving deeper\n1:00 Good talks\nContent:\n{FLAT}\n"
)
NAMED = "Ann Lee: Good morning.\nBo Ek: It is.\nAnn Lee: Shall we begin?\nBo Ek: Yes, we shall begin now.\n"
BOLD = "# A talk\n\n**Ann**: Good morning to you all.\n\n**Bo**: It is. And now?\n\n**Ann**: Now we begin, at last.\n"
CUES = "WEBVTT\n\n00:01.000 --> 00:03.000\n{}\n\n00:03.000 --> 00:06.000\n{}\n"

SHAPES: dict[str, tuple[str, bytes]] = {
    "rolling": ("talk.en.vtt", ROLLING.encode()),
    "subtitles with dashes": (
        "a.srt",
        b"1\n00:00:01,000 --> 00:00:02,000\n- Yes.\n- No.\n\n2\n00:00:02,500 --> 00:00:04,000\n<i>So</i> be it.\n",
    ),
    "voices": ("a.vtt", CUES.format("<v Ann>Hello &amp; welcome", "<v Bo>Hi\u200b there.").encode()),
    "entities that hide": ("a.vtt", CUES.format("a&#8203;b", "c&nbsp;d <b>e</b>").encode()),
    "cues in no order": (
        "a.vtt",
        b"WEBVTT\n\n00:01.000 --> 00:06.000\n<v Ann>One<00:04.000> and <v Bo>Two<00:05.000> too.\n"
        b"\n00:03.000 --> 00:05.000\n<v Ann>Three.\n",
    ),
    "rows of a script without spaces": ("a.vtt", CUES.format("這座石\n橋很老", "河水\nis cold").encode()),
    "names": ("a.txt", NAMED.encode()),
    "bold names": ("a.md", BOLD.encode()),
    "names on rows": (
        "a.srt",
        "".join(
            f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{who}\n{said}\n\n"
            for n, (who, said) in enumerate(
                [
                    ("Ann Lee", "Good morning."),
                    ("Bo Ek", "It is."),
                    ("Ann Lee", "Shall we?\nBo Ek\nYes."),
                    ("Bo Ek", "Now."),
                ]
            )
        ).encode(),
    ),
    "names in brackets": (
        "a.vtt",
        CUES.format("[Ann Lee] Good. [Bo Ek] It is.", "[Bo Ek] [music] Yes.\n[Ann Lee] Transcribed by Otter.").encode(),
    ),
    "names of cues": (
        "a.vtt",
        b'WEBVTT\n\n1 "Ann Lee" (7)\n00:01.000 --> 00:02.000\nGood.\n\n'
        b'2 "Bo Ek" (8)\n00:02.000 --> 00:03.000\nIt is.\n\n'
        b'3 "Ann Lee" (7)\n00:03.000 --> 00:04.000\nYes.\n',
    ),
    "turns with several lines of a head": (
        "a.txt",
        (
            b"AI-generated content may be incorrect\nA meeting\nMarch 12, 2024, 3:03PM\n14m 2s\n"
            b"Ann Lee\n0 minutes 3 seconds0:03\nAnn Lee 0 minutes 3 seconds\nGood morning.\n"
            b"Bo Ek\n0 minutes 9 seconds0:09\nBo Ek 0 minutes 9 seconds\nIt is a good one.\n"
            b"Ann Lee\n0 minutes 15 seconds0:15\nAnn Lee 0 minutes 15 seconds\nYes.\nTranscribed by https://otter.ai\n"
        ),
    ),
    "times before lines": (
        "a.txt",
        b"[0:00] Hello there, all of you.\n[0:05] Ann: Time flies like an arrow.\n[0:09] Bo: So it does, indeed.\n",
    ),
    "a flattened record": ("r.txt", RECORD.encode()),
    "flattened text": ("f.txt", FLAT.encode()),
    "a timed record": (
        "r.txt",
        RECORD.replace(
            FLAT, "WEBVTT Kind: captions 00:00:01.000 --> 00:00:02.000 Hello 00:00:02.000 --> 00:00:03.000 all"
        ).encode(),
    ),
    "sbv": ("a.sbv", b"0:00:01.000,0:00:02.000\n>> Hello.\n\n0:00:02.000,0:00:03.000\n(applause) All.\n"),
    "tsv": ("a.tsv", b"start\tend\ttext\n0\t1000\tHello.\n1000\t2500\tAll of you.\n"),
    "whisper": (
        "a.json",
        json.dumps(
            {"text": "", "segments": [{"start": 0, "end": 1.5, "text": " Caf\u00e9 time."}], "language": "en"}
        ).encode(),
    ),
    "json3": (
        "a.en.json3",
        json.dumps(
            {
                "wireMagic": "pb3",
                "events": [
                    {
                        "tStartMs": 0,
                        "dDurationMs": 2000,
                        "segs": [{"utf8": "Hello"}, {"utf8": " all", "tOffsetMs": 700}],
                    }
                ],
            }
        ).encode(),
    ),
    "youtube-transcript-api": (
        "a.json",
        json.dumps(
            [
                {"text": "Hello", "start": 0.0, "duration": 1.0},
                {"text": "[Music]", "start": 1, "duration": 1},
                {"text": "all", "start": 2, "duration": 1},
            ]
        ).encode(),
    ),
    "UTF-16": ("a.srt", "1\r\n00:00:01,000 --> 00:00:02,000\r\nGr\u00fc\u00dfe.\r\n".encode("utf-16")),
    "UTF-16 without a mark": ("a.srt", "1\r\n00:00:01,000 --> 00:00:02,000\r\nHello there.\r\n".encode("utf-16-le")),
    "a mark of UTF-8": ("a.vtt", b"\xef\xbb\xbf" + CUES.format("One.", "Two.").encode()),
    "UTF-8 but for some bytes": (
        "a.vtt",
        CUES.format("caf\u00e9 \ufffd ok", "XX it").encode().replace(b"XX", b"na\xefve \x93so\x94 \x81\xff"),
    ),
    "a mark of UTF-8 and broken bytes": (
        "a.vtt",
        b"\xef\xbb\xbf" + CUES.format("One\r", "caf\u00e9 XX").encode().replace(b"XX", b"d\xe9j\xe0"),
    ),
    "KOI8-R": (
        "a.txt",
        ("Сегодня мы говорим о времени.\n" * 3).encode("koi8-r"),
    ),
    "misread text": (
        "a.vtt",
        ROLLING.replace("program", "progr\u00e1m \u2014 \u201cdone\u201d")
        .encode()
        .decode("cp1252", errors="replace")
        .encode(),
    ),
    "misread names": ("a.txt", NAMED.replace("Bo Ek", "J\u00fcrgen Gro\u00df").encode().decode("cp1252").encode()),
    "odd spaces": ("a.vtt", CUES.format("a\u00a0b\u00adc", "\u202bd\u202c e").encode()),
    "lines that grow": (
        "a.vtt",
        (
            "WEBVTT\n\n"
            + "".join(
                f"00:0{i}.000 --> 00:0{i + 1}.000\n{text}\n\n"
                for i, text in enumerate(
                    ["so", "so the bump", "so the pump &amp; all", "and", "and nobody", "and nobody saw it"]
                )
            )
        ).encode(),
    ),
    "words marked one after the other": (
        "a.srt",
        "".join(
            f"{i + 1}\n00:00:00,{300 * i:03} --> 00:00:00,{300 * i + 300:03}\n"
            + " ".join(f"<u>{word}</u>" if j == i else word for j, word in enumerate(["Hello", "there,", "all"]))
            + "\n\n"
            for i in range(3)
        ).encode(),
    ),
    "an hour of an editor": (
        "a.srt",
        b"1\n01:00:01,000 --> 01:00:02,000\nHello there.\n\n2\n01:00:02,500 --> 01:00:04,000\nSo be it.\n",
    ),
    "seconds written as milliseconds": (
        "a.srt",
        "".join(
            f"{i + 1}\n00:00:00,{4 * i:03} --> 00:00:00,{4 * i + 4:03}\nHello there, all of you at the table {i}.\n\n"
            for i in range(9)
        ).encode(),
    ),
    "words crammed into many cues": (
        "a.srt",
        "".join(
            f"{i + 1}\n00:00:00,{90 * i:03} --> 00:00:00,{90 * i + 90:03}\nHello there, all of {i}.\n\n"
            for i in range(9)
        ).encode(),
    ),
    "words crammed into no time": (
        "a.vtt",
        CUES.replace("00:03.000\n", "00:01.010\n", 1).format("So it is. " * 60, "And so on.").encode(),
    ),
}


def made(folder: Path, name: str, data: bytes) -> Talk:
    path = folder / name
    path.write_bytes(data)
    return load_talk(open_file(path, data), name)


def as_stored(kept: Receipt) -> Receipt:
    """As it comes back from the catalog, which keeps it as JSON."""
    values = json.loads(json.dumps(asdict(kept), ensure_ascii=False))
    steps = tuple(Step(**step) for step in values["steps"])
    return Receipt(**{**values, "steps": steps, "uncertain": tuple(values["uncertain"])})


def replay_text(text: str, field: str, kept: Receipt) -> str:
    """Do again what was done to a text about the talk."""
    for step in kept.steps:
        if step.field == field and step.name == "repair-text":
            text = apply_edits(text, edits_of(step.detail))
    return " ".join(tidy_lines(text).split())


def without(kept: Receipt, *names: str) -> Receipt:
    return replace(kept, steps=tuple(step for step in kept.steps if step.name not in names))


@pytest.mark.parametrize("shape", SHAPES)
def test_applying_the_steps_to_the_source_gives_the_indexed_cues(tmp_path: Path, shape: str) -> None:
    name, data = SHAPES[shape]
    talk = made(tmp_path, name, data)
    assert replay(data, name, as_stored(talk.receipt)) == talk.cues


def test_every_step_there_is_is_tried_here(tmp_path: Path) -> None:
    seen = {step.name for name, data in SHAPES.values() for step in made(tmp_path, name, data).receipt.steps}
    others = (
        "decode",
        "read",
        "repair-text",
        "estimate-times",
        "unfold-rolling",
        "shift-times",
        "scale-times",
        "drop-times",
    )
    assert seen >= {*CLEANING_STEPS, *others}


REMOVED: list[tuple[str, str, Callable[[tuple[Cue, ...]], Any], Any]] = [
    # shape, the step taken out, what is looked at, and what it is then
    ("rolling", "strip-markup", lambda cues: cues[0].text, "This<00:00:00.600><c> program</c>"),
    ("rolling", "collapse-rolling", lambda cues: [cue.text for cue in cues],
     ["This program", "This program", "This program >> ends."]),
    ("rolling", "mark-turns", lambda cues: [(cue.text, cue.turn) for cue in cues],
     [("This program", False), (">> ends.", False)]),
    ("rolling", "drop-sounds", lambda cues: cues[1].text, "[music] ends."),
    ("subtitles with dashes", "mark-turns", lambda cues: cues[0].text, "- Yes. - No."),
    ("entities that hide", "drop-invisible", lambda cues: cues[0].text, "a\u200bb"),
    ("names", "take-names", lambda cues: (cues[0].text, cues[0].speaker), ("Ann Lee: Good morning.", None)),
    ("bold names", "take-names", lambda cues: cues[0].speaker, None),
    ("a flattened record", "unfold-rolling", lambda cues: sum(len(cue.text.split()) for cue in cues),
     len(FLAT.split())),
    ("flattened text", "unfold-rolling", lambda cues: sum(len(cue.text.split()) for cue in cues), len(FLAT.split())),
    ("a flattened record", "estimate-times", lambda cues: {cue.start_ms for cue in cues}, {0}),
    ("misread text", "repair-text", lambda cues: cues[0].text.isascii() or "Ã¡" in cues[0].text, True),
    ("misread names", "repair-text", lambda cues: cues[1].speaker, "JÃ¼rgen GroÃŸ"),
    ("odd spaces", "tidy", lambda cues: cues[0].text, "a b\u00adc"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "step", "look", "then"), REMOVED, ids=[" ".join(row[:2]) for row in REMOVED])
def test_a_step_that_is_not_listed_is_not_done(
    tmp_path: Path, shape: str, step: str, look: Callable[[tuple[Cue, ...]], Any], then: Any
) -> None:
    name, data = SHAPES[shape]
    talk = made(tmp_path, name, data)
    assert step in {each.name for each in talk.receipt.steps}
    assert look(replay(data, name, without(talk.receipt, step))) == then
    assert look(talk.cues) != then


def test_nothing_is_found_out_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {shape: (data, made(tmp_path, name, data)) for shape, (name, data) in SHAPES.items()}

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a replay does not guess")

    monkeypatch.setattr(registry, "FORMATS", tuple(replace(known, matches=never) for known in registry.FORMATS))
    monkeypatch.setattr(registry, "sniff", never)
    monkeypatch.setattr(opened_file, "decode", never)
    monkeypatch.setattr(load, "repair_text", never)
    for module_name in (
        "restore.clean.find_names",
        "restore.speaker_names.names_in",
        "restore.speaker_names.bold_names_in",
        "mojibake.repair.repair_text",
    ):
        monkeypatch.setattr(f"talksearch.indexer.{module_name}", never)
    for shape, (data, talk) in kept.items():
        assert replay(data, SHAPES[shape][0], talk.receipt) == talk.cues


def test_the_reader_that_was_noted_is_used(tmp_path: Path) -> None:
    data = b"0:00:01.000,0:00:02.500\nHello to everybody who has come to this room today.\n"
    talk = made(tmp_path, "a.sbv", data)
    assert replay(data, "a.sbv", talk.receipt)[0].text == "Hello to everybody who has come to this room today."
    steps = [replace(s, detail={"reader": "plain"}) if s.name == "read" else s for s in talk.receipt.steps]
    assert replay(data, "a.sbv", Receipt(steps=tuple(steps)))[0].text == "0:00:01.000,0:00:02.500"


def test_the_encoding_that_was_noted_is_used(tmp_path: Path) -> None:
    name, data = SHAPES["KOI8-R"]
    talk = made(tmp_path, name, data)
    assert talk.receipt.steps[0].detail == {"encoding": "koi8-r"}
    assert decode_with(data, {"encoding": "windows-1251"}) != decode_with(data, talk.receipt.steps[0].detail)


def test_bytes_that_are_no_utf_8_are_noted_one_by_one(tmp_path: Path) -> None:
    name, data = SHAPES["UTF-8 but for some bytes"]
    talk = made(tmp_path, name, data)
    assert talk.receipt.steps[0].detail["read_as"] == ["ï", "“", "”", "\ufffd"]
    assert talk.cues[1].text == "naïve “so” \ufffd it"


def test_no_number_of_repairs_is_too_large(tmp_path: Path) -> None:
    line = "So schön ist für größere Bäume die kühle Höhe, und müde wäre später nötig. "
    data = "\n".join(f"{number} {line}" for number in range(400)).encode().decode("cp1252").encode()
    talk = made(tmp_path, "a.txt", data)
    step = next(step for step in talk.receipt.steps if step.name == "repair-text")
    assert step.detail["count"] == len(step.detail["edits"]) > 2_000
    assert "größere" in talk.cues[-1].text
    assert replay(data, "a.txt", as_stored(talk.receipt)) == talk.cues


def test_what_was_repaired_in_the_title_can_be_done_again(tmp_path: Path) -> None:
    name, data = SHAPES["a flattened record"]
    talk = made(tmp_path, name, data)
    assert talk.title == "Café talk"
    assert replay_text("CafÃ© talk", "title", as_stored(talk.receipt)) == talk.title
    assert replay_text("CafÃ© talk", "title", without(talk.receipt, "repair-text")) == "CafÃ© talk"


def test_a_plain_file_needs_no_step_but_decoding_and_reading(tmp_path: Path) -> None:
    talk = made(tmp_path, "a.vtt", CUES.format("Hello there.", "Time flies.").encode())
    assert [(step.name, step.field) for step in talk.receipt.steps] == [("decode", "file"), ("read", "file")]
    assert changes(talk.receipt) == ()


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((), "does not say how"),
        ((Step("decode", "file", {"encoding": "utf-8"}), Step("read", "file", {"reader": "tea leaves"})), "tea leaves"),
        (
            (
                Step("decode", "file", {"encoding": "utf-8"}),
                Step("read", "file", {"reader": "vtt"}),
                Step("translate", "cues", {}),
            ),
            "translate",
        ),
        ((Step("decode", "file", {"encoding": "utf-32"}), Step("read", "file", {"reader": "vtt"})), "another file"),
    ],
)
def test_a_receipt_that_cannot_be_replayed_says_so(steps: tuple[Step, ...], said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        replay(SHAPES["rolling"][1], "a.vtt", Receipt(steps=steps))


def test_repairs_of_another_text_are_refused(tmp_path: Path) -> None:
    name, data = SHAPES["misread text"]
    talk = made(tmp_path, name, data)
    with pytest.raises(UnreadableError, match="do not fit"):
        replay(data.replace(b"This", b"Those are"), name, talk.receipt)


LINES = st.text(st.sampled_from("ab .:>-[]&;<{}/\u200b\u00a0\u00ad\u0085éÃ©â€™♪1\n") | st.characters(codec="utf-8"))
PIECES = st.lists(
    st.sampled_from(
        [">> ", "- Yes", "[Music]", "&amp;", "&lt;b&gt;", "<i>", "</i>", "<v Ann>", "Ann Lee: ", "**Bo**: "]
    )
    | LINES,
    max_size=8,
).map("".join)


@settings(deadline=None, max_examples=50)
@given(st.lists(PIECES, min_size=1, max_size=6))
def test_whatever_stands_in_cues_replays(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Applying the receipt's steps to the source gives the indexed text (issue 3, section 4)."""
    cues = "\n\n".join(f"00:0{i}.000 --> 00:0{i + 1}.000\n{text}" for i, text in enumerate(texts))
    data = f"WEBVTT\n\n{cues}\n".encode("utf-8", errors="replace")
    path = tmp_path_factory.getbasetemp() / "a.vtt"
    try:
        talk = load_talk(open_file(path, data), "a.vtt")
    except UnreadableError:
        return
    assert replay(data, "a.vtt", as_stored(talk.receipt)) == talk.cues
    assert all(set(step.detail) for step in talk.receipt.steps)


def test_clean_lists_a_step_only_where_it_did_something() -> None:
    plain = (Cue(0, 1000, "Hello there."), Cue(1000, 2000, "Time < space & more."))
    found = registry.read_with("vtt", SourceText(CUES.format("Hello there.", "Time < space & more."), "a.vtt"))
    assert clean(found)[1] == ()
    assert [cue.text for cue in clean(found)[0]] == [cue.text for cue in plain]


@pytest.mark.parametrize("path", [p for p in sorted(DATA.rglob("*")) if p.is_file()], ids=lambda path: path.name)
def test_the_sample_archive_replays(path: Path) -> None:
    if not may_be_transcript(path):
        return
    data = path.read_bytes()
    try:
        talk = load_talk(open_file(path, data), path.name)
    except UnreadableError:
        return
    assert replay(data, path.name, as_stored(talk.receipt)) == talk.cues


@pytest.mark.realdata
def test_real_talks_replay() -> None:
    folder = (SHARED / "archive").resolve()
    paths = [path for path in files_under(ScanRoot(folder)) if may_be_transcript(path)]
    seed = [path for path in paths if path.parent.name == "seed"]
    assert len(paths) > 500
    for path in [*seed, *paths[::45]]:
        data = path.read_bytes()
        talk = load_talk(open_file(path, data), path.name)
        assert replay(data, path.name, as_stored(talk.receipt)) == talk.cues, path.name
