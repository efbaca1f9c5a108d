"""What a user subscribes to, and asking it: `file` is `subscriptions.toml`, `opml` the lists of other programs.

`options` says what a subscription may say, `address` what an address is, and `asking` asks one source, be it a site, a
feed or a folder. Nothing in `indexer` may import it, so that indexing never asks the network; `cli` may.
"""
