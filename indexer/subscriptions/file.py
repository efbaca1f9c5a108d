"""`subscriptions.toml`: what `sync` asks again. The file is the user's; comments and order survive what is added."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import filelock

from talksearch.indexer.errors import LockedError, TalksearchError, UsageError
from talksearch.indexer.fetch.addresses import key_of
from talksearch.indexer.fetch.archive import HIDDEN
from talksearch.indexer.fetch.records import Source
from talksearch.indexer.layout import replace_file
from talksearch.indexer.text.untrusted import safe_address

from .options import KEYS, Options, make_source

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

FILE_NAME = "subscriptions.toml"
"""Its name in the archive's folder; the walk of an indexing run passes over it."""

_HEAD = """\
# What `talksearch sync` asks again. The file is yours: change it as you like, comments stay. One block for each:
#
#   [[subscription]]
#   url = "https://…"                a channel, a playlist, a feed, or the path of a folder with recordings
#   title = "Harbour Talks"          what it is called in reports
#   since = 2024-05-24               nothing older
#   match = "keynote|opening"        a regular expression that titles must hold
#   limit = 10                       how many talks a run brings at most, the newest first
#   language = "en"                  what is spoken, where the site does not say
#   also = ["de"]                    further languages, where people wrote the captions
#   recordings = "missing"           the sound as well: "none", "missing" (of what has no captions) or "all"
#   cookies = "/path/cookies.txt"    sent to this site only
#   cookies_from_browser = "firefox"

"""
_BLOCK = re.compile(r"^[ \t]*\[\[[ \t]*subscription[ \t]*\]\]", re.MULTILINE)
_WAIT_S = 10
"""So long another `add` may write before this one gives up."""

Change = Literal["added", "changed", "same"]
"""What became of a subscription: it is new, its options are others now, or it was there as it is."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What a file says."""

    sources: tuple[Source, ...]
    """In the order of the file."""
    problems: tuple[str, ...]
    """A sentence for each block that cannot be used; the others can."""


def read_subscriptions(folder: Path) -> Subscriptions:
    """Return what is subscribed in an archive's folder; nothing where there is no file.

    Raises TalksearchError where the file cannot be read, or is no TOML.
    """
    path = folder / FILE_NAME
    text = _read(path)
    lines = [text.count("\n", 0, block.start()) + 1 for block in _BLOCK.finditer(text)]
    blocks = _blocks(path, text)
    if len(lines) != len(blocks):  # written in another way that TOML has for tables
        lines = []
    sources: dict[str, Source] = {}
    problems: list[str] = []
    for number, block in enumerate(blocks):
        where = f"{path}, line {lines[number]}" if lines else f"{path}, subscription {number + 1}"
        try:
            if not isinstance(block, dict):
                raise UsageError("It is not a block.", "Write [[subscription]], and below it: url = …")
            source = make_source(block, folder)
        except UsageError as error:
            named = f" ({safe_address(str(block['url']))})" if isinstance(block, dict) and block.get("url") else ""
            problems.append(f"{where}{named}: {error.message} {error.hint}")
            continue
        key = key_of(source.url)
        if key in sources:
            problems.append(
                f"{where}: {safe_address(source.url)} is listed above already; this block is passed over. Delete it."
            )
        else:
            sources[key] = source
    return Subscriptions(tuple(sources.values()), tuple(problems))


def find_subscription(folder: Path, url: str) -> Source:
    """Return the subscription to an address, with all of its options. Raises TalksearchError where there is none."""
    key = key_of(url)
    found = next((source for source in read_subscriptions(folder).sources if key_of(source.url) == key), None)
    if found is None:
        raise TalksearchError(
            f"What {folder / FILE_NAME} says of {safe_address(url)} cannot be used.",
            "talksearch sync says which line is wrong.",
        )
    return found


