"""Text out of files that nobody vouches for: told apart by their bytes, parsed in processes of their own."""
