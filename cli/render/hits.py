"""Values as text: hits, talks, reports and receipts, for people and for programs. Nothing is printed here."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from talksearch.cli.terminal import Look, clock, hyperlink, safe, wrap
from talksearch.indexer.passages.split import ends_sentence
from talksearch.indexer.records import Cue, Json, Passage, Step, Talk, Timing
from talksearch.indexer.text import youtube
from talksearch.search.hit import Hit, as_json
from talksearch.search.links import jump_to

if TYPE_CHECKING:  # building imports every reader, and a search must not wait for them
    from talksearch.indexer.mojibake.repair import Repair
    from talksearch.indexer.pipeline.run import Report
    from talksearch.search.evaluation.measure import Outcome
    from talksearch.search.quotes.find import Quoted

_INDENT = "    "


def jsonl(rows: Iterable[dict[str, Json]]) -> str:
    """Return objects as JSON, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def hits_text(hits: Sequence[Hit], look: Look) -> str:
    """Return hits for a person to read."""
    return "\n".join(_hit_text(hit, look) for hit in hits)


def hits_jsonl(hits: Sequence[Hit]) -> str:
    """Return hits as the command contract names them."""
    return jsonl(map(as_json, hits))


def hits_csv(hits: Sequence[Hit], *, header: bool = True) -> str:
    """Return hits as a table with a header line; lists stand as JSON."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _CSV_KEYS, restval="", extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    for hit in hits:
        writer.writerow({key: _cell(value) for key, value in as_json(hit).items()})
    return out.getvalue()


def hits_markdown(hits: Sequence[Hit]) -> str:
    """Return hits as a numbered Markdown list; nothing in them acts as Markdown or HTML."""
    lines = []
    for hit in hits:
        said = f", {markdown(by)}" if (by := byline(hit)) else ""
        lines.append(
            f"{hit.rank}. **{markdown(hit.title)}**{said} — [{when(hit)}](<{_plain_url(hit.url)}>)\n\n"
            + (f"   {markdown(noted(hit))}\n\n" if noted(hit) else "")
            + f"   > {markdown(hit.text)}\n"
        )
    return "\n".join(lines)


def talks_text(talks: Iterable[Talk], sizes: dict[str, tuple[int, int]]) -> str:
    """Return one line a talk: id, date, length, passages, title. `sizes`: (passages, last end in ms) by talk id."""
    lines = []
    for talk in talks:
        passages, end_ms = sizes.get(talk.id, (0, 0))
        length = clock(talk.duration_ms or end_ms)
        lines.append(f"{safe(talk.id)}  {talk.date or ' ' * 10}  {length:>8}  {passages:>5}  {safe(talk.title)}\n")
    return "".join(lines)


def talk_json(talk: Talk, passages: int, end_ms: int) -> dict[str, Json]:
    """Return what is known of a talk; times in seconds."""
    return {
        "talk_id": talk.id,
        "title": talk.title,
        "speaker": talk.speaker,
        "channel": talk.channel,
        "date": talk.date,
        "language": talk.language,
        "source": talk.source,
        "youtube_id": talk.youtube_id,
        "url": talk.url,
        "duration_s": None if talk.duration_ms is None else talk.duration_ms / 1000,
        "format": talk.format,
        "timing": talk.timing,
        "margin_s": talk.margin_ms / 1000,
        "origin": talk.origin,
        "chapters": [{"start_s": chapter.start_ms / 1000, "title": chapter.title} for chapter in talk.chapters],
        "passages": passages,
        "end_s": end_ms / 1000,
    }


def talk_text(talk: Talk, look: Look, part: range | None = None) -> str:
    """Return a talk, or a part of its cues, to read: a heading, then paragraphs, each with its time."""
    facts = [talk.speaker, talk.channel, talk.date, talk.language, talk.url]
    head = f"{safe(talk.title)}\n{' · '.join(safe(fact) for fact in facts if fact)}\n"
    if talk.timing == "estimated":
        head += f"Times are estimated, nine in ten within {talk.margin_ms / 1000:.0f} s.\n"
    cues = talk.cues if part is None else talk.cues[part.start : part.stop]
    return head + "".join("\n" + _paragraph(some, talk, look) for some in _paragraphs(cues))


def cues_json(talk: Talk, part: range | None = None) -> Iterator[dict[str, Json]]:
    """Yield a talk's cues, or a part of them, each with the link that plays it."""
    for cue in talk.cues if part is None else talk.cues[part.start : part.stop]:
        jump_ms = jump_to(cue.start_ms, talk.timing, talk.margin_ms)
        yield {
            "talk_id": talk.id,
            "start_s": cue.start_ms / 1000,
            "end_s": cue.end_ms / 1000,
            "speaker": cue.speaker,
            "text": cue.text,
            "url": youtube.link(talk.url, jump_ms // 1000) if talk.url else None,
            "timing": talk.timing,
            "margin_s": talk.margin_ms / 1000,
        }


def raw_shown(talk: Talk, data: bytes, part: range, form: str, whole: bool, look: Look) -> str:
    """Return the untouched source of a talk, or what of it is behind some of its cues.

    In jsonl each cue comes with its own stretch: `raw`, from character `raw_start` up to `raw_end` of the decoded file.
    No control character reaches a terminal; into a pipe or a file goes what stands there.
    """
    from talksearch.indexer.talks.provenance import raw_text, source_of

    if whole and form == "text":
        return _untouched(raw_text(data, talk.receipt), look)
    if not part:
        return ""
    source = source_of(data, talk.source.rpartition("/")[2], talk)
    if form == "text":
        start, end = source.behind(part.start, part.stop - 1)
        return _untouched(source.text[start:end], look)
    rows = []
    for number, row in zip(part, cues_json(talk, part), strict=True):
        start, end = source.behind(number, number)
        rows.append({**row, "raw": source.text[start:end], "raw_start": start, "raw_end": end})
    return jsonl(rows)


def _untouched(text: str, look: Look) -> str:
    text = text if text.endswith("\n") else text + "\n"
    # A terminal is the only stream that has links.
    return "\n".join(safe(line) for line in text.split("\n")) if look.links else text


def receipt_json(talk: Talk) -> dict[str, Json]:
    """Return what was done to a talk, every step with all that it needs to be done again."""
    receipt = talk.receipt
    return {
        "talk_id": talk.id,
        "source": talk.source,
        "timing": talk.timing,
        "margin_s": talk.margin_ms / 1000,
        "times": times_found(talk),
        "words_before": receipt.words_before,
        "words_after": receipt.words_after,
        "steps": [{"name": step.name, "field": step.field, "detail": step.detail} for step in receipt.steps],
        "uncertain": list(receipt.uncertain),
    }


def passages_json(talk: Talk, passages: Sequence[Passage], link: Callable[[int], str]) -> Iterator[dict[str, Json]]:
    """Yield what would be indexed of a talk, with the names that hits have; `rank` counts along the talk."""
    for rank, passage in enumerate(passages, 1):
        jump_ms = jump_to(passage.start_ms, talk.timing, talk.margin_ms)
        # Only the first carries the receipt: it is the whole talk's, and may be longer than all passages.
        receipt = {"receipt": receipt_json(talk)} if rank == 1 else {}
        yield receipt | as_json(
            Hit(
                rank=rank,
                score=0.0,
                passage_id=passage.id,
                talk_id=talk.id,
                title=talk.title,
                source=talk.source,
                youtube_id=talk.youtube_id,
                channel=talk.channel,
                speaker=talk.speaker or ", ".join(passage.speakers) or None,
                date=talk.date,
                language=talk.language,
                start_ms=passage.start_ms,
                end_ms=passage.end_ms,
                jump_ms=jump_ms,
                url=link(jump_ms),
                timing=talk.timing,
                margin_ms=talk.margin_ms,
                text=passage.text,
            )
        )


def inspect_text(talk: Talk, passages: Sequence[Passage], look: Look) -> str:
    """Return what would be indexed of a talk and what was done to it, for a person."""
    from talksearch.indexer.passages.metadata_passages import notes  # a search must not wait for it

    lines = [
        click.style(safe(talk.source), bold=True) if look.color else safe(talk.source),
        f"  title     {safe(talk.title)}",
        f"  id        {safe(talk.id)}",
        f"  format    {talk.format}, words by {_ORIGINS[talk.origin]}",
        f"  passages  {len(passages):,} from {len(talk.cues):,} cues",
    ]
    for label, value in (("speaker", talk.speaker), ("channel", talk.channel), ("date", talk.date), ("link", talk.url)):
        if value:
            lines.insert(2, f"  {label:<9} {safe(value)}")
    lines.append(receipt_text(talk).rstrip("\n"))
    written = Counter(note.field for note in notes(talk))
    found = [f"{count} {_plural(_NOTES[name], count)}" for name, count in written.items()]
    lines.append(f"  searched  besides: {', '.join(found)}")
    about = mark(talk.timing)
    for passage in passages:
        lines.append(f"\n  {about}{clock(passage.start_ms)}–{about}{clock(passage.end_ms)}")
        lines.append(wrap(passage.text, (), look, _INDENT))
    return "\n".join(lines) + "\n"


_NOTES = {"title": "title", "chapter": "chapter", "description": "sentence of the description"}


def receipt_text(talk: Talk) -> str:
    """Return what was done to a talk, for a person: words, times, each step, what stayed uncertain."""
    receipt = talk.receipt
    lines = [
        f"  words     {receipt.words_before:,} in the file, {receipt.words_after:,} indexed",
        f"  times     {safe(times_found(talk))}",
    ]
    lines += [f"  step      {_step_text(step)}" for step in receipt.steps]
    lines += [f"  uncertain {safe(sentence)}" for sentence in receipt.uncertain]
    return "\n".join(lines) + "\n"


def times_found(talk: Talk) -> str:
    """Say how the times of a talk were found."""
    details = {step.name: step.detail for step in talk.receipt.steps}
    if "align-times" in details:
        detail = details["align-times"]
        return f"exact, from {detail['from']}, which says {detail['matched']:,} of the {detail['words']:,} words"
    if talk.timing == "exact":
        return "exact, as they stand in the file"
    within = f"nine in ten within {talk.margin_ms / 1000:.0f} s"
    detail = details.get("estimate-times", {})
    if not detail:
        return f"estimated inside the file's long cues, {within}"
    known = {"duration": "the duration and the length of the lines", "words": "the length of the lines alone"}
    chapters = f" and {detail['chapters']} chapters" if detail.get("chapters") else ""
    return f"estimated from {known.get(str(detail.get('from')), 'nothing')}{chapters}, {within}"


def repair_lines(text: str, repair: Repair) -> Iterator[str]:
    """Yield what a text repair did, an edit a line, then the sum."""
    for edit in repair.edits:
        line = text.count("\n", 0, edit.start) + 1
        if edit.before == edit.after:
            yield f"line {line}: {edit.before!r} is damaged, and no reading is certain enough: left as it was"
            continue
        others = f" (or {', '.join(edit.alternatives)})" if edit.alternatives else ""
        yield f"line {line}: {edit.before!r} is {edit.after!r}{others}, read as {edit.rule}"
    put_back = sum(repair.repaired.values())
    yield f"{put_back:,} {_plural('character', put_back)} repaired, {len(repair.uncertain):,} uncertain."


def report_text(report: Report, talks: int, passages: int, embedded: int) -> str:
    """Return what an indexing run did."""
    besides = " (titles, chapters and descriptions as well)" if report.embedded > passages else ""
    lines = [
        f"{talks:,} {_plural('talk', talks)} in the index: {len(report.added):,} added,"
        f" {len(report.replaced):,} replaced, {len(report.kept):,} kept, {len(report.dropped):,} dropped.",
        f"{passages:,} {_plural('passage', passages)}, {embedded:,} with vectors;"
        f" {report.embedded:,} embedded in this run{besides}, which took {_duration(report.seconds)}.",
    ]
    if report.repairs:
        done = ", ".join(f"{safe(name)} in {count:,}" for name, count in report.repairs.most_common())
        lines.append(f"Repairs, by talks that needed them: {done}.")
    if report.dropped:
        lines += ["", "Dropped, because their files are gone:"]
        lines += [f"  {safe(talk_id)}" for talk_id in report.dropped]
    if report.copies:
        count = len(report.copies)
        lines += [
            "",
            f"{count:,} {_plural('file', count)} left aside, because another file holds the same talk better:",
        ]
        lines += [f"  {safe(copy.path)}: {safe(copy.reason)}" for copy in report.copies]
    if report.skipped:
        lines += ["", f"{len(report.skipped):,} {_plural('file', len(report.skipped))} skipped:"]
        lines += [f"  {safe(skipped.path)}: {safe(skipped.reason)}" for skipped in report.skipped]
    if report.beside:
        lines += ["", f"{report.beside:,} other {_plural('file', report.beside)} (sidecars, recordings and the like)."]
    return "\n".join([*lines, *map(safe, report.notes)]) + "\n"


def stats_text(facts: dict[str, Json]) -> str:
    """Return the facts about an index for a person."""
    sizes = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in facts["bytes"].items())
    languages = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in facts["languages"].items())
    estimated = f" ({facts['talks_estimated']:,} with estimated times)" if facts["talks_estimated"] else ""
    rows = [
        ("index", facts["index"]),
        *(("path", path) for path in facts["paths"]),
        ("talks", f"{facts['talks']:,}{estimated}, {facts['hours']:,.1f} hours"),
        ("languages", languages),
        (
            "passages",
            f"{facts['passages']:,} of about {facts['passage_words']} words, {facts['embedded']:,} with vectors",
        ),
        ("model", f"{facts['model']}, {facts['dimension']} dimensions"),
        ("size", f"{sum(facts['bytes'].values()) / 1e6:,.1f} MB: {sizes}"),
    ]
    return "".join(f"{label:<10} {safe(str(value))}\n" for label, value in rows)


