"""What turns texts into vectors: a small model on the CPU, a server, or sentence-transformers."""
