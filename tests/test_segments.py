"""Transcripts of recognition services, podcasts and tables: segments or words with times, wherever they lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import read, sniff
from talksearch.indexer.records import Transcript, Word
from talksearch.indexer.talks.identify import identify
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

SAID = [
    (0.0, 4.8, "Ana", "Welcome everybody to the harbour lecture."),
    (5.0, 9.8, "Bob", "We begin with \u201cthe tides\u201d and the moon!"),
    (11.5, 14.5, "Ana", "It pulls the water twice a day."),
]
TEXT = " ".join(text for _, _, _, text in SAID)
CUES = [(int(start * 1000), int(end * 1000), text) for start, end, _, text in SAID]


def spoken(found: Transcript) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text.strip()) for cue in found.cues]


def each_word(scale: float = 1) -> Iterator[tuple[str, Any, Any, str]]:
    """Every word with its times and speaker; the first word of a segment begins it and the last one ends it."""
    for start, end, speaker, text in SAID:
        words = text.split()
        for i, word in enumerate(words):
            begin = start + i * (end - start) / len(words)
            until = start + (i + 1) * (end - start) / len(words) - (0.05 if i + 1 < len(words) else 0)
            yield word, round(begin * scale, 3), round(until * scale, 3), speaker


def bare(word: str) -> str:
    return "".join(char for char in word if char.isalnum()).lower()


def whole(scale: int) -> Iterator[tuple[str, int, int, str]]:
    return ((word, round(start), round(end), speaker) for word, start, end, speaker in each_word(scale))


SEGMENTS: dict[str, Any] = {
    "podcast namespace": {"version": "1.0.0", "segments": [
        {"speaker": who, "startTime": start, "endTime": end, "body": text} for start, end, who, text in SAID]},
    "startTime": {"segments": [{"startTime": s, "endTime": e, "text": t, "speaker": w} for s, e, w, t in SAID]},
    "start_time": {"segments": [{"start_time": str(s), "end_time": str(e), "text": t} for s, e, _, t in SAID]},
    "offset": {"segments": [{"offset": s, "duration": e - s, "text": t} for s, e, _, t in SAID]},
    "timestamp": {"segments": [{"timestamp": [s, e], "text": t} for s, e, _, t in SAID]},
    "clocks": [{"start": f"00:00:{s:06.3f}", "end": f"00:00:{e:06.3f}", "text": t} for s, e, _, t in SAID],
    "clocks with a comma": {"segments": [
        {"start": f"00:00:{s:06.3f}".replace(".", ","), "end": f"00:00:{e:06.3f}".replace(".", ","), "text": t}
        for s, e, _, t in SAID]},
    "seconds with their sign": {"segments": [{"start": f"{s}s", "end": f"{e}s", "text": t} for s, e, _, t in SAID]},
    "milliseconds by key": [{"start_ms": int(s * 1000), "end_ms": int(e * 1000), "text": t} for s, e, _, t in SAID],
    "milliseconds": [{"text": t, "offset": int(s * 1000), "duration": int(e * 1000) - int(s * 1000)}
                     for s, e, _, t in SAID],
    "AssemblyAI's utterances": [{"start": int(s * 1000), "end": int(e * 1000), "text": t, "speaker": w}
                                for s, e, w, t in SAID],
    "Hugging Face": {"text": TEXT, "chunks": [{"timestamp": [s, e], "text": f" {t}"} for s, e, _, t in SAID]},
    "Deepgram's utterances": {"metadata": {"duration": 15.0}, "results": {"utterances": [
        {"start": s, "end": e, "transcript": t, "speaker": int(w == "Bob"), "channel": 0} for s, e, w, t in SAID]}},
    "by video": {"DTcRLlMv4_o": [{"text": t, "start": s, "duration": e - s} for s, e, _, t in SAID]},
}  # fmt: skip

WORDS: dict[str, Any] = {
    "OpenAI": {"task": "transcribe", "language": "english", "duration": 14.5, "text": TEXT, "words": [
        {"word": bare(w), "start": s, "end": e} for w, s, e, _ in each_word()]},
    "OpenAI without segments": {"text": TEXT, "segments": [], "words": [
        {"word": bare(w), "start": s, "end": e} for w, s, e, _ in each_word()]},
    "Hugging Face": {"text": f" {TEXT}", "chunks": [
        {"timestamp": [s, e], "text": f" {w}"} for w, s, e, _ in each_word()]},
    "Deepgram": {"results": {"channels": [{"alternatives": [{"transcript": TEXT, "confidence": 0.9, "words": [
        {"word": bare(w), "punctuated_word": w, "start": s, "end": e, "speaker": int(who == "Bob")}
        for w, s, e, who in each_word()]}]}]}},
    "AssemblyAI": {"id": "x", "status": "completed", "text": TEXT, "utterances": None, "words": [
        {"text": w, "start": s, "end": e, "confidence": 0.9, "speaker": who} for w, s, e, who in whole(1000)]},
    "AssemblyAI's utterances": {"text": TEXT, "words": [
        {"text": w, "start": s, "end": e, "speaker": who} for w, s, e, who in whole(1000)], "utterances": [
            {"speaker": who, "start": int(start * 1000), "end": int(end * 1000), "text": text, "words": [
                {"text": w, "start": s, "end": e} for w, s, e, _ in whole(1000) if start * 1000 <= s < end * 1000]}
            for start, end, who, text in SAID]},
    "Amazon": {"jobName": "x", "results": {"transcripts": [{"transcript": TEXT}], "speaker_labels": {"segments": [
        {"items": [{"start_time": str(s), "speaker_label": who} for _, s, _, who in each_word()]}]}, "items": [
            item for w, s, e, _ in each_word() for item in (
                {"type": "pronunciation", "start_time": str(s), "end_time": str(e),
                 "alternatives": [{"confidence": "0.9", "content": w.strip("\u201c\u201d.!")}]},
                *({"type": "punctuation", "alternatives": [{"content": w[-1]}]} for _ in range(w[-1] in ".!")),
            )]}},
    "Google": {"results": [{"languageCode": "en-us", "alternatives": [{"transcript": text, "words": [
        {"startTime": f"{s}s", "endTime": f"{e}s", "word": w} for w, s, e, _ in each_word() if start <= s < end]}]}
        for start, end, _, text in SAID]},
    "Vosk": {"text": TEXT, "result": [
        {"conf": 1.0, "word": bare(w), "start": s, "end": e} for w, s, e, _ in each_word()]},
    "Vosk, several": [{"text": text, "result": [
        {"conf": 1.0, "word": bare(w), "start": s, "end": e} for w, s, e, _ in each_word() if start <= s < end]}
        for start, end, _, text in SAID],
    "ElevenLabs": {"language_code": "eng", "text": TEXT, "words": [
        word for w, s, e, _ in each_word() for word in (
            {"text": w, "start": s, "end": e, "type": "word"},
            {"text": " ", "start": e, "end": e, "type": "spacing"})]},
    "Rev": {"monologues": [{"speaker": int(who == "Bob"), "elements": [
        element for w, s, e, _ in each_word() if start <= s < end for element in (
            {"type": "text", "value": w, "ts": s, "end_ts": e}, {"type": "punct", "value": " "})]}
        for start, end, who, _ in SAID]},
    "Speechmatics": {"format": "2.9", "results": [
        {"start_time": s, "end_time": e, "type": "word", "alternatives": [{"content": w, "speaker": who}]}
        for w, s, e, who in each_word()]},
}  # fmt: skip


@pytest.mark.parametrize("form", SEGMENTS)
def test_segments_are_read_wherever_their_times_stand(form: str) -> None:
    found = read(json.dumps(SEGMENTS[form]), "talk.json")
    assert spoken(found) == CUES
    assert found.uncertain == ()
    if "speaker" in json.dumps(SEGMENTS[form]):
        names = ["Speaker 0", "Speaker 1", "Speaker 0"] if "Deepgram" in form else ["Ana", "Bob", "Ana"]
        assert [cue.speaker for cue in found.cues] == names


@pytest.mark.parametrize("form", WORDS)
def test_words_become_cues_that_keep_their_times(form: str) -> None:
    found = read(json.dumps(WORDS[form]), "talk.json")
    assert spoken(found) == CUES
    assert found.origin == "automatic"
    assert [word.start_ms for cue in found.cues for word in cue.words] == [
        int(round(start * 1000, 6)) for _, start, _, _ in each_word()
    ]
    assert [" ".join(word.text for word in cue.words) for cue in found.cues] == [text for _, _, text in CUES]
    speakers = [cue.speaker for cue in found.cues]
    if "speaker" in json.dumps(WORDS[form]):
        assert speakers in (["Ana", "Bob", "Ana"], ["Speaker 0", "Speaker 1", "Speaker 0"])
    else:
        assert speakers == [None, None, None]


@pytest.mark.parametrize("form", ["milliseconds", "AssemblyAI's utterances"])
def test_milliseconds_are_noted(form: str) -> None:
    found = read(json.dumps(SEGMENTS[form]), "talk.json")
    assert [step.name for step in found.steps] == ["read-milliseconds"]


@pytest.mark.parametrize(
    "entries",
    [
        [{"text": "Hello there, all of you.", "start": 0, "duration": 3}, {"text": "And so on.", "start": 3600}],
        [{"text": "[Music]", "start": 0, "duration": 20_000}, {"text": "\u266a", "start": 20_000, "duration": 9000}],
        [{"text": "What a chapter is about, in words", "start": s, "end": s + 600} for s in range(0, 6000, 600)],
        [{"text": "So it begins at last, my friends", "start": i * 2, "end": i * 2 + 2} for i in range(9)]
        + [{"text": "and this end is damage", "start": 18, "end": 99_999}],
        [{"text": "It is a slow talk, very slow", "start": i * 9000.5, "duration": 9000} for i in range(9)],
    ],
)
def test_seconds_stay_seconds(entries: list[dict[str, Any]]) -> None:
    found = read(json.dumps(entries), "talk.json")
    assert [cue.start_ms for cue in found.cues] == [round(entry["start"] * 1000) for entry in entries]
    assert not any(step.name == "read-milliseconds" for step in found.steps)


def test_times_that_are_missing_or_damaged_cost_nothing_else() -> None:
    entries = [{"text": f"number{i} is said here", "start": float(i), "end": i + 1.0} for i in range(12)]
    entries[3]["start"] = None  # type: ignore[assignment]
    entries[5]["start"] = float("nan")
    entries[0]["start"] = -1.0
    for data in (entries, {"segments": entries}, {"utterances": entries}):
        found = read(json.dumps(data), "talk.json")
        assert [cue.text.split()[0] for cue in found.cues] == [f"number{i}" for i in range(12)]
        assert [cue.start_ms for cue in found.cues] == [i * 1000 for i in range(12)]
        assert any("2 segments had no start" in note for note in found.uncertain)


def test_no_segment_with_a_time_is_a_text_without_times() -> None:
    found = read(json.dumps({"segments": [{"text": "One."}, {"text": "Two."}]}), "talk.json")
    assert not found.timed
    assert [cue.text for cue in found.cues] == ["One.", "Two."]


def test_words_that_are_not_those_of_the_text_are_not_said_twice() -> None:
    words = [{"word": word, "start": i / 2, "end": i / 2 + 0.4} for i, word in enumerate(["we", "saw", "ten", "ships"])]
    inside = {"segments": [{"startTime": 0.0, "endTime": 2.0, "body": "We saw 10 ships.", "words": words}]}
    assert [(cue.text, cue.words) for cue in read(json.dumps(inside), "a.json").cues] == [("We saw 10 ships.", ())]
    beside = {"text": "We saw 10 ships.", "words": words}
    assert [cue.text for cue in read(json.dumps(beside), "a.json").cues] == ["we saw ten ships"]
    more = {"text": "We saw 10 ships and then a good many more of them.", "words": words}
    assert "8 words more" in read(json.dumps(more), "a.json").uncertain[0]


def test_words_without_punctuation_are_cut_at_pauses_and_in_the_end_at_any_word() -> None:
    times = [*range(0, 3000, 500), *range(6000, 30_000, 500)]
    words = [{"word": f"word{at}", "start": at / 1000, "end": at / 1000 + 0.4} for at in times]
    found = read(json.dumps({"result": words, "text": " ".join(word["word"] for word in words)}), "a.json")
    assert [(cue.start_ms, len(cue.words)) for cue in found.cues] == [(0, 6), (6000, 30), (21_000, 18)]


def test_a_script_without_spaces_is_spelled_as_its_text_is() -> None:
    words = [
        {"word": word, "start": i / 2, "end": i / 2 + 0.4} for i, word in enumerate(["我们", "今天", "谈", "时间"])
    ]
    found = read(json.dumps({"text": "我们今天，谈时间。", "words": words}, ensure_ascii=False), "a.json")
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in found.cues] == [(0, 1900, "我们今天，谈时间。")]


def test_two_channels_are_one_conversation() -> None:
    channels = [
        {"alternatives": [{"transcript": text, "words": [
            {"word": word, "start": at + i / 2, "end": at + i / 2 + 0.4} for i, word in enumerate(text.split())]}]}
        for at, text in ((1.0, "Who is there?"), (0.0, "Hello."))
    ]  # fmt: skip
    found = read(json.dumps({"results": {"channels": channels}}), "a.json")
    assert [(cue.start_ms, cue.text) for cue in found.cues] == [(0, "Hello."), (1000, "Who is there?")]


def test_the_result_that_repeats_all_words_with_their_speakers_is_read_alone() -> None:
    last = [{"startTime": f"{s}s", "endTime": f"{e}s", "word": w, "speakerTag": 1} for w, s, e, _ in each_word()]
    data = {"results": [*WORDS["Google"]["results"], {"alternatives": [{"words": last}]}]}
    found = read(json.dumps(data), "a.json")
    assert spoken(found) == CUES
    assert {cue.speaker for cue in found.cues} == {"Speaker 1"}


@pytest.mark.parametrize("indent", [None, 1])
def test_json_lines_are_one_list(indent: int | None) -> None:
    segments = [{"start": s, "end": e, "text": t} for s, e, _, t in SAID]
    for entries in (segments, WORDS["Vosk, several"], SEGMENTS["podcast namespace"]["segments"]):
        text = "\n".join(json.dumps(entry, indent=indent) for entry in entries)
        assert spoken(read(text, "talk.jsonl")) == CUES


TABLES = {
    "csv": ",start,end,text\n" + "".join(f'{i},{s},{e},"{t}"\n' for i, (s, e, _, t) in enumerate(SAID)),
    "csv with names": "Start,End,Speaker,Text\n" + "".join(
        f'00:00:{s:06.3f},00:00:{e:06.3f},{w},"{t}"\n' for s, e, w, t in SAID),
    "csv in milliseconds": "start,end,text\n" + "".join(
        f'{int(s * 1000)},{int(e * 1000)},"{t}"\n' for s, e, _, t in SAID),
    "milliseconds by name": "Start (ms);End (ms);Text\n" + "".join(
        f"{int(s * 1000)};{int(e * 1000)};{t}\n" for s, e, _, t in SAID),
    "tsv in seconds": "start\tend\ttext\n" + "".join(f"{s}\t{e}\t{t}\n" for s, e, _, t in SAID),
    "tsv with speakers": "start\tend\tspeaker\ttext\n" + "".join(
        f"{int(s * 1000)}\t{int(e * 1000)}\t{w}\t{t}\n" for s, e, w, t in SAID),
    "durations": "text,start,duration\n" + "".join(f'"{t}",{s},{round(e - s, 3)}\n' for s, e, _, t in SAID),
    "two starts": "timestamp,start,end,text\n" + "".join(f"00:59:00,{s},{e},{t}\n" for s, e, _, t in SAID),
}  # fmt: skip


@pytest.mark.parametrize("form", TABLES)
def test_tables_are_read_by_their_header(form: str) -> None:
    assert sniff(TABLES[form], "talk.csv") == "table"
    found = read(TABLES[form], "talk.csv")
    assert spoken(found) == CUES
    names = ["Ana", "Bob", "Ana"] if "peaker" in TABLES[form] else [None] * 3
    assert [cue.speaker for cue in found.cues] == names


@pytest.mark.parametrize(
    ("table", "texts"),
    [
        (
            'start,end,text\n0.5,2,Well, it is, as I said, so\n3,4,"No, ""never"""\n',
            ["Well, it is, as I said, so", 'No, "never"'],
        ),
        ('start,end,text\n0.5,2,"It was open\n3,4,and so on\n', ['"It was open', "and so on"]),
        ('start\tend\ttext\n0.5\t2\t"Yes," she said\n3\t4\t"so"\n', ['"Yes," she said', "so"]),
        ('start,end,text\n0.5,2,"two\nlines"\n3,4,\n5,6,six\n', ["two\nlines", "six"]),
        ("start,end,text,note\n0.5,2,one,,,\n3,4,two,x\n", ["one", "two"]),
    ],
)  # fmt: skip
def test_no_word_of_a_table_is_lost(table: str, texts: list[str]) -> None:
    assert [cue.text for cue in read(table, "talk.csv").cues] == texts


