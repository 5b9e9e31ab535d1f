"""What is known of every route now: the engine's only mutable state."""
