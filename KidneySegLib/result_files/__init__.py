"""Whose the files of a result folder are, and which result each belongs to: nothing of an earlier exam stays."""
