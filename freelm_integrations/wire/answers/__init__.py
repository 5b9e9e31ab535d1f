"""What is answered, whatever the provider's style: bytes become deltas."""
