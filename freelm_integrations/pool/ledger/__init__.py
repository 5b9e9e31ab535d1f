"""The counts as several processes share them: one contract, three homes (memory, SQLite, Redis)."""
