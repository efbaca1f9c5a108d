"""Times at the beginning of lines, as they should stand: without their day, and with the signs of a time.

`[2024-03-05 14:23:11]` becomes `[14:23:11]`, and `［００：０７］` as keyboards of East Asia write it `[00:07]`.
"""

from __future__ import annotations

import re

from talksearch.indexer.records import Step
from talksearch.indexer.text.counting import count_words
from talksearch.indexer.text.damaged_clock import plain_signs

_DATED = re.compile(
    r"^([ \t]*)([\[(])(\d{4}-\d\d-\d\d)[T \t][ \t]*(\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,6})?)"
    r"[ \t]?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)?[\])]",
    re.MULTILINE,
)
_WIDE = re.compile(
    r"^([ \t\u3000]*[\[(（［【<]?)(\d{1,3}[:：]\d{1,2}(?:[:：]\d{1,2})?(?:[.,．，]\d{1,3})?)([\])）］】>]?)(?!\d)",
    re.MULTILINE,
)
_BRACKETS = str.maketrans("［］（）\u3000", "[]() ")
_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b")
"""How programs begin what they write into logs, which nobody says."""
_FEWEST = 3
_MOST_DAYS = 2
"""A talk may go on past midnight."""


def without_days(text: str) -> tuple[str, tuple[Step, ...]]:
    """Leave out the days before the times of a text whose lines nearly all have both, and the step to note it.

    >>> without_days("[2024-03-05 14:23:11] a\\n[2024-03-05 14:23:15] b\\n[2024-03-05T14:23:19Z] c")[0].split("\\n")
    ['[14:23:11] a', '[14:23:15] b', '[14:23:19] c']
    """
    if "-" not in text[:200]:  # as in most files
        return text, ()
    found = list(_DATED.finditer(text))
    filled = sum(1 for line in text.split("\n") if line.strip())
    if len(found) < _FEWEST or len(found) * 3 < filled or len({match[3] for match in found}) > _MOST_DAYS:
        return text, ()
    if len(_LEVEL.findall(text)) * 10 > len(found):
        return text, ()
    bare = _DATED.sub(lambda match: f"{match[1]}[{match[4][:12]}]", text)
    words = sum(count_words(match[0]) for match in found)
    return bare, (Step("leave-out-days", "cues", {"lines": len(found), "words_left_out": words}),)


def with_plain_signs(text: str) -> tuple[str, tuple[Step, ...]]:
    """Write the times at the beginning of lines in ASCII where three at least are in another width, with the step.

    >>> with_plain_signs("［００：０１］a\\n００：０５ b\\n0：09 c")[0].split("\\n")
    ['[00:01]a', '00:05 b', '0:09 c']
    """
    if text.isascii() or "：" not in text:
        return text, ()
    wide = sum("：" in match[2] for match in _WIDE.finditer(text))
    if wide < _FEWEST:
        return text, ()
    plain = _WIDE.sub(
        lambda match: f"{match[1].translate(_BRACKETS)}{plain_signs(match[2])}{match[3].translate(_BRACKETS)}", text
    )
    return plain, (Step("read-damaged-times", "cues", {"lines": wide, "lines_left_out": []}),)
