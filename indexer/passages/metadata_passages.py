"""What is written about a talk rather than said in it: its title, chapter titles and the sentences of its description.

These passages are called notes. They are searched like all others and lead to the talk; a chapter's note knows its
second. Link lists, diagrams, code, hashtags and calls to subscribe are no text. A description is untrusted and of any
shape: Markdown, bullet points, a machine's summary in another language than the talk's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from talksearch.indexer.records import Chapter, Field, Passage, Talk
from talksearch.indexer.text.chapters import chapters_in
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import has_unspaced, terms

from .passage_id import passage_id

_LONGEST = 60
"""Words that a note has at most, as a passage; a sentence that is longer is cut."""

_SHORTEST = 4
"""Terms that a sentence of a description has at least; "Website:" and "Key points" say nothing about a talk."""

_LINK = re.compile(
    r"(?:https?://|www\.)\S+|(?<!\S)[^\s@]+@\S+\.\w+|(?<!\w)@[\w.]+|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|ly|be)(?:/\S*)?"
)
"""An address on the web, of mail, or of a person."""

_HASHTAG = re.compile(r"(?<!\w)#\w+")
"""A hashtag."""

_TIME = re.compile(r"(?<!\d)(?:\d{1,2}:)?\d{1,3}:[0-5]\d(?!\d)")
"""A time as a list of chapters has it."""

_MARKUP = re.compile(
    r"\*{1,3}|_{2,3}|`+|~~|^\s*(?:#{1,6}\s|>\s|[-*+•▪►➤→✓✔★–—·]+\s+|(?:\d{1,2}|[A-Za-z])[.)]\s+)|!?\[|\]\([^)]*\)|\]"
)
"""Marks of Markdown, bullets and numbers of list items."""

_PICTURE = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\ufe0f\U0001f000-\U0001faff]+")
"""Arrows, symbols and emoji."""

_UNSPACED_END = re.compile(r"([。！？；][」』”’）]*)(?=\S)")
"""The end of a sentence in a script without spaces."""

_FENCE = re.compile(r"^\s*(?:```|~~~)")
"""The line that opens or closes a block of code."""

_OPENING = re.compile(r"^\s*<(\w*(?:diagram|mermaid|code|pre|script|style|svg)\w*)[^>]*>", re.IGNORECASE)
"""The opening tag of an element that holds no prose."""

_DIAGRAM = re.compile(
    r"^\s*(?:graph|flowchart|mindmap|sequenceDiagram|classDiagram|gantt|pie)\b(?:\s+(?:TD|TB|LR|RL|BT))?\s*;?\s*$"
)
"""The first line of a diagram in the language of Mermaid."""

_ARROW = re.compile(
    r"(?<!-)--+>|(?<!=)==+>|-\.->"
    r"|\w\s*(?:\[[^\]]{0,300}\]|\{[^}]{0,300}\}|\(\([^)]{0,300}\)\))\s*(?:--|==|;|$)"
)
"""An arrow between the nodes of a diagram, or a node of one."""

_BEGGING = re.compile(
    r"\b(?:subscrib\w*|follow (?:us|me|along)|like (?:and|&) (?:share|subscribe)|hit the (?:like|bell)|patreon"
    r"|affiliate|promo code|discount code|use code|sponsor(?:ed|s)? (?:by|of)|all rights reserved|copyright|©"
    r"|join (?:us|our) (?:on|discord|channel)|stay connected|business inquir\w+|abonn\w+|suscr[ií]b\w*|inscreva\w*"
    r"|iscriv\w+)\b|订阅|訂閱|チャンネル登録|구독",
    re.IGNORECASE,
)  # fmt: skip
"""What asks for subscriptions, follows or money, or says whose rights they are."""


def notes(talk: Talk) -> tuple[Passage, ...]:
    """Return what is written about a talk, as passages whose `field` says where it stands.

    A note's times are those of what it names: a chapter's, from its start to the next one's; 0 and 0 where nothing says
    which part of the talk is meant.
    """
    notes_by_id: dict[str, Passage] = {}
    for field, text, start_ms, end_ms in _written(talk):
        note = _note(talk, field, text, start_ms, end_ms)
        notes_by_id.setdefault(note.id, note)
    return tuple(notes_by_id.values())


def sentences(description: str) -> list[str]:
    """Return the sentences of a description that speak of the talk, in order.

    >>> sentences("**Idea:** clocks run slow on fast ships.\\n\\nMore: https://example.org/x\\n0:00 Hello there all")
    ['Idea: clocks run slow on fast ships.']
    """
    kept: list[str] = []
    for line in _prose(description):
        for sentence in _sentences(line):
            if _says_something(sentence) and sentence not in kept:
                kept += _cut(sentence)
    return kept


def _sentences(line: str) -> Iterator[str]:
    words = _UNSPACED_END.sub(r"\1 ", line).split()
    start = 0
    for end, word in enumerate(words, 1):
        # What goes on in small letters has not ended: `She asked "Why?" and left.`
        if end == len(words) or (ends_sentence(word) and not words[end][0].islower()):
            yield " ".join(words[start:end])
            start = end


def _written(talk: Talk) -> Iterator[tuple[Field, str, int, int]]:
    """Yield what is written about a talk: (where it stands, the text, its start and end in milliseconds)."""
    yield "title", talk.title, 0, 0
    chapters = talk.chapters or chapters_in(talk.description)
    for chapter, following in zip(chapters, [*chapters[1:], None], strict=bool(chapters)):
        yield "chapter", chapter.title, chapter.start_ms, _end(talk, chapter, following)
    for sentence in sentences(talk.description):
        yield "description", sentence, 0, 0


def _end(talk: Talk, chapter: Chapter, following: Chapter | None) -> int:
    talk_end_ms = talk.cues[-1].end_ms if talk.cues else chapter.start_ms
    return max(chapter.start_ms, following.start_ms if following else talk_end_ms)


def _note(talk: Talk, field: Field, text: str, start_ms: int, end_ms: int) -> Passage:
    return Passage(
        id=passage_id(talk.id, start_ms, text, field),
        talk_id=talk.id,
        start_ms=start_ms,
        end_ms=end_ms,
        first_cue=0,
        last_cue=-1,
        text=text,
        field=field,
    )


def _prose(description: str) -> Iterator[str]:
    """Yield the lines of a description that are sentences, without markup, links and pictures."""
    closing: str | None = None
    in_diagram = False
    for line in description.split("\n"):
        if closing:  # inside a code fence, or an element that holds no prose
            if re.match(closing, line, re.IGNORECASE):
                closing = None
            continue
        if _FENCE.match(line):
            closing = r"\s*(?:```|~~~)"
            continue
        if opening := _OPENING.match(line):
            closing = None if f"</{opening[1]}" in line else rf".*</{opening[1]}"
            continue
        # A diagram without a fence ends with an empty line.
        in_diagram = bool(_DIAGRAM.match(line)) or (in_diagram and bool(line.strip()))
        if in_diagram or _ARROW.search(line) or _TIME.match(line.lstrip(" ([-–—•*")):
            continue
        text = _PICTURE.sub(" ", _MARKUP.sub("", line))
        without_links = _HASHTAG.sub(" ", _LINK.sub(" ", text))
        # A line with an address mostly says where to click, and not what the talk is about.
        if without_links != text and len(terms(without_links)) < 2 * _SHORTEST:
            continue
        if not _BEGGING.search(without_links):
            yield without_links


def _says_something(text: str) -> bool:
    letters = sum(character.isalpha() for character in text)
    return letters * 2 > len(text) and len(terms(text)) >= _SHORTEST


def _cut(text: str) -> list[str]:
    """Cut a sentence that is longer than a passage."""
    if has_unspaced(text):
        size = 2 * _LONGEST  # a character counts as half a word
        return [text[start : start + size] for start in range(0, len(text), size)]
    words = text.split()
    return [" ".join(words[start : start + _LONGEST]) for start in range(0, len(words), _LONGEST)]
