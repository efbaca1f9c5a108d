"""Quotes: where something was said word for word, or nearly. Candidates by terms, alignment, the stretch that was said.

It imports the indexer, the values of a hit, and of `ranking` what finds and weighs terms; the engine imports it.
"""
