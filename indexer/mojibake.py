"""Mojibake with bytes lost: UTF-8 that was read in a single-byte code page, put back character by character.

Lead bytes survive, so it stays certain where each damaged character begins; which of its candidates it was is decided
by the letters around it (`mojibake_model.py`). A repair is an inversion: damaging the repaired text again
(`lose`) gives the original. Text that is not such damage is never touched: not its quotes, widths, ligatures, spaces.

How a text is read:

1. A regular expression finds a lead byte's character before a continuation byte's. Without one the text is healthy.
2. Each code page parses the words around into UTF-8 sequences. A page that leaves more over than it explains is out.
3. A beam search finds the likeliest reading through each page left. It replaces the original only where it is more
   likely by far than the original read as it stands.
4. Where candidates stay close, the edit is not `certain` and names the `alternatives`. Where none leads, the text
   stays as it was, and an edit whose `before` equals its `after` marks the place.

After ftfy (Speer 2019), which repairs what lost no bytes by the same idea and is `benchmarks/mojibake.py`'s yardstick.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from .mojibake_model import UNSEEN, chinese, latin_language, letter_bias, load, lower, normal, script
from .mojibake_pages import (
    CODECS,
    Channel,
    any_gate,
    byte_looks,
    characters,
    gate,
    lose,
    openers,
    spell,
    undefined,
)

__all__ = ["Edit", "Repair", "lose", "repair_text", "replay"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One stretch of text put back, or marked. `start` and `end` count characters of the original text."""

    start: int
    end: int
    before: str
    after: str
    rule: str
    """The code page it had been read in: `windows-1254`, `windows-1252 twice`."""
    certain: bool
    """False: other readings are possible. Where `before` equals `after`, none was likely enough to be written down."""
    alternatives: tuple[str, ...] = ()
    """What else it may have been, likeliest first."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired text and everything that was done to get it."""

    text: str
    edits: tuple[Edit, ...] = ()

    @property
    def repaired(self) -> dict[str, int]:
        """Characters put back, by rule."""
        counts: Counter[str] = Counter()
        for edit in self.edits:
            if edit.after != edit.before:
                counts[edit.rule] += len(edit.after)
        return dict(counts)

    @property
    def uncertain(self) -> tuple[Edit, ...]:
        """What has other possible readings, and what was left as it stood."""
        return tuple(edit for edit in self.edits if not edit.certain)


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to the text they were made for.

    >>> replay("cafÃ© noir", [Edit(3, 5, "Ã©", "é", "windows-1252", True)])
    'café noir'
    """
    parts = []
    done = 0
    for edit in edits:
        parts += [text[done : edit.start], edit.after]
        done = edit.end
    return "".join([*parts, text[done:]])


# Costs and thresholds in nats (natural logarithms of odds). They are priors, set before any measurement.
LITERAL = 6.0
"""To take a character for healthy in the middle of damage, although damage could have made it."""
SWITCH = 5.0
"""To go on in another script."""
SWITCH_INSIDE = 9.0
"""To do so inside a word."""
MARGIN = 9.0
"""How much likelier the repaired text must be than the original, for several characters that stand together, ..."""
MARGIN_ALONE = 12.0
"""... for a single one, ..."""
MARGIN_GUESS = 20.0
"""... for a single one that lost a byte, ..."""
MARGIN_ODD = 30.0
"""... for a single one whose look ftfy's list of unlikely neighbours does not know, ..."""
MARGIN_TWICE = 30.0
"""... for anything that went through two pages, which can explain much (never where nothing is sure), ..."""
MARGIN_AGAIN = 3.0
"""... and where the rest of the text went through that code page beyond doubt."""
MARGIN_BOLD = 5.0
"""... and there for a word whose only trace of damage is a lone lead character."""
BEYOND_DOUBT = 40.0
RARE = 5.0
"""What it costs at most that a letter does not go with the letters before it."""
BEAM = 12
HOPELESS = 10.0
"""A reading that has fallen behind this far is given up."""
SURE = 0.95
"""The share of a candidate from which it counts as certain."""
POSSIBLE = 0.03
"""The share from which a candidate is named as an alternative."""
TOO_CLOSE = 0.30
"""Below this share the best candidate is not written down."""
TAIL = 10
"""Letters before a letter that its likelihood may depend on."""
ROUNDS = 6
"""How many histories the lines of one text may have."""
SAMPLE = 300
"""Damaged characters that are enough to tell the page by."""
REACH = 80
"""Characters before a quotation mark in which it may have been opened."""
MOST = 80
"""Candidates looked at for one damaged character."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of a line that damage may cover."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One character of a reading: where it stands in the original, and whether it was put back."""

    start: int
    end: int
    char: str
    damaged: bool
    others: tuple[tuple[str, float], ...] = ()
    """For a damaged character, every candidate with the cost of its looks."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A whole reading of a span."""

    pieces: tuple[_Piece, ...]
    score: float


