"""Lines that captions show again: while they grow, while a mark moves over them, at the borders of segments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from talksearch.indexer import records
from talksearch.indexer.records import Talk
from talksearch.indexer.restore.markup import show
from talksearch.indexer.restore.revisions import merge_revisions
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay

HARBOUR = (
    "The harbour master keeps a list",
    "and on stormy nights he reads",
    "it aloud to nobody at all",
    "for the lights are far away",
    "one of them went out last year",
    "in the middle of a storm",
    "they found the keeper asleep",
    "with a book upon his knees",
)
Cue = tuple[int, int, str]


def clock(ms: int, point: str) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def vtt(cues: Sequence[Cue]) -> str:
    return "WEBVTT\n\n" + "".join(f"{clock(a, '.')} --> {clock(b, '.')}\n{text}\n\n" for a, b, text in cues)


def srt(cues: Sequence[Cue]) -> str:
    return "".join(f"{i}\n{clock(a, ',')} --> {clock(b, ',')}\n{text}\n\n" for i, (a, b, text) in enumerate(cues, 1))


def every(texts: Sequence[str], step: int = 500) -> list[Cue]:
    return [(step * i, step * (i + 1), text) for i, text in enumerate(texts)]


def grown(line: str, by: int = 1) -> list[str]:
    words = line.split()
    return [" ".join(words[:count]) for count in range(1, len(words) + by, by)]


def talk_of(name: str, text: str) -> Talk:
    talk = load_talk(open_file(Path(name), text.encode()), name)
    assert replay(text.encode(), name, talk.receipt) == talk.cues
    assert talk.receipt.words_lost == 0
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(talk.cues))
    return talk


def lines_of(talk: Talk) -> list[str]:
    return [cue.text for cue in talk.cues]


def words_of(talk: Talk) -> list[str]:
    return " ".join(lines_of(talk)).split()


def detail_of(talk: Talk, name: str) -> dict[str, object]:
    return next((step.detail for step in talk.receipt.steps if step.name == name), {})


# --- lines that grow and are corrected ------------------------------------------------------------------------------

GROWING: dict[str, tuple[list[str], list[str]]] = {
    # what is shown, cue by cue, and the lines that were said
    "word by word": ([text for line in HARBOUR for text in grown(line)], list(HARBOUR)),
    "two words at a time": ([text for line in HARBOUR for text in grown(line, 2)], list(HARBOUR)),
    "capitals and stops come late": (
        [text for line in HARBOUR for text in (*grown(line.lower()), f"{line[0].upper()}{line[1:]}.")],
        [f"{line[0].upper()}{line[1:]}." for line in HARBOUR],
    ),
    "words are corrected": (
        ["the", "the harbor", "the harbour mast", "the harbour master kept", "the harbour master keeps a list",
         "and", "and on", "and on story", "and on stormy nights", "and on stormy nights he"],
        ["the harbour master keeps a list", "and on stormy nights he"],
    ),
    "the first word is corrected": (
        ["their", "there are", "there are many", "there are many lights", "and", "and none", "and none of them burn"],
        ["there are many lights", "and none of them burn"],
    ),
    "a correction that shortens": (
        ["he", "he reads", "he reads the list of", "he reads the list", "and", "and nobody", "and nobody hears it"],
        ["he reads the list", "and nobody hears it"],
    ),
    "no, no, no": (
        ["no.", "no. no.", "no. no. no.", "and", "and then", "and then he left"],
        ["no. no. no.", "and then he left"],
    ),
    "a line that is said twice": (
        [*grown("thank you all"), *grown("thank you all"), *grown("thank you so much")],
        ["thank you all", "thank you all", "thank you so much"],
    ),
    "no spaces between words": (
        ["今日", "今日は", "今日は光の", "今日は光の話をします", "相対", "相対性", "相対性理論は難しい"],
        ["今日は光の話をします", "相対性理論は難しい"],
    ),
    "from right to left": (
        ["اليوم", "اليوم نتحدث", "اليوم نتحدث عن", "اليوم نتحدث عن الضوء", "ثم", "ثم نعود", "ثم نعود إلى البيت"],
        ["اليوم نتحدث عن الضوء", "ثم نعود إلى البيت"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", GROWING)
@pytest.mark.parametrize("form", [vtt, srt])
def test_the_last_version_of_a_line_counts(kind: str, form: Callable[[Sequence[Cue]], str]) -> None:
    shown, said = GROWING[kind]
    talk = talk_of(f"a.{form.__name__}", form(every(shown)))
    assert lines_of(talk) == said
    begins = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(shown)) if a in said and len(b) < len(a))]
    assert [cue.start_ms for cue in talk.cues] == [500 * place for place in begins]
    detail = detail_of(talk, "merge-revisions")
    assert detail["lines"] == len(said)
    assert talk.receipt.words_folded + sum(talk.receipt.words_left_out.values()) > 0


def test_a_row_that_moves_up_as_it_is_stays_there_for_the_next_step() -> None:
    lines = HARBOUR[:4]
    texts = [f"{above}\n{grows}" for above, line in pairwise(lines) for grows in grown(line)]
    shown = [show(records.Cue(500 * place, 500 * place + 500, text), Counter()) for place, text in enumerate(texts)]
    merged, detail = merge_revisions(shown)
    assert [[" ".join(row.key) for row in cue.rows] for cue in merged] == [list(pair) for pair in pairwise(lines)]
    words_before, words_after = (sum(len(cue.text_key) for cue in cues) for cues in (shown, merged))
    assert (detail["words_folded"], detail["words_corrected"]) == (words_before - words_after, 0)


def test_a_word_is_said_when_it_first_appeared() -> None:
    shown = ["so", "so the bump", "so the pump failed", "and", "and nobody", "and nobody heard the alarm"]
    talk = talk_of("a.vtt", vtt(every(shown)))
    assert [[word.start_ms for word in cue.words] for cue in talk.cues] == [
        [0, 500, 500, 1000], [1500, 2000, 2500, 2500, 2500],
    ]  # fmt: skip
    assert detail_of(talk, "merge-revisions")["corrected"] == ["bump"]
    assert detail_of(talk, "merge-revisions")["words_corrected"] == 1


def scrolled(rows: int, mark: str = "\n") -> list[Cue]:
    shown = []
    for i, line in enumerate(HARBOUR):
        shown += [mark.join([*HARBOUR[max(0, i - rows + 1) : i], text]) for text in grown(line)]
    return every(shown, 300)


@pytest.mark.parametrize(("rows", "mark"), [(2, "\n"), (3, "\n"), (2, " ")])
def test_lines_that_grow_and_scroll(rows: int, mark: str) -> None:
    assert words_of(talk_of("a.vtt", vtt(scrolled(rows, mark)))) == " ".join(HARBOUR).split()


def test_a_row_that_is_corrected_when_it_moves_up() -> None:
    shown = [
        *grown("the harbor mastur keeps"),
        *(f"the harbour master keeps\n{text}" for text in grown("a list of lights")),
        *(f"a list of lights\n{text}" for text in grown("for the night")),
    ]
    talk = talk_of("a.vtt", vtt(every(shown)))
    assert lines_of(talk) == ["the harbour master keeps", "a list of lights", "for the night"]
    assert [word.start_ms for word in talk.cues[0].words] == [0, 500, 1000, 1500]


def test_every_row_that_is_corrected_when_it_moves_up_is_counted() -> None:
    shown = [
        *grown("the harbor mastur keeps"),
        *(f"the harbour master keeps\n{text}" for text in grown("a lust of lights")),
        *(f"a list of lights\n{text}" for text in grown("for the night")),
    ]
    talk = talk_of("a.vtt", vtt(every(shown)))
    assert lines_of(talk) == ["the harbour master keeps", "a list of lights", "for the night"]
    detail = detail_of(talk, "merge-revisions")
    assert sorted(detail["corrected"]) == ["harbor", "lust", "mastur"]
    words = sum(len(text.split()) for text in shown)
    assert detail["words_folded"] + detail["words_corrected"] == words - len(words_of(talk))


def test_another_row_of_as_many_words_is_no_correction() -> None:
    shown = [
        *grown("the harbour master keeps"),
        *(f"nobody ever came here\n{text}" for text in grown("a list of lights")),
        *grown("for the night"),
    ]
    talk = talk_of("a.vtt", vtt(every(shown)))
    said = "the harbour master keeps nobody ever came here a list of lights for the night"
    assert words_of(talk) == said.split()


def test_half_a_file_grows() -> None:
    plain = [(3000 * i, 3000 * i + 2900, text) for i, text in enumerate((*HARBOUR[:4], "So it is.", "Yes, so it is."))]
    live = [(20_000 + a, 20_000 + b, text) for a, b, text in every([text for line in HARBOUR for text in grown(line)])]
    talk = talk_of("a.srt", srt([*plain, *live]))
    assert lines_of(talk) == [*HARBOUR[:4], "So it is.", "Yes, so it is.", *HARBOUR]


SPOKEN_AGAIN: dict[str, list[Cue]] = {
    "a course": every(["The dog.", "The dog runs.", "The dog runs home.", "The cat.", "The cat sleeps.",
                       "The cat sleeps here."], 3000),
    "a refrain": every(["We shall overcome", "We shall overcome", "We shall overcome some day", "Deep in my heart",
                        "I do believe", "We shall overcome some day"], 4000),
    "a chant": every(["Row, row your boat", "Merrily", "Merrily", "Merrily", "Merrily", "Life is but a dream"], 2000),
    "no, no, no": every(["No.", "No.", "No.", "And then he left."], 800),
    "the entries of a list": every([f"Item number {number}" for number in range(1, 9)], 2000),
    "a litany": every([f"Lord of the {name} have mercy" for name in ("mill", "weir", "stone", "wheel", "flour")], 2500),
    "sentences that begin alike": every(["And so", "And so it went on", "And nobody", "Nobody came to see it"], 2000),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOKEN_AGAIN)
def test_what_is_said_again_stays(kind: str) -> None:
    cues = SPOKEN_AGAIN[kind]
    assert lines_of(talk_of("a.srt", srt(cues))) == [text for *_, text in cues]


# --- marks that move ------------------------------------------------------------------------------------------------

SUNG = ("So the first thing a keeper learns", "you climb the stair before dusk", "thank you")


def around(begin: str, end: str) -> Callable[[list[str], int], str]:
    return lambda words, i: " ".join([*words[:i], f"{begin}{words[i]}{end}", *words[i + 1 :]])


def colours(words: list[str], i: int) -> str:
    return " ".join(f'<font color="{"#ff0" if j == i else "#fff"}">{word}</font>' for j, word in enumerate(words))


def in_two_rows(words: list[str], i: int) -> str:
    marked = [f"<u>{word}</u>" if j == i else word for j, word in enumerate(words)]
    return f"{' '.join(marked[:3])}\n{' '.join(marked[3:])}".strip()


MARKS: dict[str, Callable[[list[str], int], str]] = {
    "underlined": around("<u>", "</u>"),
    "a blank inside the mark": lambda words, i: re.sub(r" <u>", "<u> ", around("<u>", "</u>")(words, i)),
    "a blank inside the first mark": lambda words, i: around("<u> ", "</u>")(words, i).replace("  ", " "),
    "bold": around("<b>", "</b>"),
    "italics": around("<i>", "</i>"),
    "a colour": around('<font color="#00ff00">', "</font>"),
    "a class": around("<c.yellow>", "</c>"),
    "no class": around("<c>", "</c>"),
    "classes of what was, is and will be said": lambda words, i: " ".join(
        f"<c.{'was' if j < i else 'is' if j == i else 'will'}>{word}</c>" for j, word in enumerate(words)
    ),
    "a mark that nobody closes": around("<u>", ""),
    "two colours": colours,
    "overrides of SubStation": around(r"{\c&H00FFFF&}", r"{\r}"),
    "overrides that go back": around(r"{\c&H00FFFF&}", r"{\c&HFFFFFF&}"),
    "a part of the word": lambda words, i: " ".join(
        [*words[:i], f"<u>{words[i][:2]}</u>{words[i][2:]}", *words[i + 1 :]]
    ),
    "a mark that grows": lambda words, i: f"<b>{' '.join(words[: i + 1])}</b> {' '.join(words[i + 1 :])}",
    "a mark on what is to come": lambda words, i: f"{' '.join(words[: i + 1])} <i>{' '.join(words[i + 1 :])}</i>",
    "two rows": in_two_rows,
    "a voice": lambda words, i: f"<v Ana>{around('<u>', '</u>')(words, i)}",
}  # fmt: skip


def sung(mark: Callable[[list[str], int], str], lines: Sequence[str] = SUNG, gap: int = 0) -> list[Cue]:
    """Three words a second; with a gap, cues without a mark between them."""
    cues: list[Cue] = []
    at = 1000
    for line in lines:
        words = line.split()
        for i in range(len(words)):
            cues.append((at, at + 300 - gap, mark(words, i)))
            if gap:
                cues.append((at + 300 - gap, at + 300, line))
            at += 300
        at += 400
    return cues


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("gap", [0, 40])
def test_a_mark_that_moves_tells_when_words_are_said(mark: str, gap: int) -> None:
    if gap and mark == "a mark on what is to come":
        return  # a cue without a mark says there that all is said
    talk = talk_of("a.vtt", vtt(sung(MARKS[mark], gap=gap)))
    assert lines_of(talk) == list(SUNG)
    assert [[word.start_ms for word in cue.words] for cue in talk.cues] == [
        [1000 + 300 * i for i in range(7)], [3500 + 300 * i for i in range(6)], [5700, 6000],
    ]  # fmt: skip
    assert detail_of(talk, "follow-highlights")["lines"] == 3


@pytest.mark.parametrize("offset", [-1, 1])
def test_the_line_before_or_behind_stands_there_too(offset: int) -> None:
    lines = [" ".join(line.split()[:5]) for line in HARBOUR]

    def beside(words: list[str], i: int) -> str:
        place = lines.index(" ".join(words)) + offset
        others = lines[place : place + 1] if place >= 0 else []
        return "\n".join([MARKS["underlined"](words, i), *others][::offset])

    talk = talk_of("a.vtt", vtt(sung(beside, lines)))
    assert lines_of(talk) == lines
    assert all(len(cue.words) == 5 and cue.words[0].start_ms == cue.start_ms for cue in talk.cues)


def test_a_file_of_short_lines() -> None:
    lines = ("thank you", "come in", "sit down", "go on")
    assert lines_of(talk_of("a.srt", srt(sung(MARKS["underlined"], lines)))) == list(lines)


def test_a_line_that_is_sung_twice() -> None:
    lines = [SUNG[0], SUNG[0], SUNG[1], SUNG[1]]
    assert lines_of(talk_of("a.srt", srt(sung(MARKS["underlined"], lines)))) == lines


def test_marks_that_a_converter_lost() -> None:
    talk = talk_of("a.srt", srt(sung(lambda words, _: " ".join(words), SUNG[:2])))
    assert lines_of(talk) == list(SUNG[:2])
    assert [(cue.start_ms, cue.end_ms) for cue in talk.cues] == [(1000, 3100), (3500, 5300)]


ASS = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def dialogue(cues: Sequence[Cue]) -> str:
    return ASS + "".join(
        f"Dialogue: 0,{clock(a, '.')[1:-1]},{clock(b, '.')[1:-1]},Default,,0,0,0,,{text}\n" for a, b, text in cues
    )


def test_substation_alpha_with_marks_and_with_syllables() -> None:
    talk = load_talk(open_file(Path("a.ass"), dialogue(sung(MARKS["overrides of SubStation"])).encode()), "a.ass")
    assert lines_of(talk) == list(SUNG)
    assert [word.start_ms for word in talk.cues[0].words] == [1000 + 300 * i for i in range(7)]
    text = dialogue(
        [(1000, 5000, r"{\k50}So {\k20}be{\k30}yond {\kf40}the {\k100}wall"), (5000, 6000, r"{\i1}yes{\i0}")]
    )
    talk = load_talk(open_file(Path("a.ass"), text.encode()), "a.ass")
    assert [(word.text, word.start_ms) for word in talk.cues[0].words] == [
        ("So", 1000), ("beyond", 1500), ("the", 2000), ("wall", 2400),
    ]  # fmt: skip
    assert replay(text.encode(), "a.ass", talk.receipt) == talk.cues


EMPHASIS: dict[str, list[Cue]] = {
    "one word after the other is stressed": every(
        ["<b>I</b> never said that", "I <b>never</b> said that", "I never <b>said</b> that", "I never said <b>that</b>",
         "and so on it goes", "that is stress in English"], 3000),
    "in a refrain": every(["We <i>shall</i> win", "We shall <i>win</i>", "We shall win <i>some day</i>"], 3000),
    "whole lines": every(["<i>Merrily, merrily</i>"] * 6, 3000),
}  # fmt: skip


@pytest.mark.parametrize("kind", EMPHASIS)
def test_emphasis_stays_and_so_do_its_words(kind: str) -> None:
    cues = EMPHASIS[kind]
    assert lines_of(talk_of("a.srt", srt(cues))) == [re.sub(r"<[^>]*>", "", text) for *_, text in cues]


# --- rows and segments ----------------------------------------------------------------------------------------------


def test_three_rows_that_fill_from_above() -> None:
    """As YouTube wrote automatic captions in 2016: the upper rows are empty at first, and what is held stays longer."""
    rows = ["", "", *HARBOUR]
    cues: list[Cue] = []
    for i in range(2, len(rows)):
        shown = rows[i - 2 : i + 1]
        cues.append((1000 * i, 1000 * i + 600, "\n".join(row or " " for row in shown)))
        cues.append((1000 * i + 600, 1000 * i + 1000, "\n".join([*(row or " " for row in shown), " "])))
    assert words_of(talk_of("a.vtt", vtt(cues))) == " ".join(HARBOUR).split()


TALK: list[Cue] = [(4000 * i, 4000 * i + 3500, line) for i, line in enumerate(HARBOUR)]
SEGMENTS: dict[str, list[list[Cue]]] = {
    "one cue over each border": [TALK[0:3], TALK[2:5], TALK[4:8]],
    "two cues over each border": [TALK[0:4], TALK[2:6], TALK[4:8]],
    "a stream that repeats its last ones": [TALK[max(0, i - 3) : i + 1] for i in range(8)],
    "a list that grows from the beginning": [TALK[: i + 1] for i in range(6)] + [TALK[6:]],
    "times that a clock rounded": [TALK[0:3], [(a + 1, b - 1, text) for a, b, text in TALK[2:5]], TALK[4:8]],
    "an end that the first segment cut off": [[*TALK[0:2], (8000, 9000, HARBOUR[2])], TALK[2:8]],
}


@pytest.mark.parametrize("kind", SEGMENTS)
def test_cues_at_the_borders_of_segments_stand_once(kind: str) -> None:
    text = "\n".join(vtt(cues) for cues in SEGMENTS[kind])
    talk = talk_of("a.vtt", text)
    assert lines_of(talk) == list(HARBOUR)
    assert [cue.start_ms for cue in talk.cues] == pytest.approx([4000 * i for i in range(8)], abs=1)
    assert [cue.end_ms for cue in talk.cues][2] in (11_499, 11_500)
    assert detail_of(talk, "drop-copies")["cues"] == sum(map(len, SEGMENTS[kind])) - 8


def test_what_is_said_again_later_is_no_copy() -> None:
    cues = [*TALK, *((a + 32_000, b + 32_000, text) for a, b, text in TALK[:3])]
    assert lines_of(talk_of("a.vtt", vtt(cues))) == [*HARBOUR, *HARBOUR[:3]]
    both = [(0, 2000, "<v Ana>Yes!"), (0, 2000, "<v Ben>Yes!"), (2000, 4000, "<v Ana>So it is.")]
    assert [cue.text for cue in talk_of("a.vtt", vtt(both)).cues] == ["Yes!", "Yes!", "So it is."]


def test_a_second_recording_that_begins_alike_is_counted_on() -> None:
    first = [(40_000 * i, 40_000 * i + 3000, text) for i, text in enumerate(("Good evening.", *HARBOUR))]
    second = [(40_000 * i, 40_000 * i + 3000, text) for i, text in enumerate(("Good evening.", *SUNG, *SUNG))]
    talk = talk_of("a.srt", srt([*first, *second]))
    assert lines_of(talk).count("Good evening.") == 2
