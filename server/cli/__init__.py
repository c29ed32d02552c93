"""What `artel` does, one file a subcommand; imported only when it is the one asked for."""
