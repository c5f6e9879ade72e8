"""Pixels of DICOM images in Hounsfield units."""
