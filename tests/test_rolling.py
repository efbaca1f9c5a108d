"""Rolling captions in the forms converters leave them in: every word once, and words said again stay."""

from __future__ import annotations

import html
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.restore.align_times import matching
from talksearch.indexer.restore.markup import show
from talksearch.indexer.restore.rolling import collapse
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file

SHARED = Path(__file__).parents[1] / ".." / "shared" / "archive" / "rolling"

SAID = [
    "So to close out the show, I'd like to",
    "dive a little bit deeper into time, a",
    "very, very long and and winding subject",
    "that I I think we all all know from our",
    "own lives. No no no, said the old man of",
    "the sea.",
    "the sea.",
    "It was not me at all, it was the whale,",
    "the whale, the whale, and it swam away.",
    "Thank you.",
    "And now for something else altogether,",
    "which is how long a day on Mars is: it",
    "is thirty-nine minutes more than here.",
    "How long is it where you come from, then?",
    "Nobody knows, nobody knows, nobody knows",
    "and nobody has ever measured it at all.",
]
STEP = 2500
Lines = list[tuple[int, int, list[str]]]


def clock(ms: int, point: str) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def seen(held: bool = True) -> Lines:
    """What is on the screen: each line below the one before, and, `held`, alone for 10 ms when it is complete."""
    cues: Lines = []
    for i, (above, line) in enumerate(pairwise(["", *SAID])):
        end = (i + 1) * STEP
        cues.append((i * STEP, end - 10 if held else end, [above, line]))
        if held:
            cues.append((end - 10, end, [line, ""]))
    return cues


def vtt(cues: Lines) -> str:
    blocks = (f"{clock(a, '.')} --> {clock(b, '.')}\n" + "\n".join(row or " " for row in rows) for a, b, rows in cues)
    return "WEBVTT\n\n" + "\n\n".join(blocks) + "\n"


def srt(cues: Lines, mark: str = "\n") -> str:
    blocks = (f"{clock(a, ',')} --> {clock(b, ',')}\n" + mark.join(filter(None, rows)) for a, b, rows in cues)
    return "\n\n".join(f"{i}\n{block}" for i, block in enumerate(blocks, 1)) + "\n"


def windows(rows: int) -> Lines:
    """Each line until the next but one is written, with so many rows on the screen."""
    return [(i * STEP, (i + 2) * STEP, SAID[max(0, i - rows + 1) : i + 1]) for i in range(len(SAID))]


def talk_of(name: str, text: str) -> Talk:
    return load_talk(open_file(Path(name), text.encode()), name)


def words_of(talk: Talk) -> list[str]:
    return " ".join(cue.text for cue in talk.cues).split()


FORMS = {
    "vtt": vtt(seen()),
    "vtt without the held cues": vtt(seen(held=False)),
    "srt": srt(seen()),
    "srt without the held cues": srt(seen(held=False)),
    "srt, rows joined": srt(seen(), " "),
    "srt, windows of two rows": srt(windows(2)),
    "srt, windows of three rows": srt(windows(3)),
    "srt, every line once": srt(windows(1)),
    "txt, every row on a line": "\n".join(row for *_, rows in seen() for row in rows if row),
    "txt, held cues dropped": "\n".join(row for *_, rows in seen(held=False) for row in rows if row),
    "txt, every line once": "\n".join(SAID),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_words_that_were_said(form: str) -> None:
    talk = talk_of(f"a.{form[:3]}", FORMS[form])
    assert words_of(talk) == " ".join(SAID).split()
    if not form.startswith("txt"):
        assert [cue.start_ms for cue in talk.cues] == [i * STEP for i in range(len(SAID))]
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(talk.cues))


def test_a_row_that_stands_there_once_is_followed_by_a_pause() -> None:
    """The screen was cleared after it: the lines of a file keep that too."""
    rows = [row for i, line in enumerate(SAID) for row in [line] * (1 if i == 8 else 3)]
    talk = talk_of("a.txt", "\n".join(rows))
    assert words_of(talk) == " ".join(SAID).split()
    gaps = [b.start_ms - a.end_ms for a, b in pairwise(talk.cues)]
    assert gaps.index(max(gaps)) == [cue.text for cue in talk.cues].index(SAID[8])
    assert max(gaps) > 2000


