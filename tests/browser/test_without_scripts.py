"""Everything but following and type-ahead works by links and forms alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from browser.archive import YOUTUBE_ID
from browser.chrome import expect
from browser.youtube_stub import answer_as_youtube

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from browser.chrome import Watch


@pytest.fixture
def options() -> dict[str, Any]:
    return {"java_script_enabled": False}


def test_a_question_is_sent_by_its_form(page: Page) -> None:
    page.goto("/")
    box = page.get_by_role("searchbox")
    box.fill("bread")
    box.press("Enter")
    expect(page.locator("#answers mark").first).to_have_text("bread")
    expect(page).to_have_url(re.compile("q=bread"))
    page.locator("summary", has_text="Channel").click()
    page.locator("details a", has_text="Backstube").click()
    expect(page).to_have_url(re.compile("channel=Backstube"))
    page.locator("a.chip").click()
    expect(page).not_to_have_url(re.compile("channel=Backstube"))


def test_what_only_scripts_do_is_not_offered(page: Page) -> None:
    page.goto("/talk/harbour?t=50&q=anchor")
    visible = page.locator("button:visible").all_inner_texts()
    for name in ("Copy link", "Copy quote", "−5 s", "?"):
        assert name not in visible


def test_a_hit_opens_the_talk_at_its_line(page: Page) -> None:
    page.goto("/?q=anchor")
    page.locator("#answers .time", has_text="1:50").first.click()
    expect(page.locator("#transcript [aria-current='true']")).to_contain_text("the anchor held")
    expect(page.locator("#player video")).to_have_attribute("src", re.compile(r"/media/harbour-\w+#t=110"))
    page.locator("#transcript [data-s='60']").click()
    expect(page.locator("#transcript [aria-current='true']")).to_have_attribute("data-s", "60")
    expect(page.locator("#answers mark").first).to_have_text("anchor")
    page.locator("#talk .close").click()
    expect(page).to_have_url(re.compile(r"/\?q=anchor$"))


def test_words_are_found_within_the_talk(page: Page) -> None:
    page.goto("/talk/harbour")
    find = page.get_by_role("searchbox", name="Find in this talk")
    find.fill("bridge")
    find.press("Enter")
    expect(page.locator("#transcript mark.found")).to_have_count(2)
    expect(page.locator("#found")).to_have_text(re.compile("of 2"))
    page.get_by_role("button", name="Next place").click()
    expect(page.locator("#transcript mark.found")).to_have_count(2)
    expect(page.locator("#transcript [aria-current='true']")).to_contain_text("bridge")


def test_an_embed_is_played_by_a_link(context: BrowserContext, page: Page, watch: Watch) -> None:
    asked = answer_as_youtube(context)
    page.goto(f"/talk/{YOUTUBE_ID}?t=60")
    assert watch.outside == []
    page.locator("#play").click()
    expect(page).to_have_url(re.compile("play=1"))
    expect(page.locator("#player iframe")).to_have_attribute("src", re.compile("start=60"))
    assert asked
    watch.outside.clear()


def test_every_page_opens(page: Page) -> None:
    for path in ("/", "/talks", "/map", "/api", "/?q=bee", "/?like=harbour@70", "/talk/meeting"):
        page.goto(path)
        assert page.locator("h1").first.inner_text()
