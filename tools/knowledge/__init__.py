"""What agents and jobs do with knowledge: read files, cut them, fetch sources, rank."""
