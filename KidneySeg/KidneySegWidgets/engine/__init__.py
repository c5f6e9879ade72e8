"""Where the engine is, how it is run and what it needs."""