_ORIGINS = {"human": "a person", "automatic": "speech recognition", "unknown": "an unknown hand"}
_CSV_KEYS = (
    "query_id", "rank", "score", "talk_id", "title", "speaker", "channel", "date", "language", "source", "youtube_id",
    "start_s", "end_s", "jump_s", "url", "timing", "margin_s", "text", "matches", "passage_id", "grade",
)  # fmt: skip


def _hit_text(hit: Hit, look: Look) -> str:
    title = click.style(safe(hit.title), bold=True) if look.color else safe(hit.title)
    by = byline(hit)
    facts = " · ".join(part for part in (safe(by), when(hit), how_good(hit)) if part)
    lines = [f"{hit.rank:>2}. {title}", f"{_INDENT}{facts}"]
    if hit.heat:
        lines.append(f"{_INDENT}{heat_line(hit.heat)}")
    if noted(hit):
        lines.append(wrap(noted(hit), (), look, _INDENT))
    lines += [wrap(hit.text, hit.matches, look, _INDENT), f"{_INDENT}{hyperlink(hit.url, look)}"]
    lines += [
        f"{_INDENT}the same in {safe(one.title)}, {mark(one.timing)}{clock(one.jump_ms)}: {hyperlink(one.url, look)}"
        for one in hit.copies
    ]
    if hit.quote is not None and hit.quote.score < 1:
        lines.append(wrap(difference(hit.quote), (), look, _INDENT))
    if hit.more_in_talk:
        lines.append(f"{_INDENT}and {hit.more_in_talk} more in this talk: --talk {safe(hit.talk_id)}")
    if hit.explain is not None:
        lines.append(wrap(why(hit.explain), (), look, _INDENT))
    return "\n".join(lines) + "\n"


