"""Inputs for `fuzz.py`: small seeds in every shape, and what mutates them.

The mutations know what transcripts are made of: a number is replaced by one at a limit, a token by one that means
something to a reader, a line is said a thousand times, a file is cut, joined with another, or read in another code page.
"""

# ruff: noqa: E501 - an input stands on one line, however long

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

LONGEST_SEED = 2_000
"""Bytes of a seed; a longer file gives its beginning."""
_MOST_BYTES = (*[600] * 14, *[1_500] * 3, *[6_000] * 2, 200_000)
"""Of a mutated input; one of these at random. Small ones are tried more often a second, and nearly all that can go wrong
goes wrong in them."""


@dataclass(frozen=True, slots=True)
class Input:
    """What is tried once."""

    target: str
    """Which part of the program it goes to: a key of `fuzz_targets.TARGETS`."""
    name: str
    """How the file is called; readers look at it. Empty where the target takes no file."""
    data: bytes


_SAID = ("The ship keeps its own time.", "Every bee knows when rain is near.", "Ana: und die Brücke, 长岸论坛.")
_CLOCKS = (("00:00:01.000", "00:00:03.500"), ("00:00:04.000", "00:00:06.000"), ("00:01:07.250", "00:01:09.000"))


def _cues(form: str) -> str:
    rows = zip(range(1, 4), _CLOCKS, _SAID, strict=True)
    return "".join(
        form.format(n=n, a=a, b=b, ca=a.replace(".", ","), cb=b.replace(".", ","), t=t) for n, (a, b), t in rows
    )


def _json_files() -> dict[str, str]:
    segments = [{"start": 4.0 * n, "end": 4.0 * n + 3, "text": text} for n, text in enumerate(_SAID)]
    words = [{"word": word, "start": n * 0.5, "end": n * 0.5 + 0.4} for n, word in enumerate(" ".join(_SAID).split())]
    items = [
        {"type": "pronunciation", "start_time": str(n), "end_time": f"{n}.5", "alternatives": [{"content": word}]}
        for n, word in enumerate(_SAID[0].split())
    ]
    return {
        "a.json3": json.dumps({"wireMagic": "pb3", "events": [
            {"tStartMs": 4000 * n, "dDurationMs": 3000, "segs": [{"utf8": "The "}, {"utf8": text, "tOffsetMs": 500}]}
            for n, text in enumerate(_SAID)
        ]}),
        "a.json": json.dumps({"text": " ".join(_SAID), "segments": [segments[0] | {"words": words}, *segments[1:]], "language": "en"}),
        "b.json": json.dumps([{"text": text, "start": 4.0 * n, "duration": 3.0} for n, text in enumerate(_SAID)]),
        "c.json": json.dumps({"results": {"transcripts": [{"transcript": _SAID[0]}], "items": items}}),
        "d.json": json.dumps({"monologues": [{"speaker": 0, "elements": [{"type": "text", "value": word["word"], "ts": word["start"], "end_ts": word["end"]} for word in words]}]}),
        "e.jsonl": "\n".join(map(json.dumps, segments)),
        "f.json": json.dumps({"utterances": [{"speaker": "A", "start": 4000 * n, "end": 4000 * n + 3000, "text": text} for n, text in enumerate(_SAID)]}),
        "g.json": json.dumps({"version": "1.0.0", "segments": [{"speaker": "Ana", "startTime": 4.0 * n, "endTime": 4.0 * n + 3, "body": text} for n, text in enumerate(_SAID)]}),
    }  # fmt: skip


