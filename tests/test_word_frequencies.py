"""How often people say a word is what wordfreq says, and takes a tenth of the memory."""

from __future__ import annotations

import pytest
import wordfreq

from talksearch.indexer.text.word_frequencies import known_languages, word_frequency


@pytest.mark.parametrize("language", ["fil", "de"])
def test_every_word_is_as_frequent_as_wordfreq_says(language: str) -> None:
    frequencies = wordfreq.get_frequency_dict(language)
    assert all(word_frequency(word, language) == frequency for word, frequency in frequencies.items())
    assert not any(word_frequency(f"{word}\n", language) for word in frequencies)


def test_what_wordfreq_has_read_is_not_kept_for_good() -> None:
    word_frequency("kapal", "ms")
    assert wordfreq.get_frequency_list.cache_info().currsize == 0
    assert "ms" in known_languages()


def test_a_word_that_cannot_be_written_is_said_by_nobody() -> None:
    assert word_frequency("\ud800", "en") == 0.0
