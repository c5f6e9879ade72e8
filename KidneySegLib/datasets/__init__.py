"""Labelled exams and slices, and how they are split."""
