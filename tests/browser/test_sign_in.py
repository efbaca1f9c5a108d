"""A server with a token: whoever opens a page signs in once, and comes to where he wanted to go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny import serving, short_runtime_folder

from browser.chrome import accessibility_faults, expect
from talksearch.cli.server.serve import Serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.chrome import Watch

TOKEN = "the-token-of-this-test-0123456789"


@pytest.fixture(scope="module")
def site(index: Path) -> Iterator[Serving]:
    with short_runtime_folder(), serving(index, token=TOKEN) as one:
        yield one


def test_the_token_opens_the_page_that_was_wanted(page: Page, watch: Watch) -> None:
    page.goto("/?q=anchor")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert accessibility_faults(page) == ""
    token = page.get_by_label("Token")
    token.fill("another")
    token.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("mark").count() == 0
    assert accessibility_faults(page) == ""
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#answers mark").first).to_have_text("anchor")
    expect(page).to_have_url(re.compile(r"/\?q=anchor$"))
    page.get_by_role("searchbox").fill("lighthouse code")
    expect(page).to_have_url(re.compile(r"q=lighthouse\+code$"))
    assert TOKEN not in page.content()
    watch.wrong = [one for one in watch.wrong if not one.startswith(("401", "403"))]
