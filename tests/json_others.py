"""What is JSON, has texts and numbers, and is no transcript."""

from __future__ import annotations

import json
from typing import Any

T = [
    "The old mill stood beside the weir.",
    "Did the flood reach the grinding floor?",
    "It did, and we lost two winters of flour.",
]

OTHERS: dict[str, Any] = {
    "geojson": {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": f"Mill {i}", "description": T[i]},
                "geometry": {"type": "Point", "coordinates": [1.0 + i * 4, 4.0 + i * 4]},
            }
            for i in range(3)
        ],
    },
    "log": [{"time": f"2024-03-12T10:00:0{1 + 4 * i}.000Z", "level": "info", "msg": T[i]} for i in range(3)],
    "log uptime": [{"ts": 1.0 + 4 * i, "level": "info", "message": T[i]} for i in range(3)],
    "log pino lines": "\n".join(
        json.dumps({"level": 30, "time": 1710237601000 + i * 4000, "pid": 12, "hostname": "h", "msg": T[i]})
        for i in range(3)
    ),
    "log text uptime no level": [{"timestamp": 1.0 + 4 * i, "message": T[i]} for i in range(3)],
    "analytics": {
        "events": [
            {"event": "click", "timestamp": 1710237601000 + i * 4000, "label": T[i], "duration": 3000} for i in range(3)
        ]
    },
    "telegram": {
        "name": "Mill friends",
        "type": "personal_chat",
        "id": 1,
        "messages": [
            {
                "id": i,
                "type": "message",
                "date": f"2024-03-12T10:00:0{1 + 4 * i}",
                "date_unixtime": str(1710237601 + 4 * i),
                "from": "Ida",
                "from_id": "user1",
                "text": T[i],
                "text_entities": [{"type": "plain", "text": T[i]}],
            }
            for i in range(3)
        ],
    },
    "slack": [{"type": "message", "user": "U1", "text": T[i], "ts": f"171023760{i}.000200"} for i in range(3)],
    "slack no user": [{"text": T[i], "ts": f"171023760{i}.000200"} for i in range(3)],
    "discord": {
        "messages": [
            {
                "id": str(i),
                "type": "Default",
                "timestamp": f"2024-03-12T10:00:0{1 + 4 * i}+00:00",
                "content": T[i],
                "author": {"name": "Ida"},
            }
            for i in range(3)
        ]
    },
    "package": {
        "name": "x",
        "version": "1.0.0",
        "scripts": {"start": "node index.js", "end": "x", "test": "jest"},
        "dependencies": {"a": "^1"},
    },
    "chapters": {"chapters": [{"startTime": 0, "title": "Welcome"}, {"startTime": 60, "title": "Pump"}]},
    "chapters text": {
        "chapters": [
            {"start": 0, "end": 60, "text": "Welcome to all of you"},
            {"start": 60, "end": 120, "text": "The pump"},
        ]
    },
    "ytdlp chapters": [
        {"start_time": 0.0, "title": "Intro", "end_time": 60.0},
        {"start_time": 60.0, "title": "The old mill stood beside", "end_time": 120.0},
    ],
    "exif": [
        {
            "SourceFile": "a.jpg",
            "ExifToolVersion": 12.4,
            "FileName": "a.jpg",
            "DateTimeOriginal": "2024:03:12 10:00:00",
            "ImageDescription": T[0],
            "ExposureTime": 0.01,
        }
    ],
    "calendar": {
        "events": [
            {
                "summary": T[i],
                "description": T[i],
                "start": f"2024-03-12T1{i}:00:00Z",
                "end": f"2024-03-12T1{i}:30:00Z",
            }
            for i in range(3)
        ]
    },
    "calendar text": [
        {"text": T[i], "start": f"2024-03-12T1{i}:00:00Z", "end": f"2024-03-12T1{i}:30:00Z"} for i in range(3)
    ],
    "calendar dates": [{"text": T[i], "start": f"2024-03-1{i}", "end": f"2024-03-1{i + 1}"} for i in range(3)],
    "fullcalendar": [{"title": T[i], "start": f"2024-03-1{i}", "end": f"2024-03-1{i + 1}"} for i in range(3)],
    "sensor": [{"t": i * 0.5, "value": 20.1 + i, "unit": "C"} for i in range(30)],
    "sensor with text": [{"time": i * 10, "value": 20.1 + i, "text": "ok"} for i in range(30)],
    "playlist": {
        "title": "Best of",
        "tracks": [{"title": "The old mill stood here", "duration": 180, "artist": "Ida"} for i in range(3)],
    },
    "playlist with start": {
        "tracks": [
            {"name": "The old mill stood here", "start": 180 * i, "duration": 180, "artist": "Ida"} for i in range(3)
        ]
    },
    "search hits": {
        "results": [
            {"video_id": f"v{i}aaaaaaaaa", "start": 10.0 * i, "end": 10.0 * i + 4, "text": T[i], "score": 0.5}
            for i in range(3)
        ]
    },
    "comments": {"comments": [{"author": "Ida", "text": T[i], "timestamp": 60 * i, "likes": 3} for i in range(3)]},
    "comments list": [{"author": "Ida", "text": T[i], "timestamp": 1 + 4 * i, "like_count": 3} for i in range(3)],
    "soundcloud": {
        "collection": [
            {"kind": "comment", "id": i, "body": T[i], "timestamp": 1000 + 4000 * i, "user": {"username": "Ida"}}
            for i in range(3)
        ]
    },
    "ytdlp live chat": "\n".join(
        json.dumps(
            {
                "replayChatItemAction": {
                    "actions": [
                        {
                            "addChatItemAction": {
                                "item": {
                                    "liveChatTextMessageRenderer": {
                                        "message": {"runs": [{"text": T[i]}]},
                                        "authorName": {"simpleText": "Ida"},
                                        "timestampUsec": str(1710237601000000 + i * 4000000),
                                        "timestampText": {"simpleText": f"0:0{1 + 4 * i}"},
                                    }
                                }
                            }
                        }
                    ],
                    "videoOffsetTimeMsec": str(1000 + 4000 * i),
                }
            }
        )
        for i in range(3)
    ),
    "chat downloader": [
        {
            "action_type": "add_chat_item",
            "author": {"name": "Ida"},
            "message": T[i],
            "time_in_seconds": 1.0 + 4 * i,
            "time_text": "0:01",
        }
        for i in range(3)
    ],
    "twitch": {
        "comments": [
            {
                "_id": "x",
                "content_offset_seconds": 1.0 + 4 * i,
                "commenter": {"display_name": "Ida"},
                "message": {"body": T[i]},
            }
            for i in range(3)
        ]
    },
    "i18n": {"app": {"title": "Mill", "start": "Start now", "end": "The end", "text": "Hello there friends"}},
    "i18n list": [{"key": "start", "value": "Start now my friends"}, {"key": "end", "value": "The end is near"}],
    "tsconfig": {"compilerOptions": {"target": "es5", "lib": ["dom", "es2015"]}, "include": ["src"]},
    "jupyter": {
        "cells": [
            {"cell_type": "markdown", "source": ["The old mill"]},
            {
                "cell_type": "code",
                "execution_count": 1,
                "source": ["x=1"],
                "outputs": [{"name": "stdout", "text": ["hi there you"]}],
            },
        ],
        "nbformat": 4,
    },
    "openapi": {
        "openapi": "3.0",
        "paths": {
            "/a": {"get": {"summary": "x", "responses": {"200": {"description": "ok"}}}},
            "/b": {"get": {"summary": "y", "responses": {"200": {"description": "ok"}}}},
        },
    },
    "highlights": {
        "auto_highlights_result": {
            "results": [
                {"count": 1, "rank": 0.1, "text": "old mill", "timestamps": [{"start": 1000, "end": 1500}]},
                {"count": 1, "rank": 0.1, "text": "grinding floor", "timestamps": [{"start": 5000, "end": 6500}]},
            ]
        }
    },
    "ner": {
        "entities": [
            {"text": "Ida", "start": 0, "end": 3, "label": "PERSON"},
            {"text": "the old mill", "start": 10, "end": 22, "label": "FAC"},
            {"text": "Monday", "start": 40, "end": 46, "label": "DATE"},
        ]
    },
    "ner list": [
        {"text": "Ida Moss", "start": 0, "end": 8, "label": "PERSON"},
        {"text": "the old mill", "start": 10, "end": 22, "label": "FAC"},
        {"text": "Monday", "start": 40, "end": 46, "label": "DATE"},
    ],
    "spacy": {
        "text": " ".join(T),
        "sents": [{"start": 0, "end": 36}, {"start": 36, "end": 70}],
        "tokens": [{"id": 0, "start": 0, "end": 3, "tag": "DT"}, {"id": 1, "start": 4, "end": 7, "tag": "JJ"}],
    },
    "squad": {
        "data": [
            {
                "title": "x",
                "paragraphs": [
                    {
                        "context": " ".join(T),
                        "qas": [
                            {"question": "Who?", "id": "1", "answers": [{"text": "the old mill", "answer_start": 0}]},
                            {"question": "What?", "id": "2", "answers": [{"text": "flour lost", "answer_start": 90}]},
                        ],
                    }
                ],
            }
        ]
    },
    "diff/lint": [
        {"line": 1, "column": 4, "endLine": 1, "endColumn": 9, "message": "Unexpected token here", "ruleId": "x"}
    ],
    "opening hours": [
        {"day": "Monday", "from": "08:00", "to": "12:00", "text": "Open for everybody"},
        {"day": "Tuesday", "from": "09:00", "to": "12:00", "text": "Open for everybody"},
    ],
    "timetable": [
        {"start": "09:00", "end": "10:00", "title": "Opening", "speaker": "Ida"},
        {"start": "10:00", "end": "11:00", "title": "The mill stood here", "speaker": "Olu"},
        {"start": "11:00", "end": "12:00", "title": "Flour and water", "speaker": "Olu"},
    ],
    "timetable abstract": [
        {"start": "09:00", "end": "10:00", "title": "Opening", "abstract": " ".join(T)},
        {"start": "10:00", "end": "11:00", "title": "The mill stood here", "abstract": " ".join(T[::-1])},
        {"start": "11:00", "end": "12:00", "title": "Flour and water", "abstract": T[1] + T[2]},
    ],
    "ocr": {
        "ocr": [
            {
                "text": T[i],
                "left": 1,
                "top": 2,
                "instances": [{"start": f"0:00:0{1 + 4 * i}", "end": f"0:00:0{4 + 4 * i}"}],
            }
            for i in range(2)
        ]
    },
    "har": {
        "log": {
            "entries": [
                {
                    "startedDateTime": "2024-03-12T10:00:01Z",
                    "time": 12,
                    "request": {"url": "https://a.b/c"},
                    "response": {"content": {"text": "some text here", "size": 12}},
                }
                for i in range(3)
            ]
        }
    },
    "trace events": {
        "traceEvents": [
            {"name": "paint all of it", "ph": "X", "ts": 1000 + i * 4000, "dur": 3000, "pid": 1, "tid": 2}
            for i in range(3)
        ]
    },
    "anki": [{"front": "old mill", "back": "alte Muehle", "interval": 3, "time": 12} for i in range(3)],
    "thumbnails vtt-like": {
        "frames": [{"start": i * 10, "end": i * 10 + 10, "url": f"https://a.b/{i}.jpg"} for i in range(5)]
    },
    "diarisation only": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "speaker": f"SPEAKER_0{i % 2}"} for i in range(3)],
    "pyannote label": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "label": f"SPEAKER_0{i % 2}"} for i in range(3)],
    "vad": {"speech": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i} for i in range(3)]},
    "tts markup": {"voice": "x", "text": "hello there", "start": 0},
    "poll": [{"question": T[1], "answer": T[2], "time": 5 * i} for i in range(3)],
    "recipe": {
        "steps": [
            {"text": "Boil the water", "time": 600},
            {"text": "Add the pasta now", "time": 480},
            {"text": "Drain", "time": 30},
        ]
    },
    "recipe rising": {
        "steps": [
            {"text": "Boil the water for long", "time": 5},
            {"text": "Add the pasta now and stir", "time": 10},
            {"text": "Drain it all at once", "time": 15},
        ]
    },
    "animation": {
        "keyframes": [{"time": 0, "value": "0px"}, {"time": 0.5, "value": "10px"}, {"time": 1, "value": "20px"}]
    },
    "translation memory": [
        {"source": "The old mill stood", "target": "Die alte Muehle stand", "start": 1, "end": 2} for i in range(3)
    ],
    "strava": {
        "segments": [
            {
                "name": "Mill hill climb",
                "start_index": 10 * i,
                "end_index": 10 * i + 8,
                "elapsed_time": 30,
                "distance": 100.0,
            }
            for i in range(3)
        ]
    },
    "sponsorblock": [
        {
            "segment": [1.0 + 4 * i, 4.0 + 4 * i],
            "category": "sponsor",
            "UUID": f"a{i}",
            "videoDuration": 100,
            "description": "",
            "actionType": "skip",
        }
        for i in range(3)
    ],
    "midi": {
        "tracks": [
            {
                "name": "Piano",
                "notes": [
                    {"name": "C4", "midi": 60, "time": i * 0.5, "duration": 0.4, "velocity": 0.8} for i in range(20)
                ],
            }
        ]
    },
    "lottie": {
        "v": "5.5",
        "fr": 30,
        "layers": [
            {"nm": "The old mill", "ip": 0, "op": 60, "st": 0},
            {"nm": "The flood here", "ip": 60, "op": 120, "st": 60},
            {"nm": "The flour bag", "ip": 120, "op": 180, "st": 120},
        ],
    },
    "ffprobe": {
        "streams": [{"codec_name": "h264", "start_time": "0.0", "duration": "10.0"}],
        "chapters": [
            {
                "id": i,
                "start": i * 60000,
                "start_time": str(i * 60.0),
                "end": i * 60000 + 60000,
                "end_time": str(i * 60.0 + 60),
                "tags": {"title": T[i]},
            }
            for i in range(3)
        ],
    },
    "junit": {
        "tests": [{"title": T[i], "start": 1000 + 4000 * i, "duration": 3000, "state": "passed"} for i in range(3)]
    },
    "gha": {
        "jobs": [
            {
                "name": "build",
                "steps": [
                    {
                        "name": "Run the old mill",
                        "started_at": f"2024-03-12T10:00:0{1 + 4 * i}Z",
                        "completed_at": f"2024-03-12T10:00:0{4 + 4 * i}Z",
                    }
                    for i in range(2)
                ],
            }
        ]
    },
    "toggl": [
        {
            "description": T[i],
            "start": f"2024-03-12T10:00:0{1 + 4 * i}Z",
            "stop": f"2024-03-12T10:00:0{4 + 4 * i}Z",
            "duration": 3,
        }
        for i in range(2)
    ],
    "email": [{"from": "a@b.c", "to": "d@e.f", "text": T[i], "date": "2024-03-12"} for i in range(3)],
    "rag": {
        "chunks": [
            {"text": T[0], "start": 0, "end": len(T[0])},
            {"text": T[1], "start": len(T[0]), "end": len(T[0]) + len(T[1])},
        ]
    },
    "rag offset": {
        "chunks": [
            {"content": T[0], "offset": 0, "length": len(T[0])},
            {"content": T[1], "offset": len(T[0]), "length": len(T[1])},
        ]
    },
    "rag tokens": {"chunks": [{"text": T[i], "start_token": i * 10, "end_token": i * 10 + 9} for i in range(3)]},
    "elastic": {
        "took": 5,
        "hits": {
            "total": 3,
            "hits": [
                {"_id": str(i), "_score": 3 - i, "_source": {"video_id": f"v{i}", "text": T[i], "start": 1.0 + 4 * i}}
                for i in range(3)
            ],
        },
    },
    "elastic one": {
        "hits": {
            "hits": [{"_score": 3 - i, "_source": {"text": T[i], "start": s}} for i, s in enumerate([400.0, 3.0, 90.0])]
        }
    },
    "danmaku": [{"p": f"{1 + 4 * i}.0,1,25,16777215", "m": T[i]} for i in range(3)],
    "notes": {"notes": [{"time": 1 + 60 * i, "text": T[i]} for i in range(3)]},
    "quiz": {"questions": [{"time": 1 + 60 * i, "text": T[1]} for i in range(3)]},
    "trello": {
        "actions": [{"type": "commentCard", "date": "2024-03-12T10:00:00Z", "data": {"text": T[i]}} for i in range(3)]
    },
    "tweets": [
        {"id": i, "text": T[i], "created_at": "2024-03-12T10:00:00Z", "user": {"name": "Ida"}} for i in range(3)
    ],
    "news feed": {
        "items": [{"title": "a", "content": T[i], "date_published": f"2024-03-12T10:00:0{i}Z"} for i in range(3)]
    },
    "book": {"chapters": [{"number": 1, "text": " ".join(T)}, {"number": 2, "text": " ".join(T)}]},
    "bible": {"verses": [{"chapter": 1, "verse": i + 1, "text": T[i]} for i in range(3)]},
    "weather": {"hourly": [{"time": i * 3600, "text": "light rain over hills", "temp": 3.2} for i in range(8)]},
    "weather iso": {
        "hourly": [{"time": f"2024-03-12T1{i}:00", "text": "light rain over hills", "temp": 3.2} for i in range(8)]
    },
    "stock": [{"t": 1710237600 + i * 60, "o": 1.0, "c": 2.0} for i in range(10)],
    "directions": {
        "legs": [
            {
                "steps": [
                    {"instruction": "Turn left at the old mill", "start": i, "duration": 30.0, "distance": 100}
                    for i in (0, 30, 60)
                ]
            }
        ]
    },
    "osrm": {
        "routes": [
            {
                "legs": [
                    {
                        "steps": [
                            {
                                "name": "Mill lane going up",
                                "duration": 30.0,
                                "distance": 100.0,
                                "maneuver": {"location": [1.0, 2.0]},
                            }
                            for i in range(3)
                        ]
                    }
                ]
            }
        ]
    },
    "lyrics meta": {"song": {"title": "x", "duration": 180, "lyrics": " ".join(T)}},
    "video list": {
        "items": [
            {"title": T[i], "duration": "PT3M", "position": i, "resourceId": {"videoId": f"v{i}"}} for i in range(3)
        ]
    },
    "ytdlp heatmap": {"heatmap": [{"start_time": i * 1.0, "end_time": i + 1.0, "value": 0.1 * i} for i in range(9)]},
    "captions meta": {
        "captions": [{"language": "en", "url": "https://a.b/c.vtt", "label": "English subtitles here", "default": True}]
    },
    "manifest tracks": {"tracks": [{"kind": "captions", "src": "a.vtt", "srclang": "en", "label": "English for all"}]},
    "shot list": {"shots": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "description": T[i]} for i in range(3)]},
    "scene captions vlm": {"scenes": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "caption": T[i]} for i in range(3)]},
    "audio events": {"events": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "label": "dog barking"} for i in range(3)]},
    "emotion": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "emotion": "happy"} for i in range(3)],
    "sed tags": [{"start": 1.0 + 4 * i, "end": 4.0 + 4 * i, "tags": ["music", "speech"]} for i in range(3)],
    "metrics text": [{"time": i * 5.0, "cpu": 0.3, "text": "ok"} for i in range(5)],
    "ndjson ids": '{"id":1,"text":"The old mill stood here","label":1}\n'
    '{"id":2,"text":"Did the flood reach it","label":0}\n'
    '{"id":3,"text":"It did and we lost","label":1}\n',
    "coco captions": {
        "images": [{"id": i, "file_name": f"a{i}.jpg"} for i in range(3)],
        "annotations": [{"id": 10 + i, "image_id": i, "caption": T[i]} for i in range(3)],
    },
    "tv guide": {
        "programmes": [
            {"start": "20240312100000", "stop": "20240312110000", "title": "x", "desc": T[i]} for i in range(3)
        ]
    },
    "ics json": [
        "vcalendar",
        [],
        [["vevent", [["dtstart", {}, "date-time", "2024-03-12T10:00:00"], ["summary", {}, "text", T[0]]], []]],
    ],
    "typing": [{"t": i * 100, "key": "a"} for i in range(30)],
    "info.json": {
        "id": "x",
        "title": "t",
        "description": "0:00 Intro to all\n1:00 The mill\n2:00 The flood",
        "formats": [],
        "subtitles": {"en": [{"ext": "vtt", "url": "https://x"}]},
        "chapters": [{"start_time": 0, "end_time": 60, "title": "Intro to all"}],
    },
}
