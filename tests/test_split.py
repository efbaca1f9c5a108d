from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.passages.split import Splitting, split
from talksearch.indexer.records import Cue, Passage, Talk, Word
from talksearch.indexer.text.word_times import words_with_times


def count_tokens(word: str) -> int:
    return 1 + len(word) // 6


def talk(cues: Sequence[Cue]) -> Talk:
    return Talk("t", "t.vtt", "T", tuple(cues))


def cut(cues: Sequence[Cue], max_tokens: int = 200, splitting: Splitting | None = None) -> tuple[Passage, ...]:
    return split(talk(cues), count_tokens, max_tokens, splitting or Splitting())


@st.composite
def some_cues(draw: st.DrawFn) -> list[Cue]:
    cues, at = [], 0
    for _ in range(draw(st.integers(0, 30))):
        at += draw(st.sampled_from([0, 0, 0, 300, 5_000]))
        words = draw(
            st.lists(
                st.sampled_from(["so", "we", "relativity.", "very,", "相对论", "x" * 40, "ก้าว", "end?"]),
                min_size=1,
                max_size=25,
            )
        )
        length = draw(st.integers(0, 9_000))
        cues.append(Cue(at, at + length, " ".join(words), turn=draw(st.booleans())))
        at += length
    return cues


@given(some_cues(), st.integers(16, 120))
def test_every_spoken_word_is_in_a_passage_in_order(cues: list[Cue], max_tokens: int) -> None:
    """Rule: every spoken word is in some passage; nothing is added."""
    passages = cut(cues, max_tokens)
    said = "".join(cue.text for cue in cues).replace(" ", "")
    # Put the passages together again: each one overlaps what stands so far, and what it adds is what comes next.
    so_far = ""
    for passage in passages:
        text = passage.text.replace(" ", "")
        at = next(
            at
            for at in range(len(so_far), -1, -1)
            if so_far[at:] == text[: len(so_far) - at] and said.startswith(so_far[:at] + text)
        )
        so_far = so_far[:at] + text
    assert so_far == said


@given(some_cues())
def test_times_never_run_backwards_and_stay_inside_the_cues(cues: list[Cue]) -> None:
    """Rule: start <= end, and passages follow each other."""
    passages = cut(cues)
    assert [passage.start_ms for passage in passages] == sorted(passage.start_ms for passage in passages)
    for passage in passages:
        assert cues[passage.first_cue].start_ms <= passage.start_ms <= passage.end_ms <= max(cue.end_ms for cue in cues)
    if passages:
        assert passages[0].start_ms == cues[0].start_ms


@given(some_cues(), st.integers(16, 60))
def test_passages_fit_the_model_and_have_ids_of_their_own(cues: list[Cue], max_tokens: int) -> None:
    passages = cut(cues, max_tokens)
    for passage in passages:
        assert sum(map(count_tokens, passage.text.split())) <= max_tokens + 8 * (
            "相" in passage.text or "ก" in passage.text
        )
    assert len({passage.id for passage in passages}) == len(passages)


def test_cues_that_overlap_do_not_turn_time_back() -> None:
    words = " ".join(f"w{number}" for number in range(150))
    cues = [Cue(0, 300_000, words), Cue(100_000, 200_000, words), Cue(100_000, 110_000, words)]
    starts = [passage.start_ms for passage in cut(cues)]
    assert starts == sorted(starts)
    assert starts[-1] >= 100_000


def test_borders_follow_sentences() -> None:
    sentence = "one two three four five six seven eight nine ten eleven twelve."
    passages = cut([Cue(0, 60_000, " ".join([sentence] * 20))])
    assert len(passages) > 3
    assert all(passage.text.startswith("one") and passage.text.endswith("twelve.") for passage in passages)


def test_borders_follow_pauses_where_there_is_no_punctuation() -> None:
    words, at = [], 0
    for number in range(200):
        words.append(Word(f"w{number}", at))
        at += 4_000 if number % 50 == 49 else 300
    cue = Cue(0, at, " ".join(word.text for word in words), words=tuple(words))
    first = cut([cue])[0]
    assert first.text.split()[-1] == "w49"


def test_passages_overlap_by_about_what_was_asked() -> None:
    cue = Cue(0, 100_000, " ".join(f"w{number}" for number in range(400)))
    one, two = cut([cue], splitting=Splitting(60, 18, 20))[:2]
    shared = set(one.text.split()) & set(two.text.split())
    assert 10 <= len(shared) <= 30


def test_a_talk_without_cues_has_no_passages() -> None:
    assert cut([]) == ()


def test_word_times_are_kept() -> None:
    cue = Cue(1_000, 5_000, "so it goes", words=(Word("so", 1_000), Word("it", 4_000), Word("goes", 4_500)))
    assert words_with_times(cue) == [("so", 1_000, 4_000), ("it", 4_000, 4_500), ("goes", 4_500, 5_000)]


