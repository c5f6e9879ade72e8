"""Ultrasound images: regions with their pixel sizes, frames as grey values, pictures."""
