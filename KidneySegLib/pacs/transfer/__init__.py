"""Taking images from an archive and giving files to it."""
