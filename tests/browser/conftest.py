from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tiny import serving, short_runtime_folder

from browser.archive import make_archive
from browser.chrome import REQUIRED, Watch, launched, missing, watched
from talksearch.cli.server.serve import Serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


def pytest_runtest_setup() -> None:
    # Not in a fixture: what is skipped in one is told in a line a test, and here in one line for all.
    lacking = missing()
    if lacking and os.environ.get(REQUIRED) == "required":
        pytest.fail(lacking, pytrace=False)
    if lacking:
        pytest.skip(lacking)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="module")
def site(index: Path) -> Iterator[Serving]:
    with short_runtime_folder(), serving(index) as one:
        yield one


# Not for the session: while Playwright runs, its event loop is in the way of other tests of the process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture
def options() -> dict[str, Any]:
    """What a test's browser is like; a module or a test with another one overrides it."""
    return {}


@pytest.fixture
def _opened(browser: Browser, site: Serving, options: dict[str, Any]) -> Iterator[tuple[BrowserContext, Watch]]:
    with watched(browser, site.url, **options) as opened:
        yield opened


@pytest.fixture
def context(_opened: tuple[BrowserContext, Watch]) -> BrowserContext:
    return _opened[0]


@pytest.fixture
def watch(_opened: tuple[BrowserContext, Watch]) -> Watch:
    return _opened[1]


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
