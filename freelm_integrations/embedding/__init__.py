"""Vectors for texts, all of one space: which models give the same ones, and how many go at once."""
