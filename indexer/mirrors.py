"""Folders on other machines as PATHs: `s3://bucket/prefix`, `gs://…`, `az://…` and `https://host/folder/`.

What is a transcript by its name, or describes one, is copied into a folder of the user's, file by file where it
changed, and the copy is what is indexed. So everything else works as with any folder, searching asks no other machine,
and what cannot be reached has not vanished: its copy stays. `pipeline` may import this, `cli` and `search` for the
names of such folders. fsspec speaks with the services; credentials come from the environment, as these have them.

::

    mirrors/
        talks-bucket-1f2e…/         one folder an address
            .mirror.json            the address, and by what each file is known to be as it was
            2024/launch.vtt         as it is called there
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .errors import LockedError, TalksearchError
from .layout import replace_file

SCHEMES = ("s3", "gs", "az", "https", "http")
_OF_TESTS = "memory"
"""What fsspec keeps in the memory of a process."""
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "https": "fsspec[http]", "http": "fsspec[http]"}
"""What must be installed for each."""
_ERRORS = {"botocore.exceptions": ("BotoCoreError", "ClientError"), "aiohttp": ("ClientError",)}
"""What the libraries of services raise beside Python's own errors."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_STATE = ".mirror.json"
_LARGEST_BYTES = 64_000_000
"""Of a file. What describes many talks may be as large; transcripts are smaller."""
_MOST_FILES = 1_000_000
_DEEPEST = 24
"""Folders inside each other: on a web server, links may lead round in circles."""
_AT_ONCE = 8
"""Files that are asked for at the same time."""
_CONNECT_S, _READ_S = 15, 120
_LONGEST_S = 6 * 3600
"""How long copying may take in all; the next run goes on."""
_LONGEST_NAME = 255
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\ud800-\udfff]")
"""What no name of a file may hold here."""

Tell = Callable[[int, int], None]
"""Is called with how many files were looked at, and of how many."""


@dataclass(slots=True)
class Mirror:
    """The copy of a folder on another machine."""

    address: str
    folder: Path
    unreachable: str | None = None
    """Why the folder could not be looked at, a sentence; then the copy is as it was."""
    problems: dict[str, str] = field(default_factory=dict)
    """Files that could not be fetched, by their place in the folder, with the reason."""


@dataclass(frozen=True, slots=True)
class _FarFile:
    """A file on another machine."""

    name: str
    """How the service calls it."""
    place: str
    """Where it lies below the address, with forward slashes."""
    info: dict[str, Any]


def is_address(text: str) -> bool:
    """Say whether a PATH is the address of a folder on another machine.

    >>> is_address("s3://talks/2024"), is_address("talks/2024"), is_address("C:/talks")
    (True, False, False)
    """
    return _ADDRESS.match(text) is not None


def checked_address(text: str) -> str:
    """Return an address in its one form. Raises TalksearchError where it is none that can be mirrored.

    >>> checked_address("S3://talks/2024/")
    's3://talks/2024'
    """
    shown = repr(text[:200])
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        raise TalksearchError(f"{shown} is no address.", "It looks like s3://bucket/folder.") from None
    scheme = parts.scheme.lower()
    if scheme not in (*SCHEMES, _OF_TESTS):
        raise TalksearchError(
            f"A folder at {shown} cannot be indexed.", f"Addresses begin with {', '.join(f'{s}://' for s in SCHEMES)}."
        )
    if parts.username or parts.password or parts.query or parts.fragment or _NO_NAME.search(text):
        raise TalksearchError(
            f"{shown} holds more than the place of a folder.",
            "Leave out passwords and what follows ? or #; credentials are taken from the environment.",
        )
    if not host or ".." in parts.path.split("/"):
        raise TalksearchError(f"{shown} names no folder.", "It looks like s3://bucket/folder.")
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def folder_of(address: str) -> Path:
    """Return where the copy of a folder lies, or would lie. Raises TalksearchError as `checked_address` does."""
    address = checked_address(address)
    slug = re.sub(r"[^a-z0-9]+", "-", address.partition("://")[2].lower()).strip("-")[:40]
    return _mirrors() / f"{slug}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"


