"""Free LLMs that do not fall over."""
