"""The Chroma collection that holds the vectors: the store that lasts, from which the others are made again.

`client` is the only module that imports chromadb, which takes a second; the others reach it late and once.
"""
