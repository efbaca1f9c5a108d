"""Who speaks, where a transcript writes it before the words: `Name: text`, `**Name**: text`.

A colon alone says nothing ("Note: this", "And he said: no"). Whether the words before it are a name is decided from
the file as a whole: by how many cues have one, how often each comes back, and what it looks like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_LABEL = re.compile(
    r"(?:[^\w\[(*_]{0,4})(?P<bold>\*\*|__)?"
    r"(?P<name>\[?[^\W_](?:[^:：\n*_\[\]]|_(?=\w)){0,78}?\]?)(?P<close>\*\*|__)?[ \t]*"
    r"(?::(?P<after>\*\*|__)?(?=\s|$)|：)[ \t]*"
)
_BOLD = re.compile(
    r"(?:^\W{0,6}|(?<=\s))\*\*(?P<name>[^*\n:]{1,40}?)[ \t]*(?P<colon>:?)\*\*[ \t]*(?P<colon2>:?)(?=\s|$)"
)
_BOLD_OPEN = re.compile(r"^\W{0,4}(?P<name>[^\W_][^*\n:.!?]{0,40}?)\*\*(?P<colon2>:?)(?=\s)")
_PARENS = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)")
_TITLES_TEXT = """
mr mrs ms miss mx dr prof st sr jr hon rt rev fr gen col lt sgt capt gov sen rep pres phd m mme
"""
TITLES = frozenset(_TITLES_TEXT.split())
"""What stands before a name or behind it, in small letters and without its point."""
_PARTICLES_TEXT = """
van von de der den del della di da do dos das du la le el al bin ibn ben of the and for et y e & | - – / zu zur
ter ten
"""
_PARTICLES = frozenset(_PARTICLES_TEXT.split())
_NOT_NAMES_TEXT = """
note notes question questions answer answers example examples step steps part chapter section slide figure table
theorem lemma proof definition proposition corollary remark exercise problem solution warning caution tip hint
reminder remember summary conclusion introduction overview agenda update updates edit correction disclaimer
transcript transcription title url link links source date time duration description content status kind language
http https first second third fourth fifth next finally also so and but or because then now well okay ok yes no
right look listen see this that these those it he she they we you i what why how when where who which there here
the a an my your our his her their one two three four five six seven eight nine ten topic idea point fact goal
result results pros cons option case rule rules quote word words meaning means namely ie eg ps nb re todo fixme
spoiler task credits music applause laughter important specifically basically actually namely today tomorrow
version type name number level phase stage year week day episode season issue ip eip bip rfc abstract motivation
background keywords subject attention danger info error action actions decision decisions attendees participants
"""
_NOT_NAMES = frozenset(_NOT_NAMES_TEXT.split())
_KEYS_OF_TIMES_TEXT = """
duration length runtime time times timestamp timecode date start started starts end ended ends begin begins began
stop finish finished recorded recording published uploaded updated created generated posted printed aired transcribed
total elapsed remaining left running opening closing doors break pause lunch dinner breakfast coffee arrival departure
kickoff sunrise sunset meeting session open opens close closes closed hours clock est gmt utc offset position eta
bedtime wakeup checkin checkout
"""
_KEYS_OF_TIMES = frozenset(_KEYS_OF_TIMES_TEXT.split())
_FUNCTION_WORDS_TEXT = """
he she it they we you i said says say saying is are was were be been being am have has had do does did will
would can could should may might must not this that these those there here what why how when where who which if
because so but then than as at by from in into on onto to with without about after before over under again just
only very my your our his her its their me him us them asked asks told tells think thinks thought know known
like goes going go get got make makes made let want wanted question problem thing things called means is
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_TEXT.split())
_NAMES_TOO = frozenset(("will", "may", "so", "an", "do", "in", "on", "he", "you", "has", "my", "can"))
"""Words of sentences that are given or family names as well."""
_SURNAME_FIRST = re.compile(r"[^\W\d_][^\W\d_.'’ -]*\.?(?:[ '’-][^\W\d_.'’ -]+\.?){0,3}, ?[^\W\d_][\w.'’ -]{0,30}")
_PHONE = re.compile(r"(?!(?:19|20)\d\d[-/.])\(?\d[\d*X ().-]{7,20}[\d*X]")
"""How calls name who came in by telephone, hidden figures and all; a day is none."""
_LETTER = re.compile(r"[A-Z]\d?|Me|Them|You")
"""What stands for people where programs and interviewers write no names."""


