"""How well search finds, and whether it knows when it does not: sets of questions with labels of other people."""
