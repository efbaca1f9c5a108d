"""Ranking: which passages answer a query, and in which order. Filters, lexical evidence, similarity, their fusion.

A query's terms and vector go in; passage numbers with scores come out. Titles, links and seconds are unknown here. It
imports the indexer and the query; `quotes`, `results`, `evaluation`, the engine, the reader, `moments` and `cli` may
import it.
"""
