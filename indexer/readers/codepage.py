"""Which code page a file was written in that is not UTF-8: the one in which its letters go together.

Any bytes are letters in most code pages, so that they can be decoded says nothing. What people write is told from what
they do not by the statistics that mojibake is repaired with (`indexer/mojibake/letter_model.py`): the
likelihood of the file's words under each page. tests/test_codepage.py has sentences in many languages and pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from talksearch.indexer.mojibake.letter_model import Orthography, text_log_probability
from talksearch.indexer.mojibake.ngrams import latin_language

_PAGES: tuple[tuple[str, Orthography], ...] = (
    # Of pages that give the same text, the first is named.
    ("windows-1252", Orthography()), ("windows-1250", Orthography()), ("windows-1251", Orthography()),
    ("windows-1253", Orthography()), ("windows-1254", Orthography()), ("windows-1255", Orthography()),
    ("windows-1256", Orthography()), ("windows-1257", Orthography()), ("iso8859-2", Orthography()),
    ("koi8-r", Orthography()), ("koi8-u", Orthography()), ("cp866", Orthography()), ("cp874", Orthography()),
    ("cp932", Orthography(han="jpan")), ("euc_jp", Orthography(han="jpan")), ("cp949", Orthography()),
    ("gb18030", Orthography(traditional=None)), ("big5hkscs", Orthography(traditional=True)),
    ("mac_roman", Orthography()),
)  # fmt: skip
# Of Chinese, Japanese and Korean pages the largest: a single sign that a vendor added would make the others fail.

_WORD = re.compile(rb"[^ \t\r\n]+")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_ESCAPED = re.compile("[\udc80-\udcff]+")
_BEGUN = re.compile("[\udcc2-\udcf4][\udc80-\udcbf]")
"""How a letter begins in UTF-8; a cut one stands so. Of pages few write that by chance."""

_BROKEN, _BROKEN_ALONE = -4.0, -21.0
"""Log likelihood of such a beginning, and of each byte that is none."""

_LOOKED_AT, _OF_A_WORD = 600, 150
"""Bytes of the words with letters beyond ASCII that are looked at, spread over the file; and of one of them. A script
without spaces has very long ones."""

_FEW = 12
"""Bytes beyond ASCII below which nothing but Latin letters is believed."""

_LEAST = -5.0
"""Log likelihood a byte from which on something was written: sentences lie well above, random bytes well below."""

_USUAL = 6.0
"""How much likelier the first page is before anything was read, as a log likelihood: most such files are in it."""

_LENIENT = 12.0
"""How much lower a few bytes may be, which say little by themselves."""

_BROKEN_SHARE = 50
"""One in so many bytes may be no letter in the page: a file may be cut or damaged."""

_CLOSE = 8.0
"""Log likelihood by which the best page must lead, or else the next one is named as well."""


@dataclass(frozen=True, slots=True)
class Page:
    """A code page that fits a file."""

    name: str
    text: str
    broken: int
    """Bytes that mean nothing in it; they are U+FFFD in the text."""
    nearly: str = ""
    """A page that fits nearly as well and gives another text."""


def find_page(data: bytes) -> Page | None:
    """Return the code page that a whole file was written in; None where it may be UTF-8 with some broken bytes, or
    where no page makes words of it.
    """
    sample = _sample(data)
    high = len(data) - len(data.translate(None, bytes(range(0x80, 0x100))))
    few = high < _FEW
    if not high:
        return None
    candidates: list[tuple[float, str, str]] = []
    for name, orthography in _PAGES:
        text = data.decode(name, errors="replace")
        if text.count("\ufffd") * _BROKEN_SHARE > high or (few and not is_latin(text)):
            continue
        orthography = Orthography(orthography.han, orthography.traditional, latin_language(text[:5_000]))
        shown = sample.decode(name, errors="replace").rstrip("\ufffd")
        usual = _USUAL if name == _PAGES[0][0] else 0.0
        candidates.append((text_log_probability(shown, "", orthography) + usual, name, shown))
    candidates.sort(key=lambda candidate: -candidate[0])  # stable: the first of equals stays first
    if not candidates or candidates[0][0] < _LEAST * len(sample) - _LENIENT or candidates[0][0] < _as_utf8(sample):
        return None
    score, name, shown = candidates[0]
    others = [
        other for score_of_other, other, text in candidates[1:] if text != shown and score_of_other > score - _CLOSE
    ]
    text = data.decode(name, errors="replace")
    return Page(name, text, text.count("\ufffd"), others[0] if others else "")


def _sample(data: bytes) -> bytes:
    # Two steps, because one pattern for both looks at a long word once for each of its letters.
    words = [word[:_OF_A_WORD] for word in _WORD.findall(data) if _BEYOND_ASCII.search(word)]
    step = max(1, sum(map(len, words)) // _LOOKED_AT)
    return b" ".join(words[::step])[:_LOOKED_AT]


def is_latin(text: str) -> bool:
    """Return whether no letter of a text is of another script."""
    return all(char < "\u0250" or char > "\u1fff" for char in text)


def _as_utf8(sample: bytes) -> float:
    """Return the log likelihood of a sample as UTF-8 with broken bytes."""
    text = sample.decode("utf-8", errors="surrogateescape")
    cost = sum(_BROKEN if _BEGUN.match(run) else _BROKEN_ALONE * len(run) for run in _ESCAPED.findall(text))
    text = _ESCAPED.sub("", text)
    return cost + text_log_probability(text, "", Orthography(traditional=None, latin=latin_language(text)))
