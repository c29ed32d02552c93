"""What can be told of a folder of code without running it: names, imports, a map, figures."""
