"""On a phone: nothing is wider than the screen, what is touched is large enough, and the talk comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from browser.archive import YOUTUBE_ID
from browser.chrome import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = (
    "/", "/?q=bee", "/?q=qqqzzz&mode=lexical", "/talk/harbour?t=110&q=anchor", f"/talk/{YOUTUBE_ID}", "/talk/meeting",
    "/talk/evil", "/talk/cafe", "/talks", "/map", "/api",
)  # fmt: skip

TOUCH = 44
"""Pixels that a finger needs (WCAG 2.5.5; 2.5.8 asks for 24)."""

_TOUCHED = "button, select, summary, input:not([type=hidden]), header nav a, a.button, a.time"
_TOO_SMALL = """([touched, least]) => [...document.querySelectorAll(touched)]
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .map((one) => [(one.closest("label") ?? one).getBoundingClientRect(), one.outerHTML.slice(0, 80)])
  .filter(([box]) => box.width > 1 && box.height > 1 && (box.height < least - 0.5))
  .map(([box, html]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""


@pytest.fixture
def options() -> dict[str, Any]:
    return {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_screen_or_too_small_to_touch(path: str, page: Page) -> None:
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(_TOO_SMALL, [_TOUCHED, TOUCH]) == []
    page.set_viewport_size({"width": 320, "height": 700})  # WCAG 1.4.10
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_talk_comes_before_the_other_answers(page: Page) -> None:
    page.goto("/?q=anchor&mode=lexical")
    page.locator("#answers .time").first.tap()
    expect(page.locator("#talk video")).to_be_in_viewport()
    talk, answers = page.locator("#talk").bounding_box(), page.locator("#answers").bounding_box()
    assert talk
    assert not answers or talk["y"] < answers["y"]
