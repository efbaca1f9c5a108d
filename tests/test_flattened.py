"""Flattened rolling captions: what must not change, what must be found, and the real archive."""

from __future__ import annotations

import html
import random
import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from talksearch.indexer.readers import flattened, scraped_record
from talksearch.indexer.readers.flattened import cut_lines, unfold
from talksearch.indexer.readers.folds import folds_of
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.restore.align_times import matching
from talksearch.indexer.text.plain import count_words, is_sound, tokens_of

SHARED = Path(__file__).parents[1] / ".." / "shared" / "archive"
needs_archive = pytest.mark.skipif(not SHARED.exists(), reason=f"the real talks are not here: {SHARED}")

TALK = [
    "So to close out the show, I'd like to",
    "dive a little bit deeper into time, a",
    "very, very long and and winding subject",
    "that I I think we all all know from our",
    "own lives. No no no, said the old man of",
    "the sea, no no no, it was not me at all,",
    "it was the whale, the whale, the whale",
    "and it swam and it swam away from us.",
    "Thank you.",
    "Thanks a lot.",
    "And now for something else altogether,",
    "which is how long a day on Mars is: it",
    "is thirty-nine minutes more than here.",
]


def rolled(runs: list[list[str]], copies: int = 3) -> str:
    """Flatten captions as they roll: `copies` times a line that another follows, once the last of a run."""
    shown: list[str] = []
    for run in runs:
        for line in run[:-1]:
            shown += [line] * copies
        shown.append(run[-1])
    return " ".join(shown)


@pytest.mark.parametrize("copies", [2, 3])
def test_lines_come_back_as_they_were_said(copies: int) -> None:
    unfolded = unfold(rolled([TALK], copies))
    assert [line.text for line in unfolded.lines] == TALK
    assert unfolded.copies == copies
    assert unfolded.words_after == count_words(" ".join(TALK))
    assert unfolded.words_before == count_words(rolled([TALK], copies))


def test_a_line_said_once_marks_a_pause() -> None:
    unfolded = unfold(rolled([TALK[:5], TALK[5:9], TALK[9:]]))
    assert [line.text for line in unfolded.lines] == TALK
    assert [line.text for line in unfolded.lines if line.pause_after] == [TALK[4], TALK[8]]
    assert [line.text for line in unfolded.lines if line.pause_before] == [TALK[5], TALK[9]]


def test_a_line_said_twice_stays_said_twice() -> None:
    twice = [*TALK[:8], TALK[7], *TALK[10:]]
    assert [line.text for line in unfold(rolled([twice])).lines] == twice


OFTEN_PAUSING = """We write this/down./Now/the first term/is equal to/zero, because the field is flat in this/region.
Okay./And/the second/one, as I said on Monday, follows from/the/symmetry./So/what is left of it is only a number and
that number/we call/lambda./Any questions?/Good./Then let us look at what it means that/lambda/is positive./It means
the curve bends towards the axis and not/away from it./Right./Here/you see a picture/of that."""


@pytest.mark.parametrize("copies", [2, 3])
def test_a_speaker_who_often_pauses(copies: int) -> None:
    """Lines that end short cost less where many do; of two copies the first reading gets three words wrong."""
    said = OFTEN_PAUSING.replace("\n", "/").split("/")
    assert [line.text for line in unfold(rolled([said[:11], said[11:20], said[20:]], copies)).lines] == said


def test_line_breaks_are_borders() -> None:
    """Where the rows of the captions were kept, a word said again at the end of a line is no longer a riddle."""
    said = [*TALK[:6], "and so on and", "so on and", "so on.", *TALK[6:8], *TALK[9:]]
    shown = [row for i, row in enumerate(said) for row in [row] * (1 if i == 8 else 3)]
    unfolded = unfold("\n".join(shown))
    assert [line.text for line in unfolded.lines] == said
    assert [line.text for line in unfolded.lines if line.pause_after] == [said[8]]
    assert [line.text for line in unfolded.lines if line.pause_before] == [said[9]]
    tokens = tokens_of("\n".join(shown))
    assert all(tokens[line.start] == tokens_of(line.text)[0] for line in unfolded.lines)


