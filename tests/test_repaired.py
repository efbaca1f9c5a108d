"""What was repaired, at its place in the text that is indexed."""

from __future__ import annotations

from pathlib import Path

import pytest

from talksearch.indexer.records import Cue, Receipt, Step, Talk
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.repaired import Repaired, repaired_names, repairs_in, repairs_of

LINES = (
    "Schöne Brücken stehen lange.",
    "Nothing here was damaged.",
    "Wer müde ist, prüft schlecht: das wäre gefährlich.",
    "Die größte Gefahr ist das Salz, nicht das Gewicht.",
)


def damaged(text: str) -> str:
    return text.encode().decode("windows-1252")


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    path = tmp_path / "talk.vtt"
    cues = "".join(f"00:0{n}.000 --> 00:0{n}.900\n<v José>{line}\n\n" for n, line in enumerate(LINES))
    path.write_text("WEBVTT\n\n" + damaged(cues), encoding="utf-8")
    return read_talk(path)


def test_every_repair_stands_where_the_text_has_it(talk: Talk) -> None:
    assert [cue.text for cue in talk.cues] == list(LINES)
    repairs = repairs_in(talk)
    assert sorted(repairs) == [0, 2, 3]
    for position, line in enumerate(LINES):
        places = repairs.get(position, ())
        assert all(line[one.start : one.end] == one.after for one in places)
        assert all(damaged(one.after) == one.before and one.certain for one in places)
        assert "".join(one.after for one in places) == "".join(letter for letter in line if not letter.isascii())


def test_names_of_speakers_have_what_they_were(talk: Talk) -> None:
    assert {cue.speaker for cue in talk.cues} == {"José"}
    assert repaired_names(talk) == {"José": damaged("José")}


def test_an_edit_of_uncertain_reading_keeps_the_others() -> None:
    detail = {"rules": ["windows-1254"], "edits": [[2, "å°", "台", 0, ["對", "小"]], [5, "å", "å", 0, ["子"]]]}
    talk = Talk("x", "x.txt", "一億台 å", (), receipt=Receipt(steps=(Step("repair-text", "title", detail),)))
    assert repairs_of(talk, "title") == (
        Repaired(2, 3, "å°", "台", False, ("對", "小")),
        Repaired(4, 5, "å", "å", False, ("子",)),
    )


def test_what_tidying_took_out_in_front_moves_the_places() -> None:
    detail = {"rules": ["windows-1252"], "edits": [[4, "Ã¼", "ü", 0], [11, "Ã¼", "ü", 0]]}
    cues = (Cue(0, 1, "fünf"), Cue(1, 2, "grün"))  # before: "\xad\xad\xadfÃ¼nf\ngrÃ¼n"
    talk = Talk("x", "x.txt", "X", cues, receipt=Receipt(steps=(Step("repair-text", "cues", detail),)))
    assert repairs_in(talk) == {
        0: (Repaired(1, 2, "Ã¼", "ü", True),),
        1: (Repaired(2, 3, "Ã¼", "ü", True),),
    }


def test_a_talk_without_repairs_has_none(tmp_path: Path) -> None:
    path = tmp_path / "talk.vtt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nplain words\n", encoding="utf-8")
    talk = read_talk(path)
    assert (repairs_in(talk), repairs_of(talk, "title"), repaired_names(talk)) == ({}, (), {})
