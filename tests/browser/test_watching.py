"""Watching where it is said: a recording that lies on this machine, and its transcript in step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from browser.chrome import expect, until

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from browser.chrome import Watch

ANCHOR_S = 110
"""When the harbour's anchor is spoken of."""

NEAR_S = 0.3

_NOTE_WHERE_IT_BEGINS = """
window.began = [];
addEventListener("playing", ({target}) => {
  began.push(target.currentTime);
  target.requestVideoFrameCallback?.((_, frame) => began.push(frame.mediaTime));
}, true);
"""


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    context.add_init_script(_NOTE_WHERE_IT_BEGINS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


def hit_at(page: Page, clock: str) -> Locator:
    return page.locator("#answers .time", has_text=re.compile(rf"^\W*{clock}$")).first


def line_at(page: Page, second: int) -> Locator:
    return page.locator(f"#transcript [data-s='{second}']")


def play_anchor(page: Page) -> None:
    """Ask, click the hit, and wait until it plays."""
    page.goto("/?q=anchor")
    hit_at(page, "1:50").click()
    until(page, "began.length >= 2")


def video(page: Page, expression: str) -> Any:
    return page.locator("#player video").evaluate(f"video => {expression}")


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def current(page: Page) -> Locator:
    return page.locator("#transcript [aria-current='true']")


def test_a_click_on_a_hit_plays_it_at_the_second(page: Page) -> None:
    play_anchor(page)
    at, shown = page.evaluate("began")[:2]
    assert abs(at - ANCHOR_S) <= NEAR_S
    assert abs(shown - ANCHOR_S) <= NEAR_S, "the picture is that of the second"
    assert video(page, "!video.paused")
    expect(page).to_have_url(re.compile(r"/talk/harbour-\w+\?t=110&q=anchor$"))
    expect(hit_at(page, "1:50")).to_have_attribute("aria-current", "true")
    expect(current(page)).to_contain_text("the anchor held")
    expect(page.locator("#transcript mark")).to_have_text("anchor")
    page.go_back()
    expect(page.locator("#talk")).to_be_empty()
    expect(page.locator("#answers mark").first).to_have_text("anchor")


def test_an_address_opens_the_second_and_waits(page: Page) -> None:
    page.goto("/talk/harbour?t=50")
    until(page, "document.querySelector('video').readyState >= 1")
    assert video(page, "video.paused")
    assert abs(video(page, "video.currentTime") - 50) <= NEAR_S
    expect(current(page)).to_have_attribute("data-s", "50")
    expect(current(page)).to_be_in_viewport()


def test_the_transcript_follows_and_the_page_stands_still(page: Page) -> None:
    play_anchor(page)
    video(page, "(video.currentTime = 119.5)")
    expect(line_at(page, 120)).to_have_attribute("aria-current", "true")
    expect(current(page)).to_have_count(1)
    video(page, "(video.currentTime = 171)")
    expect(line_at(page, 170)).to_have_attribute("aria-current", "true")
    page.wait_for_timeout(600)  # it scrolls smoothly
    expect(line_at(page, 170)).to_be_in_viewport()
    assert page.evaluate("document.querySelector('#transcript').scrollTop") > 0
    assert page.evaluate("scrollY") == 0


def test_a_line_is_clicked_and_plays(page: Page) -> None:
    play_anchor(page)
    before = page.evaluate("history.length")
    line_at(page, 60).click()
    until(page, "document.querySelector('video').currentTime < 62")
    assert 60 - NEAR_S <= video(page, "video.currentTime") <= 62
    expect(line_at(page, 60)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(r"[?&]t=60\b"))
    assert page.evaluate("history.length") == before


def test_whoever_scrolls_is_left_in_peace(page: Page) -> None:
    play_anchor(page)
    follow, now = page.get_by_label("Follow"), page.get_by_role("button", name="Back to now")
    expect(follow).to_be_checked()
    expect(now).to_be_hidden()
    page.locator("#transcript").hover()
    page.mouse.wheel(0, -2000)
    expect(follow).not_to_be_checked()
    until(page, "document.querySelector('#transcript').scrollTop === 0")
    video(page, "(video.currentTime = 171)")
    expect(line_at(page, 170)).to_have_attribute("aria-current", "true")
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('#transcript').scrollTop") == 0
    now.click()
    expect(follow).to_be_checked()
    expect(line_at(page, 170)).to_be_in_viewport()


def test_words_are_found_within_the_talk(page: Page) -> None:
    page.goto("/talk/harbour")
    find, found = page.get_by_role("searchbox", name="Find in this talk"), page.locator("#found")
    find.fill("bridge")
    expect(found).to_have_text("1 of 2")
    find.press("Enter")
    expect(found).to_have_text("2 of 2")
    expect(line_at(page, 160)).to_be_in_viewport()
    find.press("Shift+Enter")
    expect(found).to_have_text("1 of 2")
    page.get_by_role("button", name="Next place").click()
    expect(found).to_have_text("2 of 2")
    page.get_by_role("button", name="Previous place").click()
    expect(found).to_have_text("1 of 2")
    assert page.evaluate("[...CSS.highlights.get('found')].map(String)") == ["bridge", "bridge"]
    find.fill("HELD, and they")  # across capitals
    expect(found).to_have_text("1 of 1")
    find.fill("nowhere")
    expect(found).to_have_text("not found")
    find.fill("")
    expect(found).to_be_empty()


def test_the_player_is_led_by_keys(page: Page) -> None:
    play_anchor(page)
    page.locator("h1").first.click()
    page.keyboard.press("Space")
    assert video(page, "video.paused")
    video(page, "(video.currentTime = 100)")
    page.keyboard.press("ArrowLeft")
    assert abs(video(page, "video.currentTime") - 95) <= NEAR_S
    page.keyboard.press("ArrowRight")
    assert abs(video(page, "video.currentTime") - 100) <= NEAR_S
    page.keyboard.press("]")
    assert video(page, "video.playbackRate") == 1.25
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert video(page, "video.playbackRate") == 0.75
    page.keyboard.press("Space")
    until(page, "!document.querySelector('video').paused")


def test_five_seconds_back_and_speed_have_buttons(page: Page) -> None:
    page.goto("/talk/harbour?t=50")
    until(page, "document.querySelector('video').readyState >= 1")
    page.get_by_role("button", name=re.compile("5 s")).click()
    assert abs(video(page, "video.currentTime") - 45) <= NEAR_S
    page.get_by_label("Speed").select_option("1.5")
    assert video(page, "video.playbackRate") == 1.5


def test_the_next_hit_and_the_one_before_are_opened(page: Page) -> None:
    page.goto("/?q=bee")
    page.locator("#answers .time").first.click()
    expect(page.locator("#talk #next")).to_be_visible()
    first = page.url
    page.locator("#next").click()
    expect(page).not_to_have_url(first)
    expect(page.locator("#talk #prev")).to_be_visible()
    times = page.locator("#answers .time")
    expect(times.and_(page.locator("[aria-current='true']"))).to_have_count(1)
    page.locator("h1").first.click()
    page.keyboard.press(",")
    expect(page).to_have_url(first)
    page.keyboard.press(".")
    expect(page).not_to_have_url(first)


def test_a_hit_of_the_talk_that_plays_is_a_jump(page: Page) -> None:
    """The player is not made anew, so it plays on at once."""
    page.goto("/?q=bee&talk=harbour")
    hit_at(page, "1:10").click()
    until(page, "began.length >= 1")
    video(page, "(video.dataset.same = 1)")
    hit_at(page, "2:00").click()
    until(page, "document.querySelector('video').currentTime >= 119.7")
    assert video(page, "video.dataset.same") == "1"
    expect(hit_at(page, "2:00")).to_have_attribute("aria-current", "true")
    expect(hit_at(page, "1:10")).not_to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page).to_have_url(re.compile(r"t=70\b"))