@dataclass(frozen=True, slots=True)
class _Style:
    """How letters are read that several languages share: Han characters by `hani` or `jpan` statistics, in one of the
    two Chinese spellings, and Latin ones."""

    han: str = "hani"
    traditional: bool = False
    latin: str = ""
    """The language of text in Latin script, where its words tell."""


# Likelihood ---------------------------------------------------------------------------------------------------------


@cache
def _signs() -> dict[str, float]:
    model = load("signs")
    return {c: model.unpack(c)[0][c] for c in model.lines}


@cache
def _respelled() -> frozenset[str]:
    """Simplified characters that are written otherwise in traditional text, at least sometimes."""
    return frozenset(pair[0] for pair in chinese()[1])


def _spelling(char: str, traditional: bool) -> tuple[str, float]:
    """(the simplified character that the statistics know, log share of this spelling of it)."""
    simplify, shares = chinese()
    simple = simplify.get(char, char)
    if traditional:
        return simple, max(-9.0, shares.get(simple + char, -9.0)) if simple in _respelled() else 0.0
    return simple, 0.0 if simple == char else -8.0


def _sign(char: str, before: str) -> float:
    """Log probability of a sign, an emoji or a letter of an unknown script, by itself."""
    if char == "\ufe0f":
        return -2.0 if before and unicodedata.category(before[-1]) in ("So", "Sm") else -14.0
    if char == "\u200d":
        return -4.0 if before and (before[-1] == "\ufe0f" or ord(before[-1]) > 0x1F000) else -14.0
    category = unicodedata.category(char)
    known = _signs().get(char)
    if known is not None and (category != "Cf" or _last_script(before) in ("arab", "deva", "hebr")):
        return -4.0 + known
    if category in ("So", "Sk", "Mn"):
        return -21.0 if ord(char) < 0x1F000 else -20.0
    return {"Zs": -18.0, "Cf": -22.0, "Cc": -25.0, "Cn": -30.0, "Co": -30.0, "Cs": -40.0}.get(category, -21.0)


def _case(char: str, before: str) -> float:
    """Log probability of a letter's case, by the letters before it."""
    if lower(char) == char and char.upper() == char:
        return 0.0
    big = lower(char) != char
    last = before[-1:]
    if last.isalpha() and script(last) == script(char):
        if last != lower(last):
            second = before[-2:-1]
            share = 0.85 if second and second.isalpha() and second != lower(second) else 0.12
        else:
            share = 0.0001
    else:
        opening = before.rstrip(" \"'“„«(")
        share = 0.8 if not opening or opening[-1] in ".!?:\n" else 0.2
    return math.log(share if big else 1 - share)


@lru_cache(maxsize=20_000)
def _last_script(before: str) -> str:
    return next((s for c in reversed(before) if (s := script(c))), "")


