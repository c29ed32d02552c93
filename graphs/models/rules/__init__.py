"""The rules of the offline model: what to look up, what to change, what to say."""
