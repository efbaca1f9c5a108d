"""Mojibake with bytes lost: UTF-8 that was read in a single-byte code page, put back character by character.

Lead bytes survive, so it stays certain where each damaged character begins; which of its candidates it was is decided
by the letters around it (`mojibake_model.py`). A repair is an inversion: damaging the repaired text again
(`lose`) gives the original. Text that is not such damage is never touched: not its quotes, widths, ligatures, spaces.

How a text is read:

1. A regular expression finds a lead byte's character before a continuation byte's. Without one the text is healthy.
2. Each code page parses the words around into UTF-8 sequences. A page that leaves more over than it explains is out.
3. A beam search finds the likeliest reading through each page left. It replaces the original only where it is more
   likely by far than the original read as it stands.
4. Where candidates stay close, the edit is not `certain` and names the `alternatives`. Where none leads, the text
   stays as it was, and an edit whose `before` equals its `after` marks the place.

After ftfy (Speer 2019), which repairs what lost no bytes by the same idea and is `benchmarks/mojibake.py`'s yardstick.
"""

from __future__ import annotations

from .codepages import lose
from .confidence import edits_of
from .decode_paths import choose
from .detect import suspicious
from .edits import Edit, Repair, replay

__all__ = ["Edit", "Repair", "lose", "repair_text", "replay"]


def repair_text(text: str) -> Repair:
    """Put back what was UTF-8 and read in a wrong code page, and leave everything else alone.

    `text` is a field or a whole file; healthy and damaged lines and words may stand side by side.

    >>> repair_text("Ã¼ber cafÃ©s – “schön”").text
    'über cafés – “schön”'
    """
    lines = suspicious(text)
    if not lines:
        return Repair(text)
    found = choose(text, lines)
    if not found:
        return Repair(text)
    edits = tuple(edits_of(text, sorted(found, key=lambda f: f.start)))
    return Repair(replay(text, edits), edits)
