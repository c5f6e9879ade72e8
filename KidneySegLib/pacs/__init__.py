"""DICOM over the network: taking studies from an archive, giving results back, and watching for new ones."""
