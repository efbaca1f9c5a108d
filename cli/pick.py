"""Choosing a hit with the keyboard, and opening it at its second.

Hits come as JSON lines of the command contract, because a running server gives no others. `fzf` lets choose where it is
installed, because its users know its keys; else a list of our own does.

Transcripts are untrusted: nothing of them ever stands in a command. `fzf` gets the hits on its standard input, and what
shows one beside the list reads a file whose name is a number.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Json
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import is_linkable, safe
from talksearch.search.hit import Beside, beside_label

from .options import PLAYERS, Player
from .render import common
from .terminal import Style, open_in_browser, wrap

if TYPE_CHECKING:
    from prompt_toolkit import Application
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

_STOPPED, _NOTHING_LEFT = 130, 1
"""How fzf ends when it is left with Escape, and when no hit is left to choose."""

_LOCAL_PLAYERS: tuple[Player, ...] = ("mpv", "vlc")
"""What recordings on this machine are opened in, the first that is installed."""

_PAGE = 10
"""Hits that Page Up and Page Down pass over."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A hit that can be chosen."""

    url: str
    jump_s: float
    line: str
    """Rank, time, title: plain text without control characters."""
    preview: str
    """What is said there, for a person to read; it may hold colours, and nothing else that acts on a terminal."""


def choices_of(hits: str, style: Style) -> list[Choice]:
    """Return what can be chosen among hits, given as JSON lines of the command contract."""
    return [_choice(json.loads(line), style) for line in hits.split("\n") if line]


