"""Stores on other machines: what several writers put there and any number of readers ask, behind one seam (`engine`).

Each engine is a module that imports its library when it is first asked for. `pipeline` writes to a store and `search`
reads from it; both import `engine` for its words. docs/scale.md says what each engine costs, and where it pays.
"""
