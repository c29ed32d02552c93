"""From what two indexes found to an order of documents, and how sure that order is."""
