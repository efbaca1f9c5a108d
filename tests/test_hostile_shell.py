"""Every command in every situation that a shell can put it in ends in a sentence: never a traceback, never a hang."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny import make_index

from talksearch.cli.failures import sentence_for
from talksearch.indexer.errors import QueryError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the situations are those of a POSIX shell")

TALKSEARCH = f"{sys.executable} -m talksearch.cli"

COMMANDS = {
    "search": "search bee --mode lexical -k 50",
    "talks": "talks",
    "show": "show bees",
    "stats": "stats",
    "inspect": "inspect talks",
    "export": "export bees --format srt",
    "remove": "remove no-such-talk",
    "doctor": "doctor --check",
    "repair": "repair words.txt",
    "help": "--help",
}
"""Commands that end by themselves, in about a second."""

STREAMS = {
    "nobody reads on": "{} | true",
    "the output is full": "{} > /dev/full",
    "what is said is full": "{} 2> /dev/full",
    "no output": "{} >&-",
    "nothing at all": "{} <&- >&- 2>&-",
}

CATALOGS = {
    "zeroed": "a catalog of which the middle is gone",
    "folder": "a folder by its name",
    "pipe": "a pipe by its name",
    "loop": "a link to itself",
}

SHELLS = {
    "few files": "ulimit -n 16; {}",
    "no home": "env -u HOME -u TALKSEARCH_CACHE {}",
    "no folder to stand in": "mkdir gone && cd gone && rmdir ../gone; {}",
    "no locale": "env LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING=ascii:strict {}",
    "one column": "env COLUMNS=1 {}",
    "no folder for temporary files": "env TMPDIR=/nonexistent {}",
    "a home that nobody can write to": "env -u TALKSEARCH_CACHE HOME=/proc {}",
    "files that everybody may write": "umask 0; {}",
}

Ran = subprocess.CompletedProcess[str]


def run(line: str, folder: Path) -> Ran:
    environment = os.environ | {"TALKSEARCH_INDEX": str(folder / "index"), "TALKSEARCH_NO_SERVER": "1"}
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def run_all(lines: list[str], folder: Path) -> list[Ran]:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(lambda line: run(line, folder), lines))


def is_told(ran: Ran) -> bool:
    """Say whether a command ended as one should: with an exit code of the contract, and no traceback."""
    said = ran.stdout + ran.stderr
    return ran.returncode in (0, 1, 2) and not any(
        sign in said for sign in ("Traceback", "Exception ignored", "fault of talksearch", "Fatal Python error")
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    make_index(folder)
    (folder / "words.txt").write_text("caf\u00c3\u00a9\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("situation", [*STREAMS, *SHELLS])
def test_every_command_ends_in_a_sentence(situation: str, folder: Path) -> None:
    form = (STREAMS | SHELLS)[situation]
    lines = [form.format(f"{TALKSEARCH} {command}") for command in COMMANDS.values()]
    assert [(ran.args, ran.returncode, ran.stderr) for ran in run_all(lines, folder) if not is_told(ran)] == []


def test_a_full_output_is_told(folder: Path) -> None:
    ran = run(f"{TALKSEARCH} talks > /dev/full", folder)
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (
        1,
        "talksearch: What is printed cannot be written: No space left on device.",
    )


@pytest.mark.parametrize("kind", CATALOGS)
def test_no_catalog_ends_a_command_in_a_traceback(kind: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "talks", tmp_path / "talks")
    index = tmp_path / "index"
    shutil.copytree(folder / "index", index)
    catalog = index / "catalog.sqlite3"
    with sqlite3.connect(catalog) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = catalog.read_bytes()
    catalog.unlink()
    if kind == "zeroed":
        third = len(whole) // 3
        catalog.write_bytes(whole[:third] + bytes(third) + whole[2 * third :])
    elif kind == "folder":
        catalog.mkdir()
    elif kind == "pipe":
        os.mkfifo(catalog)
    else:
        catalog.symlink_to(catalog.name)
    lines = [f"{TALKSEARCH} {COMMANDS[name]}" for name in ("search", "talks", "show", "stats", "export", "doctor")]
    assert [(ran.args, ran.returncode, ran.stderr) for ran in run_all(lines, tmp_path) if not is_told(ran)] == []


def test_names_that_are_not_utf8_are_read_and_shown(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "\udce9t\udce9.txt").write_text("Every bee knows when rain is near. " * 20)
    name = "$'\\xe9t\\xe9.txt'"
    lines = [f"{TALKSEARCH} {command} {name}" for command in ("inspect", "repair", "show", "search --mode lexical")]
    lines.append(f"LC_ALL=C PYTHONUTF8=0 {lines[0]}")
    for ran in run_all(lines, tmp_path):
        assert is_told(ran), (ran.args, ran.stderr)


@pytest.mark.parametrize("wait_s", [0.02, 0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("command", ["inspect talks", "search bee --mode lexical", "doctor --check"])
def test_ctrl_c_ends_a_command_quietly_whenever_it_comes(command: str, wait_s: float, folder: Path) -> None:
    environment = os.environ | {"TALKSEARCH_INDEX": str(folder / "index"), "TALKSEARCH_NO_SERVER": "1"}
    line = [sys.executable, "-m", "talksearch.cli", *command.split()]
    with subprocess.Popen(
        line, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        time.sleep(wait_s)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    # Python that starts, or the first line of talksearch that is imported, cannot say it otherwise.
    if "Traceback" in said:
        assert "cli/main.py" not in said, said
        ours = [file for file in re.findall(r'File "([^"]+)"', said) if re.search(r"/(cli|indexer|search)/\w", file)]
        assert "cli/__init__.py" in said or not ours, said
    else:
        assert process.returncode in (0, 1, 130, -signal.SIGINT), said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (QueryError("No.", "Yes."), "No."),
        (OSError(28, "No space left on device", "/x"), "The disk of /x is full: "),
        (OSError(24, "Too many open files"), "Too many files are open: "),
        (MemoryError(), "There is not enough memory."),
        (RuntimeError("can't start new thread"), "There is not enough memory: can't start new thread."),
        (sqlite3.DatabaseError("database disk image is malformed"), "The catalog of the index is damaged: "),
        (sqlite3.OperationalError("unable to open"), "The catalog of the index cannot be used: unable to open."),
        (KeyError("x"), "This is a fault of talksearch itself: KeyError: 'x'."),
        (KeyError("\x1b[31m"), "This is a fault of talksearch itself: KeyError: '\\x1b[31m'."),
        (RecursionError(), "This is a fault of talksearch itself: RecursionError."),
    ],
)
def test_what_nobody_foresaw_is_a_sentence(error: Exception, said: str) -> None:
    assert sentence_for(error).message.startswith(said)


def test_a_fault_shows_its_traceback_to_who_asks_for_it(folder: Path) -> None:
    code = (
        "from talksearch.cli.main import CommandGroup, cli\nCommandGroup.get_command = lambda *_: 1 / 0\ncli(['talks'])"
    )
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert plain.returncode == 1
    assert plain.stderr.startswith("talksearch: This is a fault of talksearch itself: ZeroDivisionError")
    environment = os.environ | {"TALKSEARCH_TRACEBACK": "1"}
    traced = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "Traceback" in traced.stderr
