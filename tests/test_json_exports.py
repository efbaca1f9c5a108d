"""Further shapes of JSON with transcripts, and of JSON without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talksearch.indexer.records import Talk
from talksearch.indexer.talks.read import talks_under

SAID = ("The ferry left an hour late.", "Nobody had told the harbour.", "So we slept on the quay.")
STARTS, ENDS = (1, 5, 9), (4, 8, 12)
NAMES = ("Ida Lund", "Tom Weir", "Ida Lund")
MOMENTS = tuple(zip(STARTS, ENDS, NAMES, SAID, strict=True))


def day(seconds: float) -> str:
    return f"2024-03-04T15:03:{seconds:06.3f}Z"


def talk_of(tmp_path: Path, value: Any) -> Talk | None:
    (tmp_path / "talk.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    found = [talk for _, talk in talks_under(tmp_path) if isinstance(talk, Talk)]
    return found[0] if found else None


def words(start: int, text: str) -> list[dict[str, Any]]:
    return [
        {"word": word, "start": start + i * 0.4, "end": start + i * 0.4 + 0.3} for i, word in enumerate(text.split())
    ]


def lyrics(end: str = "") -> str:
    return "\n".join(f"[00:{start:05.2f}] {text}" for start, text in zip(STARTS, SAID, strict=True)) + end


ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)
SHAPES: dict[str, tuple[Any, bool]] = {
    "named by who it is from": (
        {"messages": [{"text": t, "from": {"name": n}, "timeOffset": a, "duration": 3.0} for a, _, n, t in MOMENTS]},
        True,
    ),
    "samples beside seconds": (
        {
            "speech": {
                "transcripts": [
                    {"start_offset": a * 16000, "end_offset": b * 16000, "transcript": t, "alignment": words(a, t)}
                    for a, b, _, t in MOMENTS
                ]
            }
        },
        False,
    ),
    "lyrics in one text": ({"id": 7, "plainLyrics": "\n".join(SAID), "syncedLyrics": lyrics()}, False),
    "turns in one text": (
        {"transcript": "\n\n".join(f"{name}  0:{start:02}\n{text}" for start, _, name, text in MOMENTS)},
        True,
    ),
    "SubStation in one text": (
        {"ass": ASS + "\n".join(f"Dialogue: 0,0:00:{a:02}.00,0:00:{b:02}.00,D,,0,0,0,,{t}" for a, b, _, t in MOMENTS)},
        False,
    ),
    "days that begin and end": (
        {
            "value": [
                {"startDateTime": day(a - 1), "endDateTime": day(b - 1), "speakerName": n, "spokenText": t}
                for a, b, n, t in MOMENTS
            ]
        },
        True,
    ),
    "sentences at a time of day": (
        {"sentences": [{"transcript": t, "timestamp": day(a), "speaker": n} for a, _, n, t in MOMENTS]},
        True,
    ),
    "columns of a table": (
        {
            key: {str(i): cell for i, cell in enumerate(cells)}
            for key, cells in (("start", STARTS), ("end", ENDS), ("speaker", NAMES), ("text", SAID))
        },
        True,
    ),
    "annotations": (
        [
            {
                "body": [{"value": t, "purpose": "transcribing"}],
                "target": {"source": "a.mp4", "selector": {"type": "FragmentSelector", "value": f"t=npt:{a},{b}"}},
            }
            for a, b, _, t in MOMENTS
        ],
        False,
    ),
    "marks of SentencePiece": (
        {"tokens": [{"t": f"▁{word.pop('word')}", **word} for a, _, _, t in MOMENTS for word in words(a, t)]},
        False,
    ),
    "a header among the cues": (
        [
            {"type": "header", "data": "WEBVTT"},
            *({"type": "cue", "data": {"start": a * 1000, "end": b * 1000, "text": t}} for a, b, _, t in MOMENTS),
        ],
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_transcripts(tmp_path: Path, shape: str) -> None:
    value, named = SHAPES[shape]
    talk = talk_of(tmp_path, value)
    assert talk is not None
    assert " ".join(cue.text for cue in talk.cues) == " ".join(SAID)
    first = talk.cues[0].start_ms
    starts = [cue.start_ms - first for cue in talk.cues]
    assert set(starts) >= {0, 4000, 8000}
    assert not named or [cue.speaker for cue in talk.cues] == list(NAMES)
    assert talk.receipt.words_lost == 0


@pytest.mark.parametrize(
    "value",
    [
        {"description": "0:00 Leaving the quay\n1:00 The ferry in winter\n2:00 The harbour at night\n3:00 Questions"},
        [{"id": i, "created_at": day(a), "text": t, "user": {"name": n}} for i, (a, _, n, t) in enumerate(MOMENTS)],
        {"messages": [{"date": day(a), "from": n, "from_id": f"u{n}", "text": t} for a, _, n, t in MOMENTS]},
        {
            "start": {"a": {"at": 1}, "b": {"at": 5}},
            "end": {"a": {"at": 4}, "b": {"at": 8}},
            "text": {"a": {"is": SAID[0]}, "b": {"is": SAID[1]}},
        },
        {"items": [{"caption": t, "timestamp": day(a), "owner": n} for a, _, n, t in MOMENTS]},
        {"name": {"0": "ferry", "1": "quay", "2": "pier"}, "price": {"0": 3, "1": 5, "2": 9}},
    ],
)
def test_what_is_no_transcript(tmp_path: Path, value: Any) -> None:
    assert talk_of(tmp_path, value) is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"text": " ".join(SAID), "usage": {"type": "duration", "seconds": 13}}, [None]),
        ({"transcription": "\n".join(SAID), "language": "en"}, [None] * 3),
        ([{"speaker": n, "text": t} for _, _, n, t in MOMENTS], list(NAMES)),
        (
            {"turns": [{"speaker": i % 2, "transcript": t} for i, t in enumerate(SAID)]},
            ["Speaker 0", "Speaker 1", "Speaker 0"],
        ),
    ],
)
def test_words_without_times_have_estimated_ones(tmp_path: Path, value: Any, names: list[str | None]) -> None:
    talk = talk_of(tmp_path, value)
    assert talk is not None
    assert " ".join(cue.text for cue in talk.cues) == " ".join(SAID)
    assert [cue.speaker for cue in talk.cues] == names
    assert (talk.timing, talk.receipt.words_lost) == ("estimated", 0)


@pytest.mark.parametrize(
    "value",
    [
        {"text": SAID[0], "author": "ida", "likes": 3},
        {"text": SAID[0], "url": "https://example.org/a"},
        [{"role": n, "content": t} for _, _, n, t in MOMENTS],
        [{"speaker": n, "text": t, "title": "The ferry", "room": "Hall"} for _, _, n, t in MOMENTS],
        [{"id": i, "text": t, "done": False} for i, t in enumerate(SAID)],
        {"text": "Press enter", "language": "en"},
    ],
)
def test_texts_that_nobody_said(tmp_path: Path, value: Any) -> None:
    assert talk_of(tmp_path, value) is None
