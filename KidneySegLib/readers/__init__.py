"""Readers: from files of any kind to a volume with geometry and units that were checked."""
