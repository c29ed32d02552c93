"""What `http` of a configuration changes: routes of its own, what is off, who may call, what is told."""
