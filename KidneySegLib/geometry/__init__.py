"""Geometry of bodies of voxels; it knows no medicine."""
