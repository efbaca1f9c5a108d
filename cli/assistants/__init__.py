"""What assistants are answered that speak the Model Context Protocol.

It imports `render` and the pool of open indexes; only `commands` imports it.
"""
