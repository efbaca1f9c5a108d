"""A web page as a tree of elements: markup is never text, and whatever is not closed ends with what it lies in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID_TEXT = "area base br col embed hr img input link meta source track wbr"
_VOID = frozenset(_VOID_TEXT.split())
_UNSAID_TEXT = """
script style head template noscript svg math nav aside footer form button select option textarea iframe audio video
object canvas dialog
"""
_UNSAID = frozenset(_UNSAID_TEXT.split())
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS_TEXT = "p div li ul ol dl dt dd tr td th table section article main blockquote br"
BLOCKS = HEADINGS | frozenset(_BLOCKS_TEXT.split())
_DEEPEST = 200
"""Elements inside each other; those inside more of them lie beside each other."""


_NONE: Mapping[str, str] = {}
"""The attributes of every element that has none: a dictionary of its own would take more than its name."""


@dataclass(slots=True, eq=False)
class Element:
    """An element of a page: its text and elements in order."""

    name: str
    attributes: Mapping[str, str]
    line: int = 0
    parts: list[str | Element] = field(default_factory=list)


class _Builder(HTMLParser):
    """The tree of a page, as far as it can be told. Whatever is not closed ends with what it lies in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("p", "li", "dt", "dd", "option") and self.open[-1].name == tag:  # their ends may be left out
            self.open.pop()
        attributes = {name: value or "" for name, value in attrs} if attrs else _NONE
        element = Element(sys.intern(tag), attributes, self.getpos()[0])
        self.open[-1].parts.append(element)
        if tag not in _VOID and len(self.open) < _DEEPEST:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].name == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def tree_of(text: str) -> Element:
    """Return the tree of a page; its root is no element of the page, and has no name."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root


def elements(element: Element) -> Iterator[Element]:
    """Yield an element and all inside it, in the order of the page."""
    waiting = [element]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [part for part in reversed(one.parts) if isinstance(part, Element)]


def is_unsaid(element: Element) -> bool:
    """Say whether an element holds no text of the page: scripts, menus, forms, players."""
    return element.name in _UNSAID


def whole_text(element: Element, left_out: Callable[[Element], bool] = is_unsaid) -> str:
    """Return the text in an element, with a break at every block, without that of elements that are `left_out`."""
    pieces: list[str] = []
    _add_text(element, left_out, pieces)
    return "".join(pieces)


def _add_text(element: Element, left_out: Callable[[Element], bool], pieces: list[str]) -> None:
    for part in element.parts:
        if isinstance(part, str):
            pieces.append(part)
        elif not left_out(part):
            around = "\n" if part.name in BLOCKS else ""
            pieces.append(around)
            _add_text(part, left_out, pieces)
            pieces.append(around)


def text_in(element: Element) -> str:
    """Return the text in an element as one line."""
    return " ".join(whole_text(element).split())
