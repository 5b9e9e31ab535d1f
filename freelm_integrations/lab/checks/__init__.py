"""What each provider turns down, one file each."""
