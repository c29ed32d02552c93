"""The verbs: what an agent can do to the world."""