def difference(quoted: Quoted) -> str:
    """Return where what was said differs from what was asked for."""
    parts = [
        f"“{one.said}” for “{one.asked}”"
        if one.asked and one.said
        else f"“{one.asked}” is not said"
        if one.asked
        else f"“{one.said}” is said besides"
        for one in quoted.difference
        if one.op != "same"
    ]
    return f"[{'; '.join(parts)}]" if parts else ""


def mark(timing: Timing) -> str:
    """Return what stands before a time: `~` where it was estimated."""
    return "~" if timing == "estimated" else ""


def heat_line(heat: Sequence[float]) -> str:
    """Return numbers from 0 to 1 as a line of blocks.

    >>> heat_line([0.0, 0.1, 0.5, 1.0])
    '·▁▄█'
    """
    return "".join("·▁▂▃▄▅▆▇█"[round(min(1.0, max(0.0, value)) * 8)] for value in heat)


def why(explain: dict[str, Json]) -> str:
    """Return why a passage is a hit, as a sentence."""
    said = ", ".join(f"{term} {weight:.1f}" for term, weight in explain["terms"].items()) or "none"
    missing = ", ".join(explain["terms_not_said"]) or "none"
    parts = [f"score {explain['score']:.2f}"]
    if explain["cosine"] is not None:
        parts.append(f"meaning: cosine {explain['cosine']:.3f}, rank {explain['rank_by_meaning']}")
    if explain["words"] is not None:
        parts.append(f"words: {explain['words']:.1f}, rank {explain['rank_by_words']}")
    if explain["tokens"] is not None:
        parts.append(f"token by token: {explain['tokens']:+.1f} deviations among the first")
    parts += [f"said: {said}", f"not said: {missing}", f"found by {explain['found_by']}"]
    parts.append(f"jump {explain['jump_from_start_s']:+.1f} s from the passage's start")
    return f"[{'; '.join(parts)}]"