def test_the_link_at_the_time_is_copied(page: Page) -> None:
    page.goto("/talk/harbour?t=50")
    until(page, "document.querySelector('video').readyState >= 1")
    page.get_by_role("button", name="Copy link").last.click()
    expect(page.get_by_role("status").filter(has_text="link")).to_contain_text("copied")
    assert parse_qs(urlsplit(copied(page)).query)["t"] == ["50"]
    page.goto(copied(page))
    expect(current(page)).to_have_attribute("data-s", "50")


def test_a_quote_is_copied_with_all_that_one_cites(page: Page) -> None:
    page.goto("/talk/harbour?t=110")
    page.get_by_role("button", name="Copy quote").click()
    page.wait_for_timeout(200)
    quote = copied(page)
    for part in ("the anchor held", "Ana Costa", "The harbour clock", "2023-04-02", "1:50"):
        assert part in quote
    assert quote.startswith("“")
    page.goto("/talk/meeting")
    page.get_by_role("button", name="Copy quote").click()
    page.wait_for_timeout(200)
    assert re.search(r"~0:00 \(±\d+ s\)", copied(page)), copied(page)


def test_words_that_are_selected_get_a_link_to_exactly_them(page: Page) -> None:
    page.goto("/talk/harbour?t=110")
    chosen = page.get_by_role("button", name="Link to exactly these words")
    expect(chosen).to_be_hidden()
    page.evaluate(
        """() => {
          const line = (second) => document.querySelector(`#transcript [data-s='${second}']`);
          const [first, second] = [line(120), line(130)];
          const text = (line) => document.createTreeWalker(line, NodeFilter.SHOW_TEXT).nextNode();
          getSelection().setBaseAndExtent(text(first), text(first).data.indexOf("whichever"), text(second), 11);
        }"""
    )  # fmt: skip
    chosen.click()
    page.wait_for_timeout(200)
    address = copied(page)
    assert parse_qs(urlsplit(address).query)["words"] == ["whichever calendar you believed. So the code"]
    page.goto(address)
    marks = page.locator("#transcript mark.words")
    assert " ".join(marks.all_inner_texts()) == "whichever calendar you believed. So the code"
    expect(marks.first).to_be_in_viewport()


