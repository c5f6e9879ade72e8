"""Headers of research image files: what ITK's readers take without a word although geometry or data are not whole.

They fill what is missing with zeros, take 1 mm for a spacing that is not given, the first of two transforms that
contradict each other, and any axis for the patient's left. Each module looks at one format before ITK reads it.
"""
