"""The marks: how well and how fast it works, in numbers."""
