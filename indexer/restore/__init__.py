"""What captions damage and how it is put back: markup, rolling lines, turns, sound labels, names, lost times.

A `Transcript` goes in as a reader made it, cues come out, with a step for the receipt from whatever changed something.
`talks` and `pipeline` may import it. It imports `text`, and of `readers` the list of formats, which it asks whether a
name carries on from line to line; files and formats by name are unknown here.
"""
