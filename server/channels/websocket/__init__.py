"""The gateway: one WebSocket for all conversations of a client, over the same event log as every stream."""
