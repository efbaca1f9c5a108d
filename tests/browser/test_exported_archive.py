"""What `talksearch export` writes of the archive of these tests, opened as files: nothing is amiss, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from browser.chrome import accessibility_faults, expect, until, watched
from talksearch.cli.main import cli

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def exported(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one talk, hits, and a site."""
    folder = tmp_path_factory.mktemp("exported")
    for args in (
        ["harbour", "-o", str(folder / "talk.html")],
        ["--query", "anchor", "--mode", "lexical", "-o", str(folder / "hits.html")],
        ["--site", str(folder / "site")],
    ):
        done = CliRunner().invoke(cli, ["export", *args, "--index", str(index)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def page(browser: Browser, exported: Path, index: Path) -> Iterator[Page]:
    """A page that may open the exported files and the recordings, and nothing else."""
    with watched(browser, "file:///") as (context, watch):
        yield context.new_page()
    folders = (exported.as_uri(), index.parent.as_uri())
    assert not [url for url in watch.asked if not url.startswith(folders)]


def test_a_talk_plays_in_its_page(page: Page, exported: Path) -> None:
    page.goto((exported / "talk.html").as_uri())
    expect(page.locator("h1")).to_have_text("The harbour clock")
    page.locator("[data-s='110']").click()
    until(page, "document.querySelector('video').currentTime >= 110")
    expect(page.locator("[data-s='110']")).to_have_attribute("aria-current", "true")
    assert accessibility_faults(page) == ""


def test_a_recording_that_is_gone_is_told(page: Page, exported: Path) -> None:
    text = (exported / "talk.html").read_text(encoding="utf-8")
    gone = exported / "gone.html"
    gone.write_text(re.sub('src="file:[^"]+', f'src="{(exported / "gone.mp4").as_uri()}', text), encoding="utf-8")
    page.goto(gone.as_uri())
    expect(page.locator(".broken")).to_be_hidden()
    page.locator("[data-s='110']").click()
    expect(page.locator(".broken")).to_be_visible()
    assert accessibility_faults(page) == ""


def test_a_site_finds_talks_by_their_names(page: Page, exported: Path) -> None:
    page.goto((exported / "site" / "index.html").as_uri())
    count = page.locator(".talks > li:visible").count()
    page.get_by_role("searchbox").fill("harbour clo")
    expect(page.locator(".talks > li:visible")).to_have_count(1)
    expect(page.locator(".talks > li:visible")).to_have_text(re.compile("^The harbour clock"))
    expect(page.get_by_role("status")).to_have_text(re.compile("^1 talk, [0-9]+ places?$"))
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".talks > li:visible")).to_have_count(count)
    assert count > 1


def test_hits_are_a_page(page: Page, exported: Path) -> None:
    page.goto((exported / "hits.html").as_uri())
    expect(page.locator("mark").first).to_have_text("anchor")
    assert accessibility_faults(page) == ""


def test_a_site_finds_words_and_opens_them(page: Page, exported: Path) -> None:
    page.goto((exported / "site" / "index.html").as_uri())
    assert accessibility_faults(page) == ""
    page.get_by_role("searchbox").fill("lighthouse")
    expect(page.locator(".hits mark")).to_have_text("lighthouse")
    assert accessibility_faults(page) == ""
    page.locator(".hits a").click()
    expect(page.locator("h1")).to_have_text("The harbour clock")
    assert accessibility_faults(page) == ""
