"""Graphs with no model at their heart."""
