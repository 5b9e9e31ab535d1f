"""What the played models say: a stable function of what they are asked."""
