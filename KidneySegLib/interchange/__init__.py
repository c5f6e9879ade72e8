"""Results as DICOM: segmentation (SEG), measurements (SR, TID 1500) and report (encapsulated PDF)."""
