"""From a recording to the transcript that it lacks: speech recognition on this machine, written as Whisper's JSON.

Nothing in `indexer` but the commands' own calls leads here, so that indexing never waits for it. `cli` may import it.
"""
