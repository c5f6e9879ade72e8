"""One DICOM image: its file, its header, its place in the patient."""
