"""What is said of many cases together: intervals, pairs, calibration, detection curves, panoptic quality."""
