"""Our own coder, served beside the graphs of the tests."""

from artel.graphs.coder import graph as coder

__all__ = ["coder"]
