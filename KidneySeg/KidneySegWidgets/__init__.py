"""The parts of the Slicer module KidneySeg: one small file for each purpose."""
