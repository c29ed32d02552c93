"""What an agent can do to the files of one folder."""
