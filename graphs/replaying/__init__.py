"""Replays: runs of ours again, with the words of the model and the results of tools as they were recorded.

Nothing is asked of a network and nothing is done to any folder; what is tried again is our own code: the
gate, the loop, the plan, what a model is sent.
"""
