"""XML from outside as a small tree: entities are refused, and what stands before damage is kept.

Expat reads it, behind defusedxml. Of names only the part behind the prefix is kept: captions are written with every
prefix, with none, and with some that nobody declared.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from talksearch.indexer.errors import UnreadableError

_BLANKS = " \t\r\n\ufeff"
_DEEPEST = 100
"""Elements inside each other. Captions have about six."""
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)(?=[\s/>])")
_BEFORE_ROOT = (("<?", "?>"), ("<!--", "-->"))
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^<>\[]*(?:\[[^\]]*\]\s*)?>", re.IGNORECASE)
_SIGN = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&|<(?![A-Za-z_/!?])")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CUT_TAG = re.compile(r"<[^<>]*\Z")
_TAG = re.compile(r"<[^<>]*>")
_PREFIX = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):[A-Za-z]")


@dataclass(slots=True)
class Node:
    """An element: its name and attributes without prefixes, the line it begins on, its text and elements in order."""

    name: str
    attributes: dict[str, str]
    line: int
    parts: list[str | Node] = field(default_factory=list)

    def nodes(self) -> Iterator[Node]:
        """Yield the elements right inside."""
        return (part for part in self.parts if isinstance(part, Node))


class _Builder:
    """What expat hands over, put into a tree. The tree is there at any moment, also when the parser gives up."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []
        self.expat: Any = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        node = Node(_local(name), {_local(key): value for key, value in attributes.items()}, 0)
        node.line = self.expat.CurrentLineNumber
        if self.open:
            self.open[-1].parts.append(node)
        else:
            self.root = node
        self.open.append(node)
        if len(self.open) > _DEEPEST:
            raise UnreadableError(f"The XML is nested too deeply to be captions (line {node.line}).", "")

    def data(self, text: str) -> None:
        parts = self.open[-1].parts
        if parts and isinstance(parts[-1], str):
            parts[-1] += text
        else:
            parts.append(text)

    def end(self, _: str) -> None:
        self.open.pop()

    def close(self) -> None:
        """Nothing is left to do; the parser asks for it."""


def root_of(text: str) -> str:
    """Return the name of the outermost element without its prefix; empty where the text does not begin like XML.

    >>> root_of('<?xml version="1.0"?>\\n<!-- by hand --> <tt:tt xmlns:tt="x">'), root_of("<roger> hello"), root_of("a")
    ('tt', 'roger', '')
    """
    match = _ROOT.match(text, _root_at(text))
    return match[1] if match else ""


def parse(text: str) -> tuple[Node | None, tuple[str, ...]]:
    """Parse XML, as far as it goes.

    A bare `&` or `<`, names of signs that only HTML knows, control characters and prefixes that were not declared are
    put right. Behind other damage nothing is read. Returns the outermost element (None where there is none) and
    sentences about what was wrong, with the line.

    Raises:
        UnreadableError: it declares entities, or is nested more deeply than captions are.
    """
    root, problem = _parse(text)
    if problem is None:
        return root, ()
    whole = _CUT_TAG.sub("", text)
    mended = _put_right(whole)
    mended_root, remaining = _parse(mended)
    still_there = remaining is not None and remaining[1] == problem[1]
    notes = [_sentence(problem, "it was put right")] if mended != whole and not still_there else []
    if remaining:
        notes.append(_sentence(remaining, "only what stands before that was read"))
    return mended_root, tuple(notes)


def parse_documents(text: str, name: str) -> tuple[Node | None, tuple[str, ...], int]:
    """Parse XML that may be several documents, one behind the other, as segments of a stream are written into one file.

    Args:
        text: the file.
        name: of the outermost element of each, without its prefix.

    Returns:
        The first document, with what the others hold behind its own; the sentences of `parse`; how many there were.

    Raises as `parse` does.
    """
    ends = [match.end() for match in re.finditer(rf"</(?:[\w.-]+:)?{re.escape(name)}\s*>", text)]
    parts = [text[a:b] for a, b in pairwise([0, *ends, len(text)])]
    parts = [part for part in parts if part.strip()]
    if len(parts) < 2 or any(root_of(part.lstrip(_BLANKS)) != name for part in parts[1:]):
        return (*parse(text), 1)
    whole: Node | None = None
    damage: list[str] = []
    lines = 0
    for part in parts:
        document = part.lstrip(_BLANKS)
        lines += part.count("\n") - document.count("\n")
        root, problems = parse(document)
        damage += problems
        if root is not None:
            _move_down(root, lines)
            whole = whole or Node(root.name, root.attributes, root.line)
            whole.parts += root.parts
        lines += document.count("\n")
    return whole, tuple(damage), len(parts)


def _move_down(node: Node, lines: int) -> None:
    node.line += lines
    for child in node.nodes():
        _move_down(child, lines)


def _parse(text: str) -> tuple[Node | None, tuple[int, str] | None]:
    """Return the tree, and the line and kind of the first damage."""
    from defusedxml import DefusedXmlException  # 5 ms, which every other command would pay
    from defusedxml.ElementTree import ParseError, XMLParser

    builder = _Builder()
    parser = XMLParser(target=builder)
    builder.expat = parser.parser
    builder.expat.buffer_text = False  # what is in the buffer would be lost where the parser gives up
    try:
        # A text, not bytes: expat is told its encoding, whatever the declaration says.
        parser.feed(text)
        parser.close()
    except DefusedXmlException as error:
        raise UnreadableError(
            "The XML declares entities, which captions have no use for and which can grow without bound.",
            "Export the captions as VTT or SRT.",
        ) from error
    except ParseError as error:
        return builder.root, (error.position[0], str(error).partition(":")[0])
    return builder.root, None


def _sentence(problem: tuple[int, str], what: str) -> str:
    return f"The XML is damaged at line {problem[0]} ({problem[1]}); {what}."


def _put_right(text: str) -> str:
    text = _SIGN.sub(_sign, _NOT_XML.sub("", text))
    root = _ROOT.match(text, _root_at(text))
    if root is None:
        return text
    prefixes = {match[1] for tag in _TAG.finditer(text) for match in _PREFIX.finditer(tag[0])} - {"xml", "xmlns"}
    undeclared = sorted(prefix for prefix in prefixes if f"xmlns:{prefix}=" not in text)
    declared = "".join(f' xmlns:{prefix}="{prefix}"' for prefix in undeclared)
    return text[: root.end()] + declared + text[root.end() :]


def _sign(match: re.Match[str]) -> str:
    if match[0] == "<":
        return "&lt;"
    if match[0] == "&":
        return "&amp;"
    if match[1] in ("amp", "lt", "gt", "quot", "apos"):
        return match[0]
    unescaped = html.unescape(match[0])
    return f"&amp;{match[1]};" if unescaped == match[0] else html.escape(_NOT_XML.sub("", unescaped), quote=False)


def _root_at(text: str) -> int:
    """Return where the outermost element begins, behind declarations and comments."""
    position = 0
    while True:
        while position < len(text) and text[position] in _BLANKS:
            position += 1
        for begin, end in _BEFORE_ROOT:
            if text.startswith(begin, position) and (behind := text.find(end, position)) >= 0:
                position = behind + len(end)
                break
        else:
            doctype = _DOCTYPE.match(text, position) if text.startswith("<!", position) else None
            if doctype is None:
                return position
            position = doctype.end()


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]