def test_whispers_own_table_is_no_other() -> None:
    text = 'start\tend\ttext\n0\t1000\t"Hello," she said.\n1000\t2500\tAll of you.\n'
    assert sniff(text, "a.tsv") == "tsv"
    assert [cue.text for cue in read(text, "a.tsv").cues] == ['"Hello," she said.', "All of you."]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", json.dumps({"text": "Only words."}), "no list of segments or words with times"),
        ("a.json", json.dumps(dict.fromkeys(("one", "two"), SEGMENTS["by video"]["DTcRLlMv4_o"])), "several talks"),
        ("a.jsonl", "\n".join(json.dumps({"talk": i, "start": i, "end": 9, "text": "x"}) for i in "12"), "several"),
        ("a.jsonl", '{"id": 1, "transcript": "Words."}\n{"id": 2, "transcript": "Words."}\n', "one a line"),
        ("a.jsonl", '{"start": 1, "end": 2, "text": "a"}\n{"start": 2, "en', "one a line"),
        ("a.csv", "video_id,start,end,text\na,0.5,1,Hello\nb,0.5,1,there\n", "several talks"),
        ("a.csv", "start,text,end\n0.5,Hello, all of you,1\n", "Line 2 of the table has more columns"),
        ("a.csv", "start,end\n0.5,1\n", ".csv"),
        ("a.csv", "start,text\nsoon,Hello\nlater,there\n", ".csv"),
    ],
)
def test_what_is_ambiguous_is_refused_with_a_sentence(name: str, content: str, said: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(content, name)
    assert said in caught.value.message


ALL = {**{f"segments: {k}": json.dumps(v) for k, v in SEGMENTS.items()},
       **{f"words: {k}": json.dumps(v) for k, v in WORDS.items()}, **TABLES}  # fmt: skip


@pytest.mark.parametrize("form", ALL)
def test_a_receipt_gives_the_cues_again(form: str, tmp_path: Path) -> None:
    path = tmp_path / ("talk.json" if ALL[form][0] in "{[" else "talk.csv")
    data = ALL[form].encode()
    path.write_bytes(data)
    talk = load_talk(open_file(path, data), path.name)
    assert talk.timing == "exact"
    assert replay(data, path.name, talk.receipt) == talk.cues
    identity = identify(open_file(path, data))
    assert (identity.format, identity.timed, identity.youtube_id) == (talk.format, True, talk.youtube_id)
    assert identity.origin == talk.origin or "transcription" in form
    assert (talk.youtube_id == "DTcRLlMv4_o") is (form == "segments: by video")


@pytest.mark.parametrize("time", ["00:00:1,.000", "9" * 5000 + ":00", "9" * 5000, "nan", "-1:00", "1:2:3:4", "s", ":"])
def test_what_looks_like_a_time_and_is_none_is_passed_over(time: str) -> None:
    entries = [{"start": f"0:0{i}", "text": f"number {i}"} for i in range(5)]
    entries[2]["start"] = time
    assert [cue.start_ms for cue in read(json.dumps({"segments": entries}), "a.json").cues[:2]] == [0, 1000]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["0:05", "1.4s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "text", "word"]), inner),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    value = json.loads(data.draw(st.sampled_from([text for text in ALL.values() if text[0] in "{["])))
    for _ in range(data.draw(st.integers(1, 3))):
        inside: Any = value
        while isinstance(inside, (dict, list)) and inside:
            key = data.draw(st.sampled_from(list(inside) if isinstance(inside, dict) else list(range(len(inside)))))
            if not isinstance(inside[key], (dict, list)) or data.draw(st.integers(0, 3)) == 0:
                inside[key] = data.draw(_VALUES)
                break
            inside = inside[key]
    try:
        cues = read(json.dumps(value), "talk.json").cues
    except UnreadableError:
        return
    assert all(cue.start_ms <= cue.end_ms for cue in cues)
    assert all(one.start_ms <= other.start_ms for one, other in pairwise(cues))


def test_a_word_keeps_its_letters() -> None:
    words = [{"word": "Straße", "start": 0.1, "end": 0.4}, {"word": "frei", "start": 0.5, "end": 0.9}]
    found = read(json.dumps({"text": "STRASSE frei", "words": words}), "a.json")
    assert found.cues[0].words == (Word("STRASSE", 100), Word("frei", 500))
