"""Bytes to text: byte order marks, UTF-8, and what can honestly be said about bytes that are neither."""

from __future__ import annotations

import codecs
import re

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Json, Step

from . import word_document
from .codepage import Page, find_page, is_latin

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),  # before UTF-16, whose mark they begin with
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
LINE_END = re.compile(r"\r+\n|\r")
r"""Line ends other than `\n`. Files that went through a wrong transfer end their lines with `\r\r\n`."""

_OTHER_LINE_ENDS = re.compile("[\x0b\u2028\u2029]")
"""Of a text that has no other: word processors write them, and what is copied out of pages has them."""

_MANY_ZEROS = 16
_ZEROS = re.compile(rb"\x00{%d,}|\x00+\Z" % _MANY_ZEROS)
"""What a disk leaves where a file was not written whole. Shorter ones inside are UTF-16, or no text."""

_BROKEN_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_SIGNS = frozenset("“”‘’–—…•€™°«»¿¡£§©®·„‚‹›½¼¾²³×÷\xa0")
_EDIT = 20
"""Line numbers named in a step at most."""


def decode(data: bytes) -> tuple[str, tuple[Step, ...], tuple[str, ...]]:
    r"""Turn the bytes of a file into text with `\n` line ends.

    Valid UTF-8, 16 and 32 are what they are. Otherwise each line that is UTF-8 is read as such, and the bytes of the
    others as windows-1252, or as a code page of a whole file in another script, where that gives what people write;
    what is left becomes U+FFFD. A Word document gives its paragraphs. Zeros where a file was not written whole are left
    out. Returns the text, what was done, and sentences about what is not certain.

    Raises:
        UnreadableError: the file is empty or binary.

    >>> decode(b"caf\xc3\xa9\r\ncaf\xe9\r\n")[0]
    'café\ncafé\n'
    """
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise UnreadableError("The file is empty.", "Nothing to index.")
    if b"\x00" in data and (written := without_zeros(data)) and _is_text_without_zeros(data, written):
        zeros = data.count(0)
        text, steps, notes = decode(written)
        called = "1 zero byte was" if zeros == 1 else f"{zeros:,} zero bytes were"
        note = f"{called} left out, as a disk leaves them where a file was not written whole."
        return text, (*steps, Step("decode", "cues", {"zeros": zeros})), (*notes, note)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data, encoding)
    if word_document.is_word(data):
        return (
            newlines(word_document.text_of(data)),
            (Step("decode", "cues", {"encoding": word_document.ENCODING}),),
            (),
        )
    if b"\x00" in data:
        return _without_mark(data)
    if len(_CONTROLS.findall(data[:100_000])) * 20 > len(data[:100_000]):
        raise UnreadableError("The file is binary: it is full of control characters.", "Leave the file out.")
    try:
        return newlines(data.decode("utf-8")), (), ()
    except UnicodeDecodeError:
        return _line_by_line(data)


def without_zeros(data: bytes) -> bytes:
    r"""Return the bytes of a file without those that were never written; where they stood, a line ends.

    >>> without_zeros(b"00:01 So" + bytes(40) + b"then" + bytes(3))
    b'00:01 So\nthen\n'
    """
    return _ZEROS.sub(b"\n", data)


def _is_text_without_zeros(data: bytes, written: bytes) -> bool:
    """Return whether what is left without the zeros is text; of UTF-16 a last zero is half a character."""
    if b"\x00" in written or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    try:
        written.decode("utf-8")
    except UnicodeDecodeError:
        return bytes(_MANY_ZEROS) in data
    return True


def newlines(text: str) -> str:
    r"""Return a text whose lines all end in `\n`.

    >>> newlines("a\r\nb\rc"), newlines("a\u2028b"), newlines("a\u2028b\nc")
    ('a\nb\nc', 'a\nb', 'a\u2028b\nc')
    """
    if "\r" in text:
        text = LINE_END.sub("\n", text)
    return text if "\n" in text else _OTHER_LINE_ENDS.sub("\n", text)


def _marked(data: bytes, encoding: str) -> tuple[str, tuple[Step, ...], tuple[str, ...]]:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8-sig":
            return _line_by_line(data[len(codecs.BOM_UTF8) :])
        text = data.decode(encoding, errors="replace")
        broken = text.count("\ufffd")
        if broken * 10 > len(text):
            raise UnreadableError(
                f"The file begins like {encoding.upper()} but is not: {error.reason} at byte {error.start}.",
                "Leave the file out, or fetch it again.",
            ) from error
        step = Step("decode", "cues", {"encoding": encoding, "unreadable": broken})
        return newlines(text), (step,), (f"{broken} characters of {encoding.upper()} were broken and are marked �.",)
    if "\x00" in text:
        raise UnreadableError("The file is binary: it holds NUL characters.", "Leave the file out.")
    step = Step("decode", "cues", {"encoding": encoding})
    return newlines(text), () if encoding == "utf-8-sig" else (step,), ()


