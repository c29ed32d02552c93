"""The product's own API under /api/v1, one file a noun, and the page."""
