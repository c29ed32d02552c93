"""The sandbox: commands that see one workspace and little else, with limits, and nothing left over."""