@lru_cache(maxsize=20_000)
def _context(before: str, here: str) -> str:
    """The letters before a letter as the statistics of a script see them."""
    context = normal(before, here == "latn")[-5:]
    if here == "hani":
        simplify = chinese()[0]
        return "".join([simplify.get(c, c) for c in context])
    return context


def _likelihood(before: str, char: str, style: _Style) -> float:
    """Log probability of a character after the (up to TAIL) characters before it, as they are written."""
    letters = script(char)
    last = _last_script(before)
    if letters == "latn" and char < "\x80" and last not in ("", "latn"):
        letters = ""
    here = letters or last or "latn"
    cost = 0.0
    if here == "hani" or (here == "jpan" and not letters):
        here = style.han
    if letters and last not in ("", letters) and not (letters in _HAN and last in _HAN):
        inside = before[-1:].isalpha() and before[-1:] > "\x7f"
        cost -= SWITCH_INSIDE if inside else SWITCH
    model = load(here)
    small = lower(char)
    context = _context(before, here)
    if letters == "latn" and char > "\x7f":
        cost += letter_bias(style.latin, small)
    if here == "hani" and (letters or char in "“”‘’「」『』"):
        small, share = _spelling(char, style.traditional)
        cost += share
    elif char < "\x80":
        small = normal(char, latin=here == "latn")
        if context.endswith(small) and (small in "0 " or (small == "a" and here != "latn")):
            return cost
    if small not in model:
        return cost + (UNSEEN if letters else _sign(char, before))
    # A word may be in no word list, and a sign may stand anywhere: the letters before never rule a character out.
    anywhere = model.score("", small) - RARE
    if not letters and char > "\x7f":
        anywhere = max(anywhere, _sign(char, before))
    cost += max(model.score(context, small), anywhere)
    return cost + _case(char, before) if letters in _CASED else cost


_HAN = ("hani", "jpan")
_CASED = ("latn", "grek", "cyrl")


def _quotes(before: str, char: str) -> float:
    """Whether a quotation mark opens or closes, told by what stands before it."""
    if char not in "“”‘’„":
        return 0.0
    last = before[-1:]
    loose = not last or last.isspace() or last in "([{—–-“‘「（"
    opened = before.rfind("“") > before.rfind("”") or before.rfind("„") > before.rfind("”")
    if char in "“„‘":
        return (-0.3 if loose else -3.0) - (1.5 if opened and char != "‘" else 0.0)
    return (-3.0 if loose else -0.3) + (0.0 if opened or char == "’" else -0.7)


# Candidates ---------------------------------------------------------------------------------------------------------


@cache
def _repertoire(lead: int) -> tuple[str, ...]:
    """Characters that a damaged one beginning with this byte may have been: letters the statistics know, and signs."""
    names = {
        0xC2: ["signs"], 0xCD: ["grek", "latn"], 0xCE: ["grek"], 0xCF: ["grek"], 0xE0: ["deva", "thai"],
        0xE1: ["latn", "grek"], 0xE2: ["signs"], 0xE3: ["jpan", "signs"], 0xEF: ["signs"], 0xF0: ["signs", "hani"],
    }.get(lead)  # fmt: skip
    if names is None:
        if lead < 0xCE:
            names = ["latn"]
        elif lead < 0xD5:
            names = ["cyrl"]
        elif lead < 0xD8:
            names = ["hebr"]
        elif lead < 0xE0:
            names = ["arab"]
        elif lead < 0xEA:
            names = ["hani", "jpan"]
        else:
            names = ["kore"] if lead < 0xEE else []
    found: set[str] = set()
    for name in names:
        for c in load(name).lines:
            if c > "\x7f":
                found |= {c, c.upper()} if len(c.upper()) == 1 else {c}
        if name == "hani":
            found |= set(chinese()[0])
    if "signs" in names:
        found |= {chr(i) for first, last in _PICTURES for i in range(first, last) if chr(i).isprintable()}
    return tuple(sorted(c for c in found if c.encode("utf-8")[0] == lead))


