"""Result folders: written, read, and kept free of files of earlier results."""
