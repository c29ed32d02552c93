"""Threads as archives: taken away whole, and taken over as new threads."""
