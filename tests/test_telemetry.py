"""Nothing leaves the machine: onnxruntime's telemetry is off before onnxruntime is there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
