"""Protocol v2, the Agent Streaming Protocol: commands in, typed events of a thread out."""