_PICTURES = ((0xA0, 0xC0), (0x2010, 0x2060), (0x2190, 0x2200), (0x2600, 0x27C0), (0xFE0F, 0xFE10), (0xFF00, 0xFFF0),
             (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FA00), (0x1FA70, 0x1FB00))  # fmt: skip


@cache
def _candidates(channel: Channel, lead: int) -> dict[str, tuple[tuple[str, float], ...]]:
    """What may be seen of characters beginning with a lead byte: the characters behind it, with costs."""
    table = byte_looks(channel)
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for char in _repertoire(lead):
        for seen, cost in spell(char, table):
            if seen:
                found[seen].append((char, cost))
    return {seen: tuple(chars) for seen, chars in found.items()}


@cache
def _longest(channel: Channel, lead: int) -> int:
    return max(map(len, _candidates(channel, lead)), default=0)


@cache
def _bytes_of(page: str) -> dict[str, int]:
    """The byte behind each character of a page, undefined bytes as their controls."""
    found = {chr(b): b for b in undefined(page) if b > 0x7F}
    found.update({c: b for b, c in enumerate(characters(page)) if c and b > 0x7F})
    return found


def _whole(text: str, i: int, channel: Channel) -> tuple[int, str] | None:
    """(end, character) of a sequence at `i` that lost nothing, whatever character it is."""
    if len(channel.pages) > 1:
        return None
    back = _bytes_of(channel.pages[0])
    lead = back.get(text[i], 0)
    n = 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if 0xF0 <= lead < 0xF5 else 0
    if not n or i + n > len(text):
        return None
    try:
        char = bytes(back.get(c, 0) for c in text[i : i + n]).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return (i + n, char) if len(char) == 1 and unicodedata.category(char) not in ("Cn", "Co", "Cs") else None


def _edges(text: str, i: int, channel: Channel) -> dict[int, list[tuple[str, float]]]:
    """Damaged characters that may begin at `i`: by where they end, the candidates with the costs of their looks."""
    found: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for lead in openers(channel).get(text[i], ()):
        table = _candidates(channel, lead)
        for n in range(1, min(_longest(channel, lead), len(text) - i) + 1):
            for char, cost in table.get(text[i : i + n], ()):
                found[i + n].append((char, cost))
    whole = _whole(text, i, channel)
    if whole and whole[1] not in {c for c, _ in found.get(whole[0], ())}:
        found[whole[0]].append((whole[1], 0.0))
    return found


# Reading ------------------------------------------------------------------------------------------------------------


def _gain(before: str, char: str, style: _Style) -> float:
    return _likelihood(before[-TAIL:], char, style) + _quotes(before, char)


def _literal(text: str, context: str, style: _Style) -> float:
    """Log probability of text as it stands."""
    score = 0.0
    for c in text:
        score += _gain(context, c, style)
        context += c
    return score


Path = tuple["Path", _Piece] | None


@cache
def _own(channel: Channel) -> frozenset[str]:
    """The characters that a channel may show."""
    return frozenset("".join(seen for table in byte_looks(channel) for seen, _ in table))