def require_terminal() -> None:
    """Raise UsageError of click where nobody can choose."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("--pick needs a terminal to choose in. Without one, print the hits or use --open.")


def pick(choices: Sequence[Choice]) -> Choice | None:
    """Let the user choose; None where the choice was left with Escape. Raises TalksearchError where fzf fails."""
    fzf = shutil.which("fzf") if os.name == "posix" else None
    if fzf is not None:
        return _pick_with_fzf(fzf, choices)
    place: int | None = chooser(choices).run()
    return None if place is None else choices[place]


def open_choice(choice: Choice, player: Player) -> None:
    """Open a hit at its second, and wait for a player to end. Raises TalksearchError where it cannot be opened."""
    if not is_linkable(choice.url):
        raise TalksearchError("No recording of that talk is known.", "Its transcript can be read: talksearch show")
    recording = _recording(choice.url)
    program = _program(player, is_recording=recording is not None)
    if program == "browser":
        open_in_browser(choice.url)
        return
    start = "--start-time" if program == "vlc" else "--start"
    found = shutil.which(program)
    if found is None:
        raise TalksearchError(f"{program} is not installed.", f"Install it, or choose another: {', '.join(PLAYERS)}.")
    window = ["--force-window=yes"] if program == "mpv" else []  # a sound alone would have none, and no keys
    ended = subprocess.run([found, *window, f"{start}={choice.jump_s:g}", recording or choice.url], check=False)  # noqa: S603
    if ended.returncode:
        raise TalksearchError(f"{program} ended with {ended.returncode}.", "What it said stands above.")


def chooser(
    choices: Sequence[Choice], *, keys: Input | None = None, screen: Output | None = None
) -> Application[int | None]:
    """Return the list of our own; run, it returns the place of what was chosen, or None.

    `keys` and `screen` take the terminal's place.
    """
    from prompt_toolkit import Application
    from prompt_toolkit.formatted_text import ANSI, AnyFormattedText
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
    from prompt_toolkit.layout.dimension import Dimension

    at = 0
    bindings = KeyBindings()

    def shown_list() -> AnyFormattedText:
        return [
            ("reverse [SetCursorPosition]" if place == at else "", f" {choice.line} \n")
            for place, choice in enumerate(choices)
        ]

    def move(by: int) -> None:
        nonlocal at
        at = max(0, min(len(choices) - 1, at + by))

    for name, by in (
        ("up", -1), ("c-p", -1), ("k", -1), ("down", 1), ("c-n", 1), ("j", 1), ("pageup", -_PAGE), ("pagedown", _PAGE),
        ("home", -len(choices)), ("end", len(choices)),
    ):  # fmt: skip
        bindings.add(name)(lambda _, by=by: move(by))

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(result=at)

    @bindings.add("escape", eager=True)
    @bindings.add("c-c")
    @bindings.add("q")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    keys_line = " Up, Down: choose   Enter: open   Esc: leave "
    layout = HSplit(
        [
            Window(FormattedTextControl(shown_list, focusable=True), height=Dimension(min=1, max=len(choices))),
            Window(height=1, char="─"),
            Window(FormattedTextControl(lambda: ANSI(choices[at].preview)), height=Dimension(min=5), wrap_lines=True),
            Window(FormattedTextControl(keys_line, style="reverse"), height=1),
        ]
    )
    app: Application[int | None] = Application(
        Layout(layout), key_bindings=bindings, full_screen=True, input=keys, output=screen
    )
    app.ttimeoutlen = 0.05  # Escape alone is not the beginning of anything
    return app


def _choice(hit: dict[str, Json], style: Style) -> Choice:
    time = f"{common.mark(hit['timing'])}{show_clock(round(hit['jump_s'] * 1000))}"
    margin = f" (±{hit['margin_s']:.0f} s)" if hit["timing"] == "estimated" else ""
    by = dict.fromkeys(filter(None, (hit["speaker"], hit["channel"], hit["date"])))
    grade = f"{hit['grade']} match" if hit["grade"] else ""
    title = safe(hit["title"])
    facts = " · ".join(filter(None, (*map(safe, by), f"{time}{margin}", grade)))
    marks = hit["marks"]
    said = wrap(
        hit["text"],
        [(mark["start"], mark["end"]) for mark in marks],
        style,
        "",
        marks[0]["kind"] if marks else "said",
    )
    voice = [f"— {safe(hit['said_by'])}"] if hit["said_by"] else []
    beside = ["", _beside(hit["beside"], style)] if hit.get("beside") else []
    heading = click.style(title, bold=True) if style.color else title
    preview = "\n".join([heading, facts, "", said, *voice, *beside, "", safe(hit["url"])])
    return Choice(hit["url"], hit["jump_s"], f"{hit['rank']:>2}. {time:>9}  {title}", preview)


def _beside(beside: dict[str, Json], style: Style) -> str:
    label = beside_label(Beside(beside["language"], beside["text"], 0, 0, beside["origin"]))
    return wrap(f"[{label}] {beside['text']}", (), style, "")


def _pick_with_fzf(fzf: str, choices: Sequence[Choice]) -> Choice | None:
    with tempfile.TemporaryDirectory(prefix="talksearch-") as folder:
        for place, choice in enumerate(choices):
            (Path(folder) / str(place)).write_text(f"{choice.preview}\n", encoding="utf-8")
        chosen = subprocess.run(  # noqa: S603 - none of the arguments comes from a transcript
            [
                fzf, "--read0", "--ansi", "--no-multi", "--no-sort", "--layout=reverse", "--delimiter=\t",
                "--with-nth=2..", "--preview", f"cat {shlex.quote(folder)}/{{1}}", "--preview-window=down,60%,wrap",
                "--prompt=Open: ",
            ],
            input="\0".join(f"{place}\t{choice.line}" for place, choice in enumerate(choices)).encode(),
            stdout=subprocess.PIPE,
            env={**os.environ, "SHELL": "/bin/sh"},  # which runs the preview, and for which it is written
            check=False,
        )  # fmt: skip
    if chosen.returncode in (_STOPPED, _NOTHING_LEFT):
        return None
    number = chosen.stdout.partition(b"\t")[0].decode("ascii", "replace")
    if chosen.returncode or not number.isdecimal() or int(number) >= len(choices):
        raise TalksearchError(
            f"fzf ended with {chosen.returncode} and chose nothing.", "FZF_DEFAULT_OPTS may ask it for something else."
        )
    return choices[int(number)]


def _recording(url: str) -> str | None:
    """Return the path of a recording on this machine; None for what is none, such as a page or a transcript."""
    from talksearch.indexer.talks.track_names import RECORDINGS  # only who has chosen waits for it

    parts = urlsplit(url)
    path = url2pathname(parts.path)
    return path if parts.scheme == "file" and path.lower().endswith(tuple(f".{one}" for one in RECORDINGS)) else None


def _program(player: Player, *, is_recording: bool) -> Player:
    """Return what a hit is opened in."""
    if player != "auto":
        return player
    if not is_recording:
        return "browser"
    return next((known for known in _LOCAL_PLAYERS if shutil.which(known)), "browser")
