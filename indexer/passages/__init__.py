"""From a talk to what is searched: passages of about sixty words, notes about it, and names that were misheard.

It knows no index and no file. `stores` (for how long passages are), `pipeline` and `cli` may import it.
"""