def test_sound_labels_and_turns_between() -> None:
    text = "[music] [music] " + rolled(
        [["&gt;&gt; " + TALK[0], *TALK[1:6]], ["&gt;&gt; [music]"], TALK[6:8] + TALK[10:]]
    )
    unfolded = unfold(text)
    words = " ".join(line.text for line in unfolded.lines).split()
    before, after = " ".join(TALK[:6]).split(), " ".join(TALK[6:8] + TALK[10:]).split()
    assert words == ["[music]", "[music]", "&gt;&gt;", *before, "&gt;&gt;", "[music]", *after]


def test_a_text_cut_off_at_the_end() -> None:
    whole = rolled([[*TALK[:8], *TALK[10:]]])
    said = " ".join(TALK[:8] + TALK[10:]).split()
    for cut in range(len(whole) // 2, len(whole), 7):
        words = " ".join(line.text for line in unfold(whole[:cut]).lines).split()
        # In the line that was cut nothing can be told for certain.
        assert words[:-9] == said[: max(0, len(words) - 9)], whole[:cut][-90:]
        assert len(words) <= len(said)


UNCHANGED = [
    "",
    "no no no",
    "He said it was very, very long. I I think so too, and and then he left, left for good.",
    "Row, row, row your boat gently down the stream, merrily, merrily, merrily, merrily, life is but a dream.",
    "Frère Jacques, Frère Jacques, Dormez-vous? Dormez-vous? Sonnez les matines! Sonnez les matines! Ding ding dong!",
    "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\n"
    "Could frame thy fearful symmetry?\nTyger Tyger, burning bright,\nIn the forests of the night",
    " ".join(TALK),
    "\n".join(TALK),
    "好 的 ， 我们 开始 吧 。 好 的 ， 我们 开始 吧 。",
]


@pytest.mark.parametrize("text", UNCHANGED)
def test_text_without_folding_keeps_every_word(text: str) -> None:
    unfolded = unfold(text)
    assert not unfolded.folded
    assert " ".join(line.text for line in unfolded.lines).split() == text.split()
    assert unfolded.words_before == unfolded.words_after


def test_wide_scripts_unfold_too() -> None:
    lines = [
        "各位观众大家好欢迎来到今天的节目",
        "今天我们来谈一谈时间这个题目",
        "它比我们想的要复杂得多",
        "先说一说什么是一天",
        "再说什么是一年",
    ]
    assert [line.text for line in unfold(rolled([lines])).lines] == lines


def test_a_no_break_space_is_no_word_break() -> None:
    assert tokens_of("Ã\xa0 la") == ["Ã\xa0", "la"]


WORDS = ["we", "see", "that", "it", "is", "so", "and", "the", "day", "was", "long", "as", "ever", "before"]
LINE = st.lists(st.sampled_from(WORDS), min_size=6, max_size=9)
NARROW = ["we we we see that it", "we we we see it that", "we we we see it is", "we we we that it see"]
"""Lines narrower than those of captions, which are taken for a refrain."""
REPEATING = [*NARROW[:2], "we we we that it see", "we see that it we see that"]
"""The last line says a part of itself again, as a copy does that the end of a text cuts off."""


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=25), st.sampled_from([2, 3]))
@example([line.split() for line in NARROW], 2)
@example([line.split() for line in REPEATING], 2)
def test_no_word_is_lost_or_invented(lines: list[list[str]], copies: int) -> None:
    """The text is its lines, each as often as is said of it, whatever they are and wherever their borders are seen."""
    text = rolled([[" ".join(line) for line in lines]], copies)
    tokens, read = tokens_of(text), unfold(text).lines
    written = [token for line in read for token in tokens_of(line.text) * line.times]
    assert written == tokens[: len(written)]
    cut_off = tokens[len(written) :]  # of the last copy, by the end of the text
    assert cut_off == tokens_of(read[-1].text)[: len(cut_off)]


