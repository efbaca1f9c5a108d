"""Files in other code pages than UTF-8 are read in the one in which they were written."""

from __future__ import annotations

import re

import pytest

from talksearch.indexer.readers import decode
from talksearch.indexer.readers.codepage import find_page
from talksearch.indexer.talks.receipt import decode_with, decoding_step

SENTENCES = (
    (
        "cp1252",
        "Bonsoir à tous et bienvenue à cette conférence sur l’océan. La marée était déjà "
        "haute, où êtes-vous ? À bientôt, ça alors. Nous avons reçu les données du cœur de "
        "la forêt.",
    ),
    (
        "cp1252",
        "Mañana hablaremos del señor Núñez. ¿Qué pasó en la sesión? Aquí está el océano "
        "según los niños. También la presión subió rápido.",
    ),
    (
        "cp1252",
        "Amanhã falaremos da maré. A informação não está disponível, então a reunião será "
        "depois. Você também é de São Paulo? Às três horas.",
    ),
    (
        "cp1252",
        "Wir möchten heute über Gezeiten sprechen. Die größte Flut war für alle "
        "überraschend. Straße, Übung und schöne Grüße.",
    ),
    (
        "cp1252",
        "Välkommen till föreläsningen. Vi börjar med månen och går sedan över till havet. Är det någon som har frågor?",
    ),
    (
        "cp1252",
        "Questa è la lezione di oggi. Perché la marea è così alta? È una domanda difficile, "
        "però si può capire. Città e università.",
    ),
    ("cp1252", "Wij zijn geïnteresseerd in één ding: de coördinatie van de zee. Hoeveel mensen hebben dit geëist?"),
    (
        "cp1252",
        "Tänään puhumme vuorovedestä. Se on hyvä päivä, ja meillä on paljon työtä. Älä pelkää, tämä on helppoa.",
    ),
    (
        "cp1252",
        "Góðan daginn, það er gott að sjá ykkur öll hér. Í dag tölum við um sjóinn og þá þætti sem skipta máli.",
    ),
    ("cp1252", "Velkommen til foredraget. Vi taler om månen og havet på øen. Hvad gør vi så, når det blæser?"),
    (
        "cp1250",
        "Dzień dobry, dzisiaj będziemy mówić o księżycu. Są różne pytania, więc zaczniemy od "
        "początku. Źródło żółte, gęś i łódź.",
    ),
    ("cp1250", "Dobrý večer, dnes budeme mluvit o měsíci a přílivu. Řekneme si, proč je to důležité. Žluťoučký kůň."),
    (
        "cp1250",
        "Jó estét kívánok, ma a Holdról fogunk beszélni. Őszintén szólva nehéz kérdés, de "
        "megpróbáljuk. Köszönöm szépen.",
    ),
    (
        "iso8859-2",
        "Bună seara tuturor şi bun venit. Astăzi vorbim despre lună şi maree. Ştiinţa este "
        "importantă în viaţa noastră.",
    ),
    ("cp1250", "Dobar dan, danas ćemo govoriti o moru. Što je važno? Možda ću reći više kasnije, čekajte."),
    (
        "cp1254",
        "Bugün gelgitlerden konuşacağız. Işık çok güzel, değil mi? Şimdi başlıyoruz, hoş "
        "geldiniz. İstanbul'da öğrenciler.",
    ),
    ("cp1251", "Сегодня мы поговорим о луне и приливах. Это важный вопрос для всех нас. Ёлка."),
    ("koi8-r", "Сегодня мы поговорим о луне и приливах. Это важный вопрос для всех нас."),
    ("cp1251", "СЕГОДНЯ МЫ ПОГОВОРИМ О ЛУНЕ И ПРИЛИВАХ. ЭТО ВАЖНЫЙ ВОПРОС."),
    ("koi8-r", "СЕГОДНЯ МЫ ПОГОВОРИМ О ЛУНЕ И ПРИЛИВАХ. ЭТО ВАЖНЫЙ ВОПРОС."),
    ("cp866", "Сегодня мы поговорим о луне и приливах. Это важный вопрос для всех нас."),
    ("cp1251", "Сьогодні ми поговоримо про місяць і припливи. Це дуже важливе питання, їжак і ґанок."),
    ("cp1251", "Днес ще говорим за луната и приливите. Това е важен въпрос за всички нас."),
    ("cp1253", "Σήμερα θα μιλήσουμε για το φεγγάρι και τις παλίρροιες. Είναι ένα σημαντικό θέμα για όλους μας."),
    ("cp1255", "היום נדבר על הירח ועל הגאות. זאת שאלה חשובה לכולנו, תודה רבה."),
    ("cp1256", "سنتحدث اليوم عن القمر والمد والجزر. هذا سؤال مهم لنا جميعا، شكرا لكم."),
    ("cp1256", "امروز درباره ماه صحبت مي کنيم. اين پرسش مهمي است."),
    ("cp874", "วันนี้เราจะพูดถึงดวงจันทร์และน้ำขึ้นน้ำลง นี่เป็นคำถามที่สำคัญสำหรับเราทุกคน"),
    ("cp932", "今日は月と潮の満ち引きについて話します。①これはとても大切な質問です。ありがとうございます。"),
    ("euc_jp", "今日は月と潮の満ち引きについて話します。これはとても大切な質問です。"),
    ("cp949", "오늘은 달과 조수에 대해 이야기하겠습니다. 펲시 이것은 우리 모두에게 중요한 질문입니다."),
    ("gb18030", "今天我们来谈谈月亮和潮汐。这是一个非常重要的问题，喆先生。谢谢大家。"),
    ("big5hkscs", "今天我們來談談月亮和潮汐。這是一個非常重要的問題，謝謝大家。"),
    (
        "cp1257",
        "Šiandien kalbėsime apie mėnulį. Tai labai svarbus klausimas mums visiems, ačiū už "
        "dėmesį. Žmonės žiūri į jūrą.",
    ),
    ("cp1257", "Šodien mēs runāsim par mēnesi. Tas ir ļoti svarīgs jautājums, paldies jums visiem."),
    ("cp1252", "It’s a café near the tide — “really” good. We met José there. That’s all."),
    ("mac_roman", "It’s a café near the tide — “really” good. We met José there."),
)
"""Code pages, and what was written in them."""


