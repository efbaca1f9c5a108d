"""Marks that are no tags around the word that is said: `**word**`, `_word_`, `[word]`, or `WORD` in capitals.

Where cues show one line again and again and only such a mark moves, they are written with the tag that
`highlights` follows. Whatever that does not follow keeps its text as it stands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from talksearch.indexer.records import Cue

_AROUND = re.compile(
    r"(?P<sign>\*\*|__|[*_~`])(?P<signed>[^\s*_~`](?:[^*_~`\n]*[^\s*_~`])?)(?P=sign)"
    r"|\[(?P<square>[^\[\]\n]+)\]|【(?P<lens>[^【】\n]+)】|«(?P<quote>[^«»\n]+)»"
)
_FEWEST = 3
"""Cues that show one line."""
_LONGEST_SIGNS = 4
"""Characters of both signs around a word."""
_TAG, _END = "<mark>", "</mark>"


def with_tags(cues: Sequence[Cue]) -> Sequence[Cue]:
    """Write the marks of lines that are shown at least three times in a row as tags; all other cues are as they were.

    Where there are none, the cues themselves are returned.
    """
    out: list[Cue] | None = None
    for first, stop in _alike(cues):
        shown = [_AROUND.sub(_inside, cue.text) for cue in cues[first:stop]]
        for begin, end in _runs([" ".join(text.split()).casefold() for text in shown]):
            texts = [cue.text for cue in cues[first + begin : first + end]]
            if len(set(texts)) < _FEWEST:
                continue
            if texts == shown[begin:end]:
                marked = _from_capitals(texts)
            else:
                marked = [_AROUND.sub(lambda match: f"{_TAG}{_inside(match)}{_END}", text) for text in texts]
            if marked:
                out = out or list(cues)
                for place, text in enumerate(marked, first + begin):
                    out[place] = replace(cues[place], text=text)
    return cues if out is None else out


def _alike(cues: Sequence[Cue]) -> Iterator[tuple[int, int]]:
    """Yield where cues begin and end, three at least, that are as long as the ones beside them but for a mark.

    Only these need a closer look, which takes longer.
    """
    begin = 0
    for i in range(1, len(cues) + 1):
        if i == len(cues) or abs(len(cues[i].text) - len(cues[i - 1].text)) > _LONGEST_SIGNS:
            if i - begin >= _FEWEST:
                yield begin, i
            begin = i


def _inside(match: re.Match[str]) -> str:
    return next(group for name, group in match.groupdict().items() if name != "sign" and group is not None)


def _runs(keys: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where cues begin and end that show the same, three at least."""
    begin = 0
    for i in range(1, len(keys) + 1):
        if i == len(keys) or keys[i] != keys[begin]:
            if i - begin >= _FEWEST and keys[begin]:
                yield begin, i
            begin = i


def _from_capitals(texts: Sequence[str]) -> list[str]:
    """Mark the words that stand in capitals in some cues only, and write them as most cues do; none where none do."""
    rows = [re.split(r"(\s+)", text) for text in texts]
    if len({len(row) for row in rows}) > 1:
        return []
    usual = [Counter(column).most_common(1)[0][0] for column in zip(*rows, strict=True)]
    marked = []
    for row in rows:
        out = [
            f"{_TAG}{common}{_END}" if word != common and word == common.upper() else common
            for word, common in zip(row, usual, strict=True)
        ]
        if any(word not in (common, common.upper()) for word, common in zip(row, usual, strict=True)):
            return []
        marked.append("".join(out))
    return marked
