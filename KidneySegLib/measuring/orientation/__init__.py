"""Where the anatomy itself says that front, right and head are, and whether the image's header agrees."""
