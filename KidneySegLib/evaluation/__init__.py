"""Found label maps against reference ones."""
