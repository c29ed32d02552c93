"""The nouns: what is remembered, and the only code that speaks to databases."""
