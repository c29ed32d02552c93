"""What is known beyond a conversation: sources, documents and chunks, and the indexes made from them."""
