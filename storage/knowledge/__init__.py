"""What is known beyond a conversation: documents and chunks in Postgres, and the indexes made from them."""
