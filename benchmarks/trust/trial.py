"""One trial: a fault is planted in a copy of an index, and what becomes of it is written down."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault import Case, Fault
from small_index import Indexes, differences, dump

_TALK = "Phy5N1ght4b"
_ASKED: tuple[tuple[str, ...], ...] = (
    ("search", "time dilation metaphor", "--explain"),
    ("search", "why the clock on a moving train is slow", "--mode", "semantic"),
    ("search", "moving clock", "--mode", "lexical", "-k", "40"),
    ("search", '"we did the two postulates"'),
    ("search", "Willkommen im Hafen", "--beside", "de"),
    ("search", "Leuchtturmwärter flickt"),
    ("search", "professor", "--speaker", "Hollis"),
    ("search", "bridge", "--after", "2024", "--language", "en", "-k", "40"),
    ("search", "Doctor Estevado"),
    ("search", "clock", "--talk", _TALK, "-k", "20", "--context", "20"),
    ("similar", f"{_TALK}@60"),
)  # fmt: skip
_COMMANDS: tuple[tuple[str, ...], ...] = (
    *((*asked, "--format", "jsonl") for asked in _ASKED),
    ("talks", "--format", "jsonl"),
    ("stats", "--format", "jsonl"),
    ("show", _TALK),
    ("show", _TALK, "--receipt"),
    ("show", "the-harbour"),
    ("export", _TALK, "--format", "vtt"),
    ("export", _TALK, "--format", "json"),
    ("export", "--query", "time dilation", "--format", "m3u"),
)
_PAGES = (
    "/",
    "/?q=time+dilation",
    "/api/search?q=time+dilation",
    f"/talk/{_TALK}",
    f"/api/talks/{_TALK}",
    "/api/talks",
    "/map",
)

_TOLD = ("same", "note", "sentence", "SILENT", "TRACEBACK", "DIED")
"""What asking gives, the worst last."""

_MOVING = ("-wal", "-shm", "lock", "lock.holder", "asked.log", "checksums.json")
"""Ends of names of files that change when an index is only read."""

_NAMED_COMMAND = re.compile(r"talksearch (?:doctor|index)\b")
"""What a page names that says what is not there, and how to have it."""


@dataclass(slots=True)
class Trial:
    """What became of an index with a fault."""

    fault: str
    step: str = "plant"
    """What is being done."""
    told: str = "same"
    where: list[str] = field(default_factory=list)
    """What gave other answers."""
    found: str = ""
    """What `doctor --check` printed first; empty where it called the index sound."""
    wrote: list[str] = field(default_factory=list)
    """Files that `doctor --check` changed."""
    mended_by: str = ""
    """The commands after which `doctor --check` found nothing, or empty."""
    left: list[str] = field(default_factory=list)
    """Where it differs from an undisturbed index at the end."""
    harmless: bool = False
    limit: str = ""
    """Why a search cannot tell it, where that is so (`Fault.limit`)."""
    crashed: list[str] = field(default_factory=list)
    """Commands that ended in a traceback, with its last line."""

    @property
    def is_right(self) -> bool:
        """Whether it was told, found and mended."""
        is_told = self.told not in ("SILENT", "TRACEBACK", "DIED") or (self.told == "SILENT" and bool(self.limit))
        held = is_told and not self.crashed and not self.wrote
        return held and (bool(self.found) or self.harmless) and bool(self.mended_by) and not self.left


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command, or a page, answered."""

    code: int
    out: str
    told: str
    """Notes and errors."""
    crash: str = ""
    """The last line of a traceback."""


def ask(index: Path) -> dict[str, Answer]:
    """Ask an index all that can be asked."""
    answers = {" ".join(command): _run(index, *command) for command in _COMMANDS}
    answers |= _ask_pages(index)
    return answers


def _run(index: Path, *command: str) -> Answer:
    """Run a command of the command line in this process."""
    from click.testing import CliRunner

    from talksearch.cli.main import cli

    result = CliRunner().invoke(cli, [command[0], "--index", str(index), *command[1:]])
    crash = ""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        crash = f"{type(result.exception).__name__}: {result.exception}"
    hide = str(index)
    return Answer(
        result.exit_code, _still(result.stdout.replace(hide, "INDEX")), result.stderr.replace(hide, "INDEX"), crash
    )


def _still(text: str) -> str:
    """Return an output without sizes, which change with every write, and without where the copy of a home lies."""
    lines = []
    for line in text.splitlines():
        if line.startswith('{"index"'):
            values = json.loads(line)
            del values["bytes"], values["encoder_folder"]
            line = json.dumps(values, ensure_ascii=False)
        lines.append(line)
    return "\n".join(lines)


def _ask_pages(index: Path) -> dict[str, Answer]:
    """Ask a server for its pages."""
    from starlette.testclient import TestClient

    from talksearch.cli.pool.index_pool import IndexPool
    from talksearch.cli.web.app import application

    pool = IndexPool(index, workers=1)
    client = TestClient(application(pool, "127.0.0.1"), base_url="http://127.0.0.1", raise_server_exceptions=False)
    answers = {}
    try:
        for page in _PAGES:
            crash, code, text = "", 0, ""
            try:
                response = client.get(page, headers={} if "/api/" in page else {"accept": "text/html"})
                code, text = response.status_code, response.text.replace(str(index), "INDEX")
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                crash = f"{type(error).__name__}: {error}"
            if code == 500:
                crash = text[:200]
            note = ""
            with suppress(ValueError, AttributeError):
                note = str(json.loads(text).get("note") or "")
            answers[f"GET {page}"] = Answer(0 if code < 400 else code, text, note if code < 400 else text[:300], crash)
    finally:
        with suppress(Exception):
            pool.close()
    return answers


