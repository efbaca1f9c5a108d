"""The language of a talk, told by its words where nothing states it; and never guessed."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import pytest

from talksearch.indexer.readers.registry import read_with
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Talk
from talksearch.indexer.talks.load import load_talk
from talksearch.indexer.talks.opened_file import open_file
from talksearch.indexer.talks.replay import replay
from talksearch.indexer.text.languages import FEWEST_WORDS, detect_language

SENTENCES = {
    "ar": "كانت الطاحونة القديمة بجانب السد، وفقدنا طحين شتاءين كاملين بعد الفيضان الكبير الذي وصل إلى القرية.",
    "cs": "Starý mlýn stál u jezu a po velké povodni jsme přišli "
    "o mouku ze dvou zim, takže lidé chodili pro chleba do města.",
    "da": "Den gamle mølle lå ved dæmningen, og efter den store oversvømmelse måtte vi hente brød inde i byen "
    "hver dag, fordi der ikke længere var noget mel i vores hus, og børnene savnede lugten af rugbrød.",
    "de": "Die alte Mühle stand am Wehr, und nach der großen Flut verloren wir das Mehl von zwei Wintern auf einmal.",
    "el": "Ο παλιός μύλος ήταν δίπλα στο φράγμα και μετά την πλημμύρα χάσαμε το αλεύρι δύο ολόκληρων χειμώνων.",
    "en": "The old mill stood beside the weir, and after the great flood we lost the flour of two winters at once.",
    "es": "El viejo molino estaba junto a la presa y después "
    "de la gran inundación perdimos la harina de dos inviernos.",
    "fi": "Vanha mylly oli padon vieressä, ja suuren tulvan "
    "jälkeen menetimme kerralla kahden talven jauhot, joita olimme säästäneet.",
    "fr": "Le vieux moulin était au bord du barrage et, après "
    "la grande crue, nous avons perdu la farine de deux hivers.",
    "he": "הטחנה הישנה עמדה ליד הסכר, ואחרי השיטפון הגדול איבדנו בבת אחת את הקמח של שני חורפים ארוכים.",
    "hi": "पुरानी चक्की बाँध के पास थी और बड़ी बाढ़ के बाद हमने दो सर्दियों का आटा एक साथ खो दिया।",
    "hu": "A régi malom a gát mellett állt, és a nagy árvíz után egyszerre vesztettük el két tél minden lisztjét.",
    "it": "Il vecchio mulino stava accanto alla diga e dopo la grande piena abbiamo perso la farina di due inverni.",
    "ja": "古い水車小屋は堰のそばにあり、大水のあと私たちは二冬分の小麦粉を一度に失いました。",
    "ko": "오래된 방앗간은 둑 옆에 있었고 큰 홍수가 난 뒤에 우리는 두 겨울치 밀가루를 한꺼번에 잃고 말았습니다.",
    "nl": "De oude molen stond naast de stuw en na de grote "
    "overstroming verloren we in één keer het meel van twee winters.",
    "pl": "Stary młyn stał przy jazie, a po wielkiej powodzi straciliśmy naraz mąkę z dwóch zim, którą zbieraliśmy.",
    "pt": "O velho moinho ficava ao lado do açude e, depois da grande cheia, perdemos a farinha de dois invernos.",
    "ro": "Vechea moară stătea lângă baraj, iar după marea "
    "inundație am pierdut dintr-odată făina a două ierni întregi.",
    "ru": "Старая мельница стояла у плотины, и после большого паводка мы разом потеряли муку за две зимы.",
    "sv": "Den gamla kvarnen stod vid dammen, och efter den "
    "stora översvämningen förlorade vi två vintrars mjöl på en gång.",
    "th": "โรงสีเก่าอยู่ข้างฝาย และหลังน้ำท่วมใหญ่เราสูญเสียแป้งไปสองฤดูหนาวในคราวเดียว",
    "tr": "Eski değirmen bendin yanındaydı ve büyük selden sonra iki kışlık unumuzu bir anda kaybettik.",
    "uk": "Старий млин стояв біля греблі, і після великої повені ми разом втратили борошно за дві зими.",
    "vi": "Cối xay cũ nằm cạnh đập, và sau trận lũ lớn chúng tôi mất cùng lúc bột của hai mùa đông.",
    "zh": "老磨坊在水坝旁边，大洪水之后，我们一下子失去了两个冬天的面粉，村里的人都记得这件事。",
}


def told(*texts: str) -> str | None:
    found = detect_language(texts)
    return found.language if found else None


def talk_of(tmp_path: Path, name: str, *lines: str) -> Talk:
    cues = [f"{i + 1}\n00:00:{i * 3:02d},000 --> 00:00:{i * 3 + 2:02d},500\n{line}\n" for i, line in enumerate(lines)]
    path = tmp_path / name
    path.write_text("\n".join(cues), encoding="utf-8")
    data = path.read_bytes()
    talk = load_talk(open_file(path, data), name)
    assert replay(data, name, talk.receipt) == talk.cues
    return talk


def sentences_cut(text: str, size: int = 8) -> list[str]:
    words = text.split()
    return [" ".join(words[i : i + size]) for i in range(0, len(words), size)]


@pytest.mark.parametrize("language", SENTENCES)
def test_languages_are_told_by_one_long_sentence(language: str) -> None:
    assert told(*sentences_cut(SENTENCES[language])) == language


def test_capitals_are_no_other_language() -> None:
    assert told(SENTENCES["en"].upper()) == "en"
    assert told(SENTENCES["de"].upper()) == "de"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Guten Morgen, alle zusammen.",
        "um uh yeah okay so uh yeah yeah okay right uh huh yeah um",
        "Ana Ruiz Ben Okafor Ida Moss Olu Sesay Zoë Müller Łucja Nowak João Conceição",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25",
        "♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪ ♪",
        "la la la la la la la la la la la la la la la la la la la la",
        "x = np.zeros(3); y = f(x); z[0] += 1; del q; b2; c3; d4; e5",
    ],
)
def test_what_tells_nothing_has_no_language(text: str) -> None:
    assert told(text) is None


def test_few_words_have_no_language() -> None:
    assert told(" ".join(SENTENCES["de"].split()[: FEWEST_WORDS - 1])) is None


def test_two_languages_are_two_whatever_their_letters() -> None:
    for other in ("de", "zh", "ru"):
        for texts in (
            [text for _ in range(6) for text in (SENTENCES["en"], SENTENCES[other])],
            [SENTENCES["en"]] * 6 + [SENTENCES[other]] * 6,
        ):
            found = detect_language(texts)
            assert found is not None
            assert {language for language, _ in found.shares} == {"en", other}
            assert told(*texts) is None


def test_terms_and_a_quotation_of_another_language_change_nothing() -> None:
    assert told(*[f"{SENTENCES['zh']} machine learning"] * 6) == "zh"
    assert told(*[SENTENCES["en"]] * 12, SENTENCES["fr"]) == "en"


def test_a_talk_takes_its_language_from_its_words_and_its_receipt_says_so(tmp_path: Path) -> None:
    talk = talk_of(tmp_path, "Die Flut.srt", *sentences_cut(SENTENCES["de"]))
    assert talk.language == "de"
    (step,) = [step for step in talk.receipt.steps if step.name == "detect-language"]
    assert (step.field, step.detail["language"], step.detail["detector"]) == ("language", "de", "py3langid")
    assert 0.99 <= step.detail["certainty"] <= 1


def test_what_is_stated_stays_and_what_speaks_against_it_is_said(tmp_path: Path) -> None:
    right = talk_of(tmp_path, "Flood.en.srt", *sentences_cut(SENTENCES["en"]))
    wrong = talk_of(tmp_path, "Flut.en.srt", *sentences_cut(SENTENCES["de"]))
    assert (right.language, right.receipt.uncertain) == ("en", ())
    assert wrong.language == "en"
    assert "The language is said to be en, but the words are in de." in wrong.receipt.uncertain
    assert not any(step.name == "detect-language" for talk in (right, wrong) for step in talk.receipt.steps)


def test_names_of_one_language_are_no_contradiction(tmp_path: Path) -> None:
    for name, language in (("a.zh-Hant.srt", "zh"), ("b.no.srt", "da"), ("c.pt-BR.srt", "pt"), ("d.yue.srt", "zh")):
        assert talk_of(tmp_path, name, *sentences_cut(SENTENCES[language], 6)).receipt.uncertain == ()


def test_mixed_talks_are_said_to_be(tmp_path: Path) -> None:
    lines = [line for _ in range(3) for tag in ("en", "de") for line in (SENTENCES[tag],)]
    talk = talk_of(tmp_path, "Flood and Flut.srt", *lines)
    assert talk.language is None
    assert any("in two languages: " in note for note in talk.receipt.uncertain)


def test_the_detector_is_not_loaded_before_a_talk_asks() -> None:
    code = "import sys, talksearch.indexer.talks.load, talksearch.search.engine; print('py3langid' in sys.modules)"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_reading_alone_detects_nothing() -> None:
    transcript = read_with("srt", SourceText("1\n00:00:01,000 --> 00:00:02,000\nGuten Abend\n", "a.srt"))
    assert transcript.language is None
