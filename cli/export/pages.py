"""A talk, or hits, as one page of HTML that needs nothing beside it and loads nothing before it is clicked.

Texts pass `safe` here and are escaped by the templates. A policy in the page allows the style and the script that stand
in it, the recording, and at most the host of one embed.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

import jinja2

from talksearch.cli.render.common import counted, mark, timing_sentence
from talksearch.cli.render.talks import by_chapter, paragraphs
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.untrusted import is_linkable, safe
from talksearch.search.hit import Beside, Hit, beside_label, byline, how_good, pieces, voice, when
from talksearch.search.links import jump_to, link_at

from .recordings import is_media
from .selection import Selection, Written

TEMPLATES = Path(__file__).with_name("templates")
_JINJA = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False
)
_YOUTUBE = "https://www.youtube-nocookie.com"

_BESIDE = "'self' file:"
"""What a policy calls files that lie beside a page; not every browser counts them as its own where it is a file."""


@dataclass(frozen=True, slots=True)
class Player:
    """What plays a talk in a page."""

    kind: str
    """`video`, `audio`, or `frame` for an embed that is loaded when it is asked for."""
    src: str
    host: str = ""
    """Where a frame comes from."""


@dataclass(frozen=True, slots=True)
class Line:
    """A cue as a link."""

    second: str
    opens: str
    """The second that its link opens at: a little earlier where times are estimated."""
    href: str
    """Empty where no recording is known."""
    text: str
    behind: str
    """What the language writes between this line and the next."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that are read in one go."""

    anchor: str
    clock: str
    start_ms: int
    speaker: str
    """The name, where another one speaks than in the paragraph before."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter, or what stands before the first."""

    anchor: str
    title: str
    clock: str
    paragraphs: tuple[Paragraph, ...]


def page(selection: Selection) -> Written:
    """Return a talk with its player and transcript, or hits as quotes with their links, as one page."""
    if selection.kind == "hits":
        return Written(_hits_page(selection))
    (talk,) = selection.talks
    return Written(talk_page(talk))


def talk_page(talk: Talk, template: str = "talk.html", home: str = "") -> str:
    """Return the page of a talk.

    Args:
        talk: with its cues.
        template: the name of a file in templates/.
        home: the address of the page that lists all talks; empty where there is none.
    """
    player = player_of(talk)
    sections = sections_of(talk)
    chapters = [section for section in sections if section.title]
    facts = [talk.speaker, talk.channel if talk.channel != talk.speaker else None, talk.date, talk.language]
    return rendered(
        template,
        policy=policy(player) if home else policy(player, style=hash_of("page.css"), script=hash_of("page.js")),
        title=safe(talk.title),
        language=talk.language or "",
        facts=safe(" · ".join(fact for fact in facts if fact)),
        timing=timing_sentence(talk),
        player=player,
        original=talk.url if talk.url and is_linkable(talk.url) else "",
        chapters=chapters if len(chapters) > 1 else (),
        sections=sections,
        home=home,
    )


def player_of(talk: Talk) -> Player | None:
    """Return what plays a talk in a page: its recording, or the embed of YouTube; None where only a link can."""
    if talk.youtube_id:
        return Player("frame", f"{_YOUTUBE}/embed/{talk.youtube_id}?autoplay=1&playsinline=1&rel=0", "YouTube")
    if talk.url and is_linkable(talk.url) and is_media(talk.url):
        kind = mimetypes.guess_type(talk.url.partition("?")[0])[0] or ""
        return Player("audio" if kind.startswith("audio/") else "video", talk.url)
    return None


def sections_of(talk: Talk) -> tuple[Section, ...]:
    """Return the transcript of a talk by chapters. Paragraphs are numbered through the talk: `p0`, `p1`, …"""
    numbers = count()
    sections: list[Section] = []
    for chapter, positions in by_chapter(talk):
        shown = tuple(_paragraphs(talk, talk.cues[positions.start : positions.stop], numbers))
        if chapter:
            sections.append(Section(f"c{len(sections)}", safe(chapter.title), show_clock(chapter.start_ms), shown))
        else:
            sections.append(Section("", "", "", shown))
    return tuple(sections)


def _paragraphs(talk: Talk, cues: Sequence[Cue], numbers: Iterator[int]) -> Iterator[Paragraph]:
    before: str | None = None
    for said in paragraphs(cues):
        name = said[0].speaker
        lines = [
            _line(talk, cue, between_lines(cue.text, following.text) if following else "")
            for cue, following in zip(said, [*said[1:], None], strict=True)
        ]
        yield Paragraph(
            anchor=f"p{next(numbers)}",
            clock=f"{mark(talk.timing)}{show_clock(said[0].start_ms)}",
            start_ms=said[0].start_ms,
            speaker=safe(name) if name and name != before else "",
            lines=tuple(lines),
        )
        before = name


def _line(talk: Talk, cue: Cue, behind: str) -> Line:
    opens_s = jump_to(cue.start_ms, talk.timing, talk.margin_ms) / 1000
    href = link_at(talk.url, opens_s)
    return Line(f"{cue.start_ms / 1000:g}", f"{opens_s:g}", href if is_linkable(href) else "", safe(cue.text), behind)


def _hits_page(selection: Selection) -> str:
    talks = {talk.id: talk for talk in selection.talks}
    shown = [_hit(hit, talks.get(hit.talk_id)) for hit in selection.hits]
    return rendered(
        "hits.html",
        policy=policy(None, style=hash_of("page.css"), media=True),
        title=safe(selection.query),
        count=counted("hit", len(shown)),
        hits=shown,
    )


def _beside(beside: Beside) -> dict[str, str]:
    return {"label": beside_label(beside), "language": beside.language, "text": safe(beside.text)}


def _hit(hit: Hit, talk: Talk | None) -> dict[str, object]:
    player = player_of(talk) if talk else None
    if player and player.kind == "frame":
        player = None
    return {
        "title": safe(hit.title),
        "href": hit.url if is_linkable(hit.url) else "",
        "when": when(hit),
        "facts": safe(" · ".join(filter(None, (byline(hit), hit.date, how_good(hit))))),
        "language": hit.language or "",
        "parts": [(safe(text), marked) for text, marked in pieces(hit.text, hit.matches)],
        "is_said": hit.mark_kind == "said",
        "voice": safe(voice(hit)),
        "beside": hit.beside and _beside(hit.beside),
        "player": Player(player.kind, link_at(player.src, hit.jump_ms / 1000)) if player else None,
    }


def rendered(template: str, **values: object) -> str:
    """Return a page. `template` is the name of a file in templates/."""
    return _JINJA.get_template(template).render(values)


def policy(player: Player | None, *, style: str = _BESIDE, script: str = _BESIDE, media: bool = False) -> str:
    """Return the policy of a page: nothing but its own style and script, and what it plays."""
    parts = ["default-src 'none'", f"style-src {style}", f"script-src {script}", "img-src data:", "base-uri 'none'"]
    if media or (player and player.kind != "frame"):
        parts.append("media-src file: https: http:")
    if player and player.kind == "frame":
        parts.append(f"frame-src {_YOUTUBE}")
    return "; ".join([*parts, "form-action 'none'"])


@lru_cache
def hash_of(name: str) -> str:
    """Return what a policy calls the text of a file by that a template includes (w3.org/TR/CSP3, "hash-source").

    Jinja leaves the line break at the end of a file out.
    """
    text = (TEMPLATES / name).read_text(encoding="utf-8").removesuffix("\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
