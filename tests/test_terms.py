from __future__ import annotations

import pytest

from talksearch.indexer.text.terms import _marks_of, marks, spans, terms, terms_joined


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("metaphors", "metaphor"),
        ("École", "ecole"),
        ("STRASSE", "Straße"),
        ("don't", "dont"),
        ("Einstein’s", "einstein"),
        ("ＡＢＣ", "abc"),
        ("العَرَبِيَّة", "العربية"),
        ("ﬁnal", "final"),
        ("والكتاب", "كتاب"),
        ("الكتاب", "كتاب"),
        ("بالكتاب", "كتاب"),
        ("الفيزياء", "فيزياء"),
        ("المدرسة", "مدرسة"),
        ("أكتب", "اكتب"),
        ("كتـــاب", "كتاب"),
        ("относительности", "относительность"),
        ("НОВЫЙ", "новая"),
        ("мой", "мои"),
        ("нови\u0306", "новй"),
        ("зелёный", "зеленая"),
        ("за\u0301мок", "замок"),
        ("Θεωρία", "θεωρια"),
        ("χρόνος", "χρόνου"),
        ("किताबों", "किताब"),
        ("लड़का", "लड़के"),
        ("ժամանակի", "ժամանակ"),
        ("புத்தகங்கள்", "புத்தகம்"),
    ],
)
def test_words_that_are_the_same_term(one: str, other: str) -> None:
    assert terms(one) == terms(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("time", "tim"),
        ("相对", "对相"),
        ("GPT-4", "GPT-3"),
        ("कल", "काल"),
        ("время", "бремя"),
        ("كتاب", "كلاب"),
        ("χρόνος", "θρόνος"),
        ("सत्य", "सतय"),
        ("காலம்", "கலம்"),
        ("مدير", "پدیر"),
    ],
)
def test_words_that_are_not(one: str, other: str) -> None:
    assert terms(one) != terms(other)


def test_scripts_without_spaces_give_pairs_with_their_places() -> None:
    text = "說 相對論 here"
    assert [(term.text, text[term.start : term.end]) for term in spans(text)] == [
        ("說", "說"),
        ("相對", "相對"),
        ("對論", "對論"),
        ("here", "here"),
    ]


def test_every_term_stands_where_it_says() -> None:
    text = "Well, I I think — the “very, very long” bridge's ends_meet. เวลา ｶﾀｶﾅ ½ हिन्दी"
    for term in spans(text):
        assert text[term.start : term.end].strip() == text[term.start : term.end] != ""


def test_punctuation_alone_has_no_terms() -> None:
    assert terms("… — _ ♪ ?!") == []


@pytest.mark.parametrize(
    "text", ["Time  dilation's METAPHORS, 相对论 and ｱｲｳ ㍿", "a\u00a0b\nc\u3000相对 " + "論" * 40, ""]
)
def test_terms_found_word_by_word_are_those_of_the_whole_text(text: str) -> None:
    every = list(marks(text))
    assert tuple(every) == _marks_of(text)
    assert [(term.text, term.start, term.end) for term in spans(text)] == every
    assert terms(text) == [term for term, _, _ in every]
    assert terms_joined(text) == " ".join(terms(text))


def test_the_places_of_terms_are_where_they_stand() -> None:
    assert list(marks("Time  dilation's 相对论")) == [
        ("time", 0, 4),
        ("dilat", 6, 16),
        ("相对", 17, 19),
        ("对论", 18, 20),
    ]
