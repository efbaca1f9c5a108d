"""How quickly models work on this machine, kept between runs, so that `index` can tell how long a recording takes."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from talksearch.indexer.encoders.model_home import homes_folder
from talksearch.indexer.layout import replace_file

from .models import DEFAULT_MODEL

ASSUMED = 1.0
"""Seconds of a recording in a second of work, where nothing was measured. A guess on the careful side: tiny.en, which
has a sixth of the weights of `small`, was measured at 22 on two quiet cores (docs/transcribing.md)."""
_LEAST_S = 20.0
"""Seconds of work that say something; loading and starting are a large part of less."""


@dataclass(frozen=True, slots=True)
class TranscriptionSpeed:
    """How quickly a model works."""

    model: str
    """As it is to be named again: a name or a folder."""
    times_real: float
    """Seconds of a recording in a second of work."""
    measured: bool
    """Whether it was measured on this machine."""


def remember(model: str, recording_s: float, work_s: float) -> None:
    """Keep how long a model took for how much, where the cache can be written; a short run says nothing."""
    if work_s < _LEAST_S or recording_s <= 0:
        return
    rows = _rows()
    rows.pop(model, None)
    rows[model] = round(recording_s / work_s, 3)  # the last one that was used stands last
    with suppress(OSError):
        path = homes_folder().parent / "whisper-pace.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as fresh:
            fresh.write_text(json.dumps(rows), encoding="utf-8")


def pace_of(model: str | None = None) -> TranscriptionSpeed:
    """Return how quickly a model works; without one, that which was used last on this machine, else the default one."""
    rows = _rows()
    name = model or next(reversed(rows), DEFAULT_MODEL)
    return TranscriptionSpeed(name, rows.get(name, ASSUMED), name in rows)


def _rows() -> dict[str, float]:
    with suppress(OSError, ValueError):
        data = json.loads((homes_folder().parent / "whisper-pace.json").read_text(encoding="utf-8"))
        if isinstance(data, dict):
            return {str(name): float(pace) for name, pace in data.items() if float(pace) > 0}
    return {}
