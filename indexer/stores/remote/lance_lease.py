"""Who writes to a store in LanceDB: one process of each writer at a time, told by a lease that ages out.

A lease is a row that is appended to a table. Appends stand in one order that everybody sees, so of the processes that
want to write, the first whose lease still runs is the one that may. It renews its lease while it writes. The clocks of
machines that write must agree to within a minute.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

import pyarrow as pa

from talksearch.indexer.errors import StoreError
from talksearch.indexer.text.untrusted import safe

from .lance_calls import Connection, Table
from .lance_upkeep import is_due, put_together

LEASE_S = 90.0
"""How long a lease runs that is not renewed, in seconds."""

_RENEWED_S = 20.0
"""How often it is renewed, in seconds."""

_NAME = "leases"
_SCHEMA = pa.schema(
    [
        ("source", pa.int64()),
        ("machine", pa.string()),
        ("process", pa.int64()),
        ("mark", pa.string()),
        ("until", pa.float64()),
    ]
)
_KEPT_S = 3_600.0
"""How long versions of the table of leases are kept, in seconds: nobody reads an old one."""


@dataclass(slots=True)
class Lease:
    """The right to write as one source, until it is given back, or renewing it fails for too long."""

    source: int
    address: str
    table: Table
    machine: str = field(default_factory=lambda: _machine())
    process: int = field(default_factory=lambda: os.getpid())
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def renew(self) -> None:
        """Let it run from now on again."""
        row = {
            "source": self.source,
            "machine": self.machine,
            "process": self.process,
            "mark": self.mark,
            "until": time() + LEASE_S,
        }
        self.table.add(pa.Table.from_pylist([row], _SCHEMA))

    def check(self) -> None:
        """Raise StoreError where another process writes as this source.

        One that ran out, because this machine slept or had too much to do, runs on where nobody else has taken it.
        """
        holder = self._holder()
        if holder is None:
            self.renew()
            holder = self._holder()
        if holder is None or holder["mark"] != self.mark:
            who = f" (process {holder['process']} on {safe(holder['machine'].partition(' ')[0])})" if holder else ""
            raise StoreError(
                f"Another process writes to the store {self.address} for the same index{who}.",
                f"Wait until it is through. If it was ended, its right to write ends {LEASE_S:.0f} s after that.",
            )

    def give_back(self) -> None:
        """End it, and take the rows away that say nothing any more."""
        with suppress(ValueError, RuntimeError, OSError):  # else it ages out
            self.table.delete(f"mark = '{self.mark}' OR until < {time() - LEASE_S}")
            if is_due(self.table, time() - _KEPT_S, 0.0):
                put_together(self.table, time() - _KEPT_S)

    def _holder(self) -> dict[str, Any] | None:
        """Return a row of the lease that was taken first of those that still run; None where none does."""
        self.table.checkout_latest()
        rows = self.table.search().where(f"source = {self.source}").limit(100_000).to_arrow().to_pylist()
        return next((row for row in _running(rows) if not self._has_ended(row)), None)

    def _has_ended(self, row: dict[str, Any]) -> bool:
        """Say whether another process, which had a lease, is known not to run any more."""
        return bool(row["mark"] != self.mark and row["machine"] == self.machine and not _runs(row["process"]))


@contextmanager
def lease_held(connection: Connection, address: str, source: int) -> Iterator[Lease]:
    """Hold the right to write as a source. Raises StoreError where another process has it."""
    table = connection.create_table(_NAME, schema=_SCHEMA, exist_ok=True)
    lease = Lease(source, address, table)
    done = threading.Event()

    def keep() -> None:
        while not done.wait(_RENEWED_S):
            with suppress(ValueError, RuntimeError, OSError):  # `check` tells, where it fails for too long
                lease.renew()

    lease.renew()
    try:
        lease.check()
        thread = threading.Thread(target=keep, name="talksearch-lease", daemon=True)
        thread.start()
        try:
            yield lease
        finally:
            done.set()
            thread.join()
    finally:
        lease.give_back()


def _running(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first row of each lease that still runs, in the order in which they began."""
    until: dict[str, float] = {}
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(row["mark"], row)
        until[row["mark"]] = max(until.get(row["mark"], 0.0), row["until"])
    return [row for mark, row in first.items() if until[mark] > time()]


def _machine() -> str:
    """Return what tells this machine, and within it a container, from others; its name first."""
    parts = [socket.gethostname().replace(" ", "_")]
    with suppress(OSError):  # Linux alone has these
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _runs(process: int) -> bool:
    """Say whether a process of this machine may still run. Elsewhere than on Linux nobody is asked: its lease ages."""
    return sys.platform != "linux" or Path(f"/proc/{process}").exists()
