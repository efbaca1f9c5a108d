"""From a talk to what is searched: passages of about sixty words, notes about it, and names that were misheard.

`pipeline` calls it when talks are read.
"""