def _decode(text: str, context: str, channel: Channel, style: _Style) -> _Reading | None:
    """The likeliest reading of damaged text; None where it has none."""
    own = _own(channel)
    beams: list[dict[str, tuple[float, str, Path]]] = [{} for _ in range(len(text) + 1)]
    beams[0][""] = (0.0, context, None)
    for i, here in enumerate(text):
        states = beams[i]
        if not states:
            continue
        beams[i] = {}
        top = max(state[0] for state in states.values())
        best = [state for state in states.values() if state[0] > top - HOPELESS]
        if len(best) > BEAM:
            best = sorted(best, key=lambda state: -state[0])[:BEAM]
        edges = _edges(text, i, channel) if here > "\x7f" else {}
        literal = 0.0 if here <= "\x7f" or here not in own else -LITERAL
        steps: list[tuple[int, list[tuple[str, float]], bool]] = [(i + 1, [(here, -literal)], False)]
        for end, chars in edges.items():
            steps.append((end, _likeliest(chars, best[0][1], style), True))
        for end, chars, damaged in steps:
            onward = beams[end]
            others = tuple(chars) if damaged else ()
            for char, cost in chars:
                piece = _Piece(i, end, char, damaged, others)
                for score, before, path in best:
                    total = score - cost + _gain(before, char, style)
                    after = before[-REACH:] + char
                    key = after[-5:]
                    if key not in onward or total > onward[key][0]:
                        onward[key] = (total, after, (path, piece))
    if not beams[-1]:
        return None
    score, _, path = max(beams[-1].values(), key=lambda state: state[0])
    pieces = []
    while path is not None:
        path, piece = path
        pieces.append(piece)
    return _Reading(tuple(reversed(pieces)), score)


def _likeliest(chars: list[tuple[str, float]], before: str, style: _Style) -> list[tuple[str, float]]:
    if len(chars) <= MOST:
        return chars
    return sorted(chars, key=lambda item: item[1] - _likelihood(before[-TAIL:], item[0], style))[:MOST]


def _shares(pieces: tuple[_Piece, ...], at: int, context: str, style: _Style) -> list[tuple[float, str]]:
    """How the candidates of one damaged character share the probability, all other characters as they were read."""
    piece = pieces[at]
    before = (context + "".join(p.char for p in pieces[max(0, at - 60) : at]))[-60:]
    after = "".join(p.char for p in pieces[at + 1 : at + 5])
    scores = []
    for char, cost in piece.others:
        scores.append((_gain(before, char, style) - cost + _literal(after, before + char, style), char))
    top = max(score for score, _ in scores)
    whole = sum(math.exp(score - top) for score, _ in scores)
    return sorted(((math.exp(score - top) / whole, char) for score, char in scores), reverse=True)


# Where to look ------------------------------------------------------------------------------------------------------


@cache
def _grammar(page: str) -> re.Pattern[str]:
    """The words of a page's bytes: groups 1 to 6 are sequences worth 3, 2, 1, 1, 0 and -1."""
    table = characters(page)

    def chars(values: Iterable[int]) -> str:
        kept = [table[b] or chr(b) for b in values]
        return "".join(re.escape(c) for c in kept) + ("\ufffd" if values == range(0x80, 0xC0) else "")

    two, three, four = chars(range(0xC2, 0xE0)), chars(range(0xE0, 0xF0)), chars(range(0xF0, 0xF5))
    tail = chars(range(0x80, 0xC0))
    other = chars(range(0x80, 0x100))
    return re.compile(
        f"([{four}][{tail}]{{3}})|([{three}][{tail}]{{2}})|([{two}][{tail}])"
        f"|([{three}][{tail}]|[{four}][{tail}]{{2}})|([{four}][{tail}]?|[{two}{three}])|([{other}])"
    )


_WORTH = (0, 3, 2, 1, 1, 0, -1)
_WORD = re.compile(r"[^ \t\r\n]+")
_LONE = re.compile("(?<=[a-z])[ÃÄÅÂ](?![A-ZÀ-Þ])")
_LONELY_PAGES = ("windows-1252", "windows-1254", "windows-1258", "latin-1", "latin-9")


def _balance(word: str, page: str) -> int:
    """What a page explains of a word, less what it leaves over."""
    if word.isascii():
        return 0
    loses = len(undefined(page)) > 0 or "\xad" in characters(page)
    total = 0
    for match in _grammar(page).finditer(word):
        group = match.lastindex or 0
        total += _WORTH[group] if loses or group < 4 else -1
    if page in _LONELY_PAGES and _LONE.search(word):
        total += 1
    return total


