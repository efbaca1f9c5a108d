"""Choosing a hit with the keyboard: in fzf, in the list of our own, and what opens then."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from fakes import CountingEncoder
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from tiny import make_index

from talksearch.cli import pick
from talksearch.cli.main import cli
from talksearch.cli.pick import Choice
from talksearch.cli.terminal import Style
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.pipeline.run import build_index

PLAIN = Style(color=False, links=False, width=80)

HOSTILE = "$(touch pwned) `touch pwned` '; touch pwned; ' \x1b]0;owned\x07 \0 end"


def hit(rank: int = 1, **other: Any) -> dict[str, Any]:
    row = {
        "rank": rank, "title": f"Talk {rank}", "speaker": "Ann", "channel": "Ann", "date": "2024-05-24",
        "jump_s": 754.5, "url": f"https://example.org/{rank}?t=754", "timing": "exact", "margin_s": 0.0,
        "text": "the ship comes home late", "grade": "strong", "said_by": None,
        "marks": [{"start": 4, "end": 8, "kind": "said"}],
    }  # fmt: skip
    return {**row, **other}


def choices(*hits: dict[str, Any]) -> list[Choice]:
    return pick.choices_of("".join(json.dumps(row) + "\n" for row in hits), PLAIN)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH; a program in it writes down what it was called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("BROWSER", raising=False)
    for name in ("cat", "sh", "touch"):
        (folder / name).symlink_to(f"/bin/{name}")
    return folder


def program(folder: Path, name: str, code: str = "") -> None:
    path = folder / name
    said = folder.parent / f"{name}.json"
    path.write_text(
        f"#!{sys.executable}\nimport json, os, subprocess, sys\n"
        f"open({str(said)!r}, 'w').write(json.dumps(sys.argv[1:]))\n{code}\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def called_with(folder: Path, name: str) -> list[str]:
    path = folder.parent / f"{name}.json"
    return [str(argument) for argument in json.loads(path.read_text())] if path.exists() else ["(not called)"]


FZF_THAT_TAKES = """
items = sys.stdin.buffer.read().split(b"\\0")
preview = sys.argv[sys.argv.index("--preview") + 1]
item = items[{place}]
number = item.split(b"\\t")[0].decode()
seen = subprocess.run(preview.replace("{{1}}", "'" + number + "'"), shell=True, capture_output=True,
                      executable=os.environ["SHELL"])
