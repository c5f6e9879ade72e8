"""From a volume to a label map, as a bundle's plan says."""
