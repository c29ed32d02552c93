"""How well search finds, and whether it knows when it does not: questions with labels of other people."""
