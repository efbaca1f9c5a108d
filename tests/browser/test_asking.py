"""Asking on the page: answers while typing, the address and the history, filters, keys in the list of hits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from browser.chrome import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def asked_for(page: Page) -> dict[str, list[str]]:
    """Return the parameters of a page's address."""
    return parse_qs(urlsplit(page.url).query)


def history_length(page: Page) -> int:
    return int(page.evaluate("history.length"))


def test_answers_appear_while_one_types_and_the_address_says_what_was_asked(page: Page) -> None:
    page.goto("/")
    page.get_by_role("searchbox").press_sequentially("bridge", delay=20)
    expect(page.locator("#answers .hit").first).to_be_visible()
    expect(page.locator("#answers mark").first).to_have_text("bridge")
    expect(page).to_have_url(re.compile(r"/\?q=bridge$"))
    assert page.get_by_role("searchbox").input_value() == "bridge"
    expect(page).to_have_title(re.compile("bridge"))
    expect(page.get_by_role("status")).to_have_text(re.compile(r"\d"))


def test_the_last_request_wins(page: Page) -> None:
    """The answer to the first letters is held back until that to the whole word is there."""
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if "q=rain" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.goto("/")
    page.route("**/?*", hold_the_first)
    box = page.get_by_role("searchbox")
    box.press_sequentially("rain")
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(20)
    box.fill("anchor")
    expect(page.locator("#answers mark").first).to_have_text("anchor")
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#answers mark").first).to_have_text("anchor")
    assert asked_for(page) == {"q": ["anchor"]}


def test_a_question_is_one_entry_of_the_history(page: Page) -> None:
    page.goto("/")
    box = page.get_by_role("searchbox")
    before = history_length(page)
    box.press_sequentially("bee", delay=250)  # slow enough that each letter is asked by itself
    expect(page.locator("#answers mark").first).to_have_text("bee")
    box.press("Enter")
    box.fill("")
    box.press_sequentially("song", delay=20)
    expect(page.locator("#answers mark").first).to_have_text("song")
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"q=song"))
    page.wait_for_timeout(300)
    assert history_length(page) - before <= 2
    page.go_back()
    expect(page.locator("#answers mark").first).to_have_text("bee")
    expect(box).to_have_value("bee")


def test_a_filter_is_picked_with_its_count_and_dropped_again(page: Page) -> None:
    page.goto("/?q=bread")
    group = page.get_by_role("group", name="Filters")
    group.get_by_text("Channel", exact=True).click()
    choice = group.get_by_role("link", name=re.compile("Backstube"))
    assert re.search(r"\d", choice.inner_text())
    choice.click()
    expect(page).to_have_url(re.compile("channel=Backstube"))
    expect(page.locator("#answers .talk h2")).to_have_text([re.compile("Brot|Bread")] * 2)
    page.get_by_role("searchbox").press("End")
    page.get_by_role("searchbox").press_sequentially(" time")
    expect(page).to_have_url(re.compile(r"q=bread\+time"))
    assert asked_for(page)["channel"] == ["Backstube"], "typing on keeps the filters"
    page.locator("a.chip").click()
    expect(page).to_have_url(re.compile(r"/\?q=bread\+time$"))


def test_the_filter_that_emptied_an_answer_is_named_and_dropped(page: Page) -> None:
    page.goto("/?q=anchor&mode=lexical&channel=Backstube")
    expect(page.locator("#answers .hit")).to_have_count(0)
    drop = page.locator("#answers .drop a")
    expect(drop).to_have_text(re.compile("Backstube"))
    drop.click()
    expect(page.locator("#answers mark").first).to_have_text("anchor")
    assert "channel" not in asked_for(page)


def test_a_shared_address_with_parameters_of_others_works(page: Page) -> None:
    page.goto("/?q=anchor&utm_source=mail&fbclid=x")
    expect(page.locator("#answers mark").first).to_have_text("anchor")


def test_keys_lead_through_the_hits(page: Page) -> None:
    page.goto("/?q=rain")
    times = page.locator("#answers .hit .time")
    expect(times.nth(1)).to_be_visible()
    page.locator("h1").first.click()
    page.keyboard.press("j")
    expect(times.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(times.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(times.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(times.nth(0)).to_be_focused()
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    box.press("ArrowDown")
    expect(times.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/talk/[^?]+\?.*q=rain"))
    expect(page.locator("#talk h2, #talk h1").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/\?q=rain$"))


def test_keys_of_a_single_letter_are_listed_and_can_be_switched_off(page: Page) -> None:
    page.goto("/?q=rain")
    page.locator("h1").first.click()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog")
    expect(keys).to_be_visible()
    keys.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('.hit, #ask')") is None
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('.hit')") is None, "it is remembered"


def test_letters_that_are_typed_are_no_keys(page: Page) -> None:
    page.goto("/")
    box = page.get_by_role("searchbox")
    box.press_sequentially("jk/?")
    expect(box).to_have_value("jk/?")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_strip_is_walked_with_the_arrows(page: Page) -> None:
    page.goto("/?q=bee")
    strip = page.get_by_role("group", name=re.compile("of this talk that answer")).first
    links = strip.get_by_role("link")
    assert 1 < links.count() <= 40
    first = strip.locator("a:not([tabindex='-1'])")
    expect(first).to_have_count(1)
    first.focus()
    begun = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert re.match(r"~?\d+:\d\d ", begun)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/talk/[^?]+\?t=\d+"))


def test_more_like_a_moment_says_like_what_and_keeps_the_filters(page: Page) -> None:
    page.goto("/?q=anchor&mode=lexical&language=en")
    page.get_by_role("link", name="More like this").first.click()
    expect(page.locator("#answers .like")).to_contain_text("The harbour clock")
    assert asked_for(page)["language"] == ["en"]
    assert "q" not in asked_for(page)


def test_a_quick_typist_asks_once(page: Page) -> None:
    asked: list[str] = []
    page.goto("/")
    page.on("request", lambda request: "/static/" in request.url or asked.append(request.url))
    page.get_by_role("searchbox").press_sequentially("anchor", delay=5)
    expect(page.locator("#answers mark").first).to_have_text("anchor")
    assert len(asked) <= 3, asked


def test_a_server_that_is_gone_is_told_and_what_stands_there_stays(page: Page) -> None:
    page.goto("/?q=bee")
    page.route("**/?q=*", lambda route: route.abort("connectionrefused"))
    page.get_by_role("searchbox").fill("bread")
    told = page.get_by_role("status").filter(has_text="The server does not answer.")
    expect(told).to_be_visible()
    expect(page.locator("#answers mark").first).to_have_text("bee")
    page.unroute("**/?q=*")
    page.get_by_role("searchbox").fill("song")
    expect(page.locator("#answers mark").first).to_have_text("song")
    expect(told).to_have_count(0)


def test_a_page_without_answers_asks_when_it_is_told_to(page: Page) -> None:
    page.goto("/api")
    page.get_by_role("searchbox").fill("bread")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#answers mark").first).to_have_text("bread")
