"""The example in docs/scale.md that starts everything from nothing, on free ports of this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import DATA

SCRIPT = Path(__file__).parents[1] / "docs" / "examples" / "from-nothing.sh"


def five_free_ports() -> int:
    """Return the first of five ports in a row on which nobody listens."""
    for first in range(21_000, 32_000, 5):
        sockets = []
        try:
            for port in range(first, first + 5):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for one in sockets:
                one.close()
    raise AssertionError("every port is taken")


@pytest.mark.skipif(os.name != "posix", reason="the example is a script for a shell")
def test_the_example_starts_everything_from_nothing(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("lancedb")
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, module in (("talksearch", "talksearch.cli"), ("ray", "ray.scripts.scripts")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (commands / name).chmod(0o755)
    (commands / "python").symlink_to(sys.executable)
    talks = tmp_path / "talks"
    talks.mkdir()
    for folder in ("captions", "json3"):
        shutil.copytree(DATA / folder, talks / folder)
    port = five_free_ports()
    environment = os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", str(SCRIPT), str(talks), str(tmp_path / "work"), str(port)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as running:
        said = []
        try:
            assert running.stdout is not None
            for line in running.stdout:
                said.append(line)
                if line.startswith("Ask at"):
                    break
            assert "".join(said[-1:]).startswith("Ask at"), "".join(said)
            answers = [ask(port) for _ in range(4)]
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(60)
    assert answers[0]["hits"], "".join(said)
    assert all(answer["hits"] == answers[0]["hits"] for answer in answers), "two readers give one answer"
    until = time.monotonic() + 30
    while time.monotonic() < until and not is_free(port + 1):
        time.sleep(0.1)
    assert is_free(port + 1), "nothing is left running"


def ask(port: int) -> dict[str, list[object]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/search?q=time+dilation&k=3", timeout=60) as answer:
        found: dict[str, list[object]] = json.loads(answer.read())
        return found


def is_free(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) != 0
