"""The report of an indexing run and of an evaluation, as they are printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from talksearch.indexer.settings import MULTILINGUAL_MODEL
from talksearch.indexer.stores.languages import LanguageCount, is_foreign_to
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import safe

from .common import counted, plural, shell_word

if TYPE_CHECKING:
    from talksearch.indexer.pipeline.publish import Published
    from talksearch.indexer.pipeline.report import HeldTalk, Report
    from talksearch.search.evaluation.beside import Comparison
    from talksearch.search.evaluation.measure import Interval, Outcome


_MOST_HELD = 50
"""Files that are named where many cannot be read now."""


def languages_text(counts: Sequence[LanguageCount], model: str) -> str:
    """Return in which languages an archive is, and which model would serve it, where there is something to say.

    Args:
        counts: the languages of the archive.
        model: the name of its index's model.
    """
    is_foreign = is_foreign_to(model, counts)
    if not is_foreign and sum(one.language is not None for one in counts) < 2:
        return ""
    first, *others = counts
    named = [f"{_language(first)} {counted('talk', first.talks)}"]
    named += [f"{_language(one)} {one.talks:,}" for one in others]
    lines = [f"Languages: {', '.join(named)}."]
    if is_foreign:
        lines.append(
            f"The model of this index knows English only. The model {MULTILINGUAL_MODEL} finds across languages, and"
            " takes more than twice as long to build:"  # docs/speed.md has what benchmarks/models.py printed
            f" talksearch index --rebuild --model {MULTILINGUAL_MODEL}"
        )
    return "\n".join(lines) + "\n"


def _language(count: LanguageCount) -> str:
    return "not known" if count.language is None else language_name(count.language)


def report_text(report: Report, talks: int, passages: int, embedded: int) -> str:
    """Return what an indexing run did, for a person.

    Args:
        report: what the run did.
        talks: how many talks are in the index now.
        passages: how many passages they have.
        embedded: how many of these have a vector.
    """
    besides = " (titles, chapters and descriptions as well)" if report.embedded > passages else ""
    lines = [
        f"{counted('talk', talks)} in the index: {len(report.added):,} added,"
        f" {len(report.replaced):,} replaced, {len(report.kept):,} kept, {len(report.dropped):,} dropped.",
        f"{counted('passage', passages)}, {embedded:,} with vectors;"
        f" {report.embedded:,} embedded in this run{besides}, which took {_duration(report.seconds)}.",
    ]
    if report.repairs:
        repairs = ", ".join(f"{safe(name)} in {count:,}" for name, count in report.repairs.most_common())
        lines.append(f"Repairs, by talks that needed them: {repairs}.")
    if report.dropped:
        lines += ["", "Dropped, because their files are gone:"]
        lines += [f"  {safe(talk_id)}" for talk_id in report.dropped]
    if report.held:
        lines += ["", *_held(report.held)]
    if report.duplicates:
        count = len(report.duplicates)
        lines += [
            "",
            f"{counted('file', count)} left aside, because another file holds the same talk better:",
        ]
        lines += [f"  {safe(copy.path)}: {safe(copy.reason)}" for copy in report.duplicates]
    if report.tracks:
        count = len(report.tracks)
        what = "is a further track of its talk" if count == 1 else "are further tracks of their talks"
        lines += ["", f"{counted('file', count)} {what}, in another language, and searched as well:"]
        lines += [f"  {safe(track.path)}: {safe(track.reason)}" for track in report.tracks]
    if report.skipped:
        lines += ["", f"{counted('file', len(report.skipped))} skipped:"]
        lines += [f"  {safe(skipped.path)}: {safe(skipped.reason)}" for skipped in report.skipped]
    if report.unbalanced:
        count = len(report.unbalanced)
        lines += ["", f"{counted('file', count)} with words of which nobody knows what became:"]
        lines += [f"  {safe(file.path)}: {safe(file.reason)}" for file in report.unbalanced]
    if report.other_files:
        count = report.other_files
        lines += ["", f"{count:,} other {plural('file', count)} (sidecars, recordings and the like)."]
    return "\n".join([*lines, *map(safe, report.notes)]) + "\n"


def published_text(published: Published) -> str:
    """Return what putting an index into a store did, for a person."""
    done = [f"put {counted('talk', len(published.put))} into it"] if published.put else []
    done += [f"took {len(published.dropped):,} out"] if published.dropped else []
    done = done or ["nothing was to be put"]
    total = len(published.put) + published.kept
    lines = [f"{safe(published.address)}: {', '.join(done)}; {counted('talk', total)} of this index there now."]
    if published.of_others:
        lines.append(_of_others(published.of_others))
    return "\n".join([*lines, *map(safe, published.notes)]) + "\n"


def _of_others(talk_ids: Sequence[str]) -> str:
    """Say which talks were left out of a store because another index has put them there."""
    named = ", ".join(map(safe, talk_ids[:_MOST_HELD]))
    more = f" and {len(talk_ids) - _MOST_HELD:,} more" if len(talk_ids) > _MOST_HELD else ""
    what = "1 talk is" if len(talk_ids) == 1 else f"{len(talk_ids):,} talks are"
    return (
        f"{what} left out, as another index has put the same there: {named}{more}."
        " When it has taken them out, the next run puts them."
    )


def _held(held: Sequence[HeldTalk]) -> list[str]:
    """Say which talks stayed as they were because their files cannot be read now, and how to take them out."""
    talks = {talk.talk_id for talk in held}
    what, whose = ("talk", "its") if len(talks) == 1 else ("talks", "their")
    lines = [f"{len(talks):,} {what} stayed as before, because {whose} files cannot be read now:"]
    away = Counter(talk.root for talk in held if talk.root)
    for root, count in away.items():
        reason = next(talk.reason for talk in held if talk.root == root)
        lines.append(f"  {safe(reason)} Of its {counted('file', count)} none was looked at.")
        lines.append(f"    To take its talks out: talksearch remove {shell_word(root)}")
    alone = [talk for talk in held if not talk.root]
    for talk in alone[:_MOST_HELD]:
        lines.append(f"  {safe(talk.path)}: {safe(talk.reason)}")
        lines.append(f"    To take it out: talksearch remove {shell_word(talk.talk_id)}")
    if len(alone) > _MOST_HELD:
        lines.append(f"  and {len(alone) - _MOST_HELD:,} more files. To take a talk out: talksearch remove TALK")
    return lines


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def eval_text(outcomes: Sequence[Outcome], worst: int, comparisons: Sequence[Comparison] = ()) -> str:
    """Return how queries with known answers fared: a block of figures a file, then the queries to look at.

    With comparisons, one for each block, the plain hybrid stands beside it.
    """
    from talksearch.search.evaluation import measure  # `--help` must not wait for numpy

    lines: list[str] = []
    summaries = [comparison.ours for comparison in comparisons] or measure.summarise(outcomes)
    for summary, comparison in zip_longest(summaries, comparisons):
        kind = f", {safe(summary.kind)}" if summary.kind else ""
        lines.append(f"{safe(summary.file)}{kind}: {_queries(summary.queries)}")
        for name, figure in summary.metrics.items():
            value, low, high = (
                f"{number:.1f}" if "_s_" in name else f"{number:.3f}"
                for number in (figure.value, figure.low, figure.high)
            )
            lines.append(f"  {name.replace('_', ' '):<20} {value:>7}  ({low} to {high})")
        lines += [*(_beside_lines(comparison) if comparison else ()), ""]
    for file in dict.fromkeys(outcome.gold.file for outcome in outcomes):
        failed = measure.worst_failures([outcome for outcome in outcomes if outcome.gold.file == file], worst)
        if failed:
            lines.append(f"To look at in {safe(file)}: wrong first, though with a high score")
        for outcome in failed:
            rank = f"right at {outcome.rank}" if outcome.rank else "not found"
            gold = outcome.gold
            lines.append(f"  {safe(gold.id)}  {safe(gold.query)}")
            lines.append(
                f"  {'':<{len(safe(gold.id))}}  {rank}; wanted {safe(gold.talk)} at {show_clock(gold.spans[0][0])};"
                f" first {safe(outcome.first) or 'nothing'}"
            )
    return "\n".join(lines).rstrip("\n") + "\n"


def _beside_lines(comparison: Comparison) -> list[str]:
    """Return how a set of queries fared beside the plain hybrid: figures, and what they say in sentences."""
    ours, plain, gain = comparison.ours.metrics, comparison.plain, comparison.gain
    lines = ["  Beside a plain hybrid (meaning and BM25 added up, on the same passages):"]
    lines += [
        f"  {name:<20} {ours[name].value:>7.3f}  beside {plain[name].value:.3f}:"
        f" {figure.value:+.3f} ({figure.low:+.3f} to {figure.high:+.3f})"
        for name, figure in gain.items()
    ]
    lines += [
        f"  The first hit is right in {_in_100(ours['success@1'])}, a plain hybrid's in"
        f" {_in_100(plain['success@1'])}: {_more(gain['success@1'])}.",
        f"  The first hit lies in the right talk in {_in_100(ours['talk@1'])}, a plain hybrid's in"
        f" {_in_100(plain['talk@1'])}: {_more(gain['talk@1'])}.",
        f"  Of the {gain['mrr@10'].value:+.3f} in MRR@10, {comparison.gain_of_jump['mrr@10'].value:+.3f} is the second"
        " that a hit opens at; the rest is which hits stand first.",
    ]
    return lines


def _in_100(figure: Interval) -> str:
    return f"{figure.value * 100:.0f} of 100"


def _more(gain: Interval) -> str:
    """Say how many more of a hundred queries a gain is, and between what it lies in 95 of 100 samples of such talks.

    >>> from talksearch.search.evaluation.measure import Interval
    >>> _more(Interval(0.07, 0.012, 0.13))
    '7 more (in 95 of 100 such archives between 1 more and 13 more)'
    >>> _more(Interval(-0.02, -0.05, 0.004))
    '2 fewer, which may be chance (in 95 of 100 such archives between 5 fewer and as many)'
    """
    value, low, high = (_in_words(round(number * 100)) for number in (gain.value, gain.low, gain.high))
    chance = ", which may be chance" if gain.low <= 0 <= gain.high else ""
    return f"{value}{chance} (in 95 of 100 such archives between {low} and {high})"


def _in_words(difference: int) -> str:
    return f"{abs(difference)} {'more' if difference > 0 else 'fewer'}" if difference else "as many"


def _queries(count: int) -> str:
    return f"{count:,} {'query' if count == 1 else 'queries'}"