def label_of(text: str) -> tuple[str, int] | None:
    """Return what may be a name before a colon, and where the words begin behind it.

    >>> label_of("Mario Vega: Hello."), label_of("at 12:30"), label_of("Yes. He left: no")
    (('Mario Vega', 12), None, None)
    """
    head = text[:90]
    match = _LABEL.match(text[:120]) if ":" in head or "：" in head else None
    if not match:
        return None
    name = match["name"].strip().strip("[]")
    bare = _PARENS.sub(" ", name)
    if not bare.strip() or len(bare.split()) > 7 or re.search(r"[;!?\"“”…()]|\.\.", bare):
        return None
    if "," in bare and not (_SURNAME_FIRST.fullmatch(bare.strip()) and looks_like_a_name(bare)):
        return None
    for word in bare.split():
        if word.endswith(".") and len(word) > 2 and word[:-1].lower() not in TITLES:
            return None
    return name, match.end()


def looks_like_a_name(label: str) -> bool:
    """Say whether every word is written as names are; a single small word may be a nickname and is not judged here.

    >>> [looks_like_a_name(n) for n in ("Aaron van Wirdum", "SPEAKER_01", "Note", "And he said", "主持人")]
    [True, True, False, False, True]
    """
    if is_phone_number(label):
        return True
    words = _PARENS.sub(" ", label).split()
    if not words or is_no_name(words):
        return False
    return all(
        word[0].isupper()
        or word[0].isdigit()
        or not (word[0].isupper() or word[0].islower())
        or word.lower() in _PARTICLES
        for word in words
    ) and (words[0][0].isalnum() or words[0][0] in "@#")


def is_phone_number(label: str) -> bool:
    """Say whether a label is the number of somebody who came in by telephone.

    >>> [is_phone_number(label) for label in ("14155550123", "1 (415) 555-0123", "2024-03-04 10", "12 000")]
    [True, True, False, False]
    """
    figures = sum(char.isdigit() or char in "*X" for char in label)
    return 9 <= figures <= 15 and _PHONE.fullmatch(label.strip(" +")) is not None


def may_stand_before_a_time(label: str) -> bool:
    """Say whether a label before a time may be who speaks then, and not what the time is of.

    >>> [may_stand_before_a_time(label) for label in ("Ana Ruiz", "SPEAKER_00", "Duration", "Total time", "Start")]
    [True, True, False, False, False]
    """
    words = [word.strip(".'’-").lower() for word in label.split()]
    return looks_like_a_name(label) and not any(word in _KEYS_OF_TIMES for word in words)


def is_particle(word: str) -> bool:
    """Say whether a word in small letters may stand inside a name: `van`, `de`, `bin`."""
    return word.lower() in _PARTICLES


def is_no_name(words: Sequence[str]) -> bool:
    """Say whether words cannot be a name, whatever their letters are: "Note", "he said", "2.5"."""
    first = words[0].lower().strip(".,'’")
    if first in _NOT_NAMES and not (first == "i" and len(words) > 1) and not (first in ("the",) and len(words) > 1):
        return True
    if re.fullmatch(r"[\d./-]+", first) or not any(char.isalnum() for char in first):
        return True
    if any(re.search(r"\d[.,]\d", word) for word in words):
        return True
    return any(
        word.lower() in _FUNCTION_WORDS and word.lower() not in _PARTICLES and not word.isupper()
        for word in (words if len(words) < 2 or not _holds_a_given_name(words) else ())
    )


