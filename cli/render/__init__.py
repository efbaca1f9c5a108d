"""What is printed: hits, talks, receipts and reports as text, JSON lines, CSV and Markdown.

Values in, strings out. What comes from a transcript passes `text.untrusted.safe` here before a terminal gets it. The
commands and the server import this folder; it imports neither of them.
"""
