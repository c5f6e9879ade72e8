"""One run: its parameters, its queue and its progress."""
