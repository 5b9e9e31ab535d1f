"""Calls that belong together and can wait, how they stand, and how long they will take."""
