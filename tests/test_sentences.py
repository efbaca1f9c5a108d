"""Sentences end at the same characters wherever a talk is cut: in lines, cues, passages, pauses and comparisons."""

from __future__ import annotations

import unicodedata

import pytest

from talksearch.indexer.passages.split import Splitting, split
from talksearch.indexer.readers.cue_times import pieces
from talksearch.indexer.readers.flattened import cut_lines
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.restore.align_times import is_punctuated
from talksearch.indexer.restore.estimate_times import PAUSES, count_lines, speech_counts
from talksearch.indexer.text.sentences import SPACED_STOPS, UNSPACED_STOPS, count_stops, ends_sentence, sentence_breaks

SENTENCES = {
    "English": ["The clock on the ship runs slow.", "Does nobody on board notice it?"],
    "Arabic": ["هل الساعة على متن السفينة بطيئة؟", "لا يلاحظ أحد ذلك على الإطلاق."],
    "Urdu": ["جہاز پر گھڑی آہستہ چلتی ہے۔", "کیا کوئی اسے دیکھتا ہے؟"],
    "Hindi": ["जहाज़ पर घड़ी धीरे चलती है।", "कोई इसे नहीं देखता।"],
    "Armenian": ["Ժամացույցը դանդաղ է աշխատում։", "Ոչ ոք դա չի նկատում։"],
    "Burmese": ["နာရီသည် နှေးသည်။", "မည်သူမျှ သတိမထားမိ။"],
    "Chinese": ["船上的时钟走得很慢。", "船上没有人注意到吗？"],
}
everywhere = pytest.mark.parametrize("sentences", SENTENCES.values(), ids=SENTENCES)


@everywhere
def test_long_lines_of_text_without_times_are_cut_at_sentences(sentences: list[str]) -> None:
    said = sentences * 8
    assert list(pieces(" ".join(said))) == said


@everywhere
def test_plain_text_is_cut_into_lines_at_sentences(sentences: list[str]) -> None:
    assert list(cut_lines(" ".join(sentences))) == sentences


@everywhere
def test_a_sentence_end_is_a_pause_in_the_estimate_of_times(sentences: list[str]) -> None:
    counted = count_lines([Cue(0, 0, sentence) for sentence in sentences])
    assert counted.pauses[:, PAUSES.index("end_stop")].tolist() == [1.0, 1.0]
    assert speech_counts(" ".join(sentences).split())[1] == 1


@everywhere
def test_passages_end_at_sentences(sentences: list[str]) -> None:
    said = " ".join(sentences * 40)
    passages = split(Talk("t", "t.vtt", "T", (Cue(0, 600_000, said),)), len, 10_000, Splitting(overlap=0))
    assert len(passages) > 1
    assert all(ends_sentence(passage.text) for passage in passages)


@everywhere
def test_a_text_with_sentences_is_punctuated(sentences: list[str]) -> None:
    said = " ".join(sentences)
    assert is_punctuated([Cue(0, 0, said)])
    assert count_stops(said) == 2
    assert not is_punctuated([Cue(0, 0, "".join(c for c in said if c not in SPACED_STOPS + UNSPACED_STOPS) * 20)])


def test_every_character_that_ends_a_sentence_is_punctuation() -> None:
    assert {unicodedata.category(c) for c in SPACED_STOPS + UNSPACED_STOPS} == {"Po"}
    assert len(set(SPACED_STOPS + UNSPACED_STOPS)) == len(SPACED_STOPS + UNSPACED_STOPS)


def test_a_point_inside_a_figure_or_an_address_ends_nothing() -> None:
    assert not list(sentence_breaks("3.5 of example.org"))
    assert count_stops("3.5 of example.org") == 0