def shown(path: str) -> str:
    """Return a path as the user knows it: what lies in the copy of a folder, by the address of that."""
    try:
        inside = Path(path).relative_to(_mirrors()).parts
    except ValueError:
        return path
    address = _read_state(_mirrors() / inside[0]).get("address") if inside else None
    return "/".join((address, *inside[1:])) if isinstance(address, str) else path


def refresh(address: str, tell: Tell = lambda *_: None) -> Mirror:
    """Make the copy of a folder on another machine hold what lies there now.

    What is gone there is deleted here. Where the folder cannot be looked at, or says that it is empty when it was not,
    nothing changes.

    Raises:
        TalksearchError: The address is none; or what speaks with the service is not installed; or the folder cannot be
            looked at, and there is no copy of it.
        LockedError: Another process is doing the same.
        OSError: The copy cannot be written.
    """
    import filelock

    address = checked_address(address)
    folder = folder_of(address)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0):
            return _refresh(Mirror(address, folder), tell)
    except filelock.Timeout:
        raise LockedError(f"Another process is fetching {address}.", "Wait until it is done.") from None


def forget(folder: Path) -> None:
    """Delete the copy of a folder on another machine; nothing else is ever deleted."""
    import shutil

    if folder.parent == _mirrors():
        shutil.rmtree(folder, ignore_errors=True)


def _mirrors() -> Path:
    import platformdirs  # takes a few milliseconds

    return Path(platformdirs.user_data_dir("talksearch")) / "mirrors"


def _refresh(mirror: Mirror, tell: Tell) -> Mirror:
    state = _read_state(mirror.folder)
    known = state.get("files")
    stamps: dict[str, Any] = known if isinstance(known, dict) and state.get("address") == mirror.address else {}
    from .talks.walk import is_worth_fetching  # the readers: the command line asks only whether a PATH is an address

    service = _service(mirror.address)
    try:
        far = [file for file in _files(service, mirror) if is_worth_fetching(file.place)]
    except _errors() as error:
        mirror.unreachable = f"{mirror.address} cannot be reached: {_reason(error)}."
        far = []
    if not far and not mirror.unreachable:
        mirror.unreachable = f"{mirror.address} says that nothing lies in it."
    if mirror.unreachable:
        if not stamps:
            raise TalksearchError(mirror.unreachable, "Correct the address, or what the environment says of it.")
        return mirror
    there = {file.place for file in far}
    for place in [place for place in stamps if place not in there]:
        _delete(mirror.folder, place)
        del stamps[place]
    deadline = time.monotonic() + _LONGEST_S
    try:
        with ThreadPoolExecutor(_AT_ONCE, "talksearch-mirror") as pool:
            fetched = pool.map(
                lambda file: _fetch_changed(service, mirror, file, stamps.get(file.place), deadline), far
            )
            for done, (file, stamp) in enumerate(zip(far, fetched, strict=True), 1):
                if isinstance(stamp, str):
                    mirror.problems[file.place] = stamp
                else:
                    stamps[file.place] = stamp
                tell(done, len(far))
    finally:
        with replace_file(mirror.folder / _STATE) as fresh:
            fresh.write_text(json.dumps({"address": mirror.address, "files": stamps}) + "\n", encoding="utf-8")
    return mirror


def _delete(folder: Path, place: str) -> None:
    """Delete a file and the folders that are empty then: a file may be called as one of them from now on."""
    path = folder / place
    with suppress(OSError):
        path.unlink(missing_ok=True)
        while (path := path.parent) != folder:
            path.rmdir()  # OSError where something lies in it


