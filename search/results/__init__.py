"""From ranked passages to hits: what is shown of each, the second to jump to, the grade, the line of heat.

It reads the catalog and imports `ranking`; `engine` may import it.
"""
