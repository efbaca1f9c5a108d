"""Asking a store on other machines (`indexer.stores.remote`): from a query to the talks that may answer it, and these.

An engine finds candidates. The whole talks that hold them are fetched into a small catalog in memory, and answered from
as from any index, with the statistics of the whole store. So ranking, jumps, grades and quotes are those of
`search.engine`, which asks a reader to gather its talks and knows nothing of engines. `search` and `cli` import this.
"""
