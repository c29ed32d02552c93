"""Ways by which people reach agents, beside the page and the wire."""
