"""Text that a feed writes as HTML, as plain text: paragraphs and lists stay lines, since times often begin them."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_LARGEST = 200_000
"""Characters of notes; what is longer is a transcript, or somebody's whole site."""
_BLOCKS = frozenset(("p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
                     "blockquote", "section", "article", "pre", "dt", "dd"))  # fmt: skip
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"))
_UNSEEN = frozenset(("script", "style", "template", "noscript", "iframe"))
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|div|em|font|h\d|i|img|ins|mark|p|q|s|small|span|strong|sub|sup|u)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


class _Text(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Begin a line where the element does."""
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in _APART else "\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line where the element does."""
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag in _BLOCKS and tag not in ("br", "li"):
            self.pieces.append("\n\n" if tag in _APART else "\n")

    def handle_data(self, data: str) -> None:
        """Take text; line breaks in the source of HTML are blanks."""
        if not self.unseen:
            self.pieces.append(re.sub(r"\s+", " ", data))


def plain_notes(text: str) -> str:
    """Return notes as plain text, whether they are HTML or plain text already.

    >>> plain_notes("<p>With <b>Ada</b> &amp; Bob</p><ul><li>0:00 Hello</li><li>1:30 Tides</li></ul>")
    'With Ada & Bob\\n\\n- 0:00 Hello\\n- 1:30 Tides'
    """
    text = text[:_LARGEST]
    if re.search(r"<[a-zA-Z/!]", text):
        parser = _Text()
        parser.feed(text)
        parser.close()
        text = "".join(parser.pieces)
    else:
        text = html.unescape(text)
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def plain_line(text: str) -> str:
    """Return a title as one line of plain text. Only tags that titles hold are taken out.

    >>> plain_line("Why <i>tides</i>?"), plain_line("List<int> &amp; friends")
    ('Why tides?', 'List<int> & friends')
    """
    return " ".join(html.unescape(_INLINE_TAG.sub("", text[:2000])).split())
