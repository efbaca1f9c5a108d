"""Transcripts in JSON as services, players and editors write it: three sentences in 110 shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

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
            {"start": s, "end": e, "text": f"Auf gut deutsch gesagt und länger: {t}"} for s, e, _, t in SAID]}]}},
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
                {"type": "word", "start_time": SAID[i][0], "alternatives": [{"content": "The"}]}]},
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
             {"Confidence": 0.9, "Lexical": t.lower().strip(".?"), "ITN": t.lower(), "Display": t,
              "Words": [{"Word": w, "Offset": whole(a, 10**7), "Duration": 1} for w, a, _ in words(i, bare=True)]}]}
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
        {"name": f"conferenceRecords/1/entries/{i}", "participant": f"conferenceRecords/1/participants/{n}",
         "text": t, "languageCode": "en-US", "startTime": f"2024-03-12T10:00:{s:09.6f}Z",
         "endTime": f"2024-03-12T10:00:{e:09.6f}Z"} for i, (s, e, n, t) in enumerate(SAID)]},
    "Recall.ai": [{"participant": {"id": who(n), "name": n, "is_host": True}, "words": [
        {"text": w, "start_timestamp": {"relative": a, "absolute": "2024-03-12T10:00:00Z"},
         "end_timestamp": {"relative": b, "absolute": "2024-03-12T10:00:00Z"}} for w, a, b in words(i)]}
        for i, (_, _, n, _) in enumerate(SAID)],
    "Zoom timeline": {"timeline": [
        {"text": t, "ts": clock(s), "end_ts": clock(e), "users": [{"username": n}]} for s, e, n, t in SAID]},
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
FROM_ZERO = ("Read.ai", "Google Meet", "granola")
"""Their times are those of a day, so they count from the first cue."""

MORE_SHAPES: dict[str, Any] = {
    "gong": {
        "callTranscripts": [
            {
                "callId": "1",
                "transcript": [
                    {
                        "speakerId": "6432345678555530067",
                        "topic": "x",
                        "sentences": [{"start": whole(s), "end": whole(e), "text": t}],
                    }
                    for s, e, n, t in SAID
                ],
            }
        ],
        "parties": [{"speakerId": "6432345678555530067", "name": "Ida"}],
    },
    "zoom": {"transcript": [{"user_name": n, "start": clock(s), "end": clock(e), "text": t} for s, e, n, t in SAID]},
    "innertube": {
        "actions": [
            {
                "updateEngagementPanelAction": {
                    "content": {
                        "transcriptRenderer": {
                            "content": {
                                "transcriptSearchPanelRenderer": {
                                    "body": {
                                        "transcriptSegmentListRenderer": {
                                            "initialSegments": [
                                                {
                                                    "transcriptSegmentRenderer": {
                                                        "startMs": str(whole(s)),
                                                        "endMs": str(whole(e)),
                                                        "snippet": {"runs": [{"text": t}]},
                                                        "startTimeText": {"simpleText": f"0:0{s:.0f}"},
                                                        "trackingParams": "abc",
                                                    }
                                                }
                                                for s, e, n, t in SAID
                                            ]
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        ]
    },
    "bilibili": {
        "font_size": 0.4,
        "font_color": "#FFFFFF",
        "body": [{"from": s, "to": e, "location": 2, "content": t} for s, e, n, t in SAID],
    },
    "amara": {
        "subtitles": [
            {"start": whole(s), "end": whole(e), "text": t, "meta": {"new_paragraph": True}} for s, e, n, t in SAID
        ],
        "video_title": "The mill",
        "language": {"code": "en"},
    },
    "3play": {
        "words": [[str(whole(a)), w] for i in range(3) for w, a, b in words(i)],
        "paragraphs": ["1000", "5000"],
        "speakers": {"1000": "Ida", "5000": "Olu"},
    },
    "voicebase": {
        "transcripts": {
            "latest": {
                "words": [
                    {"p": k, "s": whole(a), "e": whole(b), "c": 0.9, "w": w}
                    for k, (w, a, b) in enumerate(x for i in range(3) for x in words(i))
                ]
            }
        }
    },
    "clova": {
        "segments": [
            {
                "start": whole(s),
                "end": whole(e),
                "text": t,
                "confidence": 0.9,
                "diarization": {"label": "1"},
                "speaker": {"label": "1", "name": n, "edited": False},
                "words": [[whole(a), whole(b), w] for w, a, b in words(i)],
                "textEdited": t,
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
        "text": TEXT,
    },
    "yandex": {
        "done": True,
        "response": {
            "chunks": [
                {
                    "alternatives": [
                        {
                            "words": [
                                {"startTime": f"{a}s", "endTime": f"{b}s", "word": w, "confidence": 1}
                                for w, a, b in words(i, bare=True)
                            ],
                            "text": t,
                            "confidence": 1,
                        }
                    ],
                    "channelTag": "1",
                }
                for i, (s, e, n, t) in enumerate(SAID)
            ]
        },
    },
    "yandex v3": lines(
        *(
            {
                "result": {
                    "sessionUuid": {"uuid": "x"},
                    "final": {
                        "alternatives": [
                            {
                                "words": [
                                    {"text": w, "startTimeMs": str(whole(a)), "endTimeMs": str(whole(b))}
                                    for w, a, b in words(i, bare=True)
                                ],
                                "text": t,
                                "startTimeMs": str(whole(s)),
                                "endTimeMs": str(whole(e)),
                            }
                        ],
                        "channelTag": "0",
                    },
                }
            }
            for i, (s, e, n, t) in enumerate(SAID)
        )
    ),
    "paraformer": {
        "file_url": "https://a/b.wav",
        "transcripts": [
            {
                "channel_id": 0,
                "text": TEXT,
                "sentences": [
                    {
                        "begin_time": whole(s),
                        "end_time": whole(e),
                        "text": t,
                        "sentence_id": i,
                        "speaker_id": who(n),
                        "words": [
                            {
                                "begin_time": whole(a),
                                "end_time": whole(b),
                                "text": w.strip(".,?") + " ",
                                "punctuation": w[-1] if w[-1] in ".,?" else "",
                            }
                            for w, a, b in words(i)
                        ],
                    }
                    for i, (s, e, n, t) in enumerate(SAID)
                ],
            }
        ],
    },
    "tencent": {
        "Response": {
            "Data": {
                "TaskId": 1,
                "Status": 2,
                "Result": "",
                "ResultDetail": [
                    {
                        "FinalSentence": t,
                        "SliceSentence": t,
                        "StartMs": whole(s),
                        "EndMs": whole(e),
                        "WordsNum": 7,
                        "SpeechSpeed": 2.3,
                        "SpeakerId": who(n),
                        "Words": [
                            {"Word": w, "OffsetStartMs": whole(a - s), "OffsetEndMs": whole(b - s)}
                            for w, a, b in words(i)
                        ],
                    }
                    for i, (s, e, n, t) in enumerate(SAID)
                ],
            }
        }
    },
    "baidu": {
        "tasks_info": [
            {
                "task_status": "Success",
                "task_result": {
                    "result": [TEXT],
                    "audio_duration": 13000,
                    "detailed_result": [
                        {
                            "res": [t],
                            "begin_time": whole(s),
                            "end_time": whole(e),
                            "words_info": [],
                            "sn": "x",
                            "corpus_no": "1",
                        }
                        for s, e, n, t in SAID
                    ],
                },
                "task_id": "x",
            }
        ],
        "log_id": 1,
    },
    "funasr": [
        {
            "key": "a",
            "text": TEXT,
            "timestamp": [[whole(a), whole(b)] for i in range(3) for w, a, b in words(i)],
            "sentence_info": [
                {
                    "text": t,
                    "start": whole(s),
                    "end": whole(e),
                    "timestamp": [[whole(a), whole(b)] for w, a, b in words(i)],
                    "spk": who(n),
                }
                for i, (s, e, n, t) in enumerate(SAID)
            ],
        }
    ],
    "funasr parallel only": [
        {"key": "a", "text": TEXT, "timestamp": [[whole(a), whole(b)] for i in range(3) for w, a, b in words(i)]}
    ],
    "plaud": [{"speaker": n, "start_time": whole(s), "end_time": whole(e), "content": t} for s, e, n, t in SAID],
    "granola": [
        {
            "document_id": "d",
            "start_timestamp": f"2024-03-12T10:00:{s:06.3f}Z",
            "end_timestamp": f"2024-03-12T10:00:{e:06.3f}Z",
            "text": t,
            "source": "microphone" if n == "Ida" else "system",
            "id": f"x{s:.0f}",
            "is_final": True,
        }
        for s, e, n, t in SAID
    ],
    "ms stream": {
        "$schema": "x",
        "version": "1.0",
        "type": "Transcript",
        "entries": [
            {
                "id": f"a/{i}",
                "speechServiceResultId": "b",
                "text": t,
                "speakerId": "c@d",
                "speakerDisplayName": n,
                "confidence": 0.9,
                "startOffset": f"00:00:{s:010.7f}",
                "endOffset": f"00:00:{e:010.7f}",
                "hasBeenEdited": False,
                "roomId": None,
                "spokenLanguageTag": "en-us",
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
    },
    "ted": {
        "data": {
            "translation": {
                "id": "x",
                "language": {"id": "en"},
                "paragraphs": [{"cues": [{"text": t, "time": whole(s)}]} for s, e, n, t in SAID],
            }
        }
    },
    "ted old": {
        "captions": [
            {"duration": whole(e - s), "content": t, "startOfParagraph": True, "startTime": whole(s)}
            for s, e, n, t in SAID
        ]
    },
    "vapi": {
        "messages": [
            {
                "role": "bot" if n == "Ida" else "user",
                "message": t,
                "time": 1710237600000 + whole(s),
                "endTime": 1710237600000 + whole(e),
                "secondsFromStart": s,
                "duration": 3000,
            }
            for s, e, n, t in SAID
        ]
    },
    "retell": {
        "transcript_object": [
            {
                "role": "agent" if n == "Ida" else "user",
                "content": t,
                "words": [{"word": w + " ", "start": a, "end": b} for w, a, b in words(i)],
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
        "transcript": "Agent: x",
    },
    "twilio": {
        "sentences": [
            {
                "media_channel": 1,
                "sentence_index": i,
                "start_time": str(s),
                "end_time": str(e),
                "transcript": t,
                "sid": "GX",
                "confidence": "0.9",
                "words": [{"word": w, "start_time": str(a), "end_time": str(b)} for w, a, b in words(i)],
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
        "meta": {"page": 0},
    },
    "whisper-timestamped": {
        "text": TEXT,
        "segments": [
            {
                "id": i,
                "seek": 0,
                "start": s,
                "end": e,
                "text": " " + t,
                "tokens": [1, 2],
                "words": [{"text": w, "start": a, "end": b, "confidence": 0.9} for w, a, b in words(i)],
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
        "language": "en",
    },
    "stable-ts": {
        "language": "en",
        "text": TEXT,
        "segments": [
            {
                "start": s,
                "end": e,
                "text": " " + t,
                "words": [{"word": " " + w, "start": a, "end": b, "probability": 0.9} for w, a, b in words(i)],
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
        "ori_dict": {
            "text": TEXT,
            "segments": [{"start": s, "end": e, "text": " " + t} for i, (s, e, n, t) in enumerate(SAID)],
        },
    },
    "replicate list wrap": {
        "id": "x",
        "status": "succeeded",
        "input": {"audio": "https://a"},
        "output": {
            "detected_language": "en",
            "segments": [{"start": s, "end": e, "text": " " + t} for s, e, n, t in SAID],
            "transcription": TEXT,
        },
        "metrics": {"predict_time": 3},
    },
    "runpod verbose": {
        "output": {
            "model": "large",
            "segments": [
                {
                    "id": i,
                    "seek": 0,
                    "start": s,
                    "end": e,
                    "text": t,
                    "avg_logprob": -0.2,
                    "compression_ratio": 1.2,
                    "temperature": 0,
                }
                for i, (s, e, n, t) in enumerate(SAID)
            ],
        }
    },
    "groq chunked local times": {
        "chunks": [
            {"offset": 4 * i, "segments": [{"start": 1.0, "end": 3.9, "text": t}]}
            for i, (s, e, n, t) in enumerate(SAID)
        ]
    },
    "w3c annotations": {
        "@context": "x",
        "items": [
            {
                "type": "Annotation",
                "body": {"value": t, "type": "TextualBody"},
                "target": f"https://a.b/m.mp4#t={s},{e}",
            }
            for s, e, n, t in SAID
        ],
    },
    "iiif": {
        "items": [
            {
                "id": "x",
                "type": "Annotation",
                "body": {"type": "TextualBody", "value": t, "format": "text/plain"},
                "target": {"source": "c", "selector": {"type": "RangeSelector", "t": f"{s},{e}"}},
            }
            for s, e, n, t in SAID
        ]
    },
    "otr": {
        "text": "".join(
            f'<p><span class="timestamp" contenteditable="false" data-timestamp="{s}">0:0{s:.0f}</span> {t}</p>'
            for s, e, n, t in SAID
        ),
        "media": "mill.mp3",
        "media-source": "",
        "media-time": "12.0",
    },
    "embedded vtt": {
        "text": TEXT,
        "word_count": 23,
        "vtt": "WEBVTT\n\n" + "\n\n".join(f"{clock(s)} --> {clock(e)}\n{t}" for s, e, n, t in SAID),
    },
    "embedded srt": {
        "srt": "\n\n".join(f"{i + 1}\n{clock(s, ',')} --> {clock(e, ',')}\n{t}" for i, (s, e, n, t) in enumerate(SAID))
    },
    "json in string": {
        "statusCode": 200,
        "body": json.dumps({"segments": [{"start": s, "end": e, "text": t} for s, e, n, t in SAID]}),
    },
    "upper keys": {"SEGMENTS": [{"START_TIME": s, "END_TIME": e, "TEXT": t, "SPEAKER": n} for s, e, n, t in SAID]},
    "attr xml2json": {
        "tt": {"body": {"div": {"p": [{"@begin": clock(s), "@end": clock(e), "#text": t} for s, e, n, t in SAID]}}}
    },
    "xml2json srv1": {"transcript": {"text": [{"$": {"start": str(s), "dur": "3"}, "_": t} for s, e, n, t in SAID]}},
    "xml2js attributes": {
        "transcript": {"text": [{"@attributes": {"start": str(s), "dur": "3"}, "#text": t} for s, e, n, t in SAID]}
    },
    "node-webvtt": {
        "valid": True,
        "strict": True,
        "cues": [{"identifier": "", "start": s, "end": e, "text": t, "styles": ""} for s, e, n, t in SAID],
    },
    "subtitle.js": [{"type": "cue", "data": {"start": whole(s), "end": whole(e), "text": t}} for s, e, n, t in SAID],
    "srt-parser-2": [
        {
            "id": str(i),
            "startTime": clock(s, ","),
            "startSeconds": s,
            "endTime": clock(e, ","),
            "endSeconds": e,
            "text": t,
        }
        for i, (s, e, n, t) in enumerate(SAID)
    ],
    "subsrt": [
        {"type": "caption", "index": i, "start": whole(s), "end": whole(e), "duration": 3000, "content": t, "text": t}
        for i, (s, e, n, t) in enumerate(SAID)
    ],
    "premiere json": {
        "language": "en-us",
        "segments": [
            {
                "duration": 3.0,
                "language": "en-us",
                "speaker": "u1",
                "start": s,
                "words": [
                    {
                        "confidence": 1,
                        "duration": 0.25,
                        "eos": w[-1] in ".?",
                        "start": a,
                        "tags": [],
                        "text": w,
                        "type": "word",
                    }
                    for w, a, b in words(i)
                ],
            }
            for i, (s, e, n, t) in enumerate(SAID)
        ],
        "speakers": [{"id": "u1", "name": "Ida"}],
    },
    "label studio": [
        {
            "id": 1,
            "annotations": [
                {
                    "result": [
                        {
                            "value": {"start": s, "end": e, "text": [t], "channel": 0},
                            "from_name": "transcription",
                            "to_name": "audio",
                            "type": "textarea",
                        }
                        for s, e, n, t in SAID
                    ]
                }
            ],
            "data": {"audio": "a.wav"},
        }
    ],
    "elan json": {
        "tiers": [
            {
                "id": "Ida",
                "annotations": [{"start": whole(s), "end": whole(e), "value": t} for s, e, n, t in SAID if n == "Ida"],
            },
            {
                "id": "Olu",
                "annotations": [{"start": whole(s), "end": whole(e), "value": t} for s, e, n, t in SAID if n == "Olu"],
            },
        ]
    },
    "recall tracks": {
        "participants": [
            {"name": n, "segments": [{"start": s, "end": e, "text": t} for s, e, m, t in SAID if m == n]}
            for n in ("Ida", "Olu")
        ]
    },
    "minutes only clocks": [{"time": f"0:0{s:.0f}", "name": n, "text": t} for s, e, n, t in SAID],
    "hms keys": [{"timecode": clock(s), "speech": t, "speaker": n} for s, e, n, t in SAID],
    "null ends": {"utterances": [{"start": s, "end": None, "text": t} for s, e, n, t in SAID]},
    "string null": {"utterances": [{"start": s, "end": "", "text": t} for s, e, n, t in SAID]},
}
