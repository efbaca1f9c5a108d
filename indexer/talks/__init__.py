"""From a file to a `Talk` with its receipt, and from a talk back to the very lines of its file.

Finding and opening files, telling which talk one belongs to, sidecars, names and ids, replaying a receipt. `pipeline`,
`cli` and the face of `indexer` may import it.
"""
