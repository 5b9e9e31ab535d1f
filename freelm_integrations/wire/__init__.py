"""What bytes mean: no I/O, no state beyond a decoder's buffer."""
