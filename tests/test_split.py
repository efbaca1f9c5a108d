from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
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
