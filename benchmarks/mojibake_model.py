"""Make `indexer/mojibake/<script>.xz`, the letter statistics that text repair decides with.

    python benchmarks/mojibake_model.py SOURCES [NAME...]

SOURCES is a folder in which these public packages lie unpacked; nothing of theirs is shipped but the statistics:

    lm_sc.arpa                 Debian source package libime 1.0.16 (LGPL-2.1+): word n-grams, Chinese
    jieba-0.42.1/              PyPI jieba (MIT): set phrases, Chinese
    opencc/                    PyPI opencc-python-reimplemented (Apache-2.0): simplified and traditional Chinese
    lingua/                    PyPI lingua-language-detector 1.3.5 (Apache-2.0): Thai letter sequences
    spellchecker/              PyPI pyspellchecker (MIT): German words with ß
    pythainlp/                 PyPI pythainlp, its word list tnc_freq.txt (CC0-1.0): Thai word counts
    help/                      Debian libreoffice-help-{zh-cn,zh-tw,ja,ko,hi,vi} (MPL-2.0): running text
    handbook/                  Debian debian-handbook (CC BY-SA 3.0 or GPL-2+): running text in 25 languages
    gnome/                     Debian gnome-user-docs (CC BY-SA 3.0), its share/help: running text, zh ja ko he

and the PyPI package wordfreq (CC BY-SA 4.0, Robyn Speer 2022) must be importable. A model is a letter n-gram model with
absolute discounting and backoff (Ney, Essen and Kneser 1994), thinned out by how much each n-gram matters (after
Stolcke 1998). Every language of a script is counted to the same total, so that none drowns the others.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import lzma
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import wordfreq

from talksearch.indexer.mojibake.ngrams import LOG_STEP, ZERO, normalize, script

OUT = Path(__file__).parents[1] / "indexer" / "mojibake"
DISCOUNT = 0.75
WORDS = 4_000_000
"""Each word list counts as a text of this many words."""
ARPA = 20_000_000
"""A word n-gram model counts as a text of this many words."""
PAIR_KEEP = 3.0
"""How much a pair of words must matter to be kept: its count times the nats by which backoff misses it."""

LATIN = [
    "en",
    "fr",
    "de",
    "es",
    "pt",
    "it",
    "nl",
    "ca",
    "pl",
    "cs",
    "sk",
    "sl",
    "sh",
    "hu",
    "ro",
    "tr",
    "vi",
    "sv",
    "da",
    "nb",
    "fi",
    "is",
    "lt",
    "lv",
    "id",
    "fil",
]
HANDBOOK = {
    "ar": "ar-MA", "ca": "ca-ES", "cs": "cs-CZ", "da": "da-DK", "de": "de-DE", "el": "el-GR", "es": "es-ES",
    "fa": "fa-IR", "fr": "fr-FR", "hr": "hr-HR", "id": "id-ID", "it": "it-IT", "ja": "ja-JP", "ko": "ko-KR",
    "nb": "nb-NO", "nl": "nl-NL", "pl": "pl-PL", "pt": "pt-BR", "ro": "ro-RO", "ru": "ru-RU", "sv": "sv-SE",
    "tr": "tr-TR", "vi": "vi-VN", "zh": "zh-CN",
}  # fmt: skip
GNOME = {"zh": "zh_CN", "ja": "ja", "ko": "ko", "he": "he"}
SCRIPTS: dict[str, tuple[list[str], int, float]] = {
    # script: languages, longest n-gram, how much an n-gram must matter to be kept
    "hani": (["zh"], 4, 10.0),
    "jpan": (["ja"], 5, 4.0),
    "kore": (["ko"], 5, 1.5),
    "latn": (LATIN, 5, 12.0),
    "cyrl": (["ru", "uk", "bg", "mk"], 5, 12.0),
    "grek": (["el"], 5, 5.0),
    "arab": (["ar", "fa", "ur"], 5, 8.0),
    "hebr": (["he"], 5, 8.0),
    "deva": (["hi"], 5, 3.0),
    "thai": (["th"], 5, 12.0),
}
SPACED = set(SCRIPTS) - {"hani", "jpan", "kore", "thai"}
"""Where a word list's words stand between spaces. Korean ones are parts of words."""


