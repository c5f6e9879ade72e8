"""A synthetic abdomen as a real DICOM series, for trying the engine out without patient data."""
