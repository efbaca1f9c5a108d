"""Measuring an index on queries with known answers, and drawing such queries from the archive itself.

It stands above `engine`; only `cli` and the benchmarks import it.
"""