def _without_mark(data: bytes) -> tuple[str, tuple[Step, ...], tuple[str, ...]]:
    """UTF-16 without its mark has NULs at every other place and nowhere else, in text that is mostly ASCII."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    half = len(data) // 2
    for encoding, here, there in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if here * 2 > half and there == 0 and len(data) % 2 == 0:
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            step = Step("decode", "cues", {"encoding": encoding})
            return newlines(text), (step,), (f"Read as {encoding.upper()}, by where its zero bytes stand.",)
    raise UnreadableError("The file is binary: it holds NUL bytes.", "Leave the file out.")


def _line_by_line(data: bytes) -> tuple[str, tuple[Step, ...], tuple[str, ...]]:
    page = _whole_file(data)
    if page:
        broken: dict[str, Json] = {"unreadable": page.broken} if page.broken else {}
        nearly = f"; {page.nearly} fits nearly as well" if page.nearly else ""
        notes = [f"The file is not UTF-8; it was read as {page.name}, in which its letters go together{nearly}."]
        if page.broken:
            notes.append(f"{page.broken} characters that cannot be known are marked \ufffd.")
        return newlines(page.text), (Step("decode", "cues", {"encoding": page.name} | broken),), tuple(notes)
    lines = re.split(rb"\r+\n|\r|\n", data)
    out = []
    legacy: list[int] = []
    marked: list[int] = []
    lost = 0
    for number, line in enumerate(lines, 1):
        try:
            out.append(line.decode("utf-8"))
            continue
        except UnicodeDecodeError:
            pass
        text, replaced = _line(line)
        out.append(text)
        lost += replaced
        (marked if replaced else legacy).append(number)
    detail = {
        "encoding": "utf-8 with exceptions", "windows_1252_lines": len(legacy), "first": legacy[:_EDIT],
        "unreadable_lines": len(marked), "first_unreadable": marked[:_EDIT], "unreadable": lost,
    }  # fmt: skip
    notes = []
    if legacy:
        notes.append(
            f"{_lines(legacy)} not UTF-8; read as windows-1252, which gives letters that fit where they stand."
        )
    if marked:
        notes.append(f"{_lines(marked)} broken; {lost} characters that cannot be known are marked �.")
    return "\n".join(out), (Step("decode", "cues", detail),), tuple(notes)


def _lines(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"Line {numbers[0]} is"
    shown = ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")
    return f"{len(numbers)} lines ({shown}) are"


def _line(line: bytes) -> tuple[str, int]:
    """A line that is not UTF-8: its valid stretches as UTF-8, the rest as windows-1252 where plausible, else U+FFFD."""
    text = line.decode("utf-8", errors="surrogateescape")
    out: list[str] = []
    lost = 0
    for part in re.split("([\udc80-\udcff]+)", text):
        if part and "\udc80" <= part[0] <= "\udcff":
            raw = part.encode("utf-8", errors="surrogateescape")
            before = out[-1][-1:] if out else ""
            after = text[sum(map(len, out)) + len(part) :][:1] if not lost else ""
            letters = _as_windows_1252(raw, before, after)
            lost += letters is None
            part = "\ufffd" if letters is None else letters
        if part:
            out.append(part)
    return "".join(out), lost


def _as_windows_1252(raw: bytes, before: str, after: str) -> str | None:
    """One or two high bytes as letters that fit between their neighbours, or as typographic signs."""
    # A letter and a closing quote look like the beginning of a longer UTF-8 sequence, but not behind an ASCII letter.
    quoted = len(raw) == 2 and raw[1] in b"\x85\x91\x92\x93\x94\x96\x97" and before.isascii() and before.isalpha()
    if len(raw) > 2 or (_BROKEN_UTF8.search(raw) and not quoted):
        return None
    try:
        letters = raw.decode("windows-1252")
    except UnicodeDecodeError:
        return None
    inside = before.isalpha() and before.islower()
    for char in letters:
        if char in _SIGNS:
            continue
        if not char.isalpha() or (inside and char.isupper()) or not (before.isalpha() or after.isalpha()):
            return None
    return letters


def _whole_file(data: bytes) -> Page | None:
    """Return the code page of the whole file; None where lines with high bytes are UTF-8."""
    foreign = [line for line in data.splitlines() if not line.isascii()]
    in_utf8 = sum(_is_utf8(line) for line in foreign)
    if in_utf8 * 5 > len(foreign):
        return None
    page = find_page(data)
    # Other scripts give short lines that are UTF-8 by chance; in Latin pages two bytes together hardly ever are.
    return None if page and in_utf8 and is_latin(page.text) else page


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
