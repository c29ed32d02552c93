"""Git as an agent has it: the git program, held so that a hostile repository runs nothing of its own."""
