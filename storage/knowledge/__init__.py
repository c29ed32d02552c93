"""What is known beyond a conversation: sources, documents and chunks in Postgres, and the indexes made from them."""
