"""What is printed: hits, talks, receipts and reports as text, JSON lines, CSV and Markdown.

Values in, strings out. Whatever comes from a transcript passes `terminal.safe` here.
"""
