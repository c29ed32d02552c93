"""Cut texts into chunks: spans of a text, each with a header that says where it stands."""

from artel.tools.knowledge.chunking.chunk import Chunk
from artel.tools.knowledge.chunking.cutting import Kind, chunks

__all__ = ["Chunk", "Kind", "chunks"]