QUOTES = {ord(a): b for a, b in zip("「」『』", "“”‘’", strict=True)}
"""Taiwan's quotation marks: which ones a text uses is a matter of its spelling, not of what stands around them."""


ACROSS = {"thai": 0.25, "jpan": 0.2, "kore": 0.2}
"""The least share of contexts that may run across words, where nothing stands between words (the more, the less running
text there is). For Chinese, pairs and triples of words say it themselves."""


KATAKANA = re.compile("[\u30a1-\u30fa\u30fc]{2}")


def pages(folder: Path) -> Iterator[str]:
    """The paragraphs of HTML pages without their markup."""
    for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.page")]):
        text = path.read_text("utf-8", "replace")
        text = re.sub(r"(?s)<(script|style|pre|head|info|code)\b.*?</\1>", "\n", text)
        text = re.sub(r"</?(p|div|h\d|li|td|th|tr|br|dt|dd|title|item|note|section)\b[^>]*>", "\n", text)
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
        for line in text.splitlines():
            if not line.isascii():
                yield line


def running(sources: Path, language: str, simplify: dict[int, str]) -> Iterator[str]:
    """Lines of running text in one language, each distinct line once."""
    folders = [sources / "handbook" / HANDBOOK[language]] if language in HANDBOOK else []
    folders += [sources / "help" / name for name in {"zh": ("zh-CN", "zh-TW")}.get(language, (language,))]
    folders += [sources / "gnome" / GNOME[language]] if language in GNOME else []
    seen: set[str] = set()
    for folder in folders:
        for line in pages(folder):
            if line not in seen:
                seen.add(line)
                yield line.translate(QUOTES | simplify) if language == "zh" else line


def add_arpa(counts: list[Counter[str]], ends: Counter[str], path: Path, size: float) -> None:
    """Count the n-grams of letters that a word n-gram model (ARPA format) expects in a text of `size` words.

    Such a file leaves out what its backoff explains as well. `ends` takes what is missing of a context's letters.
    """
    own: list[Counter[str]] = [Counter() for _ in counts]
    share: dict[str, float] = {}
    order = 0
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("\\"):
            order = int(line[1]) if line[1].isdigit() else 0
        elif order and "\t" in line:
            fields = line.split("\t")
            text = fields[1]
            before, _, last = text.rpartition(" ")
            if "<" in text or (before and before not in share):
                continue
            p = 10 ** float(fields[0]) * share.get(before, 1.0)
            if order < 3:
                share[text] = p
            add_across(own, before.split(" ") if before else [], last, p * size)
    for n in range(1, len(counts)):
        going_on: Counter[str] = Counter()
        if n + 1 < len(counts):
            for ngram, c in own[n + 1].items():
                going_on[ngram[:-1]] += c
            for context, c in own[n].items():
                if c > going_on[context] > 0:
                    ends[context] += c - going_on[context]  # type: ignore[assignment]
        counts[n].update(own[n])


def letters(counts: list[Counter[str]]) -> float:
    """How many letters were counted."""
    return sum(n for c, n in counts[1].items() if script(c))


MARKS = "，。！？、：；“”（）"
"""Marks that manuals rarely need and talks do: none counts as rarer than one sign in a hundred."""


def raise_signs(counts: list[Counter[str]], factor: float) -> None:
    """Count n-grams that end in a sign `factor` times: they come from running text alone, the letters do not."""
    for table in counts[1:]:
        for ngram in table:
            if not script(ngram[-1]):
                table[ngram] *= factor  # type: ignore[assignment]
    signs = sum(n for c, n in counts[1].items() if c in MARKS)
    for c in MARKS:
        counts[1][c] = max(counts[1][c], 0.01 * signs)  # type: ignore[type-var]


def add_across(counts: list[Counter[str]], before: list[str], last: str, n: float) -> None:
    """Count the n-grams that hold letters of every one of these words, `n` times."""
    text = "".join([*before, last])
    first = len(before[0]) - 1 if before else len(text) - 1  # where such an n-gram begins at the latest
    least = len(text) - len(last) + 1 if before else 0  # and where it ends at the earliest
    for start in range(max(0, least - len(counts) + 1), first + 1):
        for end in range(max(least, start + 1), min(len(text), start + len(counts) - 1) + 1):
            counts[end - start][text[start:end]] += n  # type: ignore[assignment]


