"""Pages that `export` wrote, opened as files: they play, look for words, and load nothing from anywhere."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from talksearch.cli.export.pages import talk_page
from talksearch.cli.export.selection import Selection
from talksearch.cli.export.site import write_site
from talksearch.indexer.records import Cue, Talk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LINES = ("The bridge is a slow machine.", "It moves every day.", "Nobody sees the Café on it.", "相對論也在橋上。")


@contextmanager
def opened(browser: Browser, path: Path, fragment: str = "") -> Iterator[Page]:
    """Open a file; what it asks of the network, and what its policy refuses, fails the test."""
    page = browser.new_page()
    wrong: list[str] = []
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file:") else None)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri() + fragment)
    yield page
    page.close()
    assert wrong == []


def wait_until(page: Page, condition: str, timeout_s: float = 30) -> None:
    """Wait for a condition. The pages' policy forbids what Playwright's own waiting does after its first look."""
    deadline = monotonic() + timeout_s
    while not page.evaluate(condition):
        assert monotonic() < deadline, condition
        page.wait_for_timeout(50)


@pytest.fixture(name="talk", scope="module")
def talk_fixture(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    film = tmp_path_factory.mktemp("film") / "a film.webm"
    if shutil.which("ffmpeg"):
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=40", "-c:v",
             "libvpx", film],
            check=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    cues = tuple(Cue(at * 10_000, at * 10_000 + 9_000, line) for at, line in enumerate(LINES))
    return Talk("t", "t.vtt", "The bridge", cues, url=film.as_uri(), language="en")


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed, so there is no film to play")
def test_a_click_on_a_line_plays_it_and_the_transcript_follows(browser: Browser, talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "talk.html"
    path.write_text(talk_page(talk), encoding="utf-8")
    with opened(browser, path) as page:
        page.get_by_text(LINES[2]).click()
        wait_until(page, "!document.querySelector('video').paused && document.querySelector('video').currentTime > 20")
        assert page.evaluate("document.querySelector('video').currentTime") == pytest.approx(20, abs=2)
        assert page.locator("[aria-current]").text_content() == LINES[2]
        page.evaluate("document.querySelector('video').currentTime = 31")
        wait_until(page, "document.querySelector('[aria-current]').dataset.s === '30'")


@pytest.mark.parametrize(
    ("asked", "found"),
    [("slow mach", [LINES[0]]), ("CAFE", [LINES[2]]), ("對論", [LINES[3]]), ("bridge café", []), ("nothing", [])],
)
def test_a_site_finds_words_where_all_of_them_are_said(
    browser: Browser, talk: Talk, tmp_path: Path, asked: str, found: list[str]
) -> None:
    turns = tuple(Cue(cue.start_ms, cue.end_ms, cue.text, turn=True) for cue in talk.cues)
    other = Talk("o", "o.vtt", "Another", (Cue(0, 1_000, "something else"),))
    write_site(Selection("talks", (other, Talk("t", "t.vtt", "The bridge", turns))), tmp_path / "site")
    with opened(browser, tmp_path / "site" / "index.html") as page:
        page.get_by_role("searchbox").fill(asked)
        count = f"{len(found)} place{'' if len(found) == 1 else 's'}"
        page.get_by_text(count, exact=True).wait_for()
        assert page.locator(".hits blockquote").all_text_contents() == found
        if found:
            page.locator(".hits a").click()
            page.wait_for_url("**/talks/t.html#p*")
            assert page.locator(":target").text_content().endswith(found[0])
