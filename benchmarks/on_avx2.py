"""Run a command as on a processor that has AVX2 and nothing beyond it, which most laptops are.

    python benchmarks/on_avx2.py COMMAND [ARGUMENT...]
    python benchmarks/on_avx2.py          # what libraries say of this processor, as it is and with AVX2 alone

The command and all that it starts see no AVX-512, VNNI, AMX, bfloat16 or float16, so that each library takes the
kernels that it would take there: `avx2_only.c`, beside this file, has the instruction `cpuid` answered, and whoever
reads /proc/cpuinfo gets it without them. It needs Linux on a processor whose `cpuid` can be made to fault
(`cpuid_fault` among the flags in /proc/cpuinfo: Intel since Ivy Bridge, most virtual machines) and a C compiler. Clock,
caches and memory remain those of this machine, so figures are of AVX2 on it, and not of a laptop.

The exit code is that of the command; 70 where nothing can be hidden. A processor that has nothing beyond AVX2 runs the
command as it is.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE / "avx2_only.c"
MADE = HERE.parent / ".cache" / "on_avx2"

CANNOT = 70
"""The exit code where nothing can be hidden (`EX_SOFTWARE` of sysexits.h)."""

NO_COMMAND = 127
"""The exit code where there is no such command, as of a shell."""

BY_SWITCHES = (
    "Some libraries can be told by themselves: ONEDNN_MAX_CPU_ISA=AVX2, ATEN_CPU_CAPABILITY=avx2 and"
    " MKL_ENABLE_INSTRUCTIONS=AVX2; onnxruntime and simsimd have no such switch."
)

_BEYOND = re.compile(r"(?:avx512|avx_?vnni|avx_ifma|avx_ne_convert|avx10|amx)\w*")
"""Flags of /proc/cpuinfo that are hidden."""

_LIBC = "-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD"
"""What the C library's own copying and comparing does without (glibc, "Hardware Capability Tunables")."""

_SEEN = """
import simsimd
print(*(name for name, there in simsimd.get_capabilities().items() if there and name not in ("serial", "haswell")))
"""
"""What simsimd, which asks `cpuid`, finds beyond AVX2 ("haswell" is its name for that)."""


class CannotHideError(Exception):
    """What AVX2 is to be seen without cannot be hidden on this machine; the message says why."""


def hidden(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment in which a process sees AVX2 and nothing beyond it.

    Raises:
        CannotHideError: This machine has no AVX2, or its system, its processor or a missing compiler does not let it
            hide what is beyond.
    """
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    flags = found[1].split() if found else []
    if platform.machine() != "x86_64" or "avx2" not in flags:
        raise CannotHideError("This is not Linux on a processor with AVX2.")
    if not any(map(_BEYOND.fullmatch, flags)):
        return dict(environment)
    if "cpuid_fault" not in flags:
        raise CannotHideError(f"`cpuid` cannot be made to fault here: /proc/cpuinfo lacks `cpuid_fault`. {BY_SWITCHES}")
    library, cpuinfo = _compile(), MADE / "cpuinfo"
    _put(cpuinfo, re.sub(rf" {_BEYOND.pattern}\b", "", text).encode())
    found_environment = {
        **environment,
        "LD_PRELOAD": " ".join([str(library), *environment.get("LD_PRELOAD", "").split()]),
        "AVX2_ONLY_CPUINFO": str(cpuinfo),
        "GLIBC_TUNABLES": ":".join(filter(None, [environment.get("GLIBC_TUNABLES"), f"glibc.cpu.hwcaps={_LIBC}"])),
    }
    command = [sys.executable, "-c", _SEEN]
    done = subprocess.run(command, env=found_environment, capture_output=True, text=True)
    if done.returncode or done.stdout.split():
        why = done.stderr.strip() or f"a process still saw {done.stdout.strip()}"
        raise CannotHideError(f"Hiding was tried and does not work here: {why}. {BY_SWITCHES}")
    return found_environment


def _compile() -> Path:
    """Return the library of `avx2_only.c`, compiled where that was not done before."""
    library = MADE / f"avx2_only-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}.so"
    if library.exists():
        return library
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
    if compiler is None:
        raise CannotHideError(f"There is no C compiler, which {SOURCE} needs (`apt install gcc`). {BY_SWITCHES}")
    MADE.mkdir(parents=True, exist_ok=True)
    fresh = library.with_name(f"{library.name}.{os.getpid()}")
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(fresh), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CannotHideError(f"{SOURCE} could not be compiled with {compiler}: {done.stderr.strip()}. {BY_SWITCHES}")
    fresh.rename(library)
    return library


def _put(file: Path, content: bytes) -> None:
    """Write a file in one step: others may run here at the same time, and read it."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.rename(file)


def main() -> int:
    """Run the command, or print what libraries say."""
    command = sys.argv[1:]
    if command in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    try:
        environment = hidden()
    except CannotHideError as why:
        print(why, file=sys.stderr)
        return CANNOT
    if command:
        try:
            os.execvpe(command[0], command, environment)
        except OSError as why:
            print(f"{command[0]} cannot be run: {why.strerror}.", file=sys.stderr)
            return NO_COMMAND
    for title, seen in (("As it is", dict(os.environ)), ("With AVX2 alone", environment)):
        print(f"{title}:", flush=True)
        subprocess.run([sys.executable, str(HERE / "about.py")], env=seen, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