@pytest.mark.parametrize(
    ("flash", "said"),
    [
        (SAID[:2], SAID[:4]),  # the screen as it was
        (SAID[1:2], SAID[:4]),  # its last row
        (SAID[4:6], [*SAID[:2], *SAID[4:6], *SAID[2:4]]),  # other words, which nobody else says
        (SAID[4:5], [*SAID[:2], SAID[4], *SAID[2:4]]),
    ],
)
def test_what_stands_for_some_milliseconds_is_said_unless_it_only_holds_what_stood_there(
    flash: list[str], said: list[str]
) -> None:
    talk = talk_of("a.srt", srt([(0, 2500, SAID[:2]), (2500, 2550, flash), (2550, 5000, SAID[2:4])]))
    assert words_of(talk) == " ".join(said).split()


UNCHANGED = {
    "a verse with a refrain": "\n".join(["Row, row, row your boat", "gently down the stream,"] + ["Merrily!"] * 4)
    + "\n",
    "a litany": "\n".join(line for name in SAID for line in (name, "pray for us.", "pray for us.")),
}


@pytest.mark.parametrize("text", UNCHANGED)
def test_text_that_does_not_roll_stays(text: str) -> None:
    assert words_of(talk_of("a.txt", UNCHANGED[text])) == UNCHANGED[text].split()


def test_the_same_screen_of_two_rows_said_again_stays() -> None:
    prayer = "Hail Mary full of grace\nthe Lord is with thee"
    cues = [f"00:{at // 2:02}:{at % 2 * 30:02}.000 --> 00:{at // 2:02}:{at % 2 * 30 + 29:02}.000" for at in range(10)]
    talk = talk_of("a.vtt", "WEBVTT\n\n" + "".join(f"{times}\n{prayer}\n\n" for times in cues))
    assert words_of(talk) == prayer.split() * 10
    assert [cue.start_ms for cue in talk.cues] == [30_000 * at for at in range(10)]


def test_a_row_said_again_stays_where_only_another_part_of_the_file_rolls() -> None:
    rolling = [f"line {at} of it\nline {at + 1} of it" for at in range(30)]
    plain = [f"this is said at {at}\nand that as well at {at}" for at in range(30)]
    plain[20] = "and that as well at 19\nsaid once more"  # as at the border before it
    cues = [Cue(at * 3_000, at * 3_000 + 3_000, text) for at, text in enumerate([*rolling, *plain])]
    shown, detail = collapse([show(cue, Counter()) for cue in cues])
    words = [word for cue in shown for row in cue.rows for word in row.key]
    assert words == [*" ".join(f"line {at} of it" for at in range(31)).split(), *" ".join(plain).split()]
    assert detail["words_folded"] == 29 * 4


def test_people_who_talk_over_each_other_keep_their_times() -> None:
    lines = [(i * STEP, i * STEP + STEP + (900 if i % 3 == 0 else 0), [line]) for i, line in enumerate(SAID)]
    talk = talk_of("a.srt", srt(lines))
    assert [(cue.start_ms, cue.end_ms) for cue in talk.cues] == [(a, b) for a, b, _ in lines]


@pytest.mark.realdata
@pytest.mark.skipif(not SHARED.exists(), reason=f"the real talks are not here: {SHARED}")
def test_real_captions_as_rows_of_text() -> None:
    """With line breaks left, nothing has to be guessed: not one word is wrong."""
    (path,) = sorted(SHARED.glob("002-93f*.vtt"))
    file = path.read_text("utf-8").split("\n")
    bare = [re.sub(r"<[^>]*>", "", row).strip() for row in file]
    rows = [row for row in bare[4:] if row and "-->" not in row]
    said = [bare[i + 2] for i, row in enumerate(bare) if "-->" in row]
    clean = re.compile(r"\[[^\[\]]*\]|>>+")
    truth = clean.sub(" ", html.unescape(" ".join(said))).split()
    found = clean.sub(" ", " ".join(words_of(talk_of("a.txt", "\n".join(rows))))).split()
    assert len(truth) > 5000
    assert len(matching(truth, found)) == len(truth) == len(found)
