"""Names in bold letters before the words of a turn, without a colon, as Markdown has them: `**Ana Ruiz** So it is.`

A bold word at the beginning of a line may be a word that matters. So the names are told by how they come back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from talksearch.indexer.text.lone_names import is_anybody, may_be_a_lone_name, returning

_BOLD = re.compile(
    r"(?P<lead>[ \t]*(?:[>*+-][ \t]+)*)(?P<mark>\*\*|__)(?P<name>[^*_\n:]{1,60}?)(?P=mark)(?P<rest>[ \t]+\S.*)?"
)
_LEAST_SHARE = 4
"""Of the lines that say something, names open the fourth part at least."""


def with_colons(lines: Sequence[str]) -> list[str]:
    """Return lines with a colon behind the bold names that open them, so that they are read as all other names are.

    >>> with_colons(["**Ana** Yes.", "**Ben** No.", "**Ana** Yes!", "**Ben** Well."])[0]
    '**Ana:** Yes.'
    """
    matches = {
        i: match for i, line in enumerate(lines) if "**" in line or "__" in line if (match := _BOLD.fullmatch(line))
    }
    counts = Counter(match["name"].strip() for match in matches.values() if match["rest"])
    names = {name: count for name, count in counts.items() if may_be_a_lone_name(name)}
    filled = sum(1 for line in lines if line.strip())
    known = returning(names)
    said = sum(names.values())
    if len(known) < 2 or said * _LEAST_SHARE < filled or said * 5 < counts.total() * 4:
        return list(lines)
    if not all(names[name] > 1 or is_anybody(name) for name in known) and said < 2 * len(known):
        return list(lines)
    return [
        f"{match['lead']}**{match['name'].strip()}:**{match['rest']}"
        if (match := matches.get(i)) and match["rest"] and match["name"].strip() in known
        else line
        for i, line in enumerate(lines)
    ]
