"""A thread as long as it is, in a window as small as it is: what a model is shown of it.

The messages of a state are never cut. What is shown of them follows from them and from a small record in the
state (`Compaction`), so that it stays the same from call to call until it no longer fits.
"""
