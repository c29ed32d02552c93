"""The one way out of a box: a proxy of this process, on a port that only this box has, to hosts on a list."""
