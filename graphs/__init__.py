"""The sentences: how agents think, as checkpointed state machines."""