def unfolded(sources: Path, language: str, words: dict[str, float]) -> dict[str, float]:
    """Words as they are written: wordfreq folds case, which makes ss of ß and σ of ς."""
    if language == "el":
        return {re.sub("σ$", "ς", word): share for word, share in words.items()}
    if language == "de":
        known = json.loads(gzip.decompress((sources / "spellchecker/resources/de.json.gz").read_bytes()))
        sharp = {word.replace("ß", "ss"): word for word in known if "ß" in word}
        return {sharp.get(word, word): share for word, share in words.items()}
    return words


def word_counts(sources: Path, language: str) -> dict[str, float]:
    """Words with their share of all words."""
    if language != "th":
        return unfolded(sources, language, wordfreq.get_frequency_dict(language, "best"))
    rows = (line.split("\t") for line in (sources / "pythainlp/corpus/tnc_freq.txt").read_text("utf-8").splitlines())
    counts = {row[0]: float(row[1]) for row in rows if len(row) == 2}
    total = sum(counts.values())
    return {word: n / total for word, n in counts.items()}


def thai_sequences(sources: Path) -> dict[str, float]:
    """Counts of Thai letter sequences, rebuilt from lingua's shares P(last letter | letters before)."""
    import brotli

    counts: dict[str, float] = {}
    for order in ("uni", "bi", "tri", "quadri", "five"):
        name = f"{order}grams.json.br"
        data = json.loads(brotli.decompress((sources / "lingua/language-models/th" / name).read_bytes()))
        for share, ngrams in data["ngrams"].items():
            top, bottom = map(int, share.split("/"))
            for ngram in ngrams.split(" "):
                counts[ngram] = top / bottom * (counts.get(ngram[:-1], 0.0) if len(ngram) > 1 else 3e6)
    return counts


def count(texts: Iterable[str], order: int, latin: bool) -> list[Counter[str]]:
    """`counts[n]` counts the n-grams of lines of running text."""
    counts: list[Counter[str]] = [Counter() for _ in range(order + 1)]
    batch: list[str] = []
    size = 0
    for line in texts:
        batch.append(normalize(line, latin))
        size += len(batch[-1])
        if size > 500_000:
            add(counts, "  ".join(batch))
            batch, size = [], 0
    add(counts, "  ".join(batch))
    return counts


def add(counts: list[Counter[str]], text: str) -> None:
    """Count the n-grams of one text."""
    for n in range(1, len(counts)):
        counts[n].update(text[i : i + n] for i in range(len(text) - n + 1))


def add_words(
    counts: list[Counter[str]], ends: Counter[str], words: dict[str, float], spaced: bool, latin: bool
) -> None:
    """Count the n-grams of a word list: with the spaces around a word where the script has spaces.

    Where it has none, `ends` counts the last letters of words: anything may follow there.
    """
    for word, share in words.items():
        weight = share * WORDS
        if weight < 0.3:
            continue
        text = f" {normalize(word, latin)} " if spaced else normalize(word, latin)
        for n in range(1, len(counts)):
            for i in range(len(text) - n + 1):
                if text[i : i + n] != " ":
                    counts[n][text[i : i + n]] += weight  # type: ignore[assignment]
        if spaced:
            counts[1][" "] += weight  # type: ignore[assignment]
        else:
            for n in range(1, min(len(counts) - 1, len(text) + 1)):
                ends[text[-n:]] += weight  # type: ignore[assignment]


