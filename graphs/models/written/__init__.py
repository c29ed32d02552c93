"""Calls of tools that a model writes into its text: told, read as they stream in, repaired if it is safe."""
