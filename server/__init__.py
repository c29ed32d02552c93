"""The voice: how people and programs reach the agents."""
