"""Simulated B-mode frames: tissue, echoes, sector, machine overlays."""
