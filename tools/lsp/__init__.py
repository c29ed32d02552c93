"""Language servers, where an operator names some: what they find newly wrong after an edit."""