def _fetch_changed(service: Any, mirror: Mirror, file: _FarFile, known: Any, deadline: float) -> list[Any] | str:
    """Fetch a file where it is not as it was; return by what it is known next time, or in words why that failed."""
    if time.monotonic() > deadline:
        return f"The time for copying, {_LONGEST_S // 3600} hours, was over; the next run goes on."
    target = mirror.folder / file.place
    try:
        info = service.info(file.name) if _is_web(mirror.address) else file.info
        size = info.get("size")
        stamp = [size, *(str(info.get(name) or "") for name in ("ETag", "etag", "LastModified", "updated", "created"))]
        stamp += [str(info.get(name) or "") for name in ("Last-Modified", "last_modified", "md5Hash")]
        if stamp == known and any(stamp[1:]) and target.is_file():
            return stamp
        if isinstance(size, int) and size > _LARGEST_BYTES:
            return f"The file has {size / 1e6:,.0f} MB; at most {_LARGEST_BYTES // 1_000_000} are fetched."
        data = b"" if size == 0 else _read(service, file.name, mirror.address)
        if len(data) > _LARGEST_BYTES:
            return f"The file has more than {_LARGEST_BYTES // 1_000_000} MB, which are at most fetched."
    except _errors() as error:
        return f"It could not be fetched: {_reason(error)}."
    try:
        if not (target.is_file() and target.read_bytes() == data):  # what is the same keeps its time of change
            target.parent.mkdir(parents=True, exist_ok=True)
            with replace_file(target) as fresh:
                fresh.write_bytes(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return "A file and a folder are called the same there, which cannot be here."
    return stamp


def _read(service: Any, name: str, address: str) -> bytes:
    if not _is_web(address):
        return bytes(service.cat_file(name, start=0, end=_LARGEST_BYTES + 1))
    with service.open(name, "rb", block_size=0) as file:  # as it comes: a server may have no ranges
        return bytes(file.read(_LARGEST_BYTES + 1))


def _files(service: Any, mirror: Mirror) -> Iterator[_FarFile]:
    """Yield all files below an address; those whose names cannot be names here become problems."""
    root = service._strip_protocol(mirror.address).rstrip("/")
    folders, count, walked = [(root, 0)], 0, {(root, "directory")}
    while folders:
        folder, depth = folders.pop()
        for info in service.ls(f"{folder}/" if _is_web(mirror.address) else folder, detail=True):
            name = str(info["name"]).rstrip("/")
            if not name.startswith(f"{root}/") or (name, info["type"]) in walked:
                continue
            place = name.removeprefix(f"{root}/")
            if _is_web(mirror.address):
                if "?" in place or "#" in place:
                    continue
                place = unquote(place)
            walked.add((name, info["type"]))  # in object storage, a file and a folder may be called the same
            steps = place.split("/")
            if any(step.startswith(".") and step not in (".", "..") for step in steps):
                continue
            if not all(map(_may_be_name, steps)):
                mirror.problems[_printable(place)] = "Its name cannot be that of a file here."
            elif info["type"] == "directory":
                if depth < _DEEPEST:
                    folders.append((name, depth + 1))
            else:
                count += 1
                if count > _MOST_FILES:
                    raise TalksearchError(
                        f"{mirror.address} holds more than {_MOST_FILES:,} files.", "Name a part of it."
                    )
                yield _FarFile(str(info["name"]), place, info)


def _may_be_name(step: str) -> bool:
    return step not in ("", ".", "..") and not _NO_NAME.search(step) and len(step.encode()) <= _LONGEST_NAME


def _printable(place: str) -> str:
    return _NO_NAME.sub("?", place)[:_LONGEST_NAME]


def _is_web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _service(address: str) -> Any:
    """Return what speaks with the service of an address, with nothing kept of what it said before."""
    scheme = address.partition("://")[0]
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    try:
        import fsspec

        if scheme == "s3":
            options["config_kwargs"] = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S}
        elif _is_web(address):
            import aiohttp

            options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(sock_connect=_CONNECT_S, sock_read=_READ_S)}
        return fsspec.filesystem(scheme, **options)
    except ImportError as error:
        raise TalksearchError(
            f"A PATH that begins with {scheme}:// needs {_PACKAGES.get(scheme, 'fsspec')}, which is not installed.",
            f'Install it: pip install "talksearch[distributed]" "{_PACKAGES.get(scheme, "fsspec")}"',
        ) from error


def _errors() -> tuple[type[BaseException], ...]:
    """Return what services raise where they cannot be reached, or refuse."""
    found: list[type[BaseException]] = [OSError, ValueError, RuntimeError]
    for module, names in _ERRORS.items():
        with suppress(ImportError):
            found += [getattr(import_module(module), name) for name in names]
    return tuple(found)


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such folder"
    if isinstance(error, PermissionError):
        return "it may not be read with the credentials of the environment"
    lines: Sequence[str] = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")


def _read_state(folder: Path) -> dict[str, Any]:
    try:
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
