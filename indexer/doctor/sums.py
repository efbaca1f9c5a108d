"""What the catalog notes of its tables altogether: that it is so."""

from __future__ import annotations

import sqlite3

from talksearch.indexer.stores import sums

from .findings import Finding, finding


def check_sums(db: sqlite3.Connection, *, mend: bool, has_damaged_talks: bool, other_findings: bool) -> list[Finding]:
    """Check the sums when all that they are made of was checked; with `mend` they are noted anew.

    Args:
        db: The catalog.
        mend: Whether they are noted, and not only looked at.
        has_damaged_talks: Whether talks are still to be read again, so that not all of it is as it should be.
        other_findings: Whether anything else was found. Then they are others because of that.
    """
    lacking = sums.are_lacking(db)
    differing = sums.differing(db, sums.ALL)
    if mend:
        sums.note(db, ("lengths",) if has_damaged_talks else (), anew=True)
    if other_findings or not (lacking or differing):
        return []
    if lacking:
        return [finding("What the catalog notes of its tables altogether was gone.", mend)]
    return [finding("The word index, or what goes with it, was changed by another program.", mend)]
