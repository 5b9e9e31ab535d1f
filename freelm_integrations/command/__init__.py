"""The command `freellm`, and the doctor it sends to every key."""