def subscribe(folder: Path, wanted: Sequence[Options]) -> list[Change]:
    """Write subscriptions into the file of an archive's folder, and make both where they are not there.

    Args:
        folder: The archive's folder.
        wanted: For each its `url` and the options that were given. Of one that is there already, only these change; an
            empty text takes an option away.

    Returns what became of each.

    Raises:
        UsageError: An option means nothing.
        LockedError: Another process has been writing the file for ten seconds.
        TalksearchError: The file cannot be read or written, is no TOML, or tomlkit is missing.
    """
    fresh = [make_source(options, folder) for options in wanted]
    path = folder / FILE_NAME
    with _held(folder):
        document = _document(path, _read(path))
        known = {_key(block, folder): block for block in reversed(document.get("subscription", []))}
        added: dict[str, Source] = {}
        changes: list[Change] = []
        for options, source in zip(wanted, fresh, strict=True):
            key = key_of(source.url)
            if key in known:
                changes.append("changed" if _change(known[key], options, source) else "same")
            else:
                changes.append("same" if key in added else "added")
                added.setdefault(key, source)
        if set(changes) - {"same"}:
            _write(path, document.as_string(), added.values())
    return changes


def written(source: Source) -> dict[str, Any]:
    """Return what is to be written of a source, as TOML has values: what differs from what is meant anyway."""
    plain = replace(Source(source.url), url="")
    values = {key: getattr(source, key) for key in KEYS if getattr(source, key) != getattr(plain, key)}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _change(block: dict[str, Any], options: Options, source: Source) -> bool:
    """Change the options of a block that were given; say whether anything is another now."""
    fresh = written(source)
    before = dict(block)
    for key in options:
        if key in ("url", "title"):  # it has them, and the user may have called it otherwise
            continue
        if key in fresh:
            if block.get(key) != fresh[key]:
                block[key] = fresh[key]
        else:
            block.pop(key, None)
    return before != dict(block)


def _key(block: Mapping[str, Any], folder: Path) -> str:
    """Return what tells the address of a block from others; where it has none that can be meant, nothing equals it."""
    try:
        return key_of(make_source({"url": block["url"]}, folder).url)
    except (UsageError, KeyError, TypeError):
        return f"block {id(block)}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise TalksearchError(
            f"{path} cannot be read: {error.strerror or error}.", "Correct that, or move what is there away."
        ) from error
    except UnicodeDecodeError as error:
        raise TalksearchError(f"{path} cannot be read, as it is not UTF-8.", "Save it as UTF-8.") from error


def _blocks(path: Path, text: str) -> list[Any]:
    """Return the blocks in a text of TOML. Raises TalksearchError where it is none, or holds anything else."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TalksearchError(f"{path} is not TOML: {error}.", "Correct that line, or move the file away.") from error
    blocks = values.pop("subscription", [])
    if values or not isinstance(blocks, list):
        odd = next(iter(values), "subscription")
        raise TalksearchError(
            f"{path} holds {odd!r} outside of a block.", "Write [[subscription]] above what belongs to one."
        )
    return blocks


def _document(path: Path, text: str) -> TOMLDocument:
    """Return the file as it stands, with its comments. Raises TalksearchError where blocks cannot be added to it."""
    try:
        import tomlkit
    except ImportError:
        raise TalksearchError("Subscribing needs tomlkit.", 'Install it: pip install "talksearch[fetch]"') from None
    _blocks(path, text)
    if "subscription" in tomllib.loads(text) and not _BLOCK.search(text):
        raise TalksearchError(
            f"{path} lists its subscriptions as one value, to which nothing can be added.",
            "Write [[subscription]] above each, and its options on lines below.",
        )
    return tomlkit.parse(text or _HEAD)


def _write(path: Path, text: str, added: Iterable[Source]) -> None:
    """Write the file with what is added behind the rest, whatever the rest ends with."""
    import tomlkit

    blocks = [f"[[subscription]]\n{tomlkit.dumps(written(source))}" for source in added]
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600  # addresses of private feeds are secrets
    with replace_file(Path(os.path.realpath(path))) as new:  # where it is a link, the link stays
        new.touch(mode)  # before anything is in it
        new.write_text("\n".join([text.rstrip("\n") + "\n", *blocks]), encoding="utf-8")
        new.chmod(mode)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the file for writing; a run that fetches does not hold it."""
    lock = filelock.FileLock(folder / HIDDEN / "subscriptions.lock", timeout=_WAIT_S)
    try:
        (folder / HIDDEN).mkdir(parents=True, exist_ok=True)
        with lock:
            yield
    except filelock.Timeout:
        raise LockedError(f"Another process is writing {folder / FILE_NAME}.", "Try again in a moment.") from None
    except OSError as error:
        raise TalksearchError(
            f"{folder / FILE_NAME} cannot be written: {error.strerror or error}.",
            "Make room or get leave to write there, or name another folder with --to.",
        ) from error
