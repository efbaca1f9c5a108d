"""An indexing run: look at the files, plan, read talks in worker processes, embed, bring the stores up to date.

`run` drives everything below it, and `merge` puts indexes together. Only `doctor`, `cli` and the face of `indexer` may
import it, and `search.index` for the copy of several indexes.
"""
