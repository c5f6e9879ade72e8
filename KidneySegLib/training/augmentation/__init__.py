"""Augmentation: one exam as other scanners, postures and contrast phases would show it."""
