"""Word documents as transcripts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import decode
from talksearch.indexer.talks.identify import identify
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.receipt import changes
from talksearch.indexer.talks.replay import replay
from talksearch.indexer.talks.walk import may_be_transcript

TURNS = [
    ("Ana Ruiz", "0:03", "Welcome everybody to the harbour lecture."),
    ("Bob Lind", "0:12", "We begin with “the tides” and the moon!"),
    ("Ana Ruiz", "1:02:05", "It pulls the water twice a day."),
]


def as_bytes(document: docx.document.Document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def meeting() -> bytes:
    """A transcript as Teams writes it."""
    document = docx.Document()
    document.add_paragraph("Harbour lecture-20240301_100000-Meeting Recording")
    document.add_paragraph("52m 3s")
    for name, at, said in TURNS:
        paragraph = document.add_paragraph()
        paragraph.add_run(name).bold = True
        paragraph.add_run(f"   {at}").add_break()
        paragraph.add_run(said)
    return as_bytes(document)


def _cut(data: bytes) -> bytes:
    """A document whose text breaks off."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(file, "w") as cut:
        for name in whole.namelist():
            part = whole.read(name)
            cut.writestr(name, part[: len(part) // 2] if name == "word/document.xml" else part)
    return file.getvalue()


def load(data: bytes, name: str = "Harbour lecture.docx") -> list[tuple[int, str | None, str]]:
    talk = load_talk(open_file(Path(name), data), name)
    again = replay(data, name, talk.receipt)
    assert [cue.text for cue in again] == [cue.text for cue in talk.cues]
    assert "decode" not in {step.name for step in changes(talk.receipt)}, "nothing was damaged"
    return [(cue.start_ms, cue.speaker, cue.text) for cue in talk.cues]


def test_turns_of_a_meeting_have_their_times_and_speakers() -> None:
    assert load(meeting()) == [
        (3_000, "Ana Ruiz", TURNS[0][2]),
        (12_000, "Bob Lind", TURNS[1][2]),
        (3_725_000, "Ana Ruiz", TURNS[2][2]),
    ]
    assert identify(open_file(Path("a.docx"), meeting())).timed


def test_a_table_with_a_header_is_read_as_one() -> None:
    document = docx.Document()
    table = document.add_table(rows=0, cols=3)
    for row in [("Time", "Speaker", "Text"), *((at, name, said) for name, at, said in TURNS)]:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    assert [cue[0] for cue in load(as_bytes(document))] == [3_000, 12_000, 3_725_000]


def test_a_document_without_times_is_no_transcript() -> None:
    document = docx.Document()
    document.add_paragraph("Minutes of the annual meeting. Everybody agreed about the budget, and that was that.")
    with pytest.raises(UnreadableError, match=r"\.docx file without times"):
        load(as_bytes(document))


def test_a_damaged_document_is_told() -> None:
    data = meeting()
    for broken in (data[: len(data) // 2] + b"word/document.xml", data[:-30], _cut(data)):
        with pytest.raises(UnreadableError):
            load(broken)


def test_a_document_that_unpacks_to_far_too_much_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("word/document.xml", b" " * 201_000_000)
    with pytest.raises(UnreadableError, match="unpacks to more"):
        decode(file.getvalue())


def test_documents_are_looked_at_and_other_archives_are_not() -> None:
    assert may_be_transcript(Path("talk.docx"))
    assert not may_be_transcript(Path("talk.zip"))
    with pytest.raises(UnreadableError, match="binary"):
        decode(b"PK\x03\x04" + bytes(100))