def noted(hit: Hit) -> str:
    """Say what is written about the talk that made it a hit; its title stands there anyway."""
    return f"[{hit.note[0]}: {hit.note[1]}]" if hit.note and hit.note[0] != "title" else ""


def byline(hit: Hit) -> str:
    """Return who speaks and where it was given, as far as is known."""
    return " · ".join(part for part in (hit.speaker, hit.channel if hit.channel != hit.speaker else None) if part)


def how_good(hit: Hit) -> str:
    """Return how good a hit is, in two words; nothing where that is not known."""
    return f"{hit.grade} match" if hit.grade else ""


def when(hit: Hit) -> str:
    """Return the time at which a hit opens, with its margin where it was estimated."""
    if hit.timing == "exact":
        return clock(hit.jump_ms)
    return f"~{clock(hit.jump_ms)} (±{hit.margin_ms / 1000:.0f} s)"


def _paragraphs(cues: Sequence[Cue]) -> Iterator[list[Cue]]:
    """Gather cues into paragraphs: up to the next turn, or a sentence's end after some forty words."""
    gathered: list[Cue] = []
    words = 0
    for cue in cues:
        other = gathered and (cue.turn or cue.speaker != gathered[-1].speaker)
        if other or words > 120 or (words > 40 and ends_sentence(gathered[-1].text.rpartition(" ")[2])):
            yield gathered
            gathered, words = [], 0
        gathered.append(cue)
        words += len(cue.text.split())
    if gathered:
        yield gathered


