"""The Chroma store: every passage with its vector, text and metadata, readable by any other Chroma client.

`store` opens it, in partitions; `collection` reads and changes one partition; `writer` fills it; `describe` says what
Chroma is told of a passage. Only `client` imports chromadb, which takes a second, so nobody but `store` imports it, and
late. `pipeline` and `doctor` may import the others.
"""
