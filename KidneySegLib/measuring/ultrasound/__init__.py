"""Kidneys in ultrasound images: length, width and area in one plane, the loop's frame, the volume of two planes."""
