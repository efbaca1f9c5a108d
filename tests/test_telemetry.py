"""Nothing leaves the machine, and nothing is written but where it belongs.

What libraries send without being asked is switched off before they are imported; and the commands are run under strace,
which sees every connection and every file, whoever makes it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import DATA
from loopback.feeds import host, item, rss, transcript, vtt
from speech import model_folder, recording

# Every module that can be imported by itself; the last is what the installed command starts.
ENTRANCES = ("talksearch.indexer", "talksearch.search", "talksearch.cli", "talksearch.cli.main")


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("before", [None, "0"])
def test_telemetry_is_off_when_onnxruntime_is_imported(entrance: str, before: str | None) -> None:
    # A finder that sees the environment at the moment in which anything first asks for onnxruntime.
    code = f"""
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
import {entrance}
import talksearch.search.engine, talksearch.indexer.encoders.onnx_encoder
import onnxruntime
"""
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    if before is not None:
        environment["ORT_DISABLE_TELEMETRY"] = before
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["1"]


def test_processes_that_are_started_inherit_it() -> None:
    import talksearch.indexer  # noqa: F401

    code = "import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "1"


@pytest.mark.parametrize(
    "is_off",
    [
        "huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY",
        "not chromadb.config.Settings().anonymized_telemetry",
        "chromadb.telemetry.product.__name__ and not [name for name in sys.modules if name.startswith('posthog')]",
        "type(opentelemetry.sdk.trace.TracerProvider().get_tracer('x')).__name__ == 'NoOpTracer'",
        "sys.modules['openvino_telemetry'] is None",
        "os.environ['DO_NOT_TRACK'] == '1'",
    ],
)
def test_every_library_that_would_tell_its_makers_is_told_not_to(is_off: str) -> None:
    code = (
        "import os, sys, talksearch.indexer\n"
        "import chromadb.config, chromadb.telemetry.product, huggingface_hub.constants, opentelemetry.sdk.trace\n"
        f"print(bool({is_off}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True"


# Libraries of which the sources name a service that counts who runs what, and by what each is kept from it.
KNOWN_TO_TELL = {
    "chromadb": "ANONYMIZED_TELEMETRY; from 1.0 on its code sends nothing",
    "huggingface_hub": "HF_HUB_DISABLE_TELEMETRY",
    "onnxruntime": "ORT_DISABLE_TELEMETRY",
    "openvino": "openvino_telemetry is not importable",
    "openvino_telemetry": "it is not importable",
    "pyannote": "PYANNOTE_METRICS_ENABLED",
}
_SERVICES = (
    b"google-analytics.com",
    b"posthog.com",
    b"sentry.io/",
    b"api.segment.",
    b"mixpanel.com",
    b"mobile.events.data.",
)


def test_no_other_library_names_a_service_that_counts_its_users() -> None:
    """A new one is found when it is installed: then see what switches it off, and put it into the list."""
    packages = Path(sys.modules["pytest"].__file__ or "").parents[1]
    sources = ((file, file.read_bytes()) for file in packages.rglob("*.py"))
    telling = {
        file.relative_to(packages).parts[0].partition(".")[0]
        for file, source in sources
        if any(service in source for service in _SERVICES)
    }
    assert telling - set(KNOWN_TO_TELL) == set()


CALLS = "trace=connect,sendto,sendmsg,sendmmsg,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,symlink,link"
FAR = re.compile(r"sa_family=AF_INET6?, (?!.*(?:inet_addr\(\"127\.|inet_pton\(AF_INET6, \"::1\"))")
"""An address of the internet that is not this machine's own."""
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|\b(?:creat|mkdir|mkdirat|rename|renameat2?|symlink|link)\(")

COMMANDS = {
    "index": ("index", "{talks}"),
    "search": ("search", "how old is the harbour"),
    "stats": ("stats",),
    "export": ("export", "--query", "harbour", "--format", "json"),
    "eval": ("eval", "{home}/questions.jsonl"),
    "doctor": ("doctor",),
    "mcp": ("mcp",),
    "serve": ("serve",),
}
"""Commands that work on what lies on the disk, in an order in which each has what it needs."""


ASKED = "".join(
    json.dumps({"jsonrpc": "2.0", **message}) + "\n"
    for message in (
        {
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        },
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    )
)
"""What an assistant says to `mcp` first."""


def page(url: str) -> str:
    """Return what a server that is starting answers; an empty text where it never does."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    return ""


def can_trace() -> bool:
    return (
        shutil.which("strace") is not None
        and subprocess.run(["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"]).returncode == 0
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of somebody who has never run talksearch, with an archive in it."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(DATA, home / "talks")
    (home / "questions.jsonl").write_text(
        json.dumps({"query": "time dilation", "talk": "x.vtt", "start_s": 1, "end_s": 9})
    )
    return home


traces = pytest.mark.skipif(not can_trace(), reason="strace is not installed, or may not trace here")


@traces
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_asks_no_other_machine_and_writes_where_it_should(home: Path, command: str) -> None:
    line = [part.format(talks=home / "talks", home=home) for part in COMMANDS[command]]
    if command != "serve":
        calls = traced(home, line, ASKED if command == "mcp" else "")
    else:
        calls, answer = traced_server(home)
        assert '"hits"' in answer
    assert far(calls) == []
    assert strays(calls, home, home / ".cache" / "talksearch", home / ".local" / "share" / "talksearch") == []


@traces
def test_what_is_brought_in_is_asked_of_its_host_alone_and_lies_in_its_folder(home: Path) -> None:
    """A host on this machine stands for one on the internet: whoever else was asked would be told apart by the port."""
    brought = home / "brought"
    with host() as web:
        web.files = {
            "/feed.xml": rss(item(1, transcript(f"{web.url}/1.vtt"))),
            "/1.vtt": vtt("The tide turns twice a day.", "Harbours wait for both."),
        }
        added = traced(home, ["add", f"{web.url}/feed.xml", "--to", brought])
        synced = traced(home, ["sync", "--to", brought])
        asked = f"sin_port=htons({web.url.rpartition(':')[2]})"
    assert list(brought.rglob("*.vtt"))
    assert any(asked in call for call in added), "strace did not see the host being asked"
    for calls in (added, synced):
        assert [call for call in calls if "connect(" in call and "AF_INET" in call and asked not in call] == []
        folders = (brought, home / ".cache" / "talksearch", home / ".local" / "share" / "talksearch")
        assert strays(calls, home, *folders) == []


@traces
def test_what_is_said_in_a_recording_is_written_down_beside_it_and_told_to_nobody(home: Path) -> None:
    spoken = home / "spoken"
    spoken.mkdir()
    shutil.copy(recording("beckett.wav"), spoken / "beckett.wav")
    calls = traced(home, ["transcribe", spoken, "--model", model_folder()])
    assert (spoken / "beckett.json").exists()
    assert far(calls) == []
    assert strays(calls, home, spoken, home / ".cache" / "talksearch") == []


def traced(home: Path, line: Sequence[str | Path], said: str = "") -> list[str]:
    """Run a command as somebody with that home, and return the system calls that it made."""
    with started(home, line) as (ran, trace):
        _, told = ran.communicate(said, timeout=300)
    assert ran.returncode == 0, told
    return calls_in(trace)


def traced_server(home: Path) -> tuple[list[str], str]:
    """Run a server, ask it something, end it, and return the system calls that it made and what it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with started(home, ["serve", "--port", port]) as (ran, trace):
        answer = page(f"http://127.0.0.1:{port}/api/search?q=harbour")
        # strace hands no signal on, so the process that it traces first gets it
        os.kill(int(trace.read_text(encoding="utf-8", errors="replace").split()[0]), signal.SIGTERM)
        _, told = ran.communicate(timeout=300)
    assert ran.returncode in (0, 143, -signal.SIGTERM), told
    return calls_in(trace), answer


@contextmanager
def started(home: Path, line: Sequence[str | Path]) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start a command under strace; yield the process, and the file in which its system calls are written down."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("TALKSEARCH_", "XDG_", "HF_"))
    }
    # What Python keeps of what it compiles lies beside the packages, and is not ours.
    environment |= {"HOME": str(home), "TALKSEARCH_NO_SERVER": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    trace = home / f"{line[0]}.trace"
    traced = ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "256", "-e", CALLS, "-o", str(trace)]
    command = [*traced, sys.executable, "-m", "talksearch.cli", *map(str, line)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, start_new_session=True, text=True, **pipes) as ran:
        yield ran, trace


def calls_in(trace: Path) -> list[str]:
    calls = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    assert calls, "strace saw nothing"
    return calls


def far(calls: Sequence[str]) -> list[str]:
    """Return the calls that reach for another machine."""
    return [call for call in calls if FAR.search(call)]


def strays(calls: Sequence[str], home: Path, *own: Path) -> list[str]:
    """Return the files that were written and lie neither in some folders nor where the system clears up by itself."""
    written = [path for call in calls if WRITES.search(call) and " = -1 " not in call for path in paths_in(call)]
    return [path for path in written if not belongs(Path(path), home, own)]


def paths_in(call: str) -> list[str]:
    return re.findall(r'"(/[^"]*)"', call)


def belongs(file: Path, home: Path, own: Sequence[Path]) -> bool:
    if file.is_relative_to(home) or file in home.parents:
        return any(file.is_relative_to(folder) or file in folder.parents for folder in own)
    return any(file.is_relative_to(folder) for folder in ("/dev", "/proc", "/tmp", "/var/tmp"))