def model(
    counts: list[Counter[str]], ends: Counter[str], keep: float, latin: bool, spaced: bool, across: float
) -> tuple[dict[str, float], dict[str, float]]:
    """(log probability of each kept n-gram's last letter after the others, log backoff weight of each context)."""
    order = len(counts) - 1
    total = sum(counts[1].values())
    p: dict[str, float] = {c: max(n, 0.3) / total for c, n in counts[1].items()}
    kept = dict(p)
    bow: dict[str, float] = {}

    def backed(context: str, letter: str) -> float:
        weight = 1.0
        while True:
            if context + letter in kept:
                return weight * kept[context + letter]
            if not context:
                return weight * 0.1 / total
            weight *= bow.get(context, 1.0)
            context = context[1:]

    for n in range(2, order + 1):
        by_context: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for ngram, c in counts[n].items():
            by_context[ngram[:-1]].append((ngram[-1], c))
        chosen: dict[str, float] = {}
        for context, letters in by_context.items():
            if context[1:] and context[1:] not in kept and n > 2 and context not in kept:
                continue
            whole = sum(c for _, c in letters) + ends[context]
            # Few sightings say little, and what follows a space depends on what the text is about.
            lost = max((sum(min(DISCOUNT, c) for _, c in letters) + ends[context]) / whole, 1 / (1 + whole / 2))
            if n > 2:
                # The letters may belong to two words, which a word list never shows. Katakana words stand apart.
                lost = max(lost, across / 10 if KATAKANA.fullmatch(context[-2:]) else across)
            if spaced and " " in context[1:]:
                lost = max(lost, 0.5)
            kept_share = (1 - lost) / max(1e-9, sum(max(0.0, c - DISCOUNT) for _, c in letters) / whole)
            mass = lower = 0.0
            for letter, c in letters:
                if c < (1.5 if n > 2 else 0.9):
                    continue
                below = backed(context[1:], letter)
                full = min(kept_share, 1.0) * max(c - DISCOUNT, 0.0) / whole + lost * below
                if latin and n > 3 and (context + letter).isascii():
                    continue  # Such n-grams never decide: none of their letters was damaged. Short ones do, from below.
                if c * abs(math.log(full / (lost * below))) < keep:
                    continue
                chosen[context + letter] = full
                mass += full
                lower += below
            if mass:
                bow[context] = max(1e-4, (1 - min(mass, 0.9999))) / max(1e-4, 1 - min(lower, 0.9999))
        kept.update(chosen)
    return (
        {g: math.log(v) for g, v in kept.items()},
        {g: math.log(v) for g, v in bow.items() if math.log(v) < -LOG_STEP / 2},
    )


def write(name: str, p: dict[str, float], backoff: dict[str, float], pairs: dict[str, float] | None = None) -> None:
    """One line a first letter: the letter, then n-grams of 1, 2, ... letters, then contexts of 1, 2, ... letters.

    Fields stand between tabs. A record is the n-gram without its first letter, and a letter for its value in steps of
    `LOG_STEP` below zero. `pairs`, where given, are a last line of two-letter records.
    """
    order = max(map(len, p))
    lines: dict[str, list[list[str]]] = {c: [[] for _ in range(2 * order - 1)] for c in p if len(c) == 1}
    for offset, values in ((0, p), (order, backoff)):
        for ngram, value in sorted(values.items()):
            if ngram[0] in lines:
                lines[ngram[0]][offset + len(ngram) - 1].append(
                    ngram[1:] + chr(ZERO + max(0, round(-value / LOG_STEP)))
                )
    rows = ["\t".join([c, *("".join(field) for field in fields)]) for c, fields in sorted(lines.items())]
    rows.append(
        "".join(pair + chr(ZERO + max(0, round(-value / LOG_STEP))) for pair, value in sorted((pairs or {}).items()))
    )
    path = OUT / f"{name}.xz"
    path.write_bytes(lzma.compress("\n".join(rows).encode("utf-8"), preset=9 | lzma.PRESET_EXTREME))
    print(f"{name}: {len(p) + len(backoff):,} entries, {path.stat().st_size:,} bytes", flush=True)


def dictionary(sources: Path) -> dict[str, float]:
    """Long words of jieba's dictionary, once each: set phrases that word counts miss."""
    words = {}
    for line in (sources / "jieba-0.42.1/jieba/dict.txt").read_text("utf-8").splitlines():
        word, n, _ = line.split(" ")
        if len(word) >= 3 and int(n) >= 3:
            words[word] = 1.0 / WORDS
    return words


