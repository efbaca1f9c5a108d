"""Pure functions of text: terms, sentences, sounds of words, clock times, chapters, speakers' labels, addresses.

Nothing here reads a file or knows what a talk is. Everything may import it.
"""
