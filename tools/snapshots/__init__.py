"""The files of a workspace as they were: trees in a private git repository, and the way back to them."""