FILES: dict[str, str] = {
    "a.vtt": "WEBVTT\nKind: captions\nLanguage: en\n\nNOTE made by hand\n\n"
    + _cues("{a} --> {b} align:start\n{t}\n\n"),
    "b.vtt": "WEBVTT\n\n" + _cues("{n}\n{a} --> {b}\n<v Ana>So<{a}><c> long</c>\n{t}\n\n"),
    "a.srt": _cues("{n}\n{ca} --> {cb}\n{t}\n\n"),
    "b.srt": _cues("{n}\n{ca} --> {cb}\n<i>{t}</i>\n>> again [Music]\n\n"),
    "a.sbv": _cues("{a},{b}\n{t}\n\n"),
    "a.ass": "[Script Info]\nTitle: Ships\nTimer: 100.0000\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, "
    "Effect, Text\n" + _cues("Dialogue: 0,{a},{b},Default,Ana,0,0,0,,{{\\k20}}{t}\\Nand\n"),
    "a.smi": "<SAMI><HEAD><TITLE>Ships</TITLE></HEAD><BODY>"
    + _cues("<SYNC Start={n}000><P Class=ENCC>{t}<br>x\n")
    + "</BODY></SAMI>",
    "a.sub": "{1}{1}25.0\n" + _cues("{{{n}00}}{{{n}50}}{t}|and\n"),
    "a.ttml": '<?xml version="1.0" encoding="utf-8"?><tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
    'ttp:frameRate="25" xml:lang="en"><body><div>'
    + _cues('<p begin="{a}" end="{b}"><span>{t}</span><br/>x</p>')
    + "</div></body></tt>",
    "a.srv3": '<?xml version="1.0"?><timedtext format="3"><body>'
    + _cues('<p t="{n}000" d="900"><s>{t}</s><s t="300"> x</s></p>')
    + "</body></timedtext>",
    "a.srv1": '<?xml version="1.0"?><transcript>'
    + _cues('<text start="{n}.5" dur="0.9">{t} &amp;#39;</text>')
    + "</transcript>",
    "a.html": "<html><head><title>Ships</title></head><body><h1>Ships</h1>"
    + _cues("<p><b>Ana</b> [{a}] {t}</p>")
    + "</body></html>",
    "b.html": "<article>" + _cues('<p><span data-m="{n}000" data-d="300">{t} </span></p>') + "</article>",
    "a.csv": "start,end,speaker,text\n" + _cues('{a},{b},Ana,"{t}"\n'),
    "a.tsv": "start\tend\ttext\n" + _cues("{n}000\t{n}900\t{t}\n"),
    "a.lrc": "[ti:Ships]\n[length: 3:20]\n[offset:+500]\n" + _cues("[00:0{n}.00]{t}\n"),
    "a.txt": "Title: Ships\nURL: https://www.youtube.com/watch?v=Sh1pCl0ckLz\nContent: " + " ".join(_SAID),
    "b.txt": "Title: Ships URL: https://www.youtube.com/watch?v=Sh1pCl0ckLz Content: " + _cues("{a} --> {b} {t} "),
    "c.txt": _cues("[0{n}:12] Ana: {t}\n"),
    "d.txt": _cues("Ana  0{n}:12\n{t}\n\n"),
    "e.txt": _cues("{n}.5\t{n}.9\t{t}\n") + _cues("[{n}.0s -> {n}.2s] {t}\n"),
    "f.txt": "\n\n".join(_SAID) + "\n\nQ: What is a ship?\nA: It is a ship.\n",
    "a.md": "---\ntitle: Ships\ndate: 2024-05-01\nspeaker: Ana\nchapters:\n  - 0:00 One\n---\n# Ships\n\n"
    + _cues("**Ana** [{a}]: {t}\n\n"),
    "b.md": "# Ships\n\n> *quote* [link](http://a.example)\n\n" + "\n\n".join(_SAID),
    **_json_files(),
}
"""Transcripts in every shape, by names."""

