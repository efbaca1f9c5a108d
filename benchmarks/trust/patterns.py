"""Every regular expression of the program, as it is used, on text that says one thing ten thousand times.

    python benchmarks/trust/patterns.py

An expression such as `\\s*x$` that is searched for looks from each of ten thousand spaces to their end: the time grows
with the square of the text. Each is tried with the methods that the program calls it by (with all, where it is handed
on), on repeated signs, words and pieces of markup and of times, with an end that does not fit. It holds where each
takes less than a twentieth of a second, or gets no such text (`BOUNDED`). The last line says what was tried and what
held; exits with 1 where one did not.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import talksearch.cli
import talksearch.indexer
import talksearch.search

LENGTH, MOST_S, GIVEN_UP_S = 10_000, 0.05, 1.0
METHODS = ("search", "match", "fullmatch", "sub", "split", "findall", "finditer")
ONCE = ("match", "fullmatch")
UNITS = (
    *" \t\n01aAxé长:,.-_<&[({'\"*#>/=|♪@\\;?!»–…\u200b\ufeff\x00",
    "a ", " a", "a.", "a,", "a:", "a-", "a'", "a\n", "0:", "0.", "0,", "0 ", "0:00 ", "00:00:00", "00:00:00,000 --> ",
    "1. ", "1) ", " ,", "- ", " \n", "\n\n", "\r\n", "<a", "<a ", "</", "<!--", "<v ", "&a", "&#", "&#x", "[a", "[ ",
    "[0", "(a", "( ", "{\\", "{a", "\\n", "http://", "http://a ", "www.", "a@", "a.a", '"a', "«a", "A ", "A. ", "A: ",
    "Mr. ", "ab cd ",
)  # fmt: skip
BOUNDED = {
    "talksearch.indexer.mojibake.chinese_words._FOLLOWER": "what is our own",
    "talksearch.indexer.readers.json_moments._SPAN": "500 characters",
    "talksearch.indexer.readers.turn_heads._HEAD": "one blank in a row",
    "talksearch.indexer.talks.recordings._QUALITY": "the name of a file",
    "talksearch.indexer.talks.track_names._BRACKETED": "the name of a file",
    "talksearch.indexer.talks.track_names._BY_SERVICES": "the name of a file",
    "talksearch.indexer.text.boilerplate._BOILERPLATE": "lines of some length",
    "talksearch.indexer.text.damaged_clock._SPACE_AROUND_SIGN": "100 characters",
    "talksearch.indexer.text.damaged_clock._HALF_OF_DAY": "100 characters",
    "talksearch.indexer.text.damaged_clock._PART": "100 characters",
    "talksearch.indexer.text.damaged_clock._BETWEEN_PARTS": "100 characters",
    "talksearch.indexer.text.sites._COMPILED": "an address, of 2,000 characters",
    "talksearch.indexer.text.lone_names._PARENS": "twice as many characters as a name has",
    "talksearch.search.questions._PARTING": "a title, of 1,000 characters with one blank in a row",
}
"""Expressions that are given no such text, and what they are given."""


class _TooLongError(Exception):
    pass


def patterns() -> dict[str, re.Pattern[str] | re.Pattern[bytes]]:
    """Return every compiled expression of the program, by the module and the name that it was made under."""
    found: dict[object, str] = {}

    def look(value: object, name: str) -> None:
        if isinstance(value, re.Pattern):
            found.setdefault(value, name)
        elif isinstance(value, list | tuple | frozenset):
            for one in value:
                look(one, name)
        elif isinstance(value, Mapping):
            for one in value.values():
                look(one, name)

    for package in (talksearch.indexer, talksearch.search, talksearch.cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                for name, value in vars(importlib.import_module(module.name)).items():
                    look(value, f"{module.name}.{name}")
    return {f"{name} #{number}": pattern for number, (pattern, name) in enumerate(found.items())}  # type: ignore[misc]


def methods() -> Mapping[str, set[str]]:
    """Return the methods that the program calls expressions by, by their names; `handed on` where it does more.

    A name that begins with an underscore is that of its module alone: `talksearch.indexer.mirrors._ADDRESS`.
    """
    called: dict[str, set[str]] = defaultdict(set)
    for package in (talksearch.indexer, talksearch.search, talksearch.cli):
        root = Path(package.__path__[0])
        for path in root.rglob("*.py"):
            module = ".".join((package.__name__, *path.relative_to(root).with_suffix("").parts))
            direct = set()
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            for node in nodes:
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in METHODS:
                    called[known_by(module, node.value.id)].add(node.attr)
                    direct.add(node.value)
            for node in nodes:
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in direct:
                    called[known_by(module, node.id)].add("handed on")
    return called


def known_by(module: str, name: str) -> str:
    """Return the name that an expression is known by in all of the program."""
    return f"{module}.{name}" if name.startswith("_") else name


def _stop(*_: object) -> None:
    raise _TooLongError


def seconds(pattern: re.Pattern[str] | re.Pattern[bytes], method: str, text: str) -> float:
    """Return how long an expression takes for a text, in seconds of the processor; given up after `GIVEN_UP_S`."""
    given = text.encode() if isinstance(pattern.pattern, bytes) else text
    call = getattr(pattern, method)
    started = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, GIVEN_UP_S)
    try:
        if method == "sub":
            call(given[:0], given)
        elif method == "finditer":
            list(call(given))
        else:
            call(given)
    except _TooLongError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - started


def slow(pattern: re.Pattern[str] | re.Pattern[bytes], by: set[str]) -> Iterator[str]:
    """Yield the methods by which an expression is slow, each with the piece of text that makes it so."""
    for method in sorted(by):
        for unit in UNITS:
            repeated = (unit * LENGTH)[:LENGTH]
            took = max(seconds(pattern, method, f"{repeated}{end}") for end in ("", "\x01"))
            if took > MOST_S:
                yield f"{method} {unit!r} {took:.2f} s"
                break


def main() -> int:
    """Try all, and say what came of it."""
    signal.signal(signal.SIGVTALRM, _stop)
    called, tried, held = methods(), 0, 0
    for name, pattern in patterns().items():
        if name.partition(" ")[0] in BOUNDED:
            continue
        module, _, own = name.partition(" ")[0].rpartition(".")
        by = called[known_by(module, own)]
        anywhere = "handed on" in by or not by
        used = {"search", "fullmatch"} if anywhere else {one if one in ONCE else "search" for one in by}
        tried += 1
        wrong = list(slow(pattern, used))
        held += not wrong
        for one in wrong:
            print(f"{name}: {one}", flush=True)
    print(f"tried {tried}, held {held}")
    return 0 if held == tried else 1


if __name__ == "__main__":
    sys.exit(main())
