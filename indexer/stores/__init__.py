"""What an index consists of on disk: catalog (SQLite), vectors, the columns derived from them, Chroma, recipe.

One writer at a time, held by the lock. `pipeline` and `doctor` write; `search` reads.
"""