def test_a_passage_names_who_speaks_in_it() -> None:
    passages = cut(
        [Cue(0, 1_000, "hello there", "Ann"), Cue(1_000, 2_000, "hello", "Bo"), Cue(2_000, 3_000, "so", "Ann")]
    )
    assert [passage.speakers for passage in passages] == [("Ann", "Bo")]


# Exactly which borders are chosen

SMALL = Splitting(length=4, slack=2, overlap=2)


def texts(*cues: Cue, splitting: Splitting = SMALL, max_tokens: int = 200) -> list[str]:
    return [passage.text for passage in cut(cues, max_tokens, splitting)]


def test_without_any_border_passages_have_their_length_and_overlap() -> None:
    assert texts(Cue(0, 10_000, "a b c d e f g h i j")) == ["a b c d", "c d e f", "e f g h i j"]
    assert texts(Cue(0, 10_000, "a b c d e f")) == ["a b c d e f"]  # what is within the slack is one passage
    assert texts(Cue(0, 10_000, "a b c d e f g")) == ["a b c d", "c d e f g"]


def test_a_sentence_ends_a_passage_and_the_next_begins_with_one() -> None:
    assert texts(Cue(0, 10_000, "a b c d e. f g h i j")) == ["a b c d e.", "d e. f g", "f g h i j"]


def test_an_abbreviation_ends_no_sentence() -> None:
    assert texts(Cue(0, 10_000, "a b c d Dr. f g h i j")) == ["a b c d", "c d Dr. f", "Dr. f g h i j"]


def cues_with(after_third: str, after_fifth: str) -> list[Cue]:
    """Ten words with borders behind the third and the fifth: `,` and `.` in the text, a new cue, turn or pause."""
    cues, words, now, turn = [], [], 0, False
    for number, word in enumerate("abcdefghij"):
        kind = {2: after_third, 4: after_fifth}.get(number, "")
        words.append(word + (kind if kind in (",", ".", "。") else ""))
        now += 300
        if kind.startswith(("cue", "turn")) or number == 9:
            cues.append(Cue(now - 300 * len(words), now, " ".join(words), turn=turn))
            words, turn = [], kind.startswith("turn")
            now += int(kind.partition("+")[2] or 0)
    return cues


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (",", "cue+400"),  # a tenth, and 400 of 1,500 ms
        ("cue+400", "cue+450"),
        ("cue+450", "turn"),
        ("turn+399", "."),  # too short to be a pause
        ("turn", "turn+400"),
        ("turn+400", "."),
        (".", "cue+1500"),
        ("cue+9000", "turn+1500"),  # a pause counts no more than a sentence's end
        ("cue+1400", "cue+1500"),
    ],
)
def test_the_stronger_border_is_chosen(weaker: str, stronger: str) -> None:
    """Both lie as near to the proper length."""
    near = Splitting(length=4, slack=3, overlap=2)
    assert texts(*cues_with(weaker, stronger), splitting=near)[0].split()[-1].rstrip(".,") == "e"
    assert texts(*cues_with(stronger, weaker), splitting=near)[0].split()[-1].rstrip(".,") == "c"


def test_of_equal_borders_the_later_is_chosen_and_a_weak_one_is_not_worth_the_way() -> None:
    near = Splitting(length=4, slack=3, overlap=2)
    assert texts(*cues_with(".", "."), splitting=near)[0] == "a b c. d e."
    assert texts(*cues_with("cue", "cue+300"), splitting=near)[0] == "a b c d"
    assert texts(*cues_with("cue+399", "cue+399"), splitting=near)[0] == "a b c d"
    assert texts(*cues_with(",", ""), splitting=near)[0] == "a b c,"
    assert texts(*cues_with(",", ""))[0] == "a b c, d"


@pytest.mark.parametrize(("pause_ms", "last"), [(999, "d"), (1_349, "d"), (1_360, "e")])
def test_a_pause_between_words_is_what_is_left_of_a_word_that_takes_600_ms(pause_ms: int, last: str) -> None:
    starts = [number * 300 + (pause_ms - 300 if number > 4 else 0) for number in range(10)]
    cue = Cue(0, 9_000, "a b c d e f g h i j", words=tuple(map(Word, "abcdefghij", starts)))
    assert texts(cue)[0].split()[-1] == last


def test_a_passage_holds_no_more_tokens_than_the_model_and_says_half_of_them_again_at_most() -> None:
    cue = Cue(0, 40_000, " ".join(f"w{number}" for number in range(40)))
    wide = Splitting(length=20, slack=5, overlap=18)
    passages = [passage.text.split() for passage in cut([cue], 8, wide)]
    assert [len(words) for words in passages[:-1]] == [8] * (len(passages) - 1)
    shared = [len(set(one) & set(two)) for one, two in pairwise(passages)]
    assert set(shared) == {4}


