"""Fitting a network to patches: steps, checkpoints, validation, curves."""