def _lone(word: str, page: str) -> bool:
    """Whether a word holds a lead byte's character by itself and nothing that a page cannot explain."""
    groups = {match.lastindex for match in _grammar(page).finditer(word)}
    return 5 in groups and 6 not in groups


def _spans(line: str, page: str, bold: bool = False) -> list[_Span]:
    """Stretches of a line from one word that a page explains to the next, with nothing between that it does not.

    A word whose only damage is a lone lead character belongs to a stretch, but makes one only where `bold` says so.
    """
    spans: list[_Span] = []
    start = end = -1
    quiet = 0
    sure = bold
    for match in _WORD.finditer(line):
        balance = _balance(match[0], page)
        if balance > 0 or (balance == 0 and not match[0].isascii() and _lone(match[0], page)):
            if start < 0:
                start = match.start()
                sure = bold
            sure = sure or balance > 0
            end = match.end()
            quiet = 0
            continue
        quiet += 1
        if start >= 0 and (balance < 0 or quiet > 8):
            if sure:
                spans.append(_Span(start, end))
            start = -1
    if start >= 0 and sure:
        spans.append(_Span(start, end))
    return [_wide(line, span) for span in spans]


def _wide(line: str, span: _Span) -> _Span:
    """Take in neighbours that are damage without a sign of their own: a lone lead character beside the span."""
    start, end = span.start, span.end
    while start > 0 and line[start - 1] > "\x7f":
        start -= 1
    while end < len(line) and line[end] > "\x7f":
        end += 1
    return _Span(start, end)


_KANA = re.compile("[\u3041-\u30ff]")


def _style_counts(text: str, channel: Channel) -> Counter[str]:
    """What the characters that lost nothing say: how many kana, and traditional and simplified Han characters."""
    counts: Counter[str] = Counter()
    i = 0
    while i < len(text):
        whole = _whole(text, i, channel) if text[i] > "\x7f" else None
        if whole is None:
            i += 1
            continue
        i, char = whole
        name = script(char)
        if name == "jpan":
            counts["kana"] += 1
        elif name == "hani":
            counts["han"] += 1
            simple = chinese()[0].get(char, char)
            if simple != char:
                counts["traditional"] += 1
            elif char in _respelled() and chinese()[1].get(char + char, -9.0) < -2.0:
                counts["simplified"] += 1
    return counts


def _style(here: Counter[str], around: Counter[str], latin: str) -> _Style:
    if here["kana"] or (not here["simplified"] and around["kana"] > around["han"] / 4):
        return _Style("jpan", latin=latin)
    told = here["traditional"] - here["simplified"]
    if abs(told) < 2:
        told = around["traditional"] - around["simplified"]
    return _Style("hani", told > 0, latin)


# Whole texts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A span read through a channel, and how much likelier that is than the original."""

    start: int
    end: int
    reading: _Reading
    style: _Style
    channel: Channel
    margin: float
    context: str


def _alive(text: str) -> str:
    """Those fragile characters that the text still shows."""
    controls = "\x80" if re.search("[\x80-\x9f]", text) else ""
    return controls + "".join(c for c in "\xa0\xad\ufffd" if c in text)


def _read(text: str, pages: tuple[str, ...], lines: list[_Span], taken: list[_Found] | None = None) -> list[_Found]:
    """Read every suspicious stretch of the lines through one channel.

    With `taken`, what was found before, boldly: lone lead characters too, wherever nothing is taken yet.
    """
    outer = pages[-1]
    stretches = []
    for line in lines:
        for span in _spans(text[line.start : line.end], outer, bold=taken is not None):
            start, end = line.start + span.start, line.start + span.end
            if not any(f.start < end and start < f.end for f in taken or ()):
                stretches.append(_Span(start, end))
    if not stretches:
        return []
    channel = Channel(pages, _alive("".join(text[s.start : s.end] for s in stretches)))
    latin = latin_language("\n".join(text[line.start : line.end] for line in lines))
    around: Counter[str] = Counter()
    each = []
    for s in stretches:
        each.append(_style_counts(text[s.start : s.end], channel))
        around.update(each[-1])
    found = []
    for s, counts in zip(stretches, each, strict=True):
        style = _style(counts, around, latin)
        context = text[max(text.rfind("\n", 0, s.start), s.start - TAIL, 0) : s.start] or "\n"
        end = s.end
        while end < len(text) and end < s.end + 4 and text[end] not in "\r\n" and text[end] < "\x80":
            end += 1
        piece = text[s.start : end]
        reading = _decode(piece, context, channel, style)
        if reading is None or not any(p.damaged for p in reading.pieces):
            continue
        plain = max(_literal(piece, context, other) for other in {_Style(), style})
        found.append(_Found(s.start, end, reading, style, channel, reading.score - plain, context))
    return found


