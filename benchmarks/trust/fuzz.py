"""Mutated files, texts, questions and requests, to whatever reads them: nothing but a sentence may come of the worst.

    python benchmarks/trust/fuzz.py --inputs 100000 --processes 2
    python benchmarks/trust/fuzz.py --target file --seconds 600 --findings found
    python benchmarks/trust/fuzz.py --replay tests/fuzz

An input is held where it ends in an answer or in a `TalksearchError`, and the answer keeps its promises
(`fuzz_targets`): times in order and in bounds, no word lost, valid text, the same twice. It may take a second, a second
a megabyte, and what the repair of misread letters may weigh (`RepairBudget`: half a millisecond for each byte beyond
ASCII).
Findings are told one a kind, the shortest input of each is made shorter and written to `--findings`. What was found and
mended lies in `tests/fuzz`; a test replays it. `--atheris` lets coverage guide the mutations, where `pip install
atheris` has a wheel. The last line says how many inputs were tried and how many held; exits with 1 where one did not.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_inputs import Input, corpus, mutated

ROOT = Path(__file__).parents[2]
FOLDERS = tuple(
    folder
    for name in ("data", "../shared/cases", "../shared/gold", "../shared/archive")
    if (folder := ROOT / name).is_dir()
)
WEIGHTS = {
    "read": 100, "file": 10, "beside": 10, "repair": 3, "query": 3, "http": 40, "mcp": 30,
    "cue": 100, "text": 120, "question": 292, "parameter": 292,
}  # fmt: skip
"""How often of a thousand times each target is tried: the quick ones more often (`fuzz_light`)."""
_A_BATCH = 1_000
_MINIMISING_S = 20.0
_FLAT_S, _S_PER_MB, _S_PER_FOREIGN_BYTE = 1.0, 1.0, 0.0005
_LONGEST_S = 10.0
"""Seconds of the processor after which an input is given up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that was not held."""

    tried: Input
    kind: str
    """What came of it and where, without anything of the input: findings of one kind are told once."""
    told: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of a batch of inputs."""

    tried: Counter[str]
    findings: list[Finding]
    """The shortest of each kind."""
    kinds: Counter[str]
    resident_mb: int
    process: int


class _TooLongError(BaseException):
    """An input took so long that it was given up; no handler of the program catches it."""


def _stop(*_: object) -> None:
    raise _TooLongError


def fault(setting: object, tried: Input, is_first: bool = True) -> Finding | None:
    """Try an input, and return what is wrong with what came of it; None where it was held."""
    from fuzz_light import BrokenPromiseError
    from fuzz_targets import try_once

    if tried.target in ("query", "http", "mcp"):
        setting.app()  # type: ignore[attr-defined]  # made before the clock runs
    started = time.process_time()
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _LONGEST_S)
    try:
        try_once(setting, tried)  # type: ignore[arg-type]
    except _TooLongError:
        frame = traceback.extract_tb(sys.exc_info()[2])[-2]  # the last one is that of the clock
        return Finding(
            tried, f"endless: {tried.target} {tried.name}", f"after {_LONGEST_S:g} s at {frame.filename}:{frame.lineno}"
        )
    except BrokenPromiseError as error:
        return Finding(tried, f"broken: {error}", "")
    except Exception as error:  # noqa: BLE001 - whatever comes is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "fuzz" not in frame.filename and "python3" not in frame.filename] or frames
        return Finding(
            tried, f"{type(error).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}", traceback.format_exc()
        )
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    took = time.process_time() - started
    foreign = sum(byte > 0x7F for byte in tried.data)
    if took > _FLAT_S + _S_PER_MB * len(tried.data) / 1e6 + _S_PER_FOREIGN_BYTE * foreign:
        if is_first:  # what a process loads once, such as the words of a language, is not the input's
            return fault(setting, tried, is_first=False)
        return Finding(tried, f"slow: {tried.target} {tried.name}", f"{took:.1f} s for {len(tried.data):,} bytes")
    return None


_setting: object = None


def _own_setting() -> object:
    """Return the setting of this process, which is made once and removed when the process ends."""
    global _setting
    if _setting is None:
        import atexit

        from fuzz_targets import Setting

        os.environ.setdefault("TALKSEARCH_CACHE", str(Path.home() / ".cache" / "talksearch-fuzz"))
        own = Setting()
        atexit.register(own.close)
        _setting = own
    return _setting


def run_batch(seeds: Sequence[Input], seed: int, number: int, count: int) -> Batch:
    """Try so many mutations of seeds; the same numbers give the same inputs."""
    setting = _own_setting()
    dice = random.Random(f"{seed}/{number}")
    by_target: dict[str, list[Input]] = {}
    for one in seeds:
        by_target.setdefault(one.target, []).append(one)
    targets = sorted(by_target)
    tried: Counter[str] = Counter()
    found: dict[str, Finding] = {}
    kinds: Counter[str] = Counter()
    for target in dice.choices(targets, [WEIGHTS[target] for target in targets], k=count):
        one = mutated(dice.choice(by_target[target]), seeds, dice)
        tried[target] += 1
        finding = fault(setting, one)
        if finding:
            kinds[finding.kind] += 1
            if finding.kind not in found or len(one.data) < len(found[finding.kind].tried.data):
                found[finding.kind] = finding
    return Batch(tried, list(found.values()), kinds, _resident_mb(), os.getpid())


def _resident_mb() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1_000_000
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000


