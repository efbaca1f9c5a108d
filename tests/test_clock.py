"""Clock times to milliseconds and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.text.clock import clock_ms, parse_clock, show_clock


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999), st.sampled_from(".,"))
def test_a_time_is_read_in_every_form(hours: int, minutes: int, seconds: int, ms: int, point: str) -> None:
    whole = (hours * 3600 + minutes * 60 + seconds) * 1000
    forms = {
        f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}": whole + ms,
        f"{hours}:{minutes:02}:{seconds:02}": whole,
        f"{hours}:{minutes}:{seconds}{point}{ms:03}999": whole + ms,
        f"{minutes}:{seconds:02}{point}{ms:03}": whole + ms - hours * 3_600_000,
        f"{hours * 60 + minutes}:{seconds:02}": whole,
    }
    assert {form: parse_clock(form) for form in forms} == forms
    assert {form: clock_ms(form) for form in forms} == forms


@given(st.integers(0, 10**9))
def test_what_is_shown_is_read_again(ms: int) -> None:
    assert parse_clock(show_clock(ms)) == ms // 1000 * 1000


@pytest.mark.parametrize("text", ["", "12", "1:61:00", "00:61:00.000", "00:00:61,000", "0:61", "1:2:3:4", "a:bc"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_clock(text) is None


def test_a_second_that_was_rounded_up_to_sixty_is_a_minute() -> None:
    assert (parse_clock("2:60"), parse_clock("00:02:60.000")) == (180_000, 180_000)