def _suspicious(text: str) -> list[_Span]:
    """The lines in which the gate finds something."""
    if text.isascii():
        return []
    pattern = any_gate()
    lines = []
    done = 0
    while match := pattern.search(text, done):
        start = text.rfind("\n", 0, match.start()) + 1
        done = text.find("\n", match.start()) + 1 or len(text)
        lines.append(_Span(start, done))
    return lines


def _lines(text: str) -> list[_Span]:
    """Every line that is not plain ASCII."""
    spans = []
    start = 0
    for line in text.split("\n"):
        if not line.isascii():
            spans.append(_Span(start, start + len(line)))
        start += len(line) + 1
    return spans


def repair_text(text: str) -> Repair:
    """Put back what was UTF-8 and read in a wrong code page, and leave everything else alone.

    `text` is a field or a whole file; healthy and damaged lines and words may stand side by side.

    >>> repair_text("Ã¼ber cafÃ©s – “schön”").text
    'über cafés – “schön”'
    """
    lines = _suspicious(text)
    if not lines:
        return Repair(text)
    found = _choose(text, lines)
    if not found:
        return Repair(text)
    edits = [edit for f in sorted(found, key=lambda f: f.start) for edit in _edits(text, f)]
    return Repair(replay(text, edits), tuple(edits))


def _inner(text: str, lines: list[_Span], outer: str) -> list[str]:
    """The pages through which text may have gone before `outer`: what `outer` reads must look like damage of theirs."""
    back = _bytes_of(outer)
    once = "".join(
        bytes(b for c in text[line.start : line.end] if (b := back.get(c, ord(c) if c < "\x80" else 0))).decode(
            "utf-8", "ignore"
        )
        for line in lines
    )
    strange = [c for c in once if c > "\x7f"]
    together = sum(len(run) for run in re.findall("[^\x00-\x7f]{2,}", once))
    if 2 * together < len(strange):
        return []
    pages = [page for page in CODECS if 10 * sum(c in _bytes_of(page) for c in strange) > 9 * len(strange)]
    return sorted(pages, key=lambda page: (page != outer, -len(gate(page).findall(once))))[:3]


def _choose(text: str, lines: list[_Span]) -> list[_Found]:
    """The stretches to put back.

    The page that explains the most is read first; the lines that it leaves suspicious are asked again, since a file
    may be put together from lines of different histories.
    """
    chosen: list[_Found] = []
    for _ in range(ROUNDS):
        found = _best(text, lines)
        if not found:
            break
        chosen += found
        if sum(f.margin for f in found) > BEYOND_DOUBT:
            rest = _read(text, found[0].channel.pages, _lines(text), taken=chosen)
            chosen += [f for f in rest if f.margin >= MARGIN_BOLD]
        lines = [line for line in lines if not any(line.start <= f.start < line.end for f in chosen)]
        if not lines:
            break
    return chosen


