"""Ultrasound images: the kidney's outline in each frame."""
