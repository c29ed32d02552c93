"""Kinds of assistants that are answered elsewhere; each is a graph as any other."""
