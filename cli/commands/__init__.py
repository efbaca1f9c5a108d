"""The commands, a module for each group: every one parses, calls, and hands the result to `render`.

`main` loads a module when one of its commands is asked for, so these may import at their top what they need.
"""
