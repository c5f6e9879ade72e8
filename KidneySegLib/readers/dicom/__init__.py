"""DICOM: finding, checking and reading image series."""