BESIDE: dict[str, str] = {
    "talk.info.json": json.dumps({
        "id": "Sh1pCl0ckLz", "extractor": "youtube", "title": "Ships", "channel": "Harbour", "uploader": "H", "upload_date": "20240501",
        "timestamp": 1710255600, "duration": 200, "description": "About\n0:00 One\n1:00 Two", "language": "en",
        "webpage_url": "https://www.youtube.com/watch?v=Sh1pCl0ckLz", "subtitles": {"en": []}, "automatic_captions": {"en-orig": []},
        "chapters": [{"start_time": 0, "end_time": 60, "title": "One"}, {"start_time": 60.5, "title": "Two"}],
    }),
    "talk.nfo": '<?xml version="1.0"?><episodedetails><title>Ships</title><showtitle>Harbour</showtitle><plot>About</plot><aired>2024-05-01</aired>'
    '<runtime>3</runtime><uniqueid type="youtube">Sh1pCl0ckLz</uniqueid></episodedetails>',
    "tvshow.nfo": "<tvshow><title>Harbour</title><plot>x</plot></tvshow>",
    "talk.description": "About ships\n0:00 One\n1:00 Two\n(12:30) Three",
    "talk.chapters.json": json.dumps({"version": "1.2.0", "chapters": [{"startTime": 0, "title": "One"}, {"startTime": 61.5, "title": "Two"}]}),
    "talk.chapters.vtt": "WEBVTT\n\n" + _cues("{a} --> {b}\n{t}\n\n"),
    "talk.chapters.txt": "00:00:00.000 One\n00:01:00 Two\nCHAPTER01=00:00:01.000\nCHAPTER01NAME=One\n0.0\t1.0\tThree",
    "talk.ffmetadata": ";FFMETADATA1\ntitle=Ships\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=60000\ntitle=One\n",
    "talk.cue": 'TITLE "Ships"\nFILE "a.mp3" MP3\n TRACK 01 AUDIO\n  TITLE "One"\n  INDEX 01 00:00:00\n TRACK 02 AUDIO\n  TITLE "Two"\n  INDEX 01 01:00:37\n',
    "talk.psc": '<psc:chapters version="1.2" xmlns:psc="http://podlove.org/simple-chapters"><psc:chapter start="00:00:00.000" title="One"/></psc:chapters>',
    "talk.chapters.xml": "<Chapters><EditionEntry><ChapterAtom><ChapterTimeStart>00:00:01.0</ChapterTimeStart><ChapterDisplay><ChapterString>One"
    "</ChapterString></ChapterDisplay></ChapterAtom></EditionEntry></Chapters>",
    "feed.xml": '<?xml version="1.0"?><rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Harbour</title><item><title>talk</title>'
    '<guid>1</guid><pubDate>Tue, 12 Mar 2024 15:00:00 GMT</pubDate><enclosure url="https://a.example/talk.mp3" length="9" type="audio/mpeg"/>'
    "<itunes:duration>1:02:03</itunes:duration><description>&lt;p&gt;About&lt;/p&gt;</description></item></channel></rss>",
    "atom.xml": '<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour</title><entry><title>talk</title><id>1</id><updated>2024-03-12T15:00:00Z</updated>'
    '<link href="https://a.example/talk"/></entry></feed>',
    "metadata.json": json.dumps([{"objectType": "KalturaMediaEntry", "id": "0_abc", "name": "talk", "duration": 200, "createdAt": 1710255600}]),
    "session.json": json.dumps({"SessionName": "talk", "ViewerUrl": "https://a.example/v?id=1", "Duration": 200.5, "CreatedDate": "2024-03-12T15:00:00Z"}),
    "entries.csv": "entry_id,entry_name,duration\n0_abc,talk,200\n",
    "talk.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\nseg1.vtt\n#EXTINF:1e3,\nseg2.vtt\n#EXT-X-ENDLIST\n",
}  # fmt: skip
"""What lies beside a transcript `talk.vtt` and describes it, by names."""

LINES = (
    "The ship <i>keeps</i> its own time.\n\n>> ANA: Every bee [Music] knows\n\n<v Ana>when rain is near.</v>",
    "[00:01:02.5] Ana: {\\an8}und die Brücke ♪ so &amp;#39; on\n\n- No.\n- Yes, 长岸论坛\n\n(applause) SPEAKER 1: again again again",
    "0:00 Intro\n1:02 – One\n(12:30) Two\n1:02:03 Three\nhttps://youtu.be/Sh1pCl0ckLz?t=1m30s\nPT1H2M3.5S\n00:00:01,500\nl'église C++ .NET naïve",
    "<c.color><00:00:01.000>so <b>it</b> goes\n\nDr. Ana Lim (host): <font color='x'>on</font>\n\n&lt;i&gt;said&lt;/i&gt; &nbsp; x",
)
"""Cues, with an empty line between them, and lines of descriptions."""

