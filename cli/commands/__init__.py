"""The commands, a module for each group: every one parses, calls, and hands the result to `render`.

`main` imports a module when one of its commands is asked for, and nothing else may. `--help` asks for all of them, so
they import at their top what is light; what brings numpy, a model or a server with it is imported in the functions.
"""
