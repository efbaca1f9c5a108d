"""`python -m talksearch.cli`."""

from .main import cli

cli()
