"""Asking on the page: answers while typing, the address, the history, filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_first(page: Page) -> None:
    page.goto("/")
    assert page.title()


def test_second(page: Page) -> None:
    page.goto('/')
    assert page.title()
