"""The gate before publishing: what a change must pass, whatever a model says of it."""
