"""Synthesis of lesions and diseased kidneys in real scans."""
