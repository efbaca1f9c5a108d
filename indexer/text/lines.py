"""Lines as one text: with a blank between, but for Chinese and Japanese, which write none between words.

A line of theirs may end in the middle of a word. Thai and its neighbours write blanks between clauses, and a line of
theirs ends where one may stand.
"""

from __future__ import annotations

from collections.abc import Iterable

_RANGES = (
    ("\u3001", "\u3003"),  # 、 。 〃
    ("\u3005", "\u3007"),
    ("\u3008", "\u3011"),  # brackets
    ("\u3014", "\u301f"),
    ("\u3040", "\u30ff"),  # kana
    ("\u3105", "\u312f"),  # bopomofo
    ("\u31a0", "\u31bf"),
    ("\u31f0", "\u31ff"),
    ("\u3400", "\u4dbf"),  # Han
    ("\u4e00", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\uff01", "\uff0c"),  # wide signs, without the dash of dialogues
    ("\uff0e", "\uff0f"),
    ("\uff1a", "\uff20"),
    ("\uff3b", "\uff40"),
    ("\uff5b", "\uff9f"),  # half-wide kana and their signs
    ("\U00020000", "\U0003ffff"),
)
"""Characters that Chinese and Japanese write without blanks between, as (first, last)."""


def between_lines(before: str, behind: str) -> str:
    """Return what stands between two lines that become one text: a blank, or nothing inside Chinese or Japanese.

    >>> between_lines("今天我們談相對", "論和時間"), between_lines("用", "Python"), between_lines("so", "long")
    ('', ' ', ' ')
    """
    if before and behind and _is_unspaced(before[-1]) and _is_unspaced(behind[0]):
        return ""
    return " "


def join_lines(lines: Iterable[str]) -> str:
    """Return lines as one text.

    >>> join_lines(["今天我們談相對", "論和時間。", "and so on"])
    '今天我們談相對論和時間。 and so on'
    """
    text = ""
    pieces: list[str] = []
    for line in lines:
        if pieces:
            pieces.append(between_lines(text, line))
        pieces.append(line)
        text = line or text
    return "".join(pieces)


def _is_unspaced(character: str) -> bool:
    return character > "\u3000" and any(first <= character <= last for first, last in _RANGES)
