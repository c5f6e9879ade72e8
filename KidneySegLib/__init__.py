"""KidneySeg's engine: kidneys, masses, cysts and stones from CT, without Slicer, Qt or a browser."""

__version__ = "0.1.0"
