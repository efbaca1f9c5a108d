"""Measuring an index on queries with known answers, alone or beside a plain hybrid, and drawing queries from the index.

It stands above `engine`; only `cli` and the benchmarks import it.
"""
