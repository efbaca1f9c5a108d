"""Text that a feed writes as HTML, as plain text: paragraphs and lists stay lines, since times often begin them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_LARGEST = 200_000
"""Characters of notes; what is longer is a transcript, or somebody's whole site."""
_BLOCKS = frozenset(("p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
                     "blockquote", "section", "article", "pre", "dt", "dd"))  # fmt: skip
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"))
_UNSEEN = frozenset(("script", "style", "template", "noscript", "iframe"))
_TAG = re.compile(r"<(?:(/?[a-zA-Z][a-zA-Z0-9]{0,20})|[!?/])[^<>]*>")
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|div|em|font|h\d|i|img|ins|mark|p|q|s|small|span|strong|sub|sup|u)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


def plain_notes(text: str) -> str:
    """Return notes as plain text, whether they are HTML or plain text already.

    >>> plain_notes("<p>With <b>Ada</b> &amp; Bob</p><ul><li>0:00 Hello</li><li>1:30 Tides</li></ul>")
    'With Ada & Bob\\n\\n- 0:00 Hello\\n- 1:30 Tides'
    """
    text = text[:_LARGEST]
    if re.search(r"<[a-zA-Z/!]", text):
        text = "".join(_seen(text))
    text = html.unescape(text)
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def plain_line(text: str) -> str:
    """Return a title as one line of plain text. Only tags that titles hold are taken out.

    >>> plain_line("Why <i>tides</i>?"), plain_line("List<int> &amp; friends")
    ('Why tides?', 'List<int> & friends')
    """
    return " ".join(html.unescape(_INLINE_TAG.sub("", text[:2000])).split())


def _seen(text: str) -> Iterator[str]:
    """Yield what a reader of HTML would see, with a line break where an element begins or ends a line.

    In one go: `html.parser` takes seconds for notes that are made to keep it busy.
    """
    first, *rest = text.split("<!--")
    text = "".join([first, *(part.partition("-->")[2] for part in rest)])
    text = re.sub(r"<!\[CDATA\[|\]\]>", "", text)
    unseen = 0
    for number, piece in enumerate(_TAG.split(text)):
        piece = piece or ""
        if number % 2 == 0:
            if not unseen:
                yield re.sub(r"\s+", " ", piece)  # line breaks in the source of HTML are blanks
            continue
        ends, name = piece.startswith("/"), piece.lstrip("/").lower()
        if name in _UNSEEN:
            unseen = max(0, unseen - 1) if ends else unseen + 1
        elif name in _APART:
            yield "\n\n"
        elif name == "li" and not ends:
            yield "\n- "
        elif name in _BLOCKS and name != "li":
            yield "\n"
