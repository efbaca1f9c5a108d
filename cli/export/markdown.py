"""A talk, or hits, as Markdown: to read, and to cite from with links to the second."""

from __future__ import annotations

from talksearch.cli.render.common import mark, markdown, plain_url, timing_sentence
from talksearch.cli.render.hits import hits_markdown
from talksearch.cli.render.talks import by_chapter, paragraphs
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.lines import join_lines
from talksearch.indexer.text.untrusted import is_linkable
from talksearch.search.links import jump_to, link_at

from .selection import Selection, Written


def page(selection: Selection) -> Written:
    """Return talks, one below the other, or hits as quotes with their links."""
    if selection.kind == "hits":
        return Written(f"# {markdown(selection.query)}\n\n{hits_markdown(selection.hits)}")
    return Written("\n".join(_talk(talk) for talk in selection.talks))


def _talk(talk: Talk) -> str:
    """Return a talk: its title, what is known of it, then its paragraphs under the titles of its chapters."""
    facts = " · ".join(markdown(fact) for fact in (talk.speaker, talk.channel, talk.date) if fact)
    lines = [f"# {markdown(talk.title)}\n", *([f"{facts}\n"] if facts else [])]
    if talk.url and is_linkable(talk.url):
        lines.append(f"<{plain_url(talk.url)}>\n")
    if told := timing_sentence(talk):
        lines.append(f"{told}\n")
    for chapter, positions in by_chapter(talk):
        if chapter:
            lines.append(f"## {markdown(chapter.title)}\n")
        cues = talk.cues[positions.start : positions.stop]
        lines += [f"{_paragraph(paragraph, talk)}\n" for paragraph in paragraphs(cues)]
    return "\n".join(lines)


def _paragraph(cues: list[Cue], talk: Talk) -> str:
    start_ms = cues[0].start_ms
    time = f"{mark(talk.timing)}{show_clock(start_ms)}"
    address = link_at(talk.url, jump_to(start_ms, talk.timing, talk.margin_ms) / 1000)
    shown = f"[{time}](<{plain_url(address)}>)" if is_linkable(address) else f"[{time}]"
    name = f" **{markdown(cues[0].speaker)}:**" if cues[0].speaker else ""
    return f"{shown}{name} {markdown(join_lines(cue.text for cue in cues))}"
