"""Transcripts as services, players and editors write them in JSON: found by what they are, not by who wrote them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from json_others import OTHERS
from json_shapes import FROM_ZERO, MORE_SHAPES, NAMED, NUMBERED, SAID, SHAPES, STARTS, TEXT, lines, whole, words

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import read
from talksearch.indexer.records import Transcript
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

ALL = {**SHAPES, **MORE_SHAPES}


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


@pytest.mark.parametrize("form", ALL)
def test_sentences_are_found_wherever_they_lie(form: str) -> None:
    found = read(text_of(ALL[form]), "talk.json")
    shift = 1000 if form in FROM_ZERO else 0
    assert sentences_of(found) == [(start - shift, plain(SAID[i][3])) for i, start in enumerate(STARTS)]
    assert found.timed
    speakers = list(dict.fromkeys(cue.speaker for cue in found.cues))
    if form in NAMED:
        assert speakers == ["Ida", "Olu"]
    elif form in NUMBERED:
        assert speakers == ["Speaker 0", "Speaker 1"]


@pytest.mark.parametrize("form", ALL)
def test_what_was_found_replays(form: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(text_of(ALL[form]), encoding="utf-8")
    talk = load_talk(open_file(path, path.read_bytes()), path.name)
    assert replay(path.read_bytes(), path.name, talk.receipt) == talk.cues
    assert not any("do not balance" in note for note in talk.receipt.uncertain)
    assert talk.receipt.words_lost == 0


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_transcript_is_refused(kind: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(text_of(OTHERS[kind]), "talk.json")
    assert (
        "no kind of transcript" in caught.value.message
        or "a list of JSON objects" in caught.value.message
        or ("info.json" in caught.value.message)
    )


def test_several_videos_are_not_one_talk() -> None:
    sentences = [{"start": s, "end": e, "text": t} for s, e, _, t in SAID]
    several = {"results": [{"video": {"id": f"v{i}"}, "segments": sentences} for i in range(2)]}
    hits = {"results": [{"video": {"id": f"v{i}"}, "start": s, "text": t} for i, (s, _, _, t) in enumerate(SAID)]}
    by_id = {
        name: [{"start": s, "end": e, "text": t} for s, e, _, t in SAID] for name in ("DTcRLlMv4_o", "FyrFl1es_3z")
    }
    for value in (several, hits, by_id):
        with pytest.raises(UnreadableError):
            read(json.dumps(value), "talk.json")


@pytest.mark.parametrize("starts", [[9, 1, 5], [9, 1, 25, 5, 3, 2]])
def test_times_that_do_not_rise_are_no_transcript(starts: list[int]) -> None:
    entries = [{"start": s, "end": s + 3, "sentence": f"{SAID[i % 3][3]} {i}"} for i, s in enumerate(starts)]
    with pytest.raises(UnreadableError):
        read(json.dumps({"sentences": entries}), "talk.json")


def test_more_words_than_anybody_says_are_no_transcript() -> None:
    entries = [{"start": s / 100, "end": e / 100, "sentence": t} for s, e, _, t in SAID]
    with pytest.raises(UnreadableError):
        read(json.dumps({"sentences": entries}), "talk.json")


def test_tokens_of_recognisers_are_no_words() -> None:
    tokens = [{"text": w, "start": a, "end": b} for i in range(3) for w, a, b in words(i)]
    marked = [{"text": "<|en|>", "start": 1.0, "end": 1.0}, *tokens, {"text": "[_TT_50]", "start": 11.7, "end": 11.7}]
    found = read(json.dumps({"tokens": marked}), "talk.json")
    assert [cue.start_ms for cue in found.cues] == STARTS
    assert " ".join(cue.text for cue in found.cues) == TEXT
    assert [(step.name, step.detail["tokens"]) for step in found.steps] == [("leave-out-tokens", 2)]
    inside = [{"from": s, "to": e, "content": f"<|{s}|>{t}<|{e}|>"} for s, e, _, t in SAID]
    assert [cue.text for cue in read(json.dumps({"body": inside}), "talk.json").cues] == [t for *_, t in SAID]


def test_drafts_that_are_said_again_are_left_out_with_their_words() -> None:
    values = []
    for s, e, _, t in SAID:
        draft = {
            "start": s,
            "duration": e - s,
            "is_final": False,
            "channel": {"alternatives": [{"transcript": "Theo mill"}]},
        }
        final = {"start": s, "duration": e - s, "is_final": True, "channel": {"alternatives": [{"transcript": t}]}}
        values += [draft, draft, final]
    found = read(lines(*values), "talk.jsonl")
    assert [(cue.start_ms, cue.text) for cue in found.cues] == [(whole(s), t) for s, _, _, t in SAID]
    (step,) = found.steps
    assert (step.name, step.detail["drafts"], step.detail["words_left_out"]) == ("leave-out-drafts", 6, 12)


def test_a_second_list_of_other_words_is_named() -> None:
    value = {
        "utterances": [{"start": s, "end": e, "text": t} for s, e, _, t in SAID],
        "commentary": [{"start": s, "end": e, "text": "Nobody on the tape says any of this"} for s, e, *_ in SAID],
    }
    assert any("another list of 24 words" in note for note in read(json.dumps(value), "talk.json").uncertain)


def test_translations_stand_aside() -> None:
    spoken = [{"start": s, "end": e, "text": t} for s, e, _, t in SAID]
    translated = [
        {"start": s, "end": e, "text": f"Und noch viel länger auf Deutsch gesagt: {t}"} for s, e, _, t in SAID
    ]
    for value in (
        {"transcripts": {"en": spoken, "de": translated}, "language": "en"},
        {"translations": translated, "sentences": spoken},
        {"sentences": [{**a, "translation": b["text"]} for a, b in zip(spoken, translated, strict=True)]},
    ):
        assert [cue.text for cue in read(json.dumps(value), "talk.json").cues] == [t for *_, t in SAID]


def test_chinese_words_are_joined_as_chinese_is_written() -> None:
    units = [{"word": char, "start": 1 + i / 4, "end": 1.2 + i / 4} for i, char in enumerate("洪水到了，我们走。")]
    assert [cue.text for cue in read(json.dumps({"words": units}), "talk.json").cues] == ["洪水到了，我们走。"]


def test_words_in_cyrillic_are_single_words() -> None:
    units = ["Вода", "поднялась", "до", "самого", "мельничного", "колеса."]
    timed = [{"word": word, "start": 1 + i / 2, "end": 1.4 + i / 2} for i, word in enumerate(units)]
    (cue,) = read(json.dumps({"words": timed}), "talk.json").cues
    assert [word.start_ms for word in cue.words] == [1000, 1500, 2000, 2500, 3000, 3500]


def test_what_the_value_says_about_the_talk_is_taken() -> None:
    value = {"meeting_title": "The mill", "data": {"language_code": "en-GB", "sentences": [
        {"start": s, "end": e, "text": t} for s, e, _, t in SAID]}}  # fmt: skip
    found = read(json.dumps(value), "talk.json")
    assert (found.title, found.language) == ("The mill", "en-GB")


def test_times_of_a_day_count_from_the_first_and_say_so() -> None:
    entries = [
        {
            "startTime": f"2024-03-12T23:59:{48 + s:06.3f}Z",
            "endTime": f"2024-03-12T23:59:{48 + e - 1:06.3f}Z",
            "text": t,
        }
        for s, e, _, t in SAID
    ]
    found = read(json.dumps({"entries": entries}), "talk.json")
    assert [cue.start_ms for cue in found.cues] == [0, 4000, 8000]
    assert "counted from the first" in found.uncertain[0]
    assert [step.name for step in found.steps] == ["mend-times"]


def test_what_is_said_is_no_name_although_its_key_says_display() -> None:
    """Of several spellings the one made for the eye is called `display`, as names are."""
    said = ["The ferry was late.", "Who has the tide table?", "Nobody has seen it since May."]
    phrases = [
        {
            "speaker": 1 + i % 2,
            "offset": f"PT{5 * i}S",
            "duration": "PT3S",
            "nBest": [
                {
                    "lexical": text.lower().strip(".?"),
                    "display": text,
                    "words": [
                        {"word": word.lower().strip(".?"), "offset": f"PT{5 * i + 0.4 * k}S", "duration": "PT0.3S"}
                        for k, word in enumerate(text.split())
                    ],
                }
            ],
        }
        for i, text in enumerate(said)
    ]
    cues = read(json.dumps({"recognizedPhrases": phrases}), "a.json").cues
    assert [(cue.start_ms, cue.text, cue.speaker) for cue in cues] == [
        (0, said[0], "Speaker 1"),
        (5000, said[1], "Speaker 2"),
        (10000, said[2], "Speaker 1"),
    ]


def test_json_of_many_entries_is_refused_in_no_time() -> None:
    entry = {"version": "1.0", "resolved": "https://a.example/b", "dependencies": {f"a{i}": "^1" for i in range(5)}}
    lock = {"packages": {f"node_modules/{i}": entry for i in range(5_000)}}
    begin = time.process_time()
    with pytest.raises(UnreadableError):
        read(json.dumps(lock), "lock.json")
    assert time.process_time() - begin < 5  # a quarter of a second; in proportion to the square it was half a minute