def _holds_a_given_name(words: Sequence[str]) -> bool:
    """Whether one of several words is a name and a word of sentences as well, written like the other: `Will Smith`."""
    twofold = [word for word in words if word.lower() in _NAMES_TOO]
    others = [word for word in words if word.lower() not in _NAMES_TOO]
    return len(twofold) == 1 and all(word[0].isupper() for word in words) and not is_no_name(others)


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Decide which labels before colons are names of speakers, from all cues of a file.

    Where at least half of the cues carry a label, a label is a name when it comes back or looks like one. Where fewer
    do, it must look like one, come back three times (twice in capitals, as captions mark voices), and there must be
    two of them: people who are named take turns. Where there are, one in capitals that stands once is a name too.
    """
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        total += 1
        label_match = label_of(text)
        if label_match:
            counts[label_match[0]] += 1
    if not counts:
        return frozenset()
    labelled = sum(counts.values())
    letters = _letters(counts)
    if labelled * 2 >= total and labelled >= 2:
        accepted = letters | {
            label
            for label, count in counts.items()
            if looks_like_a_name(label) or (_nickname(label) and (count >= 2 or labelled * 10 >= total * 8))
        }
        # A list of definitions has a label before every line too, but none comes back.
        repeated = sum(counts[label] for label in accepted if counts[label] > 1)
        few = len(accepted) <= 12 and labelled <= 24
        return frozenset(accepted) if repeated * 2 >= labelled or few else frozenset()
    accepted = letters | {
        label
        for label, count in counts.items()
        if looks_like_a_name(label) and count >= (2 if label.isupper() and len(label) > 1 else 3)
    }
    if len(accepted) < 2 and not any(label.isupper() and len(label) > 2 for label in accepted):
        return frozenset()
    if sum(label.isupper() for label in accepted) * 2 > len(accepted):
        accepted |= {label for label in counts if label.isupper() and len(label) > 2 and _is_upper_name(label)}
    return frozenset(accepted)


def _letters(counts: Counter[str]) -> set[str]:
    """Return letters that stand for people (`Q` and `A`), where they are most of the labels and one comes back."""
    letters = {label: count for label, count in counts.items() if _LETTER.fullmatch(label)}
    said = sum(letters.values())
    return set(letters) if len(letters) > 1 and said > len(letters) and said * 2 > counts.total() else set()


def _is_upper_name(label: str) -> bool:
    words = [word.lower() for word in _PARENS.sub(" ", label).split()]
    return looks_like_a_name(label) and bool(words) and not is_no_name(words)


def _nickname(label: str) -> bool:
    """Whether a label in small letters may be how somebody calls themselves: no words a sentence is made of."""
    words = _PARENS.sub(" ", label).split()
    return bool(words) and not is_no_name(words) and len(words) <= 4


def bold_names_in(texts: Iterable[str]) -> frozenset[str]:
    """Decide which bold words inside cues are names: written like names, and followed by a colon or after a sentence.

    >>> sorted(bold_names_in(["**Ann**: Hi. **Bob**: Ho.", "**Ann**: It is **very** long."]))
    ['Ann', 'Bob']
    """
    good: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for text in texts:
        if "**" not in text:
            continue
        for match in _BOLD.finditer(text):
            name = match["name"].strip()
            all_of[name] += 1
            before = text[: match.start()].rstrip()
            if match["colon"] or match["colon2"] or not before or before[-1] in '.!?…)"”*|]':
                good[name] += 1
        opened = _BOLD_OPEN.match(text)
        if opened:
            all_of[opened["name"].strip()] += 1
            good[opened["name"].strip()] += 1
    total = sum(all_of.values())
    if total < 3 or sum(good.values()) * 10 < total * 6:
        return frozenset()
    return frozenset(
        name
        for name, count in good.items()
        if count * 10 >= all_of[name] * 6 and len(name.split()) <= 5 and (looks_like_a_name(name) or _nickname(name))
    )


def split_bold(text: str, names: frozenset[str]) -> list[tuple[str | None, str]]:
    """Cut a cue at the bold names in it: pairs of a name (None: whoever spoke before) and their words.

    A name at the very end, whose words are in the next cue, has none here.

    >>> split_bold("Yes. **Ann**: Hi. **Bob** Ho **ho**.", frozenset({"Ann", "Bob"}))
    [(None, 'Yes.'), ('Ann', 'Hi.'), ('Bob', 'Ho **ho**.')]
    """
    out: list[tuple[str | None, str]] = []
    name: str | None = None
    words_start = 0
    opened = _BOLD_OPEN.match(text)
    if opened and opened["name"].strip() in names:
        name, words_start = opened["name"].strip(), opened.end()
    for match in _BOLD.finditer(text, words_start):
        if match["name"].strip() not in names:
            continue
        words = text[words_start : match.start()].strip()
        if _says(words):
            out.append((name, words))
        name, words_start = match["name"].strip(), match.end()
    words = text[words_start:].strip()
    if _says(words):
        out.append((name, words))
    elif name:
        out.append((name, ""))
    return out


def _says(text: str) -> bool:
    return any(char.isalnum() for char in text)
