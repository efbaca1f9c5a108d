"""The seam to whoever reads and embeds for a run on other machines. What they return is written by the run alone."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from talksearch.indexer.errors import WorkersError

from .embed_pending import PassageEncoding
from .plan import Group
from .read_talks import TalkResult
from .shipped_model import ShippedModel
from .sizing import PassageSizer

LOCAL = "ray"
"""What stands for workers on this machine, which are started for the run and end with it."""

_ADDRESS = re.compile(r"(?:ray://)?(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}", re.IGNORECASE)
"""Of a cluster: of its port for clients, or, on a machine that belongs to it, of its head."""


class Workers(Protocol):
    """Processes on any number of machines that do what a run gives them. They see no disk of this machine."""

    @property
    def windows_at_once(self) -> int:
        """How many windows of passages (`embed_pending`) keep all of them at work."""

    def read(self, groups: Sequence[Group], sizer: PassageSizer) -> Iterator[TalkResult]:
        """Read the talks of all groups and yield them in order, as `read_groups` does.

        A worker that ends costs the talks that it was reading, which others read again. A talk over which workers end
        again and again comes as `lost`. Raises WorkersError where none can be reached.
        """

    def encode(self, model: ShippedModel, texts: Sequence[str]) -> list[PassageEncoding]:
        """Return what a model makes of texts. May be called from several threads. Raises WorkersError."""


def open_workers(address: str) -> AbstractContextManager[Workers]:
    """Reach the workers at an address: `ray://host:port`, or `ray` for some on this machine alone.

    On a machine of the cluster it may be `host:port`, that of the head.

    Raises WorkersError where nobody answers there, where workers have another version of Python or of talksearch, or
    where Ray is not installed.
    """
    if address != LOCAL and not _ADDRESS.fullmatch(address):
        raise WorkersError(
            f"{address!r} is no address of workers.",
            "It looks like ray://head.example.org:10001; plain `ray` starts workers on this machine.",
        )
    _have_token(is_local=address == LOCAL)
    try:
        from .ray_workers import ray_workers  # it imports Ray, which takes seconds
    except ImportError as error:
        raise WorkersError(
            "--workers needs Ray, which is not installed.", 'Install it: pip install "talksearch[distributed]"'
        ) from error
    return ray_workers(None if address == LOCAL else address)


def _have_token(*, is_local: bool) -> None:
    """Have Ray show the token that a cluster may ask for, wherever the user keeps one. It looks when it is imported.

    Workers on this machine get one of their own, which nobody else knows and no file keeps. Source: docs.ray.io, "Ray
    token authentication".
    """
    if is_local:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    kept = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if os.environ.get("RAY_AUTH_TOKEN") or kept.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
