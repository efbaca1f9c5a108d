"""Transcripts as services, players and editors write them in JSON: found by what they are, not by who wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import read, sniff
from talksearch.indexer.records import Transcript
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

SAID = [
    (1.0, 4.0, "Ida", "The old mill stood beside the weir."),
    (5.0, 8.0, "Olu", "Did the flood reach the grinding floor?"),
    (9.0, 12.0, "Ida", "It did, and we lost two winters of flour."),
]
TEXT = " ".join(text for *_, text in SAID)
STARTS = [1000, 5000, 9000]


def words(i: int, scale: float = 1, *, bare: bool = False) -> Iterator[tuple[str, Any, Any]]:
    """The words of a sentence with their times: a quarter of a second each, and a little between them."""
    start, _, _, text = SAID[i]
    for n, word in enumerate(text.split()):
        begin, end = round((start + 0.3 * n) * scale, 3), round((start + 0.3 * n + 0.25) * scale, 3)
        yield ("".join(c for c in word if c.isalnum()).lower() if bare else word), begin, end


def clock(seconds: float, point: str = ".") -> str:
    return f"00:00:{seconds:06.3f}".replace(".", point)


def whole(seconds: float, scale: int = 1000) -> int:
    return round(seconds * scale)


def who(name: str) -> int:
    return int(name == "Olu")


def lines(*values: Any) -> str:
    return "\n".join(json.dumps(value) for value in values)


SHAPES: dict[str, Any] = {
    "AssemblyAI sentences": {"sentences": [
        {"text": t, "start": whole(s), "end": whole(e), "confidence": 0.9, "words": [
            {"text": w, "start": whole(a), "end": whole(b)} for w, a, b in words(i)], "speaker": n}
        for i, (s, e, n, t) in enumerate(SAID)], "audio_duration": 13},
    "Deepgram paragraphs": {"metadata": {"duration": 13.0}, "results": {"channels": [{"alternatives": [{
        "transcript": TEXT, "words": [
            {"word": w.lower().strip(".,?"), "start": a, "end": b, "speaker": who(SAID[i][2]), "punctuated_word": w}
            for i in range(3) for w, a, b in words(i)],
        "paragraphs": {"transcript": TEXT, "paragraphs": [
            {"sentences": [{"text": t, "start": s, "end": e}], "speaker": who(n), "start": s, "end": e}
            for s, e, n, t in SAID]}}]}]}},
    "Google v2": {"results": [{"alternatives": [{"transcript": t, "words": [
        {"startOffset": f"{a}s", "endOffset": f"{b}s", "word": w} for w, a, b in words(i)]}],
        "resultEndOffset": f"{e}s", "languageCode": "en-us"} for i, (_, e, _, t) in enumerate(SAID)]},
    "Google streaming": lines(*(
        value for i, (_, e, _, t) in enumerate(SAID) for value in (
            {"results": [{"alternatives": [{"transcript": t[:9]}], "isFinal": False, "resultEndTime": f"{e}s"}]},
            {"results": [{"alternatives": [{"transcript": t, "words": [
                {"startTime": f"{a}s", "endTime": f"{b}s", "word": w} for w, a, b in words(i)]}], "isFinal": True}]}))),
    "Gladia": {"metadata": {"audio_duration": 13.0}, "transcription": {
        "full_transcript": TEXT, "languages": ["en"], "utterances": [
            {"language": "en", "start": s, "end": e, "confidence": 0.9, "channel": 0, "speaker": who(n), "text": t,
             "words": [{"word": f" {w}", "start": a, "end": b, "confidence": 0.9} for w, a, b in words(i)]}
            for i, (s, e, n, t) in enumerate(SAID)]},
        "translation": {"results": [{"languages": ["de"], "utterances": [
            {"start": s, "end": e, "text": f"Auf gut deutsch gesagt und noch etwas länger: {t}"} for s, e, _, t in SAID]}]}},
    "Speechmatics v1": {"job": {"id": 5, "lang": "en", "name": "mill.mp3"}, "speakers": [
        {"duration": "3.0", "confidence": None, "name": n, "time": str(s)} for s, _, n, _ in SAID], "words": [
        {"duration": "0.25", "confidence": "0.9", "name": w.strip(".,?"), "time": str(a)}
        for i in range(3) for w, a, _ in words(i)]},
    "Speechmatics v2": {"format": "2.9", "metadata": {"language": "en"}, "results": [
        entry for i, (_, _, n, _) in enumerate(SAID) for w, a, b in words(i) for entry in (
            {"type": "word", "start_time": a, "end_time": b, "alternatives": [
                {"content": w.rstrip(".,?"), "confidence": 1.0, "language": "en", "speaker": n}]},
            *({"type": "punctuation", "attaches_to": "previous", "start_time": b, "end_time": b, "is_eos": True,
               "alternatives": [{"content": w[-1], "speaker": n}]} for _ in range(w[-1] in ".,?")))]},
    "Speechmatics real time": lines(*(
        value for i in range(3) for value in (
            {"message": "AddPartialTranscript", "metadata": {"transcript": "The"}, "results": [
                {"type": "word", "start_time": SAID[i][0], "end_time": SAID[i][1], "alternatives": [{"content": "The"}]}]},
            {"message": "AddTranscript", "metadata": {"transcript": SAID[i][3]}, "results": [
                {"type": "word", "start_time": a, "end_time": b, "alternatives": [{"content": w}]}
                for w, a, b in words(i)]}))),
    "ElevenLabs letters": {"alignment": {
        "characters": [c for i in range(3) for w, _, _ in words(i) for c in w + " "],
        "character_start_times_seconds": [
            round(a + 0.01 * k, 3) for i in range(3) for w, a, _ in words(i) for k in range(len(w) + 1)],
        "character_end_times_seconds": [
            round(a + 0.01 * k + 0.01, 3) for i in range(3) for w, a, _ in words(i) for k in range(len(w) + 1)]}},
    "IBM Watson": {"result_index": 0, "results": [{"final": True, "alternatives": [{
        "transcript": t, "confidence": 0.9, "timestamps": [[w, a, b] for w, a, b in words(i)]}]}
        for i, (*_, t) in enumerate(SAID)], "speaker_labels": [
            {"from": a, "to": b, "speaker": who(n), "confidence": 0.5, "final": False}
            for i, (_, _, n, _) in enumerate(SAID) for _, a, b in words(i)]},
    "Azure real time": lines(*(
        {"Id": f"a{i}", "RecognitionStatus": "Success", "DisplayText": t, "Offset": whole(s, 10**7),
         "Duration": whole(3, 10**7), "Channel": 0, "NBest": [
             {"Confidence": 0.9, "Lexical": t.lower().strip(".?"), "ITN": t.lower(), "MaskedITN": t.lower(), "Display": t,
              "Words": [{"Word": w, "Offset": whole(a, 10**7), "Duration": 2500000} for w, a, _ in words(i, bare=True)]}]}
        for i, (s, _, _, t) in enumerate(SAID))),
    "Amazon streaming": lines(*(
        {"Transcript": {"Results": [{
            "StartTime": s, "EndTime": e, "IsPartial": partial, "ResultId": f"r{i}", "Alternatives": [
                {"Transcript": t[:12] if partial else t, "Items": [
                    {"Content": w, "StartTime": a, "EndTime": b, "Type": "pronunciation"}
                    for w, a, b in list(words(i))[: 2 if partial else 99]]}]}]}}
        for i, (s, e, _, t) in enumerate(SAID) for partial in (True, False))),
    "Vosk with partials": lines(*(
        value for i in range(3) for value in (
            {"partial": "the old"},
            {"result": [{"conf": 1.0, "word": w, "start": a, "end": b} for w, a, b in words(i, bare=True)],
             "text": " ".join(w for w, *_ in words(i, bare=True))}))),
    "Riva": {"results": [{"alternatives": [{"transcript": t, "confidence": 0.9, "words": [
        {"startTime": whole(a), "endTime": whole(b), "word": w, "confidence": 0.9} for w, a, b in words(i)]}],
        "channelTag": 1, "audioProcessed": 12} for i, (*_, t) in enumerate(SAID)]},
    "Otter": {"status": "OK", "speech": {"title": "The mill", "speakers": [
        {"id": 7, "speaker_name": "Ida"}, {"id": 9, "speaker_name": "Olu"}], "transcripts": [
            {"id": 100 + i, "transcript": t, "start_time": s, "end_time": e, "speaker_id": 7 if n == "Ida" else 9,
             "uuid": "f3"} for i, (s, e, n, t) in enumerate(SAID)]}},
    "Trint": {"transcript": {"speakers": [{"name": "Ida", "id": "a1"}, {"name": "Olu", "id": "b2"}], "paragraphs": [
        {"speaker": "a1" if n == "Ida" else "b2", "words": [
            {"time": whole(a), "duration": 250, "value": w, "strikethrough": False} for w, a, _ in words(i)]}
        for i, (_, _, n, _) in enumerate(SAID)]}},
    "tl;dv": {"id": "x", "meetingId": "y", "data": [
        {"speaker": n, "text": t, "startTime": s, "endTime": e} for s, e, n, t in SAID]},
    "Fathom": {"transcript": [{"speaker": {"display_name": n, "matched_calendar_invitee_email": f"{n}@example.org"},
                               "text": t, "timestamp": f"00:00:{s:02.0f}"} for s, _, n, t in SAID]},
    "Grain": [{"participant_id": f"p{who(n)}", "speaker": n, "start": whole(s), "end": whole(e), "text": t}
              for s, e, n, t in SAID],
    "Read.ai": {"session_id": "k", "title": "The mill", "transcript": {"speakers": [{"name": "Ida"}, {"name": "Olu"}],
        "speaker_blocks": [{"start_time": 1_710_237_600_000 + whole(s), "end_time": 1_710_237_600_000 + whole(e),
                            "speaker": {"name": n}, "words": t} for s, e, n, t in SAID]}},
    "Google Meet": {"transcriptEntries": [
        {"name": f"conferenceRecords/1/transcripts/2/entries/{i}", "participant": f"conferenceRecords/1/participants/{n}",
         "text": t, "languageCode": "en-US", "startTime": f"2024-03-12T10:00:{s:09.6f}Z",
         "endTime": f"2024-03-12T10:00:{e:09.6f}Z"} for i, (s, e, n, t) in enumerate(SAID)]},
    "Recall.ai": [{"participant": {"id": who(n), "name": n, "is_host": True}, "words": [
        {"text": w, "start_timestamp": {"relative": a, "absolute": "2024-03-12T10:00:00Z"},
         "end_timestamp": {"relative": b, "absolute": "2024-03-12T10:00:00Z"}} for w, a, b in words(i)]}
        for i, (_, _, n, _) in enumerate(SAID)],
    "Zoom timeline": {"timeline": [
        {"text": t, "ts": clock(s), "end_ts": clock(e), "users": [{"username": n, "user_id": "x"}]} for s, e, n, t in SAID]},
    "Loom": {"phrases": [{"ts": s, "value": t, "ranges": [{"type": "str", "source": "v"}]} for s, _, _, t in SAID]},
    "Wistia": {"captions": [{"language": "eng", "hash": {"lines": [
        {"start": s, "end": e, "text": t.split(" ", 3)} for s, e, _, t in SAID]}}]},
    "Panopto": [{"Caption": t, "CaptionDuration": 3, "Time": s} for s, _, _, t in SAID],
    "YuJa": {"captions": [{"captionText": t, "startTime": clock(s), "endTime": clock(e)} for s, e, _, t in SAID]},
    "Echo360": {"status": "ok", "data": {"contentJSON": {"cues": [
        {"startMs": whole(s), "endMs": whole(e), "content": t, "confidence": 0.9, "speaker": who(n)}
        for s, e, n, t in SAID]}}},
    "MacWhisper": {"version": 1, "createdAt": 1_710_237_600, "transcripts": [
        {"id": "u", "startTime": whole(s), "endTime": whole(e), "text": t, "favorited": False,
         "speaker": {"id": f"s{who(n)}", "name": n}, "words": [
             {"start": whole(a), "end": whole(b), "text": w} for w, a, b in words(i)]}
        for i, (s, e, n, t) in enumerate(SAID)]},
    "faster-whisper rows": [[i + 1, 0, s, e, f" {t}", [50364, 440], -0.2, 1.3, 0.01, None, 0.0]
                            for i, (s, e, _, t) in enumerate(SAID)],
    "NeMo manifest": lines(*({"audio_filepath": "mill.wav", "offset": s, "duration": e - s, "text": t, "label": "infer"}
                             for s, e, _, t in SAID)),
    "Subtitle Edit": [{"start": str(s), "end": str(e), "text": t} for s, e, _, t in SAID],
    "Subtitle Edit in frames": {"fps": 25, "items": [
        {"startFrame": whole(s, 25), "endFrame": whole(e, 25), "text": t} for s, e, _, t in SAID]},
    "aeneas": {"fragments": [{"begin": f"{s:.3f}", "children": [], "end": f"{e:.3f}", "id": f"f{i}", "language": "eng",
                              "lines": [t]} for i, (s, e, _, t) in enumerate(SAID)]},
    "Gentle": {"transcript": TEXT, "words": [
        {"alignedWord": w.lower().strip(".,?"), "case": "success", "word": w.strip(".,?"), "start": a, "end": b,
         "startOffset": 7 * n, "endOffset": 7 * n + 4, "phones": [{"duration": 0.1, "phone": "dh_B"}]}
        for n, (w, a, b) in enumerate(word for i in range(3) for word in words(i))]},
    "Montreal aligner": {"start": 0, "end": 13.0, "tiers": {
        "words": {"type": "interval", "entries": [[a, b, w] for i in range(3) for w, a, b in words(i)]},
        "phones": {"type": "interval", "entries": [
            [a + 0.1 * k, a + 0.1 * k + 0.1, "AH"] for i in range(3) for _, a, _ in words(i) for k in range(2)]}}},
    "Podlove": {"transcripts": [{"start": clock(s), "start_ms": whole(s), "end": clock(e), "end_ms": whole(e),
                                 "speaker": str(who(n)), "voice": n, "text": t} for s, e, n, t in SAID]},
    "Spotify": {"section": [{"startMs": whole(s), "text": {"sentence": {"text": t}}} for s, _, _, t in SAID]},
    "Spotify lyrics": {"lyrics": {"syncType": "LINE_SYNCED", "lines": [
        {"startTimeMs": str(whole(s)), "words": t, "syllables": [], "endTimeMs": "0"} for s, _, _, t in SAID],
        "language": "en"}},
    "whisper.cpp blocks": [{"t0": whole(s, 100), "t1": whole(e, 100), "text": t} for s, e, _, t in SAID],
    "Hugging Face, spread": {"output": {"segments": [
        {"timestamp": {"start": s, "end": e}, "sentence": t} for s, e, _, t in SAID]}},
    "channels by name": {"Ida": [{"start": s, "end": e, "text": t} for s, e, n, t in SAID if n == "Ida"],
                         "Olu": [{"start": s, "end": e, "text": t} for s, e, n, t in SAID if n == "Olu"]},
    "keyed by number": {str(i): {"begin": s, "until": e, "utterance": t} for i, (s, e, _, t) in enumerate(SAID)},
    "keyed by time": {f"00:0{s:.0f}": t for s, _, _, t in SAID},
    "rows": {"data": [[s, e, t] for s, e, _, t in SAID]},
    "rows with names": [[n, clock(s), t] for s, _, n, t in SAID],
    "spans": {"entries": [{"timestamp": f"{clock(s)} - {clock(e)}", "text": t} for s, e, _, t in SAID]},
    "keys that say nothing": {"d": [{"s": s, "e": e, "x": t} for s, e, _, t in SAID]},
    "keys in Spanish": {"intervenciones": [{"inicio": s, "fin": e, "texto": t} for s, e, _, t in SAID]},
    "microseconds": {"segs": [{"start_us": whole(s, 10**6), "dur_us": 3 * 10**6, "caption": t} for s, _, _, t in SAID]},
    "nanoseconds": [{"from": whole(s, 10**9), "to": whole(e, 10**9), "phrase": t} for s, e, _, t in SAID],
    "protobuf": {"segments": [{"start_offset": {"seconds": int(s), "nanos": 0}, "end_offset": {"seconds": int(e)},
                               "content": t} for s, e, _, t in SAID]},
    "pages": {"pages": [{"page": i, "items": [{"at": s, "line": t}]} for i, (s, _, _, t) in enumerate(SAID)]},
    "with a level in between": {"response": {"body": {"payload": {"cues": [
        {"cue": {"text": t, "start_seconds": s, "stop_seconds": e}} for s, e, _, t in SAID]}}}},
}  # fmt: skip
NAMED = ("AssemblyAI sentences", "Speechmatics v1", "Speechmatics v2", "Otter", "Trint", "tl;dv", "Fathom", "Grain",
         "Read.ai", "Recall.ai", "MacWhisper", "Podlove", "channels by name", "rows with names")  # fmt: skip
NUMBERED = ("Deepgram paragraphs", "Gladia", "IBM Watson", "Echo360")
FROM_ZERO = ("Read.ai", "Google Meet")
"""Their times are those of a day, so they count from the first cue."""


def text_of(shape: Any) -> str:
    return shape if isinstance(shape, str) else json.dumps(shape, ensure_ascii=False)


def plain(text: str) -> list[str]:
    return ["".join(char for char in word if char.isalnum()).lower() for word in text.split()]


def sentences_of(found: Transcript) -> list[tuple[int, list[str]]]:
    """Cues that begin at the times of sentences, with all words up to the next one."""
    out: list[tuple[int, list[str]]] = []
    for cue in found.cues:
        if out and cue.start_ms not in STARTS and cue.start_ms + 1000 not in STARTS:
            out[-1][1].extend(plain(cue.text))
        else:
            out.append((cue.start_ms, plain(cue.text)))
    return out


@pytest.mark.parametrize("form", SHAPES)
def test_sentences_are_found_wherever_they_lie(form: str) -> None:
    found = read(text_of(SHAPES[form]), "talk.json")
    shift = 1000 if form in FROM_ZERO else 0
    assert sentences_of(found) == [(start - shift, plain(SAID[i][3])) for i, start in enumerate(STARTS)]
    assert found.timed
    speakers = list(dict.fromkeys(cue.speaker for cue in found.cues))
    if form in NAMED:
        assert speakers == ["Ida", "Olu"]
    elif form in NUMBERED:
        assert speakers == ["Speaker 0", "Speaker 1"]


@pytest.mark.parametrize("form", SHAPES)
def test_what_was_found_replays(form: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(text_of(SHAPES[form]), encoding="utf-8")
    talk = load_talk(open_file(path, path.read_bytes()), path.name)
    assert replay(path.read_bytes(), path.name, talk.receipt) == talk.cues
