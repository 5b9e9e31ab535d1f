"""Make it happen: the machine that decides, and the two drivers that act."""
