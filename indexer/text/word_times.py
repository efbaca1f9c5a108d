"""When each word of a cue is said."""

from __future__ import annotations

from itertools import accumulate

from talksearch.indexer.records import Cue


def words_with_times(cue: Cue) -> list[tuple[str, int, int]]:
    """Return the words of a cue as (text, start_ms, end_ms).

    Without word times in the source, the cue's time is shared out by characters, which is how long words take to say
    as far as the text can tell.

    >>> words_with_times(Cue(0, 1_000, "so long"))
    [('so', 0, 375), ('long', 375, 1000)]
    """
    if cue.words:
        ends = [word.start_ms for word in cue.words[1:]] + [cue.end_ms]
        return [(word.text, word.start_ms, max(word.start_ms, end)) for word, end in zip(cue.words, ends, strict=True)]
    words = cue.text.split()
    letters = [0, *accumulate(map(len, words))]
    total, span = letters[-1] + len(words), cue.end_ms - cue.start_ms
    times = (
        [cue.start_ms + span * (count + position) // total for position, count in enumerate(letters)] if words else []
    )
    return list(zip(words, times, times[1:], strict=False))
