"""Measures of kidneys: organ, sinus, depth, contrast phase."""
