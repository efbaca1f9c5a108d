"""Object storage for tests: an S3 that moto serves on this machine, empty at its start."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def s3_service() -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a service without buckets, to which the environment leads, and what ends it before its time.

    All of moto's services in one process share what they hold, so one that starts forgets what another test put.
    """
    moto = pytest.importorskip("moto.server")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    _ask(f"http://{host}:{port}/moto-api/reset", "POST")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "who")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
        yield f"http://{host}:{port}", running.stop
    running.stop()


def make_bucket(service: str, name: str) -> None:
    _ask(f"{service}/{name}", "PUT")


def _ask(address: str, method: str) -> None:
    urllib.request.urlopen(urllib.request.Request(address, method=method)).close()
