"""PATHs on other machines in an indexing run: their copies are brought up to date, and reports name them as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from talksearch.indexer import mirrors
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.mirrors import Mirror

from .read_talks import SkippedFile
from .report import Progress, Report, Tell


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """The PATHs of a run, all on this machine."""

    paths: tuple[Path, ...]
    """Those to look at; none: all of the index."""
    mirrors: tuple[Mirror, ...] = ()
    """The copies among them of folders on other machines."""

    @property
    def unreachable(self) -> Mapping[Path, str]:
        """The copies whose folders could not be looked at, with the reason."""
        return {mirror.folder: mirror.unreachable for mirror in self.mirrors if mirror.unreachable}


def bring_in(given: Sequence[str | Path], known_roots: Sequence[str], tell: Tell, *, everything: bool) -> LocalPaths:
    """Bring the copies of folders on other machines up to date.

    Args:
        given: The PATHs that the user names.
        known_roots: The PATHs of the index so far, as the catalog has them.
        tell: Is called with a `Progress` now and then.
        everything: All PATHs of the index are looked at, whichever are given.

    Raises:
        TalksearchError: an address is none, or nothing that is to be looked at can be.
        LockedError: another process is fetching the same.
    """
    addresses = [str(path) for path in given if mirrors.is_address(str(path))]
    walked = len(given)
    if everything:
        addresses += [address for root in known_roots if mirrors.is_address(address := mirrors.shown(root))]
        walked += len(known_roots)
    found: dict[str, Mirror] = {}
    for address in dict.fromkeys(map(mirrors.checked_address, addresses)):
        found[address] = mirrors.refresh(address, lambda done, total: tell(Progress("fetching", done, total)))
    away = [mirror.unreachable for mirror in found.values() if mirror.unreachable]
    if away and len(away) == len(found) and len(addresses) == walked:
        raise TalksearchError(away[0], "Nothing was changed: what the index holds of it stays.")
    paths = (mirrors.folder_of(str(path)) if mirrors.is_address(str(path)) else Path(path) for path in given)
    return LocalPaths(tuple(paths), tuple(found.values()))


def finish_report(report: Report, local: LocalPaths) -> None:
    """Add what could not be fetched to a report, and name all files by the addresses that the user knows."""
    for mirror in local.mirrors:
        if mirror.unreachable and not any(talk.root == str(mirror.folder) for talk in report.held):
            report.notes.append(f"{mirror.unreachable} Its talks were read from the copy that was made before.")
        for place, reason in sorted(mirror.problems.items()):
            if (mirror.folder / place).is_file():
                report.notes.append(f"{mirror.address}/{place} stays as it was. {reason}")
            else:
                report.skipped.append(SkippedFile(str(mirror.folder / place), reason))
    if not local.mirrors:
        return

    def named(text: str) -> str:
        for mirror in local.mirrors:
            text = text.replace(str(mirror.folder), mirror.address)
        return text

    for files in (report.duplicates, report.tracks, report.skipped, report.unbalanced):
        files[:] = [SkippedFile(named(file.path), named(file.reason)) for file in files]
    report.held = [
        replace(talk, path=named(talk.path), reason=named(talk.reason), root=named(talk.root) if talk.root else None)
        for talk in report.held
    ]
    report.notes = list(map(named, report.notes))
