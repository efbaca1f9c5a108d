"""What an index consists of on disk, one module for each file of `indexer.layout`: catalog, vectors, recipe, and so on.

One writer at a time, held by `lock`. `pipeline` and `doctor` may import it to write, `talks`, `search` and `cli` to
read. Opening an index for reading changes nothing in the process.
"""
