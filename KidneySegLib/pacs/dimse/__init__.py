"""Archives reached by DIMSE, the classic DICOM network."""
