"""A result written to files, and a corrected case for training."""