def captions(text: str, page: str) -> bytes:
    sentences = re.split(rb"(?<=[.?]) ", text.encode(page))
    return b"".join(
        b"%d\r\n00:00:%02d,000 --> 00:00:%02d,500\r\n%s\r\n\r\n" % (at, 5 * at, 5 * at + 4, sentence)
        for at, sentence in enumerate(sentences, 1)
    )


@pytest.mark.parametrize(("page", "text"), SENTENCES)
def test_a_file_is_read_in_the_page_in_which_its_letters_go_together(page: str, text: str) -> None:
    data = captions(text, page)
    found, steps, notes = decode(data)
    assert found == data.decode(page).replace("\r\n", "\n")
    assert "not UTF-8" in notes[0]
    assert decode_with(data, decoding_step(data, found, steps).detail) == found


@pytest.mark.parametrize(("page", "text"), SENTENCES)
def test_one_sentence_is_enough(page: str, text: str) -> None:
    sentence = re.split(r"(?<=[.?。]) ?", text)[0]
    if not sentence.isascii():
        assert decode(sentence.encode(page))[0] == sentence


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"questa \xe8 la lezione", "questa è la lezione"),
        (b"Bonsoir \xe0 tous\n\xc0 PROPOS, \xc7A ALLAIT", "Bonsoir à tous\nÀ PROPOS, ÇA ALLAIT"),
        (b"It\x92s Jos\xe9\x92s caf\xe9", "It’s José’s café"),
    ],
)
def test_a_few_accents_stand_by_themselves_too(data: bytes, text: str) -> None:
    assert decode(data)[0] == text


@pytest.mark.parametrize(
    "data",
    [
        b"caf\xe2\x80 and \xe2\x80\x99s and \xe2\x80 again and \xc3 here, \xe2\x80 there",  # UTF-8 cut short
        "今天我们来谈谈月亮和潮汐。这是一个非常重要的问题。".encode()[:-1] + b" ",
        bytes(range(128, 256)) * 2,
    ],
)
def test_what_is_broken_or_no_text_is_in_no_page(data: bytes) -> None:
    assert find_page(data) is None


def test_what_a_page_does_not_have_is_marked() -> None:
    sentence = "Сегодня мы поговорим о луне и приливах. Это важный вопрос для всех нас. " * 2
    data = sentence.encode("cp1251") + b"\x98"
    page = find_page(data)
    assert page is not None
    assert (page.name, page.broken, page.text) == ("windows-1251", 1, sentence + "\ufffd")
    found, steps, notes = decode(data)
    assert "1 characters that cannot be known" in notes[1]
    assert decode_with(data, decoding_step(data, found, steps).detail) == found


def test_lines_of_a_file_in_utf8_stay_so() -> None:
    data = "Größe\nfür alle\n".encode() * 3 + b"sch\xf6n\n"
    assert decode(data)[0].splitlines()[-1] == "schön"
    assert decode(data)[0].startswith("Größe\nfür alle")
    assert find_page(b"plain ASCII") is None


def test_line_ends_that_went_through_a_wrong_transfer_are_single() -> None:
    data = b"1\r\r\n00:00:01,000 --> 00:00:02,000\r\r\nHello.\r\r\n"
    found, steps, _ = decode(data)
    assert found == "1\n00:00:01,000 --> 00:00:02,000\nHello.\n"
    assert decode_with(data, decoding_step(data, found, steps).detail) == found


@pytest.mark.parametrize("utf8", [1, 2, 5, 9])
def test_latin_lines_of_two_encodings_are_read_line_by_line(utf8: int) -> None:
    line = "Größe für alle Übungen"
    data = b"\n".join(line.encode("utf-8" if at < utf8 else "cp1252") for at in range(10))
    assert decode(data)[0].splitlines() == [line] * 10


def test_the_time_it_takes_grows_with_the_size_of_a_file_and_no_faster() -> None:
    # A pattern that looked at a word once for each of its letters took 17 s for 40 kB: this one would take hours.
    data = b"aGVsbG8gd29ybGQg" * 125_000 + " café au lait très bien à la mode déjà vu çà et là".encode("cp1252")
    page = find_page(data)
    assert page is not None
    assert page.name == "windows-1252"