def word_pairs(sources: Path, simplify: dict[str, str]) -> None:
    """`indexer/mojibake/words.xz`: one line a word, as `indexer/mojibake/chinese_words.py` reads it.

    A word, its log probability in steps, and where words are known to follow it, its backoff weight and each of them
    with the log probability of following. Pairs that matter little are thinned out, and backoff weights made anew.
    """
    alone: dict[str, float] = {}
    weight: dict[str, float] = {}
    after: dict[str, list[tuple[str, float]]] = defaultdict(list)
    order = 0
    for line in (sources / "lm_sc.arpa").read_text("utf-8").splitlines():
        if line.startswith("\\"):
            order = int(line[1]) if line[1].isdigit() else 0
        elif order in (1, 2) and "\t" in line and "<" not in line:
            fields = line.split("\t")
            p = float(fields[0]) * math.log(10)
            before, _, word = fields[1].rpartition(" ")
            if any(c in simplify for c in word):
                continue  # texts are looked up in simplified spelling
            if not before:
                alone[word], weight[word] = p, float(fields[2]) * math.log(10)
            elif before in alone:
                matters = ARPA * math.exp(alone[before] + p) * abs(p - weight[before] - alone[word])
                if matters > PAIR_KEEP:
                    after[before].append((word, p))

    def step(value: float) -> str:
        return chr(ZERO + max(0, round(-value / LOG_STEP)))

    rows = []
    for word in sorted(alone):
        pairs = sorted(after[word])
        mass = sum(math.exp(p) for _, p in pairs)
        lower = sum(math.exp(alone[w]) for w, _ in pairs)
        backoff = math.log(max(1e-4, 1 - mass) / max(1e-4, 1 - lower))
        rows.append(
            word + step(alone[word]) + (step(backoff) + "".join(w + step(p) for w, p in pairs) if pairs else "")
        )
    path = OUT / "words.xz"
    path.write_bytes(lzma.compress("\n".join(rows).encode("utf-8"), preset=9))
    print(f"words: {len(alone):,}, pairs {sum(map(len, after.values())):,}, {path.stat().st_size:,} bytes", flush=True)


def chinese_spelling(sources: Path) -> tuple[dict[str, str], dict[str, float]]:
    """(each traditional character's simplified one, how often a simplified character is written so in Taiwan).

    The second maps "simplified + traditional" to a log share, counted over word lists turned with OpenCC.
    """
    folder = sources / "opencc" / "dictionary"

    def rows(name: str) -> Iterator[tuple[str, str]]:
        for line in (folder / f"{name}.txt").read_text("utf-8").splitlines():
            if "\t" in line:
                key, values = line.split("\t", 1)
                yield key, values.split(" ")[0]

    simplify = {t: s for t, s in rows("TSCharacters") if len(t) == len(s) == 1 and t != s}
    phrases = dict(rows("STPhrases"))
    single = dict(rows("STCharacters"))
    simplify.update({chr(a): b for a, b in QUOTES.items()})
    taiwan = dict(rows("TWVariants"))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for word, share in wordfreq.get_frequency_dict("zh", "best").items():
        other = phrases.get(word) or "".join(single.get(c, c) for c in word)
        if len(other) == len(word):
            for s, t in zip(word, other, strict=True):
                counts[s][taiwan.get(t, t)] += share * WORDS  # type: ignore[assignment]
                counts[s][t] += share * WORDS / 20  # type: ignore[assignment]
    shares = {b + chr(a): math.log(0.8) for a, b in QUOTES.items()} | {b + b: math.log(0.2) for b in QUOTES.values()}
    # OpenCC writes one of several right spellings (臺 for 台): a third goes to all that it lists, the first most.
    for line in (folder / "STCharacters.txt").read_text("utf-8").splitlines():
        s, forms_listed = line.split("\t", 1)
        listed = forms_listed.split(" ")
        whole = sum(counts[s].values()) + 1.0
        ranks = sum(1 / (rank + 1) ** 2 for rank in range(len(listed)))
        for rank, t in enumerate(listed):
            counts[s][t] += whole / 2 / (rank + 1) ** 2 / ranks  # type: ignore[assignment]
    for s, forms in counts.items():
        if set(forms) != {s}:
            whole = sum(forms.values()) + 0.1
            for t, n in forms.items():
                shares[s + t] = math.log(n / whole)
    return simplify, shares


