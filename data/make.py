"""Write the sample archive from talks.toml: give every word a time, then put each talk into the shape it stands for.

Run it as `python data/make.py`; the same source gives the same bytes (tests/test_data.py holds it to that). It uses
nothing but the standard library and no product code, so that a mistake in a reader cannot hide in the files it reads.
"""

from __future__ import annotations

import html
import io
import json
import re
import textwrap
import tomllib
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOST_IN_1254 = bytes.fromhex("81 8d 8e 8f 90 9d 9e ad")
"""Bytes that windows-1254 leaves undefined, and the soft hyphen: what made the record's header dropped them."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word (a character and its punctuation in Chinese), or a sound in square brackets; times in milliseconds."""

    text: str
    start: int
    end: int
    paragraph: int
    speaker: str
    turn: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """One `[[talk]]` of the source with its words timed. `chapters` are (milliseconds, title)."""

    meta: dict[str, Any]
    words: tuple[Spoken, ...]
    chapters: tuple[tuple[int, str], ...]

    @property
    def seconds(self) -> int:
        """How long the recording would be."""
        return self.words[-1].end // 1000 + 2

    @property
    def url(self) -> str:
        """The address the video would have."""
        return f"https://www.youtube.com/watch?v={self.meta['id']}"


def is_sound(word: Spoken) -> bool:
    """Whether this is `[applause]` and not a word."""
    return word.text.startswith("[")


def speak(meta: dict[str, Any]) -> Talk:
    """Time every word: a longer word takes longer, a comma and a full stop take a breath, the pace drifts slowly."""
    words: list[Spoken] = []
    chapters: list[tuple[int, str]] = []
    chinese = meta["language"].startswith("zh")
    now, speaker, pending = meta.get("start_ms", 640), "", ""
    for paragraph, block in enumerate(meta["text"].strip().split("\n\n")):
        if block.startswith("== "):
            pending = block[3:]
            continue
        named = re.match(r"@([^:]+): ", block)
        turn = bool(named and named[1] != speaker)
        speaker = named[1] if named else speaker
        pieces = re.findall(r"\w\W*", block) if chinese else block[named.end() if named else 0 :].split()
        if pending:
            chapters.append((now if chapters else 0, pending))
            pending = ""
        for number, piece in enumerate(pieces):
            if piece.startswith("["):
                length = 6520 if "usic" in piece else 3480
            else:
                drift = 0.92 + 0.16 * abs(len(words) % 240 - 120) / 120
                letters = len(re.sub(r"\W", "", piece))
                length = int((230 if chinese else 130 + 48 * letters) * meta["pace"] * drift) // 40 * 40
            text = piece.strip()
            if meta.get("plain") and not text.startswith("["):
                text = re.sub(r"[.,?!]", "", text).lower()
                text = re.sub(r"^i('|$)", r"I\1", text)
            words.append(Spoken(text, now, now + length, paragraph, speaker, turn and number == 0))
            breath = 560 if piece[-1] in ".?!。？！…" else 200 if piece[-1] in ",;:，、" else 0
            now += length + breath
        now += 1200 if paragraph % 5 else 3400
    return Talk(meta, tuple(words), tuple(chapters))


