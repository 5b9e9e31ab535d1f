"""What the played models say: text, tool calls, JSON and vectors, all a stable function of the request."""
