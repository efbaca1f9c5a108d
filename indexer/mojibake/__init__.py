"""Repair of text that was read in the wrong code page, with the letter statistics that decide (`*.xz`).

Text goes in, the repaired text and its edits come out. It needs nothing else of the project but the records.
"""