REPAIRED = (
    "Ã¼ber cafÃ©s â€“ â€œschÃ¶nâ€\x9d", "itâ€™s what weâ€™ve got", "Le cafÃƒÂ© Ã¢â‚¬â„¢ est", "é•¿å²¸è®ºå›", "ÐŸÑ€Ð¸Ð²ÐµÑ‚ Ð¼Ð¸Ñ€", "Ù…Ø±Ø­Ø¨Ø§",
    "√©t√©", "healthy café, naïve – “yes”", "ã‚ã‚ŠãŒã¨ã†", "Ä°zmir'de Ã§ay",
)  # fmt: skip
"""Misread texts, and one that is healthy."""

QUERIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("time dilation", {}),
    ('"the ship keeps its own time"', {"k": 3}),
    ("bees", {"mode": "lexical", "after": "2024-02", "before": "2025", "channel": "harbour"}),
    ("«time» und \"a ship\" 长岸", {"mode": "quote", "per_talk": 1, "context": 30.0}),
    ("C++ l'église .NET", {"mode": "semantic", "avoid": "the planet", "speaker": "Ana", "talks": ["Sh1p"], "timing": "exact"}),
    ("was ist das", {"beside": "de", "language": "English", "explain": True}),
)  # fmt: skip

PATHS = (
    "/?q=time&k=3&mode=hybrid", "/api/search?q=%22the+ship%22&k=5&context=30", "/talks?q=ship&sort=date", "/talk/Sh1pCl0ckLz?t=12",
    "/api/talks", "/api/talks/Sh1pCl0ckLz?from=1&to=60", "/api/similar?moment=Sh1pCl0ckLz@12&k=2", "/api/stats", "/map", "/openapi.json",
    "/api/search?q=bees&after=2024&before=2025-05-01&channel=x&speaker=y&language=en&timing=exact&per_talk=1&not=rain&explain=1",
)  # fmt: skip

CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("search_talks", {"query": "time dilation", "k": 3, "mode": "hybrid", "context_s": 10, "offset": 2, "talk": ["Sh1p"]}),
    ("similar_moments", {"moment": "Sh1pCl0ckLz@12", "k": 2, "offset": 0}),
    ("list_talks", {"title_contains": "ship", "limit": 3, "offset": 1}),
    ("read_talk", {"talk": "Sh1pCl0ckLz", "from_s": 1.5, "to_s": 60}),
    ("index_stats", {}),
)  # fmt: skip

NUMBERS = (
    "0", "-1", "1", "00", "59", "60", "61", "99", "100", "999", "2147483647", "2147483648", "-2147483649", "4294967296", "9223372036854775807",
    "9223372036854775808", "1e308", "1e309", "-1e308", "1e-320", "NaN", "nan", "Infinity", "-Infinity", "inf", "0.1", ".5", "5.", "1_000",
    "٣", "²", "①", "0x10", "9" * 400, "3.4028235e38", "360000000", "359999", "1.7976931348623157e308", "-0", "-0.0", "true", "null", '""', "١٢:٣٤",
)  # fmt: skip
"""Numbers at the limits of what holds numbers, and what looks like one."""

