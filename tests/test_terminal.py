from __future__ import annotations

import io

import pytest

from talksearch.cli.terminal import Style, hyperlink, style_for, wrap
from talksearch.indexer.text.untrusted import safe

PLAIN = Style(color=False, links=False, width=40)
RICH = Style(color=True, links=True, width=40)


@pytest.mark.parametrize("text", ["plain", "Ünïcödé 相對論 हिन्दी", "[b]not markup[/b]", "emoji 👩‍🚀"])
def test_text_that_is_safe_stays(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]8;;evil\x07x", "]8;;evilx"),
        ("a\rb\tc\nd", "a b c d"),
        ("\u202eabc", "abc"),
        ("\x9b31mred", "31mred"),
        ("\ud83d", ""),
    ],
)
def test_controls_vanish(text: str, expected: str) -> None:
    assert safe(text) == expected


def test_links_are_clickable_on_a_terminal_only() -> None:
    url = "https://www.youtube.com/watch?v=abc&t=12"
    assert hyperlink(url, PLAIN) == url
    assert hyperlink(url, RICH) == f"\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x/ y", "https://x/\x1b\\"])
def test_what_is_no_plain_address_is_never_a_link(url: str) -> None:
    assert "\x1b]8" not in hyperlink(url, RICH) or "\x1b\\y" not in hyperlink(url, RICH)
    assert "javascript" not in hyperlink(url, RICH).split("\x1b")[-1] or hyperlink(url, RICH) == url


def test_a_stream_that_is_no_terminal_is_plain() -> None:
    assert style_for(io.StringIO()) == Style(color=False, links=False, width=100)


def test_no_color_is_honoured_and_links_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style_for(Terminal()).color
    monkeypatch.setenv("NO_COLOR", "1")
    assert not style_for(Terminal()).color
    assert style_for(Terminal()).links


def test_lines_are_as_wide_as_the_terminal_in_every_script() -> None:
    text = "a few words that go on and on, 光速不變是相對論的基礎光速不變是相對論的基礎光速不變 and then more"
    lines = wrap(text, (), PLAIN, "  ").split("\n")
    assert len(lines) > 2
    assert all(len(line) + sum(ch > "\u2e80" for ch in line) <= 40 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_matched_is_highlighted() -> None:
    assert "\x1b[33m\x1b[1mship\x1b[0m" in wrap("the ship sails", [(4, 8)], RICH, "")
    assert wrap("the ship sails", [(4, 8)], PLAIN, "") == "the «ship» sails"


def test_overlapping_marks_lose_no_character() -> None:
    shown = wrap("相對論", [(0, 2), (1, 3)], RICH, "")
    assert "".join(ch for ch in shown if ch in "相對論") == "相對論"
