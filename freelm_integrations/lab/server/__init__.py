"""The wire side: connections, what goes wrong on them, the thread they live in."""