def cut(words: tuple[Spoken, ...], limit: int, *, sentences: bool = False, joiner: str = " ") -> list[list[Spoken]]:
    """Cut into lines of at most `limit` characters; a paragraph and a sound end a line, and a sentence if asked."""
    lines: list[list[Spoken]] = []
    for word in words:
        line = lines[-1] if lines else []
        size = len(joiner.join(w.text for w in [*line, word]))
        done = line and (
            word.paragraph != line[0].paragraph
            or size > limit
            or (sentences and line[-1].text[-1] in ".?!。？！…，" and size > limit // 2)
        )
        if not line or done:
            lines.append([word])
        else:
            line.append(word)
    return lines


def join(line: list[Spoken], joiner: str = " ") -> str:
    """The text of a line."""
    return joiner.join(word.text for word in line)


def clock(ms: int, form: str = "{h:02}:{m:02}:{s:02}.{ms:03}") -> str:
    """Milliseconds as `00:01:02.345`, or in another form."""
    return form.format(h=ms // 3_600_000, m=ms // 60_000 % 60, s=ms // 1000 % 60, ms=ms % 1000, minutes=ms // 60_000)


def short(seconds: int) -> str:
    """Seconds as people write them: `4:05`, `1:02:03`."""
    return clock(seconds * 1000, "{h}:{m:02}:{s:02}" if seconds >= 3600 else "{minutes}:{s:02}")


# Shapes ------------------------------------------------------------------------------------------------------------


def rolling(talk: Talk) -> str:
    """YouTube's automatic captions: every line comes with word times, stands still for 10 ms, and is shown once more.

    A screen left alone for six seconds is wiped; a line of one space keeps an empty row open.
    """
    out = ["WEBVTT", "Kind: captions", f"Language: {talk.meta['language']}", ""]
    lines = cut(talk.words, 40)
    above = " "
    for number, line in enumerate(lines):
        start = line[0].start
        last = number == len(lines) - 1
        end = line[-1].end if last else lines[number + 1][0].start - 10
        mark = "&gt;&gt; " if line[0].turn and number > 1 else ""
        texts = [html.escape(word.text, quote=False) for word in line]
        tagged = "".join(f"<{clock(w.start)}><c> {text}</c>" for w, text in zip(line[1:], texts[1:], strict=True))
        out += [f"{clock(start)} --> {clock(end)} align:start position:0%", above, mark + texts[0] + tagged, ""]
        if not last:
            above = mark + " ".join(texts) if end - start < 6000 else " "
            out += [f"{clock(end)} --> {clock(end + 10)} align:start position:0%", above, " ", ""]
    return "\n".join(out) + "\n"


def record(talk: Talk, content: str, description: str) -> str:
    """A scraped record with clean text in its header."""
    return (
        f"Timestamp: {talk.meta['date']} 12:00:00\nTitle: {talk.meta['title']}\nURL: {talk.url}\nStatus: success\n"
        f"Duration: {short(talk.seconds)}\nDescription: {description}\nContent:\n{content}\n"
    )


def flat_timed(captions: str) -> str:
    """The caption file poured into one line, times, tags and all."""
    return " ".join(captions.split())


def flat_text(captions: str) -> str:
    """The caption file poured into one line without times and tags: most lines stand there three times."""
    return " ".join(re.sub(r"<[^>]*>|\S+ --> \S+ align:start position:0%", "", captions).split())


def mojibake(text: str) -> str:
    """UTF-8 read as windows-1254, with the bytes thrown away that it has no sign for."""
    return text.encode().translate(None, LOST_IN_1254).decode("cp1254")


def seed(talk: Talk) -> str:
    """The record this product was started from: mojibake in the header, flattened captions below."""
    return (
        f"Timestamp: {talk.meta['date']}T09:41:55.204817\nTitle: {mojibake(talk.meta['title'])}\n"
        f"URL: https://youtube.com/watch?v={talk.meta['id']}&si=kQ2vNn7rWc0_Tz5a\nStatus: success\n"
        f"Duration: {short(talk.seconds)}\n\nDescription:\n{mojibake(talk.meta['description'].strip())}\n\n"
        f"Content:\n{flat_text(rolling(talk))}\n"
    )


def info(talk: Talk) -> str:
    """What yt-dlp writes beside a download, as far as anyone reads it."""
    title, seconds = talk.meta["title"], talk.seconds
    ends = [start for start, _ in talk.chapters[1:]] + [seconds * 1000]
    fields = {
        "id": talk.meta["id"],
        "title": title,
        "fulltitle": title,
        "description": description(talk),
        "duration": seconds,
        "duration_string": short(seconds),
        "upload_date": talk.meta["date"].replace("-", ""),
        "channel": talk.meta["channel"],
        "uploader": talk.meta["channel"],
        "webpage_url": talk.url,
        "language": talk.meta["language"],
        "tags": [],
        "categories": ["Education"],
        "chapters": [
            {"start_time": start // 1000, "title": name, "end_time": end // 1000}
            for (start, name), end in zip(talk.chapters, ends, strict=True)
        ]
        if talk.chapters
        else None,
        "live_status": "not_live",
        "extractor": "youtube",
        "extractor_key": "Youtube",
        "display_id": talk.meta["id"],
        "_type": "video",
        "subtitles": {},
        "automatic_captions": {"en-orig": [{"ext": "vtt", "name": "English (Original)"}]},
    }
    return json.dumps(fields, ensure_ascii=False)


def description(talk: Talk) -> str:
    """The description, with the chapter list where it asks for one."""
    chapters = "\n".join(f"{short(start // 1000)} {name}" for start, name in talk.chapters)
    return str(talk.meta["description"].strip()).replace("{chapters}", chapters)


def zoom(talk: Talk) -> str:
    """Zoom's transcript: numbered cues, the speaker's name in front, CRLF."""
    out = ["WEBVTT", ""]
    for number, line in enumerate(cut(talk.words, 180, sentences=True), 1):
        out += [
            str(number),
            f"{clock(line[0].start)} --> {clock(line[-1].end)}",
            f"{line[0].speaker}: {join(line)}",
            "",
        ]
    return "\r\n".join(out) + "\r\n"


def srt(talk: Talk) -> str:
    """SubRip as editors on Windows save it: byte order mark, CRLF, two lines a cue, italics in tags."""
    out = []
    for number, line in enumerate(cut(talk.words, 76, sentences=True), 1):
        text = "\n".join(textwrap.wrap(join(line), 46)).replace("“", "<i>“").replace("”", "”</i>")
        form = "{h:02}:{m:02}:{s:02},{ms:03}"
        out += [str(number), f"{clock(line[0].start, form)} --> {clock(line[-1].end, form)}", *text.split("\n"), ""]
    return "\ufeff" + "\r\n".join(out) + "\r\n"


def sbv(talk: Talk) -> str:
    """YouTube's SubViewer: `0:00:00.640,0:00:03.920`, speakers in capitals after `>>`."""
    out = []
    for line in cut(talk.words, 76, sentences=True):
        form = "{h}:{m:02}:{s:02}.{ms:03}"
        text = (f">> {line[0].speaker}: " if line[0].turn else "") + join(line)
        out += [f"{clock(line[0].start, form)},{clock(line[-1].end, form)}", *textwrap.wrap(text, 44), ""]
    return "\n".join(out)


def json3(talk: Talk) -> str:
    """YouTube's json3: a window, then lines with word offsets, and between them an event that is only a newline."""
    events: list[dict[str, Any]] = [
        {"tStartMs": 0, "dDurationMs": talk.seconds * 1000, "id": 1, "wpWinPosId": 1, "wsWinStyleId": 1}
    ]
    lines = cut(talk.words, 40)
    for number, line in enumerate(lines):
        start = line[0].start
        # A line stays on the screen while the next one is spoken.
        end = lines[min(number + 1, len(lines) - 1)][-1].end
        if number:
            wait = end - start + 10
            events.append(
                {"tStartMs": start - 10, "dDurationMs": wait, "wWinId": 1, "aAppend": 1, "segs": [{"utf8": "\n"}]}
            )
        segs: list[dict[str, Any]] = [{"utf8": line[0].text, "acAsrConf": 0}]
        segs += [{"utf8": f" {word.text}", "tOffsetMs": word.start - start, "acAsrConf": 0} for word in line[1:]]
        events.append({"tStartMs": start, "dDurationMs": end - start, "wWinId": 1, "segs": segs})
    window = {"apPoint": 6, "ahHorPos": 20, "avVerPos": 100, "rcRows": 2, "ccCols": 40}
    style = {"mhModeHint": 2, "juJustifCode": 0, "sdScrollDir": 3}
    head = {"wireMagic": "pb3", "pens": [{}], "wsWinStyles": [{}, style], "wpWinPositions": [{}, window]}
    return json.dumps({**head, "events": events}, indent=1) + "\n"


def whisper_json(talk: Talk) -> str:
    """Whisper with word timestamps: every text begins with a space."""
    segments = []
    for number, line in enumerate(cut(talk.words, 150, sentences=True)):
        start, end = line[0].start / 1000, line[-1].end / 1000
        words = [
            {
                "word": f" {w.text}",
                "start": w.start / 1000,
                "end": w.end / 1000,
                "probability": 0.9 + w.start % 97 / 1000,
            }
            for w in line
        ]
        segments.append(
            {"id": number, "seek": line[0].start // 30000 * 3000, "start": start, "end": end, "text": f" {join(line)}"}
            | {"tokens": [50364, 50364 + len(line)], "temperature": 0.0, "avg_logprob": -0.18}
            | {"compression_ratio": 1.61, "no_speech_prob": 0.012, "words": words}
        )
    text = "".join(str(segment["text"]) for segment in segments)
    return json.dumps({"text": text, "segments": segments, "language": talk.meta["language"]}, ensure_ascii=False)


def whisper_tsv(talk: Talk) -> str:
    """Whisper's table: start and end in milliseconds, and the text."""
    rows = [f"{line[0].start}\t{line[-1].end}\t{join(line)}" for line in cut(talk.words, 150, sentences=True)]
    return "\n".join(["start\tend\ttext", *rows]) + "\n"


def api_list(talk: Talk) -> str:
    """What youtube-transcript-api gives, dumped with every sign escaped; a text stays until the next one has passed."""
    lines = cut(talk.words, 18, sentences=True, joiner="")
    entries = []
    for number, line in enumerate(lines):
        end = lines[min(number + 1, len(lines) - 1)][-1].end
        entry = {"text": join(line, ""), "start": line[0].start / 1000, "duration": (end - line[0].start) / 1000}
        entries.append(entry)
    return json.dumps(entries)


def markdown(talk: Talk) -> str:
    """A transcript as people keep it in notes: a heading, a link, a time in brackets at the start of each turn."""
    head = (
        f"# {talk.meta['title']}\n\nRecorded {talk.meta['date']} · https://youtu.be/{talk.meta['id']}?si=mP4tGk0sVx\n"
    )
    turns = [
        f"[{short(line[0].start // 1000)}] **{line[0].speaker}:** {join(line)}\n" for line in cut(talk.words, 9999)
    ]
    return head + "\n" + "\n".join(turns)


def web_page(talk: Talk) -> str:
    """The transcript of a podcast as a page: `<cite>`, `<time>` and `<p>` for each turn, a menu around them."""
    title = html.escape(talk.meta["title"])
    head = f'<html lang="{talk.meta["language"]}">\n<head><title>{title}</title></head>\n<body>\n'
    menu = '<nav><a href="/">Home</a> <a href="/episodes">All episodes</a></nav>\n'
    turns = [
        f"<cite>{line[0].speaker}:</cite>\n<time>{short(line[0].start // 1000)}</time>\n"
        f"<p>{html.escape(join(line), quote=False)}</p>\n"
        for line in cut(talk.words, 9999)
    ]
    footer = "<footer>Made by hand. Nothing is tracked here.</footer>\n"
    return f"<!DOCTYPE html>\n{head}{menu}<article>\n{''.join(turns)}</article>\n{footer}</body>\n</html>\n"


def plain(talk: Talk) -> str:
    """Nothing but the words, wrapped for an e-mail."""
    paragraphs = [textwrap.fill(join(line), 72) for line in cut(talk.words, 9999)]
    return "\n\n".join([talk.meta["title"], *paragraphs]) + "\n"


def voices(talk: Talk) -> str:
    """Hand-made WebVTT with all the standard allows: notes, styles, cue names, settings, voices, entities."""
    out = [
        "WEBVTT - Oral history of Skarvholm, tape two",
        "",
        "STYLE",
        "::cue(v[voice='Interviewer']) { color: lime; }",
        "",
    ]
    out += ["NOTE", "Checked against the tape by the archive.", "Not spoken: this note.", ""]
    form = "{minutes:02}:{s:02}.{ms:03}"
    for number, line in enumerate(cut(talk.words, 84, sentences=True), 1):
        text = html.escape(join(line), quote=False).replace("every single day", "<i>every single day</i>")
        text = re.sub(r"\b(four|six|eight) (tons|days|hours)\b", r"\1&nbsp;\2", text)
        setting = " line:10% align:start" if line[0].speaker == "Interviewer" else " position:50%"
        out += [f"tape2-{number}", f"{clock(line[0].start, form)} --> {clock(line[-1].end, form)}{setting}"]
        out += [f"<v {line[0].speaker}>" + "\n".join(textwrap.wrap(text, 64)), ""]
        if number == 20:
            out += ["NOTE The kettle boils here.", ""]
    return "\n".join(out)


def silence() -> bytes:
    """Half a second of nothing as a WAV file, which stands for the recording."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 4000)
    return buffer.getvalue()


# The archive -------------------------------------------------------------------------------------------------------


def talks() -> dict[str, Talk]:
    """The talks of the source by their keys."""
    return {meta["key"]: speak(meta) for meta in tomllib.loads((HERE / "talks.toml").read_text("utf-8"))["talk"]}


def file_name(text: str) -> str:
    """A title as yt-dlp makes a file name of it: full-width signs for those a file system forbids."""
    return text.translate(str.maketrans(":|?/", "：｜？⧸"))


def judgements(talk: Talk, path: str) -> list[dict[str, Any]]:
    """The judgements of one talk; the phrases that bound each answer must occur, and in this order."""

    def plain_words(text: str) -> list[str]:
        pieces = text if talk.meta["language"].startswith("zh") else text.split()
        return [re.sub(r"\W", "", piece).lower() for piece in pieces]

    heard = [re.sub(r"\W", "", word.text).lower() for word in talk.words]

    def find(phrase: str, begin: int) -> tuple[int, int]:
        wanted = plain_words(phrase)
        for at in range(begin, len(heard)):
            if heard[at : at + len(wanted)] == wanted:
                return at, at + len(wanted) - 1
        raise ValueError(f"{talk.meta['key']}: “{phrase}” is not said")

    rows = []
    for number, given in enumerate(talk.meta["judgements"]):
        first, _ = find(given["from"], 0)
        _, last = find(given["to"], first)
        row = {"id": f"{talk.meta['key']}-{number}", "query": given["query"], "talk": path}
        row |= {"start_s": talk.words[first].start / 1000, "end_s": talk.words[last].end / 1000, "kind": given["kind"]}
        row |= {
            "origin": "talksearch",
            "lang": given.get("lang", talk.meta["language"]),
            "talk_lang": talk.meta["language"],
        }
        rows.append(row | ({"youtube_id": talk.meta["id"]} if "id" in talk.meta else {}))
    return rows


def files() -> dict[str, bytes]:
    """Every generated file: path below data/ to bytes."""
    by_key = talks()
    bridge, bees, birds, lecture = (by_key[key] for key in ("bridge", "bees", "birdsong", "relativity"))
    bridge_name = f"rolling/001-{bridge.meta['id']}-{file_name(bridge.meta['title'])}"
    bees_name = f"rolling/{file_name(bees.meta['title'])} [{bees.meta['id']}]"
    lecture_name = f"json3/{file_name(lecture.meta['title'])} [{lecture.meta['id']}]"
    underscored = re.sub(r"[^\w ]", "", bridge.meta["title"]).replace(" ", "_")
    birds_name = re.sub(r"[^\w ]", "", birds.meta["title"]).replace(" ", "_")
    # The file that holds a talk, or the best of those that hold it.
    main = {
        "keynote": ("seed/000_7c41e09bd25af386.txt", seed),
        "bridge": (f"{bridge_name}.en-orig.vtt", rolling),
        "bees": (f"{bees_name}.en-orig.vtt", rolling),
        "birdsong": (
            f"records/flat_timed/{birds_name}_{birds.meta['id']}.txt",
            lambda talk: record(talk, flat_timed(rolling(talk)), description(talk)),
        ),
        "postmortem": ("zoom/ledger_2025-03-12_postmortem.vtt", zoom),
        "conservation": ("captions/The Varnish Question.srt", srt),
        "council": ("captions/brackwater-council-2024-10-14.sbv", sbv),
        "relativity": (f"{lecture_name}.en.json3", json3),
        "sourdough": ("whisper/What Lives in Your Jar.json", whisper_json),
        "moor": ("whisper/Wie man ein Moor wieder nass macht.tsv", whisper_tsv),
        "letterpress": ("text/setting-type-by-hand-2.md", markdown),
        "fireflies": ("api/螢火蟲回來的那條溪 [FyrFl1es_3z].json", api_list),
        "lighthouse": ("recordings/margit-solheim-tape-2.vtt", voices),
        "postman": ("text/a-round-of-thirty-years.txt", plain),
    }
    made = {path: write(by_key[key]).encode() for key, (path, write) in main.items()}
    made[f"{bridge_name}.info.json"] = info(bridge).encode()
    made[f"{lecture_name}.info.json"] = info(lecture).encode()
    made[f"{bees_name}.en.vtt"] = made[main["bees"][0]]
    made[f"records/flat_text/{underscored}_{bridge.meta['id']}.txt"] = record(
        bridge, flat_text(rolling(bridge)), description(bridge)
    ).encode()
    made["recordings/margit-solheim-tape-2.html"] = web_page(by_key["lighthouse"]).encode()
    made["recordings/margit-solheim-tape-2.wav"] = silence()
    made["broken/half-downloaded.en.vtt"] = b""
    made["broken/tape-17.srt"] = b"\x00\x00\x01\xba" + bytes(range(256)) * 2
    rows = [row for key, (path, _) in main.items() for row in judgements(by_key[key], path)]
    made["judgements.jsonl"] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return made


if __name__ == "__main__":
    for path, content in files().items():
        target = HERE / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
