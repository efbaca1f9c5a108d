"""Which passages answer, and in which order: filters, words, meaning, their fusion.

A query's text and vector go in, scored passage numbers come out. It knows nothing of titles, links and seconds.
"""
