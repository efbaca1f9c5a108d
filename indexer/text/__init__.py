"""Pure functions of text: terms, sentences, sounds of words, clock times, chapters, speakers' labels, addresses.

Nothing here reads a file or knows what a talk is. Whatever stands above it may import it: readers and all that follows,
`search` and `cli`.
"""