@st.composite
def clear_lines(draw: st.DrawFn) -> list[str]:
    """Lines whose borders can be told: as wide as captions, no word twice in one or in neighbours."""
    lines: list[list[str]] = []
    for number in range(draw(st.integers(4, 25))):
        words = WORDS[number % 2 :: 2]
        lines.append([f"{word}{number % 9}" for word in draw(st.permutations(words))[: draw(st.integers(6, 7))]])
    return [" ".join(line) for line in lines]


@settings(max_examples=60, deadline=None)
@given(clear_lines(), st.sampled_from([2, 3]))
def test_lines_with_clear_borders_come_back_as_they_were_said(lines: list[str], copies: int) -> None:
    read = unfold(rolled([lines], copies)).lines
    assert [line.text for line in read if line.times > 1] == lines[:-1]
    assert " ".join(line.text for line in read) == " ".join(lines)


@given(st.text(alphabet="abc .!?\n\t", max_size=300))
def test_cutting_lines_loses_nothing(text: str) -> None:
    lines = cut_lines(text)
    assert " ".join(lines).split() == text.split()
    assert all(line.strip() for line in lines)


def test_sounds() -> None:
    assert is_sound("[Applause]")
    assert not is_sound("")
    assert not is_sound("It's [music] great")


@pytest.mark.realdata
@needs_archive
def test_the_seed_has_its_words() -> None:
    """13,680 words stand in the record's captions, 4,574 were said."""
    (path,) = (SHARED / "seed").iterdir()
    transcript = scraped_record.read(SourceText(path.read_text(encoding="utf-8")))
    (unfolding,) = (step for step in transcript.steps if step.name == "unfold-rolling")
    assert unfolding.detail["words_before"] == 13_680
    assert sum(count_words(cue.text) for cue in transcript.cues) == pytest.approx(4_574, abs=5)


@pytest.mark.realdata
@needs_archive
def test_word_error_rate_against_the_captions() -> None:
    """Below 0.1 % over all flattened records, against the lines that the captions of the same video add."""
    errors = words = 0
    captions = {path.name[4:15]: path for path in (SHARED / "rolling").glob("*.vtt")}
    for path in sorted((SHARED / "records" / "flat_text").iterdir()):
        found = tokens_of(
            " ".join(html.unescape(cue.text) for cue in scraped_record.read(SourceText(path.read_text("utf-8"))).cues)
        )
        said = tokens_of(html.unescape(" ".join(new_lines(captions[path.stem[-11:]].read_text("utf-8")))))
        words += len(said)
        if found != said:
            errors += max(len(said), len(found)) - len(matching(said, found))
    print(f"{errors} of {words} words wrong: {100 * errors / words:.4f} %")
    assert words > 100_000
    assert errors / words < 0.001


def new_lines(vtt: str) -> list[str]:
    """The lower line of every rolling cue, straight from the file: independent of the reader that is tested."""
    lines: list[str] = []
    rows = vtt.split("\n")
    for i, row in enumerate(rows):
        if "-->" in row and i + 2 < len(rows):
            lower = re.sub(r"<[^>]*>", "", rows[i + 2]).strip()
            if lower:
                lines.append(lower)
    assert all(a or b for a, b in pairwise(lines))
    return lines


def test_no_reading_with_two_copies_costs_less_than_what_is_sought_no_further() -> None:
    dice = random.Random(7)
    for _ in range(60):
        lines = [" ".join(dice.choices(["no", "the", "[music]", ">>", "clocks", "of", "x"], k=5)) for _ in range(9)]
        tokens = " ".join(f"{line} " * dice.choice((1, 2, 3)) for line in lines).split()
        tokens[-1] = tokens[-1][: dice.choice((1, 9))]
        written = flattened._Written.of(tokens, folds_of(tokens))
        assert flattened._least_of_two(written) <= flattened._parse(written, 2, flattened._USUAL)[0]


@pytest.mark.parametrize("phrase", ["a ", "3.5 ", "and so it went on "])
def test_the_same_few_words_on_and_on_take_no_longer_than_speech(phrase: str) -> None:
    text = phrase * (100_000 // len(phrase))
    started = time.process_time()
    unfolded = unfold(text)
    assert time.process_time() - started < 1
    assert unfolded.words_after == unfolded.words_before