def test_a_piece_that_is_too_long_for_the_model_is_a_passage_of_its_own() -> None:
    def count_long(word: str) -> int:
        return 50 if word == "x" else 1

    passages = split(talk([Cue(0, 1_000, "a x b")]), count_long, 10)
    assert [passage.text for passage in passages] == ["a", "x", "b"]


def test_a_word_too_long_for_the_model_is_halved_until_it_fits() -> None:
    def count_letters(word: str) -> int:
        return len(word)

    passages = split(talk([Cue(0, 8_000, "abcdefgh")]), count_letters, 2)
    assert [(passage.text, passage.start_ms, passage.end_ms) for passage in passages] == [
        ("ab", 0, 2_000),
        ("cd", 2_000, 4_000),
        ("ef", 4_000, 6_000),
        ("gh", 6_000, 8_000),
    ]


def test_characters_without_spaces_count_as_half_a_word_and_keep_their_punctuation() -> None:
    passages = cut([Cue(0, 12_000, "相对论是时间的尺度对吧")], splitting=SMALL)
    assert [len(passage.text) for passage in passages][:1] == [11]  # 5.5 words: within the slack
    passages = cut([Cue(0, 14_000, "相对论是时间，的尺度对吧走了好")], splitting=SMALL)
    assert passages[0].text == "相对论是时间，的尺"
    assert all(not passage.text.startswith("，") for passage in passages)


def test_latin_words_inside_a_script_without_spaces_stay_whole() -> None:
    passages = cut([Cue(0, 9_000, "用Python写的")], splitting=Splitting(length=1, slack=1, overlap=1))
    # As a piece of its own behind what stands before it: the second passage begins with it.
    assert [(passage.text, passage.start_ms) for passage in passages] == [("用Python", 0), ("Python写的", 2_250)]


def test_lines_of_chinese_become_one_text_and_lines_of_words_do_not() -> None:
    assert texts(Cue(0, 1_000, "今天我"), Cue(1_000, 2_000, "们走")) == ["今天我们走"]
    assert texts(Cue(0, 1_000, "so"), Cue(1_000, 2_000, "long")) == ["so long"]


def test_a_passage_knows_its_cues_and_ends_with_its_last_word() -> None:
    cues = [Cue(number * 1_000, number * 1_000 + 900, word) for number, word in enumerate("abcdefg")]
    first, last = cut(cues, splitting=SMALL)
    assert (first.first_cue, first.last_cue, first.start_ms, first.end_ms) == (0, 3, 0, 3_900)
    assert (last.first_cue, last.last_cue, last.start_ms, last.end_ms) == (2, 6, 2_000, 6_900)


def test_a_cue_that_another_begins_in_ends_there_unless_its_words_have_times() -> None:
    first, second = Cue(0, 4_000, "a b"), Cue(1_000, 5_000, "c d")
    (passage,) = cut([first, Cue(1_000, 1_000, "c")])
    assert (passage.start_ms, passage.end_ms) == (0, 1_000)
    (passage,) = cut([replace(first, words=(Word("a", 0), Word("b", 3_000))), second])
    assert (passage.start_ms, passage.end_ms) == (0, 5_000)
    starts = [passage.start_ms for passage in cut([first, second], splitting=Splitting(1, 1, 1))]
    assert starts == sorted(starts)


def test_passages_with_the_same_words_at_the_same_time_have_ids_of_their_own() -> None:
    cues = [Cue(0, 0, "a a a a")] * 4
    ids = [passage.id for passage in cut(cues, splitting=Splitting(4, 1, 1))]
    assert len(set(ids)) == len(ids)
    assert ids[1] == f"{ids[0]}.2"


def test_an_id_is_that_of_the_talk_the_time_and_the_words() -> None:
    def one(cue: Cue) -> str:
        return cut([cue])[0].id

    assert one(Cue(0, 900, "a b")) == one(Cue(0, 800, "a b", "Ann")) != one(Cue(1, 900, "a b"))
    assert one(Cue(0, 900, "a b")) != one(Cue(0, 900, "a c"))
    assert one(Cue(0, 900, "a b")).startswith("t:")


@given(some_cues(), st.integers(9, 14), st.integers(1, 3), st.integers(1, 2))
@settings(deadline=None)
def test_passages_cover_all_cues_in_order_and_each_brings_something_new(
    cues: list[Cue], length: int, slack: int, overlap: int
) -> None:
    passages = cut(cues, 500, Splitting(length, slack, overlap))
    said = [cue for cue in cues if cue.text.split()]
    assert bool(passages) == bool(said)
    if passages:
        assert passages[0].first_cue == 0
        assert passages[-1].last_cue == len(cues) - 1
    for one, two in pairwise(passages):
        assert one.first_cue <= two.first_cue <= one.last_cue + 1
        assert one.last_cue <= two.last_cue
        assert (one.first_cue, one.start_ms, one.text) != (two.first_cue, two.start_ms, two.text) or one.id != two.id
