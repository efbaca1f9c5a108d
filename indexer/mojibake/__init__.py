"""Repair of mojibake: text that was UTF-8 and was decoded with the wrong code page, also where bytes were lost.

Text goes in; the repaired text and its edits come out. `repair` is the entry, and `work` says how long it may take.
`detect` finds the places, `decode_paths` chooses the code pages, `lattice` reads the text through them, `confidence`
says how sure each character is. They decide by the statistics in `*.xz`: `ngrams` and `letter_model` for letters,
`chinese_words` for words, `quotation` for marks.
This package imports nothing else of the project.
"""

from __future__ import annotations

from .budget import RepairBudget
from .edits import Edit, Repair, replay
from .repair import repair_text

__all__ = ["Edit", "Repair", "RepairBudget", "repair_text", "replay"]