TOKENS = (
    "\x00", "\ufeff", "\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\r", "\r\n", "\n\n", "\t", "\xa0", "\u200b", "\u202e", "\u0301", "\ufffd", "\ud7ff", "\U0010ffff",
    "-->", "--> ", " --> 00:00:01.000", "999:99:99.999 --> 999:99:99.999", "00:00:01,000 --> 00:00:02,000\n", "WEBVTT\n\n", "NOTE ", "STYLE\n", "REGION\n",
    "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n", "<v ", "<c.x>", "</c>", "<00:00:01.000>", "{\\an8}", "{\\k", "{1}{1}", "[Music]", "[", "]", "(", ")", "♪",
    "<![CDATA[", "]]>", "<!DOCTYPE x [<!ENTITY a \"b\">]>", "<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;&a;&a;\">]>", "&a;", "&c;", "<!--", "-->", "<?xml version=\"1.0\" encoding=\"utf-7\"?>", "&#0;", "&#xD800;", "&#1114112;", "&amp;amp;",
    "<script>", "</script>", "<p>", "</p>", "<br>", "<tt>", "<SYNC Start=", "\\u0000", "\\ud800", "\\udc00\\ud800", "{", "}", "[[[[", "{\"a\":", "null", "true", ",", ":", "\"",
    "\\", "\\\"", ">>", ">> ANA:", "Ana:", "Speaker 1:", "- ", "— ", "...", "…", "“", "”", "„", "«", "»", "「", "Title:", "URL:", "Content:", "---\n", "# ", "**", "__", "1. ",
    "Ã©", "Ã¢Â€Â™", "â€œ", "Ã", "长", "ก", "한", "🐝", "👩‍👩‍👧", "न्", "=cmd|' /C calc'!A0", "../../etc/passwd", "\x1b[31m", "%00", "%ff", "%", "+", "&", "=", "?", "#",
    "[00:01]", "0:01 Intro\n", "(12:34)", "[1.0s -> 2.0s]", "1:02:03:04", "12:60", "24:00:00", "#EXTINF:", "#EXT-X-DISCONTINUITY\n", "start", "end", "text", "segments",
    "\"start\": ", "speaker", "words", "begin=\"1t\"", "begin=\"1f\"", "t=\"", "d=\"", "kind: slides\n", "OR", "NEAR(", "*", "^", "\"a\" \"b\"",
)  # fmt: skip
"""Pieces that mean something to some reader."""

NESTS = (
    (b"<p>", b"</p>"), (b"<div><span>", b"</span></div>"), (b'<tt:div begin="1s">', b"</tt:div>"), (b"<i>", b"</i>"),
    (b"[", b"]"), (b'{"a":', b"}"), (b'[{"segments":[', b"]}]"), (b"<!--", b"-->"), (b"{\\i1}", b""), (b"> ", b""), (b"(", b")"),
)  # fmt: skip
"""What may be opened without end, and how it is closed again."""

_TOKEN = re.compile(rb"\d+(?:[.,]\d+)?|[A-Za-z]+|\s+|.", re.DOTALL)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


def corpus(folders: Iterable[Path]) -> list[Input]:
    """Return all seeds: those that are written here, and the files of some folders, each no longer than a seed."""
    seeds = [Input("file", name, text.encode()) for name, text in FILES.items()]
    seeds += [Input("beside", name, text.encode()) for name, text in BESIDE.items()]
    seeds += [Input("read", name, text.encode()) for name, text in FILES.items()]
    seeds += [Input("cue", "", text.encode()) for text in LINES]
    seeds += [Input("text", "", line.encode()) for text in LINES for line in text.split("\n") if line]
    seeds += [Input("question", "", json.dumps([text, options]).encode()) for text, options in QUERIES]
    seeds += [Input("question", "", text.encode()) for text, _ in QUERIES]
    seeds += [Input("parameter", "", path.encode()) for path in PATHS]
    seeds += [Input("repair", "", text.encode()) for text in REPAIRED]
    seeds += [Input("query", "", json.dumps([text, options]).encode()) for text, options in QUERIES]
    seeds += [Input("http", "", path.encode()) for path in PATHS]
    seeds += [Input("mcp", "", json.dumps([tool, arguments]).encode()) for tool, arguments in CALLS]
    return [*seeds, *(seed for folder in folders for seed in _seeds_under(folder))]


