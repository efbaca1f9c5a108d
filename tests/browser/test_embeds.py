"""Recordings on other sites: nothing is asked of them before a person does, and one that is silent is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from browser.archive import YOUTUBE_ID
from browser.chrome import expect
from browser.youtube_stub import answer_as_youtube, frame_of, never_answer

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from browser.chrome import Watch

TALK = f"/talk/{YOUTUBE_ID}"


def told(page: Page) -> list[dict[str, Any]]:
    """Return the messages that the frame has got."""
    messages: list[dict[str, Any]] = json.loads(frame_of(page).locator("#told").inner_text() or "[]")
    return messages


def commands(page: Page) -> list[tuple[str, Any]]:
    """Return the commands that the frame has got, each with its first argument."""
    return [
        (message["func"], next(iter(message.get("args", [])), None))
        for message in told(page)
        if message["event"] == "command"
    ]


def test_nothing_leaves_before_the_click(page: Page, watch: Watch) -> None:
    response = page.goto(f"{TALK}?t=60")
    assert response
    policy = response.headers["content-security-policy"].split("; ")
    assert {one for one in policy if one.startswith("frame-src")} == {
        "frame-src https://player.vimeo.com https://www.youtube-nocookie.com"
    }, "of the players that this archive has, and of no others"
    expect(page.locator("#player")).to_contain_text("www.youtube-nocookie.com")
    page.wait_for_timeout(300)
    assert page.locator("iframe").count() == 0
    assert watch.outside == []


def test_a_click_loads_the_frame_at_the_second_and_the_transcript_follows(
    context: BrowserContext, page: Page, watch: Watch
) -> None:
    asked = answer_as_youtube(context)
    page.goto(f"{TALK}?t=58")
    page.locator("#play").click()
    expect(page.locator("#transcript [data-s='60']")).to_have_attribute("aria-current", "true")  # it plays on to there
    assert len(asked) == 1
    assert re.match(rf"https://www\.youtube-nocookie\.com/embed/{YOUTUBE_ID}\?", asked[0])
    assert "start=58" in asked[0]
    assert "enablejsapi=1" in asked[0]
    assert page.locator("iframe").get_attribute("referrerpolicy") == "strict-origin-when-cross-origin"
    assert page.locator("iframe").get_attribute("title") == "Moving clocks"
    expect(page.locator(".silent")).to_be_hidden()
    page.locator("#transcript [data-s='120']").click()
    expect(page.locator("#transcript [data-s='120']")).to_have_attribute("aria-current", "true")
    page.wait_for_timeout(100)
    assert ("seekTo", 120) in commands(page)
    page.get_by_label("Speed").select_option("1.5")
    page.get_by_role("button", name=re.compile("5 s")).click()
    page.wait_for_timeout(400)
    assert ("setPlaybackRate", 1.5) in commands(page)
    back = [value for func, value in commands(page) if func == "seekTo"][-1]
    assert 114 <= back <= 119
    assert set(watch.outside) == set(asked)
    watch.outside.clear()


def test_a_hit_of_a_talk_elsewhere_plays_at_once(context: BrowserContext, page: Page, watch: Watch) -> None:
    """The click on the hit is the permission."""
    answer_as_youtube(context)
    page.goto(f"/?q=argument&talk={YOUTUBE_ID}")
    assert watch.outside == []
    with page.expect_request("https://www.youtube-nocookie.com/embed/**") as asked:
        page.locator("#answers .time").first.click()
    expect(page.locator("#player iframe")).to_be_visible()
    second = re.search(r"[?&]t=(\d+)", page.url)
    assert second
    assert f"start={second[1]}" in asked.value.url
    watch.outside.clear()


def test_a_frame_that_does_not_answer_is_told_with_the_link(context: BrowserContext, page: Page, watch: Watch) -> None:
    asked = never_answer(context)
    page.clock.install(time="2026-01-01T08:00:00")
    page.goto(f"{TALK}?t=60")
    page.clock.pause_at("2026-01-01T08:10:00")
    page.locator("#play").click()
    expect(page.locator("#player iframe")).to_be_attached()
    page.clock.run_for(3800)
    silent = page.get_by_role("alert").filter(has_text="does not answer")
    expect(silent).to_be_hidden()
    page.clock.run_for(300)
    expect(silent).to_be_visible()
    expect(silent.get_by_role("link")).to_have_attribute("href", re.compile(rf"{YOUTUBE_ID}&t=60"))
    assert len(asked) == 1
    watch.outside.clear()
    context.unroute_all(behavior="ignoreErrors")


def test_vimeo_is_loaded_from_its_player_alone(context: BrowserContext, page: Page, watch: Watch) -> None:
    asked: list[str] = []
    context.route(
        "https://player.vimeo.com/**",
        lambda route: (asked.append(route.request.url), route.fulfill(content_type="text/html", body="<p>vimeo"))[1],
    )
    page.goto("/talk/vimeo?t=30")
    assert watch.outside == []
    page.locator("#play").click()
    expect(page.frame_locator("#player iframe").locator("p")).to_have_text("vimeo")
    assert asked[0].startswith("https://player.vimeo.com/video/76979871?dnt=1")
    assert asked[0].endswith("#t=30s") or "t=30s" in asked[0] or "#" not in asked[0]
    watch.outside.clear()


def test_what_no_player_plays_is_a_link(page: Page) -> None:
    page.goto("/talk/brot?t=20")
    expect(page.locator("#player a")).to_have_attribute("href", "https://example.org/brot#t=20")
    assert page.locator("iframe, video").count() == 0