def _paragraph(cues: Sequence[Cue], talk: Talk, look: Look) -> str:
    name = f"{cues[0].speaker}: " if cues[0].speaker else ""
    text = wrap(name + " ".join(cue.text for cue in cues), (), look, " " * 10)
    return f"{f'[{mark(talk.timing)}{clock(cues[0].start_ms)}]':<10}{text.lstrip()}\n"


def _step_text(step: Step) -> str:
    """Say in a line what a step did: its counts, and for repairs how many characters by which rule."""
    facts: list[str] = []
    for key, value in step.detail.items():
        if key == "repaired":
            facts += [f"{count:,} {_plural('character', count)} read as {rule}" for rule, count in value.items()]
        elif key == "lines_shown_times":
            facts += [f"{count:,} {_plural('line', count)} shown {times} times" for times, count in value.items()]
        elif key == "names":
            facts.append(
                f"names {value}" if isinstance(value, int) else ", ".join(f"{a} is {b}" for a, b in value.items())
            )
        elif isinstance(value, int | float | str) and not isinstance(value, bool):
            facts.append(
                f"{key.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{key.replace('_', ' ')} {value}"
            )
    return safe(f"{step.name} ({step.field}){': ' if facts else ''}{', '.join(facts)}")


def _cell(value: Json) -> Json:
    return json.dumps(value) if isinstance(value, list) else value


def markdown(text: str) -> str:
    """Return untrusted text so that Markdown and HTML take it as text."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~>-])", r"\\\1", safe(text).replace("&", "&amp;").replace("<", "&lt;"))


def _plain_url(url: str) -> str:
    return safe(url).replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")


def _plural(word: str, count: int) -> str:
    first, _, rest = word.partition(" ")
    return word if count == 1 else f"{first}s {rest}".rstrip()


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def eval_text(outcomes: Sequence[Outcome], worst: int) -> str:
    """Return how queries with known answers fared: a block of figures a file, then the queries to look at."""
    from talksearch.search.evaluation import measure

    lines: list[str] = []
    for summary in measure.summarise(outcomes):
        kind = f", {safe(summary.kind)}" if summary.kind else ""
        lines.append(
            f"{safe(summary.file)}{kind}: {summary.queries:,} {'query' if summary.queries == 1 else 'queries'}"
        )
        for name, figure in summary.figures.items():
            shown = [
                f"{value:.1f}" if "_s_" in name else f"{value:.3f}" for value in (figure.value, figure.low, figure.high)
            ]
            lines.append(f"  {name.replace('_', ' '):<20} {shown[0]:>7}  ({shown[1]} to {shown[2]})")
        lines.append("")
    for file in dict.fromkeys(outcome.gold.file for outcome in outcomes):
        failed = measure.worst([outcome for outcome in outcomes if outcome.gold.file == file], worst)
        if failed:
            lines.append(f"To look at in {safe(file)}: wrong first, though with a high score")
        for outcome in failed:
            rank = f"right at {outcome.rank}" if outcome.rank else "not found"
            gold = outcome.gold
            lines.append(f"  {safe(gold.id)}  {safe(gold.query)}")
            lines.append(
                f"  {'':<{len(safe(gold.id))}}  {rank}; wanted {safe(gold.talk)} at {clock(gold.spans[0][0])};"
                f" first {safe(outcome.first) or 'nothing'}"
            )
    return "\n".join(lines).rstrip("\n") + "\n"