def _seeds_under(folder: Path) -> list[Input]:
    endings = {Path(name).suffix for name in FILES} | {".docx", ".dfxp", ".ssa", ".webvtt", ".srv2", ".xml", ".ssml"}
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file())
    by_ending: dict[str, list[Path]] = {}
    for path in found:
        by_ending.setdefault(path.suffix.lower(), []).append(path)
    # A folder may hold thousands of files in one shape; some of them show all that the others do.
    chosen = [path for paths in by_ending.values() for path in paths[:: max(1, len(paths) // 25)]]
    seeds = []
    for path in chosen:
        data = path.read_bytes()
        target, name = ("beside", "talk.info.json") if path.name.endswith(".info.json") else ("file", f"a{path.suffix}")
        if len(data) > LONGEST_SEED and path.suffix == ".docx":
            continue
        data = data if len(data) <= LONGEST_SEED else _head(data)
        seeds.append(Input(target, name, data))
        if target == "file":
            seeds.append(Input("read", name, data))
    return seeds


def _head(data: bytes) -> bytes:
    end = data.rfind(b"\n", LONGEST_SEED // 4, LONGEST_SEED // 2)
    return data[: end if end > 0 else LONGEST_SEED // 2]


def mutated(seed: Input, others: Sequence[Input], random: random.Random) -> Input:
    """Return a seed with one to six changes."""
    most = random.choice(_MOST_BYTES) if seed.target != "repair" else random.choice((60, 60, 60, 200))
    data = bytearray(seed.data)
    if len(data) > most:  # the beginning tells most readers what it is
        begin = random.choice((0, 0, 0, random.randrange(len(data) - most)))
        data = data[begin : begin + most]
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        data = _change(data, others, random)
        del data[most:]
    return Input(seed.target, seed.name, bytes(data))


def _change(data: bytearray, others: Sequence[Input], random: random.Random) -> bytearray:
    kind = random.random()
    at = random.randrange(len(data) + 1)
    if kind < 0.22:  # a number
        found = list(_NUMBER.finditer(data, max(0, at - 2_000), at + 2_000))
        if found:
            match = random.choice(found)
            data[match.start() : match.end()] = _bytes(random.choice(NUMBERS))
    elif kind < 0.42:
        data[at:at] = _bytes(random.choice(TOKENS))
    elif kind < 0.52:  # a token takes the place of another
        found = list(_TOKEN.finditer(data, max(0, at - 500), at + 500))
        if found:
            match = random.choice(found)
            data[match.start() : match.end()] = (
                random.choice(found)[0] if random.random() < 0.5 else _bytes(random.choice(TOKENS))
            )
    elif kind < 0.60:
        del data[at : at + random.choice((1, 2, 5, 20, 100, 1_000))]
    elif kind < 0.68:
        for _ in range(random.choice((1, 1, 4))):
            if data:
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    elif kind < 0.76:  # a piece again, or many times
        piece = data[at : at + random.choice((1, 3, 10, 40, 200))]
        data[at:at] = piece * random.choice((1, 1, 2, 10, 100, max(1, 20_000 // (len(piece) + 1))))
    elif kind < 0.82:
        token = _bytes(random.choice((*TOKENS, *NUMBERS)))
        data[at:at] = token * random.choice((2, 10, 100, 2_000))
    elif kind < 0.88:
        other = random.choice(others).data
        begin = random.randrange(len(other) + 1)
        data[at:at] = other[begin : begin + random.choice((20, 200, 2_000))]
    elif kind < 0.93:  # lines in another order
        lines = bytes(data).split(b"\n")
        random.shuffle(lines) if random.random() < 0.3 else lines.reverse()
        data = bytearray(b"\n".join(lines))
    elif kind < 0.95:
        del data[at:]
    elif kind < 0.96:  # the rest is nested deeply
        opening, closing = random.choice(NESTS)
        depth = random.choice((3, 40, 120, 600, 3_000))
        data[at:] = opening * depth + data[at:] + closing * depth
    else:
        data = _recoded(data, random)
    return data


def _recoded(data: bytearray, random: random.Random) -> bytearray:
    text = bytes(data).decode("utf-8", "replace")
    way = random.randrange(6)
    if way == 0:
        return bytearray(text.encode(random.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le"))))
    if way == 1:
        return bytearray(text.encode(random.choice(("cp1252", "cp1251", "shift_jis", "gb18030")), "replace"))
    if way == 2:
        return bytearray(data.replace(b"\n", random.choice((b"\r\n", b"\r", b"\r\r\n", b" "))))
    if way == 3:  # read in a wrong code page, up to three times
        for _ in range(random.choice((1, 1, 2, 3))):
            text = text.encode().decode(random.choice(("cp1252", "latin-1", "cp1251", "mac-roman")), "replace")
        return bytearray(text[:20_000].encode())
    return bytearray(text.upper().encode() if way == 4 else data.replace(b" ", b""))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