def _compare(before: dict[str, Answer], after: dict[str, Answer]) -> tuple[str, list[str]]:
    """Return the worst of what asking gave, and what gave it."""
    worst, where = "same", []
    for command, sound in before.items():
        answer = after[command]
        if answer.crash:
            told = "TRACEBACK"
        elif answer.code != sound.code:
            told = "sentence"
        elif answer.out == sound.out:
            told = "same"
        else:
            shown = " " in answer.told.strip() and answer.told != sound.told
            named = set(_NAMED_COMMAND.findall(answer.out)) - set(_NAMED_COMMAND.findall(sound.out))
            told = "note" if shown or named or _counts_waiting(answer.out) else "SILENT"
        if told != "same":
            where.append(f"{command}: {told}{' ' + answer.crash[:120] if answer.crash else ''}")
        worst = max(worst, told, key=_TOLD.index)
    return worst, sorted(where, key=lambda line: "TRACEBACK" not in line and "SILENT" not in line)


def _counts_waiting(text: str) -> bool:
    """Say whether `stats` counts passages that wait for their vectors."""
    if not text.startswith('{"index"'):
        return False
    facts = json.loads(text)
    return bool(facts["embedded"] < facts["passages"])


def _files(index: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(index)): file.read_bytes()
        for file in sorted(index.rglob("*"))
        if file.is_file() and not file.name.endswith(_MOVING)
    }


def _last_sentence(answer: Answer) -> str:
    lines = [line for line in (answer.crash, *answer.out.splitlines(), *answer.told.splitlines()) if line.strip()]
    return lines[0] if lines else ""


def _command_after(said: str, archive: Path) -> tuple[str, ...]:
    """Return what to run after the doctor: what it names, a rebuild rather than less, else `index`."""
    commands = re.findall(r"talksearch index[^\n]*", said)
    command = next((named for named in commands if "--rebuild" in named), commands[0] if commands else "")
    return (
        "index",
        *([str(archive)] if " PATH" in command else []),
        *(["--rebuild"] if "--rebuild" in command else []),
    )


def try_fault(
    fault: Fault,
    case: Case,
    sound: dict[str, Answer],
    undisturbed: Any,
    say: Callable[[Trial], None],
    *,
    asks: bool = True,
) -> Trial:
    """Plant a fault in a copy of an index, and see what becomes of it.

    Args:
        fault: What is planted.
        case: Where.
        sound: What the index answered before.
        undisturbed: What it held (`dump`).
        say: Told at each step, so that who waits knows what killed the process.
        asks: Whether it is asked as well.
    """
    trial = Trial(fault.name, harmless=fault.harmless, limit=fault.limit)
    index = case.index

    def step(name: str) -> None:
        trial.step = name
        say(trial)

    step("plant")
    fault.plant(case)
    step("doctor --check")  # first, because a search makes the home of a model again that is damaged
    before = _files(index)
    check = _noted(trial, index, "doctor", "--check")
    after = _files(index)
    trial.wrote = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    trial.found = _last_sentence(check) if check.code else ""
    if asks:
        step("ask")
        trial.told, trial.where = _compare(sound, ask(index))
    step("doctor")
    doctor = _noted(trial, index, "doctor")
    step("doctor --check again")
    done = "nothing" if not trial.found else "doctor"
    again = _noted(trial, index, "doctor", "--check")
    trial.mended_by = done if again.code == 0 else ""
    command = _command_after(doctor.out + doctor.told, case.indexes.archive)
    step(" ".join(command))
    _noted(trial, index, *command)
    named = "rebuild" if "--rebuild" in command else "index"
    step("doctor --check at the end")
    last = _noted(trial, index, "doctor", "--check")
    if last.code == 0 and not trial.mended_by:
        trial.mended_by = named
    elif last.code:
        trial.mended_by = ""
        trial.left.append(f"doctor --check: {_last_sentence(last)}")
    step("compare")
    try:
        is_built_anew = named == "rebuild" or fault.becomes_other  # other directions are learned then as well
        trial.left += differences(undisturbed, dump(index), is_built_anew=is_built_anew)
    except Exception as error:  # noqa: BLE001 - an index that cannot be read at the end is what is looked for
        trial.left.append(f"cannot be read: {error}")
    return trial


def _noted(trial: Trial, index: Path, *command: str) -> Answer:
    answer = _run(index, *command)
    if answer.crash:
        trial.crashed.append(f"{' '.join(command[:2])}: {answer.crash[:160]}")
    return answer


def prepare(indexes: Indexes, scratch: Path) -> tuple[dict[str, Answer], Any]:
    """Return what the sound index answers and holds, after it was brought up to date as each trial's is."""
    trial = scratch / "index"
    shutil.copytree(indexes.sound, trial)
    answers, again = ask(trial), ask(trial)
    if answers != again:
        unlike = [name for name in answers if answers[name] != again[name]]
        raise SystemExit(f"The sound index does not answer alike twice: {unlike}")
    for name, answer in answers.items():
        if answer.crash or answer.code:
            raise SystemExit(f"The sound index does not answer {name}: {answer}")
    _run(trial, "index")
    held = dump(trial)
    shutil.rmtree(trial)
    return answers, held
