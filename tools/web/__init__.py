"""The internet: pages and searches, and which addresses may be called at all."""
