"""Finding the series that is meant, and what its headers tell of it."""
