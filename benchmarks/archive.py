"""Read, restore and split every transcript under a folder, and check what must hold for each of them.

    python benchmarks/archive.py ../shared/archive

Prints how many talks a minute that is on one core, and every file in which something does not hold: a spoken word that
is in no passage, times that run backwards, a first time that was lost, a receipt whose steps, applied to the source,
do not give what was indexed. Exits with 1 when there is one.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from collections import Counter
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from time import process_time

from talksearch.indexer.encoders.default_model import model_token_counter
from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.passages.split import split
from talksearch.indexer.records import Passage, Receipt, Step, Talk
from talksearch.indexer.talks.balance import UNBALANCED
from talksearch.indexer.talks.read import talks_under
from talksearch.indexer.talks.replay import replay
from talksearch.indexer.text.counting import bag_of

_TIME = re.compile(r"(?:(\d+):)?(\d\d):(\d\d)\.(\d\d\d) +-->")
_WORD = re.compile(r"\w+")


def problems(source: str, talk: Talk, passages: tuple[Passage, ...]) -> list[str]:
    """Return what does not hold for a talk that was read from the text `source`, as sentences."""
    found = balance_problems(talk.receipt)
    if any(one.start_ms > other.start_ms for one, other in pairwise(talk.cues)):
        found.append("times of cues run backwards")
    if any(one.start_ms > other.start_ms for one, other in pairwise(passages)):
        found.append("times of passages run backwards")
    spans = [*((cue.start_ms, cue.end_ms) for cue in talk.cues), *((each.start_ms, each.end_ms) for each in passages)]
    if any(start_ms > end_ms for start_ms, end_ms in spans):
        found.append("something ends before it begins")
    said = bag_of(" ".join(cue.text for cue in talk.cues))
    shown = bag_of(" ".join(passage.text for passage in passages))
    if said - shown:
        found.append(f"words of cues are in no passage: {dict((said - shown).most_common(5))}")
    # Of two tracks in a file one is kept, on purpose; where hundreds of words stand in no time, times are not believed.
    moved = ("drop-track", "shift-times")
    if talk.format == "vtt" and talk.timing == "exact" and not any(step.name in moved for step in talk.receipt.steps):
        found += _against_first_time(source, talk)
    return found


def balance_problems(receipt: Receipt) -> list[str]:
    """Say whether every word of a file is accounted for by its receipt."""
    found = [note for note in receipt.uncertain if note.startswith(UNBALANCED)]
    fates = receipt.words_after + receipt.words_folded + sum(receipt.words_left_out.values()) + receipt.words_lost
    # Words that were invented are indexed and not in the file, and a note says so.
    if fates != receipt.words_before and not found:
        found.append(f"the receipt accounts for {fates:,} words of {receipt.words_before:,}")
    return found


def _against_first_time(source: str, talk: Talk) -> list[str]:
    """Compare the first time of a WebVTT file, as it stands there, with that of the first cue."""
    blocks = re.split(r"\n\s*\n(?=(?:\d+\n)?(?:\d+:)?\d\d:\d\d\.\d\d\d +-->)", source.replace("\r\n", "\n"))[1:]
    for block in blocks:
        head, _, body = block.partition("-->")
        text = "\n".join(body.split("\n")[1:])
        said = re.sub(r"\[[^\]]*\]|\([^)]*\)|♪", " ", html.unescape(re.sub(r"<[^>]*>", "", text)))
        match = _TIME.search(head + "-->")
        if match and _WORD.search(said):
            hours, minutes, seconds, thousandths = (int(part or 0) for part in match.groups())
            at = ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
            if abs(talk.cues[0].start_ms - at) > 1:
                return [f"the first words are said at {at} ms, and the first cue begins at {talk.cues[0].start_ms} ms"]
            break
    return []


def replay_problems(data: bytes, name: str, talk: Talk) -> tuple[list[str], int]:
    """Say whether a talk's receipt, after it was written as JSON, gives its cues again; and how many bytes it takes."""
    written = json.dumps(asdict(talk.receipt), ensure_ascii=False)
    steps = tuple(Step(**step) for step in json.loads(written)["steps"])
    again = replay(data, name, Receipt(steps=steps))
    size = len(written.encode())
    if [(cue.text, cue.speaker, cue.turn) for cue in again] != [(cue.text, cue.speaker, cue.turn) for cue in talk.cues]:
        return ["the receipt gives other words than were indexed"], size
    return (["the receipt gives other times than were indexed"] if again != talk.cues else []), size


def words_of(receipt: Receipt) -> dict[str, int]:
    """Return what became of the words of a file, by fate, and how many it has (`in the files`)."""
    left_out = {f"left out ({reason})": count for reason, count in receipt.words_left_out.items()}
    folded = {"folded": receipt.words_folded, "lost": receipt.words_lost}
    return {"in the files": receipt.words_before, "indexed": receipt.words_after, **folded, **left_out}


def main() -> int:
    """Check everything under a folder and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    count_tokens, max_tokens = model_token_counter(None)
    talks = passages = bad = receipts = 0
    refused = []
    words: Counter[str] = Counter()
    started = process_time()
    checking = 0.0
    for path, talk in talks_under(folder):
        if isinstance(talk, UnreadableError):
            refused.append(f"{path.name}: {talk.message}")
            continue
        pieces = split(talk, count_tokens, max_tokens)
        talks += 1
        passages += len(pieces)
        words.update(words_of(talk.receipt))
        began = process_time()
        found, size = replay_problems(path.read_bytes(), path.name, talk)
        receipts += size
        for problem in [*problems(path.read_text(encoding="utf-8", errors="replace"), talk, pieces), *found]:
            bad += 1
            print(f"{talk.source}: {problem}")
        checking += process_time() - began
    seconds = process_time() - started - checking
    print(*refused, sep="\n", end="\n" if refused else "")
    print("words:", ", ".join(f"{count:,} {fate}" for fate, count in words.most_common()))
    print(
        f"{talks} transcripts, {len(refused)} refused, {passages} passages, {bad} problems;"
        f" {talks / seconds * 60:.0f} transcripts a minute of processor time; receipts take {receipts:,} bytes"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
