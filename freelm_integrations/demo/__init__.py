"""The demonstration: both frameworks over played providers that keep breaking. No key needed."""
