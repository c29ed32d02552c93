"""What is known beyond a conversation: the truth in Postgres, and the indexes made from it."""
