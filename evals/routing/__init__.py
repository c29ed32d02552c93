"""The routing rules before a labelled set: how often they speak, and how often rightly."""
