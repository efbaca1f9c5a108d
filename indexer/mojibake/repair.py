"""Repair of mojibake with bytes lost: UTF-8 that was decoded with a single-byte code page, character by character.

Lead bytes survive, so it stays certain where each damaged character begins. The letters around it decide which of its
candidates it was (`letter_model.py`). A repair is an inversion: damaging the repaired text again (`codepages.damage`)
gives the original. Text without such damage is never touched: not its quotes, widths, ligatures or spaces.

How a text is repaired:

1. A regular expression looks for a lead byte's character before a continuation byte's. Without one the text is healthy.
2. Each code page parses the words around it into UTF-8 sequences. A code page that explains less than it leaves over is
   ruled out.
3. A beam search finds the likeliest reading through each remaining code page. The reading replaces the original only
   where it is far likelier than the original as it stands.
4. Where candidates stay close, the edit is not `certain` and names the `alternatives`. Where none leads, the text stays
   as it was, and an edit whose `before` equals its `after` marks the place.

The idea is that of ftfy (Speer 2019), which repairs damage without lost bytes and is the yardstick of
`benchmarks/mojibake.py`.
"""

from __future__ import annotations

from .budget import RepairBudget, RepairBudgetSpentError
from .confidence import make_edits
from .decode_paths import decode_damaged_spans
from .detect import suspicious_lines
from .edits import Repair, replay


def repair_text(text: str, work: RepairBudget | None = None) -> Repair:
    """Put back what was UTF-8 and was decoded with a wrong code page, and leave everything else alone.

    Args:
        text: A field or a whole file. Healthy and damaged lines and words may stand side by side.
        work: How much of it there may be; by default there is no limit. Where it would take more, the text stays as it
            was, and the repair says so (`Repair.gave_up`).

    >>> repair_text("Ã¼ber cafÃ©s – “schön”").text
    'über cafés – “schön”'
    """
    lines = suspicious_lines(text)
    if not lines:
        return Repair(text)
    work = work or RepairBudget()
    try:
        spans = decode_damaged_spans(text, lines, work)
        edits = tuple(make_edits(text, sorted(spans, key=lambda span: span.start), work))
    except RepairBudgetSpentError:
        return Repair(text, gave_up=True)
    return Repair(replay(text, edits), edits)
