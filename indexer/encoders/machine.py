"""Which machine this is, as far as it decides what runs a model fastest: its kind of processor, and versions."""

from __future__ import annotations

import hashlib
import platform
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

_CPUINFO = Path("/proc/cpuinfo")
"""Where Linux describes each core."""

_FIRST_CORE = 16_384
"""Bytes of it that hold at least the first core. On a machine with hundreds of them, all of it takes long to make."""

_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
"""What drivers of Nvidia and of AMD put there, and Windows for the Linux in it."""

_FEATURES = re.compile(rb"^(?:flags|Features)\s*:\s*(.*)$", re.MULTILINE)


@cache
def machine_key() -> str:
    """Return what tells this kind of processor from others, as 12 hexadecimal digits.

    Two machines with the same features share it. It is made of what Linux tells of the processor and of what numpy
    finds when it asks the processor itself, which differs where features are hidden from this process alone. A query
    asks for it, so the versions of libraries, which take longer to find than the rest, are not in it (`versions`).
    """
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    described = [platform.machine(), *_features_by_linux(), "numpy:", *sorted(found)]
    return hashlib.sha256(" ".join(described).encode()).hexdigest()[:12]


def versions() -> str:
    """Return the versions of what runs models, in words; what is not installed is left out. Takes up to 0.1 s."""
    import importlib.metadata

    found = []
    for package in ("onnxruntime", "openvino"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)


def _features_by_linux() -> list[str]:
    """Return the features of the first core in the order of the alphabet; on other systems, the processor's name."""
    try:
        with _CPUINFO.open("rb", buffering=0) as file:
            match = _FEATURES.search(file.read(_FIRST_CORE))
    except OSError:
        return [platform.processor()]
    return sorted(set(match[1].decode(errors="replace").split())) if match else []


def may_have_gpu() -> bool:
    """Say whether a GPU that torch knows may be here, without torch, which takes seconds to say for sure."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    return any(map(Path.exists, _GPU_DEVICES))