def test_a_recording_without_a_picture_plays(page: Page) -> None:
    page.goto("/?q=song&talk=radio")
    page.locator("#answers .time").first.click()
    until(page, "began.length >= 1")
    assert page.locator("#player audio").evaluate("audio => !audio.paused")


def test_what_was_repaired_is_shown_where_it_was(page: Page) -> None:
    page.goto("/talk/cafe")
    repaired = page.locator("#transcript ins")
    expect(repaired.first).to_have_attribute("title", re.compile(r"It was “.*Ã©.*”; certain"))
    style = "ins => getComputedStyle(ins).textDecorationLine + getComputedStyle(ins).borderBottomStyle"
    shown = repaired.first.evaluate(style)
    page.get_by_label("Show repairs").uncheck()
    assert repaired.first.evaluate(style) != shown


def test_estimated_times_say_so(page: Page) -> None:
    page.goto("/talk/meeting?t=60")
    expect(page.locator("#talk")).to_contain_text(re.compile(r"estimated: nine in ten lie within \d+ seconds"))
    marked = page.locator("#transcript p.said").first.evaluate("p => getComputedStyle(p, '::before').content")
    assert "~" in marked or "~" in page.locator("#transcript").inner_text()


def test_chapters_lead_to_their_beginning(page: Page) -> None:
    page.goto("/talk/harbour")
    page.get_by_role("navigation", name="Chapters").get_by_role("link", name=re.compile("Coming home")).click()
    expect(line_at(page, 120)).to_have_attribute("aria-current", "true")
    assert abs(video(page, "video.currentTime") - 120) <= 1


def test_a_recording_that_is_gone_is_told(page: Page, watch: Watch) -> None:
    page.route("**/media/**", lambda route: route.fulfill(status=404))
    page.goto("/talk/harbour?t=50")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    watch.wrong.clear()


def test_a_recording_that_ends_before_the_moment_says_so(context: BrowserContext, page: Page) -> None:
    context.add_init_script('Object.defineProperty(HTMLMediaElement.prototype, "duration", { get: () => 45 })')
    page.goto("/talk/harbour?t=50")
    expect(page.get_by_text("The recording ends at 0:45; 0:50 lies behind that.")).to_be_visible()
    line_at(page, 20).click()
    expect(page.get_by_text("The recording ends")).to_be_hidden()


def test_other_answers_leave_the_talk_open(page: Page) -> None:
    play_anchor(page)
    box = page.get_by_role("searchbox", name="What you look for")
    box.fill("bread")
    expect(page.locator("#answers mark").first).to_have_text("bread")
    assert video(page, "!video.paused")
    expect(page).to_have_url(re.compile(r"/talk/harbour-\w+\?.*q=bread"))


def test_a_hostile_talk_is_only_shown(page: Page) -> None:
    page.goto("/talk/evil")
    expect(page.locator("#talk h1")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("#transcript")).to_contain_text("<script>alert(2)</script>")
    assert page.locator("img[src='x'], #talk script, #transcript b").count() == 0
    page.goto("/?q=ship")
    expect(page.locator("#answers")).to_contain_text("<script>alert(1)</script>")


def test_words_are_chosen_with_the_mouse_and_play_nothing(page: Page) -> None:
    page.goto("/talk/harbour?t=60")
    line = line_at(page, 60)
    page.wait_for_timeout(300)  # the panel has come to rest
    x, y = line.evaluate(
        "line => [...line.getClientRects()].sort((a, b) => b.width - a.width).map((r) => [r.left, r.top + 12])[0]"
    )
    page.mouse.move(x + 20, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=8)
    page.mouse.up()
    chosen = page.evaluate("getSelection().toString()")
    assert chosen
    assert chosen in line.inner_text()
    expect(page.get_by_role("button", name="Link to exactly these words")).to_be_visible()
    assert page.url.endswith("t=60")


def test_answers_that_come_to_a_talk_leave_one_heading_on_top(page: Page) -> None:
    page.goto("/talk/harbour?t=60")
    page.locator("#q").fill("bread")
    expect(page.locator("#answers mark").first).to_have_text("bread")
    expect(page.locator("h1:not([aria-level='2'])")).to_have_count(1)
    page.locator("#q").fill("song")
    expect(page.locator("#answers mark").first).to_have_text("song")
    page.get_by_role("link", name="Close the talk").click()
    expect(page).to_have_url(re.compile(r"/\?q=song$"))
