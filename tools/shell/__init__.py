"""Reads a line of shell as the commands it would run, and runs none."""
