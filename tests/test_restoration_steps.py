"""The steps of a restoration, each by itself: voices, markup, what is no speech, times in order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.records import Cue, Transcript, Word
from talksearch.indexer.restore.joined_rows import join_rows
from talksearch.indexer.restore.markup import Row, Shown, row_of, says, show, show_plain, without_invisible
from talksearch.indexer.restore.name_rows import find_name_rows
from talksearch.indexer.restore.normalize import LATEST_MS, monotonic_times, normalize, normalize_text
from talksearch.indexer.restore.sound_labels import cue_of, is_sound, without_sounds
from talksearch.indexer.restore.true_times import Recording, scale_cues, shift_cues, true_times
from talksearch.indexer.restore.turns import Part, Voice, mark_turns, parts_of, share

# Rows and their words


def rows(text: str, end_ms: int = 9_000) -> list[tuple[str, str | None]]:
    shown = show(Cue(1_000, end_ms, text), Counter())
    return [(" ".join(row.key), row.speaker) for row in shown.rows]


def times(text: str, end_ms: int = 9_000) -> list[int | None]:
    return [time for row in show(Cue(1_000, end_ms, text), Counter()).rows for _, time in row.tokens]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two\nthree", [("one two", None), ("three", None)]),
        ("<i>one</i> t<b>w</b>o", [("one two", None)]),
        ("one<c> two</c>", [("one two", None)]),
        ("one <!-- not said --> two", [("one two", None)]),
        ("<v Ann>one <v.loud Bob Low>two</v>", [("one", "Ann"), ("two", "Bob Low")]),
        ("<v Ann>one\ntwo", [("one", "Ann"), ("two", "Ann")]),
        ("<v>one", [("one", None)]),
        ("one<br>two<BR />three", [("one", None), ("two", None), ("three", None)]),
        ("<ruby>漢<rt>かん</rt>字", [("漢字", None)]),
        ("{\\an8}one {i}two{/i}", [("one two", None)]),
        ("a < b and b > c", [("a < b and b > c", None)]),
        ("if a <b and c> d", [("if a <b and c> d", None)]),
        ("R&amp;D &lt;3", [("R&D <3", None)]),
        ("&amp;lt;", [("<", None)]),
        ("<i></i>", []),
    ],
)
def test_what_markup_shows(text: str, shown: list[tuple[str, str | None]]) -> None:
    assert rows(text) == shown


def test_what_is_taken_out_is_counted() -> None:
    counts: Counter[str] = Counter()
    show(Cue(0, 9, "<i>one</i> <!-- x --> R&amp;D <ruby>漢<rt>kan ji</rt></ruby><br>two"), counts)
    assert counts == {"tags": 6, "comments": 1, "entities": 1, "words_left_out": 2}
    show(Cue(9, 18, "one<br>two"), counts)
    assert counts["tags"] == 7
    counts.clear()
    show(Cue(0, 9_000, "one<00:00:02.000><c> two</c><00:00:03.000><c> three</c>"), counts)
    assert counts == {"tags": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one<00:00:02.000><c> two</c><00:00:03.000><c> three</c>", [1_000, 2_000, 3_000]),
        ("one<00:00:03.000><c> two</c><00:00:02.000><c> three</c>", [1_000, 3_000, 3_000]),  # never backwards
        ("one<00:00:59.000><c> two</c>", [1_000, 9_000]),  # never behind the cue
        ("one<00:00:00.000><c> two</c>", [1_000, 1_000]),  # never before it
        ("<i>one</i> <00:00:02.000>two <i>three</i> <00:00:01.500>four", [1_000, 2_000, 2_000, 2_000]),
        ("<i>one</i> <00:00:59.000>two", [1_000, 9_000]),
        ("o<00:00:02.000>ne two", [1_000, 2_000]),  # a word that a tag cuts begins where it begins
        ("<i>one</i> two", [None, None]),
    ],
)
def test_the_times_of_words_stay_in_order_and_inside_the_cue(text: str, expected: list[int | None]) -> None:
    assert times(text) == expected


def test_an_empty_row_at_the_top_is_noted() -> None:
    assert [show_plain(Cue(0, 1, text)).top_empty for text in (" \none", "one\n ", "one\n\ntwo", " ")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert show(Cue(0, 1, "<i></i>\n<i>one</i>"), Counter()).top_empty


def test_words_with_times_of_their_own_are_one_row() -> None:
    cue = Cue(0, 3_000, "R&amp;D now", "Ann", words=(Word("R&amp;D", 100), Word("right now", 900)), turn=True)
    counts: Counter[str] = Counter()
    shown = show(cue, counts)
    assert [row.tokens for row in shown.rows] == [(("R&D", 100), ("right", 900), ("now", 900))]
    assert (shown.rows[0].speaker, shown.turn, counts["entities"]) == ("Ann", True, 1)


def test_what_nobody_sees_goes_and_is_counted() -> None:
    counts: Counter[str] = Counter()
    shown = show_plain(Cue(0, 1, "\u200b\nso\u200b\u200b \ufeff\nlong"))
    seen = without_invisible(shown, counts)
    assert [row.key for row in seen.rows] == [("so",), ("long",)]
    assert (seen.top_empty, seen.text_key, counts["invisible"]) == (True, ("so", "long"), 4)
    plain = show_plain(Cue(0, 1, "so long"))
    assert without_invisible(plain, counts) is plain


@pytest.mark.parametrize(
    ("text", "something"), [("a", True), ("1", True), ("。", True), ("…", False), ("♪", False), ("", False)]
)
def test_what_says_something(text: str, something: bool) -> None:
    assert says(text) is something


# Voices


def part(*words: str, start_ms: int = 0, end_ms: int = 9_000, **about: bool) -> Part:
    return Part(start_ms, end_ms, tuple((word, None) for word in words), None, about.get("turn", False))


def split_rows(*texts: str, timed: bool = True, dashed: bool = True) -> list[tuple[int, int, str, bool]]:
    shown = show_plain(Cue(0, 1_200, "\n".join(texts)))
    return [
        (each.start_ms, each.end_ms, " ".join(word for word, _ in each.tokens), each.turn)
        for each in parts_of(shown, timed, dashed)
    ]


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (("- Well.", "- No."), [(0, 720, "Well.", True), (720, 1_200, "No.", True)]),
        (("-Well.", "-No."), [(0, 720, "Well.", True), (720, 1_200, "No.", True)]),
        (("- Well.", "and so", "- No."), [(0, 917, "Well. and so", True), (917, 1_200, "No.", True)]),
        (("- Well.",), [(0, 1_200, "Well.", True)]),
        (("- Well.", "and so"), [(0, 1_200, "Well. and so", True)]),
        (("Well", "- No."), [(0, 1_200, "Well - No.", False)]),  # a dash inside a sentence
        (("-5 degrees", "-cos x"), [(0, 1_200, "-5 degrees -cos x", False)]),
        (("- yes", "- no"), [(0, 1_200, "- yes - no", False)]),
        (("--Well.",), [(0, 1_200, "--Well.", False)]),
        (("-",), [(0, 1_200, "-", False)]),
        (("- “Well.”",), [(0, 1_200, "“Well.”", True)]),
        (("— Well.",), [(0, 1_200, "— Well.", False)]),
        (("– Well.",), [(0, 1_200, "Well.", True)]),
    ],
)
def test_dashes_of_dialogue(texts: tuple[str, ...], parts: list[tuple[int, int, str, bool]]) -> None:
    assert split_rows(*texts) == parts
    assert split_rows(*texts, dashed=False) == [(0, 1_200, " ".join(texts), False)]


def test_parts_of_a_cue_without_times_begin_where_it_does() -> None:
    assert split_rows("- Well.", "- No.", timed=False) == [(0, 0, "Well.", True), (0, 1_200, "No.", True)]


def test_a_cue_is_shared_out_by_the_times_of_words_and_else_by_characters() -> None:
    voices = [
        Voice([("one", 0), ("two", 100)], "Ann", False),
        Voice([("three", 700), ("four", 800)], None, True),
        Voice([("five", None)], "Bob", False),
    ]
    cue = Part(0, 2_300, (), None, True, pause_after=True)
    assert [
        (each.start_ms, each.end_ms, each.speaker, each.turn, each.pause_after) for each in share(cue, voices, True)
    ] == [(0, 700, "Ann", True, False), (700, 1_820, None, True, False), (1_820, 2_300, "Bob", False, True)]
    (only,) = share(cue, voices[:1], True)
    assert (only.start_ms, only.end_ms, only.turn, only.pause_after) == (0, 2_300, True, True)
    early = [Voice([("one", None)], None, False), Voice([("two", -50)], None, False)]
    assert [each.start_ms for each in share(Part(100, 900, (), None, False), early, True)] == [100, 100]


def test_marks_of_turns_are_counted_and_taken_out() -> None:
    counts: Counter[str] = Counter()
    out = mark_turns([part(">>", "One."), part("two", ">>>Three.", start_ms=9_000, end_ms=19_000)], counts)
    assert [(" ".join(word for word, _ in each.tokens), each.turn) for each in out] == [
        ("One.", True), ("two", False), ("Three.", True),
    ]  # fmt: skip
    assert counts == {"turns": 2, "marks": 2}
    assert [each.start_ms for each in out] == [0, 9_000, 12_636]


def test_a_mark_inside_lines_says_nothing_where_no_line_begins_with_one() -> None:
    counts: Counter[str] = Counter()
    given = [part("a", ">>", "b"), part("c", turn=True)]
    assert mark_turns(given, counts) == given
    assert counts == {"turns": 1}


def test_the_turn_of_a_mark_at_the_end_is_that_of_the_next_words() -> None:
    out = mark_turns([part(">>", "a", ">>"), part(">>"), part("b"), part("c")], Counter())
    assert [(each.tokens[0][0], each.turn) for each in out] == [("a", True), ("b", True), ("c", False)]


# Sounds


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("so [music] long", "so long"),
        ("so (laughs) [points to slide]", "so [points to slide]"),
        ("well[music], then", "well, then"),
        ("well [music], then", "well, then"),
        ("well. [music]. Then", "well. Then"),
        ("♪ la la ♪", "la la"),
        ("【音楽】そう", "そう"),
        ("*sighs* well", "well"),
        ("a*b*c", "a*b*c"),
        ("(applause)", None),
        ("[music] ♪ …", None),
        ("…", "…"),
        ("(laughs), so we sailed", "so we sailed"),
    ],
)
def test_labels_of_sounds_go_and_words_stay(words: str, text: str | None) -> None:
    cue = without_sounds(part(*words.split()), Counter())
    assert (cue.text if cue else None) == text


def test_sounds_are_counted() -> None:
    counts: Counter[str] = Counter()
    for words in ("[music] so ♪ ♪♪", "(laughs)", "well"):
        without_sounds(part(*words.split()), counts)
    assert counts == {"sounds": 2, "notes": 2, "cues_of_sound_only": 1}


def test_a_cue_begins_with_its_first_word_where_a_label_stood_before_it() -> None:
    tokens = (("[music]", 0), ("so", 700), ("long", 900))
    cue = without_sounds(Part(0, 2_000, tokens, "Ann", True), Counter())
    assert cue == Cue(700, 2_000, "so long", "Ann", True, (Word("so", 700), Word("long", 900)))
    plain = without_sounds(Part(0, 2_000, tokens[1:], None, False), Counter())
    assert plain is not None
    assert plain.start_ms == 0
    assert cue_of(Part(0, 0, (), None, False)) is None
    assert cue_of(Part(5, 3, (("a", None), ("b", 4)), None, False)) == Cue(5, 5, "a b")


@pytest.mark.parametrize(
    ("label", "sound"),
    [
        ("upbeat electronic music", True),
        ("clears throat", True),
        ("clears throat loudly", True),
        ("door/phone rings", True),
        ("laughs/coughs", True),
        ("soft upbeat electronic guitar music", True),
        ("soft upbeat electronic ambient guitar music", False),
        ("people talking", False),
        ("crowd", False),
        ("", False),
        ("No speech", True),
    ],
)
def test_which_labels_name_sounds(label: str, sound: bool) -> None:
    assert is_sound(label) is sound


# The last touch


def test_times_are_put_in_order_and_words_with_them() -> None:
    words = (Word("a", 1_000), Word("b", 2_500))
    cues = [
        Cue(2_000, 3_000, "x"),
        Cue(1_000, 1_500, "a b", words=words),
        Cue(2_000, 1_900, "y"),
        Cue(4_000, 4_000, "z"),
    ]
    ordered = monotonic_times(cues)
    assert [(cue.start_ms, cue.end_ms) for cue in ordered] == [
        (2_000, 3_000),
        (2_000, 2_000),
        (2_000, 2_000),
        (4_000,) * 2,
    ]
    assert ordered[1].words == (Word("a", 2_000), Word("b", 2_500))
    assert ordered[0] is cues[0]
    assert monotonic_times(ordered) == ordered


def test_words_of_which_one_has_an_impossible_time_have_none() -> None:
    words = (Word("a", 1_000), Word("b", LATEST_MS))
    assert monotonic_times([Cue(0, 2_000, "a b", words=words)]) == (Cue(0, 2_000, "a b"),)


def test_joined_rows_are_of_who_speaks_last() -> None:
    spoken = (("光很快", "Ann"), ("聲音很", "Bob"), ("慢", "Bob"))
    cue = Shown(0, 9, tuple(row_of([(text, None)], speaker) for text, speaker in spoken))
    counts: Counter[str] = Counter()
    assert [(row.key, row.speaker) for row in join_rows(cue, counts).rows] == [
        (("光很快",), "Ann"),
        (("聲音很慢",), "Bob"),
    ]
    assert counts == {"rows": 1}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8))
@settings(deadline=None)
def test_ordered_times_are_the_given_ones_wherever_these_can_be(spans: list[tuple[int, int]]) -> None:
    ordered = monotonic_times([Cue(start, end, "x") for start, end in spans])
    assert [cue.start_ms for cue in ordered] == [max(start for start, _ in spans[: at + 1]) for at in range(len(spans))]
    assert [cue.end_ms for cue in ordered] == [
        max(cue.start_ms, end) for cue, (_, end) in zip(ordered, spans, strict=True)
    ]
    assert all(one.start_ms <= two.start_ms for one, two in pairwise(ordered))


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("a  b ", "a b"),
        (" a", "a"),
        ("a\x85b", "a b"),
        ("a\xadb\x92c", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200cb", "ab"),
        ("\u200dא", "א"),
        ("א\u200d", "א"),
        ("א\u200d ב", "א ב"),
        ("\u058f\u200dא", "\u058fא"),
        ("\u0590\u200dא", "\u0590\u200dא"),
    ],
)
def test_what_is_never_speech(text: str, tidy: str) -> None:
    assert normalize_text(text) == tidy


def test_tidied_cues_keep_the_times_of_their_words_where_these_still_fit() -> None:
    kept = Cue(0, 9, "a\xadb c\xa0d", words=(Word("a\xadb", 1), Word("c\xa0d", 2)))
    lost = Cue(0, 9, "e\xa0f", words=(Word("e", 1),))
    gone = Cue(0, 9, "\xad")
    plain, other = Cue(0, 9, "g"), Cue(0, 9, "é")
    tidied = normalize([kept, lost, gone, plain, other])
    assert tidied[0] == Cue(0, 9, "ab c d", words=(Word("ab", 1), Word("c", 2), Word("d", 2)))
    assert tidied[1] == Cue(0, 9, "e f")
    assert tidied[2] is plain
    assert tidied[3] is other
    assert len(tidied) == 4


# Times that are those of the recording


def spoken(*starts_ms: int, text: str = "and so it goes on") -> list[Cue]:
    return [Cue(start, start + 3_000, text) for start in starts_ms]


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("starts_ms", "duration_ms", "offset_ms"),
    [
        ((1_000, 50_000), 60_000, 0),
        ((HOUR + 1_000, HOUR + 50_000), 60_000, -HOUR),
        ((10 * HOUR + 1_000, 10 * HOUR + 50_000), 60_000, -10 * HOUR),
        ((HOUR + 1_001, HOUR + 50_000), 0, 0),
        ((1_000, 300_000), 60_000, 0),
    ],
)
def test_hours_of_a_timeline_are_taken_off(starts_ms: tuple[int, ...], duration_ms: int, offset_ms: int) -> None:
    found = true_times(spoken(*starts_ms), Recording(duration_ms or None))
    if duration_ms:
        assert found.offset_ms == offset_ms
        assert [cue.start_ms for cue in found.cues] == [start + offset_ms for start in starts_ms]
        assert (found.step is None) is (offset_ms == 0)
    assert found.timed


def test_shifted_and_scaled_times_take_their_words_along() -> None:
    cue = Cue(5_000, 7_000, "a b", words=(Word("a", 5_000), Word("b", 6_000)))
    assert shift_cues([cue], -6_000) == (Cue(0, 1_000, "a b", words=(Word("a", 0), Word("b", 0))),)
    assert shift_cues([cue], 10)[0].end_ms == 7_010
    long = [Cue(start * 1_000_000, start * 1_000_000 + 5_000_000, "and so it goes on") for start in range(1, 60)]
    found = true_times(long, Recording(60_000))
    assert found.step is not None
    assert found.step.detail == {"divided_by": 1000}
    assert [cue.start_ms for cue in found.cues] == [start * 1_000 for start in range(1, 60)]
    assert scale_cues(long, found.step) == found.cues


def test_no_cues_have_true_times() -> None:
    assert true_times([], Recording(1)).cues == ()


def test_rows_are_compared_by_their_words() -> None:
    assert row_of([("a", 1), ("b", None)], "Ann", True) == Row((("a", 1), ("b", None)), "Ann", True, ("a", "b"))
    assert show_plain(Cue(0, 1, "a b\nc")) == Shown(
        0, 1, (row_of([("a", None), ("b", None)], None), row_of([("c", None)], None)), False, ("a", "b", "c")
    )


# Names on rows

SAID = ("the bees are here", "and they go out", "to find a field", "which is far", "but they know it", "as they all do")
TWO_NAMES = ("Ann Lee", "Bob Low") * 3


def names_found(*texts: str) -> dict[str, object]:
    """Return the names that are found, by where they stand."""
    shown = [show(Cue(at * 3_000, at * 3_000 + 3_000, text), Counter()) for at, text in enumerate(texts)]
    found = find_name_rows(shown, Transcript("srt", ()))
    return {where: names for where, names in found.items() if names}


def test_rows_that_come_back_often_are_names_also_above_small_letters() -> None:
    both = {"rows": ["Ann Lee", "Bob Low"]}
    assert names_found(*(f"{name}\n{words}" for name, words in zip(TWO_NAMES, SAID, strict=True))) == both
    assert names_found(*(f"{name}\n{words}" for name, words in zip(TWO_NAMES[:5], SAID[:5], strict=True))) == {}


def test_rows_whose_words_have_times_hold_no_names() -> None:
    rows = [f"<00:00:00.000>{name}\n<00:00:00.500>{words}" for name, words in zip(TWO_NAMES, SAID, strict=True)]
    assert names_found(*rows) == {}
    brackets = [f"<00:00:00.000>[{name}] {words}" for name, words in zip(TWO_NAMES, SAID, strict=True)]
    assert names_found(*brackets, "[Ann Lee] so it is", "[Bob Low] it is") == {}


def test_names_before_dashes_are_none_where_others_stand_before_colons() -> None:
    before_dashes = [f"{name} - {words}" for name, words in zip(TWO_NAMES, SAID, strict=True)]
    assert names_found(*before_dashes) == {"separated": ["Ann Lee", "Bob Low"]}
    both = [f"{row}\n{name}: so it is" for row, name in zip(before_dashes, ("Cy Rank", "Dee Moss") * 3, strict=True)]
    assert names_found(*both) == {"labels": ["Cy Rank", "Dee Moss"]}


@pytest.mark.parametrize(("times", "names"), [(2, {}), (3, {"brackets": ["Ann Lee", "Bob Low"]})])
def test_a_few_names_in_brackets_in_a_long_talk_come_back_three_times(times: int, names: dict[str, object]) -> None:
    named = [f"[{name}] {words}" for name, words in zip(TWO_NAMES[: 2 * times], SAID, strict=False)]
    assert names_found(*named, *(f"and so it goes on for {at} more" for at in range(100))) == names


@pytest.mark.parametrize(("times", "named"), [(4, False), (5, True)])
def test_one_name_on_rows_stands_there_five_times(times: int, named: bool) -> None:
    found = names_found(*(f"Ann Lee\n{words.capitalize()}" for words in SAID[:times]))
    assert found == ({"rows": ["Ann Lee"]} if named else {})


@pytest.mark.parametrize(("times", "named"), [(2, False), (3, True)])
def test_one_name_in_brackets_stands_there_three_times(times: int, named: bool) -> None:
    found = names_found(*(f"[Ann Lee] {words}" for words in SAID[:times]))
    assert found == ({"brackets": ["Ann Lee"]} if named else {})


def test_two_first_names_in_brackets_are_names_where_they_are_not_few() -> None:
    named = [f"[{name}] {words}" for name, words in zip(("Ann", "Bob") * 3, SAID, strict=True)]
    others = [f"and so it goes on for {at} more" for at in range(60)]
    assert names_found(*named, *others[:20]) == {"brackets": ["Ann", "Bob"]}
    assert names_found(*named, *others) == {}


def test_what_brackets_say_within_a_row_is_a_name_only_where_it_looks_like_one() -> None:
    rows = [f"[{name}] {words}. [as we all know] so" for name, words in zip(TWO_NAMES, SAID, strict=True)]
    assert names_found(*rows) == {"brackets": ["Ann Lee", "Bob Low"]}


@pytest.mark.parametrize(("last_s", "divided"), [(70_000, True), (70_001, False)])
def test_milliseconds_written_as_seconds_reach_no_further_than_captions_may(last_s: int, divided: bool) -> None:
    long = [Cue(at * 1_000, at * 1_000 + 3_000_000, "and so it goes on") for at in range(1_000, last_s + 1, 3_000)]
    last = Cue(last_s * 1_000, last_s * 1_000 + 3_000_000, "and on")
    found = true_times([*long, last], Recording(60_000))
    assert (found.step is not None and found.step.detail == {"divided_by": 1000}) is divided
