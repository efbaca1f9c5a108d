"""What figures are of: the machine, what its processor can do, the kernels that libraries took, and their versions.

    python benchmarks/about.py [PACKAGE...]

Processors that look alike differ by several times where models are concerned: what counts is whether they multiply
numbers of 8 or 16 bits in one step. So each benchmark prints the features that matter, as its process sees them, and
what each library made of them. `on_avx2.py` shows a process fewer.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

FEATURES = (
    "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx10_1", "avx10_2",
    "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip
"""Names that Linux gives the features by which libraries choose kernels for vectors and models."""

_KERNELS = {
    "numpy": """
import collections, numpy, threadpoolctl
chosen = [how["current"] for each in numpy.lib.introspect.opt_func_info().values() for how in each.values()]
print("numpy's loops:", ", ".join(f"{name} {count}" for name, count in collections.Counter(chosen).most_common()))
for library in threadpoolctl.threadpool_info():
    if library["internal_api"] == "openblas":
        print("numpy's products (OpenBLAS):", library["architecture"])
""",
    "simsimd": """
import simsimd
print("simsimd:", ", ".join(name for name, there in simsimd.get_capabilities().items() if there))
""",
    "torch": """
import torch
print("torch's loops:", torch.backends.cpu.get_cpu_capability(), flush=True)
torch.ones(64, 64) @ torch.ones(64, 64)
torch.ones(64, 64).to_mkldnn()
""",
    "openvino": """
import numpy, openvino
from openvino import opset13
core = openvino.Core()
print("OpenVINO:", ", ".join(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
given = opset13.parameter([64, 64], numpy.float32)
product = opset13.matmul(given, opset13.constant(numpy.ones((64, 64), numpy.float32)), False, False)
ready = core.compile_model(openvino.Model([product], [given]), "CPU")
about = [step.get_rt_info() for step in ready.get_runtime_model().get_ordered_ops()]
kernels = [info["primitiveType"].astype(str) for info in about if info["layerType"] == "FullyConnected"]
print("OpenVINO's products:", ", ".join(kernels))
""",
    "onnxruntime": """
import time, numpy, onnx.numpy_helper, onnx.parser, onnxruntime
def fastest(product, given, weights):
    model = onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]> made ' + product)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    times = []
    for _ in range(20):
        started = time.perf_counter()
        session.run(None, {"x": given})
        times.append(time.perf_counter() - started)
    return min(times)
ones = numpy.ones((512, 512), numpy.float32)
floats = fastest("(float[512, 512] x) => (float[512, 512] y) { y = MatMul(x, w) }", ones, ones)
given, weights = ones.astype(numpy.uint8), ones.astype(numpy.int8)
ints = fastest("(uint8[512, 512] x) => (int32[512, 512] y) { y = MatMulInteger(x, w) }", given, weights)
print(f"onnxruntime: does not tell; its products of bytes take {ints / floats:.2f} of the time of float32 ones")
""",
}
"""How each library is asked which kernels it takes. The products of torch are those of MKL and oneDNN, which say it
when they are used and `MKL_VERBOSE` and `ONEDNN_VERBOSE` are set. onnxruntime has nothing to ask, but a processor that
multiplies bytes in one step shows: they then take a small part of the time of floats."""

_TOLD = {
    "torch's products (MKL)": re.compile(
        r"^MKL_VERBOSE .*? architecture (.*?)(?: enabled processors)?, (?:Lnx|Win|OSX)"
    ),
    "torch's products (oneDNN)": re.compile(r"^onednn_verbose,.*?\binfo,cpu,isa:(.*)$"),
}


def about(*packages: str) -> dict[str, Any]:
    """Return the machine, its processor's features, versions and kernels of some packages, and the load average.

    Kernels are asked for in processes of their own, so that nothing is imported into the one that measures. The load
    average is that of the last minute before.

    >>> sorted(about("simsimd")), sorted(about("simsimd")["versions"])
    (['kernels', 'load_before', 'machine', 'versions'], ['python', 'simsimd'])
    """
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    seen = " ".join(features()) or "features unknown"
    model = _of_the_processor("model name") or platform.processor() or platform.machine()
    return {
        # What benchmarks print of the machine is this line, and figures mean nothing without its features.
        "machine": f"{model}, {cores} cores, {seen}, {platform.platform()}",
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "kernels": [line for name in packages for line in _kernels(name)],
        "load_before": load,
    }


def features() -> list[str]:
    """Return those of the `FEATURES` that the processor has; none where the system is not Linux."""
    flags = f"{_of_the_processor('flags')} {_of_the_processor('Features')}".split()
    return [name for name in FEATURES if name in flags]


def _of_the_processor(key: str) -> str:
    """Return what /proc/cpuinfo says under a key, first; nothing where it does not."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(rf"^{key}\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def _kernels(package: str) -> list[str]:
    """Return what a library says of the kernels that it takes on this processor, in lines."""
    if package not in _KERNELS:
        return []
    # Some of these print more than one may want to read: only what is looked for is taken.
    environment = {**os.environ, "MKL_VERBOSE": "1", "ONEDNN_VERBOSE": "1"}
    done = subprocess.run([sys.executable, "-c", _KERNELS[package]], env=environment, capture_output=True, text=True)
    if done.returncode:
        return [f"{package}: {(done.stderr.splitlines() or ['stopped'])[-1]}"]
    lines = []
    for line in done.stdout.splitlines():
        if line.startswith(("numpy", "simsimd", "torch", "OpenVINO", "onnxruntime")):
            lines.append(line)
        lines += [f"{name}: {found[1]}" for name, form in _TOLD.items() if (found := form.match(line.strip()))]
    return lines


if __name__ == "__main__":
    told = about(*(sys.argv[1:] or ("numpy", "simsimd", "torch", "openvino", "onnxruntime")))
    print(told["machine"], told["versions"], *told["kernels"], sep="\n")
