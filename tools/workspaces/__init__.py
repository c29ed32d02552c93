"""Folders of a thread's own: copied or checked out of what somebody registered, and removed again."""
