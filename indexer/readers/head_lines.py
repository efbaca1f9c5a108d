"""What programs write above the turns of a meeting: its title, when it was, how long, who was there, notices.

Nobody says these lines. They are told by what stands below: where turns have heads of their own, with a name and a
time, speech stands in turns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from talksearch.indexer.records import Step
from talksearch.indexer.text.boilerplate import introduces_a_list, is_edge
from talksearch.indexer.text.counting import count_words
from talksearch.indexer.text.lone_names import may_be_a_lone_name
from talksearch.indexer.text.speaker_labels import label_of

from .front_matter import HEADING, RULE, Front, plain_markdown, read_front
from .line_layout import LineLayout

_MONTHS = (
    "jan ene gen janv", "feb fév fev febr", "mar mär mrz mars marz maa mrt", "apr avr abr", "may mai mag mei maj",
    "jun juin giu", "jul juil lug", "aug aoû ago", "sep set", "oct okt ott out", "nov", "dec dez déc dic des",
)  # fmt: skip
"""How the names of months begin in English, German, French, Spanish, Italian, Portuguese, Dutch and the north."""
_BEGINNINGS = {beginning: month for month, names in enumerate(_MONTHS, 1) for beginning in names.split()}
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.|º|er)?"
_MONTH = r"(?P<month>[^\W\d_]{3,12})\.?"
_DATES = (
    re.compile(r"(?P<year>(?:19|20)\d\d)[-/.](?P<number>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?P<year>(?:19|20)\d\d)年(?P<number>\d{1,2})月(?P<day>\d{1,2})日"),
    re.compile(rf"{_MONTH}[ \t]+{_DAY},?[ \t]+(?P<year>(?:19|20)\d\d)\b"),
    re.compile(rf"{_DAY}[ \t]+(?:de[ \t]+)?{_MONTH},?[ \t]+(?:de[ \t]+)?(?P<year>(?:19|20)\d\d)\b"),
    re.compile(r"\b(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>(?:19|20)\d\d)\b"),
)
_MOST_WORDS_OF_A_DATE = 12
_LENGTH = re.compile(
    r"(?:duration:?[ \t]*)?(?:\d{1,2}[ \t]*(?:h|hrs?|hours?|std\.?|ч)[ \t,]*)?"
    r"(?:\d{1,3}[ \t]*(?:m|mins?|minutes?|min\.?|мин)[ \t,]*)?"
    r"(?:\d{1,2}[ \t]*(?:s|secs?|seconds?|sek\.?|с)[ \t]*)?|\d{1,2}:\d\d(?::\d\d)?",
    re.IGNORECASE,
)
_RECORDING = re.compile(
    r"(?<![-_ ])[-_ ]+\d{8}_\d{6}(?:UTC)?[-_ ]+(?:meeting recording|meeting transcript|besprechungsaufzeichnung"
    r"|enregistrement.*|grabaci[oó]n.*|recording|transcript)(?:\.\w{2,4})?$",
    re.IGNORECASE,
)
"""What Teams appends to the title of a meeting."""
_TRANSCRIPT = re.compile(
    r"(?:full |meeting |call )?transcript(?:ion)?|transkript(?:ion)?|transcripci[oó]n", re.IGNORECASE
)
_MOST_LINES = 40
"""Among which a list of who was there stands, above a text without times."""
_MOST_WORDS = 25
"""Of a line above turns; a longer one is speech."""
_MOST_WORDS_OF_A_TITLE = 15


def stands_above_turns(layout: LineLayout, head: Sequence[str]) -> bool:
    """Say whether lines above the first time are no speech: below them stand turns, and they are no turn themselves."""
    stamps = layout.stamps.values()
    named = sum(
        stamp.speaker is not None or _opens_a_turn(stamp.text or _below(layout, i))
        for i, stamp in layout.stamps.items()
    )
    if named * 2 < len(layout.stamps) or (layout.far_apart and not _is_labelled(layout)):
        return False
    below = layout.lines[min(layout.stamps) :]
    speakers = {stamp.speaker or stamp.text for stamp in stamps}
    speakers |= {label[0] for line in below if ":" in line[:90] and (label := label_of(line.strip()))}
    listed = False
    for line in head[end_of_lists(head) :]:
        text = line.strip()
        if not text:
            continue
        label = label_of(text)
        if text in speakers or (label and label[0] in speakers and text[label[1] :].strip()):
            return False
        if len(text.split()) > _MOST_WORDS and not listed and not is_edge(text):
            return False
        listed = introduces_a_list(text)
    return True


def end_of_lists(head: Sequence[str]) -> int:
    """Return the position behind a heading `Transcript` below a list of who was there; 0 where there is none.

    Gong writes the firms and the people of a call so, in several lines, before what they say, and Meet who came.

    >>> end_of_lists(["Dike review", "Attendees", "Ana Ruiz", "Transcript", "Ana Ruiz: Hello."])
    4
    """
    lists = [i for i, line in enumerate(head) if introduces_a_list(line)]
    ends = [i for i, line in enumerate(head) if _TRANSCRIPT.fullmatch(line.strip(" \t#*:"))]
    return ends[-1] + 1 if lists and ends and lists[0] < ends[-1] else 0


def above_names(lines: Sequence[str]) -> int:
    """Return how many lines stand above the turns of a text without times; 0 where no list of who was there does."""
    top = end_of_lists(lines[:_MOST_LINES])
    below = [line for line in lines[top:] if line.strip()]
    named = sum(label_of(line.strip()) is not None for line in below)
    return top if named > 1 and named * 2 >= len(below) else 0


def _opens_a_turn(text: str) -> bool:
    label = label_of(text)
    return may_be_a_lone_name(text) or (label is not None and may_be_a_lone_name(label[0]))


def _below(layout: LineLayout, position: int) -> str:
    return next((line.strip() for line in layout.lines[position + 1 : position + 3] if line.strip()), "")


def _is_labelled(layout: LineLayout) -> bool:
    """Say whether most lines below the first time begin with a name: then one without a name is no speech."""
    lines = [line for line in layout.lines[min(layout.stamps) :] if len(line.split()) > 1]
    return sum(label_of(line.strip()) is not None for line in lines) * 2 > len(lines)


def read_head(lines: Sequence[str], front: Front) -> list[str]:
    """Read the lines above turns: title, date, and text about the talk. Returns the lines of boilerplate."""
    left_out: list[str] = []
    texts = [line.strip() for line in lines if line.strip() and not RULE.match(line)]
    exported = any(date_in(text) or _is_length(text) or _RECORDING.search(text) for text in texts)
    for position, text in enumerate(texts):
        listed = position > 0 and introduces_a_list(texts[position - 1])
        if is_edge(text) and not listed:
            left_out.append(text)
            continue
        date = date_in(text)
        if HEADING.match(text) or (":" in text and not date):
            read_front(text, front)
            continue
        plain = plain_markdown(text)
        if date or _is_length(text) or listed:
            if date:
                front.values.setdefault("date", date)
            front.text.append(plain)
        elif exported and "title" not in front.values and len(plain.split()) <= _MOST_WORDS_OF_A_TITLE:
            title = _RECORDING.sub("", plain)
            front.values["title"] = title or plain
            if title != plain:
                front.text.append(plain)
        else:
            front.text.append(plain)
    return left_out


def dropped_notices(notices: Sequence[str]) -> tuple[Step, ...]:
    """Return the step that says which lines were left out; none where none were."""
    if not notices:
        return ()
    words = count_words(" ".join(notices))
    return (Step("drop-boilerplate", "cues", {"lines_left_out": list(notices), "words_left_out": words}),)


def _is_length(text: str) -> bool:
    return any(char.isdigit() for char in text) and _LENGTH.fullmatch(text.strip()) is not None


def date_in(text: str) -> str | None:
    """Return the day that a line of a date and a time of day names, as `YYYY-MM-DD`.

    >>> [date_in(text) for text in ("March 12, 2024, 3:03PM", "12. März 2024 15:03", "le 3 août 2023", "2 of 2024")]
    ['2024-03-12', '2024-03-12', '2023-08-03', None]
    """
    if len(text.split()) > _MOST_WORDS_OF_A_DATE:
        return None
    for pattern in _DATES:
        match = pattern.search(text)
        if not match:
            continue
        parts = match.groupdict()
        month = int(parts["number"]) if parts.get("number") else _month(parts["month"])
        day = int(parts["day"])
        if month and 1 <= month <= 12 and 1 <= day <= 31:
            return f"{parts['year']}-{month:02d}-{day:02d}"
    return None


def _month(name: str) -> int | None:
    lower = name.lower()
    return next((_BEGINNINGS[lower[:size]] for size in (4, 3) if lower[:size] in _BEGINNINGS), None)
