"""What captions damage and how it is put back: markup, rolling lines, turns, sound labels, names, lost times.

A `Transcript` goes in as a reader made it, cues come out, with a step for the receipt from whatever changed something.
`talks` and `pipeline` may import it; it imports `text`, and knows neither files nor formats.
"""
