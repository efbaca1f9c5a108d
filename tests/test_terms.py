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
        # elision
        ("l'arbre", "arbre"),
        ("L’École", "école"),
        ("d'eau", "eau"),
        ("qu'elle", "elle"),
        ("lʼheure", "heure"),
        ("l`ombre", "ombre"),
        ("dell'isola", "isola"),
        ("un'amica", "amica"),
        ("all’alba", "alba"),
        ("l'IA", "IA"),
        ("n'oubliez", "oubliez"),
        ("d'aigua", "aigua"),
        ("agafa'l", "agafa"),
        ("d'aujourd'hui", "aujourd'hui"),
        ("Ankara'dan", "Ankara"),
        ("İzmir'in", "izmir"),
        # letters that Unicode does not take apart
        ("Łódź", "Lodz"),
        ("Ørsted", "orsted"),
        ("smørrebrød", "smorrebrod"),
        ("đường", "duong"),
        ("ışık", "isik"),
        ("IŞIK", "ışık"),
        ("cœur", "coeur"),
        ("Ægir", "aegir"),
        ("Þór", "thor"),
        ("Ħamrun", "hamrun"),
        ("τῷ", "τω"),
        ("ἄνθρωπος", "άνθρωπος"),
        ("п’ять", "п'ять"),
        ("пʼять", "п'ять"),
        # figures, and the forms of a letter
        ("१९८९", "1989"),
        ("١٩٨٩", "1989"),
        ("๒๕๖๗", "2567"),
        ("1’000’000", "1000000"),
        ("צה״ל", 'צה"ל'),
        ("col·lega", "collega"),
        ("貓", "猫"),
        ("相對論", "相对论"),
        ("相対論", "相對論"),
        ("ネコ", "ねこ"),
        ("ﾈｺ", "ネコ"),
        ("ﾃﾞｰﾀ", "データ"),
        ("カ\u3099イト\u3099", "ガイド"),
        ("C＋＋", "c++"),
        ("l’11", "11"),
        ("dell’8", "8"),
        ("Əliyev", "aliyev"),
        ("ﬂuss", "fluss"),
        ("ĳs", "ijs"),
        ("C/C++", "C C++"),
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
        ("aujourd'hui", "hui"),
        ("O'Brien", "Brien"),
        ("rock'n'roll", "roll"),
        ("don't", "t"),
        ("j'ai", "AI"),
        ("T'ang", "ang"),
        ("y'all", "all"),
        ("Hawai'i", "Hawai"),
        ("Shi'a", "Shi"),
        ("d'you", "you"),
        ("C++", "C"),
        ("C#", "C"),
        ("F#", "F"),
        ("C#", "C++"),
        (".NET", "net"),
        ("a+b", "a"),
    ],
)
def test_words_that_are_not(one: str, other: str) -> None:
    assert terms(one) != terms(other)


def test_scripts_without_spaces_give_pairs_with_their_places() -> None:
    text = "說 相對論 here"
    assert [(term.text, text[term.start : term.end]) for term in spans(text)] == [
        ("说", "說"),
        ("相对", "相對"),
        ("对论", "對論"),
        ("here", "here"),
    ]


def test_every_term_stands_where_it_says() -> None:
    text = "Well, I I think — the “very, very long” bridge's ends_meet. เวลา ｶﾀｶﾅ ½ हिन्दी"
    for term in spans(text):
        assert text[term.start : term.end].strip() == text[term.start : term.end] != ""


def test_the_place_of_a_word_behind_an_article_is_its_own() -> None:
    assert list(marks("Vers l'église, C++ !")) == [("ver", 0, 4), ("eglis", 7, 13), ("cplusplus", 15, 18)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#hashtag", ["hashtag"]),
        ("example.net", ["exampl", "net"]),
        ("C++20 and C#.", ["cplusplus", "20", "and", "csharp"]),
        ("(F#)", ["fsharp"]),
        ("2+2", ["2", "2"]),
        ("vitamin C, + D", ["vitamin", "c", "d"]),
    ],
)
def test_signs_are_part_of_few_names(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


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