def latin_languages(sources: Path) -> None:
    """One line a Latin-script language: its name, common words, accented letters, each with its log share in steps."""
    rows = []
    for language in LATIN:
        words = word_counts(sources, language)
        letters: Counter[str] = Counter()
        for word, share in words.items():
            for c in word:
                letters[c] += share * 1e6  # type: ignore[assignment]
        whole = sum(letters.values())
        accented = {c: n / whole for c, n in letters.items() if script(c) == "latn" and c > "\x7f" and n > 1e-6 * whole}
        common = [w for w in sorted(words, key=lambda w: -words[w]) if w.isascii() and w.isalpha()][:250]
        rows.append(
            "\t".join(
                [
                    language,
                    " ".join(w + chr(ZERO + round(-math.log(words[w]) / LOG_STEP)) for w in common),
                    "".join(
                        c + chr(ZERO + round(-math.log(share) / LOG_STEP)) for c, share in sorted(accented.items())
                    ),
                ]
            )
        )
    path = OUT / "languages.xz"
    path.write_bytes(lzma.compress("\n".join(rows).encode("utf-8"), preset=9))
    print(f"languages: {path.stat().st_size:,} bytes")


TYPOGRAPHIC = "–—‘’“”„…•°£€¥©®™§«»½×→✓′″·¿¡"
"""Marks that word lists leave out, whatever their source: none counts as rarer than one sign in a hundred."""


def symbols(sources: Path) -> dict[str, float]:
    """How often signs and emoji occur, over all word lists and running texts."""
    counts: Counter[str] = Counter()
    for language in wordfreq.available_languages("best"):
        for word, share in wordfreq.get_frequency_dict(language, "best").items():
            for c in word:
                if unicodedata.category(c)[0] in "SPCM" and not c.isascii():
                    counts[c] += share * WORDS  # type: ignore[assignment]
    for folder in (sources / "handbook").iterdir():
        for line in pages(folder):
            counts.update(c for c in line if not c.isascii() and unicodedata.category(c)[0] in "SPCM")
    total = sum(counts.values())
    return {c: math.log(max(counts[c] / total, 0.01 * (c in TYPOGRAPHIC))) for c in {*counts, *TYPOGRAPHIC}}


def main() -> None:
    """Make every model, or those named after SOURCES."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("names", nargs="*", help="the files to make, without .xz; all by default")
    options = parser.parse_args()
    sources, names = options.sources, options.names
    simplify, shares = chinese_spelling(sources)
    for name, (languages, order, keep) in SCRIPTS.items():
        if names and name not in names:
            continue
        merged: list[Counter[str]] = [Counter() for _ in range(order + 1)]
        ends: Counter[str] = Counter()
        for language in languages:
            counts = count(running(sources, language, {ord(t): s for t, s in simplify.items()}), order, name == "latn")
            spoken = letters(counts)
            add_words(
                counts,
                ends if name in ACROSS else Counter(),
                word_counts(sources, language),
                name in SPACED,
                name == "latn",
            )
            if language == "zh":
                add_words(counts, Counter(), dictionary(sources), spaced=False, latin=False)
                add_arpa(counts, ends, sources / "lm_sc.arpa", ARPA)
                raise_signs(counts, min(10.0, letters(counts) / spoken))
            if language == "th":
                for ngram, n in thai_sequences(sources).items():
                    counts[len(ngram)][ngram] += n  # type: ignore[assignment]
            for n in range(1, order + 1):
                merged[n].update(counts[n])
        p, bow = model(
            merged,
            ends,
            keep,
            name == "latn",
            name in SPACED | {"kore"},
            ACROSS.get(name, 0.0),
        )
        write(name, p, bow)
    if not names or "words" in names:
        word_pairs(sources, simplify)
    if not names or "signs" in names:
        write("signs", symbols(sources), {})
    if not names or "languages" in names:
        latin_languages(sources)
    if not names or "spelling" in names:
        simple = {t + s: 0.0 for t, s in simplify.items()}
        write("spelling", dict.fromkeys(simplify, 0.0) | simple, {}, shares)


if __name__ == "__main__":
    main()
