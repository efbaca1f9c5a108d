"""A talk as captions: WebVTT through webvtt-py, SubRip through pysubs2.

Read back by this project's own readers, both give the same cues: texts, times, and in WebVTT speakers, turns and the
times of words.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from io import StringIO

import webvtt
from pysubs2 import SSAEvent, SSAFile

from talksearch.cli.render.common import timing_sentence
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe

from .selection import Selection, Written

_TURN = ">> "
"""What captions write where another voice begins that has no name."""

_BACKSLASH = "\ue000"
"""Stands for a backslash while pysubs2 writes, to which it is the beginning of a line break or a tag of SubStation. A
private character, which no font shows and no restored text holds for long."""


def vtt(selection: Selection) -> Written:
    """Return a talk as WebVTT (https://www.w3.org/TR/webvtt1/): speakers as voices, words with the times they have.

    Title, address and chapters stand in a comment at the top, which players pass over.
    """
    (talk,) = selection.talks
    captions = [
        webvtt.Caption(_clock(cue.start_ms), _clock(cue.end_ms), [_voice(cue) + _timed_text(cue)]) for cue in talk.cues
    ]
    head = ["Kind: captions", *([f"Language: {talk.language}"] if talk.language else [])]
    out = StringIO()
    webvtt.WebVTT(captions=captions, metadata=head, header_comments=["\n".join(_about(talk))]).write(out)
    return Written(out.getvalue())


def srt(selection: Selection) -> Written:
    """Return a talk as SubRip. It has no place for a title or a language, and a name is words before a colon."""
    (talk,) = selection.talks
    subs = SSAFile()
    for cue in talk.cues:
        name = f"{cue.speaker}: " if cue.speaker else _TURN if cue.turn else ""
        text = f"{name}{cue.text}".replace("\\", _BACKSLASH)
        subs.append(SSAEvent(cue.start_ms, cue.end_ms, text))
    return Written(subs.to_string("srt", keep_ssa_tags=True).replace(_BACKSLASH, "\\"))


def _about(talk: Talk) -> Iterator[str]:
    """Yield the lines of the comment. No line of a comment is empty or holds an arrow, at which cues would begin."""
    facts = (talk.speaker, talk.channel, talk.date, talk.url, timing_sentence(talk))
    lines = [talk.title, *filter(None, facts)]
    lines += [f"{show_clock(chapter.start_ms)} {chapter.title}" for chapter in talk.chapters]
    for line in lines:
        plain = safe(line).replace("-->", "→").strip()
        if plain:
            yield plain


def _voice(cue: Cue) -> str:
    if cue.speaker:
        name = html.escape(cue.speaker, quote=False)
        return f"<v {name} >" if name.endswith("--") else f"<v {name}>"  # `-->` may stand in no cue
    return html.escape(_TURN, quote=False) if cue.turn else ""


def _timed_text(cue: Cue) -> str:
    """Return the words of a cue, with a time before those that begin later than the ones before them."""
    if not cue.words:
        return html.escape(cue.text, quote=False)
    parts = []
    last_ms = cue.start_ms
    for word in cue.words:
        if word.start_ms > last_ms:
            last_ms = word.start_ms
            parts.append(f"<{_clock(last_ms)}>")
        parts.append(f"{html.escape(word.text, quote=False)} ")
    return "".join(parts).rstrip()


def _clock(ms: int) -> str:
    """Return a time as WebVTT writes it.

    >>> _clock(3_723_004)
    '01:02:03.004'
    """
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