def _best(text: str, lines: list[_Span]) -> list[_Found]:
    """The stretches that the likeliest page, or pair of pages, explains."""
    explained = {page: counts for page in CODECS if (counts := _explained(text, lines, page))[0] > 0}
    if not explained:
        return []
    most = max(gross - over for gross, over in explained.values())
    near = [p for p, (gross, over) in explained.items() if gross - over >= most - max(3.0, 0.15 * gross)]
    pages = sorted(near, key=lambda page: explained[page][1] - explained[page][0])
    sample = lines
    size = 0
    for n, line in enumerate(lines):
        size += sum(c > "\x7f" for c in text[line.start : line.end])
        if size > SAMPLE:
            sample = lines[: n + 1]
            break
    chains: list[tuple[str, ...]] = [(page,) for page in pages[:5]]
    chains += [(inner, outer) for outer in pages[:2] for inner in _inner(text, sample, outer)]
    best: list[_Found] = []
    worth = 0.0
    for chain in chains:
        found = _read(text, chain, sample)
        total = sum(max(0.0, f.margin) for f in found)
        if total > worth + 0.5:
            worth, best = total, found
    if not best:
        return []
    if sample is not lines:
        best = _read(text, best[0].channel.pages, lines)
        worth = sum(max(0.0, f.margin) for f in best)
    return [f for f in best if f.margin >= _enough(text, f, worth - max(0.0, f.margin))]


def _enough(text: str, found: _Found, elsewhere: float) -> float:
    """The margin a stretch must reach, given what the same channel explains elsewhere in the text."""
    damaged = [piece for piece in found.reading.pieces if piece.damaged]
    guess = len(damaged) <= 3 and all(len(piece.others) > 1 for piece in damaged)  # nothing in it is sure
    if elsewhere > BEYOND_DOUBT * (5 if guess and len(found.channel.pages) > 1 else 1):
        return MARGIN_AGAIN
    if len(found.channel.pages) > 1:
        return math.inf if guess else MARGIN_TWICE
    if len(damaged) > 1:
        return MARGIN_GUESS if guess else MARGIN
    from ftfy.badness import is_bad  # here, because few texts come this far and importing ftfy takes a while

    before = text[found.start : found.end]
    if not is_bad(before) and not _LONE.search(before):
        return MARGIN_ODD
    return MARGIN_GUESS if guess else MARGIN_ALONE


def _explained(text: str, lines: list[_Span], page: str) -> tuple[int, int]:
    """(how much a page explains in all lines, how many characters of these lines it cannot hold)."""
    back = _bytes_of(page)
    gross = over = 0
    for line in lines:
        part = text[line.start : line.end]
        for span in _spans(part, page):
            gross += sum(_balance(word[0], page) for word in _WORD.finditer(part[span.start : span.end]))
        over += sum(c > "\x7f" and c not in back and c != "\ufffd" for c in part)
    return gross, over


def _edits(text: str, found: _Found) -> Iterator[Edit]:
    """The edits that make a reading: runs of certain characters together, each doubtful one by itself."""
    rule = found.channel.name
    run: list[_Piece] = []

    def flush() -> Iterator[Edit]:
        if run:
            start, end = run[0].start + found.start, run[-1].end + found.start
            yield Edit(start, end, text[start:end], "".join(p.char for p in run), rule, True)
            run.clear()

    pieces = found.reading.pieces
    for at, piece in enumerate(pieces):
        if not piece.damaged:
            yield from flush()
            continue
        if len(piece.others) == 1:
            run.append(piece)
            continue
        shares = _shares(pieces, at, found.context, found.style)
        share = next(s for s, c in shares if c == piece.char)
        if share >= SURE:
            run.append(piece)
            continue
        yield from flush()
        start, end = piece.start + found.start, piece.end + found.start
        before = text[start:end]
        rest = tuple(c for s, c in shares if s >= POSSIBLE and c != piece.char)[:8]
        if share < TOO_CLOSE:
            yield Edit(start, end, before, before, rule, False, (piece.char, *rest))
        else:
            yield Edit(start, end, before, piece.char, rule, False, rest)
    yield from flush()
