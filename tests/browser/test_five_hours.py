"""A talk of five hours is a page like any other: one node a line, so it opens at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.archive import LINES_OF_FIVE_HOURS, make_long_archive
from browser.chrome import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_long_archive(tmp_path_factory.mktemp("long"))


def test_a_line_is_one_node(page: Page) -> None:
    page.goto("/talk/watch?t=9000")
    assert page.locator("#transcript [data-s]").count() == LINES_OF_FIVE_HOURS
    assert page.locator("#transcript [data-s] *").count() == 0
    others = page.locator("#transcript *").count() - LINES_OF_FIVE_HOURS
    assert others < LINES_OF_FIVE_HOURS, "paragraphs take fewer nodes than lines"
    expect(page.locator("#transcript [aria-current='true']")).to_be_in_viewport()


def test_words_are_found_in_all_of_it(page: Page) -> None:
    page.goto("/talk/watch")
    page.get_by_role("searchbox", name="Find in this talk").fill("line 4321 of the watch")
    expect(page.locator("#found")).to_have_text("1 of 1")
    expect(page.locator("#transcript [data-s='17284']")).to_be_in_viewport()


def test_what_stands_in_every_line_is_counted_and_marked_around_the_place_that_is_shown(page: Page) -> None:
    page.goto("/talk/watch?t=9000")
    page.get_by_role("searchbox", name="Find in this talk").fill("of the watch")
    expect(page.locator("#found")).to_have_text(f"2251 of {LINES_OF_FIVE_HOURS}")
    assert page.evaluate("CSS.highlights.get('found').size") == 400
    expect(page.locator("#transcript [data-s='9000']")).to_be_in_viewport()
    page.get_by_role("button", name="Previous place").click()
    expect(page.locator("#found")).to_have_text(f"2250 of {LINES_OF_FIVE_HOURS}")


def test_a_question_within_it_has_a_strip_that_says_something(page: Page) -> None:
    page.goto("/?q=bread&talk=watch")
    bars = page.locator("#answers .strip a")
    assert 1 <= bars.count() <= 40
