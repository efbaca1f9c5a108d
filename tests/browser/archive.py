"""A small archive with one talk of every kind that a page shows, and the recordings of two of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from fakes import CountingEncoder

from talksearch.indexer.pipeline.run import build_index

EVIL = '<script>alert(1)</script> "><img src=x onerror=alert(1)> \x1b]0;owned\x07 \u202eabc'
YOUTUBE_ID = "Phy5N1ght4b"
RECORDING_S = 180
HOURS = 5
LINES_OF_FIVE_HOURS = HOURS * 900
"""One every four seconds."""

_HARBOUR = [
    "<v Ana Costa>Good evening, and welcome to the old customs hall; it is full to the last chair tonight.",
    "<v Ana Costa>We speak about a ship that keeps its own time, and about what its clock told the crew.",
    "<v Ana Costa>Nobody aboard saw the two clocks drift apart, since each of them ticked as clocks do.",
    "<v Ana Costa>They had breakfast, watered the tomatoes, and wrote the hour into the log with great care.",
    "<v Ben Okafor>And the rain came down on the harbour for a week, and nobody went up the hill to look.",
    "<v Ben Okafor>The captain wrote a letter to his sister, and in it stands the first strange number.",
    "<v Ben Okafor>He says that the tide came early; the tide, of course, was exactly where it had to be.",
    "<v Ben Okafor>Every bee in the rigging had gone below, he writes, for a bee knows when the weather turns.",
    "<v Ana Costa>I should say something about the bread, because bread is how you count days at sea.",
    "<v Ana Costa>One loaf a day for each table, and when they opened the store there were nine too many.",
    "<v Ana Costa>They sang a song about it, a rude song, which I will not repeat in this building.",
    "<v Ana Costa>Then the wind turned and the anchor held, and they lay off the point until the morning.",
    "<v Ben Okafor>The ship came home nine days late, or on the very day, whichever calendar you believed.",
    "<v Ben Okafor>So the code of the lighthouse was changed: three short flashes, and then a long one.",
    "<v Ben Okafor>That code is what you see from this window, and every pilot on the coast knows it.",
    "<v Ana Costa>Under the bridge there is a plate of brass, and it tells the same story in two lines.",
    "<v Ana Costa>Stand on the bridge at noon and set your watch; the brass is right, and your watch is not.",
    "<v Ana Costa>That is what the harbour master told us. Thank you all, and mind the steps outside.",
]
"""Said in turn, one every ten seconds."""


def make_archive(folder: Path) -> Path:
    """Make the talks, their recordings and an index of them below a folder; returns the index's folder."""
    talks = folder / "talks"
    talks.mkdir(parents=True)
    _captions(
        talks, "harbour", _HARBOUR, 10, title="The harbour clock", channel="Harbour Films", upload_date="20230402",
        language="en", duration=RECORDING_S, description="An evening about a ship whose clocks went wrong.",
        chapters=[
            {"start_time": 0, "end_time": 80, "title": "Why does the ship keep its own time?"},
            {"start_time": 80, "end_time": 120, "title": "The song of bread"},
            {"start_time": 120, "end_time": 180, "title": "Coming home"},
        ],
    )  # fmt: skip
    _video(talks / "harbour.mp4")
    lecture = [
        "a clock on a fast ship runs slow",
        "the bridge of the argument is time",
        "rain has nothing to do with it",
    ]
    _captions(
        talks, "lecture", lecture * 4, 20, title="Moving clocks", channel="Evening College", upload_date="20210915",
        webpage_url=f"https://www.youtube.com/watch?v={YOUTUBE_ID}", id=YOUTUBE_ID, extractor_key="Youtube",
        duration=240, language="en", speaker="Ida Holm",
    )  # fmt: skip
    _captions(
        talks, "vimeo", ["a bee sings no song", "bread is a code for time"], 30, title="Bread and bees",
        channel="Backstube", upload_date="20190520", webpage_url="https://vimeo.com/76979871", language="en",
    )  # fmt: skip
    _captions(
        talks, "brot", ["das Brot braucht seine Zeit", "ohne Regen kein Korn und kein bread"], 20,
        title="Brot und Zeit", channel="Backstube", upload_date="20190411", language="de",
        webpage_url="https://example.org/brot",
    )  # fmt: skip
    _captions(
        talks, "gesher", ["הגשר נפל בגשם", "bridge הוא שיר באבן"], 20, title="הגשר והגשם", channel="Harbour Films",
        upload_date="20220101", webpage_url="https://example.org/gesher", language="he",
    )  # fmt: skip
    _captions(
        talks, "evil", ["the ship <b>sails</b> &amp; &lt;script&gt;alert(2)&lt;/script&gt; the rain"], 20, title=EVIL,
        channel=EVIL, webpage_url="https://example.org/evil?a=1&b=2",
    )  # fmt: skip
    _captions(
        talks, "cafe", ["the cafÃ© by the bridge has bread", "itâ€™s a song in the rain"], 20, title="The café",
        channel="Harbour Films", upload_date="20240712", webpage_url="https://example.org/cafe", language="en",
    )  # fmt: skip
    # The bees come up three times, with other things between.
    walk = ["we walk on past the orchard and along the wall with the old pear trees on it, row after row"] * 15
    for at in (2, 8, 13):
        walk[at] = "and here is a bee, and there another bee, and the bee that leads them all the way home"
    _captions(
        talks, "walk", walk, 30, title="A walk along the wall", channel="Night Watch", upload_date="20240630",
        webpage_url="https://example.org/walk", language="en", duration=450,
    )  # fmt: skip
    # No times: they are estimated.
    prose = " ".join(f"The council sat for session {number}, and it was raining again." for number in range(3, 40))
    (talks / "meeting.txt").write_text(prose, encoding="utf-8")
    _about(
        talks, "meeting", title="A meeting in the rain", channel="Evening College", upload_date="20200229", duration=300
    )
    (talks / "radio.srt").write_text(_srt(["the radio plays a song", "and then the rain"], 10), encoding="utf-8")
    _about(talks, "radio", title="A song on the radio", channel="Night Watch", upload_date="20230510", language="en")
    _sound(talks / "radio.mp3")
    build_index(folder / "index", [talks], encoder=CountingEncoder())
    return folder / "index"


