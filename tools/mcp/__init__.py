"""Tools of other programs: MCP servers that the operator names, reached over stdio or HTTP."""
