"""How many damaged characters text repair gets right, by language and code page, with ftfy beside it.

    python benchmarks/mojibake.py [--half seen|held-out|both] [--alone] [--twice] [--controls] [LANGUAGE...]
    python benchmarks/mojibake.py --healthy DIR

Clean sentences (`mojibake_texts.json`, written for this) are written as UTF-8, read in a wrong code page, and the bytes
which that page lacks and the soft hyphen are dropped. A cell is the share of characters **that lost a byte** which
stand right again in the repaired text; the line `all` counts every character that is not ASCII. `-` : none lost a byte.
A language's first half was looked at while building; the second half was not.

The last lines say how far the marks can be trusted: of the characters that lost a byte and were put back, how many are
right where the edit is called certain, and where it is not.

--alone     repair every sentence by itself, not a text of them
--twice     damage twice over through the same page
--sample N  every Nth sentence only
--controls  drop the C1 controls too, as something that strips control characters does (latin-1, latin-9)
--healthy   read every file below DIR, which must hold no mojibake: print what is changed, and megabytes a second
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import time
from pathlib import Path

import ftfy

from talksearch.indexer.mojibake import Edit, repair_text
from talksearch.indexer.mojibake.codepages import CODECS, damage, decoding_table, undefined_bytes

TEXTS = Path(__file__).with_name("mojibake_texts.json")
FTFY = ftfy.TextFixerConfig(
    unescape_html=False, fix_latin_ligatures=False, fix_character_width=False, uncurl_quotes=False,
    fix_line_breaks=False, normalization=None,
)  # fmt: skip


def dropped(page: str, controls: bool) -> frozenset[int]:
    """The bytes that go missing: those a page lacks, the soft hyphen, and with `controls` the C1 controls."""
    table = decoding_table(page)
    lacking = {byte for byte, char in enumerate(table) if not char or char == "\xad"}
    return frozenset(lacking | (undefined_bytes(page) - set(range(0x80)) if controls else set()))


def right(expected: str, got: str) -> list[bool]:
    """For each character expected, whether it stands in its place."""
    marks = [False] * len(expected)
    for block in difflib.SequenceMatcher(None, expected, got, autojunk=False).get_matching_blocks():
        marks[block.a : block.a + block.size] = [True] * block.size
    return marks


def ftfy_text(text: str) -> str:
    """What ftfy makes of a text."""
    return ftfy.fix_text(text, FTFY)


def trust(clean: str, page: str, gone: frozenset[int], twice: bool, edits: tuple[Edit, ...]) -> dict[str, int]:
    """How many characters that lost a byte are called certain or uncertain, and how many of each are right."""
    counts = dict.fromkeys(("sure", "sure_right", "open", "open_right"), 0)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    lost = []
    position = 0
    for index, char in enumerate(clean):
        once = damage(char, page, gone)
        damaged = damage(once, page, gone) if twice else once
        lost.append(char > "\x7f" and any(byte in gone for byte in (char + once * twice).encode("utf-8")))
        if damaged:
            starts[position] = index
            position += len(damaged)
            ends[position] = index + 1
    for edit in edits:
        if edit.after == edit.before:
            continue
        first, last = starts.get(edit.start), ends.get(edit.end)
        kind = "sure" if edit.certain else "open"
        if first is None or last is None:  # it begins or ends inside a character, and so is wrong
            counts[kind] += 1
            continue
        for is_right, index in zip(right(clean[first:last], edit.after), range(first, last), strict=True):
            if lost[index]:
                counts[kind] += 1
                counts[f"{kind}_right"] += is_right
    return counts


def healthy(folder: Path) -> None:
    """Print every file that text repair changes, and how fast it reads them."""
    size, seconds, changed = 0, 0.0, 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        text = data.decode("utf-8", "replace")
        started = time.perf_counter()
        edits = repair_text(text).edits
        seconds += time.perf_counter() - started
        size += len(data)
        if edits:
            changed += 1
            print(f"{path}: {len(edits)} edits, the first {edits[0].before!r} -> {edits[0].after!r}")
    print(f"{changed} files changed, {size / 1e6:.1f} MB, {size / 1e6 / seconds:.1f} MB/s")


def measure(sentences: list[str], page: str, args: argparse.Namespace) -> dict[str, int]:
    """Counts of one cell."""
    gone = dropped(page, args.controls)
    counts = dict.fromkeys(
        (
            "lossy",
            "lossy_right",
            "lossy_ftfy",
            "all",
            "all_right",
            "all_ftfy",
            "sure",
            "sure_right",
            "open",
            "open_right",
        ),
        0,
    )
    damaged = ["".join(damage(c, page, gone) for c in s) for s in sentences]
    if args.twice:
        damaged = ["".join(damage(c, page, gone) for c in s) for s in damaged]
    if args.alone:
        repairs = [repair_text(s) for s in damaged]
        repaired = [repair.text for repair in repairs]
        trusted = [trust(s, page, gone, args.twice, r.edits) for s, r in zip(sentences, repairs, strict=True)]
    else:
        whole = repair_text("\n".join(damaged))
        repaired = whole.text.split("\n")
        trusted = [trust("\n".join(sentences), page, gone, args.twice, whole.edits)]
    for trusted_counts in trusted:
        for key, n in trusted_counts.items():
            counts[key] += n
    for sentence, broken, mended in zip(sentences, damaged, repaired, strict=True):
        ours, theirs = right(sentence, mended), right(sentence, ftfy_text(broken))
        for c, a, b in zip(sentence, ours, theirs, strict=True):
            if c < "\x80":
                continue
            kinds = ["all"]
            raw = c.encode("utf-8")
            if args.twice:
                raw += damage(c, page, gone).encode("utf-8")
            if any(x in gone for x in raw):
                kinds.append("lossy")
            for kind in kinds:
                counts[kind] += 1
                counts[f"{kind}_right"] += a
                counts[f"{kind}_ftfy"] += b
    return counts


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*")
    parser.add_argument("--half", choices=("seen", "held-out", "both"), default="both")
    parser.add_argument("--pages", nargs="*", default=list(CODECS))
    parser.add_argument("--sample", type=int, default=1, metavar="N")
    parser.add_argument("--healthy", type=Path, metavar="DIR")
    for flag in ("alone", "twice", "controls"):
        parser.add_argument(f"--{flag}", action="store_true")
    args = parser.parse_args()
    if args.healthy:
        healthy(args.healthy)
        return
    texts = json.loads(TEXTS.read_text("utf-8"))
    total: dict[str, int] = {}
    print(f"{'':9}" + "".join(f"{page.removeprefix('windows-'):>14}" for page in args.pages))
    print(f"{'':9}" + f"{'ours  ftfy':>14}" * len(args.pages))
    started = time.perf_counter()
    for language in args.languages or texts:
        sentences = texts[language]
        middle = len(sentences) // 2
        sentences = {"seen": sentences[:middle], "held-out": sentences[middle:], "both": sentences}[args.half]
        sentences = sentences[:: args.sample]
        cells = [measure(sentences, page, args) for page in args.pages]
        for kind in ("lossy", "all"):
            row = []
            for cell in cells:
                n = cell[kind]
                for key, count in cell.items():
                    total[key] = total.get(key, 0) + (count if kind == "all" else 0)
                ours, theirs = (100 * cell[f"{kind}_{who}"] / n if n else 0 for who in ("right", "ftfy"))
                row.append(f"{ours:8.1f} {theirs:5.1f}" if n else f"{'-':>14}")
            print(f"{language if kind == 'lossy' else '  all':9}" + "".join(row), flush=True)
    for kind in ("lossy", "all"):
        n = total[kind]
        print(f"{kind}: {n:,} characters, ours {total[f'{kind}_right'] / n:.2%}, ftfy {total[f'{kind}_ftfy'] / n:.2%}")
    for kind, name in (("sure", "certain"), ("open", "uncertain")):
        n = total[kind]
        print(f"called {name}: {n:,} characters that lost a byte, right {total[f'{kind}_right'] / max(1, n):.2%}")
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