def make_long_archive(folder: Path) -> Path:
    """Index one talk of five hours below a folder; returns the index's folder."""
    talks = folder / "talks"
    talks.mkdir(parents=True)
    said = [line.partition(">")[2] for line in _HARBOUR]
    lines = [f"line {number} of the watch: {said[number % len(said)]}" for number in range(LINES_OF_FIVE_HOURS)]
    _captions(
        talks, "watch", lines, 4, title="Five hours on watch", channel="Night Watch", upload_date="20240101",
        webpage_url="https://example.org/watch", duration=HOURS * 3600, language="en",
    )  # fmt: skip
    build_index(folder / "index", [talks], encoder=CountingEncoder())
    return folder / "index"


def _captions(talks: Path, name: str, lines: list[str], each_s: int, **about: Any) -> None:
    cues = "".join(
        f"{_clock(at * each_s, '.')} --> {_clock((at + 1) * each_s, '.')}\n{line}\n\n" for at, line in enumerate(lines)
    )
    (talks / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    _about(talks, name, **about)


def _srt(lines: list[str], each_s: int) -> str:
    return "".join(
        f"{at + 1}\n{_clock(at * each_s, ',')} --> {_clock((at + 1) * each_s, ',')}\n{line}\n\n"
        for at, line in enumerate(lines)
    )


def _clock(seconds: int, mark: str) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}000"


def _about(talks: Path, name: str, **about: Any) -> None:
    (talks / f"{name}.info.json").write_text(json.dumps(about), encoding="utf-8")


def _video(path: Path) -> None:
    """Make a recording in which a second counter runs. A key frame each second lets a player land on any of them."""
    _ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=size=320x180:rate=10:duration={RECORDING_S}"),
        *("-f", "lavfi", "-i", f"sine=frequency=220:duration={RECORDING_S}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"),
        *("-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart"),
        str(path),
    )


def _sound(path: Path) -> None:
    _ffmpeg("-f", "lavfi", "-i", "sine=frequency=330:duration=20", "-b:a", "32k", str(path))


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *arguments], check=True, timeout=60)
