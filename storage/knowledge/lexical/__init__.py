"""The lexical half of search: what a text says in words, and who says it; it answers Russian alone."""
