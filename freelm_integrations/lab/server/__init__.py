"""The wire side of the lab: connections, what goes wrong on them, and the thread that runs it all."""
