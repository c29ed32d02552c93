"""What is learned of conversations: feedback, training data, experiments."""
