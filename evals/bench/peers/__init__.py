"""Artel beside its peers and the floors, in one run: same graphs, same database, same client."""
