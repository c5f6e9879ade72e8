"""Label maps in files: their names, numbers and words, written and read."""