open({seen!r}, "wb").write(seen.stdout + seen.stderr)
sys.stdout.buffer.write(item + b"\\n")
"""


# -------------------------------------------------------------------------------------------------------- what is shown


def test_a_choice_says_what_when_and_who() -> None:
    (exact,) = choices(hit())
    assert exact.line == " 1.     12:34  Talk 1"
    assert exact.preview.split("\n") == [
        "Talk 1",
        "Ann · 2024-05-24 · 12:34 · strong match",
        "",
        "the «ship» comes home late",
        "",
        "https://example.org/1?t=754",
    ]
    (estimated,) = choices(hit(timing="estimated", margin_s=20.0, jump_s=60, grade=None, said_by="Ben", marks=[]))
    assert "~1:00  Talk 1" in estimated.line
    assert "~1:00 (±20 s)" in estimated.preview
    assert "— Ben" in estimated.preview


def test_a_choice_says_what_a_track_in_the_askers_language_says() -> None:
    beside = {"language": "de", "text": "Das \x1bSchiff", "start_s": 1.0, "end_s": 2.0, "origin": "translated"}
    assert "[German, translated by a machine] Das Schiff\n" in choices(hit(beside=beside))[0].preview


def test_nothing_of_a_talk_acts_on_the_terminal() -> None:
    (choice,) = choices(hit(title=HOSTILE, text=HOSTILE, speaker=HOSTILE, said_by=HOSTILE, marks=[]))
    shown = choice.line + choice.preview
    assert "touch pwned" in shown
    assert not any(ord(character) < 32 for character in shown.replace("\n", ""))


# -------------------------------------------------------------------------------------------------------------- fzf


def test_fzf_gets_the_hits_and_says_which(programs: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program(programs, "fzf", FZF_THAT_TAKES.format(place=1, seen=str(seen)))
    chosen = pick.pick(choices(hit(1), hit(2, text="the second text", marks=[])))
    assert chosen is not None
    assert chosen.url == "https://example.org/2?t=754"
    assert "the second text" in seen.read_text()
    assert "--read0" in called_with(programs, "fzf")


def test_no_text_of_a_talk_is_in_a_command(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "it's $(touch pwned) here"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    monkeypatch.chdir(tmp_path)
    seen = tmp_path / "seen"
    program(programs, "fzf", FZF_THAT_TAKES.format(place=0, seen=str(seen)))
    hostile = hit(1, title=HOSTILE, text=HOSTILE, url=f"https://example.org/{'$(touch pwned)'}", marks=[])
    assert pick.pick(choices(hostile, hit(2))) is not None
    assert "$(touch pwned)" in seen.read_text()
    assert not any(path.name == "pwned" for path in tmp_path.rglob("*"))
    assert list(odd.iterdir()) == []
    assert "end" not in " ".join(called_with(programs, "fzf"))


@pytest.mark.parametrize("code", [1, 130])
def test_leaving_fzf_chooses_nothing(code: int, programs: Path) -> None:
    program(programs, "fzf", f"sys.exit({code})")
    assert pick.pick(choices(hit())) is None


@pytest.mark.parametrize("code", ["sys.exit(2)", "print('something else')", "print('7\\tno such hit')"])
def test_an_fzf_that_fails_is_told(code: str, programs: Path) -> None:
    program(programs, "fzf", code)
    with pytest.raises(TalksearchError, match=r"fzf ended with \d and chose nothing\."):
        pick.pick(choices(hit()))


# ---------------------------------------------------------------------------------------------- the list of our own


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("\r", 0),
        ("\x1b[B\r", 1),
        ("jj\r", 2),
        ("\x1b[B\x1b[B\x1b[B\x1b[B\x1b[A\r", 1),
        ("\x1b[F\x1b[H\r", 0),
        ("\x1b[6~\r", 2),
        ("q", None),
        ("\x1b", None),
        ("\x03", None),
    ],
)
def test_keys_choose(keys: str, place: int | None) -> None:
    with create_pipe_input() as pipe:
        pipe.send_text(keys)
        three = choices(hit(1), hit(2), hit(3))
        assert pick.chooser(three, keys=pipe, screen=DummyOutput()).run() == place


# --------------------------------------------------------------------------------------------------------- what opens


def test_a_link_of_the_web_opens_in_the_browser(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    program(programs, "mpv")
    pick.open_choice(choices(hit())[0], "auto")
    assert opened == ["https://example.org/1?t=754"]
    assert called_with(programs, "mpv") == ["(not called)"]


@pytest.mark.parametrize(
    ("installed", "player", "called", "arguments"),
    [
        (("mpv", "vlc"), "auto", "mpv", ["--force-window=yes", "--start=754.5", "/talks/a b.mp4"]),
        (("vlc",), "auto", "vlc", ["--start-time=754.5", "/talks/a b.mp4"]),
        (("mpv", "vlc"), "vlc", "vlc", ["--start-time=754.5", "/talks/a b.mp4"]),
    ],
)
def test_a_recording_here_opens_in_a_player_at_its_second(
    installed: tuple[str, ...], player: pick.Player, called: str, arguments: list[str], programs: Path
) -> None:
    for name in installed:
        program(programs, name)
    pick.open_choice(choices(hit(url="file:///talks/a%20b.mp4#t=754.5"))[0], player)
    assert called_with(programs, called) == arguments


def test_a_recording_of_the_web_opens_in_a_player_that_was_asked_for(programs: Path) -> None:
    program(programs, "mpv")
    pick.open_choice(choices(hit())[0], "mpv")
    assert called_with(programs, "mpv")[1:] == ["--start=754.5", "https://example.org/1?t=754"]


@pytest.mark.parametrize("url", ["file:///talks/a.vtt#t=754", "file:///talks/a.mp4#t=754"])
def test_what_no_player_opens_the_browser_does(url: str, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def opens(link: str) -> bool:
        opened.append(link)
        return True

    monkeypatch.setattr(webbrowser, "open", opens)
    if url.endswith(".vtt#t=754"):
        program(programs, "mpv")
    pick.open_choice(choices(hit(url=url))[0], "auto")
    assert opened == [url]


def test_where_no_browser_is_the_file_opens_without_its_second(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    monkeypatch.setattr(click, "launch", opened.append)
    pick.open_choice(choices(hit(url="file:///talks/a%20b.mp4#t=754"))[0], "auto")
    assert opened == ["file:///talks/a%20b.mp4"]


def test_the_first_hit_is_opened_where_it_is_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    for name, address in (("good", "https://example.org/a"), ("bad", "ms-calculator:run")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.txt").write_text(
            f"Title: Ships\nURL: {address}\nContent: the ship comes home late", encoding="utf-8"
        )
        build_index(tmp_path / f"{name}-index", [folder], encoder=CountingEncoder())
        asked = ["search", "ship", "--mode", "lexical", "--open", "--index", str(tmp_path / f"{name}-index")]
        result = CliRunner().invoke(cli, asked)
        assert ("No recording of that talk is known." in result.output) == (name == "bad")
    assert opened == ["https://example.org/a#t=0"]


def test_what_cannot_be_opened_is_told(programs: Path) -> None:
    with pytest.raises(TalksearchError, match=r"vlc is not installed\."):
        pick.open_choice(choices(hit())[0], "vlc")
    program(programs, "mpv", "sys.exit(3)")
    with pytest.raises(TalksearchError, match=r"mpv ended with 3\."):
        pick.open_choice(choices(hit())[0], "mpv")
    for url in ("talk.vtt", "javascript:alert(1)", "--script=evil"):
        with pytest.raises(TalksearchError, match="No recording of that talk is known"):
            pick.open_choice(choices(hit(url=url))[0], "mpv")


# -------------------------------------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_index(tmp_path_factory.mktemp("pick"))


def at_a_terminal(arguments: list[str], keys: bytes, ready: bytes, environment: dict[str, str]) -> tuple[int, str]:
    """Run the command on a terminal of its own; the keys are struck when something stands on it."""
    terminal, side = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "talksearch.cli", *arguments],
        stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(side)
        written = b""
        try:
            while select.select([terminal], [], [], 60)[0]:
                try:
                    read = os.read(terminal, 65536)
                except OSError:  # the program has closed its side
                    break
                if not read:
                    break
                written += read
                if keys and ready in written:
                    os.write(terminal, keys)
                    keys = b""
            code = process.wait(60)
        finally:
            process.kill()
            os.close(terminal)
    return code, written.decode("utf-8", "replace")


@pytest.fixture
def environment(programs: Path, tmp_path: Path) -> dict[str, str]:
    program(programs, "xdg-open")
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG", "HOME") if name in os.environ}
    return {**kept, "PATH": str(programs), "TERM": "xterm", "TALKSEARCH_NO_SERVER": "1"}


ASK = ["ship", "--mode", "lexical", "--pick"]


def test_the_list_comes_up_on_a_terminal_and_what_is_chosen_opens(
    index: Path, programs: Path, environment: dict[str, str]
) -> None:
    code, screen = at_a_terminal([*ASK, "--index", str(index)], b"\r", b"Enter: open", environment)
    assert code == 0, screen
    assert "Ships" in screen
    if sys.platform == "linux":
        assert called_with(programs, "xdg-open")[0].startswith("https://example.org/ships")


def test_escape_leaves_and_opens_nothing(index: Path, programs: Path, environment: dict[str, str]) -> None:
    code, screen = at_a_terminal([*ASK, "--index", str(index)], b"\x1b", b"Enter: open", environment)
    assert code == 0, screen
    assert called_with(programs, "xdg-open") == ["(not called)"]


def test_fzf_is_taken_where_it_is(index: Path, programs: Path, environment: dict[str, str], tmp_path: Path) -> None:
    program(programs, "fzf", FZF_THAT_TAKES.format(place=0, seen=str(tmp_path / "seen")))
    program(programs, "mpv")
    arguments = [*ASK, "--player", "mpv", "--index", str(index)]
    code, screen = at_a_terminal(arguments, b"", b"", environment)
    assert code == 0, screen
    assert "ship" in (tmp_path / "seen").read_text()
    assert called_with(programs, "mpv")[2].startswith("https://example.org/ships")


def test_a_player_without_a_choice_is_a_wrong_call(index: Path) -> None:
    result = CliRunner().invoke(cli, ["ship", "--player", "mpv", "--index", str(index)])
    assert result.exit_code == 2
    assert "--player goes with --pick." in result.output


def test_without_a_terminal_it_is_a_wrong_call(index: Path) -> None:
    result = CliRunner().invoke(cli, [*ASK, "--index", str(index)])
    assert result.exit_code == 2
    assert "--pick needs a terminal to choose in." in result.output


@pytest.mark.parametrize("other", [["--open"], ["--queries", "-"]])
def test_it_goes_with_one_query(other: list[str], index: Path) -> None:
    query = ASK if other == ["--open"] else ["search", "--pick"]
    result = CliRunner().invoke(cli, [*query, *other, "--index", str(index)], input="")
    assert result.exit_code == 2
    assert "--pick goes with one query, and not with --queries or --open." in result.output