def minimised(finding: Finding, seconds: float = _MINIMISING_S) -> Finding:
    """Return a finding of the same kind with a shorter input: pieces are taken out as long as it stays one."""
    setting = _own_setting()
    until = time.monotonic() + seconds
    size = len(finding.tried.data) // 2
    while size >= 1 and time.monotonic() < until:
        at = 0
        while at < len(finding.tried.data) and time.monotonic() < until:
            data = finding.tried.data
            shorter = fault(setting, replace(finding.tried, data=data[:at] + data[at + size :]))
            if shorter and shorter.kind == finding.kind:
                finding = shorter
            else:
                at += size
        size //= 2
    return finding


def stored(folder: Path) -> Iterator[Input]:
    """Yield the inputs that lie in a folder, each target's in a folder of its own: `file/0123abcd-a.vtt`."""
    for path in sorted(folder.glob("*/*")):
        if path.parent.name in WEIGHTS:
            yield Input(path.parent.name, path.name.partition("-")[2], path.read_bytes())


def store(folder: Path, finding: Finding) -> Path:
    """Write the input of a finding below a folder."""
    tried = finding.tried
    path = folder / tried.target / f"{hashlib.sha256(tried.data).hexdigest()[:8]}-{tried.name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tried.data)
    return path


def _batches(options: argparse.Namespace, seeds: Sequence[Input]) -> Iterator[Batch]:
    until = time.monotonic() + options.seconds
    sizes = [min(_A_BATCH, options.inputs - start) for start in range(0, options.inputs, _A_BATCH)]
    if options.processes < 2:
        for number, size in enumerate(sizes):
            if time.monotonic() > until:
                return
            yield run_batch(seeds, options.seed, number, size)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        waiting = {
            pool.submit(run_batch, seeds, options.seed, number, size)
            for number, size in enumerate(sizes[: options.processes])
        }
        following = iter(list(enumerate(sizes))[options.processes :])
        while waiting:
            done = next(as_completed(waiting))
            waiting.discard(done)
            if time.monotonic() < until and (more := next(following, None)):
                waiting.add(pool.submit(run_batch, seeds, options.seed, *more))
            yield done.result()


def _guided(seeds: Sequence[Input], target: str, seconds: float, findings: Path | None) -> None:
    """Let libFuzzer mutate by coverage, through atheris; it ends the process at the first finding."""
    import atheris

    with atheris.instrument_imports(include=["talksearch"]):
        import fuzz_targets  # noqa: F401 - what it imports is instrumented

    setting = _own_setting()
    names = sorted({seed.name for seed in seeds if seed.target == target})

    def one(data: bytes) -> None:
        name = names[data[0] % len(names)] if data else names[0]
        finding = fault(setting, Input(target, name, data[1:]))
        if finding:
            if findings:
                store(findings, minimised(finding))
            raise RuntimeError(f"{finding.kind}\n{finding.told}")

    folder = Path(setting.folder) / "corpus"  # type: ignore[attr-defined]
    folder.mkdir()
    for number, seed in enumerate(seed for seed in seeds if seed.target == target):
        (folder / str(number)).write_bytes(bytes([names.index(seed.name) % 256]) + seed.data)
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds:.0f}", "-max_len=8000", "-timeout=30", str(folder)], one)
    atheris.Fuzz()


def main() -> int:
    """Try inputs and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many are tried")
    parser.add_argument("--seconds", type=float, default=1e9, help="no batch begins later than this")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same inputs")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--target", choices=sorted(WEIGHTS), action="append", help="only this part (repeatable)")
    parser.add_argument("--findings", type=Path, help="a folder for the shortest input of each kind")
    parser.add_argument("--replay", type=Path, help="try what lies in a folder, and nothing else")
    parser.add_argument("--atheris", action="store_true", help="let coverage guide the mutations of one target")
    options = parser.parse_args()
    seeds = [seed for seed in corpus(FOLDERS) if not options.target or seed.target in options.target]
    if options.atheris:
        _guided(seeds, (options.target or ["file"])[0], options.seconds, options.findings)
        return 0
    tried: Counter[str] = Counter()
    found: dict[str, Finding] = {}
    counts: Counter[str] = Counter()
    memory: dict[int, list[int]] = {}
    started = time.monotonic()
    if options.replay:
        for one in stored(options.replay):
            tried[one.target] += 1
            if finding := fault(_own_setting(), one):
                found[finding.kind] = finding
                counts[finding.kind] += 1
    for batch in _batches(options, seeds) if not options.replay else ():
        tried += batch.tried
        memory.setdefault(batch.process, []).append(batch.resident_mb)
        counts += batch.kinds
        for finding in batch.findings:
            if finding.kind not in found:
                print(f"{finding.kind}\n{finding.told}", file=sys.stderr, flush=True)
            if finding.kind not in found or len(finding.tried.data) < len(found[finding.kind].tried.data):
                found[finding.kind] = finding
                if options.findings:
                    store(options.findings, finding)
        print(
            f"{tried.total():,} inputs in {time.monotonic() - started:,.0f} s, {len(found)} kinds of findings",
            file=sys.stderr,
            flush=True,
        )
    for kind, finding in sorted(found.items()):
        short = minimised(finding) if options.findings else finding
        where = store(options.findings, short) if options.findings else ""
        print(f"{counts[kind]:6} {kind}  {len(short.tried.data)} bytes {where}")
    for process, sizes in memory.items():
        at = sorted({0, len(sizes) // 10, len(sizes) // 4, len(sizes) // 2, len(sizes) - 1})
        grown = ", ".join(f"{sizes[batch]:,} ({(batch + 1) * _A_BATCH:,})" for batch in at)
        print(f"process {process}: MB after so many inputs: {grown}")
    print(", ".join(f"{target} {count:,}" for target, count in sorted(tried.items())))
    print(f"tried {tried.total():,}, held {tried.total() - counts.total():,}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
